"""The results of a study, finished or not, as tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import cached_property
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from sim import files
from sim.errors import InputError, Mistake, chosen, closest, counted, path_of, place, shown, whole
from sim.model.run import provenance
from sim.statistics import effective_calibrations, interval, mean, mean_interval, student
from sim.study import file as toml
from sim.study.chunks import half_width
from sim.study.compute import schema
from sim.study.design import is_sampled
from sim.study.store import Plan, Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim.study.plan import Study
    from sim.study.regions import Regions
    from sim.study.sensitivity import Sensitivity

_PROVENANCE = TypeAdapter(dict[str, str | dict[str, str | None] | None])
_TOGETHER = 256
"""Tables of chunks that become one at a time: many small ones take several times the memory of their rows."""


_MOST_NAMED = 8


def located(path: Path) -> Path:
    """Where results are: in the folder, or where a study's name or file is given, in that of its results."""
    with suppress(OSError, ValueError):  # a name that is too long, or holds a null character
        below = Path("results") / path.stem
        if path.suffix in ("", ".toml") and not path.is_dir() and path.name == str(path) and below.is_dir():
            return below
    return path


class Results:
    """A study's folder as it is when it is opened; open it again to see what was finished since.

    Rows come in the order of the study, cell by cell and seed by seed, whoever computed them when. Raises `InputError`
    with one line for a folder that holds no results, and when a table is read, for a file that is damaged.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = path_of("folder", folder)
        self._store = Store(self.folder)
        if self._store.plan is None:
            what = "no results here" if self.folder.is_dir() else "no such folder"
            inside = self.folder if self.folder.is_dir() and self.folder != Path() else Path("results")
            there = [place(path.parent) for path in sorted(inside.glob("*/ledger"))][:_MOST_NAMED]
            known = f"there are {', '.join(there)}" if there else "give a folder that sim run has written"
            why = f"{what}; {known}"
            if answer_in(self.folder):
                why = "an answer of sim claim, not a study; open claims.txt, claims.png and claims.csv in it"
            raise InputError([f"{place(self.folder)}: {why}"])
        self._plan: Plan = self._store.plan
        self._chunks = [(chunk, pieces) for chunk, pieces in self._plan["chunks"] if self._store.has(chunk)]

    def __len__(self) -> int:
        """Number of runs that are there, failed ones included."""
        return self.counts[0]

    def __repr__(self) -> str:
        runs = f"{len(self):,} of {counted(len(self) + self.missing, 'run')} in {counted(self.cells, 'cell')}"
        return f"<Results of {self.title!r}: {runs}, in {self.folder}>"

    @cached_property
    def study(self) -> Study:
        """The study, as resolved when it was run."""
        from sim.study.plan import Study  # noqa: PLC0415

        path = self.folder / "study.toml"
        study = Study.from_dict(self._file, name=self.folder.resolve().name, where=place(path))
        kept = {**self._plan["kept"], "outcomes": self._kept}
        if (study.columns, asdict(study.plan.kept), len(study.points)) != (self.columns, kept, self.cells):
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
        """The outcomes that are kept, in the order in which the study names them."""
        asked: Any = ()
        with suppress(InputError, AttributeError):  # a file that is damaged, or no study's
            asked = self._file.get("outcomes", {}).get("keep", ())
        return (*(name for name in asked if name in self._kept), *(name for name in self._kept if name not in asked))

    @property
    def _kept(self) -> tuple[str, ...]:
        """The outcomes as they stand in the files of runs."""
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
    def policies(self) -> tuple[str, ...]:
        """The policies of a design over worlds, in order; none for other designs."""
        design = self._file.get("design")
        crossed = design.get("policies", {}) if isinstance(design, dict) and design.get("kind") == "worlds" else {}
        return tuple(crossed)

    @property
    def is_sequential(self) -> bool:
        """Whether the number of runs of each cell was decided as they came, so that there is a `precision`."""
        return "precision" in self._plan

    @property
    def counts(self) -> tuple[int, int]:
        """Number of runs that are there, and of failed ones among them."""
        done = [self._store.done[chunk] for chunk, _ in self._chunks]
        return sum(entry["runs"] for entry in done), sum(entry["failed"] for entry in done)

    @property
    def has_earlier(self) -> bool:
        """Whether the folder keeps runs of this study as it was before it was changed."""
        return self._store.has_earlier

    @property
    def missing(self) -> int:
        """Number of runs that are still to be done; 0 where every run is there, failed ones included."""
        planned: int = sum(runs for _, pieces in self._plan["chunks"] for _, runs in pieces)
        return planned - len(self)

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
        keys, names, runs = ["cell", *self.columns], list(self.outcomes), self.runs
        by_cell = runs.groupby("cell", sort=True)[names]
        n, sd = by_cell.count().to_numpy(), by_cell.std().to_numpy()
        first = runs.loc[~runs["cell"].duplicated(), keys].sort_values("cell")
        table = first.loc[first.index.repeat(len(names))].reset_index(drop=True)
        table["outcome"] = np.tile(np.array(names, dtype=object), len(first))
        table["mean"] = by_cell.mean().to_numpy().ravel()
        table["half_width"] = (student(n) * sd / np.sqrt(np.maximum(n, 1))).ravel()
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

    def compare(self, a: int | str | Mapping[str, Any], b: int | str | Mapping[str, Any]) -> pd.DataFrame:
        """The paired differences between two cells, or between two policies over the worlds of a study.

        Common random numbers take most of the noise away.

        Parameters
        ----------
        a, b : int, mapping or str
            The number of a cell, from 1, or values of the design's columns that fit no other cell,
            ``{"monitoring": 0.75, "relationship": 0.1}``; or two policies of a design over worlds, by name.

        Returns
        -------
        A row for each outcome: ``outcome``, the means ``a`` and ``b`` over the seeds that worked in both,
        ``difference`` a − b with its 95 % interval ``low`` and ``high`` by Student's t, all in the outcome's unit, and
        ``n``, the number of pairs. The interval is missing where n < 2.

        Of two policies these are means over the worlds, by weight. The interval is that between calibrations, as
        `sim.statistics.mean` has it, missing where all worlds are of one; ``n`` is the number of worlds with pairs.

        Raises `InputError` for a cell or policy that the study does not have or that has no runs yet, or values that
        fit several.
        """
        if self.policies and (isinstance(a, str) or isinstance(b, str)):
            return self._over_worlds(*(chosen("policy", [name], self.policies, "policy")[0] for name in (a, b)))
        left, right = (self._runs_of(which)[list(self.outcomes)] for which in (a, b))
        rows = []
        for name in self.outcomes:
            both = pd.concat([left[name], right[name]], axis=1, join="inner").dropna().to_numpy(dtype=np.float64)
            means = both.mean(axis=0) if len(both) else np.full(2, np.nan)
            rows.append((name, *means, *mean_interval(both[:, 0] - both[:, 1]), len(both)))
        return pd.DataFrame(rows, columns=["outcome", "a", "b", "difference", "low", "high", "n"])

    def _over_worlds(self, a: str, b: str) -> pd.DataFrame:
        """The paired differences between two policies, in every world and then over worlds; see `compare`."""
        by_policy = self.runs.set_index(["policy", "world", "seed"])
        left, right = (by_policy[by_policy.index.get_level_values("policy") == name].droplevel(0) for name in (a, b))
        rows = []
        for name in self.outcomes:
            both = pd.concat([left[name], right[name]], axis=1, join="inner", keys=["a", "b"]).dropna()
            means = both.assign(difference=both["a"] - both["b"]).groupby("world").mean()
            about = left.groupby("world")[["weight", "calibration"]].first().loc[means.index]
            w, of = about["weight"].to_numpy(), about["calibration"].to_numpy()
            if not len(w):
                rows.append((name, *[np.nan] * 5, 0))
                continue
            found = [mean(w, means[each].to_numpy(), of) for each in means]
            ends = interval(*found[2], effective_calibrations(w / w.sum(), of))
            rows.append((name, *(each.estimate for each in found), *ends, len(w)))
        return pd.DataFrame(rows, columns=["outcome", "a", "b", "difference", "low", "high", "n"])

    def _runs_of(self, which: int | str | Mapping[str, Any]) -> pd.DataFrame:
        """The runs of a cell, by seed."""
        cells = self.study.cells
        if not isinstance(which, Mapping):
            number = whole("cell", which, 1, len(cells))
        else:
            fits = np.ones(len(cells), dtype=bool)
            for name, value in which.items():
                if name not in cells:
                    why, varied = "the design does not vary this", f"it varies {', '.join(cells.columns) or 'nothing'}"
                    raise InputError([Mistake((name,), value, why, closest(name, cells.columns), varied)])
                same = (cells[name] == value).to_numpy()
                if not same.any():
                    some = f"there are {', '.join(map(str, cells[name].unique()[:10]))}"
                    raise InputError([Mistake((name,), value, "no cell has this value", allowed=some)])
                fits &= same
            found = cells.index[fits]
            if len(found) != 1:
                several = f"cells {', '.join(map(str, found[:5]))} fit; say more"
                raise InputError([f"{shown(dict(which))}: {several if len(found) else 'no cell has all of these'}"])
            number = int(found[0])
        runs = self.runs[self.runs["cell"] == number]
        if runs.empty:
            raise InputError([f"cell {number}: none of its runs is done yet; run the study again"])
        return runs.set_index("seed")

    def regions(self, condition: str) -> Regions:
        """Where in the design's space a condition such as "fear > 0.4" holds; see `sim.study.regions.regions_where`."""
        from sim.study.regions import regions_where  # noqa: PLC0415

        return regions_where(self, condition)

    def to_xarray(self, table: Literal["runs", "series"] = "runs") -> Any:
        """The outcomes as an ``xarray.Dataset``, a variable for each, of `runs` or of the monthly `series`.

        Dimensions are the columns of a design that crosses them, else ``cell``; then ``seed``, and ``month`` for
        `series`. Runs that failed are missing values. Raises `InputError` where xarray is not installed, and where the
        study kept no series.
        """
        if find_spec("xarray") is None:
            raise InputError(["to_xarray: needs xarray, which is not installed: pip install xarray"])
        rows = self.runs if table == "runs" else self.series()
        design = rows.drop_duplicates("cell")[list(self.columns)]
        crossed = len(design) == len(design.drop_duplicates()) == math.prod(design.nunique())
        dimensions = [*(self.columns if crossed else ["cell"]), "seed", *(["month"] if table == "series" else [])]
        return rows.set_index(dimensions)[list(self.outcomes)].to_xarray()

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

    @cached_property
    def origin(self) -> dict[str, Any]:
        """Where pictures of these results come from: what draws them, the study, its runs, and ``computed_by``, the
        provenance that the Parquet files hold, each once: version, commit, Python, platform, packages."""
        texts: dict[bytes, None] = {}
        for chunk, _ in self._chunks:
            with (
                suppress(OSError, pa.ArrowException, KeyError, TypeError),
                files.opened(self._store.file("runs", chunk)) as content,
            ):
                texts[pq.read_metadata(content).metadata[b"provenance"]] = None
        computed_by = []
        for text in texts:
            with suppress(ValueError):  # somebody else's
                computed_by.append(_PROVENANCE.validate_json(text))
        runs, failed = self.counts
        made = {"study": self.title, "model": self._plan["model"], "runs": runs, "failed": failed}
        return {**provenance(), **made, "computed_by": computed_by}

    def pieces(self, name: str, columns: Iterable[str]) -> Iterator[pd.DataFrame]:
        """Some columns of `series` or `organisations`, with ``cell``, some runs at a time: where all of them would
        not fit into memory. Raises `InputError` where the study kept none."""
        for table in self._tables(name):
            yield table.select(["cell", *columns]).to_pandas()

    def to_csv(self, path: Path | str) -> None:
        """Write `runs` for a spreadsheet; raises `InputError` where the file cannot be written, or is there already."""
        files.write_new(path_of("path", path), files.csv(self.runs))

    def _table(self, name: str) -> pd.DataFrame:
        read, tables = self._tables(name), []
        while some := list(islice(read, _TOGETHER)):
            tables.append(pa.concat_tables(some).combine_chunks())
        if not tables:
            return pd.DataFrame(columns=["cell", *schema(name, self.columns, self._kept).names])
        table: pd.DataFrame = pa.concat_tables(tables).to_pandas()
        if not table["cell"].is_monotonic_increasing:  # later rounds of sequential replication come last
            table = table.iloc[np.argsort(table["cell"].to_numpy(), kind="stable")].reset_index(drop=True)
        return table

    def _tables(self, name: str) -> Iterator[pa.Table]:
        """The tables of finished chunks with the numbers of cells in front, which files lack because cells may move."""
        if name != "runs" and not self._plan["kept"][name]:
            line = f"{name}: this study kept none; write {name} = true under [outcomes] and run it again"
            raise InputError([f"{place(self.folder)}: {line}"])
        for chunk, pieces in self._chunks:
            table = self._read(name, chunk)
            runs = table if name == "runs" else self._read("runs", chunk)
            row = worked = np.arange(len(runs))
            if name != "runs":
                first = table["month"].to_numpy() == 1
                if "organisation" in table.column_names:
                    first &= table["organisation"].to_numpy() == 0
                worked, row = np.flatnonzero(runs["error"].is_null()), np.cumsum(first) - 1
            if len(runs) != sum(count for _, count in pieces) or not np.array_equal(np.unique(row), range(len(worked))):
                file = self._store.file(name, chunk)
                raise InputError([f"{place(file)}: does not fit the ledger; run the study again"])
            cells = np.repeat(*np.array(pieces, dtype=np.int64).T)
            yield table.add_column(0, "cell", pa.array(cells[worked][row]))

    def _read(self, name: str, chunk: str) -> pa.Table:
        table = self._store.read(name, chunk, schema(name, self.columns, self._kept))
        if table is None:
            file = self._store.file(name, chunk)
            raise InputError([f"{place(file)}: missing or damaged; run the study again to compute it anew"])
        return table


def answer_in(folder: Path) -> Path | None:
    """The page that sim claim wrote, where a folder is one of its own and not a study's."""
    page = folder / "claims.txt"
    return page if page.is_file() and not (folder / "ledger").exists() else None
