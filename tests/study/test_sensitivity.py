"""Sensitivity: known functions put in the model's place give the answers known for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from SALib.analyze import morris as salib_morris

from sim.errors import InputError
from sim.study import Study
from sim.study.design import sampled
from sim.study.sensitivity import morris, of_means, sensitivity

NAMES = ("monitoring", "targets", "leniency")
THREE = {name: [0.0, 1.0] for name in NAMES}
SMALL = {"systems": 1, "organisations": 2, "managers": 3, "months": 6}


def study(kind: str, samples: int, **factors: Any) -> Study:
    factors = factors or THREE
    return Study.from_dict({"seeds": 1, "design": {"kind": kind, "samples": samples, **factors}})


def linear(cells: pd.DataFrame) -> pd.DataFrame:
    """Independent uniform factors with weights 1, -3 and 2: shares of the variance 1/14, 9/14 and 4/14."""
    x, y, z = (cells[name] for name in NAMES)
    return pd.DataFrame({"fear": x - 3 * y + 2 * z})


def ishigami(cells: pd.DataFrame) -> pd.DataFrame:
    x, y, z = (np.pi * (2 * cells[name] - 1) for name in NAMES)
    return pd.DataFrame({"fear": np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x)})


def values(found: Any, measure: str) -> pd.DataFrame:
    return found.table[found.table["measure"] == measure].set_index("driver")


def covers(rows: pd.DataFrame, truth: dict[str, float], slack: float = 0.01) -> None:
    for name, value in truth.items():
        assert rows.loc[name, "low"] - slack <= value <= rows.loc[name, "high"] + slack, (name, value)
        assert rows.loc[name, "estimate"] == pytest.approx(value, abs=0.05)


def test_sobol_indices_of_ishigami_are_the_analytic_ones() -> None:
    one = study("sobol", 2048)
    found = of_means(one, ishigami(one.cells))
    covers(values(found, "first_order"), {"monitoring": 0.3139, "targets": 0.4424, "leniency": 0.0})
    covers(values(found, "total"), {"monitoring": 0.5576, "targets": 0.4424, "leniency": 0.2437})
    assert found.mattering("fear") == ["monitoring", "targets", "leniency"]
    assert "interactions the rest" in found.text()


def test_sobol_indices_of_a_linear_function_are_its_shares_of_the_variance() -> None:
    one = study("sobol", 512)
    found = of_means(one, linear(one.cells))
    shares = {"monitoring": 1 / 14, "targets": 9 / 14, "leniency": 4 / 14}
    covers(values(found, "first_order"), shares)
    covers(values(found, "total"), shares)


def test_morris_finds_the_slopes_of_a_linear_function_and_agrees_with_salib() -> None:
    one = study("morris", 20)
    found = of_means(one, linear(one.cells))
    assert values(found, "mu_star")["estimate"].to_dict() == pytest.approx(
        {"targets": 3, "leniency": 2, "monitoring": 1}
    )
    assert values(found, "mu")["estimate"].to_dict() == pytest.approx({"targets": -3, "leniency": 2, "monitoring": 1})
    assert values(found, "sigma")["high"].max() < 1e-9
    drawn = sampled(one.plan.design)
    y = ishigami(one.cells)["fear"].reindex(drawn.cell).to_numpy()
    problem = {"num_vars": 3, "names": list(NAMES), "bounds": [[0, 1]] * 3}
    theirs = salib_morris.analyze(problem, drawn.unit, y, num_levels=4, seed=1)
    ours = morris(drawn, drawn.unit, y, 0, 200)
    for name in ("mu_star", "mu", "sigma"):
        assert ours[name][0] == pytest.approx(np.asarray(theirs[name], dtype=float))
    half = (ours["mu_star"][2] - ours["mu_star"][1]) / 2
    assert half == pytest.approx(np.asarray(theirs["mu_star_conf"], dtype=float), rel=0.3, abs=1e-9)


def test_rank_regression_finds_weights_directions_and_what_it_cannot_see() -> None:
    one = study("lhs", 1000)
    found = of_means(one, linear(one.cells))
    rows = values(found, "srrc")
    truth = {"monitoring": 1 / 14**0.5, "targets": -3 / 14**0.5, "leniency": 2 / 14**0.5}
    assert rows["estimate"].to_dict() == pytest.approx(truth, abs=0.03)
    assert found.r2.loc["fear", "estimate"] > 0.97
    assert found.settled("fear") and "would hardly change" in found.convergence("fear")
    curved = of_means(one, ishigami(one.cells))
    assert "targets" not in curved.mattering("fear")  # it rises and falls
    assert curved.r2.loc["fear", "high"] < 0.5 and "a sobol design sees those" in curved.text()


def test_a_curve_that_always_rises_is_as_good_as_a_line() -> None:
    one = study("lhs", 500)
    found = of_means(one, np.exp(2 * linear(one.cells)))
    assert found.ranking("fear")["driver"].tolist() == ["targets", "leniency", "monitoring"]
    assert found.r2.loc["fear", "low"] > 0.95


@pytest.mark.parametrize(("kind", "samples"), [("lhs", 300), ("sobol", 128), ("morris", 40)])
def test_every_method_ranks_categories_whole_numbers_mechanisms_and_what_moves_together(
    kind: str, samples: int
) -> None:
    pair = {"name": "surveillance", "monitoring": [0.0, 1.0], "targets": [1.0, 0.0]}
    regimes = ["light", "heavy", "supportive"]
    one = study(kind, samples, regime=regimes, systems=[1, 4], together=[pair], mechanisms=["gaming"], leniency=[0, 1])
    c = one.cells
    effect = c["regime"].map({"light": 0.0, "heavy": 8.0, "supportive": 0.0}).astype(float)
    gaming = (c["mechanisms_off"] == "").astype(float)
    y = effect + 4 * c["monitoring"] + 0.7 * (c["systems"] - 1) + 1.0 * gaming + 0.001 * c["leniency"]
    found = of_means(one, pd.DataFrame({"fear": y, "quality": -y}))
    order = ["regime", "surveillance", "systems", "mechanism gaming", "leniency"]
    assert found.ranking("fear")["driver"].tolist() == order
    assert found.ranking("quality")["driver"].tolist() == order
    assert "leniency" not in found.mattering("fear")
    assert set(values(found, found.table["measure"][0]).loc[["surveillance"], "sets"]) == {"monitoring, targets"}


def test_more_samples_would_change_a_ranking_that_luck_decides() -> None:
    one = study("lhs", 100)
    noise = np.random.default_rng(0).normal(size=len(one.points))
    found = of_means(
        one,
        pd.DataFrame({"fear": one.cells["targets"] + one.cells["leniency"] + 0.3 * noise}).set_index(one.cells.index),
    )
    assert not found.settled("fear")
    assert "overlap" in found.convergence("fear") and "may change" in found.convergence("fear")


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    covered = []
    for seed in range(40):
        one = study("lhs", 200, **THREE, seed=seed)
        noise = np.random.default_rng(seed).normal(scale=1.0, size=200)
        found = of_means(one, linear(one.cells).add(noise, axis=0))
        row = values(found, "srrc").loc["leniency"]
        covered.append(row["low"] <= 0.3847 <= row["high"])  # from 400,000 rows
    assert np.mean(covered) >= 0.85


def test_the_bootstrap_is_seeded_also_with_zero() -> None:
    one = study("sobol", 64)
    tables = [of_means(one, ishigami(one.cells), seed=seed).table for seed in (0, 0, 1)]
    pd.testing.assert_frame_equal(tables[0], tables[1])
    assert (tables[0]["low"] != tables[2]["low"]).any()


def test_an_outcome_that_never_changes_depends_on_nothing() -> None:
    for kind in ("lhs", "sobol", "morris"):
        one = study(kind, 16)
        found = of_means(one, pd.DataFrame({"fear": 0.5}, index=one.cells.index))
        assert found.text() == "Fear is the same in every cell."


@pytest.mark.parametrize(("kind", "block"), [("lhs", 1), ("sobol", 5), ("morris", 4)])
def test_what_failed_is_left_out_with_its_whole_block_and_is_said(kind: str, block: int) -> None:
    one = study(kind, 64)
    means = linear(one.cells)
    means.loc[1] = np.nan
    gone = set(np.flatnonzero(sampled(one.plan.design).cell == 1) // block)
    found = of_means(one, means, failed=1)
    assert (found.samples, found.left_out) == (64 - len(gone), len(gone))
    assert found.notes() and "Failed runs: 1." in found.notes()[0]
    with pytest.raises(InputError, match="needs at least"):
        of_means(one, means.iloc[:1], failed=1)


def test_from_the_runs_of_a_study_averaged_over_replications(tmp_path: Path) -> None:
    design = {"kind": "lhs", "samples": 40, "punitiveness": [0.0, 1.0], "targets": [0.0, 1.0]}
    outcomes = {"keep": ["sanctions", "quality"], "window": 4}
    one = Study.from_dict({"seeds": 2, "parameters": SMALL, "design": design, "outcomes": outcomes})
    results = one.run(tmp_path / "r")
    found = results.sensitivity(["sanctions"])
    means = results.runs.groupby("cell")[["sanctions"]].mean()
    pd.testing.assert_frame_equal(found.table, of_means(one, means).table)
    assert found.mattering("sanctions")[0] == "punitiveness"
    assert found.runs == 80
    with pytest.raises(InputError, match="no such outcome kept by this study"):
        results.sensitivity(["feer"])


def test_a_design_that_is_drawn_differently_is_noticed(tmp_path: Path) -> None:
    design = {"kind": "lhs", "samples": 10, "targets": [0.0, 1.0]}
    results = Study.from_dict({"seeds": 1, "parameters": SMALL, "design": design}).run(tmp_path / "r")
    path = tmp_path / "r" / "study.toml"
    path.write_text(path.read_text().replace("seed = 0", "seed = 1"))
    with pytest.raises(InputError, match="run it again"):
        sensitivity(results)


def test_a_grid_has_no_sensitivity() -> None:
    one = Study.from_dict({"seeds": 1, "design": {"kind": "grid", "targets": [0.0, 1.0]}})
    with pytest.raises(InputError, match=r'design\.kind = "grid": sensitivity needs'):
        of_means(one, pd.DataFrame({"fear": [0.0, 1.0]}, index=one.cells.index))
