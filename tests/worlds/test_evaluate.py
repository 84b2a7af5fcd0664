"""Policies in worlds: pairs share seeds and are run until they are precise enough, runs are kept, and bad questions get
a line each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim.claims.statements import BASELINE, HEAVY, LIGHT, PATHS, SURVEILLANCE
from sim.errors import InputError
from sim.model import engine
from sim.model.local import LocalRule
from sim.model.parameters import MECHANISMS, PARAMETERS
from sim.model.run import simulate
from sim.worlds.evaluate import (
    MEASURES,
    MOST_PAIRS,
    PAIRS,
    PLACE,
    SPREAD,
    Arm,
    Contrast,
    baseline,
    check,
    effects,
    less,
    level,
    seeds_of,
)
from sim.worlds.prior import DRAWN, World, Worlds, prior


def test_every_mistake_gets_a_line():
    with pytest.raises(InputError) as refused:
        check(["feer"], ["fear"], {"draws": (True, 2)}, {"sistems": 3, "managers": 0, "months": 4}, settled=("months",))
    assert refused.value.lines == (
        'outcome = "feer": no such outcome (did you mean "fear"?)',
        "draws = True: must be a whole number from 2 to 1000000",
        'sistems: no size of a run (did you mean "systems"?)',
        "months: cannot be set here; it follows from the rest",
        "managers = 0: must be a whole number from 1 to 1 000 000 000",
    )


SIZES = {"systems": 1, "organisations": 2, "managers": 3, "months": 6, "window": 3}
REGISTER = Arm("register 0", settings=(("register", 0.0),))


def evaluated(contrasts, worlds=3, precision=None, **how):
    return effects(prior(worlds, seed=3), contrasts, precision or {}, sizes=SIZES, **how)


def of_world(world: World, regime: str, seed: int):
    return simulate(
        seed=seed, regime=regime, mechanisms_off=world.off, **SIZES,
        **{n: v for n, v in world.values.items() if n not in dead(world)},
    ).means  # fmt: skip


def dead(world):
    return {name for key in world.off for name in MECHANISMS[key].parameters}


def test_an_effect_is_the_mean_paired_difference_of_runs_that_anybody_can_make():
    world = prior(1, seed=3)[0]
    found = evaluated([SURVEILLANCE], worlds=1)
    differences = [
        of_world(world, "heavy", seed) - of_world(world, "light", seed)
        for _, seed in zip(range(PAIRS), seeds_of(world), strict=False)
    ]
    for name in ("fear", "harm", "quality"):
        mine = np.array([d[name] for d in differences])
        assert found.of(SURVEILLANCE.name, name)[0] == pytest.approx(mine.mean(), rel=1e-5, abs=1e-9)
        assert found.error_of(SURVEILLANCE.name, name)[0] == pytest.approx(mine.std(ddof=1) / PAIRS**0.5, rel=1e-5)
    assert found.pairs.tolist() == [[PAIRS]]


def test_outcomes_that_are_computed_from_means():
    found = evaluated([level(HEAVY)], worlds=2)
    at = {name: found.of("heavy", name) for name in MEASURES}
    assert at["gap"] == pytest.approx(at["reported"] - at["quality"], abs=1e-6)
    assert at["satisfaction"] == pytest.approx((at["trust"] + at["confidence"] + 1 - at["distress"]) / 3, abs=1e-6)


def test_pairs_are_run_in_blocks_until_every_outcome_is_precise_enough_or_there_are_32():
    free, error = evaluated([SURVEILLANCE]), 0.0
    errors = free.error[:, 0, PLACE["fear"]]
    error = float(np.sort(errors)[1])  # two worlds are within it after a block, and one is not
    found = evaluated([SURVEILLANCE], precision={"fear": error * 1.0001})
    assert (found.pairs[errors <= error] == PAIRS).all()
    assert (found.pairs[errors > error] > PAIRS).all()
    assert (evaluated([SURVEILLANCE], precision={"fear": 1e-9}).pairs == MOST_PAIRS).all()
    assert (evaluated([level(BASELINE, 16)], precision={"fear": 1e-9}).pairs == 16).all()


def test_all_outcomes_of_a_contrast_have_the_same_pairs():
    loose, tight = (evaluated([SURVEILLANCE], precision={"fear": limit}) for limit in (1.0, 1e-9))
    assert not np.array_equal(loose.estimate, tight.estimate)
    other = evaluated([SURVEILLANCE], precision={"trust": 1e-9})
    assert np.array_equal(tight.estimate, other.estimate)


def test_an_effect_does_not_depend_on_what_else_is_asked_nor_on_which_other_worlds_there_are():
    alone = evaluated([SURVEILLANCE], precision={"fear": 0.01})
    more = evaluated([less(HEAVY, BASELINE), SURVEILLANCE, *PATHS.values()], precision={"fear": 0.01})
    assert np.array_equal(alone.estimate[:, 0], more.estimate[:, 1])
    last = effects(prior(3, seed=3).take(np.array([2])), [SURVEILLANCE], {"fear": 0.01}, sizes=SIZES)
    assert np.array_equal(last.estimate[0], alone.estimate[2])


def test_every_world_has_seeds_of_its_own():
    sample = prior(300)
    seeds = [set(range(first, first + MOST_PAIRS)) for first in (next(seeds_of(world)) for world in sample)]
    assert len(set().union(*seeds)) == 300 * MOST_PAIRS
    assert max(map(max, seeds)) < 2**63
    assert next(seeds_of(sample[0])) != next(seeds_of(sample[0], 1))


def test_arms_with_equal_parameters_share_their_runs(monkeypatch):
    runs = []
    real = engine.run
    monkeypatch.setattr(engine, "run", lambda *a, **k: runs.append(1) or real(*a, **k))
    found = evaluated([less(HEAVY, BASELINE), less(HEAVY, REGISTER), less(REGISTER, BASELINE)], worlds=1, workers=1)
    assert len(runs) == 2 * PAIRS + 1  # two that differ, and the warming up
    assert np.array_equal(found.estimate[:, 0], found.estimate[:, 1])
    assert (found.estimate[:, 2] == 0).all()


def test_a_sum_of_arms_is_the_interaction():
    monitoring, targets = (Arm(name, "light", ((name, 0.8),)) for name in ("monitoring", "targets"))
    crossed = Contrast("interaction", ((1, HEAVY), (-1, monitoring), (-1, targets), (1, LIGHT)))
    found = evaluated([crossed, SURVEILLANCE, less(monitoring, LIGHT), less(targets, LIGHT)])
    rest = found.estimate[:, 1] - found.estimate[:, 2] - found.estimate[:, 3]
    assert found.estimate[:, 0] == pytest.approx(rest, abs=1e-6)


def test_the_part_through_fear_is_exactly_zero_where_both_policies_are_the_same():
    for seen_by in ("initiative", "every rule"):
        own = Arm("own fear", "heavy", fear_of=replace(HEAVY, name="other"), seen_by=seen_by)
        assert (evaluated([less(HEAVY, own)]).estimate == 0).all()


def test_anothers_fear_changes_what_managers_try_unless_nobody_takes_fear_into_account():
    path = PATHS["the part through fear"]
    sizes = {"systems": 1, "organisations": 5, "managers": 12, "months": 36, "window": 24}
    sample = prior(2, seed=3, off=0.0)
    assert (effects(sample, [path], {}, sizes=sizes).of(path.name, "initiative_rate") != 0).all()
    fearless = Worlds(sample.values.copy(), sample.off, sample.nuisance)
    fearless.values[:, DRAWN.index("loss_aversion")] = 0.0
    assert (effects(fearless, [path], {}, sizes=sizes).estimate == 0).all()


def test_parameters_are_scaled_from_what_the_world_has_and_nulls_stay_nulls():
    arm = Arm("more fear", scaled=(("fear_blamed", 1.5),))
    default = World({"fear_blamed": 0.2})
    assert arm.parameters(default).fear_blamed == pytest.approx(0.3)
    assert arm.parameters(replace(default, off=("learned_fear",))).fear_blamed == 0.0


def test_baseline_tells_levels_spreads_between_posts_and_whether_those_with_a_record_slip_more():
    sample = prior(2, seed=5)
    sizes = {"systems": 2, "organisations": 3, "managers": 6, "months": 60, "window": 24}
    found = baseline(sample, sizes=sizes)
    world = sample[0]
    posts = [
        simulate(seed=seed, mechanisms_off=world.off, **sizes,
                 **{n: v for n, v in world.values.items() if n not in dead(world)}).posts
        for _, seed in zip(range(PAIRS), seeds_of(world), strict=False)
    ]  # fmt: skip
    spread = np.sqrt(np.mean([run["fear"].var(ddof=0) for run in posts]))
    assert found.spread[0, SPREAD.index("fear")] == pytest.approx(spread)
    assert found.of("fear")[0] == pytest.approx(np.mean([run["fear"].mean() for run in posts]))
    x, y = (np.concatenate([run[n] - run[n].mean() for run in posts]) for n in ("record_share", "negligence"))
    assert found.slope[0] == pytest.approx((x @ y) / (x @ x))


def test_where_nobody_is_dismissed_nobody_has_a_record_and_there_is_no_slope():
    sample = prior(1, off=0.0)
    kept = Worlds(sample.values, np.array([[key == "careers" for key in MECHANISMS]]), sample.nuisance)
    assert PARAMETERS["dismissal"].null == 0.0
    assert np.isnan(baseline(kept, sizes=SIZES).slope).all()


def test_numbers_depend_neither_on_threads_nor_on_an_interruption(tmp_path, monkeypatch):
    monkeypatch.setattr("sim.worlds.evaluate.BLOCK", 2)

    def interrupt(done, total, note=""):
        if done >= 3:
            raise KeyboardInterrupt

    whole = evaluated([SURVEILLANCE], worlds=5, workers=1)
    with pytest.raises(KeyboardInterrupt):
        evaluated([SURVEILLANCE], worlds=5, folder=tmp_path, progress=interrupt)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npz")}
    assert len(kept) == 1
    resumed = evaluated([SURVEILLANCE], worlds=5, folder=tmp_path, workers=2)
    assert np.array_equal(resumed.estimate, whole.estimate)
    assert all(path.stat().st_mtime_ns == made for path, made in kept.items())
    for path in tmp_path.glob("*.npz"):
        path.write_bytes(b"damaged")
    assert np.array_equal(evaluated([SURVEILLANCE], worlds=5, folder=tmp_path).estimate, whole.estimate)


@pytest.mark.parametrize("other", [{"seed": 1}, {"sizes": SIZES | {"months": 7}}, {"precision": {"fear": 1e-9}}])
def test_what_a_folder_keeps_answers_no_other_question(tmp_path, other):
    def asked(**how):
        sample, precision = prior(2, seed=3), how.pop("precision", {})
        return effects(sample, [SURVEILLANCE], precision, **{"sizes": SIZES} | how)

    kept = asked(folder=tmp_path)
    found = asked(folder=tmp_path, **other)
    assert np.array_equal(found.estimate, asked(**other).estimate)
    assert not np.array_equal(found.estimate, kept.estimate)


def test_what_a_folder_keeps_is_of_this_version_of_the_model_alone(tmp_path, monkeypatch):
    evaluated([SURVEILLANCE], folder=tmp_path)
    before = {*tmp_path.glob("*.npz")}
    monkeypatch.setattr("sim.worlds.evaluate.identity", lambda *names: "another")
    evaluated([SURVEILLANCE], folder=tmp_path)
    assert before and len({*tmp_path.glob("*.npz")}) == 2 * len(before)


def test_effects_of_some_worlds_are_those_effects_with_other_weights():
    found = evaluated([SURVEILLANCE])
    some = found.take(np.array([2, 0]), np.array([0.25, 0.75]))
    assert np.array_equal(some.of(SURVEILLANCE.name, "fear"), found.of(SURVEILLANCE.name, "fear")[[2, 0]])
    assert some.sample.weights.tolist() == [0.25, 0.75]


def test_support_that_is_spread_evenly_spends_what_the_paired_run_spent_month_by_month():
    much = Arm("much", settings=(("relationship", 0.6),))
    again = less(much, Arm("as much, evenly", evenly=much))
    assert (evaluated([again]).estimate == 0).all()
    rule = Arm("where fear is high", settings=(("local", (LocalRule((("relationship", 0.8),), where="fear > 0.3"),)),))
    found = evaluated([less(rule, Arm("evenly", evenly=rule)), level(rule), level(BASELINE)])
    assert found.of("where fear is high - evenly", "relationship_level") == pytest.approx(0.0, abs=1e-6)
    spent = found.of("where fear is high", "relationship_level")
    assert ((spent >= 0.3 - 1e-6) & (spent <= 0.8 + 1e-6)).all() and np.ptp(spent) > 0
    assert (found.of("where fear is high - evenly", "fear") != 0).any()
