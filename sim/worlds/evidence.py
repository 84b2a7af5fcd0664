"""Published findings that worlds are weighted by, and the TOML file in which they are written.

A file of patterns has a section ``[survey]``, the setting of the virtual survey (without it, that of the shipped
file), and a table ``[[pattern]]`` for each finding with ``id``, ``kind``, ``value``, ``sd`` and, as its kind needs:

==============  ====================================================================================================
correlation     ``x``, ``y``: two of `VARIABLES`, over the posts of the survey
level           ``outcome``: its national mean in the survey; ``transform``: one of `TRANSFORMS`
bunching        nothing: how many posts of the survey report just enough, less those that honestly would
contrast        ``outcome``, ``before``, ``after``: what changing from one policy to the other does to a nation
share           ``outcome``, ``before``, ``after``: the share of posts in which it is lower under the second policy
path            ``outcome``, ``lever``, ``value_off``, ``value_on``, ``on``, ``off``, ``months``, ``values``: how an
                outcome moves while a lever is at another value from month `on` until month `off`; no ``value``
==============  ====================================================================================================

A policy is the name of a regime or a table of levers; ``confidence`` (`CONFIDENCES`) and ``source`` may be left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, pairwise
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, ValidationError, model_validator

from sim.errors import InputError, Mistake, Mistakes, named, nearest, place, shown
from sim.model.outcomes import OUTCOMES, POST_COLUMNS
from sim.model.parameters import LEVERS, PARAMETERS, REGIMES, SPREADS
from sim.study import file as toml

SHIPPED = Path(__file__).with_name("patterns.toml")
MOST_MONTHS = 1200
SURVEY = ("monitoring", "targets", "relationship", *SPREADS, "months", "window")
"""What ``[survey]`` must set; it may set other levers as well."""
CONFIDENCES = {"S": "stated by the source itself", "D": "computed again from data", "2": "second-hand"}
TRANSFORMS: dict[str, Callable[[float], float]] = {
    "none": lambda x: x,
    "complement": lambda x: 1.0 - x,
    "yearly_hazard": lambda x: 1.0 - (1.0 - x) ** 12,
}
"""What a monthly level may be turned into; the last is the chance in a year of what has chance x in a month."""
_TOLD = 3
_ID = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,59}$"
_LARGEST = 1e100  # beyond it, or below its inverse, squares are no longer finite or above 0


@dataclass(frozen=True)
class Variable:
    """What a survey measures: a function of `columns`, averages for each post (`sim.model.outcomes.POST_COLUMNS`)."""

    columns: tuple[str, ...]
    of: Callable[..., NDArray[np.float64]] = lambda column: column


VARIABLES: dict[str, Variable] = {name: Variable((name,)) for name in POST_COLUMNS} | {
    "stress": Variable(("fear", "distress"), lambda fear, distress: (fear + distress) / 2.0),
    "satisfaction": Variable(
        ("trust", "confidence", "distress"), lambda t, c, distress: (t + c + 1.0 - distress) / 3.0
    ),
    "deviance": Variable(("gaming",)),
    "performance": Variable(("quality",)),
    "relationship": Variable(("trust",)),  # surveys ask how good it is, not what was invested in it
}
"""Everything that a correlation may be about, by its name in a file."""


@dataclass(frozen=True)
class Pattern:
    """A published finding.

    Attributes
    ----------
    id, kind : str
    value, sd : float, or for a path a tuple with one for each month
        The finding and its tolerance, one standard deviation.
    confidence, source : str, perhaps empty
    outcomes : tuple of str
        The model's outcomes and columns of posts that it involves.
    needs : mapping
        What its kind needs beside these, as in the file; policies are tables of levers.
    """

    id: str
    kind: str
    value: float | tuple[float, ...]
    sd: float | tuple[float, ...]
    confidence: str = ""
    source: str = ""
    outcomes: tuple[str, ...] = ()
    needs: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Evidence:
    """Patterns and the setting (levers, ``months``, ``window``) of the survey that some of them come from."""

    survey: Mapping[str, Any] = field(hash=False)
    patterns: tuple[Pattern, ...]


# The file's tables. The description of a field says what is allowed, "must be ...", unless a validator says it better.


def _unknown(name: object, choices: Iterable[str], what: str) -> str:
    choices = tuple(choices)
    return f"no such {what}{nearest(name, choices) or '; there are ' + ', '.join(choices)}"


def _one_of(choices: Iterable[str], what: str) -> PlainValidator:
    """Refuses what is not among `choices`."""
    known = tuple(choices)

    def check(name: Any) -> str:
        if name not in known:
            raise InputError([_unknown(name, known, what)])
        return str(name)

    return PlainValidator(check)


def _levers(policy: Any) -> Mapping[str, float]:
    """The levers of a policy, which is a table of them or the name of a regime."""
    if isinstance(policy, str) and policy in REGIMES:
        return REGIMES[policy].levers
    if not isinstance(policy, Mapping):
        unnamed = "must be a regime or a table of levers"
        raise InputError([_unknown(policy, REGIMES, "regime") if isinstance(policy, str) else unnamed])
    wrong = [
        f"{named(name)}: {_unknown(name, LEVERS, 'lever')}"
        if name not in LEVERS
        else f"{name} = {shown(value)} must be {PARAMETERS[name].allowed}"
        for name, value in policy.items()
        if name not in LEVERS or not PARAMETERS[name].allows(value)
    ]
    if wrong:
        more = [f"and {len(wrong) - _TOLD} more"] if len(wrong) > _TOLD else []
        raise InputError(["; ".join([*wrong[:_TOLD], *more])])
    return policy


def _rising(months: list[int]) -> list[int]:
    if any(later <= earlier for earlier, later in pairwise(months)):
        raise ValueError
    return months


Number = Annotated[float, Field(gt=-_LARGEST, lt=_LARGEST, description="a finite number")]
Spread = Annotated[float, Field(ge=1.0 / _LARGEST, lt=_LARGEST, description="a finite number above 0")]
Month = Annotated[int, Field(ge=1, le=MOST_MONTHS, description=f"a whole number from 1 to {MOST_MONTHS}")]
Policy = Annotated[Mapping[str, float], PlainValidator(_levers)]
Outcome = Annotated[str, _one_of(OUTCOMES, "outcome")]
VariableName = Annotated[str, _one_of(VARIABLES, "variable")]


class Table(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Finding(Table):
    """A table ``[[pattern]]`` of any kind."""

    id: str = Field(pattern=_ID, description="a short name of letters, digits, - and _")
    kind: str
    confidence: Annotated[str, _one_of(CONFIDENCES, "confidence")] = ""
    source: str = Field("", description="text")


class Single(Finding):
    """A finding that is one number."""

    value: Number
    sd: Spread


class Bunching(Single):
    """Posts that report just enough, less those that honestly would."""

    value: float = Field(ge=-1.0, le=1.0, description="a number from -1 to 1")


class Correlation(Bunching):
    """Of two variables over the posts of the survey."""

    x: VariableName
    y: VariableName

    @model_validator(mode="after")
    def _different(self) -> Self:
        if self.x == self.y:
            raise InputError([f"y = {shown(self.y)}: is x as well; a variable says nothing about itself"])
        return self


class Level(Single):
    """The national mean of an outcome in the survey."""

    outcome: Outcome
    transform: Annotated[str, _one_of(TRANSFORMS, "transform")] = "none"


class Trial(Single):
    """What changing from one policy to another does to a nation."""

    outcome: Outcome
    before: Policy
    after: Policy


class TrialShare(Trial):
    """The share of posts in which an outcome is lower under the second policy."""

    value: float = Field(ge=0.0, le=1.0, description="a number from 0 to 1")
    outcome: Annotated[str, _one_of(POST_COLUMNS, "column of posts")]


class Course(Finding):
    """How an outcome moves while a lever is at another value."""

    outcome: Outcome
    lever: Annotated[str, _one_of(LEVERS, "lever")]
    value_off: Number
    value_on: Number
    on: Month
    off: Month
    months: Annotated[list[Month], AfterValidator(_rising)] = Field(
        min_length=1, description=f"a list of months from 1 to {MOST_MONTHS}, each later than the one before"
    )
    values: list[Number] = Field(min_length=1, description="a list of finite numbers, one for each month")
    sd: Spread | Annotated[list[Spread], Field(min_length=1)] = Field(
        description="a finite number above 0, or a list of them, one for each month"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        lines = [f"off = {self.off}: must come after on = {self.on}"] if self.off <= self.on else []
        lever = PARAMETERS[self.lever]
        for name, value in (("value_off", self.value_off), ("value_on", self.value_on)):
            lines += [] if lever.allows(value) else [f"{name} = {shown(value)}: must be {lever.allowed}"]
        for name, numbers in (("values", self.values), ("sd", self.sd)):
            if isinstance(numbers, list) and len(numbers) != (n := len(self.months)):
                lines.append(f"{name}: has {len(numbers)} numbers for {n} months; there must be one for each")
        if lines:
            raise InputError(lines)
        return self


KINDS: dict[str, type[Correlation | Level | Bunching | Trial | Course]] = {
    "correlation": Correlation,
    "level": Level,
    "bunching": Bunching,
    "contrast": Trial,
    "share": TrialShare,
    "path": Course,
}


class Setting(Table):
    """The months of ``[survey]``, of which the last `window` are averaged."""

    months: Month
    window: Month

    @model_validator(mode="after")
    def _within(self) -> Self:
        if self.window > self.months:
            raise InputError([f"window = {self.window}: must be at most survey.months = {self.months}"])
        return self


def load(path: str | Path | None = None) -> Evidence:
    """The patterns of a file; by default those that come with the package.

    Raises `InputError` with a line for each mistake in the file.

    >>> load().patterns[0].id
    'monitoring-stress'
    """
    path = SHIPPED if path is None else Path(path)
    table = toml.read(path)
    survey, keys = table["survey"] if "survey" in table else toml.read(SHIPPED)["survey"], ("survey", "pattern")
    unknown = (f"{named(name)}: {_unknown(name, keys, 'key')}" for name in table if name not in keys)
    lines, wrong = chain(unknown, _survey_mistakes(survey), _finding_mistakes(table.get("pattern"))), Mistakes()
    wrong.take(Mistake((), why=line, about=place(path)) for line in lines)
    wrong.tell()
    return Evidence(survey, tuple(_pattern(KINDS[each["kind"]].model_validate(each)) for each in table["pattern"]))


def _pattern(found: Correlation | Level | Bunching | Trial | Course) -> Pattern:
    given = found.model_dump(exclude_unset=True)
    common = {name: given.pop(name) for name in ("id", "kind", "confidence", "source") if name in given}
    value, sd = given.pop("values" if isinstance(found, Course) else "value"), given.pop("sd")
    if isinstance(found, Course):
        value, sd = tuple(value), tuple(sd) if isinstance(sd, list) else (sd,) * len(value)
    if isinstance(found, Correlation):
        columns = (column for name in (found.x, found.y) for column in VARIABLES[name].columns)
        outcomes = tuple(dict.fromkeys(columns))
    else:
        outcomes = ("reported", "honest_indicator") if isinstance(found, Bunching) else (found.outcome,)
    return Pattern(**common, value=value, sd=sd, outcomes=outcomes, needs=given)


def _survey_mistakes(survey: Any) -> Iterator[str]:
    if not isinstance(survey, Mapping):
        yield f"survey = {shown(survey)}: must be a section [survey]"
        return
    own = {name: PARAMETERS[name] for name in (*LEVERS, *SPREADS)}
    known = (*own, "months", "window")
    lines = [f"{named(name)}: {_unknown(name, known, 'key')}" for name in survey if name not in known]
    lines += [f"{name}: missing" for name in SURVEY if name in own and name not in survey]
    wrong = {name: value for name, value in survey.items() if name in own and not own[name].allows(value)}
    lines += [f"{name} = {shown(value)}: must be {own[name].allowed}" for name, value in wrong.items()]
    lines += _mistakes(Setting, {name: survey[name] for name in ("months", "window") if name in survey})
    yield from (f"survey.{line}" for line in lines)


def _finding_mistakes(tables: Any) -> Iterator[str]:
    if not isinstance(tables, list) or not tables:
        yield "pattern: there must be a table [[pattern]] for each finding, at least one"
        return
    ids = [table.get("id") if isinstance(table, Mapping) else None for table in tables]
    for number, (table, name) in enumerate(zip(tables, ids, strict=True), start=1):
        here = f'pattern "{name}"' if isinstance(name, str) and re.fullmatch(_ID, name) else f"pattern {number}"
        if not isinstance(table, Mapping):
            yield f"{here}: {shown(table)} is not a table"
        elif (kind := table.get("kind")) in (*KINDS,):
            yield from (f"{here}: {line}" for line in _mistakes(KINDS[kind], table))
        elif kind is None:
            yield f"{here}: kind: missing; there are {', '.join(KINDS)}"
        else:
            yield f"{here}: kind = {shown(kind)}: {_unknown(kind, KINDS, 'kind')}"
    for name, times in Counter(name for name in ids if isinstance(name, str)).items():
        if times > 1:
            yield f'pattern "{name}": id: is given {times} times; each may be given once'


def _mistakes(model: type[BaseModel], table: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a table, a line for each key."""
    try:
        model.model_validate(table)
    except ValidationError as error:
        problems = {(p["loc"] or ("",))[0]: p for p in error.errors(include_url=False)}  # one for each key
        for name, problem in problems.items():
            why = problem.get("ctx", {}).get("error")
            if not name and isinstance(why, InputError):
                yield from why.lines
            elif problem["type"] == "missing":
                yield f"{name}: missing"
            elif problem["type"] == "extra_forbidden":
                yield f"{named(name)}: {_unknown(name, model.model_fields, 'key')}"
            else:
                allowed = why if isinstance(why, InputError) else f"must be {model.model_fields[str(name)].description}"
                yield f"{name} = {shown(table[str(name)])}: {allowed}"
