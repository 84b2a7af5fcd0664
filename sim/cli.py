"""The command line: parse, call, print. Nothing is computed here, and nothing heavy is imported until it is needed."""

from __future__ import annotations

import io
import os
import re
import sys
import textwrap
import traceback
from _thread import interrupt_main
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import typer

from sim import __version__, files, terminal
from sim.errors import InputError, StudyStopped, counted, place, shown, visible
from sim.terminal import progress

if TYPE_CHECKING:
    from sim.claims.answer import ClaimReport, Effort
    from sim.report.since import Last
    from sim.study import Results, Study
    from sim.worlds.ensemble import Ensemble as Worlds
    from sim.worlds.evidence import Evidence

app = typer.Typer(
    name="sim",
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
_MISTAKE: type[Exception] = typer.BadParameter.__mro__[2]  # click's ClickException, wherever typer keeps it

INTERRUPTED = 130
_LONGEST, _IN_SHORT = 500, 90  # letters of a line
MOST_ROWS = 60
"""More cells than this are not printed."""


def _option(name: str, metavar: str, text: str, least: int | None = None) -> Any:
    return typer.Option(name, metavar=metavar, help=text, min=least)


Out = Annotated[Path | None, _option("--out", "FOLDER", "Where the results go (default: under results/).")]
Workers = Annotated[int | None, _option("--workers", "NUMBER", "Runs at a time (default: one a core).", 1)]
Cluster = Annotated[
    str | None,
    _option("--cluster", "ADDRESS", "A Dask cluster, tcp://host:8786, or local:2 for two processes here."),
]
Setting = Annotated[
    list[str] | None,
    _option("--set", "NAME=VALUE", "Override a value of the study, as in relationship=0.5; may be repeated."),
]
Ensemble = Annotated[
    Path | None,
    _option("--ensemble", "FOLDER", "Worlds that sim worlds --calibrate has made (default: those shipped)."),
]
StudyFile = Annotated[
    Path | None,
    typer.Argument(metavar="STUDY", help="A file, or a name of sim list studies.", show_default=False),
]
Kind = Literal["studies", "results", "claims", "regimes"]


def _version(wanted: bool) -> None:
    if wanted:
        _echo(f"leadership-sim {__version__}")
        raise typer.Exit


@app.callback()
def _every(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Leadership culture under monitoring: does watching managers more closely make services better or worse?"""


@app.command()
def claim(
    name: Annotated[
        str | None,
        typer.Argument(metavar="ID", help="One claim in depth, or tipping, memory, reach; without it, all."),
    ] = None,
    out: Out = None,
    stored: Annotated[
        Path | None, _option("--answer", "FOLDER", "An answer that --run has written (default: the one shipped).")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Run some worlds of the stored answer again: is it still right?")
    ] = False,
    structure: Annotated[
        bool, typer.Option("--structure", help="The stored answer under other rules, surveys, weights: half an hour.")
    ] = False,
    run: Annotated[bool, typer.Option("--run", help="Compute the answer anew: a first look, or --full.")] = False,
    full: Annotated[bool, typer.Option("--full", help="With --run: all worlds and every column, some hours.")] = False,
    ensemble: Ensemble = None,
    without: Annotated[
        list[Path] | None,
        _option("--without", "FOLDER", "With --run: worlds calibrated without some findings; may be repeated."),
    ] = None,
    worlds: Annotated[int | None, _option("--worlds", "NUMBER", "Worlds taken from the ensemble.", 1)] = None,
    systems: Annotated[int | None, _option("--systems", "NUMBER", "Systems in the nation (42 in England).", 1)] = None,
    seed: Annotated[int | None, _option("--seed", "NUMBER", "Mixed into the seeds of every world.", 0)] = None,
    months: Annotated[int | None, _option("--months", "NUMBER", "Months simulated.", 1)] = None,
    workers: Workers = None,
) -> None:
    """Show what plausible worlds say about the claims: what does surveillance do, and does it pay?"""
    from sim import questions  # noqa: PLC0415
    from sim.claims import answer as claims  # noqa: PLC0415

    asked = {"full": full, "without": without, "months": months}
    if name is not None and name in questions.QUESTIONS:
        beside = {"run": run, "check": check, "structure": structure, "answer": stored}
        _refuse({**asked, **beside}, "a question beside the claims is always run")
        return _ask(name, out, ensemble, worlds or claims.FULL.draws, seed or 0, workers, systems)
    claims.claims_named(*filter(None, [name]), beside=tuple(questions.QUESTIONS))
    if run:
        _refuse({"check": check, "structure": structure, "answer": stored}, "--run computes an answer; give it alone")
        effort = claims.effort(full, worlds, systems)
        sizes = {} if months is None else {"months": months}
        return _compute(name, out, ensemble, without or (), effort, seed or 0, sizes, workers)
    more = {} if check else {"worlds": worlds, "seed": seed}
    _refuse({**asked, "systems": systems, **more}, "the answer is stored; add --run to compute it anew")
    report = claims.answer(stored)
    if structure:
        _refuse({"check": check}, "--structure is asked alone")
        return _structure(report.of(*filter(None, [name])), out, ensemble, workers)
    if check:
        return _check(report, ensemble, worlds, seed, workers)
    report = report.of(*filter(None, [name]))
    if name is not None:
        return _echo(report.whole() + (f"\n{_all_of(report, out)}" if out is not None else ""))
    _echo(_on_screen(report, _page(report, stored) if out is None else _all_of(report, out)))


def _on_screen(report: ClaimReport, where: str) -> str:
    """The answer in a few lines, where it is one to many claims, else in full."""
    from sim.claims.screen import screen  # noqa: PLC0415

    return screen(report, where) if len(report.claims) > 1 else f"{report.whole()}\n{where}"


def _page(report: ClaimReport, folder: Path | None) -> str:
    """Say where the report of a stored answer is; that of the one which comes with the package is written."""
    from sim.report.story import REPORT, save_page  # noqa: PLC0415

    if folder is not None:
        there = folder / REPORT
        return f"The whole report: {there}" if there.is_file() else "The whole report: add --out FOLDER to write it."
    try:
        page, *_ = save_page(report, Path("results") / "claim")
    except InputError as error:
        return f"No report was written: {error.lines[0]}"
    return f"The whole report: {page}"


def _all_of(report: ClaimReport, folder: Path) -> str:
    """Write a report with its pictures and tables, and say where they are."""
    from sim.report.claims import save  # noqa: PLC0415
    from sim.report.story import REPORT  # noqa: PLC0415

    live = _beside(report)
    number = len(save(report, folder, live)) - (2 if live else 1)
    page = "live page, " if live else ""
    return f"Report, {page}{number} pictures and tables: {folder / REPORT}"


def _beside(report: ClaimReport) -> bytes:
    """The live page of an answer of this model about the worlds of the package; empty of any other.

    It takes seconds, and the engine, which is compiled where it was never used: `sim claim` alone does without.
    """
    from sim.report.live import page  # noqa: PLC0415
    from sim.worlds import ensemble as ensembles  # noqa: PLC0415

    try:
        return b"" if report.notes else page.page(ensembles.load(), report).encode()
    except InputError:
        return b""


def _refuse(options: Mapping[str, Any], why: str) -> None:
    """Raise `InputError` with a line for each option that was given and does not go with the rest."""
    if wrong := [f"--{name}: {why}" for name, value in options.items() if value not in (None, False, [])]:
        raise InputError(wrong)


def _ask(
    name: str, out: Path | None, ensemble: Path | None, draws: int, seed: int, workers: int | None, systems: int | None
) -> None:
    """Put a question beside the claims to worlds."""
    from sim import questions  # noqa: PLC0415
    from sim.report.claims import reply_to, save_reply  # noqa: PLC0415
    from sim.worlds import ensemble as ensembles  # noqa: PLC0415

    folder = Path("results") / f"claim-{name}" if out is None else out
    files.Folder(folder, reply_to(name)).check()
    main = ensembles.load(ensemble)
    with progress("draws") as show:
        sizes = {} if systems is None else {"systems": systems}
        reply = questions.ask(name, main, draws, seed, show, workers, **sizes)
    _note(main.notes)
    _echo("\n".join([reply.question, "", *reply.sentences]))
    _name_written(save_reply(reply, name, folder))


def _compute(
    name: str | None,
    out: Path | None,
    ensemble: Path | None,
    without: Sequence[Path],
    effort: Effort,
    seed: int,
    sizes: Mapping[str, Any],
    workers: int | None,
) -> None:
    """Compute the answer to the claims, or to one of them, write it and print it."""
    from sim import questions  # noqa: PLC0415
    from sim.claims import answer as claims  # noqa: PLC0415
    from sim.report.claims import answer_to  # noqa: PLC0415
    from sim.worlds import ensemble as ensembles  # noqa: PLC0415

    asked = claims.claims_named(*filter(None, [name]))
    folder = (Path("results") / f"claim-{name or 'run'}") if out is None else out
    claims.checked(effort, seed, workers, sizes)
    files.Folder(folder, answer_to(asked)).check()
    main, second = ensembles.load(ensemble), ensembles.load(ensemble, "all_on")
    kept = folder / claims.UNFINISHED
    with progress("worlds") as show:
        refits = [ensembles.load(one) for one in without]
        report = claims.compute(main, second, claims=asked, effort=effort, seed=seed, refits=refits, workers=workers,
                                folder=kept, progress=show, **sizes)  # fmt: skip
    if effort.draws:
        with progress("draws") as show:
            report = questions.asked_beside(report, main, show, workers)
    where = _all_of(report, folder)
    files.forget(kept)
    _note((*main.notes, *second.notes))
    _echo(_on_screen(report, where))


def _check(
    report: ClaimReport, ensemble: Path | None, worlds: int | None, seed: int | None, workers: int | None
) -> None:
    """Run some worlds of a stored answer again; exits with 1 where it does not agree."""
    from sim.claims import checks  # noqa: PLC0415
    from sim.worlds import ensemble as ensembles  # noqa: PLC0415

    main = ensembles.load(ensemble)
    with progress("worlds") as show:
        found = checks.check(report, main, worlds or checks.WORLDS, seed or 1, show, workers)
    _note(main.notes)
    _echo("\n".join((*report.notes, *found.lines)))
    if not found.agrees:
        raise typer.Exit(1)


def _structure(report: ClaimReport, out: Path | None, ensemble: Path | None, workers: int | None) -> None:
    """Form the verdicts of a stored answer again under other choices, write them and print them."""
    from dataclasses import replace  # noqa: PLC0415

    from sim.claims import structure as choices  # noqa: PLC0415
    from sim.report.claims import STRUCTURE, save_structure  # noqa: PLC0415
    from sim.worlds import ensemble as ensembles  # noqa: PLC0415

    folder = Path("results") / "claim-structure" if out is None else out
    files.Folder(folder, STRUCTURE).check()
    main = ensembles.load(ensemble)
    _note([*main.notes, *report.notes, f"This takes {choices.cost(report, main)}"])
    with progress("worlds") as show:
        table = choices.structure(report, main, folder=folder, progress=show, workers=workers)
    written = save_structure(replace(report, tables={**report.tables, "structure": table}), folder)
    for name in choices.KEPT:
        files.forget(folder / name)
    _echo("\n".join(choices.sentences(table)))
    _name_written(written)


@app.command()
def worlds(
    patterns: Annotated[
        Path | None, _option("--patterns", "FILE", "Findings of your own: how do the worlds do on them, unfitted?")
    ] = None,
    reweight: Annotated[
        bool, typer.Option("--reweight", help="With --patterns: weigh the worlds by them too.")
    ] = False,
    validate: Annotated[
        bool, typer.Option("--validate", help="Findings that nothing is fitted to: which do the worlds reproduce?")
    ] = False,
    number: Annotated[
        int | None, _option("--worlds", "NUMBER", "Worlds tried on --patterns (default: 200) or --validate (150).", 1)
    ] = None,
    calibrate: Annotated[
        bool,
        typer.Option(
            "--calibrate", help="Make worlds anew, to --patterns if given: an hour a run; may be interrupted."
        ),
    ] = False,
    prior: Annotated[
        str, _option("--prior", "NAME", "With --calibrate: main, or all_on (no mechanism is off).")
    ] = "main",
    runs: Annotated[
        list[int] | None, _option("--run", "NUMBER", "With --calibrate: make this run alone; may be repeated.", 1)
    ] = None,
    check: Annotated[
        int | None, _option("--check", "NUMBER", "Survey so many of the worlds again: are they still this model's?", 1)
    ] = None,
    sign: Annotated[bool, typer.Option("--sign", help="With --check: if so, write that into their files.")] = False,
    which_study: Annotated[
        bool, typer.Option("--which-study", help="Which study would change the stored answer to the claims?")
    ] = False,
    ensemble: Ensemble = None,
    out: Out = None,
    seed: Annotated[int, _option("--seed", "NUMBER", "The seed of the trial on --patterns or --validate.", 0)] = 0,
    cluster: Cluster = None,
    workers: Workers = None,
) -> None:
    """Show the plausible worlds and what the evidence says about them."""
    from sim.report.worlds import TABLES  # noqa: PLC0415
    from sim.worlds import ensemble as plausible  # noqa: PLC0415
    from sim.worlds import evidence  # noqa: PLC0415

    if validate and (patterns is not None or reweight or calibrate or check is not None or out is not None):
        raise InputError(
            ["--validate: goes with --worlds, --ensemble, --seed and --workers alone; it writes no tables"]
        )
    if reweight and patterns is None:
        raise InputError(["--reweight: needs --patterns FILE"])
    if which_study:
        _refuse({"patterns": patterns, "calibrate": calibrate, "check": check}, "--which-study is asked alone")
        return _which_study(ensemble, out)
    own = None if patterns is None else evidence.load(patterns)
    if sign and check is None:
        raise InputError(["--sign: needs --check N, since worlds are signed only after N of them were surveyed again"])
    if check is not None:
        if out is not None or calibrate or patterns is not None:
            raise InputError(["--check: goes with --sign and --ensemble alone; it writes no tables"])
        return _survey_again(ensemble, check, sign, workers)
    if calibrate:
        return _calibrate(out, prior, runs, cluster, own)
    if out is not None:
        files.Folder(out, TABLES).check()
    if cluster is not None:
        raise InputError(["--cluster: goes with --calibrate, whose runs it makes side by side"])
    main = plausible.load(ensemble)
    if validate:
        return _validate(main, number, seed, workers)
    _tell_worlds(main, own, patterns if reweight else None, number, seed, workers, out)


def _survey_again(folder: Path | None, number: int, sign: bool, workers: int | None) -> None:
    """Survey so many worlds of each file again, say whether they are still this model's, and sign them if they are."""
    from sim.worlds import ensemble as plausible  # noqa: PLC0415

    with progress("files") as show:
        lines = plausible.check(folder, number, sign, show, workers)
    _echo("\n".join(lines))


def _calibrate(
    out: Path | None, prior: str, runs: Sequence[int] | None, cluster: str | None, own: Evidence | None
) -> None:
    """Make worlds that agree with the findings, with those of one's own if there are some, and say what they are."""
    from sim.report import worlds as pages  # noqa: PLC0415
    from sim.worlds import calibrate as calibration  # noqa: PLC0415
    from sim.worlds import ensemble as plausible  # noqa: PLC0415

    folder = Path("results") / "worlds" if out is None else out
    with progress("worlds surveyed") as show:
        paths = calibration.recalibrate(folder, prior, runs, show, cluster, evidence=own)
    _echo(pages.text(plausible.load(folder, calibration.known_prior(prior))))
    _name_written(paths)


def _validate(main: Worlds, number: int | None, seed: int, workers: int | None) -> None:
    """Say which findings that nothing is fitted to the worlds reproduce."""
    from sim.report.worlds import validation_text  # noqa: PLC0415
    from sim.worlds import validation  # noqa: PLC0415

    with progress("worlds") as show:
        tried = validation.validate(main, number or validation.WORLDS, seed, progress=show, workers=workers)
    _note(main.notes)
    _echo(validation_text(tried))


def _tell_worlds(
    main: Worlds,
    own: Evidence | None,
    weighing: Path | None,
    number: int | None,
    seed: int,
    workers: int | None,
    out: Path | None,
) -> None:
    """Say what evidence says about the worlds, or how they do on findings of one's own, unless the file of these is
    `weighing`: then what both say. The tables are written where they are asked for."""
    from sim.report import worlds as pages  # noqa: PLC0415
    from sim.worlds import summary  # noqa: PLC0415

    if own is not None and weighing is None:
        with progress("worlds") as show:
            table = summary.predict(own, main, number or 200, seed, progress=show, workers=workers)
        said = pages.table_text(table)
    else:
        begin = ""
        if own is not None:
            before = main.effective_size
            with progress("worlds") as show:
                main = main.reweight(own, progress=show, workers=workers)
            sizes = f"effective size {before:.0f} before, {main.effective_size:.0f} after"
            begin = f"Weighted by {weighing} as well: {sizes}.\n\n"
        table, said = summary.patterns(main), begin + pages.text(main)
    _note(main.notes)
    _echo(said)
    if out is not None:
        _name_written(pages.save(main, table, out))


def _which_study(ensemble: Path | None, out: Path | None) -> None:
    """Say which study would change the answer to each claim."""
    from sim.claims import value  # noqa: PLC0415
    from sim.claims.text import rows_of  # noqa: PLC0415
    from sim.worlds import ensemble as ensembles  # noqa: PLC0415

    folder = None if out is None else files.Folder(out, "the value of studies")
    if folder is not None:
        folder.check()
    found = value.value_of_studies(ensembles.load(ensemble))
    _echo("\n".join(value.sentences(rows_of(found["studies"]))))
    if folder is not None:
        _name_written(folder.fill({f"{name}.csv": files.csv(table) for name, table in found.items()}))


@app.command()
def run(
    file: StudyFile = None,
    out: Out = None,
    settings: Setting = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over: what is done is deleted.")] = False,
    workers: Workers = None,
    cluster: Cluster = None,
    stop_on_failure: Annotated[bool, typer.Option("--stop-on-failure", help="Stop when a run fails.")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Do chunks with failed runs again.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Yes, more than a million runs, or a day of computing.")] = False,
    part: Annotated[
        str | None, _option("--part", "3/20", "Do the third of twenty parts alone, as a job of an array does.")
    ] = None,
    merge: Annotated[
        Path | None,
        _option("--merge", "FOLDER", "Take what the parts in FOLDER have done, then do the rest."),
    ] = None,
) -> None:
    """Run a study, or go on with an interrupted one; without STUDY, list those that there are."""
    one = _part(part)
    study = _study(file, settings)
    if one is not None:
        parts = Path(f"{study.folder()}-parts") if out is None else out
        out = parts / f"{one[0]}-of-{one[1]}"
    elif settings and out is None:
        _echo(f"With --set, the results go to {study.folder()}; those of the study as it is stay.\n")
    as_it_is = Path("results") / study.name if settings and out is None else study.folder(out)
    before = _last(as_it_is) if one is None else None
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
            part=one,
            merge=merge,
        )
    if one is not None:
        every = counted(len(results) + results.missing, "run")
        _echo(f"Part {one[0]} of {one[1]}: {len(results):,} of {every} are in {place(results.folder)}")
        return
    from sim.report import study as reported  # noqa: PLC0415  drawing is loaded when there is something to draw

    written = reported.save(results)
    _show(results)
    if before and (told := "\n".join(textwrap.fill(line, 100) for line in before.told(results))):
        _echo(f"\n{told}")
    if results.has_earlier:
        _echo("\nRuns that the study no longer has are kept in earlier/, for the day it has them again.")
    others = ", ".join(path.name for path in written if path.suffix not in (".html", ".svg", ".pdf"))
    beside = f"; beside it {others}, pictures also as .svg and .pdf, and all runs in runs/" if written else ""
    _echo(f"\nOpen {results.folder / 'report.html'}{beside}." if written else f"\nWritten:\n  {results.folder}")


def _last(folder: Path) -> Last | None:
    """The study as it was run there before, if it was."""
    if not (folder / files.LEDGER).is_file():
        return None
    from sim.report.since import last  # noqa: PLC0415

    return last(folder)


def _part(text: str | None) -> tuple[int, int] | None:
    """The two numbers of a part, such as 3/20."""
    if text is None:
        return None
    if (found := re.fullmatch(r"([1-9]\d{0,5})/([1-9]\d{0,5})", text)) and int(found[1]) <= int(found[2]):
        return int(found[1]), int(found[2])
    raise InputError([f"--part {shown(text)}: must be such as 3/20, the third of twenty parts"])


def _study(file: Path | None, settings: Sequence[str] | None) -> Study:
    """The study, with notes on what may not have been meant; without a file, which there are."""
    from sim.study import Study  # noqa: PLC0415

    if file is None:
        _echo(terminal.gallery())
        raise InputError(["STUDY: missing; name a study, such as surveillance or my_study.toml"])
    study = Study.load(file, settings or ())
    _note(study.notes, "note: ")
    return study


@app.command()
def show(
    results: Annotated[
        Path | None, typer.Argument(metavar="RESULTS", help="A folder that sim run has written.", show_default=False)
    ] = None,
    csv: Annotated[Path | None, _option("--csv", "FILE", "Write a row for each run, for a spreadsheet.")] = None,
    figure: Annotated[
        Path | None, _option("--figure", "FILE", "Draw the outcomes: .png, .svg, .pdf; all without an ending.")
    ] = None,
    figures: Annotated[Path | None, _option("--figures", "FOLDER", "Draw every picture that fits.")] = None,
    film: Annotated[
        Path | None,
        _option("--film", "FILE", "Film the first and the last cell, or without RESULTS two regimes: .gif or .mp4."),
    ] = None,
    regimes: Annotated[
        str | None, _option("--regimes", "ONE,OTHER", "The two regimes of the film (default: light,heavy).")
    ] = None,
    seed: Annotated[int | None, _option("--seed", "NUMBER", "The seed of the film (default: 0).", 0)] = None,
    live: Annotated[
        Path | None,
        _option("--live", "FILE", "Write the live page: the model itself, in one HTML file that opens from disk."),
    ] = None,
    slides: Annotated[
        Path | None,
        _option(
            "--slides", "FILE", "A deck, .pptx and a PDF beside it, or .pdf: of RESULTS, else of the stored answer."
        ),
    ] = None,
    template: Annotated[
        Path | None, _option("--template", "FILE", "With --slides: an organisation's own, .pptx or .potx.")
    ] = None,
) -> None:
    """Show the results of a study, finished or not; make a film of two regimes, the live page, or slides."""
    if template is not None and slides is None:
        raise InputError(["--template: belongs to slides; add --slides deck.pptx"])
    alone = {"csv": csv, "figure": figure, "figures": figures, "film": film, "regimes": regimes, "seed": seed}
    if live is not None:
        _refuse({**alone, "slides": slides}, "is no part of the live page; ask for it alone")
        return _live(live, results)
    if slides is not None:
        _refuse(alone, "is no part of the slides; ask for it alone")
        return _slides(slides, results, template)
    if film is None and (regimes is not None or seed is not None):
        raise InputError(["--regimes and --seed: they belong to a film; add --film film.gif"])
    if results is None and (film is None or any((csv, figure, figures))):
        raise InputError(["RESULTS: missing; give a folder that sim run has written, or only --film film.gif"])
    if csv is not None and csv.suffix.lower() in (".xlsx", ".xls", ".ods"):
        raise InputError([f"--csv {shown(str(csv))}: what is written is CSV, which spreadsheets open; end it in .csv"])
    asked = [csv, figure, figures, film]
    found, written = None, list[Path]()
    if results is not None:
        from sim.report import study as reported  # noqa: PLC0415
        from sim.study import Results  # noqa: PLC0415
        from sim.study.results import located  # noqa: PLC0415

        folder = located(results)
        if not any(asked) and _answer_shown(folder):
            return
        found = Results(folder)
        _show(found)
        if csv is not None:
            found.to_csv(csv)
            written.append(csv)
        written += reported.save(found) if not any(asked) and os.access(found.folder, os.W_OK) else []
        written += reported.save_figure(found, figure) if figure is not None else []
        written += reported.save_figures(found, figures) if figures is not None else []
    if film is not None:
        from sim.plots import film as animation  # noqa: PLC0415

        names = None if regimes is None else [name.strip() for name in regimes.split(",")]
        with progress("frames") as tell:
            written.append(animation.save(film, names, seed, found, tell))
    if written:
        _name_written(written)


def _live(file: Path, folder: Path | None) -> None:
    """Write the live page, with what a folder's answer or the shipped one says."""
    from sim.claims import answer as claims  # noqa: PLC0415
    from sim.claims import stored  # noqa: PLC0415
    from sim.report.live import page  # noqa: PLC0415
    from sim.worlds import ensemble as ensembles  # noqa: PLC0415

    files.check_new(file, page.MARK)
    main, report = ensembles.load(), None
    if folder is not None or stored.SHIPPED.is_file():
        report = claims.answer(folder)
    if report is None or report.notes:
        report = None
        _note(["There is no stored answer of this model, so the page computes everything when it is opened."])
    _note(main.notes)
    _name_written([page.save(file, main, report)])


def _slides(file: Path, folder: Path | None, template: Path | None) -> None:
    """Write a deck about a study, about the answer in a folder, or about the one that comes with the package."""
    from sim.claims import answer as claims  # noqa: PLC0415
    from sim.claims import stored  # noqa: PLC0415
    from sim.report import slides  # noqa: PLC0415
    from sim.study import Results  # noqa: PLC0415

    slides.check(file, template)
    if folder is None or (folder / stored.NAME).is_file():
        report = claims.answer(folder)
        made, origin = slides.of_answer(report), report.provenance
    else:
        results = Results(folder)
        made, origin = slides.of_study(results), dict(results.origin)
    _name_written(slides.save(file, made, origin, template))


def _answer_shown(folder: Path) -> bool:
    """Print what sim claim found, where the folder is one of its own."""
    from sim.study.results import answer_in  # noqa: PLC0415

    if (page := answer_in(folder)) is None:
        return False
    with files.explained(page, "read"):
        _echo(files.read(page).decode("utf-8", "replace").rstrip("\n"))
    _name_written(sorted(folder.glob("claims.*")), "This is an answer of sim claim. Open")
    return True


@app.command()
def new(name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it; written to NAME.toml.")]) -> None:
    """Write a study to start from: it runs as it is, and explains itself."""
    import shlex  # noqa: PLC0415

    from sim.study.file import new as write  # noqa: PLC0415

    path = write(name)
    _name_written([path])
    _echo(f"Open it, change a line, then:\n  sim run {shlex.quote(path.as_posix())}")


@app.command()
def check(file: StudyFile = None, out: Out = None, settings: Setting = None, workers: Workers = None) -> None:
    """Say how many runs a study takes, how long and how much disk.

    Nothing is run but a short pilot, to learn the speed of this machine."""
    study = _study(file, settings)
    e = study.estimate(out, workers)
    most = f" (at most {e.most:,})" if e.most > e.runs else ""
    failed = f", {e.failed:,} failed" if e.failed else ""
    rest = f"The rest takes about {terminal.duration(e.seconds)} on this machine"
    rest = rest if e.done < e.runs else "Nothing is left to do"
    runs = f"{counted(e.runs, 'run')}{most} in {counted(len(study.points), 'cell')}"
    _echo(
        f"{study.title}: {runs}, {e.done:,} of them done{failed}.\n"
        f"{rest}; the results take {terminal.size(e.bytes)} on disk."
    )


def _show(results: Results) -> None:
    """What the results say: a table, and for sampled designs what matters."""
    runs, failed = results.counts
    missing = f", {results.missing:,} still to be done" if results.missing else ""
    _echo(f"{results.title}\n{counted(runs, 'run')} in {counted(results.cells, 'cell')}, {failed:,} failed{missing}.\n")
    if results.is_sampled and runs:
        from sim.report.study import sensitivity_text  # noqa: PLC0415

        _echo(sensitivity_text(results))
    elif results.policies and runs:
        _echo(terminal.policies(results))
        _echo("\nMeans over worlds, by weight; intervals delete one calibration at a time.")
    elif results.cells > MOST_ROWS:
        _echo("Too many cells for a table here; sim show RESULTS --csv FILE writes all runs.")
    elif runs:
        _echo(terminal.summaries(results.summary(), list(results.columns), results.outcomes))
        _echo("\n±: half of the 95 % interval of the mean over runs.")
        if results.is_sequential:
            _echo("\n" + terminal.precision(results.precision()))


@app.command()
def parameters(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Any name, or a group such as levers, outcomes or regimes.")
    ] = None,
    csv: Annotated[Path | None, _option("--csv", "FILE", "Write all names with ranges and meanings, as CSV.")] = None,
    json: Annotated[Path | None, _option("--json", "FILE", "The same as JSON.")] = None,
) -> None:
    """Say what the names of the model mean: all, a group, or one."""
    from sim.model import glossary  # noqa: PLC0415

    if csv is not None or json is not None:
        _refuse({"csv and --json": name}, "all names are written; leave out NAME")
        table = glossary.table()
        if csv is not None:
            files.write_new(csv, files.csv(table))
        if json is not None:
            files.write_new(json, table.to_json(orient="records", indent=1, force_ascii=False).encode())
        return _name_written([path for path in (csv, json) if path is not None])
    if name is None:
        _echo(terminal.listed(glossary.by_group()))
        return _echo("\nsim parameters NAME explains one of them, sim parameters levers a group.")
    found, groups = glossary.looked_up(name)
    told = [terminal.explained(meaning) for meaning in found]
    _echo("\n\n".join([*told, *([terminal.listed(groups, whole=not found)] if groups else [])]))


@app.command("list")
def list_(
    kind: Annotated[
        Kind | None, typer.Argument(metavar="KIND", help="studies, results, claims or regimes; without it, all.")
    ] = None,
) -> None:
    """List the studies, results, claims and regimes that there are."""
    every, letters = ([kind], _LONGEST) if kind else (get_args(Kind), _IN_SHORT)
    _echo("\n\n".join(terminal.contents(each, letters) for each in every))


def _name_written(paths: list[Path], what: str = "Written") -> None:
    _echo(f"{what}:\n" + "\n".join(f"  {path}" for path in paths))


_PLAIN = str.maketrans("█░▒●◐○·…−–†“”", '#.x*+o..--*""')
"""For terminals that lack these letters."""


def _echo(text: str) -> None:
    said, encoding = visible(text).rstrip("\n"), getattr(sys.stdout, "encoding", None) or "utf-8"
    typer.echo(said if said == said.encode(encoding, "replace").decode(encoding) else said.translate(_PLAIN))


def _note(lines: Iterable[str], begin: str = "") -> None:
    for line in lines:
        print(f"{begin}{visible(line)}", file=sys.stderr)


def _going_on(arguments: list[str]) -> list[str]:
    """The command that goes on with what was interrupted."""
    if arguments[:1] not in (["run"], ["claim"]) and "--calibrate" not in arguments:
        return []
    import shlex  # noqa: PLC0415

    return [f"what is finished is kept; to go on: {shlex.join(['sim', *(a for a in arguments if a != '--fresh')])}"]


def _leave(code: int) -> None:
    """End at once: a run under way in the engine must not be waited for."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def main() -> None:
    """Run the command line; exit with 0, with 2 on bad input, with 1 on a failure of ours."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a title in letters that the terminal lacks is no failure
    for name in ("MPLBACKEND", "NUMBA_NUM_THREADS"):  # not used here, and nonsense in them would stop an import
        os.environ.pop(name, None)
    with _interrupts_heard():
        code = _code()
        if code == INTERRUPTED:  # raised, or what typer makes of Ctrl-C
            _note(["stopped", *_going_on(sys.argv[1:])], "sim: ")
            _leave(INTERRUPTED)
    sys.exit(code)


def _code() -> int:
    """Do what is asked and say what is wrong: the code to exit with."""
    try:
        code = app(sys.argv[1:] or ["--help"], prog_name="sim", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except InputError as error:
        _note((line for mistake in error.mistakes for line in (mistake.line, *mistake.excerpt)), "sim: ")
        return 2
    except _MISTAKE as error:
        text = error.format_message() if hasattr(error, "format_message") else str(error)
        _note([_plainly(" ".join(text.split()))[:_LONGEST]], "sim: ")
        return 2
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except StudyStopped as error:
        _note([str(error)], "sim: ")
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None:
            _note([f"standard output: cannot be written: {error.strerror or error}"], "sim: ")
        else:
            traceback.print_exc()
            _note(["this is a mistake in the program, not in what you typed"], "sim: ")
    return 1


_PLAINLY = (
    (r"Got unexpected extra argument(?:s|\(s\))? \((.*)\)", r"\1: one too many"),
    (r"Invalid value for '(\S+)': Input should be a valid integer.*", r"\1: must be a whole number"),
    (
        r"Invalid value for '(\S+)': Input should be (?:greater than or equal to|at least) (\d+)",
        r"\1: must be at least \2",
    ),
)
"""What the parser of the command line says, and how it is said everywhere else."""


def _plainly(text: str) -> str:
    """The parser's words about a mistake as ours, and what was probably meant."""
    for pattern, ours in _PLAINLY:
        text = re.sub(pattern, ours, text)
    if not text.endswith(": one too many"):
        return text
    spaced = "--set" in sys.argv and not any("=" in word for word in sys.argv[sys.argv.index("--set") :][1:2])
    return f"{text}; {'write --set NAME=VALUE, without a space' if spaced else 'give one at a time'}"


@contextmanager
def _interrupts_heard() -> Iterator[None]:
    """Ctrl-C counts even where Python cannot raise it, while something is being cleared away: it is asked for again,
    and not told as an exception that was ignored."""
    before = sys.unraisablehook

    def hook(what: Any) -> None:
        if what.exc_type is KeyboardInterrupt:
            Timer(0.01, interrupt_main).start()  # now it would be ignored again
        else:
            before(what)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before
