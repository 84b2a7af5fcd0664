"""Local policies: what a rule may say, whom it reaches, and what that does."""

from __future__ import annotations

import json
import math
import pickle
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from comparison import identical
from hypothesis import given, settings
from hypothesis import strategies as st
from settings_of_runs import runs

import sim
from sim.errors import InputError
from sim.model.local import COLUMNS, LOCAL, STATISTICS, condition, encoded
from sim.model.parameters import LEVERS, resolve

SMALL: dict[str, Any] = dict(systems=3, organisations=4, managers=4, months=12, window=12)
RULE: dict[str, Any] = {"targets": 0.2, "organisations": [0, 3]}
WRITTEN = [
    {"relationship": 0.8, "where": "fear > 0.3"},
    {"monitoring": 0.7, "share": 0.5, "from": 37, "to": 72},
    {"targets": 0.2, "leniency": 1.0, "organisations": [0, 3]},
]

# What a rule may say


def test_rules_are_kept_as_they_are_written_hashable_and_in_order() -> None:
    p = resolve(local=WRITTEN)
    assert [rule.table for rule in p.local] == WRITTEN
    assert len({*p.local, *resolve(local=p.local).local}) == 3
    assert pickle.loads(pickle.dumps(p)) == p == resolve(local=[rule.table for rule in p.local])
    assert json.loads(p.model_dump_json())["local"][1]["share"] == 0.5
    assert resolve().local == ()


def test_a_rule_is_told_in_words_that_differ_where_it_does() -> None:
    words = [str(rule) for rule in resolve(local=WRITTEN).local]
    assert words == [
        "relationship 0.8 where fear > 0.3",
        "monitoring 0.7 in a share of 0.5 from month 37 to month 72",
        "targets 0.2 and leniency 1.0 in organisations 0, 3",
    ]
    (near,) = resolve(local=[{"relationship": math.nextafter(0.8, 1), "where": "fear > 0.3"}]).local
    assert str(near) != words[0]


def test_numbers_of_any_library_will_do() -> None:
    odd = {"targets": np.float32(0.5), "organisations": np.array([3, 0]), "from": np.int64(2)}
    (rule,) = resolve(local=(odd,)).local
    assert rule.table == {"targets": 0.5, "organisations": [0, 3], "from": 2}


def test_every_local_lever_is_a_lever_from_0_to_1_that_follows_schedules() -> None:
    assert {*LOCAL} <= {*LEVERS}
    for lever in LOCAL:
        for value in (0, 1):
            assert resolve(local=[{lever: value, "share": 1}]).local[0].levers == ((lever, float(value)),)


def test_a_condition_is_read_whatever_its_spaces() -> None:
    assert condition("  trust<.4 ") == ("trust", -1.0, 0.4)
    assert condition("reputation > -2e-1") == ("reputation", 1.0, -0.2)
    spaced, plain = (resolve(local=[{"targets": 0, "where": where}]).local for where in ("fear>0.30", "fear > 0.3"))
    assert spaced == plain


LEVERS_TOLD = "the local levers are monitoring, targets, punitiveness, discernment"
MUST_COMPARE = "must compare one of fear, trust, reputation, safety with a number by > or <"
MISTAKES: list[tuple[Any, str]] = [
    ({**RULE, "risk_based": 0.5}, "risk_based = 0.5: is set for the whole nation and not by organisation; the local"),
    ({"register": 0.5, "share": 0.5}, "register = 0.5: is set for the whole nation"),
    ({**RULE, "burden": 0.1}, "burden = 0.1: is a parameter; a local rule sets levers"),
    (
        {"targets": 0.2, "organisations": [0, 12]},
        "organisations = 12: no such organisation; the nation's are numbered ",
    ),
    ({"targets": 0.2, "organisations": [-1]}, "organisations = -1: no such organisation"),
    ({"targets": 0.2, "organisations": [True]}, "organisations = True: no such organisation"),
    ({"targets": 0.2, "organisations": [1, 1]}, "organisations = 1: is given 2 times"),
    ({"targets": 0.2, "organisations": []}, "organisations = []: must be a list of numbers of organisations"),
    ({"targets": 0.2, "organisations": 3}, "organisations = 3: must be a list"),
    ({**RULE, "share": 0.5}, "rule 1: says who by organisations and by share; leave out all but one"),
    ({"targets": 0.2}, "rule 1: does not say who; give one of organisations, share, where"),
    ({"organisations": [0]}, f"rule 1: sets no lever; {LEVERS_TOLD}"),
    ({**RULE, "from": 9, "to": 3}, "from = 9: is after the last month, to = 3"),
    ({**RULE, "from": 0}, "from = 0: must be a whole number from 1 to 12"),
    ({**RULE, "from": 13}, "from = 13: must be a whole number from 1 to 12"),
    ({**RULE, "to": 13}, "to = 13: must be a whole number from 1 to 12"),
    ({**RULE, "to": 1.5}, "to = 1.5: must be a whole number from 1 to 12"),
    ({"targets": 0.2, "share": 1.1}, "share = 1.1: must be a number from 0 to 1"),
    ({"targets": 0.2, "share": -0.1}, "share = -0.1: must be a number from 0 to 1"),
    ({"targets": 0.2, "share": "half"}, 'share = "half": must be a number from 0 to 1'),
    ({"targets": 1.2, "share": 0.5}, "targets = 1.2: must be a number from 0 to 1"),
    ({"targets": 20, "share": 0.5}, "targets = 20: must be a number from 0 to 1; 20 % is written 0.2"),
    ({"targets": None, "share": 0.5}, "targets = None: must be a number from 0 to 1"),
    ({"targets": 0.2, "where": "fear > 1"}, 'where = "fear > 1": can never hold: fear lies from 0 to 1'),
    ({"targets": 0.2, "where": "fear < 0"}, 'where = "fear < 0": can never hold: fear lies from 0 to 1'),
    ({"targets": 0.2, "where": "safety < -1"}, 'where = "safety < -1": can never hold'),
    ({"targets": 0.2, "where": "feer > 0.3"}, f'where = "feer > 0.3": {MUST_COMPARE}, such as "fear > 0.3" (did you'),
    ({"targets": 0.2, "where": "fear >= 0.3"}, f'where = "fear >= 0.3": {MUST_COMPARE}, such as "fear > 0.3"'),
    ({"targets": 0.2, "where": "fear > 30 %"}, f'where = "fear > 30 %": {MUST_COMPARE}'),
    ({"targets": 0.2, "where": "reputation > 1e999"}, f'where = "reputation > 1e999": {MUST_COMPARE}'),
    ({"targets": 0.2, "where": ""}, f'where = "": {MUST_COMPARE}'),
    ({"targets": 0.2, "where": 0.3}, 'where = 0.3: must be a text, such as "fear > 0.3"'),
    ({**RULE, "targts": 0.1}, 'targts = 0.1: no such key of a local rule (did you mean "targets"?)'),
    ({"targts": 0.1, "share": 0.5}, 'targts = 0.1: no such key of a local rule (did you mean "targets"?)'),
    (
        {"targets": 0.1, "wher": "fear > 0.3"},
        'wher = "fear > 0.3": no such key of a local rule (did you mean "where"?)',
    ),
    (3, "rule 1 = 3: must be a table"),
]


def refused(**settings: Any) -> tuple[str, ...]:
    with pytest.raises(InputError) as caught:
        resolve(**settings)
    assert all("\n" not in line for line in caught.value.lines)
    return caught.value.lines


@pytest.mark.parametrize(("rule", "told"), MISTAKES)
def test_a_mistake_in_a_rule_gets_one_line(rule: Any, told: str) -> None:
    (line,) = refused(**SMALL, local=[rule])
    assert line.removeprefix("local.").removeprefix("rule 1.").startswith(told)
    assert line.startswith("local.rule 1")


@pytest.mark.parametrize("wrong", [3, "fear > 0.3", RULE, None, {*resolve(local=WRITTEN).local}])
def test_a_local_policy_is_a_list_of_rules(wrong: object) -> None:
    (line,) = refused(local=wrong)
    assert ": must be a list of rules, such as" in line


def test_mistakes_in_several_rules_are_told_at_once_and_sizes_that_are_wrong_themselves_hide_none() -> None:
    lines = refused(months=0, local=[{**RULE, "from": 10**4}, {"targets": 2, "share": 2}, {}])
    assert [line.partition(" = ")[0].partition(":")[0] for line in lines] == [
        "months",
        "local.rule 2.targets",
        "local.rule 2.share",
        "local.rule 3",
        "local.rule 3",
    ]
    assert refused(local=[RULE] * 1001) == ("local: at most 1,000 rules are allowed",)


@pytest.mark.parametrize("engine", ["compiled", "mesa"])
def test_both_engines_refuse_the_same(engine: Any) -> None:
    with pytest.raises(InputError, match=r"local\.rule 1: does not say who"):
        sim.simulate(0, engine=engine, local=[{"targets": 0.2}])


# Whom it reaches


@given(seed=st.integers(0, 2**63 - 1), organisations=st.integers(1, 300), share=st.floats(0, 1), less=st.floats(0, 1))
def test_a_trial_has_the_share_that_was_asked_for_and_contains_each_smaller_one(
    seed: int, organisations: int, share: float, less: float
) -> None:
    """The floor(share * n + 1/2) of n with the smallest numbers."""
    larger, smaller = (
        resolve(local=[{"targets": 0, "share": asked}]).local[0].members(seed, organisations)
        for asked in (share, share * less)
    )
    assert larger.sum() == math.floor(share * organisations + 0.5)
    assert not (smaller & ~larger).any()


def test_a_trial_is_drawn_anew_for_each_seed_and_everyone_has_the_same_chance() -> None:
    (rule,) = resolve(local=[{"targets": 0, "share": 0.25}]).local
    drawn = np.array([rule.members(seed, 8) for seed in range(2000)])
    assert len(np.unique(drawn, axis=0)) == 28  # every pair of eight
    assert np.abs(drawn.mean(axis=0) - 0.25).max() < 4 * math.sqrt(0.25 * 0.75 / 2000)
    assert np.array_equal(rule.members(3, 8), rule.members(3, 8))


@given(
    statistic=st.sampled_from(STATISTICS), above=st.booleans(), threshold=st.floats(0.01, 0.99), value=st.floats(0, 1),
    first=st.integers(1, 12), length=st.integers(0, 11), month=st.integers(1, 12), inside=st.booleans())  # fmt: skip
def test_what_the_engine_reads_says_what_the_rule_says(
    statistic: str, above: bool, threshold: float, value: float, first: int, length: int, month: int, inside: bool
) -> None:
    where, last = f"{statistic} {'>' if above else '<'} {threshold!r}", min(12, first + length)
    by_condition = {"targets": 0.25, "where": where, "from": first, "to": last}
    rules = resolve(**SMALL, local=[by_condition, {"leniency": 1, "organisations": [1 if inside else 2]}]).local
    place = SimpleNamespace(**{name: value if name == statistic else -9.0 for name in STATISTICS})
    expected = first <= month <= last and (value > threshold if above else value < threshold)
    assert rules[0].holds(month, place) == expected
    assert rules[1].holds(month, place)
    table, members = encoded(rules, 0, 12)
    number, sign, edge, start, end = table[0, :5]
    assert (start <= month <= end and sign * value > sign * edge) == expected
    assert STATISTICS[int(number)] == statistic
    assert table[1, 2] == -math.inf and (table[1, 3], table[1, 4]) == (1, math.inf)
    assert table.shape == (2, len(COLUMNS)) and members.shape == (2, 12)
    assert members[0].all() and members[1].sum() == 1 and members[1, 1] == inside
    assert [column for column, x in zip(COLUMNS, table[0], strict=True) if not math.isnan(x)][5:] == ["targets"]
    assert (table[0, COLUMNS.index("targets")], table[1, COLUMNS.index("leniency")]) == (0.25, 1.0)


# What that does


def local_policies(months: int, organisations: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Random local policies for a run of this size."""
    levers = st.dictionaries(st.sampled_from(LOCAL), st.floats(0, 1), min_size=1, max_size=4)
    numbers = st.lists(st.integers(0, organisations - 1), min_size=1, unique=True)
    conditions = st.builds(
        lambda statistic, sign, threshold: f"{statistic} {sign} {threshold!r}",
        st.sampled_from(STATISTICS), st.sampled_from("<>"), st.floats(0.05, 0.95))  # fmt: skip
    who = st.one_of(
        st.fixed_dictionaries({"organisations": numbers}),
        st.fixed_dictionaries({"share": st.floats(0, 1)}),
        st.fixed_dictionaries({"where": conditions}),
    )
    ends = st.lists(st.integers(1, months), min_size=2, max_size=2).map(sorted)
    when = st.one_of(
        st.just({}), ends.map(lambda pair: {"from": pair[0]}), ends.map(lambda p: {"from": p[0], "to": p[1]})
    )
    return st.lists(st.builds(lambda *parts: parts[0] | parts[1] | parts[2], levers, who, when), min_size=1, max_size=4)


@st.composite
def asked(draw: st.DrawFn) -> dict[str, Any]:
    settings = draw(runs())
    return settings | {
        "local": draw(local_policies(settings["months"], settings["systems"] * settings["organisations"]))
    }


@given(asked())
@settings(max_examples=150)
def test_both_engines_give_the_same_bits_under_any_local_policy(asked: dict[str, Any]) -> None:
    compiled, mesa = (sim.simulate(engine=e, record_organisations=True, **asked) for e in ("compiled", "mesa"))
    assert identical(compiled.record, mesa.record)
    assert np.isfinite(compiled.record.sums).all()


BUSY: dict[str, Any] = SMALL | dict(
    months=36, window=36, dismissal=0.8, account_rate=0.3, slip_negligence=0.4, relationship_sd=0.2, monitoring_sd=0.1,
    risk_based=0.4, standardisation=0.3)  # fmt: skip


@given(asked())
def test_a_local_policy_that_sets_what_the_nation_has_changes_no_bit(asked: dict[str, Any]) -> None:
    plain = {name: value for name, value in asked.items() if name not in ("local", "schedule")}
    there = resolve(**{name: value for name, value in plain.items() if name != "seed"})
    same = [rule | {n: getattr(there, n) for n in LOCAL if n in rule} for rule in asked["local"]]
    without, with_rules = (sim.simulate(**plain, local=local, record_organisations=True) for local in ([], same))
    assert identical(without.record, with_rules.record)


@pytest.mark.parametrize("lever", LOCAL)
def test_each_lever_set_in_every_organisation_is_the_lever_set_for_the_nation(lever: str) -> None:
    """To the bit, and it does something."""
    value = 0.9 if lever != "standardisation" else 0.6
    nation, everywhere, share, never = (
        sim.simulate(0, **BUSY | settings)
        for settings in (
            {lever: value},
            {"local": [{lever: value, "organisations": range(12)}]},
            {"local": [{lever: value, "share": 1}]},
            {"local": [{lever: value, "share": 0}]},
        )
    )
    assert identical(nation.record, everywhere.record)
    assert identical(nation.record, share.record)
    assert not identical(nation.record, never.record)
    assert identical(never.record, sim.simulate(0, **BUSY).record)


def spent(run: sim.Run, column: str = "relationship") -> np.ndarray:
    """What each organisation received in each month, months by organisations."""
    return run.organisations[column].to_numpy().reshape(run.parameters.months, -1)


def test_organisations_show_what_they_have_and_outcomes_what_the_nation_spends() -> None:
    rules = [{"relationship": 0.9, "monitoring": 0.8, "targets": 0.1, "organisations": [2, 5, 7]}]
    run = sim.simulate(1, **SMALL, local=rules, record_organisations=True)
    inside = np.isin(np.arange(12), [2, 5, 7])
    assert np.allclose(spent(run), np.where(inside, 0.9, 0.3))
    assert np.allclose(spent(run, "monitoring"), np.where(inside, 0.8, 0.45))
    for outcome, value, base in (
        ("relationship_level", 0.9, 0.3),
        ("monitoring_level", 0.8, 0.45),
        ("targets_level", 0.1, 0.5),
    ):
        assert np.allclose(run.series[outcome], base + (value - base) * 3 / 12)


def seen(run: sim.Run, statistic: str) -> np.ndarray:
    """What step 1 sees of each organisation in months 2 to the last, from what was recorded of the months before."""
    if statistic in ("fear", "trust"):
        return spent(run, statistic)[:-1]
    p, found, value = run.parameters, [], {"reputation": 0.5, "safety": 0.3}[statistic] * np.ones(12)
    for reported, spoken in zip(spent(run, "reported"), spent(run, "spoken"), strict=True):
        if statistic == "reputation":
            value = value + (reported - value) / 6
        else:
            value = value + p.safety_learning * 12 * spoken * (1 - value) - p.safety_decay * value
        found.append(value)
    return np.array(found[:-1])


@pytest.mark.parametrize(
    ("statistic", "edge"), [("fear", 0.25), ("trust", 0.54), ("reputation", 0.5), ("safety", 0.34)]
)
@pytest.mark.parametrize("above", [True, False])
def test_support_that_follows_fear_reaches_those_in_fear(statistic: str, edge: float, above: bool) -> None:
    """In each month those whose fear at the end of the month before lies above the threshold, and nobody else; likewise
    with what else a condition may be about, and below."""
    where = f"{statistic} {'>' if above else '<'} {edge}"
    rules = [{"relationship": 0.4, "where": where}]
    run = sim.simulate(2, **SMALL | {"months": 48}, record_organisations=True, local=rules)
    reached = seen(run, statistic) > edge if above else seen(run, statistic) < edge
    assert 0.02 < reached.mean() < 0.98
    assert np.allclose(spent(run)[1:], np.where(reached, 0.4, 0.3))


def test_the_later_rule_goes_over_the_earlier_lever_by_lever() -> None:
    first = {"relationship": 0.9, "monitoring": 0.8, "organisations": [0, 1]}
    second = {"relationship": 0.1, "organisations": [1, 2]}
    for rules, received in (([first, second], [0.9, 0.1, 0.1]), ([second, first], [0.9, 0.9, 0.1])):
        run = sim.simulate(1, **SMALL, local=rules, record_organisations=True)
        assert np.allclose(spent(run)[:, :4], [*received, 0.3])
        assert np.allclose(spent(run, "monitoring")[:, :4], [0.8, 0.8, 0.45, 0.45])


def test_a_rule_holds_from_its_first_to_its_last_month_and_goes_over_the_schedule() -> None:
    rules = [{"relationship": 0.9, "organisations": [4], "from": 4, "to": 7}]
    run = sim.simulate(1, **SMALL, local=rules, schedule={"relationship": {6: 0.5}}, record_organisations=True)
    assert np.allclose(spent(run)[:, 4], [0.3] * 3 + [0.9] * 4 + [0.5] * 5)
    assert np.allclose(spent(run)[:, 5], [0.3] * 5 + [0.5] * 7)


def test_before_its_first_month_a_policy_leaves_every_bit_alone() -> None:
    local = [{"monitoring": 0.9, "share": 0.5, "from": 7}]
    before, after = (sim.simulate(3, **SMALL, local=rules).series for rules in ([], local))
    assert before.loc[:6].equals(after.loc[:6])
    assert not before.loc[7:].equals(after.loc[7:])


def test_a_trial_reaches_the_same_organisations_whatever_else_the_policy_does() -> None:
    trial = [{"relationship": 0.9, "share": 0.5}]
    one, other = (sim.simulate(5, **SMALL, local=trial, record_organisations=True, monitoring=m) for m in (0.2, 0.9))
    assert np.array_equal(spent(one), spent(other))
    assert (np.isclose(spent(one), 0.9).sum(axis=1) == 6).all()
