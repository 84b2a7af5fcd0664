"""What is true of every run: bounds, conservation, seeds, relabelling, and parameters that all matter."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from comparison import differing, identical
from hypothesis import given, settings
from settings_of_runs import allowed, runs

import sim
from sim.model.outcomes import OUTCOMES, POST_COLUMNS
from sim.model.parameters import COEFFICIENTS, LEVERS, PARAMETERS, SPREADS, resolve
from sim.model.streams import Streams

SMALL: dict[str, Any] = dict(systems=3, organisations=2, managers=6, months=24)
BUSY: dict[str, Any] = {name: 0.3 for name in LEVERS if getattr(resolve("kark_full"), name) == 0.0} | dict(
    regime="kark_full", monitoring_sd=0.1, relationship_sd=0.2, risk_based=0.5, publicity=0.6,
    relationship=0.6, social_care_budget=0.9, cooperation_incentive=0.4, disbarring=0.5, systems=5, organisations=2,
    managers=8, months=36)  # fmt: skip
"""Where every parameter and every lever has something to act on."""
STOCKS = ["fear", "trust", "confidence", "skill", "integrity", "distress", "motivation", "cooperation"]


def other_values(name: str) -> list[float]:
    """The ends of a plausible range, or of what is allowed, other than the value in `BUSY`; else a tenth more."""
    declared = PARAMETERS[name]
    ends = [declared.low, declared.high] if declared.kind == "parameter" else [declared.minimum, declared.maximum]
    now = getattr(resolve(**BUSY), name)
    return [end for end in ends if end is not None and end != now] or [1.1 * now]


# Parameters


@pytest.mark.parametrize("name", [name for name in (*COEFFICIENTS, *LEVERS, *SPREADS) if name != "social_care_size"])
def test_every_parameter_and_every_lever_changes_some_outcome(name: str) -> None:
    run = sim.simulate(seed=0, **BUSY)
    for value in other_values(name):
        assert differing(run, sim.simulate(seed=0, **BUSY | {name: value})), value


def test_the_size_of_social_care_changes_the_cost_of_a_regime_and_nothing_else() -> None:
    one, two = (sim.simulate(seed=0, social_care_size=size, **BUSY) for size in (0.28, 0.4))
    assert one.parameters.cost != two.parameters.cost
    assert identical(one.record, two.record)


@pytest.mark.parametrize("name", ["systems", "organisations", "managers"])
def test_every_size_changes_the_outcomes(name: str) -> None:
    assert differing(sim.simulate(seed=0, **SMALL), sim.simulate(seed=0, **SMALL | {name: SMALL[name] + 1}))


def test_the_window_changes_what_is_averaged_for_a_post_and_no_outcome() -> None:
    short, long = (sim.simulate(seed=0, window=window, **SMALL) for window in (6, 12))
    assert not differing(short, long)
    assert not short.posts.equals(long.posts)


@pytest.mark.parametrize("lever", LEVERS)
def test_every_lever_follows_its_schedule_from_the_start_of_the_month(lever: str) -> None:
    """Nothing happens before; a value that holds from month 1 is the same as one that holds throughout."""
    value = other_values(lever)[-1]
    plain = sim.simulate(seed=0, **BUSY)
    later = sim.simulate(seed=0, schedule={lever: {13: value}}, **BUSY)
    assert plain.series.loc[:12].equals(later.series.loc[:12])
    assert not plain.series.loc[13:].equals(later.series.loc[13:])
    at_once, throughout = (
        sim.simulate(seed=0, **BUSY | asked) for asked in ({"schedule": {lever: {1: value}}}, {lever: value})
    )
    assert identical(at_once.record, throughout.record)


# Bounds


@given(runs())
@settings(max_examples=100)
def test_outcomes_keep_within_their_bounds(asked: dict[str, Any]) -> None:
    """Stocks, shares and rates in [0, 1], nationally, by organisation and by post; nothing is NaN or infinite."""
    run = sim.simulate(record_organisations=True, **asked)
    for table, outcomes in ((run.series, OUTCOMES), (run.posts, POST_COLUMNS), (run.organisations, POST_COLUMNS)):
        assert np.isfinite(table.to_numpy()).all()
        for name, outcome in outcomes.items():
            assert outcome.low is None or table[name].min() >= outcome.low - 1e-12, name
            assert outcome.high is None or table[name].max() <= outcome.high + 1e-12, name


@given(runs())
@settings(max_examples=50)
def test_a_part_is_never_more_than_the_whole(asked: dict[str, Any]) -> None:
    """Whoever is in a toxic climate is fearful, and events hold those that presuppose them."""
    s = sim.simulate(**asked).series
    for parts in ("toxic fearful", "dismissals exits", "dismissals sanctions", "recycled exits",
                  "successes initiative_rate", "needless initiative_rate", "negligence slips",
                  "honest_indicator reported"):  # fmt: skip
        names = parts.split()
        for part, whole in pairwise(names):
            assert (s[part] <= s[whole] + 1e-12).all(), parts
    assert np.allclose(s["reported"], s["honest_indicator"] + s["gaming"])
    assert np.allclose(s["success_rate"] * s["initiative_rate"], s["successes"])


@given(runs())
@settings(max_examples=40)
def test_stocks_of_every_manager_and_organisation_stay_in_bounds_every_month(asked: dict[str, Any]) -> None:
    model = sim.LeadershipModel(rng=asked.pop("seed"), **asked | {"managers": min(4, asked["managers"])})
    while model.running:
        model.step()
        for manager in (*(post.manager for post in model.posts), *model.market):
            assert all(0.0 <= getattr(manager, stock) <= 1.0 for stock in STOCKS)
        assert all(0.0 <= organisation.safety <= 1.0 for organisation in model.organisations)


@given(runs(values=allowed))
@settings(max_examples=50)
def test_stocks_stay_in_bounds_and_numbers_finite_at_everything_that_is_allowed(asked: dict[str, Any]) -> None:
    """Also far beyond the plausible range, where a rule alone would leave [0, 1]."""
    run = sim.simulate(**asked)
    assert np.isfinite(run.series.to_numpy()).all()
    for table in (run.series, run.posts):
        assert ((table[STOCKS] >= 0.0) & (table[STOCKS] <= 1.0 + 1e-12)).to_numpy().all()


# Posts and careers

TURBULENT: dict[str, Any] = SMALL | dict(exit_base=0.2, dismissal=0.9, slip_negligence=0.8, regime="punitive")


def test_every_post_has_one_manager_and_nobody_in_post_is_on_the_market() -> None:
    """Each month, with much coming and going; those in post are Mesa's agents, and numbers are never given twice."""
    model = sim.LeadershipModel(rng=0, competency_standard=0.5, register=0.3, **TURBULENT)
    seen: dict[int, Any] = {}
    returned = 0
    while model.running:
        model.step()
        in_post = [post.manager for post in model.posts]
        assert len(set(in_post)) == len(in_post) == 36
        assert set(model.agents) == set(in_post)
        assert len(set(model.market)) == len(model.market)
        assert not set(model.market) & set(in_post)
        for manager in (*in_post, *model.market):
            assert seen.setdefault(manager.unique_id, manager) is manager
        returned += sum(manager.left is not None for manager in in_post)
    assert returned > 0


def test_nobody_waits_on_the_market_longer_than_they_may() -> None:
    model = sim.LeadershipModel(rng=0, market_months=3.0, **TURBULENT)
    longest = 0
    while model.running:
        model.step()
        longest = max([longest, *(model.month - manager.left for manager in model.market)])
    assert longest == 3


@pytest.mark.parametrize("lever", ["disbarring", "register"])
def test_nobody_who_was_dismissed_holds_a_post_under_a_full_register_or_striking_off(lever: str) -> None:
    assert (sim.simulate(seed=0, **{lever: 1.0}, **TURBULENT).series["record_share"] == 0.0).all()
    assert sim.simulate(seed=0, **{lever: 0.5}, **TURBULENT).series["record_share"].max() > 0.0


def test_nobody_who_was_struck_off_is_on_the_market() -> None:
    model = sim.LeadershipModel(rng=0, disbarring=1.0, **TURBULENT)
    model.run_model()
    assert model.market
    assert all(manager.record == 0 for manager in model.market)


def test_without_recycling_or_time_on_the_market_nobody_returns() -> None:
    assert sim.simulate(seed=0, **TURBULENT).series["recycled"].sum() > 0
    assert sim.simulate(seed=0, recycling=0.0, **TURBULENT).series["recycled"].sum() == 0
    within_the_month = sim.simulate(seed=0, market_months=0.0, **TURBULENT).series["recycled"].sum()
    assert within_the_month > 0  # a leaver is at once open to posts later in the order


def test_without_recycling_the_market_does_not_matter() -> None:
    one, two = (sim.simulate(seed=0, recycling=0.0, market_months=months, **TURBULENT) for months in (0.0, 24.0))
    assert identical(one.record, two.record)


# Relabelling


class Relabelled(Streams):
    """The streams of the model whose organisations, and posts within them, stand in another order.

    The first post of each organisation is its chief executive's and stays first.
    """

    organisations: np.ndarray
    posts_of: np.ndarray

    def month(self) -> dict[str, list[float]]:
        return {name: np.array(numbers)[self.posts_of].tolist() for name, numbers in super().month().items()}

    def keyed(self, name: str, index: int, count: int = 0) -> list[float]:
        if name == "organisation":
            index = int(self.organisations[index])
        elif name != "nation":
            index = int(self.posts_of[index])
        return super().keyed(name, index, count)


@pytest.mark.parametrize("seed", range(3))
def test_relabelling_systems_organisations_and_posts_changes_no_national_outcome(seed: int) -> None:
    """To rounding only: the same numbers are added up in another order. Without recycling, because who is offered
    a former manager first depends on the order of the posts."""
    systems, organisations, managers = 3, 4, 5
    rng = np.random.default_rng(seed)
    order = [s * organisations + rng.permutation(organisations) for s in rng.permutation(systems)]
    within = [np.r_[0, 1 + rng.permutation(managers - 1)] for _ in range(systems * organisations)]
    Relabelled.organisations = np.concatenate(order)
    Relabelled.posts_of = np.concatenate(
        [o * managers + inside for o, inside in zip(Relabelled.organisations, within, strict=True)]
    )
    asked: dict[str, Any] = BUSY | dict(
        systems=systems, organisations=organisations, managers=managers, months=24, recycling=0.0
    )

    class Renamed(sim.LeadershipModel):
        streams_class = Relabelled

    renamed, plain = Renamed(rng=seed, **asked), sim.LeadershipModel(rng=seed, **asked)
    renamed.run_model()
    plain.run_model()
    tables = [model.datacollector.get_model_vars_dataframe().to_numpy() for model in (renamed, plain)]
    np.testing.assert_allclose(*tables, rtol=1e-9, atol=1e-12)
    assert not np.array_equal(renamed.record.totals, plain.record.totals)


# Seeds


def test_the_same_seed_gives_the_same_bits_and_another_seed_others() -> None:
    first, again, other = (sim.simulate(seed=seed, **SMALL) for seed in (5, 5, 6))
    assert identical(first.record, again.record)
    assert set(differing(first, other)) > {"fear", "trust", "quality", "slips", "exits"}


@pytest.mark.parametrize("engine", ["compiled", "mesa"])
def test_a_fresh_seed_is_written_down_and_gives_the_run_again(engine: Any) -> None:
    fresh, another = (sim.simulate(engine=engine, **SMALL) for _ in range(2))
    assert fresh.seed != another.seed
    assert identical(fresh.record, sim.simulate(fresh.seed, engine=engine, **SMALL).record)


def test_a_model_without_a_seed_shows_the_one_it_drew() -> None:
    model = sim.LeadershipModel(**SMALL)
    model.run_model()
    assert identical(model.record, sim.simulate(model.seed, **SMALL).record)


def test_seed_and_rng_are_two_names_of_the_same() -> None:
    records = []
    for given_as in ({"seed": 3}, {"rng": 3}, {"rng": np.int64(3)}):
        model = sim.LeadershipModel(**given_as, **SMALL)
        model.run_model()
        assert model.seed == 3
        records.append(model.record)
    assert identical(records[0], records[1])
    assert identical(records[0], records[2])


@pytest.mark.parametrize("seed", [0, 2**63 - 1, np.int64(7), np.uint8(7), np.uint64(2**63 - 1)])
def test_a_seed_is_any_whole_number_of_63_bits(seed: Any) -> None:
    run = sim.simulate(seed, **SMALL)
    assert type(run.seed) is int
    assert run.seed == int(seed)


@pytest.mark.parametrize("seed", [True, np.bool_(True), -1, 2**63, 1.0, np.float64(1.0), float("nan"), "1", [1]])
def test_nothing_else_is_a_seed(seed: Any) -> None:
    for run in (sim.simulate, sim.LeadershipModel):
        with pytest.raises(sim.InputError, match=r"seed = .*: must be a whole number from 0 to 2\*\*63 - 1"):
            run(seed=seed, **SMALL)


def test_a_numpy_generator_gives_a_seed() -> None:
    one, two = (sim.LeadershipModel(rng=np.random.default_rng(5), **SMALL).seed for _ in range(2))
    assert one == two


@pytest.mark.parametrize("engine", ["compiled", "mesa"])
def test_recording_more_shifts_no_random_stream(engine: Any) -> None:
    plain = sim.simulate(1, engine=engine, **BUSY)
    more = sim.simulate(1, engine=engine, record_organisations=True, window=3, **BUSY)
    assert not differing(plain, more)


def test_collecting_what_agents_feel_shifts_no_random_stream() -> None:
    model = sim.LeadershipModel(rng=1, agent_reporters={"fear": "fear"}, **BUSY)
    model.run_model()
    assert identical(model.record, sim.simulate(1, **BUSY).record)


@pytest.mark.parametrize("engine", ["compiled", "mesa"])
def test_a_longer_run_begins_like_a_shorter_one(engine: Any) -> None:
    short, long = (sim.simulate(1, engine=engine, **BUSY | {"months": months}) for months in (10, 20))
    assert short.series.equals(long.series.loc[:10])


# Common random numbers


@pytest.mark.parametrize(
    "nothing",
    [
        {"schedule": {"monitoring": {5: 0.45, 9: 0.45}, "acute_budget": {2: 1.0}}},
        {"mechanisms_off": ["cascade"]},
        {"regime": "baseline", "targets": 0.5},
    ],
)
def test_a_policy_that_changes_nothing_gives_identical_bits(nothing: dict[str, Any]) -> None:
    already = {} if "mechanisms_off" in nothing else {"cascade": 0.0}
    plain = sim.simulate(2, **SMALL, cascade=0.0)
    assert identical(plain.record, sim.simulate(2, **SMALL, **already, **nothing).record)


@pytest.mark.parametrize(("outcome", "most"), [("fear", 0.9), ("reported", 0.85), ("exits", 0.6), ("quality", 0.4)])
def test_pairs_under_one_seed_vary_less_than_independent_runs(outcome: str, most: float) -> None:
    """Heavy against light, 40 seeds: the standard deviation of the difference, paired, is clearly below that of
    independent runs, √(variance of one + variance of the other)."""
    arms = [
        np.array([sim.simulate(seed, regime, systems=8, months=60).series[outcome][-24:].mean() for seed in range(40)])
        for regime in ("heavy", "light")
    ]
    independent = np.sqrt(arms[0].var(ddof=1) + arms[1].var(ddof=1))
    assert (arms[0] - arms[1]).std(ddof=1) < most * independent


def test_fear_does_not_depend_on_how_many_managers_an_organisation_has() -> None:
    """People hear of a share of what happens near them: mean fear at the default world, three seeds each."""
    by_size = {
        managers: np.mean([sim.simulate(seed, managers=managers).means["fear"] for seed in range(3)])
        for managers in (4, 12, 40)
    }
    assert max(by_size.values()) - min(by_size.values()) < 0.02
