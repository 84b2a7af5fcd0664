"""What is written about a study: its report, its pictures and its tables.

The report is one page with the pictures, the numbers, how it was done, what differs from the default, and how to do it
again.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sim import files
from sim.claims.statements import LIMITS
from sim.errors import counted
from sim.model.glossary import joined, shown_numbers
from sim.model.outcomes import OUTCOMES
from sim.model.parameters import MECHANISMS, PARAMETERS, REGIMES, SIZES, resolve
from sim.model.words import capital, change, label
from sim.plots import layout, theme
from sim.plots.study import pictures, study_figure
from sim.report.html import Code, Part, Section, Table, Text, picture, report

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim.study import Results

REPORT = "report.html"
MOST_CELLS = 60
"""More cells than this have no table in a report; the file of runs has them."""
POLICIES = ("outcome", "policy", "mean", "against", "mean", "difference", "95 % interval", "worlds")
PRECISION = ("cell", "runs", "half-width", "ended")
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


def save(results: Results) -> list[Path]:
    """Write into the folder of a study what its runs say, and return the paths; none where no run is done.

    ``report.html``, the pictures that fit (``figure`` and others of `sim.plots.study.NAMES`, as PNG, SVG and PDF), and
    ``summary.csv``, or for sampled designs ``sensitivity.csv`` and ``sensitivity.txt``. What is there, whole and made
    of these runs, is left as it is. Raises `InputError` where files cannot be written.
    """
    runs, failed = results.counts
    if runs == failed:
        return []
    folder = results.derived
    drawings = [f"{name}{ending}" for name in pictures(results) for ending in theme.FORMATS]
    names = [REPORT, *drawings, *(["sensitivity.csv", "sensitivity.txt"] if results.is_sampled else ["summary.csv"])]
    if not folder.is_fresh(results.digest, names):
        if results.is_sampled:
            found = results.sensitivity()
            contents = {names[-2]: files.csv(found.table), names[-1]: found.text().encode() + b"\n"}
        else:
            contents = {names[-1]: files.csv(results.summary())}
        drawn = _drawn(results)
        for name, figure in drawn.items():
            contents |= theme.drawn(figure, name, results.origin, results.title, theme.FORMATS)
        contents[REPORT] = of_study(results, drawn).encode()
        folder.fill(contents, results.digest)
    return [results.folder / name for name in names]


def save_figure(results: Results, path: Path) -> list[Path]:
    """Write the first picture in the format of the path's ending, .png, .svg or .pdf, or all three without an ending.

    Raises `InputError` for another ending, and where it cannot be written.
    """
    stem, formats = theme.wanted(path)
    return theme.save(study_figure(results), stem, results.origin, results.title, formats)


def save_figures(results: Results, folder: Path) -> list[Path]:
    """Write every picture that fits the study into a folder, which is made where it is missing; return the paths."""
    with files.explained(folder):
        files.make(folder)
    return [
        path
        for name, figure in _drawn(results).items()
        for path in theme.save(figure, folder / name, results.origin, results.title, theme.FORMATS)
    ]


def sensitivity_text(results: Results) -> str:
    """What a sampled design found, in sentences: as `save` wrote it, where no run has come since."""
    derived = results.derived
    if derived.of == results.digest and (found := derived.content("sensitivity.txt")) is not None:
        return found.decode().rstrip("\n")
    return results.sensitivity().text()


def _drawn(results: Results) -> dict[str, Figure]:
    return {name: draw(results) for name, draw in pictures(results).items()}


def of_study(results: Results, figures: Mapping[str, Figure]) -> str:
    """The report on a study, finished or not, as HTML; `figures` are its pictures by name (`sim.plots.study`)."""
    sentences = [Text(sensitivity_text(results).splitlines())] if results.is_sampled else []
    recipe = (results.folder / "study.toml").read_text(encoding="utf-8")
    drawn = [picture(figure, results.origin, f"{name}.png, .svg and .pdf") for name, figure in figures.items()]
    sections = [
        Section("What was found", [*sentences, *drawn]),
        Section("The numbers", tables(results)),
        Section("How it was done", [Text(paragraphs(results))]),
        Section("What varies, and what differs from the default", settings(results)),
        Section("What to keep in mind", [Text(CAVEATS)]),
        Section(
            "How to reproduce it",
            [
                Text(["With the version and packages named below, the same runs come out. Save this as study.toml:"]),
                Code("study.toml, with all that was left to defaults written out", recipe),
                Code("The command", "sim run study.toml"),
            ],
        ),
    ]
    runs, failed = results.counts
    parts = [f"{results.missing:,} runs are still to be done"] if results.missing else []
    parts += [f"{failed:,} runs failed and are left out"] if failed else []
    warning = f"Of {runs + results.missing:,} runs, {joined(parts)}." if parts else ""
    answer = f"{theme.finding(figures['figure']).rstrip('.')}."
    return report(results.title, answer, sections, results.origin, warning, meaning(results))


def meaning(results: Results) -> str:
    """What the largest difference in the first outcome means, held against what matters, in one sentence; nothing
    where there is no such difference or limit."""
    name = results.outcomes[0]
    limit = LIMITS.get(name)
    if results.is_sampled or limit is None or limit.of_baseline:
        return ""
    if results.policies:
        first, *later = results.policies
        changes = {one: results.compare(one, first) for one in later}
        each = {one: float(t.set_index("outcome")["difference"].astype(float)[name]) for one, t in changes.items()}
        if not each:
            return ""
        most = max(each, key=lambda one: abs(each[one]))
        size, between = each[most], f"{layout.plain(most)} instead of {layout.plain(first)} changes {label(name)} by"
    else:
        table = results.summary()
        means = table.loc[table["outcome"] == name, "mean"]
        if len(means) < 2 or means.isna().any():
            return ""
        size, between = float(means.max() - means.min()), f"from cell to cell, {label(name)} differs by at most"
    enough = "which is more than" if abs(size) > limit.size else "which is too little to matter: less than"
    told, least = (change(name, value).removeprefix("+") for value in (size, limit.size))
    return capital(f"{between} {told}, {enough} the {least} that matter.")


def tables(results: Results) -> list[Part]:
    """The numbers: means by cell, or what outcomes depend on; and how precise sequential replication was."""
    if results.is_sampled:
        found = results.sensitivity()
        rows = [
            [label(name), str(rank), layout.plain(row["driver"]), row["measure"], f"{row['estimate']:.3g}",
             f"{row['low']:.3g} to {row['high']:.3g}"]
            for name in found.outcomes
            for rank, row in found.ranking(name).head(_LEADING).iterrows()
        ]  # fmt: skip
        caption = f"The {_LEADING} leading drivers of each outcome"
        head = ("outcome", "rank", "driver", "measure", "estimate", "95 % interval")
        return [Table(caption, head, rows, "From sensitivity.csv, which has all.")]
    if results.policies:
        note = "Means over worlds by weight; intervals between calibrations. All runs, with weights, are in runs/."
        return [Table("What policies do over worlds", POLICIES, compared(results), note)]
    if results.cells > MOST_CELLS:
        return [Text([f"{results.cells:,} cells are too many for a table here; summary.csv has all of them."])]
    summary, names = results.summary(), results.outcomes
    parts: list[Part] = [_means(results, summary, names[k : k + _ACROSS]) for k in range(0, len(names), _ACROSS)]
    if results.is_sequential:
        parts.append(Table("Runs that each cell needed", PRECISION, precisely(results.precision())))
    return parts


def compared(results: Results) -> list[list[str]]:
    """Each later policy of a study over worlds less the first, below the heads `POLICIES`."""
    first, *later = results.policies
    return [
        [
            label(of),
            name,
            *map(theme.minus, (*shown_numbers(a), first, *shown_numbers(b), *_changed(by, low, high))),
            f"{n}",
        ]
        for name in later
        for of, a, b, by, low, high, n in results.compare(name, first).itertuples(index=False)
    ]  # fmt: skip


def _changed(change: float, low: float, high: float) -> tuple[str, str]:
    """A difference and its interval in texts, which is empty where there is none."""
    if np.isnan(low):
        return shown_numbers(change)[0], ""
    told, *ends = shown_numbers(change, low, high)
    return told, " to ".join(ends)


def precisely(table: pd.DataFrame) -> list[list[str]]:
    """The rows of `Results.precision` as texts, below the heads `PRECISION`."""
    return [
        [str(row["cell"]), str(row["n"]), f"{row['half_width']:.3g}", row["ended"] or "going on"]
        for row in table.to_dict("records")
    ]


def _means(results: Results, summary: pd.DataFrame, names: Sequence[str]) -> Table:
    rows = []
    for number, part in summary[summary["outcome"].isin(names)].groupby("cell", sort=True):
        pairs = zip(part["mean"], part["half_width"], strict=True)
        values = [shown_numbers(m) if np.isnan(half) else shown_numbers(m, half) for m, half in pairs]
        first = part.iloc[0]
        design = [_setting(name, first[name]) for name in results.columns]
        rows.append([str(number), *design, str(first["n"]), *(theme.minus("\u00a0±\u00a0".join(v)) for v in values)])
    units = [f"{label(name)} ({OUTCOMES[name].unit})" for name in names]
    head = ["cell", *(layout.plain(name) for name in results.columns), "runs", *(label(name) for name in names)]
    note = "±: half of the 95 % interval of the mean. From summary.csv; all runs are in runs/."
    return Table(f"Means by cell: {joined(units)}", head, rows, note)


def _setting(name: str, value: Any) -> str:
    if isinstance(value, str):
        return layout.said(name, value) if name == "schedule" and value else value
    return theme.minus(f"{value:.6g}")


def paragraphs(results: Results) -> list[str]:
    """How the study was done: design, seeds, sizes, engine, intervals."""
    plan, design = results.study.plan, results.study.plan.design
    kind, samples, seed = (design.get(name, "") for name in ("kind", "samples", "seed"))
    count = counted(results.cells, "cell")
    designed = {
        "grid": f"a grid: every combination of the values below, {count}",
        "list": f"a list of {count}",
        "worlds": f"{counted(results.cells, 'cell')}: worlds drawn by weight, crossed with {joined(results.policies)}",
        "lhs": f"a Latin hypercube of {samples} samples, drawn with design seed {seed}: {count}",
        "sobol": f"a Sobol' design of {samples} base samples, drawn with design seed {seed}: {count}",
        "morris": f"a Morris design of {samples} trajectories, drawn with design seed {seed}: {count}",
    }
    if results.policies:
        more = f" or more, {asked.maximum} at most" if (asked := plan.precision) else ""
        seeded = f"{counted(plan.seeds, 'seed')}{more}, which are its world's own and the same under every policy."
    elif (asked := plan.precision) is None:
        last = plan.seed + plan.seeds - 1
        seeded = f"{counted(plan.seeds, 'seed')}, {plan.seed} to {last}, the same in every cell."
    else:
        seeded = (
            f"seeds from {plan.seed} on, {plan.seeds} at least and {asked.maximum} at most, until half of the 95 % "
            f"interval of {label(asked.outcome)} was {asked.half_width:g} or less."
        )
    p = resolve(**plan.common)
    varied = [layout.plain(name) for name in SIZES if name in results.columns]
    unless = f" ({joined(varied)} as the design says)" if varied else ""
    return [
        f"The design is {designed[kind]}." if kind else "Nothing is varied: there is one cell.",
        f"Each cell was run with {seeded} Random numbers are common to all cells under one seed, decision by decision, "
        "so cells differ by what was set.",
        f"A run simulates {p.systems} systems of {p.organisations} organisations with {p.managers} managers each, "
        f"{p.systems * p.organisations * p.managers:,} managers, for {p.months} months{unless}. Outcomes are means "
        f"over the last {min(p.window, p.months)} months.",
        "Runs were made by the compiled engine, which follows the same rules as the readable Mesa model and gives the "
        "same bits, on every machine.",
        "Intervals are 95 % intervals from a bootstrap over the samples of the design."
        if results.is_sampled
        else "Effects are differences seed by seed, then means in each world, then means over worlds by weight; "
        "their 95 % intervals delete one calibration at a time."
        if results.policies
        else "Intervals are 95 % intervals of means over seeds by Student's t. A difference is taken seed by seed "
        "before its interval is made, so that what two cells have in common drops out.",
    ]


def settings(results: Results) -> list[Part]:
    """What the design varies, and what is fixed at another value than the default."""
    head = ("default", "unit", "meaning")
    varied = Table("What varies", ("name", "values", *head), list(_varied(results)))
    fixed = Table("What is fixed at another value than the default", ("name", "value", *head), list(_fixed(results)))
    found: list[Part] = [table for table in (varied, fixed) if table.rows]
    return found if fixed.rows else [*found, Text(["Everything else is at its default."])]


def _varied(results: Results) -> Iterator[tuple[str, ...]]:
    table = results.study.cells
    for name in results.columns:
        values = list(table[name].unique())
        if len(values) > 12 and not isinstance(values[0], str):
            text = f"{min(values):.6g} to {max(values):.6g}"
        else:
            text = ", ".join(_setting(name, value) or "none" for value in values)
        yield (layout.plain(name), textwrap.shorten(text, 400, placeholder=" ..."), *_facts(name))


def _fixed(results: Results) -> Iterator[tuple[str, ...]]:
    plan = results.study.plan
    p = resolve(**plan.common)
    if "regime" not in results.columns and plan.regime != "baseline":
        yield ("regime", layout.plain(plan.regime), *_facts("regime"))
    for name in plan.mechanisms_off:
        yield (layout.plain(name), "off", "on", "", MECHANISMS[name].meaning)
    for name, declared in PARAMETERS.items():
        if name not in results.columns and getattr(p, name) != declared.default:
            yield (layout.plain(name), f"{getattr(p, name):g}", *_facts(name))
    for lever, by_month in p.schedule.items():
        text = ", ".join(f"{value:g} from month {month}" for month, value in by_month.items())
        yield (layout.plain(lever), text, *_facts(lever))
    for rule in p.local:
        yield ("local", str(rule), *_facts("local"))


def _facts(name: str) -> tuple[str, str, str]:
    """Default, unit and meaning of what a study may set."""
    if declared := PARAMETERS.get(name.partition("@")[0]):
        return f"{declared.default:g}", declared.unit, declared.meaning
    ways = joined([layout.plain(regime) for regime in REGIMES])
    return {
        "regime": ("baseline", "", f"A named way of overseeing; there are {ways}."),
        "mechanisms_off": ("none", "", "Mechanisms of the model that are switched off."),
        "schedule": ("none", "", "Levers that change while a run goes on."),
        "local": ("none", "", "Levers with values of their own in some organisations."),
        "world": ("", "", "The row of a plausible world in its ensemble."),
        "calibration": ("", "", "The calibration that a world comes from."),
        "weight": ("", "", "What a world counts among those drawn."),
        "policy": ("", "", "A regime or settings by a name that the study gives."),
    }.get(name, ("", "", "Drives several settings at once, as the study's file says."))
