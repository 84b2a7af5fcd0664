"""The command line: parse, call, print. Nothing is computed here, and nothing heavy is imported until it is needed."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.errors import InputError

if TYPE_CHECKING:
    from pandas import DataFrame

    from sim.glossary import Meaning
    from sim.study import Study

app = typer.Typer(
    name="sim",
    help="Leadership culture under monitoring: does watching managers more closely make services better or worse?",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
_MISTAKE: type[Exception] = typer.BadParameter.__mro__[2]  # click's ClickException, wherever typer keeps it

Out = Annotated[Path | None, typer.Option("--out", help="Folder for the results (default: under results/).")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Runs at a time (default: one a core).")]
Setting = Annotated[
    list[str] | None,
    typer.Option("--set", help="Override a value of the study, as in --set relationship=0.5. May be repeated."),
]
StudyFile = Annotated[Path, typer.Argument(metavar="FILE", help="A study, such as experiments/surveillance.toml.")]


@app.command()
def claim(
    out: Out = None,
    replications: Annotated[int, typer.Option(min=2, help="Paired replications of each arm.")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="The first seed; the others follow it.")] = 0,
    systems: Annotated[int, typer.Option(min=1, help="Systems in the nation (42 in England).")] = 42,
    months: Annotated[int, typer.Option(min=1, help="Months simulated.")] = 120,
    workers: Workers = None,
) -> None:
    """Answer the claims: what does surveillance do, and does it pay?"""
    from sim.inference import claims  # noqa: PLC0415

    folder = out or Path("results") / "claim"
    claims.check_folder(folder)
    with _progress("runs") as progress:
        report = claims.answer(
            replications=replications,
            seed=seed,
            systems=systems,
            months=months,
            workers=workers,
            progress=lambda done, total: progress(done, 0, total),
        )
    typer.echo(_aligned(_verdict_rows(report.table)) + "\n")
    typer.echo(report.text())
    _name_written(report.save(folder))


@app.command()
def run(
    file: StudyFile,
    out: Out = None,
    settings: Setting = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over instead of going on.")] = False,
    workers: Workers = None,
) -> None:
    """Run a study, or go on with an interrupted one."""
    study = _study(file, settings)
    with _progress("runs") as progress:
        results = study.run(out, fresh=fresh, workers=workers, progress=progress)
    failed = int(results.runs["error"].notna().sum())
    typer.echo(f"{study.title}\n{study.size} runs in {len(study.points)} cells, {failed} failed.\n")
    typer.echo(_aligned(_summary_rows(results.summary(), list(results.columns))))
    _name_written([results.folder])


@app.command()
def check(file: StudyFile, out: Out = None, settings: Setting = None) -> None:
    """Say how many runs a study takes, how long and how much disk.

    Nothing is run but a short pilot, to learn the speed of this machine."""
    study = _study(file, settings)
    e = study.estimate(out)
    typer.echo(
        f"{study.title}: {e.runs} runs in {len(study.points)} cells, {e.done} of them done.\n"
        f"The rest takes about {_duration(e.seconds)} on this machine; the results take {_size(e.bytes)} on disk."
    )


@app.command()
def parameters(
    name: Annotated[str | None, typer.Argument(help="A parameter, lever, mechanism, regime or outcome.")] = None,
) -> None:
    """List the names of the model, or explain one."""
    from sim import glossary  # noqa: PLC0415

    if name is not None:
        typer.echo("\n\n".join(_explained(meaning) for meaning in glossary.meanings(name)))
        return
    for heading, group in glossary.by_group().items():
        typer.echo(heading.upper())
        for meaning in group:
            facts = dict(meaning.facts)
            values = " ".join(facts[key] for key in ("default", "levers", "case") if key in facts)
            spread = f" ({facts['plausible range']})" if "plausible range" in facts else ""
            typer.echo(f"  {meaning.name:26} {values + spread:24} {facts.get('unit', '')}".rstrip())
        typer.echo()
    typer.echo("sim parameters NAME explains one of them.")


def _explained(meaning: Meaning) -> str:
    lines = [f"{meaning.name} ({meaning.kind})", *_wrapped(meaning.text, "  ")]
    for label, value in meaning.facts:
        first, *rest = _wrapped(value, " " * 20)
        lines += [f"  {label + ':':17} {first.strip()}", *rest]
    return "\n".join(lines)


def _wrapped(text: str, indent: str) -> list[str]:
    import textwrap  # noqa: PLC0415

    return textwrap.wrap(text, 96, initial_indent=indent, subsequent_indent=indent) or [indent]


def _verdict_rows(table: DataFrame) -> list[list[str]]:
    head = ["claim", "contrast", "outcome", "with", "without", "difference", "95 % interval", "smallest", "verdict"]
    rows = [
        [
            row["claim"],
            row["contrast"],
            row["outcome"],
            f"{row['plus']:.4f}",
            f"{row['minus']:.4f}",
            f"{row['difference']:+.4f}",
            f"{row['low']:+.4f} to {row['high']:+.4f}",
            f"{row['sesoi']:.4f}" if row["sesoi_rule"] else "-",
            row["verdict"],
        ]
        for row in table.to_dict("records")
    ]
    return [head, *rows]


def _summary_rows(summary: DataFrame, design: list[str]) -> list[list[str]]:
    """A line for each cell: what the design sets, then mean and half-width of each outcome."""
    outcomes = list(summary["outcome"].unique())
    rows = [["cell", *design, *outcomes]]
    for cell, part in summary.groupby("cell", sort=False):
        first = part.iloc[0]
        values = [f"{row.mean:.3f} ± {row.half_width:.3f}" for row in part.itertuples()]
        rows.append([str(cell), *(str(first[name]) for name in design), *values])
    return rows


def _aligned(rows: list[list[str]]) -> str:
    """Rows as columns of equal width, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.0f} kB"


def _study(file: Path, settings: list[str] | None) -> Study:
    from sim.study import Study  # noqa: PLC0415

    return Study.load(file, settings or ())


def _name_written(paths: list[Path]) -> None:
    typer.echo("Written:\n" + "\n".join(f"  {path}" for path in paths))


@contextmanager
def _progress(unit: str) -> Iterator[Callable[[int, int, int], None]]:
    """A progress bar on standard error; where that is no terminal, a line for each tenth."""
    if not sys.stderr.isatty():
        yield _plain_progress(unit)
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(unit, total=None)

        def show(done: int, failed: int, total: int) -> None:
            text = f"{unit}, {failed} failed" if failed else unit
            bar.update(task, completed=done, total=total, description=text)

        yield show


def _plain_progress(unit: str) -> Callable[[int, int, int], None]:
    tenths = -1

    def show(done: int, failed: int, total: int) -> None:
        nonlocal tenths
        if (now := 10 * done // max(1, total)) > tenths:
            tenths = now
            text = f"{done} of {total} {unit}" + (f", {failed} failed" if failed else "")
            print(text, file=sys.stderr, flush=True)

    return show


def _say(lines: Any) -> None:
    for line in lines:
        print(f"sim: {line}", file=sys.stderr)


def main() -> None:
    """Run the command line; exit with 0, with 2 on bad input, with 1 on a failure of ours."""
    try:
        code = app(sys.argv[1:] or ["--help"], prog_name="sim", standalone_mode=False)
    except InputError as error:
        _say(error.lines)
        code = 2
    except _MISTAKE as error:
        text = error.format_message() if hasattr(error, "format_message") else str(error)
        _say([" ".join(text.split())])
        code = 2
    except (KeyboardInterrupt, typer.Abort):
        _say(["stopped"])
        code = 130
    except BrokenPipeError:  # whoever read our output has had enough
        sys.stderr.close()
        code = 0
    except Exception:
        traceback.print_exc()
        _say(["this is a mistake in the program, not in what you typed"])
        code = 1
    sys.exit(code if isinstance(code, int) else 0)
