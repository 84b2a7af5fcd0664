"""Studies: what is written in a TOML file, checked as a whole before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from sim.errors import InputError, Mistake, Mistakes, closest, counted, misnamed, place, shown
from sim.model.declaration import LARGEST_SIZE
from sim.model.outcomes import OUTCOMES
from sim.model.parameters import DECLARATIONS, LARGEST_SEED
from sim.study import design, factors
from sim.study import file as toml
from sim.study.chunks import Chunk, Kept, budget, chunks
from sim.study.design import Settings
from sim.study.points import Cell, Cells, uncollected

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from sim.study.estimate import Estimate
    from sim.study.results import Results

MOST_SEEDS = 1_000_000
MOST_CHUNKS = 1_000_000
"""More than these are not laid out, because that alone would take minutes and fill the memory."""
_ENOUGH = 1_000  # cells that are wrong: nobody wants to hear of the others
_CELLS_NAMED = 5
_LONGEST_TITLE = 300
_TITLE = f"a text on one line, of at most {_LONGEST_TITLE} characters"
_ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]*$"
"""Without characters that end a line, command a terminal or turn the direction of writing round."""


class _Section(BaseModel):
    """A table of the file. The description of a field says what is allowed: "must be ..."."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Outcomes(_Section):
    """The section ``[outcomes]``: what is kept of each run."""

    keep: list[str] = Field(list(OUTCOMES), min_length=1, description="a list of outcomes, at least one")
    window: int = Field(24, ge=1, le=LARGEST_SIZE, description=f"a whole number from 1 to {LARGEST_SIZE}")
    series: bool = Field(False, description="true or false")
    organisations: bool = Field(False, description="true or false")

    @field_validator("keep")
    @classmethod
    def _known(cls, keep: list[str]) -> list[str]:
        wrong = Mistakes()
        wrong.take(misnamed(("outcomes", "keep"), keep, OUTCOMES, "outcome"))
        wrong.tell()
        return keep


class Precision(_Section):
    """The section ``[precision]``: how sure the mean of an outcome has to be in every cell."""

    outcome: str = Field("quality", description="the name of an outcome that is kept")
    half_width: float = Field(0.01, gt=0, allow_inf_nan=False, description="a number above 0, in the outcome's unit")
    maximum: int = Field(1000, ge=1, le=MOST_SEEDS, description=f"a whole number from 1 to {MOST_SEEDS}")


class Plan(_Section):
    """A study's file, section by section, with defaults for what is left out."""

    title: str = Field("", pattern=_ONE_LINE, max_length=_LONGEST_TITLE, description=_TITLE)
    regime: str = Field("baseline", description="the name of a regime")
    seeds: int = Field(30, ge=1, le=MOST_SEEDS, description=f"a whole number from 1 to {MOST_SEEDS}")
    seed: int = Field(
        0, ge=0, le=LARGEST_SEED - MOST_SEEDS, description="a whole number, at least 0, below 2**63 - 10**6"
    )
    mechanisms_off: list[str] = Field([], description='a list of mechanisms, such as ["gaming"]')
    parameters: dict[str, Any] = Field({}, description="a table, such as [parameters]")
    design: dict[str, Any] = Field({}, description="a table, such as [design]")
    schedule: dict[str, Any] = Field({}, description="a table, such as [schedule]")
    outcomes: Outcomes = Field(
        default_factory=lambda: Outcomes.model_validate({}), description="a table, such as [outcomes]"
    )
    precision: Precision | None = Field(None, description="a table, such as [precision]")

    @field_validator("design")
    @classmethod
    def _spelled_out(cls, design: dict[str, Any]) -> dict[str, Any]:
        """With the seed of a sampled design, its ranges and its groups, so that all of it is recorded."""
        return factors.resolved(design)

    @property
    def most_seeds(self) -> int:
        """The largest number of runs that a cell can get; the smallest is `seeds`."""
        return self.precision.maximum if self.precision else self.seeds

    @property
    def kept(self) -> Kept:
        """What is kept of each run; outcomes in the order of `OUTCOMES`, however the file lists them."""
        o = self.outcomes
        return Kept(tuple(name for name in OUTCOMES if name in o.keep), o.window, o.series, o.organisations)

    @property
    def common(self) -> Settings:
        """What `resolve` is called with in every cell, unless the cell itself says otherwise."""
        known = {name: value for name, value in self.parameters.items() if name not in {*_TOP, "window"}}
        return {**known, **{name: getattr(self, name) for name in design.CHOICES}, "window": self.outcomes.window}

    def mistakes(self) -> Iterator[Mistake]:
        """What contradicts each other in the sections: keys in the wrong one, and what is both varied and settled."""
        homes = dict.fromkeys(_TOP, "at the top of the file, before the first [section]")
        homes |= {"window": "under [outcomes]", "schedule": "in a section [schedule]"}
        for name in self.parameters.keys() & homes.keys():
            yield Mistake(("parameters", name), self.parameters[name], f"belongs {homes[name]}")
        listed, settled = self.design.get("kind") == "list", dict.fromkeys(_ONCE, "set once for all runs")
        given = [name for name in ("mechanisms_off", "schedule") if getattr(self, name)]
        if "regime" in self.model_fields_set and not listed:  # each cell of a list may have its own
            given.append("regime")
        settled |= dict.fromkeys(given, "fixed at the top of the file")
        for lever, plan in self.schedule.items():
            settled |= {f"{lever}@{month}": "fixed in [schedule]" for month in (plan if isinstance(plan, dict) else ())}
        settled |= {"window": "set in [outcomes] for all runs"}
        settled |= dict.fromkeys(self.parameters, "fixed in [parameters]")
        for name in factors.varied(self.design):
            if name in settled:
                why = f"varied here and {settled[name]}"
                yield Mistake(("design", name), ..., why, allowed="leave out one of the two")
        if (asked := self.precision) is None:
            return
        if asked.outcome not in self.outcomes.keep:
            known = "is not kept; add it to outcomes.keep" if asked.outcome in OUTCOMES else "no such outcome"
            near = closest(asked.outcome, self.outcomes.keep) if asked.outcome not in OUTCOMES else ""
            yield Mistake(("precision", "outcome"), asked.outcome, known, near)
        if asked.maximum < self.seeds:
            why = f"must be at least seeds = {self.seeds}, the minimum"
            yield Mistake(("precision", "maximum"), asked.maximum, why)

    def toml(self) -> str:
        """The plan with its defaults filled in, as TOML."""
        table = self.model_dump()
        if "regime" in self.design:  # varied, so there is none for all runs
            del table["regime"]
        return toml.written({name: value for name, value in table.items() if value not in ({}, [], "", None)})


_TOP = tuple(Plan.model_fields)
_ONCE = frozenset(_TOP) - set(design.CHOICES) | {"window"}
"""What a design cannot vary."""
_SECTIONS: dict[str, type[BaseModel]] = {"outcomes": Outcomes, "precision": Precision}


@dataclass(frozen=True, repr=False)
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

        `overrides` are settings that replace or join those of the file, ``{"relationship": 0.5, "outcomes.series":
        True}``, or as a shell has them, ``["relationship=0.5", "seeds=3"]``, with values in TOML. Raises `InputError`
        with a line for each mistake.
        """
        path = Path(path)
        table = toml.read(path)
        return cls.from_dict(table, overrides, name=path.stem, where=place(path), folder=path.parent)

    @classmethod
    def from_dict(
        cls,
        table: Mapping[str, Any],
        overrides: toml.Overrides = (),
        *,
        name: str = "study",
        where: str = "study",
        folder: Path | str = ".",
    ) -> Study:
        """A study from a table as `tomllib` reads it; `where` begins each line about a mistake.

        Lists may be arrays or any sequences, and the design may be a data frame with a row for each cell. Files that it
        names lie in `folder`.

        >>> Study.from_dict({"seeds": 2, "design": {"kind": "grid", "monitoring": [0.1, 0.9]}})
        Study('study': 2 cells × 2)
        """
        plain = "".join(letter if letter.isprintable() and letter not in "/\\" else "_" for letter in name)
        safe = plain.strip(". ") or "study"  # the results stay inside ``results/``, whatever a file is called
        try:
            with uncollected():
                changed = toml.overridden(table, overrides, _TOP)
                section = changed.get("design")
                if isinstance(section, dict) and section.get("kind") == "csv":
                    changed["design"] = toml.points(section, Path(folder))
                return cls(safe, *_checked(changed), toml.variant(overrides))
        except InputError as error:
            raise InputError(
                mistake if mistake.about in ("--set", "overrides") else mistake.found_in(where)
                for mistake in error.mistakes
            ) from None

    def __repr__(self) -> str:
        return f"Study({self.name!r}: {counted(len(self.points), 'cell')} × {self.plan.seeds:,})"

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
            self, self.folder(out), Options(fresh, workers, cluster, stop_on_failure, retry_failed, yes, progress)
        )

    def estimate(self, out: Path | str | None = None, workers: int | None = None) -> Estimate:
        """What `run` would take: runs, those already done, seconds on this machine, bytes on disk."""
        from sim.study.estimate import estimate  # noqa: PLC0415

        return estimate(self, self.folder(out), workers)


def _checked(table: toml.Table) -> tuple[Plan, tuple[str, ...], tuple[Cell, ...]]:
    """The plan, the columns and the cells of a study; raises `InputError` with a line for each mistake."""
    wrong = Mistakes()
    try:
        plan = Plan.model_validate(table)
    except ValidationError as error:
        wrong.take({mistake.line: mistake for mistake in _complaints(error)}.values())
        mistaken = {problem["loc"][0] for problem in error.errors(include_url=False)}
        plan = Plan.model_validate({name: value for name, value in table.items() if name not in mistaken})
    wrong.take(plan.mistakes())
    settings: list[Settings] = [{}]
    columns: tuple[str, ...] = ()
    with wrong:
        settings = design.cells(plan.design)
        columns = tuple(factors.varied(plan.design))
    refused: list[tuple[int, Settings, InputError]] = []
    points: list[Cell] = []
    checked = Cells(plan.common, columns, plan.outcomes.organisations)
    for number, own in enumerate(settings, 1):
        try:
            settled = design.put_into_schedule(own, plan.schedule)
            points.append(checked({name: value for name, value in settled.items() if name not in _ONCE}))
        except InputError as error:
            refused.append((number, own, error))
            if len(refused) > _ENOUGH:
                break
    wrong.take(_cell_mistakes(plan, refused, len(settings)) if refused else _same_cells(points))
    wrong.tell()
    return plan, columns, tuple(points)


def _complaints(error: ValidationError) -> Iterator[Mistake]:
    """Pydantic's complaints about a study's table as mistakes."""
    for problem in error.errors(include_url=False):
        if isinstance(why := problem.get("ctx", {}).get("error"), InputError):
            yield from why.mistakes
            continue
        where = tuple(part for part in problem["loc"] if isinstance(part, str))
        model = _SECTIONS.get(where[0], Plan) if len(where) > 1 else Plan
        if problem["type"] != "extra_forbidden":
            fields = model.model_fields[where[1] if model is not Plan else where[0]]
            yield Mistake(where, problem["input"], f"must be {fields.description}")
        elif isinstance(table := problem["input"], dict):
            inside = set(map(str, table))
            near = "parameters" if inside & DECLARATIONS.keys() else closest(where[-1], _TOP)
            hint = f"did you mean [{near}]?" if near else "there are [parameters], [design], [schedule] and [outcomes]"
            yield Mistake(where, ..., "no such section", allowed=hint)
        else:
            yield Mistake(where, problem["input"], "no such key", *_belongs(where[-1], model))


def _belongs(name: str, model: type[BaseModel]) -> tuple[str, str]:
    """The key that may be meant by an unknown one, and where it belongs or what there is."""
    if model is not Plan and name in _TOP:
        return "", "it belongs at the top of the file, before the first [section]"
    homes = {key: section for section, fields in _SECTIONS.items() for key in fields.model_fields}
    homes |= dict.fromkeys(DECLARATIONS.keys() - {"window"}, "parameters")
    if name in homes:
        return "", f"it belongs under [{homes[name]}]"
    near = closest(name, model.model_fields)
    return near, "" if near else f"there are {', '.join(model.model_fields)}"


def _cell_mistakes(plan: Plan, refused: Iterable[tuple[int, Settings, InputError]], every: int) -> Iterator[Mistake]:
    """Mistakes in cells, given with what each cell itself sets: each told once, with the cells that make it."""
    found: dict[tuple[object, ...], tuple[Mistake, list[int]]] = {}
    listed = plan.design.get("kind") == "list"
    for number, own, error in refused:
        for said in error.mistakes:
            name = said.where[0] if said.where else ""
            outer = ("design", *["cell"] * listed) if name in own else ("parameters",)
            mistake = said.within(*outer) if name in own or name in plan.parameters else said
            key: tuple[object, ...] = (mistake.where, mistake.why, mistake.nearest)
            if key in found and number in found[key][1]:  # the same cell made it with another value
                key = (*key, shown(mistake.value))
            told, numbers = found.setdefault(key, (mistake, []))
            numbers.append(number)
            if told.value is not mistake.value and told.value != mistake.value:  # each cell has its own
                found[key] = (replace(told, value=..., allowed=""), numbers)
    for mistake, numbers in found.values():
        if len(numbers) == every and mistake.where[:2] != ("design", "cell"):
            yield mistake  # what is wrong with all cells of a design needs no numbers
            continue
        more = f" and {len(numbers) - _CELLS_NAMED} more" if len(numbers) > _CELLS_NAMED else ""
        first = ", ".join(map(str, numbers[:_CELLS_NAMED]))
        yield mistake.found_in(f"cell{'s' if len(numbers) > 1 else ''} {first}{more}")


def _same_cells(points: Iterable[Cell]) -> Iterator[Mistake]:
    """Cells that are the same, which would count the same runs twice."""
    first: dict[str, int] = {}
    for number, cell in enumerate(points, 1):
        if (same := first.setdefault(cell.digest, number)) != number:
            yield Mistake((), ..., f"the same as cell {same}; leave out one of the two", about=f"cell {number}")
