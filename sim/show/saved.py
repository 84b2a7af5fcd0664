"""What is written about a study: its report, its pictures and its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sim.errors import InputError
from sim.show import studies, theme
from sim.show.study_report import of_study
from sim.study.mistakes import place

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim.study import Results

REPORT = "report.html"


def save(results: Results) -> list[Path]:
    """Write into the folder of a study what its runs say, and return the paths; none where no run is done.

    ``report.html``, the pictures that fit (``figure`` and others of `studies.NAMES`, as PNG, SVG and PDF), and
    ``summary.csv``, or for sampled designs ``sensitivity.csv`` and ``sensitivity.txt``. What is there and younger than
    the last run is left as it is. Raises `InputError` where files cannot be written.
    """
    runs, failed = results.counts
    if runs == failed:
        return []
    folder, tables = results.folder, _tables(results)
    paths = [folder / REPORT, *_files(folder, studies.pictures(results)), *(folder / name for name in tables)]
    if results.older_than(paths):
        return paths
    with _explained(folder):
        for path in paths:
            if path.is_symlink():  # from somebody else's folder; what it leads to is not ours to write
                path.unlink()
        for name, write in tables.items():
            write(folder / name)
        for left in set(_files(folder, studies.NAMES)) - set(paths):  # of the study as it was before it was changed
            left.unlink(missing_ok=True)
    drawn = _drawn(results)
    _write(results, drawn, folder)
    save_report(results, folder / REPORT, drawn)
    return paths


def _tables(results: Results) -> dict[str, Callable[[Path], object]]:
    """The names of the tables, and what writes each."""
    if not results.is_sampled:
        return {"summary.csv": lambda path: results.summary().to_csv(path, index=False)}
    return {
        "sensitivity.csv": lambda path: results.sensitivity().table.to_csv(path, index=False),
        "sensitivity.txt": lambda path: path.write_text(results.sensitivity().text() + "\n", encoding="utf-8"),
    }


def save_figure(results: Results, path: Path) -> list[Path]:
    """Write the first picture in the format of the path's ending, .png, .svg or .pdf, or all three without an ending.

    Raises `InputError` for another ending, and where it cannot be written.
    """
    stem, formats = theme.wanted(path)
    with _explained(path):
        return theme.save(studies.study_figure(results), stem, results.origin, results.title, formats)


def save_figures(results: Results, folder: Path) -> list[Path]:
    """Write every picture that fits the study into a folder, which is made where it is missing; return the paths."""
    return _write(results, _drawn(results), folder)


def save_report(results: Results, path: Path, drawn: Mapping[str, Figure] | None = None) -> None:
    """Write the report; `drawn` are pictures that are there already.

    Raises `InputError` where nothing is finished, and where the file cannot be written.
    """
    text = of_study(results, drawn or _drawn(results))
    with _explained(path):
        path.write_text(text, encoding="utf-8")


def _drawn(results: Results) -> dict[str, Figure]:
    return {name: draw(results) for name, draw in studies.pictures(results).items()}


def _files(folder: Path, names: Iterable[str]) -> list[Path]:
    return [folder / f"{name}{ending}" for name in names for ending in theme.FORMATS]


def _write(results: Results, drawn: Mapping[str, Figure], folder: Path) -> list[Path]:
    with _explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, figure in drawn.items():
            theme.save(figure, folder / name, results.origin, results.title, theme.FORMATS)
    return _files(folder, drawn)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError([f"{place(path)}: cannot be written: {error.strerror or error}"]) from None
