"""Studies: what is written in a TOML file, checked as a whole before anything runs; and sweeps, without a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from sim.errors import InputError, Mistake, Mistakes, closest, counted, misnamed, path_of, place, shown
from sim.model import engine
from sim.model.declaration import LARGEST_SIZE
from sim.model.local import LocalRule
from sim.model.outcomes import OUTCOMES
from sim.model.parameters import PARAMETERS
from sim.pool import Progress, in_order, local_threads
from sim.study import design, factors
from sim.study import file as toml
from sim.study.chunks import Chunk, Kept, budget, chunks
from sim.study.compute import compute
from sim.study.design import Settings
from sim.study.points import Cell, checked, uncollected

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from sim.study.results import Results
    from sim.study.runner import Estimate

MOST_SEEDS = 1_000_000
MOST_CHUNKS = 1_000_000
"""More than these are not laid out, because that alone would take minutes and fill the memory."""
_LARGEST_BESIDE_WORLDS = 2**62 - MOST_SEEDS
_LONGEST_TITLE, _MOST_VARIED = 300, 4
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
    seed: int = Field(0, ge=0, lt=2**63 - MOST_SEEDS, description="a whole number, at least 0, below 2**63 - 10**6")
    mechanisms_off: list[str] = Field([], description='a list of mechanisms, such as ["gaming"]')
    parameters: dict[str, Any] = Field({}, description="a table, such as [parameters]")
    design: dict[str, Any] = Field({}, description="a table, such as [design]")
    schedule: dict[str, Any] = Field({}, description="a table, such as [schedule]")
    local: list[Any] = Field([], description="a list of rules, each a table [[local]]")
    outcomes: Outcomes = Field(Outcomes.model_validate({}), description="a table, such as [outcomes]")
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
        known = {name: value for name, value in self.parameters.items() if _is_parameter(name)}
        return {**known, **{name: getattr(self, name) for name in design.CHOICES}, "window": self.outcomes.window}

    @property
    def _settled(self) -> dict[str, str]:
        """What is the same in all runs, each with a word on where it is set."""
        settled = dict.fromkeys(_ONCE, "set once for all runs") | {"window": "set in [outcomes] for all runs"}
        plans = {lever: plan for lever, plan in self.schedule.items() if isinstance(plan, dict)}
        settled |= {f"{lever}@{month}": "fixed in [schedule]" for lever, plan in plans.items() for month in plan}
        given = [name for name in ("mechanisms_off", "schedule", "local") if getattr(self, name)]
        if "regime" in self.model_fields_set and self.design.get("kind") != "list":  # whose cells may have their own
            given.append("regime")
        settled |= dict.fromkeys(given, "fixed at the top of the file")
        return settled | dict.fromkeys(self.parameters, "fixed in [parameters]")

    def mistakes(self) -> Iterator[Mistake]:
        """What contradicts each other in the sections: keys in the wrong one, and what is both varied and settled."""
        for name, value in self.parameters.items():
            if not _is_parameter(name):
                yield Mistake(("parameters", name), value, f"belongs {_home(name)}")
        settled = self._settled
        for name in filter(settled.__contains__, factors.varied(self.design)):
            why = f"varied here and {settled[name]}"
            yield Mistake(("design", name), why=why, allowed="leave out one of the two")
        if self.design.get("kind") == "worlds" and self.seed >= _LARGEST_BESIDE_WORLDS:
            why = f"must be below {_LARGEST_BESIDE_WORLDS}, because every world adds seeds of its own"
            yield Mistake(("seed",), self.seed, why)
        if self.precision and (outcome := self.precision.outcome) not in self.outcomes.keep:
            if outcome in OUTCOMES:
                yield Mistake(("precision", "outcome"), outcome, "is not kept; add it to outcomes.keep")
            yield from misnamed(("precision", "outcome"), [outcome], OUTCOMES, "outcome")
        if self.precision and self.precision.maximum < self.seeds:
            why = f"must be at least seeds = {self.seeds}, the minimum"
            yield Mistake(("precision", "maximum"), self.precision.maximum, why)

    def overruled(self, cells: Sequence[Settings]) -> Iterator[Mistake]:
        """What is settled for all runs though every world or policy has its own."""
        if self.design.get("kind") == "worlds":
            settled, own = self._settled, set().union(*cells)
            for name in filter(own.__contains__, settled):
                why = f"{settled[name]}, but every world or policy has its own"
                yield Mistake((name,), why=why, allowed="write it into the policies")

    def notes(self) -> Iterator[str]:
        """What is allowed in the sections and may not have been meant, a sentence each."""
        if "seed" in self.model_fields_set and "seeds" not in self.model_fields_set and self.precision is None:
            yield f"seed = {self.seed}: is the first of {self.seeds} seeds; for the number of runs write seeds ="
        given = [(("parameters", name), value) for name, value in self.parameters.items()]
        given += [(("design", name), value) for name, value in self.design.items() if self.design.get("kind") == "grid"]
        for (section, name), value in given:
            values = value if isinstance(value, list) else [value]
            if (known := PARAMETERS.get(name)) is None or known.integer:
                continue
            if values[0] == 0 and len(values) == 2 and all(type(one) is int for one in values):
                first, second = values
                two = f"two values, {first} and {second}; one number is written {first}.{second}"
                yield f"{section}.{name} = [{first}, {second}]: {two}"
            outside = [one for one in values if known.low is not None and not known.low <= one <= (known.high or 0.0)]
            if known.kind == "parameter" and outside and outside != [known.null]:
                yield (
                    f"{section}.{name} = {shown(outside[0])}: allowed, and outside the plausible range, "
                    f"{known.low:g} to {known.high:g}"
                )

    def toml(self) -> str:
        """The plan with its defaults filled in, as TOML."""
        table = self.model_dump()
        if "regime" in self.design or self.design.get("kind") == "worlds":  # varied, so there is none for all runs
            del table["regime"]
        return tomli_w.dumps(_named({name: value for name, value in table.items() if value not in ({}, [], "", None)}))


_TOP = tuple(Plan.model_fields)
_ONCE = frozenset(_TOP) - set(design.CHOICES) | {"window"}
"""What a design cannot vary."""
_SECTIONS: dict[str, type[BaseModel]] = {"outcomes": Outcomes, "precision": Precision}
_HOMES = {
    **dict.fromkeys(PARAMETERS, "parameters"),
    **{key: section for section, model in _SECTIONS.items() for key in model.model_fields},
    **dict.fromkeys(_TOP, ""),
}
"""The section to which each key belongs, "" for the top of the file."""


def _is_parameter(name: str) -> bool:
    """Whether a key may stand under ``[parameters]``, as far as is known here."""
    return name != "window" and (name in PARAMETERS or name not in _HOMES)


def _home(name: str) -> str:
    if name in ("parameters", "design", "schedule", *_SECTIONS):
        return f"in a section [{name}]"
    if name == "local":
        return "in tables [[local]]"
    return f"under [{_HOMES[name]}]" if _HOMES[name] else "at the top of the file, before the first [section]"


def _named(value: Any) -> Any:
    """The same with keys that are texts, as TOML has them: in Python a month may be a number."""
    if isinstance(value, dict):
        return {str(key): _named(one) for key, one in value.items()}
    return [_named(one) for one in value] if isinstance(value, list | tuple) else value


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
        """Read a study from a TOML file, which may be the name of one in the gallery, such as ``surveillance``.

        `overrides` are settings that replace or join those of the file, ``{"relationship": 0.5, "outcomes.series":
        True}``, or as a shell has them, ``["relationship=0.5", "seeds=3"]``, with values in TOML. Raises `InputError`
        with a line for each mistake.
        """
        path = toml.located(path_of("path", path))
        table = toml.read(path, is_study=True)
        if not table:
            raise InputError([f"{place(path)}: is empty; sim new NAME writes a study to start from"])
        try:
            return cls.from_dict(table, overrides, name=path.stem, where=place(path), folder=path.parent)
        except InputError as error:
            raise InputError(toml.with_lines(error.mistakes, path, overrides)) from None

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
        <Study 'study': 2 cells × 2 runs, varying monitoring>
        """
        plain = "".join(letter if letter.isprintable() and letter not in "/\\" else "_" for letter in name)
        safe = plain.strip(". ") or "study"  # the results stay inside ``results/``, whatever a file is called
        if not isinstance(table, Mapping):
            raise InputError([Mistake((), why="must be a table, as tomllib reads it", about=where)])
        try:
            with uncollected():
                changed = toml.overridden(table, overrides, _HOMES)
                section = changed.get("design")
                if isinstance(section, dict) and section.get("kind") == "csv":
                    changed["design"] = toml.points(section, Path(folder))
                    where = f"{where}: {section['file']} (its row 2 is cell 1)"
                elif isinstance(section, dict) and section.get("kind") == "worlds" and section.get("ensemble"):
                    with suppress(OSError, RuntimeError, TypeError, ValueError):  # the whole path, if it is any
                        section["ensemble"] = str(Path(folder, section["ensemble"]).resolve())
                return cls(safe, *_checked(changed), toml.variant(overrides))
        except InputError as error:
            raise InputError(
                mistake if mistake.about in ("--set", "overrides") else mistake.found_in(where)
                for mistake in error.mistakes
            ) from None

    def __repr__(self) -> str:
        size = f"{counted(len(self.points), 'cell')} × {counted(self.plan.seeds, 'run')}"
        varied = [*self.columns[:_MOST_VARIED], *(["..."] if len(self.columns) > _MOST_VARIED else [])]
        return f"<Study {self.title!r}: {size}{', varying ' if varied else ''}{', '.join(varied)}>"

    @property
    def notes(self) -> tuple[str, ...]:
        """What is allowed and may not have been meant, a sentence each."""
        return (*self.plan.notes(), *self._short())

    def _short(self) -> Iterator[str]:
        window, sizes = self.plan.outcomes.window, [cell.settings for cell in self.points]
        months = min((int(own.get("months", PARAMETERS["months"].default)) for own in sizes), default=window)
        if months <= window:
            yield (
                f"outcomes.window = {window}: the runs have {months} months, so outcomes are averaged over all of "
                "them, the start included"
            )

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
        return Path("results") / f"{self.name}{self.variant}" if out is None else path_of("out", out)

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
        progress: Progress | None = None,
        part: tuple[int, int] | None = None,
        merge: Path | str | None = None,
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
            Called at the start and after each chunk with the number of runs done (those of before included), the
            number of all that are planned so far, and "3 failed" if any did.
        part : (int, int), optional
            Do only the third of twenty parts, say, ``(3, 20)``, each about as large. Parts know nothing of each other,
            and may be computed at once; each needs a folder of its own.
        merge : path, optional
            Take what is finished in the folders within this one first: those of the parts.

        Raises `InputError` where the folder cannot be written, holds other things, or is being written to, where a
        cluster cannot be reached or has other versions, or where the study is too large; `StudyStopped` for a run that
        failed, with `stop_on_failure`, and for a cluster that is lost.
        """
        from sim.study.runner import Options, run  # noqa: PLC0415

        parts = None if merge is None else path_of("merge", merge)
        options = Options(fresh, workers, cluster, stop_on_failure, retry_failed, yes, progress, part, parts)
        return run(self, self.folder(out), options)

    def estimate(self, out: Path | str | None = None, workers: int | None = None) -> Estimate:
        """What `run` would take: runs, those already done, seconds on this machine, bytes on disk."""
        from sim.study.runner import estimate  # noqa: PLC0415

        return estimate(self, self.folder(out), workers)


def sweep(*, seeds: int = 30, seed: int = 0, workers: int | None = None, **settings: Any) -> pd.DataFrame:
    """Run the model for every combination of values, with the same seeds for each.

    Parameters
    ----------
    seeds, seed : int
        Runs of each combination, and the first one's seed; runs of the same seed are paired.
    workers : int, optional
        Threads, by default one for each core. The rows do not depend on it.
    settings
        Parameters, levers, sizes, ``regime``, ``mechanisms_off``, ``schedule`` and ``local``: a list or array of values
        is varied (for ``mechanisms_off`` and ``local``, a list of lists), a single value is the same in all runs.
        ``keep`` and ``window`` are those of ``[outcomes]``.

    Returns
    -------
    DataFrame
        A row for each run, as `Results.runs` has them: ``cell`` (from 1), what varies, ``seed``, the outcomes averaged
        over the window, and ``error``.

    Raises `InputError` with a line for each mistake.

    >>> table = sweep(monitoring=[0.1, 0.9], seeds=2, systems=1, months=6, keep=["fear"])
    >>> table[["cell", "monitoring", "seed"]].to_numpy().tolist()
    [[1.0, 0.1, 0.0], [1.0, 0.1, 1.0], [2.0, 0.9, 0.0], [2.0, 0.9, 1.0]]
    """
    outcomes = {name: settings.pop(name) for name in ("keep", "window") if name in settings}
    if isinstance(settings.get("mechanisms_off"), str):
        settings["mechanisms_off"] = [settings["mechanisms_off"]]
    varied = {name: values for name, values in settings.items() if _is_varied(name, values)}
    fixed = {name: value for name, value in settings.items() if name not in varied}
    top = {name: fixed.pop(name) for name in design.CHOICES if name in fixed} | {"seeds": seeds, "seed": seed}
    sections = {"parameters": fixed, "design": {**varied, "kind": "grid"}, "outcomes": outcomes}
    study = Study.from_dict(top | sections, name="sweep", where="sweep")
    engine.warm_up()
    with local_threads(workers) as threads:
        tables = [done["runs"] for done in in_order(threads, compute, study.chunks)]
    runs: pd.DataFrame = pa.concat_tables(tables).to_pandas()
    numbers = [(piece.number, piece.runs) for chunk in study.chunks for piece in chunk.pieces]
    runs.insert(0, "cell", np.repeat(*np.transpose(numbers)))
    return runs


def _is_varied(name: str, values: Any) -> bool:
    """Whether several values are given for a setting."""
    several = getattr(values, "ndim", 0) > 0 or (isinstance(values, Sequence) and not isinstance(values, str))
    parts: Any = {"mechanisms_off": str, "local": (Mapping, LocalRule)}.get(name, ())
    return several and not (parts and all(isinstance(each, parts) for each in values))


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
        wrong.take(plan.overruled(settings))
        settings = [{name: own[name] for name in own if name not in _ONCE} for own in settings]  # they are told already
    points = checked(plan, columns, settings, wrong)
    wrong.tell()
    return plan, columns, points


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
            near = "parameters" if inside & PARAMETERS.keys() else closest(where[-1], _TOP)
            hint = f"did you mean [{near}]?" if near else "there are [parameters], [design], [schedule] and [outcomes]"
            yield Mistake(where, ..., "no such section", allowed=hint)
        elif (name := where[-1]) in _HOMES:
            yield Mistake(where, problem["input"], "no such key", allowed=f"it belongs {_home(name)}")
        else:
            near, every = closest(name, model.model_fields), f"there are {', '.join(model.model_fields)}"
            yield Mistake(where, problem["input"], "no such key", near, "" if near else every)
