"""What is held is sent in its order, at the end of the turn, and never grows without end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from api.outgoing import Burst, Outgoing


class Loop:
    """Calls what it was given when its turn ends."""

    def __init__(self) -> None:
        self.soon: list[Callable[[], None]] = []

    def call_soon(self, act: Callable[[], None]) -> None:
        self.soon.append(act)

    def turn(self) -> None:
        soon, self.soon = self.soon, []
        for act in soon:
            act()


class Transport:
    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.sent.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def connections(number: int) -> tuple[Loop, list[Transport], list[Outgoing]]:
    loop, turn, transports = Loop(), Burst(), [Transport() for _ in range(number)]
    return loop, transports, [Outgoing(cast(Any, each), turn, cast(Any, loop)) for each in transports]


@given(writes=st.lists(st.tuples(st.integers(0, 3), st.binary(min_size=1, max_size=4) | st.none())))
def test_each_connection_gets_its_own_in_order(writes: list[tuple[int, bytes | None]]) -> None:
    """None ends a turn; whatever was written before has gone out then."""
    loop, transports, outgoing = connections(4)
    told = [b""] * 4
    for number, data in [*writes, (0, None)]:
        if data is None:
            loop.turn()
            assert [b"".join(each.sent) for each in transports] == told
        else:
            outgoing[number].write(data)
            told[number] += data


def test_a_connection_which_follows_upon_itself_sends_at_once() -> None:
    loop, (only,), (outgoing,) = connections(1)
    outgoing.write(b"first")
    loop.turn()
    outgoing.write(b"a")
    outgoing.write(b"b")
    assert only.sent == [b"first", b"a", b"b"]
    assert not loop.soon


def test_connections_which_take_turns_send_together() -> None:
    loop, (one, two), (first, second) = connections(2)
    for each in (first, second, first, second):
        each.write(b"x")
    assert one.sent == two.sent == []
    loop.turn()
    assert one.sent == two.sent == [b"xx"]


def test_a_long_answer_does_not_stay_in_memory() -> None:
    """The transport learns of it, and slows down who writes."""
    _, (one, _), (first, second) = connections(2)
    second.write(b"")
    for _ in range(10):
        first.write(b"x" * 20_000)
        assert sum(map(len, first._held)) <= 65_536
    assert sum(map(len, one.sent)) >= 140_000


def test_nothing_held_is_lost_by_closing() -> None:
    loop, (one, two), (first, second) = connections(2)
    second.write(b"there")
    first.write(b"bye")
    first.close()
    assert one.sent == [b"bye"] and first.is_closing()
    loop.turn()
    assert two.sent == [b"there"]
