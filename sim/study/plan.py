"""A study: what is written in its TOML file, checked as a whole before anything runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from pydantic import ValidationError

from sim.errors import InputError, first, place
from sim.study import design, mistakes
from sim.study import file as toml
from sim.study.chunks import Chunk, budget, chunks
from sim.study.points import Cell, Cells, uncollected
from sim.study.sections import Outcomes, Plan, Precision

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from sim.study.estimate import Estimate
    from sim.study.results import Results

_ONCE = frozenset(Plan.model_fields) - set(design.CHOICES) | {"window"}
"""What a design cannot vary."""
MOST_CHUNKS = 1_000_000
"""More than these are not laid out, because that alone would take minutes and fill the memory."""


@dataclass(frozen=True)
class Study:
    """A checked study: every cell is known to be allowed.

    Attributes
    ----------
    name : str
        Its file's name without the ending; results go to ``results/<name>`` unless another folder is given.
    plan : Plan
        What the file says, with overrides and defaults.
    columns : names of what the design varies.
    points : the cells, in order.
    variant : str
        What overrides add to the name of the folder, so that the results of the study as it is stay where they are.
    """

    name: str
    plan: Plan
    columns: tuple[str, ...]
    points: tuple[Cell, ...]
    variant: str = field(default="", compare=False)

    @classmethod
    def load(cls, path: Path | str, overrides: toml.Overrides = ()) -> Study:
        """Read a study from a TOML file.

        `overrides` are settings that replace or join those of the file, ``["relationship=0.5", "seeds=3"]`` or
        ``{"parameters.months": "24"}``, with values in TOML. Raises `InputError` with a line for each mistake.
        """
        path = Path(path)
        return cls.from_dict(toml.read(path), overrides, name=_safe(path.stem), where=place(path))

    @classmethod
    def from_dict(
        cls,
        table: dict[str, Any],
        overrides: toml.Overrides = (),
        *,
        name: str = "study",
        where: str = "study",
    ) -> Study:
        """A study from a table as `tomllib` reads it; `where` begins each line about a mistake.

        >>> Study.from_dict({"seeds": 2, "design": {"kind": "grid", "monitoring": [0.1, 0.9]}}).size
        4
        """
        with uncollected():
            return cls._made(table, overrides, name, where)

    @classmethod
    def _made(cls, table: dict[str, Any], overrides: toml.Overrides, name: str, where: str) -> Study:
        try:
            plan, wrong = _checked(toml.overridden(table, overrides, list(Plan.model_fields)))
            columns, points, more = _cells(plan)
            if wrong or more:
                raise InputError(first([*wrong, *more]))
        except InputError as error:
            raise InputError(
                [line if line.startswith("--set ") else f"{where}: {line}" for line in error.lines]
            ) from None
        return cls(_safe(name), plan, columns, points, toml.variant(overrides))

    @property
    def title(self) -> str:
        """The study's title, or its name where it has none."""
        return self.plan.title or self.name

    @property
    def size(self) -> int:
        """Number of runs; the smallest, where ``[precision]`` decides how many there are."""
        return len(self.points) * self.plan.seeds

    @property
    def most(self) -> int:
        """The largest number of runs, which is `size` unless there is a section ``[precision]``."""
        return len(self.points) * self.plan.most_seeds

    @property
    def cells(self) -> pd.DataFrame:
        """A row for each cell: index ``cell`` from 1, a column for everything that the design varies."""
        index = pd.RangeIndex(1, len(self.points) + 1, name="cell")
        return pd.DataFrame([cell.labels for cell in self.points], index, list(self.columns))

    @cached_property
    def chunks(self) -> tuple[Chunk, ...]:
        """All runs, or with ``[precision]`` those of the first round, as they are computed and stored.

        Raises `InputError` where they are too many to be laid out.
        """
        if self._cost > MOST_CHUNKS * self.budget:
            raise InputError([f"{self.name}: {self.size:,} runs are too much for one study; divide it into several"])
        numbered = enumerate(self.points, 1)
        with uncollected():
            return tuple(chunks(numbered, self.columns, self.plan.seed, self.plan.seeds, self.plan.kept, self.budget))

    @property
    def budget(self) -> int:
        """Manager-months in a chunk, at most, unless one run has more."""
        return budget(self._cost, self.plan.kept)

    @cached_property
    def _cost(self) -> int:
        """Manager-months of all runs that there may be, roughly."""
        return self.plan.most_seeds * sum(cell.cost for cell in self.points)

    def folder(self, out: Path | str | None = None) -> Path:
        """Where the results go: `out`, or ``results/<name>`` in the present folder, with overrides another one."""
        return Path("results") / f"{self.name}{self.variant}" if out is None else Path(out)

    def run(
        self,
        out: Path | str | None = None,
        *,
        fresh: bool = False,
        workers: int | None = None,
        cluster: str | Executor | None = None,
        stop_on_failure: bool = False,
        retry_failed: bool = False,
        yes: bool = False,
        progress: Callable[[int, int, int], None] | None = None,
    ) -> Results:
        """Do the runs that are not yet done, and open the results.

        Parameters
        ----------
        out : path, optional
            Folder of the results, ``results/<name>`` by default. Run again to go on after an interruption.
        fresh : bool
            Forget what is done and start over.
        workers : int, optional
            Threads, by default one for each core.
        cluster : str or Executor, optional
            Where to compute instead: the address of a Dask scheduler, ``tcp://host:8786``; ``local:2`` for that many
            worker processes; or any `concurrent.futures.Executor`, which stays open. The rows do not depend on it.
        stop_on_failure : bool
            Stop after the chunk with the first run that fails; by default a failed run is a row with its error.
        retry_failed : bool
            Do chunks with failed runs again, which otherwise count as done.
        yes : bool
            Allow more than a million runs, or about a day of computing.
        progress : callable, optional
            Called with the numbers of runs done (those of before included), of failed ones among them, and of all
            that are planned so far: at the start and after each chunk.

        Raises `InputError` where the folder cannot be written, holds other things, or is being written to, where a
        cluster cannot be reached or has other versions, or where the study is too large; `StudyStopped` for a run that
        failed, with `stop_on_failure`, and for a cluster that is lost.
        """
        from sim.study.runner import Options, run  # noqa: PLC0415

        return run(
            self,
            self.folder(out),
            Options(fresh, workers, cluster, stop_on_failure, retry_failed, yes, progress),
        )

    def estimate(self, out: Path | str | None = None, workers: int | None = None) -> Estimate:
        """What `run` would take: runs, those already done, seconds on this machine, bytes on disk."""
        from sim.study.estimate import estimate  # noqa: PLC0415

        return estimate(self, self.folder(out), workers)


def _safe(name: str) -> str:
    """A name that stays inside ``results/``, whatever a file is called."""
    plain = "".join(letter if letter.isprintable() and letter not in "/\\" else "_" for letter in name)
    return plain.strip(". ") or "study"


def _checked(table: toml.Table) -> tuple[Plan, list[str]]:
    """The plan, with defaults where something is wrong, and what is wrong."""
    try:
        return Plan.model_validate(table), []
    except ValidationError as error:
        wrong = {problem["loc"][0] for problem in error.errors(include_url=False)}
        lines = mistakes.complaints(error, Plan, {"outcomes": Outcomes, "precision": Precision})
        return Plan.model_validate({name: value for name, value in table.items() if name not in wrong}), lines


def _cells(plan: Plan) -> tuple[tuple[str, ...], tuple[Cell, ...], list[str]]:
    """The columns and cells of a plan's design, and what is wrong with it."""
    lines = [*mistakes.misplaced(plan.parameters, Plan.model_fields), *plan.impossible]
    settings: list[design.Settings] = [{}]
    columns: list[str] = []
    varied = design.varied(plan.design)
    try:
        settings, columns = design.cells(plan.design), varied
    except InputError as error:
        lines += error.lines
    lines += mistakes.contradictions(varied, _ONCE, plan.fixed, plan.parameters)
    found = mistakes.CellMistakes(plan.listed, plan.parameters, design.is_sampled(plan.design))
    points: list[Cell] = []
    checked = Cells(plan.common, columns, plan.outcomes.organisations)
    for number, own in enumerate(settings, 1):
        if found.enough:
            break
        try:
            settled = design.put_into_schedule(own, plan.schedule)
            points.append(checked({name: value for name, value in settled.items() if name not in _ONCE}))
        except InputError as error:
            found.add(number, own, error)
    lines += found.lines(len(settings)) or _repeated(points)
    return tuple(columns), tuple(points), lines


def _repeated(points: list[Cell]) -> list[str]:
    """Cells that are the same, which would count the same runs twice."""
    first: dict[str, int] = {}
    return [
        f"cell {number}: the same as cell {first[cell.digest]}; leave out one of the two"
        for number, cell in enumerate(points, 1)
        if first.setdefault(cell.digest, number) != number
    ]
