"""The results of a study, finished or not, as tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from sim import files
from sim.errors import InputError, place
from sim.model.run import provenance
from sim.statistics import CONFIDENCE
from sim.study import file as toml
from sim.study.compute import schema
from sim.study.design import is_sampled
from sim.study.precision import half_width
from sim.study.store import Plan, Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim.study.plan import Study
    from sim.study.sensitivity import Sensitivity

_PROVENANCE = TypeAdapter(dict[str, str | dict[str, str | None] | None])
_TOGETHER = 256
"""Tables of chunks that become one at a time: many small ones take several times the memory of their rows."""


class Results:
    """A study's folder as it is when it is opened; open it again to see what was finished since.

    Rows come in the order of the study, cell by cell and seed by seed, whoever computed them when. Raises `InputError`
    with one line for a folder that holds no results, and when a table is read, for a file that is damaged.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._store = Store(self.folder)
        if self._store.plan is None:
            raise InputError([f"{place(self.folder)}: {_why_not(self.folder)}"])
        self._plan: Plan = self._store.plan
        self._chunks = [chunk for chunk, _ in self._plan["chunks"] if self._is_there(chunk)]

    def __repr__(self) -> str:
        return f"Results({str(self.folder)!r}): {self._total - self.missing} of {self._total} runs"

    @cached_property
    def study(self) -> Study:
        """The study, as resolved when it was run."""
        from sim.study.plan import Study  # noqa: PLC0415

        path = self.folder / "study.toml"
        study = Study.from_dict(self._file, name=self.folder.resolve().name, where=place(path))
        if (study.columns, asdict(study.plan.kept), len(study.points)) != (self.columns, self._kept, self.cells):
            raise InputError([f"{place(path)}: is not the study that was run here; run the study again"])
        return study

    @cached_property
    def _file(self) -> toml.Table:
        """The study's file, if it is one and no pipe or device."""
        path = self.folder / "study.toml"
        with files.explained(path, "read"), files.opened(path):
            return toml.read(path)

    @property
    def columns(self) -> tuple[str, ...]:
        """What the design varies."""
        return tuple(self._plan["columns"])

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that are kept."""
        return tuple(self._plan["kept"]["outcomes"])

    @property
    def title(self) -> str:
        """The study's title, or its name where it has none."""
        return str(self._plan["title"])

    @property
    def cells(self) -> int:
        """Number of cells of the study."""
        return max((number for _, pieces in self._plan["chunks"] for number, _ in pieces), default=0)

    @property
    def is_sampled(self) -> bool:
        """Whether the design is an lhs, sobol or morris design, so that there is a `sensitivity`."""
        design = self._file.get("design")
        return isinstance(design, dict) and is_sampled(design)

    @property
    def is_sequential(self) -> bool:
        """Whether the number of runs of each cell was decided as they came, so that there is a `precision`."""
        return "precision" in self._plan

    @property
    def counts(self) -> tuple[int, int]:
        """Number of runs that are there, and of failed ones among them."""
        done = [self._store.done[chunk] for chunk in self._chunks]
        return sum(entry["runs"] for entry in done), sum(entry["failed"] for entry in done)

    @property
    def has_earlier(self) -> bool:
        """Whether the folder keeps runs of this study as it was before it was changed."""
        return self._store.has_earlier

    @property
    def complete(self) -> bool:
        """Whether every run is there, failed ones included."""
        return self.missing == 0

    @property
    def missing(self) -> int:
        """Number of runs that are still to be done."""
        done: int = sum(self._store.done[chunk]["runs"] for chunk in self._chunks)
        return self._total - done

    @cached_property
    def runs(self) -> pd.DataFrame:
        """A row for each run: ``cell`` (from 1), the design's columns, ``seed``, the outcomes averaged over the last
        `window` months, ``error`` and ``traceback``, empty unless the run failed (its outcomes are then missing)."""
        return self._table("runs")

    def series(self) -> pd.DataFrame:
        """A row for each month of each run: ``cell``, the design's columns, ``seed``, ``month`` (from 1), outcomes.

        Raises `InputError` unless the study says ``series = true``.
        """
        return self._table("series")

    def organisations(self) -> pd.DataFrame:
        """A row for each month and organisation of each run: ``cell``, the design's columns, ``seed``, ``month``,
        ``organisation`` and ``system`` (numbers from 0), and means over its managers of
        `sim.model.outcomes.POST_COLUMNS`. Where these have a varied lever's name, its column is called
        ``design_monitoring`` or ``design_relationship``.

        Raises `InputError` unless the study says ``organisations = true``.
        """
        return self._table("organisations")

    def summary(self) -> pd.DataFrame:
        """A row for each cell and outcome: ``cell``, the design's columns, ``outcome``, ``mean``, ``half_width`` of
        the 95 % interval by Student's t, ``sd`` and ``n``, the number of runs that did not fail.

        The interval is missing where n < 2.
        """
        from scipy import stats  # noqa: PLC0415

        keys, names, runs = ["cell", *self.columns], list(self.outcomes), self.runs
        by_cell = runs.groupby("cell", sort=True)[names]
        n, sd = by_cell.count().to_numpy(), by_cell.std().to_numpy()
        first = runs.loc[~runs["cell"].duplicated(), keys].sort_values("cell")
        table = first.loc[first.index.repeat(len(names))].reset_index(drop=True)
        table["outcome"] = np.tile(np.array(names, dtype=object), len(first))
        table["mean"] = by_cell.mean().to_numpy().ravel()
        quantile = stats.t.ppf(0.5 + CONFIDENCE / 2, np.maximum(n - 1, 1))
        table["half_width"] = (quantile * sd / np.sqrt(np.maximum(n, 1))).ravel()
        table["sd"], table["n"] = sd.ravel(), n.ravel()
        return table

    def precision(self) -> pd.DataFrame:
        """A row for each cell: ``cell``, the design's columns, ``n``, the number of runs that did not fail,
        ``half_width`` of the 95 % interval of the outcome that ``[precision]`` names, and ``ended``: "reached" where
        that is narrow enough, "maximum" where the cell has had as many runs as it may, "" while it is still going on.

        Raises `InputError` unless the study has a section ``[precision]``.
        """
        if (asked := self._plan.get("precision")) is None:
            line = "this study has no [precision]; its cells have the same number of runs"
            raise InputError([f"{place(self.folder)}: {line}"])
        rows = []
        for _, runs in self.runs.groupby("cell", sort=True):
            values = runs[asked["outcome"]].dropna().to_numpy()
            half = half_width(values)
            full = "maximum" if len(runs) >= asked["maximum"] else ""
            design = tuple(runs[["cell", *self.columns]].iloc[0])
            rows.append((*design, len(values), half, "reached" if half <= asked["half_width"] else full))
        return pd.DataFrame(rows, columns=["cell", *self.columns, "n", "half_width", "ended"])

    def compare(self, a: int | Mapping[str, Any], b: int | Mapping[str, Any]) -> pd.DataFrame:
        """Paired differences between two cells, seed by seed, for each outcome; see `sim.study.comparison.compare`."""
        from sim.study.comparison import compare  # noqa: PLC0415

        return compare(self, a, b)

    def plot(self, *outcomes: str) -> Figure:
        """The first picture of the study: dose and response, a row for each cell, or for sampled designs what matters
        for an outcome or two. See `sim.plots.study.study_figure`, and `pictures` there for the others."""
        from sim.plots.study import study_figure  # noqa: PLC0415

        return study_figure(self, outcomes)

    def sensitivity(self, outcomes: Iterable[str] | None = None) -> Sensitivity:
        """What outcomes depend on, for lhs, sobol and morris designs; see `sim.study.sensitivity.sensitivity`."""
        from sim.study.sensitivity import sensitivity  # noqa: PLC0415

        return self._sensitivity if outcomes is None else sensitivity(self, outcomes)

    @cached_property
    def _sensitivity(self) -> Sensitivity:
        from sim.study.sensitivity import sensitivity  # noqa: PLC0415

        return sensitivity(self, None)

    @property
    def digest(self) -> str:
        """A hash of all that the ledger says about the runs: what was made of other runs, or fewer, has another one."""
        return self._store.digest

    @property
    def derived(self) -> files.Folder:
        """The files in the folder that were made of the runs: report, pictures and tables."""
        return files.Folder(self.folder, "a study", marked=True)

    @property
    def origin(self) -> dict[str, Any]:
        """Where pictures of these results come from: what draws them, the study, its runs, and what computed them."""
        runs, failed = self.counts
        made = {"study": self.title, "model": self._plan["model"], "runs": runs, "failed": failed}
        return {**provenance(), **made, "computed_by": self.computed_by}

    @cached_property
    def computed_by(self) -> list[dict[str, Any]]:
        """The provenance that the Parquet files hold, each once: version, commit, Python, platform, packages."""
        texts: dict[bytes, None] = {}
        for file in (self._store.file("runs", chunk) for chunk in self._chunks):
            with suppress(OSError, pa.ArrowException, KeyError, TypeError), files.opened(file) as content:
                texts[pq.read_metadata(content).metadata[b"provenance"]] = None
        found = []
        for text in texts:
            with suppress(ValueError):  # somebody else's
                found.append(_PROVENANCE.validate_json(text))
        return found

    def pieces(self, name: str, columns: Iterable[str]) -> Iterator[pd.DataFrame]:
        """Some columns of `series` or `organisations`, with ``cell``, some runs at a time: where all of them would
        not fit into memory. Raises `InputError` where the study kept none."""
        self._check_kept(name)
        pieces = dict(self._plan["chunks"])
        for chunk in self._chunks:
            table = self._with_cells(self._read(name, chunk), name, chunk, pieces[chunk])
            yield table.select(["cell", *columns]).to_pandas()

    def to_csv(self, path: Path | str) -> None:
        """Write `runs` for a spreadsheet; raises `InputError` where the file cannot be written, or is there already."""
        files.write_new(Path(path), files.csv(self.runs))

    @property
    def _kept(self) -> dict[str, Any]:
        return {**self._plan["kept"], "outcomes": self.outcomes}

    @property
    def _total(self) -> int:
        return sum(runs for _, pieces in self._plan["chunks"] for _, runs in pieces)

    def _is_there(self, chunk: str) -> bool:
        written = self._store.done.get(chunk, {}).get("files", {})
        return bool(written) and all(self._store.file(table, chunk).exists() for table in written)

    def _table(self, name: str) -> pd.DataFrame:
        self._check_kept(name)
        pieces = dict(self._plan["chunks"])
        read = (self._with_cells(self._read(name, chunk), name, chunk, pieces[chunk]) for chunk in self._chunks)
        tables = []
        while some := list(islice(read, _TOGETHER)):
            tables.append(pa.concat_tables(some).combine_chunks())
        if not tables:
            return pd.DataFrame(columns=["cell", *schema(name, self.columns, self.outcomes).names])
        table: pd.DataFrame = pa.concat_tables(tables).to_pandas()
        if not table["cell"].is_monotonic_increasing:  # later rounds of sequential replication come last
            table = table.iloc[np.argsort(table["cell"].to_numpy(), kind="stable")].reset_index(drop=True)
        return table

    def _check_kept(self, name: str) -> None:
        if name != "runs" and not self._plan["kept"][name]:
            line = f"{name}: this study kept none; write {name} = true under [outcomes] and run it again"
            raise InputError([f"{place(self.folder)}: {line}"])

    def _read(self, name: str, chunk: str) -> pa.Table:
        table = self._store.read(name, chunk, schema(name, self.columns, self.outcomes))
        if table is None:
            file = self._store.file(name, chunk)
            raise InputError([f"{place(file)}: missing or damaged; run the study again to compute it anew"])
        return table

    def _with_cells(self, table: pa.Table, name: str, chunk: str, pieces: list[list[int]]) -> pa.Table:
        """The table with the numbers of the cells in front, which the files lack because cells may move."""
        runs = table if name == "runs" else self._read("runs", chunk)
        if len(runs) != sum(count for _, count in pieces):
            raise InputError([f"{place(self._store.file(name, chunk))}: does not fit the ledger; run the study again"])
        cells = np.repeat(*np.array(pieces, dtype=np.int64).T)
        if name != "runs":
            cells, rows = cells[runs["error"].is_null().to_numpy()], _run_of_row(table)
            if (len(rows) and rows[0]) or len(cells) != (rows[-1] + 1 if len(rows) else 0):
                raise InputError(
                    [f"{place(self._store.file(name, chunk))}: does not fit the ledger; run the study again"]
                )
            cells = cells[rows]
        return table.add_column(0, "cell", pa.array(cells))


def answer_in(folder: Path) -> Path | None:
    """The page that sim claim wrote, where a folder is one of its own and not a study's."""
    page = folder / "claims.txt"
    return page if page.is_file() and not (folder / "ledger").exists() else None


def _why_not(folder: Path) -> str:
    """Why a folder holds no results of a study, and what to do."""
    if answer_in(folder):
        return "an answer of sim claim, not a study; open claims.txt, claims.png and claims.csv in it"
    what = "no results here" if folder.is_dir() else "no such folder"
    return f"{what}; give a folder that sim run has written"


def _run_of_row(table: pa.Table) -> Any:
    """For each row of a monthly table the number, from 0, of the run that it belongs to."""
    first = table["month"].to_numpy() == 1
    if "organisation" in table.column_names:
        first &= table["organisation"].to_numpy() == 0
    return np.cumsum(first) - 1
