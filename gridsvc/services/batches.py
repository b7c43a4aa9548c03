"""Many questions in one body: read, answered from one state, and written in the form they came in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gridsvc.errors import InvalidInput
from gridsvc.ownership.batch import BatchAnswer
from gridsvc.ownership.columns import MEDIA_TYPES, Facts, render
from gridsvc.ownership.options import options_of
from gridsvc.ownership.points import parse
from gridsvc.principal import Principal
from gridsvc.services import ownership
from gridsvc.services.desk import Asked, Desk

__all__ = ["answer"]


def answer(
    desk: Desk, who: Principal, body: bytes | memoryview, media_type: str, options: Mapping[str, Any]
) -> tuple[str, bytes]:
    """Owners of up to 100,000 points.

    Parameters
    ----------
    options : mapping
        What was asked beside the body, see `gridsvc.ownership.options`; the body's own word counts more.

    Returns
    -------
    media type, body

    Raises
    ------
    TooLarge, InvalidInput
        The body as a whole is not a batch; or, with ``strict``, one of its points is no place.
    NotYetInForce, StaleRead, NotFound
        As `gridsvc.services.ownership.snapshot`.
    """
    who.require("owner:read")
    batch = parse(body, media_type)
    wanted = {**options_of(dict(options)), **batch.options}
    asked = Asked(**{name: value for name, value in wanted.items() if name not in {"crs", "strict"}})
    crs = wanted.get("crs", "wgs84")
    found, answers = ownership.batch(desk, who, batch.lon, batch.lat, crs=crs, asked=asked)
    if wanted.get("strict"):
        _refuse_invalid(answers)
    moment = found.moment
    facts = Facts(found.holdings.territory, moment.publication, moment.roster, moment.seq)
    return MEDIA_TYPES[batch.form], render(answers, facts, batch.form)


def _refuse_invalid(answers: BatchAnswer) -> None:
    bad = np.flatnonzero(answers.owner == len(answers.owners) - 1)
    if len(bad):
        raise InvalidInput(
            f"{len(bad)} of the points are not places",
            row=int(bad[0]) + 1,
            field="lat, lon",
            cure="correct them, or ask without strict",
        )
