"""Tables, explanations and progress as plain text, for the command line."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from sim import files
from sim.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from sim.model.glossary import Meaning
    from sim.pool import Progress
    from sim.study import Results

Rows = list[list[str]]

_WIDE = 120  # letters of a line where there is no terminal
_IN_SHORT, _ALONE = 48, 76  # letters of a meaning in few words, with a value behind it and without
_SILENCE = 60.0  # seconds without a line, at most


def summaries(summary: pd.DataFrame, design: list[str], order: Sequence[str]) -> str:
    """`Results.summary`: a line for each cell, what the design sets, then mean and half-width of each outcome, in this
    order. Lines and columns change places where it would be too wide for the terminal."""
    rows = [["cell", *design, *order]]
    for cell, part in summary.groupby("cell", sort=False):
        first, by_name = part.iloc[0], {row.outcome: row for row in part.itertuples()}
        found = [by_name[name] for name in order]
        values = [f"{row.mean:.3f} ± {row.half_width:.3f}".removesuffix(" ± nan") for row in found]
        rows.append([str(cell), *(str(first[name]) for name in design), *values])
    text, turned = _aligned(rows), _aligned([list(column) for column in zip(*rows, strict=True)])
    across = shutil.get_terminal_size((_WIDE, 0)).columns
    return min(text, turned, key=lambda one: max(across, one.index("\n")))


def policies(results: Results) -> str:
    """What each later policy of a study over worlds changes against the first, with 95 % intervals."""
    from sim.report.study import POLICIES, compared  # noqa: PLC0415

    return _aligned([[*POLICIES], *compared(results)])


def precision(table: pd.DataFrame) -> str:
    """`Results.precision`: why each cell has as many runs as it has."""
    from sim.report.study import PRECISION, precisely  # noqa: PLC0415

    return _aligned([[*PRECISION], *precisely(table)])


HEADINGS = {
    "levers": "what those decide who oversee managers",
    "size": "how large and how long",
    "mechanisms for the warning": "the critics' arguments; each can be switched off",
    "mechanisms against the warning": "the defenders' arguments; each can be switched off",
    "regimes": "levers set together",
    "outcomes": "what is measured each month",
    "columns of posts": "what is kept of each post",
}
"""What groups of names are; the others hold parameters, what people and services are like."""


def listed(groups: dict[str, list[Meaning]], whole: bool = False) -> str:
    """Names by group with what they mean, in few words or as a `whole`, and their default with its plausible range."""
    parts = []
    for heading, group in groups.items():
        lines = [": ".join([heading.upper(), HEADINGS.get(heading, "parameters")])]
        for meaning in group:
            facts = dict(meaning.facts)
            spread = f" ({facts['plausible range']})" if "plausible range" in facts else ""
            value = facts.get("default", "") + spread
            if whole:
                told = [meaning.text, *([f"Default: {value}; {facts['unit']}."] if value else [])]
                lines += [f"  {meaning.name}", *_wrapped(" ".join(told), " " * 6)]
                continue
            short = textwrap.shorten(_in_short(meaning), _IN_SHORT if value else _ALONE, placeholder=" ...")
            lines.append(f"  {meaning.name:24} {short:{_IN_SHORT}} {value}".rstrip())
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _in_short(meaning: Meaning) -> str:
    """A meaning in few words, without a full stop."""
    from sim.model import words  # noqa: PLC0415

    if meaning.kind in ("lever", "parameter", "size"):
        return words.phrase(meaning.name)
    return (
        words.clause(meaning.name) if meaning.kind == "mechanism" else re.split("[.:;] ", meaning.text)[0].rstrip(".")
    )


def contents(kind: str, letters: int) -> str:
    """A heading and a line for each of the studies, results, claims or regimes, told in so many letters at most."""
    from sim.claims.statements import CLAIMS  # noqa: PLC0415
    from sim.model.parameters import REGIMES  # noqa: PLC0415

    of_kind: dict[str, Callable[[], Iterator[tuple[str, str]]]] = {
        "studies": _studies,
        "results": _results,
        "claims": lambda: ((claim.id, claim.statement) for claim in CLAIMS),
        "regimes": lambda: ((regime.name, regime.meaning) for regime in REGIMES.values()),
    }
    rows = [[f"  {name}", textwrap.shorten(said, letters, placeholder=" ...")] for name, said in of_kind[kind]()]
    return f"{kind.upper()}\n{_aligned(rows or [['  none']])}"


def _studies() -> Iterator[tuple[str, str]]:
    """The studies in ``experiments`` and the present folder, TOML files that set what a study sets, and those that come
    with the program."""
    from sim.study import file  # noqa: PLC0415
    from sim.study.plan import Plan  # noqa: PLC0415

    for path in sorted([*Path("experiments").glob("*.toml"), *Path().glob("*.toml")]):
        with suppress(InputError):
            table = file.read(path)
            if table and table.keys() <= Plan.model_fields.keys():
                yield str(path), str(table.get("title", ""))
    here = {path.stem for path in Path("experiments").glob("*.toml")}
    yield from ((name, title) for name, title in file.gallery().items() if name not in here)


def gallery() -> str:
    """What ``sim run`` can be given: the studies that come with the program, and one's own."""
    from sim.study import file  # noqa: PLC0415

    rows = _aligned([[f"  {name}", title] for name, title in file.gallery().items()])
    begin = "A study is a question with settings. These come with the program; begin with sim run surveillance.\n\n"
    return f"{begin}{rows}\n\nOf your own: sim new my_study writes one to change, and sim run my_study runs it."


def _results() -> Iterator[tuple[str, str]]:
    """The folders below ``results`` that are ours: studies, finished or not, and what other commands wrote."""
    from sim.study import Results  # noqa: PLC0415

    for folder in sorted(path for path in Path("results").glob("*") if path.is_dir()):
        if (held := files.held(folder)) not in (None, "a study"):
            yield str(folder), str(held)
        else:
            with suppress(InputError):
                found = Results(folder)
                yield str(folder), f"{found.title}: {found.counts[0]:,} runs, {found.missing:,} to be done"


def explained(meaning: Meaning) -> str:
    """One meaning of a name: its text, then its facts."""
    lines = [f"{meaning.name} ({meaning.kind})", *_wrapped(meaning.text, "  ")]
    for label, value in meaning.facts:
        first, *rest = _wrapped(value, " " * 20)
        lines += [f"  {label + ':':17} {first.strip()}", *rest]
    return "\n".join(lines)


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, 96, initial_indent=indent, subsequent_indent=indent) or [indent]


def size(count: int) -> str:
    """Bytes in words."""
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.0f} kB"


def _aligned(rows: Rows) -> str:
    """Rows as columns of equal width, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def duration(seconds: float) -> str:
    """A time in words: ``12 s``, ``4 minutes``, ``3.5 hours``, ``2.1 days``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours" if seconds < 2 * 86400 else f"{seconds / 86400:.1f} days"


@contextmanager
def progress(unit: str) -> Iterator[Progress]:
    """What shows on standard error how far it has come: a bar in a terminal, else a line for each tenth or minute."""
    from rich import progress as rich  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415

    last_column = rich.TextColumn("{task.description}")
    columns = (rich.TextColumn(unit), rich.BarColumn(), rich.MofNCompleteColumn(), last_column)
    screen, hidden = Console(stderr=True), not sys.stderr.isatty()
    bar = rich.Progress(*columns, console=screen, disable=hidden, speed_estimate_period=3600)
    bar.add_task("", total=None)
    (task,) = bar.tasks
    tenth, last = -1, monotonic()

    def show(done: int, total: int, note: str = "") -> None:
        nonlocal tenth, last
        bar.update(task.id, completed=done, total=total)
        news = [note] if note else []
        news += [f"{total - done:,} remaining"] if total > done else []
        if rate := task.speed:  # of what was done since the first news: work of an earlier day does not count
            news.append(f"{rate:,.0f} a second" if rate >= 10 else f"{rate:.2g} a second")
            news += [f"{duration((total - done) / rate)} left"] if total > done else []
        bar.update(task.id, description=", ".join(news))
        if bar.disable and ((now := 10 * done // max(1, total)) != tenth or monotonic() - last > _SILENCE):
            tenth, last = now, monotonic()
            print(", ".join([f"{done:,} of {total:,} {unit}", *news]), file=sys.stderr, flush=True)

    with bar:
        yield show
