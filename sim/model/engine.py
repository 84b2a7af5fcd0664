"""The compiled engine: the rules over eight posts at a time, a system at a time.

The posts of a system lie in blocks of eight, the lanes. A block holds its posts' fields one after the other, eight
numbers each (`FIELDS_OF_WORK`), so that a loop over the lanes reads and writes neighbours and becomes one stream of
vector instructions. What differs between lanes is selected, never jumped over. A system's last block may have lanes
beyond its last post: they are computed like the others, draw nothing, and are counted nowhere.

A month of a system fits into the processor's cache: draw its numbers, let every manager decide, let everyone learn from
what happened, then let careers move, post by post. Sums over an organisation, a system or the nation go lane by lane
and are folded once (`record.fold`), in the Mesa model as here, so both have the same bits.

The entry allocates nothing and raises nothing: all memory is passed in, and it returns before a month for which the
market might be too small, so that the caller can enlarge it and go on.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.model import rules
from sim.model.compiling import compiled, entry, inlined, rule
from sim.model.interventions import BEFORE, LEARNED, NONE, Interventions
from sim.model.local import COLUMNS, LOCAL, STATISTICS, encoded
from sim.model.outcomes import POST_COLUMNS
from sim.model.parameters import COEFFICIENTS, LEVERS, SPREADS, Parameters, resolve
from sim.model.record import FIELDS, LANES, Record, fold
from sim.model.streams import ABREAST, APPOINTMENT, KEYED, KEYS, MONTHLY, draw_lanes, keyed, normal, seed_lanes

# One argument a line would hide the shape of a month.
# fmt: off

Floats = NDArray[np.float64]

CARRIED = ("motivation_at_start", "boldness", "crowding", "anxiety", "integrity", "skill", "fear", "record")
"""What a manager carries from a post to the market and back."""
_KEPT = ("practice", "need", "uniqueness", "support", "circumstances", "method", "appointments", "motivation_at_start",
         "boldness", "crowding", "anxiety", "record")
_STOCKS = ("fear", "trust", "confidence", "skill", "integrity", "distress", "motivation", "cooperation")
_LEVER = {name: f"lever_{name}" for name in LOCAL}
_LEVER_OF_POST = _LEVER | {"targets": "targets_level"}  # which is recorded
FIELDS_OF_WORK = (
    *_KEPT,  # `uniqueness` is ξ, `need` the local need, `appointments` how many there were
    *FIELDS,  # what is recorded, among it the stocks
    "unfair", "spared", "unpunished",  # of the month: the sanction was unfair; weights of mercy and of impunity
    *(f"u_{name}" for name in MONTHLY),  # the month's uniform numbers
    "felt", "place_fear", "place_trust", "safety", "mean_effort",  # the organisation's, at hand for each post
    *(name for name in _LEVER_OF_POST.values() if name not in FIELDS),  # likewise
    "shown_fear", "service", "balance",  # between the steps of a month
    "near", "far", "mercy", "impunity",  # sanctioned in the organisation and elsewhere, spared and unpunished in it
)
"""The fields of a block while its system is at work."""
HOME = 1 + max(FIELDS_OF_WORK.index(name) for name in (*_KEPT, *_STOCKS))
"""How many of these fields, the first ones, last from month to month."""
_COLUMNS = len(POST_COLUMNS)
BLOCK, HOME_BLOCK, RECORDED, KEPT_BLOCK = (LANES * n for n in (len(FIELDS_OF_WORK), HOME, len(FIELDS), _COLUMNS))
PLACE = ("deviation", "safety", "reputation", "mean_effort", "fear", "trust", "monitoring", "felt", "assurance",
         "sanctioned", "spared", "unpunished", "invested", *_LEVER.values())
"""An organisation: what lasts, the month's climate, tallies and levers. `deviation` is Δ; `invested` is the lever that
its posts' relationship and support were computed from."""
CANDIDATE = (*CARRIED, "left")
"""A former manager on the market; `left` is the month of leaving."""
NATION = ("common", "standard", "waiting")
"""What the nation remembers: the common part of need, the standard, and how many wait on the market. Behind these stand
the systems' means of cooperation."""
_WIDE, _SEAT = np.uint64(len(PLACE)), np.uint64(len(CANDIDATE))


def _kind(name: str, fields: Sequence[str]) -> Any:
    """A named tuple of numbers, in this order."""
    make: Any = namedtuple  # its fields are known only here, which a type checker does not take
    made: Any = make(name, fields)
    return made


def _places(names: Sequence[str], apart: int = 1) -> Any:
    """Where each field stands, in numbers, as a named tuple that compiled code takes for constants."""
    return _kind("At", names)._make(np.uint64(apart * k) for k in range(len(names)))


AT, ORG, SEAT, HERE = _places(FIELDS_OF_WORK, LANES), _places(PLACE), _places(CANDIDATE), _places(NATION)
RULE = _places(COLUMNS)
_RECORD = getattr(AT, FIELDS[0])


def _reader(kind: Any, at: Any, also: str = "", **elsewhere: str) -> Callable[..., Any]:
    """A function that reads a named tuple from where its fields stand, of an array and a first index; fields that stand
    nowhere it takes from a third argument, `also`."""
    named = {name: elsewhere.get(name, name) for name in kind._fields}
    code = ", ".join(f"array[first + U({getattr(at, there)})]" if there in at._fields else f"{also}.{name}"
                     for name, there in named.items())
    space: dict[str, Any] = {"kind": kind, "U": np.uint64}
    exec(f"def read(array, first, {also}): return kind({code})", space)
    read: Callable[..., Any] = inlined(space["read"])
    return read


_Values = _kind("_Values", (*COEFFICIENTS, *SPREADS))
_Lever = _kind("_Lever", LEVERS)
_Post = _kind("_Post", tuple(rules.Post.__annotations__))
_Unit = _kind("_Unit", tuple(rules.Unit.__annotations__))
_Around = _kind("_Around", ("monitoring", "felt", "assurance", "fear", "trust", "safety"))
_Place = _kind("_Place", PLACE)

_values_of = _reader(_Values, _places(_Values._fields))
_lever_of = _reader(_Lever, _places(LEVERS))
_post_at = _reader(_Post, AT)
_around = _reader(_Around, AT, fear="place_fear", trust="place_trust")
_unit_at = _reader(_Unit, AT)
_place_at = _reader(_Place, ORG)
_lever_at = _reader(_Lever, AT, "nation", **_LEVER_OF_POST)
_lever_in = _reader(_Lever, ORG, "nation", **_LEVER)

_OF_NATION, _OF_ORGANISATION, _OF_POST, _CIRCUMSTANCES, _NEWCOMER, _RIVAL, _APPOINTMENT = (
    KEYS[KEYED.index(name)]
    for name in ("nation", "organisation", "post", "circumstances", "newcomer", "rival", "appointment")
)
(_U_RECYCLING, _U_PICK, _U_REGISTER, _U_COMPETITION, _U_CANDIDATE_ERROR, _U_RIVAL_ERROR,
 _U_STRIKING_OFF) = range(len(APPOINTMENT))


class Sizes(NamedTuple):
    """Whole numbers of a run, in the order in which the entry takes them.

    `everywhere` is 1 where every rule sees the given fear, `sanction_month` counts from 0 and is -1 for none, and
    `room` is for how many candidates the market has room.
    """

    systems: int
    organisations: int
    managers: int
    months: int
    window: int
    everywhere: int
    sanction_month: int
    sanction_post: int
    room: int


def run(p: Parameters, seed: int, record_organisations: bool = False, interventions: Interventions = NONE) -> Record:
    """Run the model once. The interpreter lock is released meanwhile, so runs can go side by side in threads."""
    interventions.check(p)
    sanction = interventions.sanction
    month, post = (sanction.month - 1, sanction.post) if sanction else (-1, -1)
    per_system = p.organisations * p.managers
    blocks, posts, room = _blocks(per_system), p.systems * per_system, per_system + 2
    record = Record.empty(p, record_organisations, interventions.record_fear)
    totals = np.zeros(p.systems * blocks * KEPT_BLOCK)
    market = np.empty((posts + room) * len(CANDIDATE))
    memory = (np.zeros(blocks * BLOCK), np.zeros(RECORDED), np.zeros(LANES * ABREAST),
              np.zeros(p.systems * blocks * HOME_BLOCK), np.zeros(p.systems * p.organisations * len(PLACE)),
              np.zeros(len(NATION) + p.systems), np.zeros(4 * ABREAST, np.uint64))
    values = np.array([getattr(p, name) for name in _Values._fields])
    levers = lever_table(p).reshape(-1)
    policy, members = (array.reshape(-1) for array in encoded(p.local, seed, p.systems * p.organisations))
    results = (record.sums.reshape(-1), totals, record.last.reshape(-1), record.organisations.reshape(-1),
               record.fear.reshape(-1))
    given, reached = interventions.given_path.reshape(-1), 0
    while reached < p.months:
        sizes = np.array(Sizes(p.systems, p.organisations, p.managers, p.months, p.window, interventions.everywhere,
                               month, post, len(market) // len(CANDIDATE)))
        reached = advance(reached, np.uint64(seed), sizes, values, levers, policy, members, *memory, market, given,
                          *results)
        if reached < p.months:
            larger = np.empty(len(market) + max(len(market) // 2, posts * len(CANDIDATE)))
            larger[: len(market)] = market
            market = larger
    by_block, by_post = totals.reshape(p.systems, blocks, -1, LANES), record.totals.reshape(p.systems, per_system, -1)
    for lane in range(min(LANES, per_system)):
        there = by_post[:, lane::LANES]
        there[:] = by_block[:, : there.shape[1], :, lane]
    return record


def warm_up() -> None:
    """Load or compile the engine, before there are threads that would all begin to."""
    run(resolve(systems=1, organisations=1, managers=1, months=1), 0)


def lever_table(p: Parameters) -> Floats:
    """The levers by month (months by `LEVERS`): a value set for month t holds from the start of month t."""
    levers = np.zeros((p.months, len(LEVERS)))
    for column, name in enumerate(LEVERS):
        levers[:, column] = getattr(p, name)
        for month, value in sorted(p.schedule.get(name, {}).items()):
            levers[month - 1 :, column] = value
    return levers


@entry
def advance(
    first: int, seed: np.uint64, sizes: NDArray[np.int64], values: Floats, levers: Floats, policy: Floats,
    members: Floats, work: Floats, sums: Floats, drawn: Floats, home: Floats, places: Floats, nation: Floats,
    streams: NDArray[np.uint64], market: Floats, given: Floats, by_month: Floats, totals: Floats, last: Floats,
    by_organisation: Floats, fear: Floats,
) -> int:
    """The months of a run from `first` (from 0) on; the month that was reached, before the end where `market` is short.

    All arrays are flat. `sizes` holds `Sizes`, `values` what `COEFFICIENTS` and `SPREADS` name, `levers` months by
    `LEVERS`, `policy` and `members` the local policy as `local.encoded` has it, or nothing. Memory, zero before the
    first month, which a later call goes on with: `work`, a system's blocks by `BLOCK`; `sums`, `RECORDED`; `drawn`,
    `LANES` by `ABREAST`; `home`, all systems' blocks by `HOME_BLOCK`; `places`, organisations by `PLACE`; `nation`,
    `NATION` and a number for each system; `streams`, 4 by `ABREAST`; `market`, `room` by `CANDIDATE`. `given` and
    `fear` are months by posts by 2, or empty. Results: `by_month`, months by `FIELDS`; `totals`, all blocks by
    `KEPT_BLOCK`; `last`, posts by 2; `by_organisation`, months by organisations by `POST_COLUMNS`, or empty.
    """
    n = Sizes(sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5], sizes[6], sizes[7], sizes[8])
    p = _values_of(values, np.uint64(0))
    per_system = n.organisations * n.managers
    common_sd, local_sd = rules.spread_of_need(p.common_need, p), rules.spread_of_need(1.0 - p.common_need, p)
    if first == 0:
        seed_lanes(seed, streams, drawn)
        _start(seed, n, home, places, nation, drawn, common_sd, local_sd, p)
    for month in range(first, n.months):
        if nation[HERE.waiting] + n.systems * per_system + 2.0 > n.room:
            return month
        lever = _lever_of(levers, np.uint64(month * len(LEVERS)))
        nation[HERE.waiting] = _leave_market(market, nation[HERE.waiting], month, p.market_months)
        if n.everywhere > 0:
            _set_fear(home, HOME_BLOCK, given, 2 * month * n.systems * per_system + BEFORE, n.systems, per_system)
            _climates(home, HOME_BLOCK, places, 0, n.systems, n)
        if len(fear) > 0:
            _keep_fear(home, HOME_BLOCK, fear, 2 * month * n.systems * per_system + BEFORE, n.systems, per_system)
        for o in range(n.systems * n.organisations):
            _levers_of_organisation(places, o, month, n, policy, members, lever)
        _month(month, seed, n, lever, work, sums, drawn, home, places, nation, streams, market, given, by_month, totals,
               last, by_organisation, fear, local_sd, p)
        shock = normal(keyed(seed, _OF_NATION, 0, month + 1)[0])
        nation[HERE.common] = rules.need_after_month(nation[HERE.common], shock, common_sd, p)
        nation[HERE.standard] = rules.standard_after_month(nation[HERE.standard], nation[HERE.common], p)
    return n.months


@compiled
def _month(
    month: int, seed: Any, n: Any, lever: Any, work: Any, sums: Any, drawn: Any, home: Any, places: Any, nation: Any,
    streams: Any, market: Any, given: Any, by_month: Any, totals: Any, last: Any, by_organisation: Any, fear: Any,
    local_sd: float, p: Any,
) -> None:
    """A month of the nation, a system after the other."""
    per_system = n.organisations * n.managers
    blocks = _blocks(per_system)
    mean_reputation, nation_fear = 0.0, 0.0
    for o in range(n.systems * n.organisations):
        mean_reputation += places[np.uint64(o) * _WIDE + ORG.reputation]
        nation_fear += places[np.uint64(o) * _WIDE + ORG.fear]
    mean_reputation /= n.systems * n.organisations
    nation_fear /= n.systems * n.organisations
    k = rules.stakes(lever, p)
    colleague, stranger = rules.share_of_colleagues(n.managers), rules.share_of_strangers(n.organisations, n.managers)
    common, standard = nation[HERE.common], nation[HERE.standard]
    for j in range(RECORDED):
        sums[j] = 0.0
    for s in range(n.systems):
        first_place, at_home = s * n.organisations, s * blocks * HOME_BLOCK
        before = 2 * (month * n.systems + s) * per_system
        cooperation = nation[np.uint64(len(NATION) + s)]
        overload = rules.overload(rules.load(cooperation, lever, p))
        _copy(home, at_home, HOME_BLOCK, work, 0, BLOCK, blocks)
        _draw(work, streams, drawn, per_system)
        _climate(work, places, first_place, mean_reputation, n, lever, p)
        _show_fear(work, given, before, per_system)
        for b in range(blocks):
            for lane in range(LANES):
                _decide(work, np.uint64(b * BLOCK + lane), common, standard, cooperation, overload, k, lever, p)
        for b in range(blocks):
            for lane in range(LANES):
                _answer(work, np.uint64(b * BLOCK + lane), overload, lever, p)
        if month == n.sanction_month:
            _sanction(work, n.sanction_post)
        _hear(work, places, first_place, n, p)
        for b in range(blocks):
            for lane in range(LANES):
                i = np.uint64(b * BLOCK + lane)
                _learn(work, i, standard, local_sd, cooperation, colleague, stranger, k, lever, p)
                _leave(work, i, p)
                _mark(work, i)
        if n.everywhere > 0:
            _set_fear(work, BLOCK, given, before + LEARNED, 1, per_system)
            for post in range(per_system):
                _leave(work, _at(post, BLOCK), p)
                _mark(work, _at(post, BLOCK))
        if len(fear) > 0:
            _keep_fear(work, BLOCK, fear, before + LEARNED, 1, per_system)
        nation[HERE.waiting] = _careers(work, places, s, month, nation_fear, seed, market, nation[HERE.waiting], n,
                                        drawn, lever, p)
        _climates(work, BLOCK, places, first_place, 1, n)
        nation[np.uint64(len(NATION) + s)] = _mean(work, BLOCK, AT.cooperation, 0, per_system)
        _record(work, s, month, per_system, n, sums, totals, last, by_organisation)
        _copy(work, 0, BLOCK, home, at_home, HOME_BLOCK, blocks)
    for field in range(len(FIELDS)):
        i = np.uint64(LANES * field)
        by_month[np.uint64(month * len(FIELDS) + field)] = fold(
            sums[i], sums[i + _U1], sums[i + _U2], sums[i + _U3], sums[i + _U4], sums[i + _U5], sums[i + _U6],
            sums[i + _U7])


@rule
def _blocks(posts: int) -> int:
    """How many blocks a system's posts fill, the last perhaps in part."""
    return (posts + LANES - 1) // LANES


_TO_BLOCK, _LANE = np.uint64(3), np.uint64(LANES - 1)


@inlined
def _at(post: int, block: int) -> Any:
    """Where the first field of a system's post stands."""
    return (np.uint64(post) >> _TO_BLOCK) * np.uint64(block) + (np.uint64(post) & _LANE)


@compiled
def _sum(memory: Any, block: int, field: Any, first: int, end: int) -> float:
    """A field added up over a system's posts from `first` to before `end`, lane by lane, and folded once."""
    a, b, c, d, e, f, g, h = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for block_number in range(first // LANES, _blocks(end)):
        i, low, high = np.uint64(block_number * block) + field, first - block_number * LANES, end - block_number * LANES
        a += _if((low <= 0) & (high > 0), memory[i])
        b += _if((low <= 1) & (high > 1), memory[i + _U1])
        c += _if((low <= 2) & (high > 2), memory[i + _U2])
        d += _if((low <= 3) & (high > 3), memory[i + _U3])
        e += _if((low <= 4) & (high > 4), memory[i + _U4])
        f += _if((low <= 5) & (high > 5), memory[i + _U5])
        g += _if((low <= 6) & (high > 6), memory[i + _U6])
        h += _if((low <= 7) & (high > 7), memory[i + _U7])
    return fold(a, b, c, d, e, f, g, h)


_U1, _U2, _U3, _U4, _U5, _U6, _U7 = (np.uint64(lane) for lane in range(1, LANES))


@inlined
def _if(condition: bool, value: float) -> float:
    return value if condition else 0.0


@compiled
def _mean(memory: Any, block: int, field: Any, first: int, end: int) -> float:
    return _sum(memory, block, field, first, end) / (end - first)


@compiled
def _climates(memory: Any, block: int, places: Any, first_place: int, systems: int, n: Any) -> None:
    """F and T, the organisations' means of fear and trust, for the month to come."""
    blocks = _blocks(n.organisations * n.managers)
    for s in range(systems):
        there = np.uint64(s * blocks * block)
        for o in range(n.organisations):
            place, first = np.uint64(first_place + s * n.organisations + o) * _WIDE, o * n.managers
            places[place + ORG.fear] = _mean(memory, block, there + AT.fear, first, first + n.managers)
            places[place + ORG.trust] = _mean(memory, block, there + AT.trust, first, first + n.managers)


@compiled
def _start(
    seed: Any, n: Any, home: Any, places: Any, nation: Any, scratch: Any, common_sd: float, local_sd: float, p: Any,
) -> None:
    """Everyone and everything as the first month finds them."""
    per_system = n.organisations * n.managers
    blocks = _blocks(per_system)
    standard = common_sd * normal(keyed(seed, _OF_NATION, 0, 0)[0])
    nation[HERE.common], nation[HERE.standard], nation[HERE.waiting] = standard, standard, 0.0
    for o in range(n.systems * n.organisations):
        place = np.uint64(o) * _WIDE
        places[place + ORG.deviation] = p.monitoring_sd * normal(keyed(seed, _OF_ORGANISATION, o, 0)[0])
        places[place + ORG.safety], places[place + ORG.reputation] = rules.START_SAFETY, rules.START_REPUTATION
        places[place + ORG.mean_effort], places[place + ORG.invested] = p.motivation_mean, -1.0
    for s in range(n.systems):
        for i in range(per_system):
            post, index = np.uint64(s * blocks * HOME_BLOCK) + _at(i, HOME_BLOCK), s * per_system + i
            numbers = keyed(seed, _OF_POST, index, 0)
            home[post + AT.uniqueness], home[post + AT.need] = normal(numbers[0]), local_sd * normal(numbers[1])
            home[post + AT.practice] = standard
            drawn = normal(keyed(seed, _CIRCUMSTANCES, index, 0)[0])
            home[post + AT.circumstances], home[post + AT.method] = rules.drawn_factor(drawn, p.unit_sd), 1.0
            _person(home, post, keyed(seed, _NEWCOMER, index, 0), 0.0, scratch, p)
            home[post + AT.fear], home[post + AT.record] = rules.START_FEAR, 0.0
            _begin(home, post, rules.START_TRUST)
        field = np.uint64(s * blocks * HOME_BLOCK) + AT.cooperation
        nation[np.uint64(len(NATION) + s)] = _mean(home, HOME_BLOCK, field, 0, per_system)
    _climates(home, HOME_BLOCK, places, 0, n.systems, n)


@compiled
def _person(memory: Any, post: Any, numbers: Any, boldness_mean: float, scratch: Any, p: Any) -> None:
    """Give a post someone new, from uniform numbers."""
    (scratch[0], scratch[1], scratch[2], scratch[3], scratch[4], scratch[5], scratch[6], scratch[7]) = numbers
    for lane in range(LANES):
        scratch[np.uint64(lane)] = normal(scratch[np.uint64(lane)])
    (memory[post + AT.motivation_at_start], memory[post + AT.integrity], memory[post + AT.skill],
     memory[post + AT.boldness], memory[post + AT.crowding], memory[post + AT.anxiety],
     ) = rules.person(numbers[0], scratch, boldness_mean, p)


@compiled
def _begin(memory: Any, post: Any, trust: float) -> None:
    """What everyone starts a post with."""
    memory[post + AT.motivation] = memory[post + AT.motivation_at_start]
    memory[post + AT.confidence], memory[post + AT.distress] = rules.START_CONFIDENCE, 0.0
    memory[post + AT.cooperation], memory[post + AT.trust] = rules.START_COOPERATION, trust


@compiled
def _copy(source: Any, start: int, apart: int, target: Any, to: int, apart_there: int, blocks: int) -> None:
    """Copy what lasts from month to month of a system's blocks, which are so far apart in either array."""
    for b in range(blocks):
        for j in range(HOME_BLOCK):
            target[np.uint64(to + b * apart_there + j)] = source[np.uint64(start + b * apart + j)]


@compiled
def _draw(work: Any, streams: Any, drawn: Any, posts: int) -> None:
    """The month's uniform numbers of a system's posts."""
    for b in range(_blocks(posts)):
        draw_lanes(streams, min(LANES, posts - b * LANES), drawn)
        for k in range(len(MONTHLY)):
            for lane in range(LANES):
                there = np.uint64(b * BLOCK + k * LANES + lane) + AT.u_initiative
                work[there] = drawn[np.uint64(lane * ABREAST + k)]


@compiled
def _levers_of_organisation(
    places: Any, o: int, month: int, n: Any, policy: Any, members: Any, nation: Any,
) -> None:
    """The month's levers inside an organisation: the nation's, or those of the last rule that reaches it."""
    at = np.uint64(o) * _WIDE
    places[at + ORG.lever_monitoring], places[at + ORG.lever_targets] = nation.monitoring, nation.targets
    places[at + ORG.lever_punitiveness], places[at + ORG.lever_discernment] = nation.punitiveness, nation.discernment
    places[at + ORG.lever_leniency], places[at + ORG.lever_relationship] = nation.leniency, nation.relationship
    places[at + ORG.lever_recognition] = nation.recognition
    places[at + ORG.lever_standardisation] = nation.standardisation
    for number in range(len(policy) // len(COLUMNS)):
        here = np.uint64(number * len(COLUMNS))
        inside = members[np.uint64(number * n.systems * n.organisations + o)] > 0.0
        seen, sign = places[at + _SEEN[int(policy[here + RULE.statistic])]], policy[here + RULE.sign]
        met = sign * seen > sign * policy[here + RULE.threshold]
        if inside and met and policy[here + RULE.first] <= month + 1 <= policy[here + RULE.last]:
            for lever in range(len(LOCAL)):
                value = policy[here + RULE.monitoring + np.uint64(lever)]
                if value == value:  # noqa: PLR0124 -- the rule sets it
                    places[at + ORG.lever_monitoring + np.uint64(lever)] = value


_SEEN = np.array([getattr(ORG, name) for name in STATISTICS])


@compiled
def _climate(work: Any, places: Any, first_place: int, mean_reputation: float, n: Any, lever: Any, p: Any) -> None:
    """Step 1 for the organisations of a system, laid at hand for each of their posts."""
    for o in range(n.organisations):
        at, first = np.uint64(first_place + o) * _WIDE, o * n.managers
        chief_fear = work[_at(first, BLOCK) + AT.fear]
        own = _lever_in(places, at, lever)
        places[at + ORG.monitoring] = rules.monitoring_of_organisation(_place_at(places, at), mean_reputation, own)
        places[at + ORG.felt] = rules.felt_monitoring(_place_at(places, at), chief_fear, p)
        places[at + ORG.assurance] = rules.assurance(places[at + ORG.felt], p)
        place = _place_at(places, at)
        for post in range(first, first + n.managers):
            i = _at(post, BLOCK)
            work[i + AT.monitoring], work[i + AT.felt], work[i + AT.assurance] = (
                place.monitoring, place.felt, place.assurance)
            work[i + AT.place_fear], work[i + AT.place_trust] = place.fear, place.trust
            work[i + AT.safety], work[i + AT.mean_effort] = place.safety, place.mean_effort
        if own.relationship != places[at + ORG.invested]:
            places[at + ORG.invested] = own.relationship
            for post in range(first, first + n.managers):
                i = _at(post, BLOCK)
                work[i + AT.relationship] = rules.relationship_received(work[i + AT.uniqueness], own, p)
                work[i + AT.support] = rules.support(work[i + AT.relationship], p)
        there = _lever_at(work, _at(first, BLOCK), own)
        if there != own:  # another system's organisation left its levers here, mostly the same
            for post in range(first, first + n.managers):
                i = _at(post, BLOCK)
                work[i + AT.lever_monitoring], work[i + AT.targets_level] = own.monitoring, own.targets
                work[i + AT.lever_punitiveness], work[i + AT.lever_discernment] = own.punitiveness, own.discernment
                work[i + AT.lever_leniency], work[i + AT.lever_relationship] = own.leniency, own.relationship
                work[i + AT.lever_recognition] = own.recognition
                work[i + AT.lever_standardisation] = own.standardisation


@compiled
def _show_fear(work: Any, given: Any, first: int, posts: int) -> None:
    """The fear that the decision to try something new sees: one's own, or the one that was given."""
    for post in range(posts):
        i = _at(post, BLOCK)
        work[i + AT.shown_fear] = work[i + AT.fear]
        if len(given) > 0:
            work[i + AT.shown_fear] = given[np.uint64(first + 2 * post + BEFORE)]


@inlined
def _decide(
    work: Any, i: Any, common: float, standard: float, system_cooperation: float, overload: float, k: float,
    nation: Any, p: Any,
) -> None:
    """Steps 2 to 5 for one manager, from the state at the end of the month before."""
    post, place, lever = _post_at(work, i), _around(work, i), _lever_at(work, i, nation)
    # 2 and 3
    w = rules.time_left(post, place, work[i + AT.relationship], p)
    work[i + AT.motivation] = rules.motivation_after_climate(post, place, lever, p)
    post = _post_at(work, i)
    effort = rules.effort(post, place, k, lever, p)
    # 4
    pressure = rules.pressure(post, lever)
    attention = rules.attention(pressure, p)
    balance = rules.balance(attention)
    service = rules.service(post, _unit_at(work, i), w, effort, overload, p)
    honest = rules.honest_indicator(service, attention, normal(work[i + AT.u_chance]), p)
    shortfall = rules.shortfall(honest, p)
    gaming = rules.gaming(post, place, shortfall, pressure, p)
    # 5
    need, practice = common + work[i + AT.need], work[i + AT.practice]
    distance = abs(need - practice)
    change = rules.change_needed(distance, p)
    value = rules.value_of_initiative(post, work[i + AT.shown_fear], change, shortfall, k, lever, p)
    tried = work[i + AT.u_initiative] < rules.chance_of_initiative(post, value, w, overload, p)
    succeeded = tried & (work[i + AT.u_success] < rules.chance_of_success(post, system_cooperation, change, p))
    practice = rules.practice_after_initiative(practice, need, succeeded, p)
    work[i + AT.practice] = practice
    work[i + AT.time_left], work[i + AT.overload] = w, overload
    work[i + AT.effort], work[i + AT.service], work[i + AT.balance] = effort, service, balance
    work[i + AT.honest_indicator], work[i + AT.gaming], work[i + AT.reported] = honest, gaming, honest + gaming
    work[i + AT.initiative_rate], work[i + AT.successes] = tried, succeeded
    work[i + AT.needless] = tried & rules.unneeded(distance, p)
    work[i + AT.misfit] = abs(need - practice)
    work[i + AT.deviation] = practice - standard
    work[i + AT.deviation_squared] = (practice - standard) * (practice - standard)


@inlined
def _answer(work: Any, i: Any, overload: float, nation: Any, p: Any) -> None:
    """Steps 6 to 10 for one manager."""
    post, place, lever = _post_at(work, i), _around(work, i), _lever_at(work, i, nation)
    effort, tried = work[i + AT.effort], work[i + AT.initiative_rate] > 0.0
    # 6
    negligent = work[i + AT.u_negligence] < rules.chance_of_negligence(effort, overload, p)
    mishap = work[i + AT.u_mishap] < rules.chance_of_mishap(post, place, overload, lever, p)
    slipped = negligent | (tried & (work[i + AT.successes] == 0.0)) | mishap
    # 7 and 8
    spoken = slipped & (work[i + AT.u_speaking_up] < rules.chance_of_speaking_up(post, place, negligent, lever, p))
    known = spoken | (slipped & (work[i + AT.u_discovery] < place.felt))
    harm = rules.harm_of_slip(spoken, known, p) if slipped else 0.0
    for_slip = known & (work[i + AT.u_sanction] < rules.chance_of_sanction(place, negligent, spoken, lever, p))
    called = (not for_slip) & (work[i + AT.u_account] < rules.chance_of_account(work[i + AT.reported], lever, p))
    for_figure = called & (work[i + AT.u_account_sanction] < rules.chance_of_account_sanction(effort, lever))
    sanctioned = for_slip | for_figure
    # 9 and 10
    fit, balance, gaming = rules.fit(work[i + AT.misfit]), work[i + AT.balance], work[i + AT.gaming]
    strain = rules.moral_strain(post, balance, gaming, p)
    distress = rules.distress_after_month(post, place, work[i + AT.support], strain, overload, p)
    work[i + AT.distress], work[i + AT.moral_strain], work[i + AT.harm] = distress, strain, harm
    work[i + AT.quality] = rules.quality(work[i + AT.service], gaming, balance, fit, harm, p)
    work[i + AT.slips], work[i + AT.negligence], work[i + AT.spoken] = slipped, negligent, spoken
    work[i + AT.sanctions] = sanctioned
    work[i + AT.spared] = _if((known | called) & (not sanctioned), rules.weight_of_mercy(spoken, p))
    work[i + AT.unfair] = (for_slip & (not negligent)) | (for_figure & (effort >= work[i + AT.mean_effort]))
    work[i + AT.unpunished] = _if(negligent & (not sanctioned), rules.weight_of_impunity(known, p))


@compiled
def _sanction(work: Any, post: int) -> None:
    """Sanction a manager out of the blue, where the month has not done so already."""
    i = _at(post, BLOCK)
    if work[i + AT.sanctions] == 0.0:
        work[i + AT.sanctions] = 1.0
        work[i + AT.spared], work[i + AT.unfair], work[i + AT.unpunished] = 0.0, 0.0, 0.0


@compiled
def _set_fear(memory: Any, block: int, given: Any, first: int, systems: int, posts: int) -> None:
    for s in range(systems):
        there = np.uint64(s * _blocks(posts) * block)
        for post in range(posts):
            memory[there + _at(post, block) + AT.fear] = given[np.uint64(first + 2 * (s * posts + post))]


@compiled
def _keep_fear(memory: Any, block: int, kept: Any, first: int, systems: int, posts: int) -> None:
    for s in range(systems):
        there = np.uint64(s * _blocks(posts) * block)
        for post in range(posts):
            kept[np.uint64(first + 2 * (s * posts + post))] = memory[there + _at(post, block) + AT.fear]


@compiled
def _hear(work: Any, places: Any, first_place: int, n: Any, p: Any) -> None:
    """What a month's events come to in each organisation, and who hears of them; steps 11 and 12 for organisations."""
    in_system = 0.0
    for o in range(n.organisations):
        at, first, end = np.uint64(first_place + o) * _WIDE, o * n.managers, (o + 1) * n.managers
        places[at + ORG.sanctioned] = _sum(work, BLOCK, AT.sanctions, first, end)
        places[at + ORG.spared] = _sum(work, BLOCK, AT.spared, first, end)
        places[at + ORG.unpunished] = _sum(work, BLOCK, AT.unpunished, first, end)
        in_system += places[at + ORG.sanctioned]
        spoken = _sum(work, BLOCK, AT.spoken, first, end)
        reported = _mean(work, BLOCK, AT.reported, first, end)
        places[at + ORG.reputation] = rules.reputation_after_month(places[at + ORG.reputation], reported)
        places[at + ORG.mean_effort] = _mean(work, BLOCK, AT.effort, first, end)
        places[at + ORG.safety] = rules.safety_after_month(places[at + ORG.safety], spoken, n.managers, p)
    for o in range(n.organisations):
        place = _place_at(places, np.uint64(first_place + o) * _WIDE)
        for post in range(o * n.managers, (o + 1) * n.managers):
            i = _at(post, BLOCK)
            work[i + AT.near], work[i + AT.far] = place.sanctioned, in_system - place.sanctioned
            work[i + AT.mercy], work[i + AT.impunity] = place.spared, place.unpunished


@inlined
def _learn(
    work: Any, i: Any, standard: float, local_sd: float, system_cooperation: float, colleague: float, stranger: float,
    k: float, nation: Any, p: Any,
) -> None:
    """Steps 11 and 12 for one manager. A stock's rule sees the other stocks as the month began. `colleague` and
    `stranger` are the weights of a colleague and of a manager elsewhere in the system."""
    post, place, lever = _post_at(work, i), _around(work, i), _lever_at(work, i, nation)
    succeeded = work[i + AT.successes] > 0.0
    work[i + AT.method] = rules.method_after_month(work[i + AT.method], succeeded, p)
    work[i + AT.need] = rules.need_after_month(work[i + AT.need], normal(work[i + AT.u_need_drift]), local_sd, p)
    work[i + AT.practice] = rules.practice_after_standard(work[i + AT.practice], standard, lever, p)
    tried = work[i + AT.initiative_rate] > 0.0
    near, mercy = work[i + AT.near] - work[i + AT.sanctions], work[i + AT.mercy] - work[i + AT.spared]
    month = rules.Month(
        work[i + AT.support], tried, succeeded, work[i + AT.sanctions] > 0.0, work[i + AT.unfair] > 0.0,
        work[i + AT.spared], rules.unmoved(post, colleague * near, stranger * work[i + AT.far], lever, p),
        rules.unrelieved(colleague * mercy, p), colleague * (work[i + AT.impunity] - work[i + AT.unpunished]))
    fear = rules.fear_after_month(post, place, month, k, lever, p)
    trust = rules.trust_after_month(post, place, month, p)
    confidence = rules.confidence_after_month(post, place, month, lever, p)
    skill = rules.skill_after_training(post, place, month, p)
    cooperation = rules.cooperation_after_month(post, place, system_cooperation, lever, p)
    integrity = rules.integrity_after_month(post, month, p)
    motivation = rules.motivation_after_impunity(post, month, p)
    gain = rules.practice_gain(skill, p) if tried else 0.0
    work[i + AT.practice_gain] = gain
    work[i + AT.fear], work[i + AT.trust] = rules.clip(fear), rules.clip(trust)
    work[i + AT.confidence], work[i + AT.skill] = rules.clip(confidence), rules.clip(skill + gain)
    work[i + AT.cooperation], work[i + AT.integrity] = rules.clip(cooperation), rules.clip(integrity)
    work[i + AT.motivation], work[i + AT.distress] = rules.clip(motivation), rules.clip(post.distress)


@inlined
def _leave(work: Any, i: Any, p: Any) -> None:
    """Step 13 for one post: does whoever holds it leave?"""
    dismissed = (work[i + AT.sanctions] > 0.0) & (work[i + AT.u_dismissal] < p.dismissal)
    chance = rules.chance_of_leaving(_post_at(work, i), p)
    work[i + AT.dismissals], work[i + AT.recycled] = dismissed, 0.0
    work[i + AT.exits] = dismissed | (work[i + AT.u_exit] < chance)


@compiled
def _careers(
    work: Any, places: Any, s: int, month: int, nation_fear: float, seed: Any, market: Any, waiting: float, n: Any,
    scratch: Any, lever: Any, p: Any,
) -> float:
    """The rest of step 13 for a system: someone new for each post that was left; how many wait afterwards."""
    per_system = n.organisations * n.managers
    for post in range(per_system):
        i = _at(post, BLOCK)
        if work[i + AT.exits] > 0.0:
            place = _place_at(places, np.uint64(s * n.organisations + post // n.managers) * _WIDE)
            waiting = _replace(work, i, s * per_system + post, place, month, nation_fear, seed, market, int(waiting),
                               scratch, lever, p)
            _mark(work, i)
    return waiting


@compiled
def _replace(
    work: Any, i: Any, index: int, place: Any, month: int, nation_fear: float, seed: Any, market: Any, waiting: int,
    scratch: Any, lever: Any, p: Any,
) -> float:
    """Someone new for the post `index`, which was left; return how many are on the market afterwards."""
    dismissed, boldness_mean = work[i + AT.dismissals] > 0.0, -p.deterred_entry * nation_fear
    leaver, rival = np.uint64(waiting) * _SEAT, np.uint64(waiting + 1) * _SEAT  # behind those who are waiting
    _leave_post(work, i, market, leaver)
    market[leaver + SEAT.record] += dismissed
    market[leaver + SEAT.left] = month
    work[i + AT.appointments] += 1.0
    count = int(work[i + AT.appointments])
    numbers = keyed(seed, _APPOINTMENT, index, count)
    struck_off = dismissed & (numbers[_U_STRIKING_OFF] < lever.disbarring)
    chosen = -1
    if numbers[_U_RECYCLING] < p.recycling and waiting > 0:
        chosen = int(numbers[_U_PICK] * waiting)
        if market[np.uint64(chosen) * _SEAT + SEAT.record] > 0.0 and numbers[_U_REGISTER] < lever.register:
            chosen = -1
    if chosen >= 0:
        _take_post(market, np.uint64(chosen) * _SEAT, work, i)
    else:
        _newcomer(work, i, keyed(seed, _NEWCOMER, index, count), boldness_mean, place, scratch, p)
    if numbers[_U_COMPETITION] < lever.competency_standard:
        to_beat = rules.assessed(work[i + AT.skill], numbers[_U_CANDIDATE_ERROR], p)
        _leave_post(work, i, market, rival)  # the candidate steps aside
        _newcomer(work, i, keyed(seed, _RIVAL, index, count), boldness_mean, place, scratch, p)
        if rules.assessed(work[i + AT.skill], numbers[_U_RIVAL_ERROR], p) > to_beat:
            chosen = -1
        else:
            _take_post(market, rival, work, i)
    _begin(work, i, rules.appointed_trust(place.trust))
    if chosen >= 0:
        work[i + AT.recycled] = 1.0
        waiting -= 1
        _move(market, np.uint64(waiting) * _SEAT, np.uint64(chosen) * _SEAT)
        _move(market, leaver, np.uint64(waiting) * _SEAT)
    return waiting if struck_off else waiting + 1


@compiled
def _newcomer(work: Any, i: Any, numbers: Any, boldness_mean: float, place: Any, scratch: Any, p: Any) -> None:
    """Give a post someone from outside."""
    _person(work, i, numbers, boldness_mean, scratch, p)
    work[i + AT.fear], work[i + AT.record] = rules.newcomer_fear(place.fear), 0.0


_CARRIED_AT = np.array([getattr(AT, name) for name in CARRIED])


@compiled
def _leave_post(work: Any, i: Any, market: Any, seat: Any) -> None:
    """From a post to a seat on the market."""
    for field in range(len(CARRIED)):
        market[seat + np.uint64(field)] = work[i + _CARRIED_AT[field]]


@compiled
def _take_post(market: Any, seat: Any, work: Any, i: Any) -> None:
    """From a seat on the market to a post."""
    for field in range(len(CARRIED)):
        work[i + _CARRIED_AT[field]] = market[seat + np.uint64(field)]


@compiled
def _move(market: Any, source: Any, target: Any) -> None:
    for field in range(len(CANDIDATE)):
        market[target + np.uint64(field)] = market[source + np.uint64(field)]


@compiled
def _leave_market(market: Any, waiting: float, month: int, market_months: float) -> float:
    """Drop, in order, whoever left more than market_months ago; return how many are still waiting."""
    kept = 0
    for j in range(int(waiting)):
        if month - market[np.uint64(j) * _SEAT + SEAT.left] <= market_months:
            _move(market, np.uint64(j) * _SEAT, np.uint64(kept) * _SEAT)
            kept += 1
    return float(kept)


@inlined
def _mark(work: Any, i: Any) -> None:
    """What is recorded of the post's holder after step 13, beside the stocks themselves."""
    fear, trust = work[i + AT.fear], work[i + AT.trust]
    work[i + AT.fearful], work[i + AT.toxic] = fear > 0.5, rules.toxic(fear, trust)
    work[i + AT.record_share] = work[i + AT.record] > 0.0


@compiled
def _record(
    work: Any, s: int, month: int, posts: int, n: Any, sums: Any, totals: Any, last: Any, by_organisation: Any,
) -> None:
    """Write a system's month down."""
    whole, blocks = posts // LANES, _blocks(posts)
    for b in range(whole):
        for j in range(RECORDED):
            sums[np.uint64(j)] += work[np.uint64(b * BLOCK + j) + _RECORD]
    for field in range(len(FIELDS)):
        for lane in range(posts - whole * LANES):
            there = np.uint64(field * LANES + lane)
            sums[there] += work[np.uint64(whole * BLOCK) + there + _RECORD]
    if month >= n.months - n.window:
        for b in range(blocks):
            for j in range(KEPT_BLOCK):
                totals[np.uint64((s * blocks + b) * KEPT_BLOCK + j)] += work[np.uint64(b * BLOCK + j) + _RECORD]
    if len(by_organisation) > 0:
        first = (month * n.systems + s) * n.organisations * _COLUMNS
        for o in range(n.organisations):
            for field in range(_COLUMNS):
                there = np.uint64(first + o * _COLUMNS + field)
                by_organisation[there] = _sum(work, BLOCK, np.uint64(LANES * field) + _RECORD, o * n.managers,
                                              (o + 1) * n.managers)
    if month == n.months - 1:
        for post in range(posts):
            i, there = _at(post, BLOCK), np.uint64(2 * (s * posts + post))
            last[there] = work[i + AT.reported]
            last[there + np.uint64(1)] = work[i + AT.honest_indicator]
