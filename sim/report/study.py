"""The report on a study: its pictures, tables, how it was done, what differs from the default, how to do it again."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sim.claims.text import joined, label, shown_numbers
from sim.model.outcomes import OUTCOMES
from sim.model.parameters import DECLARATIONS, MECHANISMS, REGIMES, SIZES, resolve
from sim.plots import cells, theme
from sim.report.html import Code, Part, Section, Table, Text, picture, report

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim.study import Results

MOST_CELLS = 60
"""More cells than this have no table in a report; the file of runs has them."""
_ACROSS = 5  # outcomes beside each other in a table
_LEADING = 10  # drivers of each outcome
CAVEATS = (
    "This is a simulation. What is not varied here stays at the values that the table of settings names and at the "
    "defaults; other plausible values may give another answer, and the intervals say nothing about that: they cover "
    "chance within this model only.",
    "Many parameters are assumptions, and much of the evidence behind the others comes from people other than NHS "
    "managers. The program lists the source of each: sim parameters NAME.",
    "A title names what stands out in the picture below it. Where the largest of many differences is picked, chance "
    "makes it look a little larger than it is.",
)


def of_study(results: Results, figures: Mapping[str, Figure]) -> str:
    """The report on a study, finished or not, as HTML; `figures` are its pictures by name (`sim.plots.studies`)."""
    origin = results.origin
    shown = [
        picture(figure, origin, f"Figure {number}. {theme.finding(figure)}. File: {name}.png, .svg and .pdf.")
        for number, (name, figure) in enumerate(figures.items(), 1)
    ]
    sentences = [Text(results.sensitivity_text().splitlines())] if results.is_sampled else []
    sections = [
        Section("What was found", [*sentences, *shown]),
        Section("The numbers", tables(results)),
        Section("How it was done", [Text(paragraphs(results))]),
        Section("What varies, and what differs from the default", settings(results)),
        Section("What to keep in mind", [Text(CAVEATS)]),
        Section("How to reproduce it", recipe(results)),
    ]
    answer = f"{theme.finding(figures['figure'])}."
    return report(results.title, answer, sections, origin, unfinished(results))


def unfinished(results: Results) -> str:
    """What a reader has to know first: that runs are missing or failed; else nothing."""
    runs, failed = results.counts
    parts = [f"{results.missing:,} runs are still to be done"] if results.missing else []
    parts += [f"{failed:,} runs failed and are left out"] if failed else []
    return f"Of {runs + results.missing:,} runs, {joined(parts)}." if parts else ""


def tables(results: Results) -> list[Part]:
    """The numbers: means by cell, or what outcomes depend on; and how precise sequential replication was."""
    if results.is_sampled:
        return [_drivers(results)]
    found: list[Part] = []
    if results.cells > MOST_CELLS:
        found.append(Text([f"{results.cells:,} cells are too many for a table here; summary.csv has all of them."]))
    else:
        summary = results.summary()
        names = results.outcomes
        found += [_means(results, summary, names[k : k + _ACROSS]) for k in range(0, len(names), _ACROSS)]
    if results.is_sequential and results.cells <= MOST_CELLS:
        found.append(_precision(results))
    return found


def _means(results: Results, summary: pd.DataFrame, names: Sequence[str]) -> Table:
    rows = []
    for number, part in summary[summary["outcome"].isin(names)].groupby("cell", sort=True):
        first = part.iloc[0]
        values = [_with_half(row["mean"], row["half_width"]) for row in part.to_dict("records")]
        rows.append([str(number), *(_setting(name, first[name]) for name in results.columns), str(first["n"]), *values])
    units = [f"{label(name)} ({OUTCOMES[name].unit})" for name in names]
    head = ["cell", *(cells.plain(name) for name in results.columns), "runs", *(label(name) for name in names)]
    note = "±: half of the 95 % interval of the mean. From summary.csv; all runs are in runs/."
    return Table(f"Means by cell: {joined(units)}", head, rows, note)


def _with_half(mean: float, half: float) -> str:
    if np.isnan(half):
        return theme.minus(shown_numbers(mean)[0])
    return theme.minus("\u00a0±\u00a0".join(shown_numbers(mean, half, finest=half / 10)))


def _setting(name: str, value: Any) -> str:
    return "" if value == "" else cells.said(name, value) if name == "schedule" else theme.minus(_number(value))


def _number(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


def _precision(results: Results) -> Table:
    rows = [
        [str(row["cell"]), str(row["n"]), f"{row['half_width']:.3g}", row["ended"] or "going on"]
        for row in results.precision().to_dict("records")
    ]
    return Table("Runs that each cell needed", ("cell", "runs", "half-width", "ended"), rows)


def _drivers(results: Results) -> Table:
    found = results.sensitivity()
    rows = [
        [label(name), str(rank), cells.plain(row["driver"]), row["measure"], f"{row['estimate']:.3g}",
         f"{row['low']:.3g} to {row['high']:.3g}"]
        for name in found.outcomes
        for rank, row in found.ranking(name).head(_LEADING).iterrows()
    ]  # fmt: skip
    head = ("outcome", "rank", "driver", "measure", "estimate", "95 % interval")
    return Table(f"The {_LEADING} leading drivers of each outcome", head, rows, "From sensitivity.csv, which has all.")


def paragraphs(results: Results) -> list[str]:
    """How the study was done: design, seeds, sizes, engine, intervals."""
    return [_design(results), _seeds(results), _sizes(results), _ENGINE, _intervals(results)]


_ENGINE = (
    "Runs were made by the compiled engine, which follows the same rules as the readable Mesa model and gives the same "
    "bits on one platform with one set of package versions."
)


def _design(results: Results) -> str:
    design = results.study.plan.design
    count = f"{results.cells:,} cell{'s' if results.cells != 1 else ''}"
    kind, samples, seed = (design.get(name, "") for name in ("kind", "samples", "seed"))
    drawn = f"drawn with design seed {seed}"
    return {
        "grid": f"The design is a grid: every combination of the values below, {count}.",
        "list": f"The design is a list of {count}.",
        "lhs": f"The design is a Latin hypercube of {samples} samples, {drawn}: {count}.",
        "sobol": f"The design is a Sobol' design of {samples} base samples, {drawn}: {count}.",
        "morris": f"The design is a Morris design of {samples} trajectories, {drawn}: {count}.",
    }.get(kind, "Nothing is varied: there is one cell.")


def _seeds(results: Results) -> str:
    plan = results.study.plan
    same = (
        "Random numbers are common to all cells under one seed, decision by decision, so cells differ by what was set."
    )
    if plan.precision is None:
        last = plan.seed + plan.seeds - 1
        return f"Each cell was run with {plan.seeds} seeds, {plan.seed} to {last}, the same in every cell. {same}"
    asked = plan.precision
    return (
        f"Each cell was run with seeds from {plan.seed} on, {plan.seeds} at least and {asked.maximum} at most, until "
        f"half of the 95 % interval of {label(asked.outcome)} was {asked.half_width:g} or less. {same}"
    )


def _sizes(results: Results) -> str:
    plan = results.study.plan
    p = resolve(**plan.common)
    varied = [name for name in SIZES if name in results.columns]
    unless = f" ({joined([cells.plain(name) for name in varied])} as the design says)" if varied else ""
    return (
        f"A run simulates {p.systems} systems of {p.organisations} organisations with {p.managers} managers each, "
        f"{p.systems * p.organisations * p.managers:,} managers, for {p.months} months{unless}. Outcomes are means "
        f"over the last {min(p.window, p.months)} months."
    )


def _intervals(results: Results) -> str:
    if results.is_sampled:
        return "Intervals are 95 % intervals from a bootstrap over the samples of the design."
    return (
        "Intervals are 95 % intervals of means over seeds by Student's t. A difference is taken seed by seed before "
        "its interval is made, so that what two cells have in common drops out."
    )


def settings(results: Results) -> list[Part]:
    """What the design varies, and what is fixed at another value than the default."""
    found: list[Part] = []
    if varied := list(_varied(results)):
        found.append(Table("What varies", ("name", "values", "default", "unit", "meaning"), varied))
    head = ("name", "value", "default", "unit", "meaning")
    if fixed := list(_fixed(results)):
        found.append(Table("What is fixed at another value than the default", head, fixed))
    else:
        found.append(Text(["Everything else is at its default."]))
    return found


def _varied(results: Results) -> Iterator[tuple[str, ...]]:
    table = results.study.cells
    for name in results.columns:
        values = list(table[name].unique())
        if len(values) > 12 and not isinstance(values[0], str):
            text = f"{_number(min(values))} to {_number(max(values))}"
        else:
            text = ", ".join(_setting(name, value) or "none" for value in values)
        yield (cells.plain(name), textwrap.shorten(text, 400, placeholder=" ..."), *_facts(name))


def _fixed(results: Results) -> Iterator[tuple[str, ...]]:
    plan = results.study.plan
    if "regime" not in results.columns and plan.regime != "baseline":
        yield ("regime", cells.plain(plan.regime), *_facts("regime"))
    for name in plan.mechanisms_off:
        yield (cells.plain(name), "off", "on", "", MECHANISMS[name].meaning)
    p = resolve(**plan.common)
    for name, declared in DECLARATIONS.items():
        if name not in results.columns and getattr(p, name) != declared.default:
            yield (cells.plain(name), f"{getattr(p, name):g}", *_facts(name))
    for lever, by_month in p.schedule.items():
        text = ", ".join(f"{value:g} from month {month}" for month, value in by_month.items())
        yield (cells.plain(lever), text, *_facts(lever))


def _facts(name: str) -> tuple[str, str, str]:
    """Default, unit and meaning of what a study may set."""
    lever = name.partition("@")[0]
    if lever in DECLARATIONS:
        declared = DECLARATIONS[lever]
        return f"{declared.default:g}", declared.unit, declared.meaning
    return {
        "regime": (
            "baseline",
            "",
            f"A named way of overseeing; there are {joined([cells.plain(r) for r in REGIMES])}.",
        ),
        "mechanisms_off": ("none", "", "Mechanisms of the model that are switched off."),
        "schedule": ("none", "", "Levers that change while a run goes on."),
    }.get(name, ("", "", "Drives several settings at once, as the study's file says."))


def recipe(results: Results) -> list[Part]:
    """The study's file as it was resolved, and the command that runs it."""
    text = (results.folder / "study.toml").read_text(encoding="utf-8")
    return [
        Text(["With the version and packages named below, the same runs come out. Save this as study.toml:"]),
        Code("study.toml, with all that was left to defaults written out", text),
        Code("The command", "sim run study.toml"),
    ]
