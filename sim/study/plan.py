"""A study: what is written in its TOML file, checked as a whole before anything runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from pydantic import ValidationError

from sim.errors import InputError
from sim.study import design, mistakes, toml
from sim.study.chunks import Cell, Chunk, chunks
from sim.study.sections import Outcomes, Plan

if TYPE_CHECKING:
    from sim.study.results import Results
    from sim.study.running import Estimate

_ONCE = frozenset(Plan.model_fields) - set(design.CHOICES) | {"window"}
"""What a design cannot vary."""


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
    """

    name: str
    plan: Plan
    columns: tuple[str, ...]
    points: tuple[Cell, ...]

    @classmethod
    def load(cls, path: Path | str, overrides: toml.Overrides = ()) -> Study:
        """Read a study from a TOML file.

        `overrides` are settings that replace or join those of the file, ``["relationship=0.5", "seeds=3"]`` or
        ``{"parameters.months": "24"}``, with values in TOML. Raises `InputError` with a line for each mistake.
        """
        path = Path(path)
        return cls.from_dict(toml.read(path), overrides, name=_safe(path.stem), where=mistakes.place(path))

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
        try:
            plan, wrong = _checked(toml.overridden(table, overrides, list(Plan.model_fields)))
            columns, points, more = _cells(plan)
            if wrong or more:
                raise InputError([*wrong, *more])
        except InputError as error:
            raise InputError(
                [line if line.startswith("--set ") else f"{where}: {line}" for line in error.lines]
            ) from None
        return cls(_safe(name), plan, columns, points)

    @property
    def title(self) -> str:
        """The study's title, or its name where it has none."""
        return self.plan.title or self.name

    @property
    def size(self) -> int:
        """Number of runs."""
        return len(self.points) * self.plan.seeds

    @property
    def cells(self) -> pd.DataFrame:
        """A row for each cell: index ``cell`` from 1, a column for everything that the design varies."""
        index = pd.RangeIndex(1, len(self.points) + 1, name="cell")
        return pd.DataFrame([cell.labels for cell in self.points], index, list(self.columns))

    @cached_property
    def chunks(self) -> tuple[Chunk, ...]:
        """All runs, in the batches in which they are computed and stored."""
        return tuple(chunks(self.points, self.columns, self.plan.seed, self.plan.seeds, self.plan.kept))

    def folder(self, out: Path | str | None = None) -> Path:
        """Where the results go: `out`, or ``results/<name>`` in the present folder."""
        return Path("results") / self.name if out is None else Path(out)

    def run(
        self,
        out: Path | str | None = None,
        *,
        fresh: bool = False,
        workers: int | None = None,
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
            Threads, by default one for each core. The rows do not depend on it.
        progress : callable, optional
            Called with the numbers of runs done (those of before included), of failed ones among them, and of all:
            at the start and after each chunk.

        Raises `InputError` where the folder cannot be written, holds other things, or is being written to.
        """
        from sim.study.running import run  # noqa: PLC0415

        return run(self, self.folder(out), fresh, workers, progress)

    def estimate(self, out: Path | str | None = None, workers: int | None = None) -> Estimate:
        """What `run` would take: runs, those already done, seconds on this machine, bytes on disk."""
        from sim.study.running import estimate  # noqa: PLC0415

        return estimate(self, self.folder(out), workers)


def _safe(name: str) -> str:
    """A name that stays inside ``results/``, whatever a file is called."""
    return name.replace("/", "_").replace("\\", "_").strip(". ") or "study"


def _checked(table: toml.Table) -> tuple[Plan, list[str]]:
    """The plan, with defaults where something is wrong, and what is wrong."""
    try:
        return Plan.model_validate(table), []
    except ValidationError as error:
        wrong = {problem["loc"][0] for problem in error.errors(include_url=False)}
        lines = mistakes.complaints(error, Plan, {"outcomes": Outcomes})
        return Plan.model_validate({name: value for name, value in table.items() if name not in wrong}), lines


def _cells(plan: Plan) -> tuple[tuple[str, ...], tuple[Cell, ...], list[str]]:
    """The columns and cells of a plan's design, and what is wrong with it."""
    lines = mistakes.misplaced(plan.parameters, Plan.model_fields)
    settings: list[design.Settings] = [{}]
    columns: list[str] = []
    try:
        settings, columns = design.cells(plan.design), design.varied(plan.design)
    except InputError as error:
        lines += error.lines
    lines += mistakes.contradictions(columns, _ONCE, plan.fixed, plan.parameters)
    found = mistakes.CellMistakes(plan.listed, plan.parameters)
    points: list[Cell] = []
    for number, own in enumerate(settings, 1):
        common_and_own = {**plan.common, **{name: value for name, value in own.items() if name not in _ONCE}}
        try:
            points.append(Cell.of(common_and_own, columns, plan.outcomes.organisations))
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
