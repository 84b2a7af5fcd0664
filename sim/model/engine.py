"""The compiled engine: the rules over arrays of records, a system at a time.

A month of one system fits into the processor's cache: draw the system's numbers, let every manager decide, let
everyone learn from what happened, then let careers move, post by post. Means over an organisation, a system or
the nation are sums in the order of the posts, so they have the same bits as in the Mesa model.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.model import rules
from sim.model.compiling import compiled, entry
from sim.model.interventions import BEFORE, LEARNED, NONE, Interventions
from sim.model.parameters import COEFFICIENTS, LEVERS, SPREADS, Parameters, resolve
from sim.model.record import ROW, Record, add_by_organisation, add_kept, add_rows, keep_last
from sim.model.streams import (
    APPOINTMENT,
    KEYED,
    KEYS,
    LANES,
    MONTHLY,
    NUMBERS,
    draw_lanes,
    keyed,
    normal,
    normals,
    seed_lanes,
)

# One argument a line would hide the shape of a month.
# fmt: off


def _record(*names: str) -> np.dtype[np.void]:
    return np.dtype((np.record, [(name, np.float64) for name in names]))  # np.record: names also without numba


_CARRIED = ("motivation_at_start", "boldness", "crowding", "anxiety", "integrity", "skill", "fear", "record")
POST = _record("practice", "need", "uniqueness", "appointments", *_CARRIED, "motivation", "trust", "confidence",
               "distress", "cooperation")
"""A post and whoever holds it. `uniqueness` is ξ, `need` the local need, `appointments` how many there were."""
CANDIDATE = _record(*_CARRIED, "left")
"""A former manager on the market; `left` is the month of leaving."""
ORGANISATION = _record("deviation", "safety", "reputation", "mean_effort", "fear", "trust", "monitoring", "felt",
                       "assurance", "sanctioned", "spared", "unpunished", "spoken", "reported", "effort")
"""An organisation: what lasts, the month's climate, and the month's tallies. `deviation` is Δ."""
DRAWS = _record(*MONTHLY, *(f"idle_{lane}" for lane in range(len(MONTHLY), LANES)))
"""A post's uniform numbers in a month, one for each monthly stream."""
VALUES = _record(*COEFFICIENTS, *SPREADS)
LEVER_VALUES = _record(*LEVERS)

_NATION, _ORGANISATION, _POST, _NEWCOMER, _RIVAL, _APPOINTMENT = (
    KEYS[KEYED.index(name)] for name in ("nation", "organisation", "post", "newcomer", "rival", "appointment")
)
(_U_RECYCLING, _U_PICK, _U_REGISTER, _U_COMPETITION, _U_CANDIDATE_ERROR, _U_RIVAL_ERROR,
 _U_STRIKING_OFF) = range(len(APPOINTMENT))
_NEED_DRIFT = MONTHLY.index("need_drift")


def run(p: Parameters, seed: int, record_organisations: bool = False, interventions: Interventions = NONE) -> Record:
    """Run the model once. The interpreter lock is released meanwhile, so runs can go side by side in threads."""
    interventions.check(p)
    per_system = p.organisations * p.managers
    values = np.array([tuple(getattr(p, name) for name in VALUES.names or ())], VALUES)
    rows, draws = np.zeros(per_system, ROW), np.zeros(per_system, DRAWS)
    record = Record.empty(p, record_organisations, interventions.record_fear)
    sanction = interventions.sanction
    month, post = (sanction.month - 1, sanction.post) if sanction else (-1, -1)
    with np.errstate(over="ignore"):  # generators multiply beyond 64 bits, which plain NumPy would remark on
        _run(np.uint64(seed), values, lever_table(p), p.systems, p.organisations, p.managers, p.window, rows,
             _flat(rows), draws, _flat(draws), interventions.given_path, interventions.everywhere, month, post,
             record.sums, record.totals, record.last, record.organisations, record.fear)
    return record


def warm_up() -> None:
    """Load or compile the engine, before there are threads that would all begin to."""
    run(resolve(systems=1, organisations=1, managers=1, months=1), 0)


def _flat(records: NDArray[np.void]) -> NDArray[np.float64]:
    """The same memory as a plain array, records by fields."""
    return records.view(np.float64).reshape(len(records), -1)


def lever_table(p: Parameters) -> NDArray[np.void]:
    """The levers by month, a record each: a value set for month t holds from the start of month t."""
    levers = np.zeros(p.months, LEVER_VALUES)
    for name in LEVERS:
        levers[name] = getattr(p, name)
        for month, value in sorted(p.schedule.get(name, {}).items()):
            levers[name][month - 1 :] = value
    return levers


@entry
def _run(
    seed: np.uint64, values: NDArray[np.void], levers: NDArray[np.void], systems: int, organisations: int,
    managers: int, window: int, rows: NDArray[np.void], flat: NDArray[np.float64], draws: NDArray[np.void],
    uniforms: NDArray[np.float64], given_fear: NDArray[np.float64], everywhere: bool, sanction_month: int,
    sanction_post: int, sums: NDArray[np.float64], totals: NDArray[np.float64], last: NDArray[np.float64],
    by_organisation: NDArray[np.float64], fear: NDArray[np.float64],
) -> None:
    """All months of a run; results go into the last five arrays."""
    fear_is_given = len(given_fear) > 0
    p, months, per_system = values[0], len(levers), organisations * managers
    numbers, drift = np.empty(NUMBERS), np.empty(per_system)
    lanes = np.empty((4, LANES), np.uint64)
    seed_lanes(seed, lanes)
    common_sd = rules.spread_of_need(p.common_need, p)
    local_sd = rules.spread_of_need(1.0 - p.common_need, p)
    keyed(seed, _NATION, 0, 0, numbers)
    common = common_sd * normal(numbers[0])
    standard = common
    posts = np.zeros(systems * per_system, POST)
    places = np.zeros(systems * organisations, ORGANISATION)
    _start(seed, posts, places, managers, standard, local_sd, p, numbers)
    cooperation = np.empty(systems)
    for s in range(systems):
        cooperation[s] = _mean_cooperation(posts[s * per_system : (s + 1) * per_system])
    market = np.empty(per_system + 2, CANDIDATE)
    waiting = 0
    for month in range(months):
        lever = levers[month]
        waiting = _leave_market(market, waiting, month, p.market_months)
        if everywhere:
            _set_fear(posts, given_fear[month], BEFORE)
            for o in range(len(places)):
                _organisation_climate(places[o], posts[o * managers : (o + 1) * managers])
        if len(fear) > 0:
            _keep_fear(posts, fear[month], BEFORE)
        mean_reputation, nation_fear = 0.0, 0.0
        for o in range(len(places)):
            mean_reputation += places[o].reputation
            nation_fear += places[o].fear
        mean_reputation /= len(places)
        nation_fear /= len(places)
        k = rules.stakes(lever, p)
        for s in range(systems):
            first = s * per_system
            here = posts[first : first + per_system]
            local = places[s * organisations : (s + 1) * organisations]
            draw_lanes(lanes, uniforms)
            normals(uniforms, _NEED_DRIFT, drift)
            overload = rules.overload(rules.load(cooperation[s], lever, p))
            for o in range(organisations):
                _climate(local[o], here[o * managers].fear, mean_reputation, lever, p)
                for i in range(o * managers, (o + 1) * managers):
                    fear_of_failing = given_fear[month, first + i, BEFORE] if fear_is_given else here[i].fear
                    _decide(here[i], rows[i], local[o], draws[i], fear_of_failing, common, standard, cooperation[s],
                            overload, k, lever, p)
                    if month == sanction_month and i == sanction_post:
                        _sanction(rows[i], local[o])
            sanctioned = 0.0
            for o in range(organisations):
                sanctioned += local[o].sanctioned
            for o in range(organisations):
                for i in range(o * managers, (o + 1) * managers):
                    _world_moves(here[i], drift[i], standard, local_sd, lever, p)
                    _learn(here[i], rows[i], local[o], sanctioned, cooperation[s], managers, k, lever, p)
                _organisation_moves(local[o], managers, p)
            if everywhere:
                _set_fear(here, given_fear[month, first : first + per_system], LEARNED)
            if len(fear) > 0:
                _keep_fear(here, fear[month, first : first + per_system], LEARNED)
            if waiting + per_system + 1 >= len(market):
                market = _grown(market, waiting + per_system + 2)
            for o in range(organisations):
                for i in range(o * managers, (o + 1) * managers):
                    if _leaves(here[i], rows[i], draws[i], p):
                        waiting = _replace(here[i], rows[i], local[o], first + i, month, nation_fear, seed, market,
                                           waiting, lever, p, numbers)
                    _record_stocks(here[i], rows[i])
                _organisation_climate(local[o], here[o * managers : (o + 1) * managers])
            cooperation[s] = _mean_cooperation(here)
            add_rows(flat, sums[month])
            if month >= months - window:
                add_kept(flat, totals[first : first + per_system])
            if len(by_organisation) > 0:
                add_by_organisation(flat, managers, by_organisation[month, s * organisations : (s + 1) * organisations])
            if month == months - 1:
                keep_last(flat, last[first : first + per_system])
        keyed(seed, _NATION, 0, month + 1, numbers)
        common = rules.need_after_month(common, normal(numbers[0]), common_sd, p)
        standard = rules.standard_after_month(standard, common, p)


@compiled
def _start(
    seed: Any, posts: Any, places: Any, managers: int, standard: float, local_sd: float, p: Any, numbers: Any
) -> None:
    """Everyone and everything as the first month finds them."""
    for o in range(len(places)):
        place = places[o]
        keyed(seed, _ORGANISATION, o, 0, numbers)
        place.deviation = p.monitoring_sd * normal(numbers[0])
        place.safety, place.reputation = rules.START_SAFETY, rules.START_REPUTATION
        place.mean_effort = p.motivation_mean
        for i in range(o * managers, (o + 1) * managers):
            post = posts[i]
            keyed(seed, _POST, i, 0, numbers)
            post.uniqueness, post.need = normal(numbers[0]), local_sd * normal(numbers[1])
            post.practice = standard
            keyed(seed, _NEWCOMER, i, 0, numbers)
            _draw_person(post, numbers, 0.0, p)
            post.fear, post.record, post.trust = rules.START_FEAR, 0.0, rules.START_TRUST
            _begin(post)
        _organisation_climate(place, posts[o * managers : (o + 1) * managers])


@compiled
def _draw_person(someone: Any, numbers: Any, boldness_mean: float, p: Any) -> None:
    """Give a post (or a candidate) someone new."""
    (someone.motivation_at_start, someone.integrity, someone.skill, someone.boldness, someone.crowding,
     someone.anxiety) = rules.person(numbers, boldness_mean, p)


@compiled
def _begin(post: Any) -> None:
    """What everyone starts a post with."""
    post.motivation = post.motivation_at_start
    post.confidence, post.distress = rules.START_CONFIDENCE, 0.0
    post.cooperation = rules.START_COOPERATION


@compiled
def _organisation_climate(place: Any, posts: Any) -> None:
    """F and T, the organisation's means of fear and trust, for the month to come."""
    fear, trust = 0.0, 0.0
    for i in range(len(posts)):
        fear += posts[i].fear
        trust += posts[i].trust
    place.fear, place.trust = fear / len(posts), trust / len(posts)


@compiled
def _mean_cooperation(posts: Any) -> float:
    total = 0.0
    for i in range(len(posts)):
        total += posts[i].cooperation
    return total / len(posts)


@compiled
def _leave_market(market: Any, waiting: int, month: int, market_months: float) -> int:
    """Drop, in order, whoever left more than market_months ago; return how many are still waiting."""
    kept = 0
    for j in range(waiting):
        if month - market[j].left <= market_months:
            market[kept] = market[j]
            kept += 1
    return kept


@compiled
def _grown(market: Any, needed: int) -> Any:
    """The market with room for at least `needed`, and half as much again."""
    larger = np.empty(needed + needed // 2, CANDIDATE)
    larger[: len(market)] = market
    return larger


@compiled
def _climate(place: Any, chief_fear: float, mean_reputation: float, lever: Any, p: Any) -> None:
    """Step 1 for an organisation, and its tallies back to none."""
    place.monitoring = rules.monitoring_of_organisation(place, mean_reputation, lever)
    place.felt = rules.felt_monitoring(place, chief_fear, p)
    place.assurance = rules.assurance(place.felt, p)
    place.sanctioned, place.spared, place.unpunished, place.spoken = 0.0, 0.0, 0.0, 0.0
    place.reported, place.effort = 0.0, 0.0


@compiled
def _decide(
    post: Any, row: Any, place: Any, u: Any, fear_of_failing: float, common: float, standard: float,
    system_cooperation: float, overload: float, k: float, lever: Any, p: Any,
) -> None:
    """Steps 2 to 10 for one manager, from the state at the end of the month before."""
    need = common + post.need
    # 2 and 3
    relationship = rules.relationship_received(post.uniqueness, lever, p)
    w = rules.time_left(post, place, relationship, p)
    post.motivation = rules.motivation_after_climate(post, place, lever, p)
    effort = rules.effort(post, place, k, lever, p)
    # 4
    pressure = rules.pressure(post, lever)
    attention = rules.attention(pressure, p)
    balance = rules.balance(attention, p)
    service = rules.service(post, w, effort, overload, p)
    honest = rules.honest_indicator(service, attention, p)
    shortfall = rules.shortfall(honest, p)
    gaming = rules.gaming(post, place, shortfall, pressure, p)
    reported = honest + gaming
    # 5
    distance = abs(need - post.practice)
    tried, succeeded, needless = False, False, False
    if u.initiative < rules.chance_of_occasion(w, overload, p):  # weighing it costs an exponential
        change = rules.change_needed(distance, p)
        value = rules.value_of_initiative(post, fear_of_failing, change, shortfall, k, lever, p)
        tried = u.initiative < rules.chance_of_initiative(post, value, w, overload, p)
        succeeded = tried & (u.success < rules.chance_of_success(post, system_cooperation, change, p))
        needless = tried & rules.unneeded(distance, p)
    post.practice = rules.practice_after_initiative(post.practice, need, succeeded, p)
    distance = abs(need - post.practice)
    # 6
    negligent = u.negligence < rules.chance_of_negligence(effort, overload, p)
    mishap = u.mishap < rules.chance_of_mishap(post, place, overload, lever, p)
    slipped = negligent | (tried & (not succeeded)) | mishap
    # 7 and 8
    spoken, known, sanctioned, unfair, harm = False, False, False, False, 0.0
    if slipped:
        spoken = u.speaking_up < rules.chance_of_speaking_up(post, place, negligent, lever, p)
        known = spoken or u.discovery < place.felt
        harm = rules.harm_of_slip(known, p)
        sanctioned = known and u.sanction < rules.chance_of_sanction(place, negligent, spoken, lever, p)
        unfair = sanctioned and not negligent
    called = not sanctioned and u.account < rules.chance_of_account(reported, lever, p)
    if called:
        sanctioned = u.account_sanction < rules.chance_of_account_sanction(effort, lever)
        unfair = sanctioned and effort >= place.mean_effort
    spared = (known or called) and not sanctioned
    # 9 and 10
    fit = rules.fit(distance, p)
    strain = rules.moral_strain(post, balance, gaming, p)
    post.distress = rules.distress_after_month(post, place, relationship, strain, overload, p)
    place.sanctioned += sanctioned
    place.spared += spared
    place.unpunished += negligent and not sanctioned
    place.spoken += spoken
    place.reported += reported
    place.effort += effort
    row.monitoring, row.relationship = place.monitoring, relationship
    row.effort, row.assurance, row.time_left, row.overload = effort, place.assurance, w, overload
    row.quality = rules.quality(service, gaming, balance, fit, harm, p)
    row.reported, row.honest_indicator, row.gaming = reported, honest, gaming
    row.harm, row.moral_strain = harm, strain
    row.initiative_rate, row.successes, row.needless = tried, succeeded, needless
    row.slips, row.negligence, row.spoken = slipped, negligent, spoken
    row.sanctions, row.unfair, row.spared = sanctioned, unfair, spared
    row.misfit = distance
    row.deviation = post.practice - standard
    row.deviation_squared = row.deviation * row.deviation


@compiled
def _sanction(row: Any, place: Any) -> None:
    """Sanction a manager out of the blue, where the month has not done so already."""
    if row.sanctions > 0.0:
        return
    place.sanctioned += 1.0
    place.spared -= row.spared
    place.unpunished -= row.negligence
    row.sanctions, row.spared, row.unfair = 1.0, 0.0, 0.0


@compiled
def _set_fear(posts: Any, given: Any, when: int) -> None:
    for i in range(len(posts)):
        posts[i].fear = given[i, when]


@compiled
def _keep_fear(posts: Any, kept: Any, when: int) -> None:
    for i in range(len(posts)):
        kept[i, when] = posts[i].fear


@compiled
def _world_moves(post: Any, drift: float, standard: float, local_sd: float, lever: Any, p: Any) -> None:
    """Step 11 for a post."""
    post.need = rules.need_after_month(post.need, drift, local_sd, p)
    post.practice = rules.practice_after_standard(post.practice, standard, lever, p)


@compiled
def _organisation_moves(place: Any, managers: int, p: Any) -> None:
    """Steps 11 and 12 for an organisation."""
    place.reputation = rules.reputation_after_month(place.reputation, place.reported / managers)
    place.mean_effort = place.effort / managers
    place.safety = rules.safety_after_month(place.safety, place.spoken, p)


@compiled
def _learn(
    post: Any, row: Any, place: Any, system_sanctioned: float, system_cooperation: float, managers: int, k: float,
    lever: Any, p: Any,
) -> None:
    """Step 12 for one manager. A stock's rule sees the other stocks as the month began."""
    sanctioned, spared = row.sanctions > 0.0, row.spared > 0.0
    got_away = row.negligence > 0.0 and not sanctioned
    month = rules.Month(
        row.relationship, row.initiative_rate > 0.0, row.successes > 0.0, sanctioned, row.unfair > 0.0, spared,
        int(place.sanctioned - sanctioned), int(place.spared - spared), int(place.unpunished - got_away),
        int(system_sanctioned - place.sanctioned))
    fear = rules.fear_after_month(post, place, month, k, lever, p)
    trust = rules.trust_after_month(post, place, month, p)
    confidence = rules.confidence_after_month(post, place, month, lever, p)
    skill = rules.skill_after_training(post, place, month, p)
    cooperation = rules.cooperation_after_month(post, place, system_cooperation, lever, p)
    row.practice_gain = rules.practice_gain(skill, p) if month.tried else 0.0
    post.fear, post.trust, post.confidence = rules.clip(fear), rules.clip(trust), rules.clip(confidence)
    post.skill, post.cooperation = rules.clip(skill + row.practice_gain), rules.clip(cooperation)
    post.integrity = rules.clip(rules.integrity_after_month(post, month, p))
    post.motivation = rules.clip(rules.motivation_after_impunity(post, month, managers, p))
    post.distress = rules.clip(post.distress)


@compiled
def _leaves(post: Any, row: Any, u: Any, p: Any) -> bool:
    """Step 13 for one post: does whoever holds it leave?"""
    dismissed = row.sanctions > 0.0 and u.dismissal < p.dismissal
    left: bool = dismissed or u.exit < rules.chance_of_leaving(post, p)
    row.dismissals, row.exits, row.recycled = dismissed, left, 0.0
    return left


@compiled
def _replace(
    post: Any, row: Any, place: Any, index: int, month: int, nation_fear: float, seed: Any, market: Any, waiting: int,
    lever: Any, p: Any, numbers: Any,
) -> int:
    """Someone new for a post that was left; return how many are on the market afterwards."""
    dismissed = row.dismissals > 0.0
    leaver = market[waiting]  # a place behind those who are waiting
    _move_person(post, leaver)
    leaver.record += dismissed
    leaver.left = month
    post.appointments += 1.0
    count = int(post.appointments)
    keyed(seed, _APPOINTMENT, index, count, numbers)
    struck_off = dismissed and numbers[_U_STRIKING_OFF] < lever.disbarring
    candidate_error, rival_error = numbers[_U_CANDIDATE_ERROR], numbers[_U_RIVAL_ERROR]
    competition = numbers[_U_COMPETITION] < lever.competency_standard
    chosen = -1
    if numbers[_U_RECYCLING] < p.recycling and waiting > 0:
        chosen = int(numbers[_U_PICK] * waiting)
        if market[chosen].record > 0.0 and numbers[_U_REGISTER] < lever.register:
            chosen = -1
    if chosen >= 0:
        _move_person(market[chosen], post)
    else:
        _newcomer(post, count, place.fear, _NEWCOMER, index, nation_fear, seed, p, numbers)
    if competition:
        to_beat = rules.assessed(post.skill, candidate_error, p)
        rival = market[waiting + 1]
        _newcomer(rival, count, place.fear, _RIVAL, index, nation_fear, seed, p, numbers)
        if rules.assessed(rival.skill, rival_error, p) > to_beat:
            _move_person(rival, post)
            chosen = -1
    _begin(post)
    post.trust = rules.appointed_trust(place.trust)
    if chosen >= 0:
        row.recycled = 1.0
        waiting -= 1
        market[chosen] = market[waiting]
        market[waiting] = market[waiting + 1]
    return waiting if struck_off else waiting + 1


@compiled
def _newcomer(
    someone: Any, count: int, fear: float, key: Any, index: int, nation_fear: float, seed: Any, p: Any, numbers: Any
) -> None:
    """Someone from outside for the `count`-th appointment to the post `index`, from the stream with that key."""
    keyed(seed, key, index, count, numbers)
    _draw_person(someone, numbers, -p.deterred_entry * nation_fear, p)
    someone.fear, someone.record = rules.newcomer_fear(fear), 0.0


@compiled
def _move_person(source: Any, target: Any) -> None:
    """What a manager carries from post to market and back."""
    target.motivation_at_start, target.boldness = source.motivation_at_start, source.boldness
    target.crowding, target.anxiety = source.crowding, source.anxiety
    target.integrity, target.skill = source.integrity, source.skill
    target.fear, target.record = source.fear, source.record


@compiled
def _record_stocks(post: Any, row: Any) -> None:
    """What the row says of the post's holder after step 13."""
    row.fear, row.trust, row.confidence, row.skill = post.fear, post.trust, post.confidence, post.skill
    row.integrity, row.distress, row.motivation = post.integrity, post.distress, post.motivation
    row.cooperation = post.cooperation
    row.fearful, row.fearful_40, row.fearful_60 = post.fear > 0.5, post.fear > 0.4, post.fear > 0.6
    row.toxic = rules.toxic(post.fear, post.trust, 0.5)
    row.toxic_40 = rules.toxic(post.fear, post.trust, 0.4)
    row.toxic_60 = rules.toxic(post.fear, post.trust, 0.6)
    row.record_share = post.record > 0.0
