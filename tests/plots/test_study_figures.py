"""Pictures of studies: each says what its numbers say, fits, and is the same when it is made again."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from layout import faults, texts
from matplotlib import colormaps
from PIL import Image

from sim.errors import InputError
from sim.model.mechanisms import MECHANISMS
from sim.plots import layout, theme
from sim.plots.claims import flip_map, hysteresis, model_against_evidence, what_carries
from sim.plots.run import _chance, fan, over_organisations
from sim.plots.study import (
    NAMES,
    cells_in_rows,
    dose_response,
    factor_map,
    pictures,
    study_figure,
    true_and_reported,
)
from sim.report.study import save, save_figure, save_figures
from sim.statistics import mean_interval
from sim.study import Results, Study

TINY = {"systems": 1, "organisations": 2, "managers": 3, "months": 6}
KEEP = ["fear", "trust", "quality", "reported", "honest_indicator", "practice_gain", "harm"]
GRID = {"kind": "grid", "monitoring": [0.0, 0.5, 1.0], "relationship": [0.1, 0.9]}
REGIMES = ["hands_off", "light", "baseline", "heavy", "punitive", "targets_and_terror", "supportive", "just_culture",
           "kark_adopted", "kark_full", "one_size", "integrated"]  # fmt: skip
LISTED = {
    "kind": "list",
    "cell": [
        *({"regime": name} for name in REGIMES),
        {"regime": "targets_and_terror", "relationship": 0.85, "recognition": 0.95},
        {"schedule": {"monitoring": {"2": 0.9, "4": 0.3}, "punitiveness": {"3": 0.9}}},
        {},
    ],
}
SAMPLED = {"kind": "lhs", "samples": 12, "monitoring": [0.1, 0.9], "leniency": [0.0, 1.0]}
HOSTILE = '<script>alert("1")</script> & $\\frac{$ costs 5, a long title that goes on and on, as titles of students do'
# {} and baseline set the same: the last cell of a list without the regime baseline
LISTED["cell"] = [cell for cell in LISTED["cell"] if cell != {"regime": "baseline"}]


def study(folder: Path, design: dict, **changes: object) -> Results:
    outcomes = {"keep": KEEP, "window": 3, "series": True, "organisations": design["kind"] != "lhs"}
    table = {"title": "Mine", "seeds": 3, "parameters": TINY, "design": design, "outcomes": outcomes} | changes
    return Study.from_dict(table).run(folder / design["kind"])


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return study(tmp_path_factory.mktemp("grid"), GRID)


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return study(tmp_path_factory.mktemp("list"), LISTED, title=HOSTILE)


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return study(tmp_path_factory.mktemp("lhs"), SAMPLED)


def planted(results: Results, **columns: object) -> Results:
    """The same study as if its outcomes had come out like this: a function of the runs for each."""
    other = Results(results.folder)
    other.runs = results.runs.assign(**columns)
    return other


def noise(runs: pd.DataFrame, size: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, size, len(runs))


def test_a_study_gets_the_pictures_that_its_design_and_its_outcomes_call_for(grid, listed, sampled):
    assert tuple(pictures(grid)) == NAMES
    assert list(pictures(listed)) == ["figure", "figure_gap", "figure_paths", "figure_organisations"]
    assert list(pictures(sampled)) == ["figure"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("design", ["grid", "listed", "sampled"])
def test_every_picture_fits_on_a_slide_and_says_in_words_what_it_shows(design, name, request):
    results = request.getfixturevalue(design)
    if name not in pictures(results):
        return
    figure = pictures(results)[name](results)
    assert faults(figure) == []
    width, height = figure.get_size_inches()
    assert width / height == pytest.approx(16 / 9, abs=0.01)
    assert theme.finding(figure)
    assert len(theme.alternative(figure)) > len(theme.finding(figure))


def test_the_checker_finds_what_does_not_fit(grid):
    figure = study_figure(grid)
    figure.text(0.9, 0.5, "far too long for the place where it stands")
    assert any(line.startswith("cut off: 'far too long") for line in faults(figure))
    figure = study_figure(grid)
    figure.text(0.03, 0.95, "on the title")
    assert any("overlap" in line and "on the title" in line for line in faults(figure))


@pytest.mark.parametrize("outcomes", [["fear"], KEEP[:3], pytest.param(KEEP[:5], marks=pytest.mark.slow), KEEP])
def test_any_number_of_outcomes_fits(grid, outcomes):
    assert faults(dose_response(grid, outcomes)) == []
    assert faults(cells_in_rows(grid, outcomes)) == []


def test_dose_and_response_say_how_much_the_outcome_moves_at_each_end_of_the_second_factor(grid):
    def fear(runs):
        return 0.2 + np.where(runs["relationship"] > 0.5, 0.1, 0.3) * runs["monitoring"] + noise(runs, 1e-4)

    title = theme.finding(dose_response(planted(grid, fear=fear), ["fear"]))
    assert title.startswith("As monitoring goes from 0 to 1, fear rises by 0.30 (")
    assert "rises by 0.10" in title and title.endswith("at relationship 0.9")


def test_what_chance_does_is_no_finding(grid):
    still = planted(grid, fear=lambda runs: 0.3 + noise(runs, 0.01, 3), quality=0.3, reported=0.5)
    assert theme.finding(dose_response(still, ["fear"])).count("does not clearly change") == 2
    assert "does not differ clearly" in theme.finding(factor_map(planted(grid, fear=0.3), ["fear"]))
    assert "does not differ clearly" in theme.finding(cells_in_rows(planted(grid, fear=0.3), ["fear"]))
    assert "the gap does not clearly change" in theme.finding(true_and_reported(still))


def test_lines_and_bands_are_the_means_by_seed_with_their_intervals(grid):
    axes = dose_response(grid, ["quality"]).axes[0]
    line = axes.lines[0].get_ydata()
    runs = grid.runs[grid.runs["relationship"] == 0.1]
    assert line == pytest.approx(runs.groupby("monitoring")["quality"].mean().to_numpy())
    mean, low, high = mean_interval(runs.loc[runs["monitoring"] == 1.0, "quality"].to_numpy())
    band = axes.collections[0].get_paths()[0].vertices
    assert {low, high} <= set(band[:, 1]) and mean == line[-1]


def test_a_map_names_its_highest_and_its_lowest_place_and_writes_every_value(grid):
    figure = factor_map(planted(grid, fear=lambda r: r["monitoring"] - r["relationship"] + noise(r, 1e-4)), ["fear"])
    title = theme.finding(figure)
    assert "highest at monitoring 1, relationship 0.1 and lowest at monitoring 0, relationship 0.9" in title
    assert "1.8 (1.8 to 1.8)" in title
    assert [text.get_text() for text in figure.axes[0].texts] == ["−0.10", "0.40", "0.90", "−0.90", "−0.40", "0.10"]


def test_maps_are_legible_in_grey_and_lines_differ_by_more_than_colour():
    colours = colormaps[layout.COLOURS](np.linspace(0, 1, 64))[:, :3]
    grey = colours @ [0.299, 0.587, 0.114]
    assert (np.diff(grey) > 0).all() and grey[-1] - grey[0] > 0.6
    assert len({dash for _, dash in theme.LINES[:4]}) == 4


def test_the_gap_is_what_is_reported_less_what_is_true(grid, listed):
    def reported(runs):
        return runs["quality"] + 0.1 + 0.2 * runs["monitoring"] + noise(runs, 1e-4)

    title = theme.finding(true_and_reported(planted(grid, reported=reported)))
    assert title.startswith("Reports exceed quality of care by 0.2")
    assert "as monitoring goes from 0 to 1, the gap rises by 0.2" in title
    short = planted(grid, reported=lambda r: r["quality"] - 0.1 + noise(r, 1e-4))
    assert theme.finding(true_and_reported(short)).startswith("Reports fall short of quality of care by 0.1")
    worst = planted(listed, reported=lambda r: r["quality"] + 0.1 + 0.2 * (r["regime"] == "heavy") + noise(r, 1e-4))
    figure = true_and_reported(worst)
    assert "most under heavy" in theme.finding(figure) and "(+0.30)" in theme.finding(figure)
    assert texts(figure).count("+0.30") == 1


def test_cells_are_named_by_what_they_set(listed):
    title = theme.finding(cells_in_rows(planted(listed, fear=lambda r: r["cell"] + noise(r, 1e-3)), ["fear"]))
    assert "highest under baseline" in title and "lowest under hands off" in title
    assert "13 (13 to 13)" in title and title.endswith("apart")


def test_a_fan_holds_the_median_and_the_middle_of_the_runs(grid):
    figure = fan(grid, ["fear"])
    axes = figure.axes[0]
    table = grid.series()
    first = table[(table["cell"] == 1) & (table["month"] == 6)]["fear"]
    assert axes.lines[0].get_ydata()[-1] == pytest.approx(first.median())
    widest = axes.collections[0].get_paths()[0].vertices
    at_end = widest[widest[:, 0] == 6][:, 1]
    assert at_end.min() == pytest.approx(first.quantile(0.05)) and at_end.max() == pytest.approx(first.quantile(0.95))
    assert len(axes.lines) == 4  # the corners of the grid


def test_months_in_which_a_lever_changes_are_marked(tmp_path):
    design = {"kind": "list", "cell": [{}, {"schedule": {"monitoring": {"3": 0.9}}}]}
    figure = fan(study(tmp_path, design), ["fear"])
    assert [line.get_xdata()[0] for line in figure.axes[0].lines if line.get_linestyle() == ":"] == [3]
    assert "Dotted" in " ".join(texts(figure))


def test_distributions_count_pairs_of_organisations():
    assert _chance(np.array([1, 2, 3]), np.array([0, 2])) == pytest.approx(4.5 / 6)
    assert _chance(np.array([5, 6]), np.array([1, 2])) == 1.0


def test_distributions_are_over_the_last_months_of_every_organisation(grid):
    axes = over_organisations(grid, ["fear"]).axes[0]
    table = grid.organisations()
    last = table[(table["cell"] == 1) & (table["month"] > 3)].groupby(["seed", "organisation"])["fear"].mean()
    low, high = axes.lines[0].get_xdata()
    assert (low, high) == pytest.approx((last.quantile(0.05), last.quantile(0.95)))
    assert axes.lines[2].get_xdata() == pytest.approx(last.median())


def loop(apart: float) -> pd.DataFrame:
    rows = [
        (x, way, 0.2 + 0.1 * x + (apart if way == "down" else 0.0)) for way in ("up", "down") for x in (0.1, 0.5, 0.9)
    ]
    table = pd.DataFrame(rows, columns=["level", "direction", "mean"])
    return table.assign(low=table["mean"] - 0.01, high=table["mean"] + 0.01)


def test_a_loop_says_whether_its_bands_part():
    open_, narrow, other = (hysteresis(loop(apart), note="Forty worlds.") for apart in (0.05, 0.004, -0.05))
    assert "0.050 higher on the way down" in theme.finding(open_) and "do not overlap" in theme.finding(open_)
    assert "though the bands overlap" in theme.finding(narrow)
    assert "lower on the way down" in theme.finding(other)
    assert faults(open_) == []


def evidence(within: int, patterns: int = 26) -> pd.DataFrame:
    off = np.where(np.arange(patterns) < within, 0.1, 0.5)
    table = pd.DataFrame({"pattern": [f"speaking_up_where_trust_is_low_{k}" for k in range(patterns)], "value": 0.3})
    table = table.assign(sd=0.1, median=0.3 + off, low=0.2 + off, high=0.4 + off)
    return table.assign(prior_median=0.9, prior_low=0.1, prior_high=1.7, within=0.5)


def test_the_evidence_is_counted():
    figure = model_against_evidence(evidence(24), "700 worlds.")
    assert "agree with 24 of 26 published findings within two tolerances, 0 before" in theme.finding(figure)
    assert faults(figure) == []
    assert "misses" not in theme.finding(model_against_evidence(evidence(26)))


def test_what_carries_an_answer_names_only_what_is_clear():
    rows = [(name, mechanism.case, 0.001, 0.002) for name, mechanism in MECHANISMS.items()]
    table = pd.DataFrame(rows, columns=["mechanism", "case", "contribution", "standard_error"])
    assert theme.finding(what_carries(table, "heavy − light", "fear")).startswith("No mechanism stands out")
    table.loc[table["mechanism"] == "contagion", "contribution"] = -0.04
    figure = what_carries(table, "heavy − light", "fear", "Three hundred draws.")
    assert "carried most by contagion (−0.040) (all" in theme.finding(figure)
    assert faults(figure) == []
    widths = {round(bar.get_width(), 4) for bar in figure.axes[0].patches}
    sums = table.groupby("case")["contribution"].sum().round(4)
    assert set(sums) <= widths


def flips(share: np.ndarray, size: np.ndarray) -> pd.DataFrame:
    edges = np.linspace(0.0, 1.0, 4)
    rows = [(edges[i], edges[i + 1], edges[j], edges[j + 1], share[i, j], size[i, j]) for i, j in np.ndindex(3, 3)]
    return pd.DataFrame(rows, columns=["x_low", "x_high", "y_low", "y_high", "share", "worlds"])


def test_a_map_of_where_it_flips_is_empty_where_worlds_are_few():
    share, size = np.arange(9.0).reshape(3, 3) / 8, np.full((3, 3), 50.0)
    size[2, 2] = 3.0
    figure = flip_map(flips(share, size), "loss_aversion", "trust_control", "Surveillance lowers initiative")
    assert "supported in 88 % of worlds, by weight, with loss aversion 0.67 to 1 and trust" in theme.finding(figure)
    assert len(figure.axes[0].texts) == 8
    assert faults(figure) == []
    nowhere = flip_map(flips(share, 0 * size), "loss_aversion", "trust_control", "It")
    assert "too few worlds" in theme.finding(nowhere)


def test_a_path_gets_what_its_ending_asks_for(grid, tmp_path):
    assert [path.name for path in save_figure(grid, tmp_path / "one.pdf")] == ["one.pdf"]
    assert (tmp_path / "one.pdf").read_bytes().startswith(b"%PDF")
    assert [path.name for path in save_figure(grid, tmp_path / "all")] == ["all.png", "all.svg", "all.pdf"]
    with pytest.raises(InputError, match=r"pictures end in .png, .svg or .pdf"):
        save_figure(grid, tmp_path / "one.jpg")
    assert len(list(tmp_path.iterdir())) == 4


def test_files_hold_title_words_and_origin_and_markup_is_text(listed, tmp_path):
    png, svg, _ = save_figure(listed, tmp_path / "figure")
    words = theme.alternative(listed.plot())
    with Image.open(png) as image:
        assert image.info["Title"] == HOSTILE and image.info["Comment"] == words
        origin = json.loads(image.info["Description"])
        assert len(np.unique(np.asarray(image.convert("L")))) > 20, "blank"
    assert (origin["runs"], origin["study"]) == (3 * 14, HOSTILE) and origin["computed_by"][0]["packages"]["numpy"]
    root = ElementTree.parse(svg).getroot()
    space = "{http://www.w3.org/2000/svg}"
    assert (root.find(f"{space}title").text, root.find(f"{space}desc").text) == (HOSTILE, words)
    assert root.get("role") == "img" and not list(root.iter(f"{space}script"))


def test_the_same_results_give_the_same_bytes(listed, tmp_path):
    one, two = (save_figure(Results(listed.folder), tmp_path / name) for name in ("one", "two"))
    assert len(one) == 3 and [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


@pytest.mark.slow
def test_every_picture_has_the_same_bytes_when_it_is_made_again(grid, tmp_path):
    for name in ("one", "two"):
        save_figures(Results(grid.folder), tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert len(files) == 3 * len(NAMES)
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file


def test_pictures_that_a_changed_study_no_longer_has_go_away(tmp_path):
    for keep in (["fear", "quality", "reported"], ["fear"]):
        results = study(tmp_path, {"kind": "list", "cell": [{}]}, outcomes={"keep": keep})
        written = save(results)
        assert {path.name for path in results.folder.glob("figure*")} == {p.name for p in written if "figure" in p.name}
    assert not (results.folder / "figure_gap.png").exists()
