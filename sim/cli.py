"""The command line: parse, call, print. Nothing is computed here, and nothing heavy is imported until it is needed."""

from __future__ import annotations

import io
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.errors import InputError, StudyStopped

if TYPE_CHECKING:
    from sim.study import Results, Study

app = typer.Typer(
    name="sim",
    help="Leadership culture under monitoring: does watching managers more closely make services better or worse?",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
_MISTAKE: type[Exception] = typer.BadParameter.__mro__[2]  # click's ClickException, wherever typer keeps it

INTERRUPTED = 130
MOST_ROWS = 60
"""More cells than this are not printed."""

Out = Annotated[Path | None, typer.Option("--out", help="Folder for the results (default: under results/).")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Runs at a time (default: one a core).")]
Cluster = Annotated[
    str | None, typer.Option("--cluster", help="A Dask cluster, tcp://host:8786, or local:2 for two processes here.")
]
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
    from sim.show import text  # noqa: PLC0415
    from sim.show.progress import progress  # noqa: PLC0415

    folder = Path("results") / "claim" if out is None else out
    claims.check_folder(folder)
    with progress("runs") as show:
        report = claims.answer(
            replications=replications,
            seed=seed,
            systems=systems,
            months=months,
            workers=workers,
            progress=lambda done, total: show(done, 0, total),
        )
    written = report.save(folder)
    typer.echo(text.verdicts(report.table) + "\n\n" + report.text())
    _name_written(written)


@app.command()
def run(
    file: StudyFile,
    out: Out = None,
    settings: Setting = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over: what is done is deleted.")] = False,
    workers: Workers = None,
    cluster: Cluster = None,
    stop_on_failure: Annotated[bool, typer.Option("--stop-on-failure", help="Stop when a run fails.")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Do chunks with failed runs again.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Yes, more than a million runs, or a day of computing.")] = False,
) -> None:
    """Run a study, or go on with an interrupted one."""
    from sim.show.progress import progress  # noqa: PLC0415

    study = _study(file, settings)
    with progress("runs") as show:
        results = study.run(
            out,
            fresh=fresh,
            workers=workers,
            cluster=cluster,
            stop_on_failure=stop_on_failure,
            retry_failed=retry_failed,
            yes=yes,
            progress=show,
        )
    written = results.save()
    _show(results)
    if results.has_earlier:
        typer.echo("\nRuns that the study no longer has are kept in earlier/, for the day it has them again.")
    _name_written([results.folder, *written])


@app.command()
def show(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="A folder that sim run has written.")],
    csv: Annotated[Path | None, typer.Option("--csv", help="Write a row for each run, for a spreadsheet.")] = None,
    figure: Annotated[Path | None, typer.Option("--figure", help="Draw the outcomes, as PNG and SVG.")] = None,
) -> None:
    """Show the results of a study, finished or not."""
    from sim.study import Results  # noqa: PLC0415

    found = Results(results)
    _show(found)
    written = []
    if csv is not None:
        found.to_csv(csv)
        written.append(csv)
    if figure is not None:
        written += found.save_figure(figure)
    if written:
        _name_written(written)


@app.command()
def check(file: StudyFile, out: Out = None, settings: Setting = None, workers: Workers = None) -> None:
    """Say how many runs a study takes, how long and how much disk.

    Nothing is run but a short pilot, to learn the speed of this machine."""
    from sim.show import text  # noqa: PLC0415
    from sim.show.progress import duration  # noqa: PLC0415

    study = _study(file, settings)
    e = study.estimate(out, workers)
    most = f" (at most {e.most:,})" if e.most > e.runs else ""
    failed = f", {e.failed:,} failed" if e.failed else ""
    rest = f"The rest takes about {duration(e.seconds)} on this machine" if e.done < e.runs else "Nothing is left to do"
    typer.echo(
        f"{study.title}: {e.runs:,} runs{most} in {len(study.points):,} cells, {e.done:,} of them done{failed}.\n"
        f"{rest}; the results take {text.size(e.bytes)} on disk."
    )


def _show(results: Results) -> None:
    """What the results say: a table, and for sampled designs what matters."""
    from sim.show import text  # noqa: PLC0415

    runs, failed = results.counts
    missing = f", {results.missing:,} still to be done" if results.missing else ""
    typer.echo(f"{results.title}\n{runs:,} runs in {results.cells:,} cells, {failed:,} failed{missing}.\n")
    if results.is_sampled and runs:
        typer.echo(results.sensitivity_text())
    elif results.cells > MOST_ROWS:
        typer.echo("Too many cells for a table here; sim show RESULTS --csv FILE writes all runs.")
    elif runs:
        typer.echo(text.summaries(results.summary(), list(results.columns)))
        typer.echo("\n±: half of the 95 % interval of the mean over runs.")
        if results.is_sequential:
            typer.echo("\n" + text.precision(results.precision()))


@app.command()
def parameters(
    name: Annotated[str | None, typer.Argument(help="A parameter, lever, mechanism, regime or outcome.")] = None,
) -> None:
    """List the names of the model, or explain one."""
    from sim import glossary  # noqa: PLC0415
    from sim.show import text  # noqa: PLC0415

    if name is not None:
        typer.echo("\n\n".join(text.explained(meaning) for meaning in glossary.meanings(name)))
        return
    typer.echo(text.listed(glossary.by_group()) + "\n\nsim parameters NAME explains one of them.")


def _study(file: Path, settings: list[str] | None) -> Study:
    from sim.study import Study  # noqa: PLC0415

    return Study.load(file, settings or ())


def _name_written(paths: list[Path]) -> None:
    typer.echo("Written:\n" + "\n".join(f"  {path}" for path in paths))


def _say(lines: Any) -> None:
    for line in lines:
        print(f"sim: {line}", file=sys.stderr)


def _going_on(arguments: list[str]) -> list[str]:
    """The command that goes on with an interrupted study."""
    if arguments[:1] != ["run"]:
        return []
    import shlex  # noqa: PLC0415

    return [f"what is finished is kept; to go on: {shlex.join(['sim', *(a for a in arguments if a != '--fresh')])}"]


def _leave(code: int) -> None:
    """End at once: a run under way in the engine must not be waited for."""
    import os  # noqa: PLC0415

    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def main() -> None:
    """Run the command line; exit with 0, with 2 on bad input, with 1 on a failure of ours."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a title in letters that the terminal lacks is no failure
    try:
        code = app(sys.argv[1:] or ["--help"], prog_name="sim", standalone_mode=False)
    except InputError as error:
        _say(error.lines)
        code = 2
    except _MISTAKE as error:
        text = error.format_message() if hasattr(error, "format_message") else str(error)
        _say([" ".join(text.split())])
        code = 2
    except StudyStopped as error:
        _say([str(error)])
        code = 1
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except OSError as error:
        if error.filename is not None:
            raise
        _say([f"standard output: cannot be written: {error.strerror or error}"])
        code = 1
    except Exception:
        traceback.print_exc()
        _say(["this is a mistake in the program, not in what you typed"])
        code = 1
    if code == INTERRUPTED:  # raised, or what typer makes of Ctrl-C
        _say(["stopped", *_going_on(sys.argv[1:])])
        _leave(INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)
