"""People -> teams: who serves where and for how much of their time, with what is short.

One integer program. Shares are whole tenths of a post. What is short costs most, then changes of today's
memberships and the ways from people's bases to their teams' grids, then the number of memberships.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput, TooLarge
from gridsvc.teams.model import Department, Member, Person, Roster
from gridsvc.teams.watch import Watch

__all__ = ["TENTHS", "Ground", "Post", "Staffing", "propose"]

TENTHS = 10
_SHORT, _CHANGE, _WAY, _MEMBER = 1_000.0, 2.0, 1.0, 0.1
_ROLES = ("lead", "enterprise", "vip", "maintenance", "member")
_NODES = 500
_GAP = 1e-3


@dataclass(frozen=True, slots=True)
class Post:
    """Full posts of a role, in one team or in each: a number, or one for so much of a measure.

    Attributes
    ----------
    departments : tuple of str
        Whose people may do it, with the departments below them; all unless given.
    skills : tuple of str
        Skills and languages they must have, all of them.
    """

    role: str
    team: str | None = None
    posts: float | None = None
    measure: str | None = None
    per_post: float | None = None
    departments: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the teams work.

    Attributes
    ----------
    places : mapping of team id to (x, y), metres
        Middle of each team's grids.
    bases : mapping of person id to (x, y), metres
    loads : mapping of team id to mapping of measure to float
    """

    places: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    bases: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    loads: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Staffing:
    """Proposed members, and a JSON-ready report."""

    members: tuple[Member, ...]
    report: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Seat:
    """A role of a team, with the tenths of posts it needs and who may take it."""

    team: str
    role: str
    tenths: int
    post: Post
    people: tuple[int, ...]


def propose(
    roster: Roster,
    posts: Sequence[Post],
    ground: Ground | None = None,
    *,
    pins: Sequence[tuple[str, str, str]] = (),
    source: str = "posts",
    most: int | None = None,
) -> Staffing:
    """Propose who serves in which team, so that as few posts as possible are short.

    Each team has one lead; a person has at most one role in a team, and their shares add to at most their
    capacity. A team's backup is the member with most time for it beside the lead, if there is one.

    Parameters
    ----------
    roster : Roster
        Today's; its memberships stay where that costs nothing else.
    pins : sequence of (person, team, role)
        Memberships which must be.
    source : str
        What messages call the list of posts.
    most : int or None
        Most pairs of post and person.

    Raises
    ------
    InvalidInput
        A post or pin which cannot be read, with its row.
    TooLarge
        There are more pairs than `most`.
    """
    seats = _seats(roster, posts, ground or Ground(), source)
    pairs = sum(len(seat.people) for seat in seats)
    if most is not None and pairs > most:
        raise TooLarge(
            f"there are {pairs:,} ways to give a post to a person, and {most:,} are taken at once",
            field="posts",
            cure="name the departments of each post, or use gridsvc assign --staff",
        )
    program = _Program(roster, seats, ground or Ground(), _pins(roster, seats, pins))
    shares, gap = Watch().solved(program.solved, 0.0, "")  # a thread of its own heeds Ctrl-C
    members = _members(roster, seats, shares)
    return Staffing(members, _report(roster, seats, shares, members, gap))


def _seats(roster: Roster, posts: Sequence[Post], ground: Ground, source: str) -> list[_Seat]:
    seats: dict[tuple[str, str], tuple[_Seat, int]] = {}
    for row, post in enumerate(posts, 1):
        _check(roster, post, source, row)
        able = tuple(i for i, person in enumerate(roster.people) if _able(roster, person, post))
        for team in [post.team] if post.team else [t.id for t in roster.teams if t.id != roster.fallback]:
            if (team, post.role) in seats:
                if seats[team, post.role][0].post.team and not post.team:
                    continue  # what is said of one team goes before what is said of all
                if bool(seats[team, post.role][0].post.team) == bool(post.team):
                    raise InvalidInput(
                        f"role {post.role!r} of team {team!r} is in row {seats[team, post.role][1]} already",
                        source=source, row=row, field="role", cure="keep one of the two rows",
                    )  # fmt: skip
            tenths = _tenths(post, ground.loads.get(team, {}), source, row)
            seats[team, post.role] = (_Seat(team, post.role, tenths, post, able), row)
    return [seat for seat, _ in seats.values() if seat.tenths or seat.role == "lead"]


def _check(roster: Roster, post: Post, source: str, row: int) -> None:
    def wrong(message: str, name: str, cure: str) -> InvalidInput:
        return InvalidInput(message, source=source, row=row, field=name, cure=cure)

    if post.role not in _ROLES:
        raise wrong(f"there is no role {post.role!r}", "role", f"give one of {', '.join(_ROLES)}")
    if post.team is not None and post.team not in roster.team_by_id:
        raise wrong(f"there is no team {post.team!r}", "team", "name a team by its id, or none for all")
    known = {department.id for department in roster.departments}
    for department in post.departments:
        if department not in known:
            raise wrong(f"there is no department {department!r}", "departments", "name one by its id")
    if (post.posts is None) == (post.measure is None):
        raise wrong("give either posts or a measure", "posts", "fill one of the two columns")
    if post.posts is not None and not (np.isfinite(post.posts) and post.posts >= 0):
        raise wrong("not a number of at least 0", "posts", "give the full posts needed, as 0.5")
    if post.measure is not None and not (post.per_post and np.isfinite(post.per_post) and post.per_post > 0):
        raise wrong("not a number above 0", "per_post", "say how much of the measure one full post carries")


def _able(roster: Roster, person: Person, post: Post) -> bool:
    if not set(post.skills) <= {*person.skills, *person.languages}:
        return False
    return not post.departments or bool(_above(roster.departments, person.department) & set(post.departments))


def _above(departments: tuple[Department, ...], department: str) -> set[str]:
    """A department and all above it."""
    parents, found, here = {d.id: d.parent for d in departments}, set[str](), department
    while here and here not in found:
        found.add(here)
        here = parents.get(here) or ""
    return found


def _tenths(post: Post, loads: Mapping[str, float], source: str, row: int) -> int:
    if post.posts is not None:
        return int(np.ceil(post.posts * TENTHS - 1e-6))
    if loads and post.measure not in loads:
        raise InvalidInput(
            f"there is no measure {post.measure!r}",
            source=source, row=row, field="measure", cure="name a measure of the cells",
        )  # fmt: skip
    return int(np.ceil(loads.get(post.measure or "", 0.0) / (post.per_post or 1.0) * TENTHS - 1e-6))


def _pins(
    roster: Roster, seats: Sequence[_Seat], pins: Sequence[tuple[str, str, str]]
) -> set[tuple[int, int]]:
    person = {p.id: i for i, p in enumerate(roster.people)}
    at = {(seat.team, seat.role): s for s, seat in enumerate(seats)}
    found: set[tuple[int, int]] = set()
    for row, (who, team, role) in enumerate(pins, 1):
        if who not in person:
            raise InvalidInput(
                f"there is no person {who!r}", source="pins", row=row, field="person", cure="name one"
            )
        if (team, role) not in at:
            raise InvalidInput(
                f"team {team!r} has no post of {role!r}",
                source="pins", row=row, field="team", cure="give the team such a post",
            )  # fmt: skip
        found.add((at[team, role], person[who]))
    return found


class _Program:
    """Variables: whether a person takes a seat, tenths of their time, tenths which stay short."""

    def __init__(
        self, roster: Roster, seats: Sequence[_Seat], ground: Ground, pins: set[tuple[int, int]]
    ) -> None:
        taken = sorted({(s, p) for s, seat in enumerate(seats) for p in seat.people} | pins)
        self.seats, self.pins, self.pairs = seats, pins, taken
        self.seat = np.array([s for s, _ in taken], np.int64)
        self.person = np.array([p for _, p in taken], np.int64)
        self.room = np.array([int(TENTHS * p.capacity + 1e-6) for p in roster.people], np.int64)
        self.cost = np.array([_cost(roster, seats[s], roster.people[p], ground) for s, p in taken])

    def solved(self, seconds: float | None = None) -> tuple[dict[tuple[int, int], int], float]:
        """Tenths of each (seat, person), and the gap."""
        from scipy.optimize import Bounds, LinearConstraint, milp

        n, n_seats = len(self.pairs), len(self.seats)
        if not n:
            return {}, 0.0
        room = self.room[self.person]
        need = np.array([seat.tenths for seat in self.seats])
        lead = np.array([seat.role == "lead" for seat in self.seats])
        fixed = np.array([pair in self.pins for pair in self.pairs])
        # A lead's seat without tenths still wants its person: one more short there, if nobody takes it.
        cost = np.concatenate([self.cost, np.zeros(n), np.full(n_seats, _SHORT), _SHORT * lead * TENTHS])
        upper = np.concatenate([room > 0, np.minimum(room, need[self.seat]), need, lead]).astype(np.float64)
        lower = np.concatenate([fixed & (room > 0), np.zeros(n + 2 * n_seats)])
        result: Any = milp(
            cost,
            integrality=np.ones(len(cost)),
            bounds=Bounds(lower, np.maximum(lower, upper)),
            constraints=[LinearConstraint(*c) for c in self._rows(need, lead)],
            options={"mip_rel_gap": _GAP, "node_limit": _NODES, "time_limit": seconds},
        )
        if result.x is None:
            raise InvalidInput(
                "the pinned memberships contradict each other", field="pins", cure="take one back"
            )
        take, tenths = result.x[:n] > 0.5, np.rint(result.x[n : 2 * n]).astype(int)
        return {self.pairs[i]: int(tenths[i]) for i in np.flatnonzero(take)}, float(result.mip_gap or 0.0)

    def _rows(self, need: NDArray[np.int64], lead: NDArray[np.bool_]) -> list[tuple[Any, Any, Any]]:
        from scipy.sparse import coo_matrix, csr_matrix, hstack, identity

        n, n_seats, pair = len(self.pairs), len(self.seats), np.arange(len(self.pairs))
        of_seat = coo_matrix((np.ones(n), (self.seat, pair)), (n_seats, n)).tocsr()
        of_person = coo_matrix((np.ones(n), (self.person, pair)), (len(self.room), n)).tocsr()
        teams = {team: i for i, team in enumerate(sorted({seat.team for seat in self.seats}))}
        both = np.array([teams[seat.team] for seat in self.seats])[self.seat] * len(self.room) + self.person
        places, at = np.unique(both, return_inverse=True)
        once = coo_matrix((np.ones(n), (at, pair)), (len(places), n)).tocsr()

        def row(*parts: Any) -> Any:
            shapes = (n, n, n_seats, n_seats)
            rows = next(p.shape[0] for p in parts if p is not None)
            return hstack(
                [csr_matrix((rows, w)) if p is None else p for p, w in zip(parts, shapes, strict=True)]
            ).tocsr()

        big = np.minimum(self.room[self.person], need[self.seat])
        tight = coo_matrix((-big.astype(float), (pair, pair)), (n, n))
        some = coo_matrix((-(need[self.seat] > 0).astype(float), (pair, pair)), (n, n))
        unit, missing = identity(n), identity(n_seats)
        return [
            (row(None, of_seat, missing, None), need, need),
            (row(None, of_person, None, None), -np.inf, self.room),
            (row(tight, unit, None, None), -np.inf, 0),  # time only where the seat is taken
            (row(some, unit, None, None), 0, np.inf),  # and some where it is
            (row(once, None, None, None), -np.inf, 1),
            (row(of_seat[lead], None, None, missing.tocsr()[lead]), 1, 1),
        ]


def _cost(roster: Roster, seat: _Seat, person: Person, ground: Ground) -> float:
    held = any(m.person == person.id and m.role == seat.role for m in roster.members_by_team[seat.team])
    return _MEMBER + (0.0 if held else _CHANGE) + _WAY * _way(ground, seat.team, person.id)


def _way(ground: Ground, team: str, person: str) -> float:
    """Way from a person's base to a team's grids, in spreads of all teams; 0.5 if not known."""
    if team not in ground.places or person not in ground.bases:
        return 0.5
    spread = np.ptp(np.array(list(ground.places.values())), axis=0)
    reach = max(float(np.hypot(*spread)), 1.0)
    gone = np.subtract(ground.places[team], ground.bases[person])
    return min(float(np.hypot(*gone)) / reach, 5.0)


def _members(
    roster: Roster, seats: Sequence[_Seat], shares: Mapping[tuple[int, int], int]
) -> tuple[Member, ...]:
    """The memberships; those of teams without any post stay as they are."""
    found: list[Member] = []
    staffed = {seat.team for seat in seats}
    by_team: dict[str, list[Member]] = {}
    for (s, p), tenths in sorted(shares.items()):
        share = tenths / TENTHS
        role: Any = seats[s].role
        member = Member(seats[s].team, roster.people[p].id, role, share, share)
        by_team.setdefault(member.team, []).append(member)
    for team in roster.teams:
        if team.id not in staffed:
            found += roster.members_by_team[team.id]
            continue
        members = by_team.get(team.id, [])
        backup = max((m for m in members if m.role != "lead"), key=lambda m: m.time_share, default=None)
        found += [_backup(m) if m is backup else m for m in members]
    return tuple(found)


def _backup(member: Member) -> Member:
    from dataclasses import replace

    return replace(member, backup=True)


def _report(
    roster: Roster,
    seats: Sequence[_Seat],
    shares: Mapping[tuple[int, int], int],
    members: tuple[Member, ...],
    gap: float,
) -> dict[str, Any]:
    teams, people = roster.team_by_id, roster.people
    given = np.zeros(len(seats), np.int64)
    used = np.zeros(len(people), np.int64)
    for (s, p), tenths in shares.items():
        given[s] += tenths
        used[p] += tenths
    held = {(m.team, m.person, m.role) for m in roster.members}
    now = {(m.team, m.person, m.role) for m in members}
    short = [(seat, seat.tenths - int(given[s])) for s, seat in enumerate(seats)]
    no_lead = [
        seat for s, seat in enumerate(seats) if seat.role == "lead" and not any(k[0] == s for k in shares)
    ]
    alone = sorted({s.team for s in seats} - {m.team for m in members if m.backup})
    english = [
        f"{_name(roster, s)} is short of {t / TENTHS:g} people in {teams[s.team].name}" for s, t in short if t
    ]
    english += [f"{teams[s.team].name} has no lead: nobody who may lead has time" for s in no_lead]
    english += [f"{teams[t].name} has no backup for its lead" for t in alone]
    chinese = [f"{teams[s.team].name}的{_name(roster, s)}缺{t / TENTHS:g}人" for s, t in short if t]
    chinese += [f"{teams[s.team].name}没有负责人：有资格的人员已无时间" for s in no_lead]
    chinese += [f"{teams[t].name}没有负责人的后备" for t in alone]
    return {
        "method": "branch and bound",
        "gap": gap,
        "memberships": len(members),
        "people": len({m.person for m in members}),
        "new": len(now - held),
        "ended": len(held - now),
        "posts": [
            {
                "team": seat.team,
                "role": seat.role,
                "needed": seat.tenths / TENTHS,
                "given": int(given[s]) / TENTHS,
            }
            for s, seat in enumerate(seats)
        ],
        "load": [
            {"person": p.id, "share": int(used[i]) / TENTHS, "capacity": p.capacity}
            for i, p in enumerate(people)
            if used[i]
        ],
        "shortages": english,
        "shortages_zh": chinese,
    }


def _name(roster: Roster, seat: _Seat) -> str:
    """What a post is called where it is short: its departments, else its role."""
    names = {d.id: d.name for d in roster.departments}
    return " / ".join(names[d] for d in seat.post.departments) or seat.role
