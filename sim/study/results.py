"""The results of a study, finished or not, as tables."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from sim.errors import InputError
from sim.outcomes import POST_COLUMNS
from sim.study import toml
from sim.study.compute import measured
from sim.study.mistakes import place
from sim.study.store import Plan, Store

if TYPE_CHECKING:
    from sim.study.plan import Study

CONFIDENCE = 0.95


class Results:
    """A study's folder as it is when it is opened; open it again to see what was finished since.

    Rows come in the order of the study, cell by cell and seed by seed, whoever computed them when. Raises `InputError`
    with one line for a folder that holds no results, and when a table is read, for a file that is damaged.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._store = Store(self.folder)
        if self._store.plan is None:
            what = "no results here" if self.folder.is_dir() else "no such folder"
            raise InputError([f"{place(self.folder)}: {what}; give a folder that sim run has written"])
        self._plan: Plan = self._store.plan
        self._chunks = [chunk for chunk, _ in self._plan["chunks"] if self._is_there(chunk)]

    def __repr__(self) -> str:
        return f"Results({str(self.folder)!r}): {self._total - self.missing} of {self._total} runs"

    @cached_property
    def study(self) -> Study:
        """The study, as resolved when it was run."""
        from sim.study.plan import Study  # noqa: PLC0415

        path = self.folder / "study.toml"
        return Study.from_dict(toml.read(path), name=self.folder.resolve().name, where=place(path))

    @property
    def columns(self) -> tuple[str, ...]:
        """What the design varies."""
        return tuple(self._plan["columns"])

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that are kept."""
        return tuple(self._plan["kept"]["outcomes"])

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
        `window` months, and ``error``, empty unless the run failed (its outcomes are then missing)."""
        return self._table("runs")

    def series(self) -> pd.DataFrame:
        """A row for each month of each run: ``cell``, the design's columns, ``seed``, ``month`` (from 1), outcomes.

        Raises `InputError` unless the study says ``series = true``.
        """
        return self._table("series")

    def organisations(self) -> pd.DataFrame:
        """A row for each month and organisation of each run: ``cell``, the design's columns, ``seed``, ``month``,
        ``organisation`` and ``system`` (numbers from 0), and means over its managers of
        `sim.outcomes.POST_COLUMNS`. Where these have a varied lever's name, its column is called
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

        keys, names = ["cell", *self.columns], list(self.outcomes)
        long = self.runs.melt(keys, names, "outcome", "value")
        grouped = long.groupby([*keys, "outcome"], sort=False, dropna=False)["value"]
        table = grouped.agg(mean="mean", sd="std", n="count").reset_index()
        quantile = stats.t.ppf(0.5 + CONFIDENCE / 2, np.maximum(table["n"] - 1, 1))
        table.insert(len(keys) + 2, "half_width", quantile * table["sd"] / np.sqrt(np.maximum(table["n"], 1)))
        place = table["outcome"].map({name: k for k, name in enumerate(names)})
        return table.iloc[np.lexsort((place, table["cell"]))].reset_index(drop=True)

    def to_csv(self, path: Path | str) -> None:
        """Write `runs` for a spreadsheet; raises `InputError` where the file cannot be written."""
        try:
            self.runs.to_csv(path, index=False)
        except OSError as error:
            raise InputError([f"{place(Path(path))}: cannot be written: {error.strerror or error}"]) from None

    @property
    def _total(self) -> int:
        return sum(runs for _, pieces in self._plan["chunks"] for _, runs in pieces)

    def _is_there(self, chunk: str) -> bool:
        files = self._store.done.get(chunk, {}).get("files", {})
        return bool(files) and all(self._store.file(table, chunk).exists() for table in files)

    def _table(self, name: str) -> pd.DataFrame:
        if name != "runs" and not self._plan["kept"][name]:
            line = f"{name}: this study kept none; write {name} = true under [outcomes] and run it again"
            raise InputError([f"{place(self.folder)}: {line}"])
        pieces = dict(self._plan["chunks"])
        tables = [self._with_cells(self._read(name, chunk), name, chunk, pieces[chunk]) for chunk in self._chunks]
        if tables:
            table: pd.DataFrame = pa.concat_tables(tables).to_pandas()
            return table
        return pd.DataFrame(columns=self._columns(name))

    def _read(self, name: str, chunk: str) -> pa.Table:
        if (table := self._store.read(name, chunk)) is None:
            file = self._store.file(name, chunk)
            raise InputError([f"{place(file)}: missing or damaged; run the study again to compute it anew"])
        return table

    def _with_cells(self, table: pa.Table, name: str, chunk: str, pieces: list[list[int]]) -> pa.Table:
        """The table with the numbers of the cells in front, which the files lack because cells may move."""
        cells = np.repeat(*np.array(pieces, dtype=np.int64).T)
        if name != "runs":
            cells = cells[self._read("runs", chunk)["error"].is_null().to_numpy()]
            cells = cells[_run_of_row(table)]
        return table.add_column(0, "cell", pa.array(cells))

    def _columns(self, name: str) -> list[str]:
        design = ["cell", *self.columns, "seed"]
        return {
            "runs": [*design, *self.outcomes, "error"],
            "series": [*design, "month", *self.outcomes],
            "organisations": [*map(measured, design), "month", "organisation", "system", *POST_COLUMNS],
        }[name]


def _run_of_row(table: pa.Table) -> Any:
    """For each row of a monthly table the number, from 0, of the run that it belongs to."""
    first = table["month"].to_numpy() == 1
    if "organisation" in table.column_names:
        first &= table["organisation"].to_numpy() == 0
    return np.cumsum(first) - 1
