"""Is there a best level of monitoring, and where?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim.questions import ask
from sim.questions.optimum import LEVELS, SHIFTS, best, slopes
from sim.statistics import top_of_parabola
from sim.worlds.evaluate import PLACE, run_means
from sim.worlds.prior import prior

SMALL: dict[str, Any] = {"systems": 1, "organisations": 2, "managers": 3, "months": 6}
M = np.array(LEVELS)


def vertex(at, values) -> float:
    return top_of_parabola(np.array(at), np.array(values)[None]).item()


def curve(top: float, height: float, noise: float, seed: int = 0, seeds: int = 12) -> np.ndarray:
    """A parabola over monitoring, with noise that all levels share and noise of their own."""
    rng = np.random.default_rng(seed)
    own, common = rng.normal(0, noise, (len(M), seeds)), rng.normal(0, 10 * noise, seeds)
    return (height - 4 * height * (M - top) ** 2)[:, None] + own + common


@pytest.mark.parametrize("top", [0.2, 0.5, 0.61])
def test_the_top_of_a_parabola_is_found_between_the_levels(top):
    assert vertex(LEVELS, 1 - (M - top) ** 2) == pytest.approx(top)
    assert best(curve(top, 0.1, 0.002)).location == pytest.approx(top, abs=0.05)


def test_an_end_may_be_best_and_a_flat_curve_has_no_bend():
    assert vertex(LEVELS, M) == 1.0 and vertex(LEVELS, -M) == 0.0
    assert best(curve(0.0, 0.1, 0.001)) == (0.0, -np.inf)
    assert vertex([0.0, 0.5, 1.0], np.array([1.0, 1.0, 1.0])) == 0.0


def test_the_margin_is_that_over_the_better_end():
    noiseless = curve(0.375, 0.1, 0.0)
    assert best(noiseless).margin == pytest.approx(4 * 0.1 * 0.375**2)


def test_a_flat_world_is_hardly_ever_said_to_have_an_optimum_inside():
    """None is surely worse here and the rest is flat, so luck has only one end to beat: in a fortieth of worlds, since
    the seeds that choose do not try."""
    worse_without = np.where(M == 0.0, -1.0, 0.0)[:, None]
    margins = [best(worse_without + curve(0.5, 0.0, 0.01, seed)).margin for seed in range(400)]
    assert np.mean(np.array(margins) > 0.0) < 0.045
    assert np.mean([best(curve(0.5, 0.05, 0.01, seed)).margin > 0.0 for seed in range(50)]) > 0.8


def test_a_slope_is_that_of_the_straight_line():
    assert slopes(np.array([0.2 * M + 3.0, -M])) == pytest.approx([0.2, -1.0])


def test_curves_and_shifts_are_those_of_the_runs():
    source = prior(3)
    found = ask("optimum", source, 3, replications=6, outcome="fear", **SMALL)
    drawn = source.resample(3)

    def fear(world, seed, lever, value, m):
        p = world.parameters(**{lever: value}, monitoring=m, **SMALL)
        return np.mean([run_means(p, seed + k)[PLACE["fear"]] for k in range(2)])

    pairs = list(zip(drawn, drawn.seeds, strict=True))
    row = found.tables["optimum_curves"][
        (found.tables["optimum_curves"]["lever"] == "leniency") & (found.tables["optimum_curves"]["value"] == 0.7)
    ].iloc[3]
    assert row["mean"] == pytest.approx(np.mean([fear(w, s, "leniency", 0.7, row["monitoring"]) for w, s in pairs]))
    shifts = found.tables["optimum_shifts"].set_index(["lever", "low", "high"])
    assert list(shifts.index) == list(SHIFTS)
    low, high = (np.array([[fear(w, s, "discernment", x, m) for m in LEVELS] for w, s in pairs]) for x in (0.2, 0.8))
    tilt = slopes(high) - slopes(low)
    assert shifts.loc[("discernment", 0.2, 0.8), "slope_shift"] == pytest.approx(tilt.mean())


def test_paperwork_is_most_where_all_is_monitored():
    """At full monitoring discovery is certain, which nothing else can exceed: no world has an optimum inside."""
    found = ask("optimum", prior(4, off=0.0), 4, replications=4, outcome="assurance", **SMALL)
    assert (found.tables["optimum_worlds"]["location"] == 1.0).all() and found.tables["optimum_locations"].empty
    shares = found.tables["optimum_shares"].set_index("what")["share"]
    assert shares["best at all"] == 1.0 and shares["interior"] == shares["best at none"] == 0.0
    assert "with all of it in 100 %" in found.sentences[0]
