"""Pictures of studies: each says what its numbers say, fits, and is the same when it is made again."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from layout import faults
from matplotlib import colormaps
from matplotlib.colors import to_hex
from PIL import Image

from sim.claims.statements import LIMITS
from sim.errors import InputError
from sim.model.mechanisms import MECHANISMS
from sim.plots import layout, theme
from sim.plots.reasons import flip_map, hysteresis, model_against_evidence, what_carries
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
    assert tuple(pictures(grid)) == tuple(name for name in NAMES if name != "figure_map"), "few values need no map"
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


def test_every_title_is_a_finding_with_at_most_one_number(grid, listed, sampled):
    for results in (grid, listed, sampled):
        for draw in pictures(results).values():
            title = theme.finding(draw(results))
            found = re.findall(r"\d+(?:\.\d+)?", title.replace("of 100", ""))
            assert len(found) <= 1 and "_" not in title, title
            assert not re.search(r"\d to [−\d]|\(", title), title


def test_dose_and_response_say_whether_the_second_factor_makes_a_difference(grid):
    def fear(low, high):
        return lambda r: 0.2 + np.where(r["relationship"] > 0.5, high, low) * r["monitoring"] + noise(r, 1e-4)

    def told(low, high):
        return theme.finding(dose_response(planted(grid, fear=fear(low, high)), ["fear"]))

    assert told(0.3, 0.1) == "With more monitoring, fear rises, less so with much investment in relationships"
    assert told(0.1, 0.3).endswith("more so with much investment in relationships")
    assert "falls, with little investment in relationships as with much" in told(-0.3, -0.3)
    assert told(0.0, 0.3).startswith("With more monitoring, fear hardly changes with little investment")
    assert told(0.001, 0.001) == "Fear hardly changes with monitoring"


def test_what_is_clear_but_too_small_to_matter_is_no_finding(grid):
    small = planted(grid, fear=lambda r: 0.3 + 0.01 * r["monitoring"] + noise(r, 1e-5), quality=0.3, reported=0.5)
    assert theme.finding(dose_response(small, ["fear"])) == "Fear hardly changes with monitoring"
    assert "hardly differs over the map" in theme.finding(factor_map(planted(grid, fear=0.3), ["fear"]))
    assert "hardly differs between the 6 cells" in theme.finding(cells_in_rows(planted(grid, fear=0.3), ["fear"]))
    assert "hardly changes how far reports run ahead" in theme.finding(true_and_reported(small))
    axes = cells_in_rows(small, ["fear"]).axes[0]
    low, high = axes.get_xlim()
    assert high - low > 2 * 100 * LIMITS["fear"].size, "what is alike looks alike"


def test_lines_and_bands_are_the_means_by_seed_with_their_intervals(grid):
    axes = dose_response(grid, ["quality"]).axes[0]
    line = axes.lines[0].get_ydata()
    runs = grid.runs[grid.runs["relationship"] == 0.1]
    assert line == pytest.approx(100 * runs.groupby("monitoring")["quality"].mean().to_numpy())
    mean, low, high = 100 * mean_interval(runs.loc[runs["monitoring"] == 1.0, "quality"].to_numpy())
    band = axes.collections[0].get_paths()[0].vertices
    assert {round(low, 9), round(high, 9)} <= {round(y, 9) for y in band[:, 1]} and mean == pytest.approx(line[-1])


def test_a_map_names_its_highest_and_its_lowest_place_and_writes_every_value(grid):
    figure = factor_map(planted(grid, fear=lambda r: r["monitoring"] - r["relationship"] + noise(r, 1e-4)), ["fear"])
    title = theme.finding(figure)
    assert "highest with much monitoring and little investment in relationships" in title
    assert "lowest with little monitoring and much investment in relationships" in title
    assert [text.get_text() for text in figure.axes[0].texts] == ["−10", "40", "90", "−90", "−40", "10"]


def test_maps_are_legible_in_grey_and_lines_differ_by_more_than_colour():
    colours = colormaps[layout.COLOURS](np.linspace(0, 1, 64))[:, :3]
    grey = colours @ [0.299, 0.587, 0.114]
    assert (np.diff(grey) > 0).all() and grey[-1] - grey[0] > 0.6
    assert len({dash for _, dash in theme.LINES[:4]}) == 4


def test_the_gap_is_what_is_reported_less_what_is_true(grid, listed):
    def reported(slope):
        return lambda r: r["quality"] + 0.1 + slope * r["monitoring"] + noise(r, 1e-4)

    def told(slope):
        return theme.finding(true_and_reported(planted(grid, reported=reported(slope))))

    assert told(0.2) == "The more monitoring, the further reports run ahead of quality of care"
    assert told(-0.2) == "The more monitoring, the less reports run ahead of quality of care"
    worst = planted(listed, reported=lambda r: r["quality"] + 0.1 + 0.2 * (r["regime"] == "heavy") + noise(r, 1e-4))
    figure = true_and_reported(worst)
    assert "run furthest ahead of quality of care under heavy oversight" in theme.finding(figure)
    gaps = [text.get_text() for text in figure.axes[0].texts if text.get_text().startswith("+")]
    assert gaps[0] == "+30" and gaps.count("+30") == 1, "the widest gap comes first"


def test_cells_are_named_by_what_they_set_and_come_in_the_order_of_the_result(listed):
    figure = cells_in_rows(planted(listed, fear=lambda r: r["cell"] + noise(r, 1e-3)), ["fear"])
    title = theme.finding(figure)
    assert "highest under today's oversight" in title and "lowest under hands-off oversight" in title
    rows = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert rows[0] == "Today's oversight" and rows[-1] == "Hands-off oversight"


def test_a_cell_of_a_list_can_have_a_name(tmp_path):
    design = {"kind": "list", "cell": [{"name": "as it is"}, {"name": "much punished", "punitiveness": 1.0}]}
    results = planted(study(tmp_path, design), fear=lambda r: 0.3 * r["cell"] + noise(r, 1e-4))
    assert theme.finding(cells_in_rows(results, ["fear"])) == (
        "Fear is highest with “much punished” and lowest with “as it is”"
    )


def test_a_fan_holds_the_median_and_the_middle_of_the_runs(grid):
    figure = fan(grid, ["fear"])
    axes = figure.axes[0]
    table = grid.series()
    first = table[(table["cell"] == 1) & (table["month"] == 6)]["fear"]
    assert axes.lines[0].get_ydata()[-1] == pytest.approx(100 * first.median())
    widest = axes.collections[0].get_paths()[0].vertices
    at_end = widest[widest[:, 0] == 6][:, 1]
    assert (at_end.min(), at_end.max()) == pytest.approx(tuple(100 * first.quantile([0.05, 0.95])))
    assert len(axes.lines) == 4  # the corners of the grid


def test_a_strip_shows_the_schedule_of_every_cell(tmp_path):
    design = {"kind": "list", "cell": [{}, {"schedule": {"monitoring": {"3": 0.9}}}]}
    figure = fan(study(tmp_path, design), ["fear"])
    strip, below = figure.axes
    assert strip.get_title(loc="left") == "Monitoring" and strip.get_xlim() == below.get_xlim()
    steps = [(line.get_xdata().tolist(), line.get_ydata().tolist()) for line in strip.lines]
    assert steps == [([1.0, 3.0, 6.0], [0.45, 0.9, 0.9])]
    assert faults(figure) == []


def test_distributions_count_pairs_of_organisations():
    assert _chance(np.array([1, 2, 3]), np.array([0, 2])) == pytest.approx(4.5 / 6)
    assert _chance(np.array([5, 6]), np.array([1, 2])) == 1.0


def test_distributions_are_over_the_last_months_of_every_organisation(grid):
    axes = over_organisations(grid, ["fear"]).axes[0]
    table = grid.organisations()
    last = table[(table["cell"] == 1) & (table["month"] > 3)].groupby(["seed", "organisation"])["fear"].mean()
    low, high = axes.lines[0].get_xdata()
    assert (low, high) == pytest.approx((100 * last.quantile(0.05), 100 * last.quantile(0.95)))
    assert axes.lines[2].get_xdata() == pytest.approx(100 * last.median())


def loop(apart: float) -> pd.DataFrame:
    rows = [
        (x, way, 0.2 + 0.1 * x + (apart if way == "down" else 0.0)) for way in ("up", "down") for x in (0.1, 0.5, 0.9)
    ]
    table = pd.DataFrame(rows, columns=["level", "direction", "mean"])
    return table.assign(low=table["mean"] - 0.01, high=table["mean"] + 0.01)


def test_a_loop_says_whether_an_outcome_comes_back(grid):
    open_, narrow, other = (hysteresis(loop(apart), note="Forty worlds.") for apart in (0.05, 0.004, -0.05))
    assert theme.finding(open_) == "Fear stays 5 points of 100 higher on the way down than it was on the way up"
    assert "does not get stuck" in theme.finding(narrow)
    assert "5 points of 100 lower on the way down" in theme.finding(other)
    assert faults(open_) == []


def evidence(within: int, patterns: int = 26) -> pd.DataFrame:
    off = np.where(np.arange(patterns) < within, 0.1, 0.5)
    table = pd.DataFrame({"pattern": [f"speaking_up_where_trust_is_low_{k}" for k in range(patterns)], "value": 0.3})
    table = table.assign(sd=0.1, median=0.3 + off, low=0.2 + off, high=0.4 + off)
    return table.assign(prior_median=0.9, prior_low=0.1, prior_high=1.7, within=0.5)


def test_the_evidence_says_what_was_fitted_and_what_was_not():
    told = theme.finding(figure := model_against_evidence(evidence(24), "700 worlds."))
    assert told == "Fitted to published findings, the model comes near most of them"
    assert faults(figure) == []
    assert theme.finding(model_against_evidence(evidence(26))).endswith("comes near all of them")
    table = pd.DataFrame({"finding": ["Some finding."] * 5, "share": [0.9, 0.8, 0.3, 0.2, 0.1], "fitted": "no"})
    table["reproduced"] = table["share"] > 0.5
    both = model_against_evidence(evidence(12, 12), unfitted=table)
    assert theme.finding(both).endswith("nothing was fitted to, it reproduces fewer than half")
    assert len(both.axes) == 2 and faults(both) == []


def carriers() -> pd.DataFrame:
    rows = [(name, mechanism.case, 0.001, 0.002) for name, mechanism in MECHANISMS.items()]
    return pd.DataFrame(rows, columns=["mechanism", "case", "contribution", "standard_error"])


def test_what_carries_an_effect_names_only_what_is_clear_and_large():
    table = carriers()
    assert theme.finding(what_carries(table, "Heavy", "fear")) == (
        "Fear rises on average, and no single mechanism stands out as the reason"
    )
    table.loc[table["mechanism"] == "learned_fear", "contribution"] = 0.09
    table.loc[table["mechanism"] == "reassurance", "contribution"] = -0.04
    figure = what_carries(table, "Heavy", "fear", "Three hundred draws.")
    assert theme.finding(figure) == (
        "Fear rises because punishment and watching are remembered; against that, being cleared reassures"
    )
    assert faults(figure) == []


def test_an_effect_that_is_too_small_to_matter_is_not_told_as_one():
    table = carriers().assign(contribution=0.0)
    for name, size in (("learned_fear", 0.05), ("reassurance", -0.04)):
        table.loc[table["mechanism"] == name, "contribution"] = size
    assert theme.finding(what_carries(table, "Heavy", "fear")) == (
        "Fear rises by less than matters on average: punishment and watching are remembered, "
        "but being cleared reassures"
    )


def test_the_steps_of_a_waterfall_add_up_to_the_whole():
    table = carriers().assign(contribution=np.linspace(-0.02, 0.05, len(MECHANISMS)))
    (axes,) = what_carries(table, "Heavy", "fear").axes
    *steps, whole = [bar.get_width() for bar in axes.patches]
    assert sum(steps) == pytest.approx(whole) == pytest.approx(100 * table["contribution"].sum())


def flips(share: np.ndarray, size: np.ndarray) -> pd.DataFrame:
    edges = np.linspace(0.0, 1.0, 4)
    rows = [(edges[i], edges[i + 1], edges[j], edges[j + 1], share[i, j], size[i, j]) for i, j in np.ndindex(3, 3)]
    table = pd.DataFrame(rows, columns=["x_low", "x_high", "y_low", "y_high", "share", "worlds"])
    return table.assign(x="loss_aversion", y="trust_control", answer="supported")


def test_a_map_of_where_it_flips_is_empty_where_worlds_are_few():
    share, size = np.arange(9.0).reshape(3, 3) / 8, np.full((3, 3), 50.0)
    size[2, 2] = 3.0
    figure = flip_map(flips(share, size), "close watching", "initiative_rate", -1)
    assert theme.finding(figure) == (
        "Whether close watching makes leaders try less depends most on how much more losses weigh than gains"
    )
    assert len(figure.axes[0].texts) == 8
    assert "Grey: too few worlds." in figure.get_supxlabel()
    assert faults(figure) == []
    assert flip_map(flips(share, 0 * size), "it", "initiative_rate", -1) is None


def test_a_map_of_where_it_flips_has_the_colour_of_better_or_worse_and_says_which_mechanism_is_on():
    share, size = np.linspace(0.0, 1.0, 9).reshape(3, 3), np.full((3, 3), 50.0)
    for way, colour in ((-1, theme.WORSE), (1, theme.BETTER)):
        figure = flip_map(flips(share, size).assign(y="mechanism audit"), "it", "initiative_rate", way)
        (boxes,) = figure.axes[0].collections
        assert to_hex(boxes.cmap(1.0)).upper() == colour
        assert figure.axes[0].get_ylabel() == "whether monitoring keeps reports honest"
        assert [tick.get_text().strip() for tick in figure.axes[0].get_yticklabels()] == ["off", "", "on"]
        assert "Grey" not in figure.get_supxlabel()


@pytest.mark.parametrize(("size", "numbers"), [(6, 36), (layout.MOST_NUMBERS + 1, 0)])
def test_no_line_runs_through_a_number_of_a_map(size: int, numbers: int) -> None:
    """Cells with numbers need neither lines nor a bar of colours; without numbers there are both."""
    smooth = pd.DataFrame(np.add.outer(np.arange(size), np.arange(size)) / 100)
    with theme.slide("It rises") as (figure, (axes,)):
        layout.heat_map(axes, smooth, "points")
    assert len(axes.texts) == numbers
    assert (len(axes.collections), len(figure.axes)) == ((1, 1) if numbers else (2, 2))


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
def test_every_picture_has_the_same_bytes_when_it_is_made_again(tmp_path):
    values = np.linspace(0.1, 0.9, layout.SMOOTH).tolist()
    mapped = study(tmp_path, {"kind": "grid", "monitoring": values, "relationship": values}, seeds=2)
    for name in ("one", "two"):
        save_figures(Results(mapped.folder), tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert {Path(file).stem for file in files} == {*NAMES} and len(files) == 3 * len(NAMES)
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file


def test_pictures_that_a_changed_study_no_longer_has_go_away(tmp_path):
    for keep in (["fear", "quality", "reported"], ["fear"]):
        results = study(tmp_path, {"kind": "list", "cell": [{}]}, outcomes={"keep": keep})
        written = save(results)
        assert {path.name for path in results.folder.glob("figure*")} == {p.name for p in written if "figure" in p.name}
    assert not (results.folder / "figure_gap.png").exists()
