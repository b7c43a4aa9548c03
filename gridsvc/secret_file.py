"""What an operator keeps in a file of its own, so that no environment or process list shows it."""

from __future__ import annotations

from pathlib import Path

from gridsvc.errors import InvalidInput

__all__ = ["read_secret"]


def read_secret(path: str | Path, setting: str, what: str) -> str:
    """The text of a file, without blanks round it.

    Parameters
    ----------
    setting : str
        The setting which names the file, for the message.
    what : str
        What the file should hold.

    Raises
    ------
    InvalidInput
        It cannot be read, is no UTF-8, or is empty.
    """
    try:
        kept = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        kept = ""
    if not kept:
        raise InvalidInput(
            "cannot be read, or is empty",
            field=setting,
            cure=f"name a file with {what} which the service may read",
        )
    return kept
