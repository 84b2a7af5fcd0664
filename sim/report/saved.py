"""What is written about a study: its report, its pictures and its tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sim import files
from sim.plots import studies, theme
from sim.report.study import of_study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim.study import Results

REPORT = "report.html"
_PAGE = b'<meta name="generator" content="leadership-sim">'


def save(results: Results) -> list[Path]:
    """Write into the folder of a study what its runs say, and return the paths; none where no run is done.

    ``report.html``, the pictures that fit (``figure`` and others of `studies.NAMES`, as PNG, SVG and PDF), and
    ``summary.csv``, or for sampled designs ``sensitivity.csv`` and ``sensitivity.txt``. What is there, whole and made
    of these runs, is left as it is. Raises `InputError` where files cannot be written.
    """
    runs, failed = results.counts
    if runs == failed:
        return []
    folder = results.derived
    pictures = [f"{name}{ending}" for name in studies.pictures(results) for ending in theme.FORMATS]
    tables = ["sensitivity.csv", "sensitivity.txt"] if results.is_sampled else ["summary.csv"]
    names = [REPORT, *pictures, *tables]
    if not folder.is_fresh(results.digest, names):
        contents = _tables(results)
        drawn = _drawn(results)
        for name, figure in drawn.items():
            contents |= theme.drawn(figure, name, results.origin, results.title, theme.FORMATS)
        contents[REPORT] = of_study(results, drawn).encode()
        folder.fill(contents, results.digest)
    return [results.folder / name for name in names]


def _tables(results: Results) -> dict[str, bytes]:
    if not results.is_sampled:
        return {"summary.csv": files.csv(results.summary())}
    found = results.sensitivity()
    return {"sensitivity.csv": files.csv(found.table), "sensitivity.txt": found.text().encode() + b"\n"}


def save_figure(results: Results, path: Path) -> list[Path]:
    """Write the first picture in the format of the path's ending, .png, .svg or .pdf, or all three without an ending.

    Raises `InputError` for another ending, and where it cannot be written.
    """
    stem, formats = theme.wanted(path)
    return theme.save(studies.study_figure(results), stem, results.origin, results.title, formats)


def save_figures(results: Results, folder: Path) -> list[Path]:
    """Write every picture that fits the study into a folder, which is made where it is missing; return the paths."""
    with files.explained(folder):
        files.make(folder)
    return [
        path
        for name, figure in _drawn(results).items()
        for path in theme.save(figure, folder / name, results.origin, results.title, theme.FORMATS)
    ]


def save_report(results: Results, path: Path) -> None:
    """Write the report.

    Raises `InputError` where nothing is finished, and where the file cannot be written, or is somebody else's.
    """
    files.write_new(path, of_study(results, _drawn(results)).encode(), _PAGE)


def _drawn(results: Results) -> dict[str, Figure]:
    return {name: draw(results) for name, draw in studies.pictures(results).items()}
