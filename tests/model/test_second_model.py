"""What the second version of the model says that the first did not, as statements about runs.

Where a month is to be computed by hand, people are all alike, nobody leaves and what else moves a stock is off.
"""

from __future__ import annotations

import inspect
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from comparison import differing

import sim
from sim.model import rules
from sim.model.outcomes import OUTCOMES, POST_COLUMNS
from sim.model.parameters import PARAMETERS, resolve

SMALL: dict[str, Any] = dict(seed=0, systems=4, organisations=3, managers=6, months=24)
NATION: dict[str, Any] = dict(systems=42, months=60, window=24)
ALIKE: dict[str, Any] = dict(motivation_sd=0.0, integrity_sd=0.0, skill_sd=0.0, boldness_sd=0.0, crowding_sd=0.0,
                             anxiety_sd=0.0, poor_share=0.0)  # fmt: skip
"""Nobody differs from anybody."""
NOBODY_LEAVES: dict[str, Any] = dict(exit_base=0.0, exit_distress=0.0, exit_fear=0.0, dismissal=0.0)
UNMOVED: dict[str, Any] = dict(fear_blamed=0.0, fear_peer_blamed=0.0, fear_system=0.0, fear_spared=0.0,
                               fear_peer_spared=0.0, trust_spared=0.0, trust_unfair=0.0, trust_fair=0.0)  # fmt: skip
"""Nothing that happens to somebody moves fear or trust: the climate alone does."""
SPEAK: dict[str, Any] = dict(speak_base=50.0, speak_negligence=1.0)
"""Every slip is reported."""
HIDE: dict[str, Any] = dict(speak_base=-50.0)
"""None is."""


def series(**asked: Any) -> pd.DataFrame:
    return sim.simulate(**SMALL | asked).series


def after_a_month(outcome: str, **asked: Any) -> float:
    """An outcome of the first month of people who are alike and stay."""
    asked = ALIKE | NOBODY_LEAVES | UNMOVED | asked
    return float(series(**asked | {"months": 1})[outcome].iloc[0])


def late(outcome: str, seeds: int = 3, **asked: Any) -> float:
    """The mean of an outcome over the last months of national runs."""
    runs = (sim.simulate(seed=seed, **NATION | asked) for seed in range(seeds))
    return float(np.mean([run.series[outcome].tail(24).mean() for run in runs]))


# How many people there are is for convenience: what is heard of them is counted per 11, 48 and 12


def test_fear_at_baseline_is_the_same_in_small_and_large_organisations() -> None:
    fears = [late("fear", managers=k, organisations=j) for k, j in ((4, 15), (12, 5), (40, 2))]
    assert max(fears) - min(fears) < 0.02


def test_news_from_a_system_frightens_alike_however_many_organisations_it_has() -> None:
    loud = dict(publicity=1.0, fear_system=0.02, fear_peer_blamed=0.0)
    fears = [late("fear", systems=s, organisations=j, **loud) for s, j in ((105, 2), (42, 5), (14, 15))]
    assert max(fears) - min(fears) < 0.02
    assert min(fears) > late("fear", **loud | {"fear_system": 0.0}) + 0.05


def test_organisations_learn_from_reports_alike_whatever_their_size() -> None:
    """Mishaps alone, from which organisations learn to be safe."""
    mishaps = dict(slip_negligence=0.0, opportunity=1e-9, slip_mishap=0.3, safety_learning=0.05, safety_effect=0.9)
    rates = [late("slips", managers=k, organisations=j, **mishaps) for k, j in ((4, 15), (12, 5), (40, 2))]
    assert max(rates) < 1.1 * min(rates)
    assert max(rates) < 0.8 * late("slips", **mishaps | {"safety_learning": 0.0})


@pytest.mark.parametrize(
    ("alone", "others"),
    [("managers", ("fear_peer_blamed", "fear_peer_spared", "impunity")), ("organisations", ("fear_system",))],
)
def test_where_there_is_nobody_nothing_is_heard(alone: str, others: tuple[str, ...]) -> None:
    for name in others:
        one, other = (sim.simulate(**SMALL | {alone: 1, name: value, "months": 12}) for value in (0.0, 0.1))
        assert not differing(one, other)
        one, other = (sim.simulate(**SMALL | {alone: 2, name: value, "months": 12}) for value in (0.0, 0.1))
        assert differing(one, other)


# Circumstances and chance


def spread(column: str, **asked: Any) -> float:
    """The standard deviation over the posts of many units, whose people are alike, after their first month."""
    posts = sim.simulate(**SMALL | ALIKE | NOBODY_LEAVES | dict(systems=42, organisations=10, months=1) | asked).posts
    return float(posts[column].std())


def test_without_circumstances_alike_people_have_alike_indicators() -> None:
    assert spread("last_honest", mechanisms_off=["circumstances"]) == pytest.approx(0.0, abs=1e-12)
    assert spread("last_honest", unit_sd=0.0, chance_sd=0.1) == pytest.approx(0.1, rel=0.1)
    assert spread("last_honest", unit_sd=0.2, chance_sd=0.0) > 0.05


def test_circumstances_differ_by_unit_sd_around_one() -> None:
    asked = SMALL | ALIKE | NOBODY_LEAVES | dict(systems=42, organisations=10, months=1, chance_sd=0.0)
    ours, all_alike = (sim.simulate(**asked, unit_sd=sd).posts["last_honest"] for sd in (0.5, 0.0))
    ratio = ours / all_alike
    assert np.log(ratio).std() == pytest.approx(0.5, rel=0.1)
    assert ratio.mean() == pytest.approx(1.0, abs=0.04)


def test_circumstances_stay_with_the_post_when_everybody_leaves_every_month() -> None:
    asked = SMALL | dict(systems=42, exit_base=1.0, chance_sd=0.0)
    spreads = [np.log(sim.simulate(**asked, unit_sd=sd).posts["honest_indicator"]).std() for sd in (0.3, 0.0)]
    assert spreads[0] == pytest.approx(0.3, rel=0.15)
    assert spreads[1] < 0.15


def test_chance_touches_the_figures_alone_where_nobody_judges_by_them() -> None:
    quiet, noisy = (sim.simulate(**SMALL, targets=0.0, chance_sd=sd) for sd in (0.0, 0.1))
    assert set(differing(quiet, noisy)) == {"reported", "honest_indicator"}


def test_by_bad_luck_alone_some_who_would_reach_the_target_are_called_to_account() -> None:
    """Nobody slips, so that a sanction is for the figure."""
    good = ALIKE | NOBODY_LEAVES | dict(motivation_mean=0.95, skill_mean=0.95, gaming_max=0.0, targets=1.0, months=1)
    good |= dict(systems=42, unit_sd=0.0, slip_negligence=0.0, slip_mishap=0.0, slip_unskilled=0.0, opportunity=1e-9)
    good |= dict(punitiveness=1.0, discernment=0.0, account_rate=1.0, demand=0.5, burden=0.0)
    lucky, unlucky = (series(**good, chance_sd=sd) for sd in (0.0, 0.3))
    assert lucky["honest_indicator"].iloc[0] > PARAMETERS["target_level"].default
    assert lucky["sanctions"].iloc[0] == 0.0
    assert unlucky["sanctions"].iloc[0] > 0.0


# Targets are felt as watching, and ambient fear is at most one


@pytest.mark.parametrize("monitoring", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("targets", [0.0, 0.8])
def test_targets_frighten_where_nobody_watches(monitoring: float, targets: float) -> None:
    expected = 0.4 * (monitoring + (1 - monitoring) * 0.3 * targets) * 0.5 * (1 - 0.5)
    found = after_a_month("fear", monitoring=monitoring, targets=targets, cascade=0.0)
    assert found == pytest.approx(0.2 + 0.05 * (expected - 0.2))


def test_no_climate_warrants_a_fear_above_the_largest() -> None:
    extreme = dict(fear_ambient=9.0, monitoring=1.0, punitiveness=1.0, register=1.0, disbarring=1.0, career_stakes=9.0)
    assert after_a_month("fear", **extreme) == pytest.approx(0.2 + 0.05 * (1.0 - 0.2))


# What becomes of slips


@pytest.mark.parametrize("rescue", [0.0, 0.5, 1.0])
def test_discovery_averts_the_share_rescue_of_what_hiding_would_have_added(rescue: float) -> None:
    """Where everything is discovered; at one, what is discovered harms no more than what is reported."""
    s = series(monitoring=1.0, rescue=rescue, harm_known=0.2, harm_hidden_factor=3.0)
    np.testing.assert_allclose(s["harm"], 0.2 * s["slips"] * (1.0 + 2.0 * (1.0 - rescue) * s["silence"]))
    assert (s["silence"] > 0).any()


def test_where_nothing_is_discovered_nothing_is_rescued() -> None:
    s, other = (sim.simulate(**SMALL, monitoring=0.0, rescue=rescue) for rescue in (0.0, 1.0))
    assert not differing(s, other)


def test_colleagues_who_see_nothing_are_not_embittered_by_what_stays_hidden() -> None:
    hidden = SMALL | HIDE | dict(monitoring=0.0, account_rate=0.0)
    blind, seeing = ([sim.simulate(**hidden, peers_see=see, impunity=i) for i in (0.0, 0.4)] for see in (0.0, 1.0))
    assert not differing(*blind)
    assert seeing[0].series["motivation"].iloc[-1] > seeing[1].series["motivation"].iloc[-1]


def test_what_everybody_knows_colleagues_need_not_see() -> None:
    for known in (SPEAK, {"monitoring": 1.0}):
        assert not differing(
            *(sim.simulate(**SMALL | known | {"peers_see": see, "impunity": 0.4}) for see in (0.0, 1.0))
        )


def test_to_be_found_out_and_let_go_is_no_comfort_where_it_does_not_reassure() -> None:
    """Where nobody reports, everyone who is spared was found out or called to account."""
    runs = {
        (found, off): sim.simulate(**SMALL | HIDE, found_reassures=found, mechanisms_off=off)
        for found in (0.0, 1.0)
        for off in ((), ("reassurance",))
    }
    assert not differing(runs[0.0, ()], runs[0.0, ("reassurance",)])
    assert not differing(runs[0.0, ()], runs[1.0, ("reassurance",)])
    assert runs[1.0, ()].series["fear"].mean() < runs[0.0, ()].series["fear"].mean() - 0.005


def test_whoever_reports_is_reassured_whatever_being_found_does() -> None:
    """Nobody is called to account, so that whoever is spared has reported."""
    assert not differing(*(sim.simulate(**SMALL | SPEAK, account_rate=0.0, found_reassures=w) for w in (0.0, 1.0)))
    called = [sim.simulate(**SMALL | SPEAK, account_rate=1.0, found_reassures=w) for w in (0.0, 1.0)]
    assert differing(*called)


# Initiative, and what it leaves behind


def test_without_innovation_nothing_is_found_out_and_nothing_is_forgotten() -> None:
    assert not differing(*(sim.simulate(**SMALL, innovation=0.0, innovation_decay=d) for d in (0.005, 0.9)))
    assert differing(*(sim.simulate(**SMALL, innovation=0.02, innovation_decay=d) for d in (0.005, 0.9)))


def test_what_is_found_out_serves_also_when_its_author_has_left() -> None:
    leaving = dict(exit_base=1.0, mechanisms_off=["circumstances"], systems=42)
    ours, without = (series(**leaving, innovation=i, innovation_decay=0.0)["honest_indicator"] for i in (0.2, 0.0))
    assert ours.iloc[0] == without.iloc[0]
    assert (ours.tail(12) > 1.03 * without.tail(12)).all()


def test_the_method_at_most_doubles_the_service() -> None:
    eager = dict(opportunity=1.0, success_base=0.95, need_turnover=0.5, innovation=1.0, innovation_decay=0.0)
    ours, without = (series(**eager | {"innovation": i, "months": 60}) for i in (1.0, 0.0))
    ratio = ours["honest_indicator"].tail(12).mean() / without["honest_indicator"].tail(12).mean()
    assert 1.5 < ratio <= 2.05


def test_fear_makes_choosy_and_deters_nobody_who_is_sure_of_success() -> None:
    """The fully confident and skilled fear to try what is not needed, and nothing else."""
    p = resolve(loss_aversion=2.0)

    def value(fear: float, change_needed: float) -> float:
        manager = SimpleNamespace(confidence=1.0, trust=0.5, skill=1.0)
        return rules.value_of_initiative(manager, fear, change_needed, 0.0, 1.0, p, p)

    assert value(0.8, 1.0) == value(0.0, 1.0)
    assert value(0.8, 0.0) == pytest.approx(value(0.0, 0.0) - 2.0 * 0.8)


# Support, feedback


@pytest.mark.parametrize("power", [0.5, 0.8, 1.0])
def test_support_rises_ever_more_slowly_with_investment_and_its_cost_does_not(power: float) -> None:
    invested = np.linspace(0.0, 1.0, 6)
    asked = dict(relationship_power=power, trust_control=0.0)
    trust = np.array([after_a_month("trust", relationship=r, **asked) for r in invested])
    time = np.array([after_a_month("time_left", relationship=r, **asked) for r in invested])
    gained = (trust - trust[0]) / (trust[-1] - trust[0])
    np.testing.assert_allclose(gained, invested**power, atol=1e-9)
    steps = np.diff(gained)
    assert (steps > 0).all()
    assert power == 1.0 or all(later < earlier for earlier, later in pairwise(steps))
    np.testing.assert_allclose(np.diff(time), np.diff(time)[0])


@pytest.mark.parametrize(("stock", "parameter"), [("skill", "skill_feedback"), ("confidence", "confidence_feedback")])
def test_feedback_may_help_or_hurt(stock: str, parameter: str) -> None:
    assert PARAMETERS[parameter].low < 0.0 < PARAMETERS[parameter].high
    still = dict(opportunity=1e-9, punitiveness=0.0)
    for value in (-0.02, 0.02):
        watched, left = (after_a_month(stock, monitoring=m, **still, **{parameter: value}) for m in (0.9, 0.0))
        assert watched - left == pytest.approx(value * 0.9 * 0.8 * 0.5, rel=0.1)


# What is written down


def test_the_levels_are_what_a_policy_spends() -> None:
    spent = dict(monitoring_level=0.7, targets_level=0.1, relationship_level=0.6)
    s = series(monitoring=0.7, targets=0.1, relationship=0.6)
    for name, level in spent.items():
        np.testing.assert_allclose(s[name], level)


def test_posts_keep_what_became_of_their_managers() -> None:
    run = sim.simulate(**SMALL | dict(systems=20), regime="punitive", window=24)
    for name in ("negligence", "exits", "dismissals", "record_share", "sanctions", "slips"):
        assert run.posts[name].mean() == pytest.approx(run.series[name].mean())
        assert run.posts[name].max() > 0.0
    for part, whole in (("dismissals", "exits"), ("negligence", "slips"), ("dismissals", "sanctions")):
        assert (run.posts[part] <= run.posts[whole]).all()
        assert (run.posts[part] < run.posts[whole]).any()


def test_one_cut_off_of_one_stock_is_one_finding() -> None:
    assert not [name for name in (*OUTCOMES, *POST_COLUMNS) if name.startswith(("toxic_", "fearful_"))]
    assert not {"focus_ideal", "gain", "niche_width"} & set(PARAMETERS)


# Levers of some organisations

needs_local = pytest.mark.skipif(
    "local" not in inspect.signature(sim.simulate).parameters, reason="levers of some organisations come later"
)


@needs_local
def test_an_own_value_that_the_nation_has_anyway_changes_nothing() -> None:
    own = {"monitoring": 0.45, "targets": 0.5, "punitiveness": 0.5, "relationship": 0.3, "discernment": 0.5}
    local = [own | who for who in ({"organisations": [0, 3]}, {"share": 0.5}, {"where": "fear > 0.25"})]
    assert not differing(sim.simulate(**SMALL), sim.simulate(**SMALL, local=local))


@needs_local
def test_organisations_by_number_have_their_value_in_its_months() -> None:
    rule = {"targets": 0.2, "organisations": [0, 3], "from": 5, "to": 8}
    level = series(local=[rule])["targets_level"]
    np.testing.assert_allclose(level.loc[5:8], (2 * 0.2 + 10 * 0.5) / 12)
    np.testing.assert_allclose(level.drop(range(5, 9)), 0.5)


@needs_local
def test_a_later_rule_goes_before_an_earlier_one_and_both_before_the_schedule() -> None:
    local = [{"targets": 0.1, "organisations": list(range(12))}, {"targets": 0.9, "organisations": [2]}]
    level = series(local=local, schedule={"targets": {3: 0.7}})["targets_level"]
    np.testing.assert_allclose(level, (11 * 0.1 + 0.9) / 12)


@needs_local
def test_a_larger_share_contains_a_smaller_one() -> None:
    drawn = {}
    for share in (0.0, 0.2, 0.5, 1.0):
        table = sim.simulate(**SMALL | {"months": 2}, local=[{"monitoring": 0.9, "share": share}]).posts
        drawn[share] = set(table["organisation"][table["monitoring"] > 0.8])
    assert [len(chosen) for chosen in drawn.values()] == [0, 2, 6, 12]
    assert drawn[0.2] < drawn[0.5]


@needs_local
def test_support_can_follow_fear() -> None:
    run = sim.simulate(**SMALL, local=[{"relationship": 0.8, "where": "fear > 0.25"}], record_organisations=True)
    table = run.organisations.set_index(["organisation", "month"])[["fear", "relationship"]].unstack(0)
    before, received = table["fear"].shift(1).iloc[1:], table["relationship"].iloc[1:]
    np.testing.assert_allclose(received, np.where(before > 0.25, 0.8, 0.3))
    assert 0.0 < (before > 0.25).to_numpy().mean() < 1.0
