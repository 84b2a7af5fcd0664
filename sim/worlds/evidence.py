"""Published findings that worlds are weighted by, and the TOML file in which they are written.

A file of patterns has a section ``[survey]``, the setting of the virtual studies (without it, that of the shipped
file): levers and spreads, ``months``, ``window``, and their sizes (`SIZES`). For one of `UNKNOWN` it may give a range,
``[low, high]``, instead of a number: then each world has a value of its own. A table ``[[pattern]]`` for each finding
has ``id``, ``kind``, ``value``, ``sd`` and, as its kind needs:

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
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    create_model,
    model_validator,
)

from sim.errors import InputError, Mistake, Mistakes, closest, place, shown, whole
from sim.model.outcomes import OUTCOMES, POST_COLUMNS
from sim.model.parameters import LEVERS, PARAMETERS, REGIMES, SPREADS
from sim.study import file as toml

SHIPPED = Path(__file__).with_name("patterns.toml")
MOST_MONTHS = 1200
SURVEY = ("monitoring", "targets", "relationship", *SPREADS, "months", "window")
"""What ``[survey]`` must set; it may set other levers as well."""
UNKNOWN = ("monitoring_sd", "risk_based")
"""What ``[survey]`` may give as a range, because nobody knows it of the studies: a nuisance number of each world."""
SIZES: dict[str, int] = {"systems": 32, "trial_systems": 4, "organisations": 5, "managers": 12, "seeds": 3}
"""Sizes of the virtual studies where ``[survey]`` leaves them out: systems of the survey, and of each arm of a trial;
organisations in a system; managers in an organisation; runs that a statistic is the mean of."""
CONFIDENCES = {"S": "stated by the source itself", "D": "computed again from data", "2": "second-hand"}
TRANSFORMS: dict[str, Callable[[float], float]] = {
    "none": lambda x: x,
    "complement": lambda x: 1.0 - x,
    "yearly_hazard": lambda x: 1.0 - (1.0 - x) ** 12,
}
"""What a monthly level may be turned into; the last is the chance in a year of what has chance x in a month."""
Floats = NDArray[np.float64]
_ID = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,59}$"
_LARGEST = 1e100  # beyond it, or below its inverse, squares are no longer finite or above 0


@dataclass(frozen=True)
class Variable:
    """What a survey measures: a function of the averages of `columns` for each post (`POST_COLUMNS`), each of shape
    (posts,), and of the share of quality in a rating of performance. NaN where a post has no value."""

    columns: tuple[str, ...]
    of: Callable[..., Floats]


def standardised(values: Floats) -> Floats:
    """z: distances from the mean in standard deviations; 0 throughout where all values are equal.

    >>> standardised(np.array([1.0, 3.0])).tolist(), standardised(np.array([0.1, 0.1, 0.1])).tolist()
    ([-1.0, 1.0], [0.0, 0.0, 0.0])
    """
    # The standard deviation of equal values may be a rounding error above 0; their range is not.
    varies = np.ptp(values) > 0.0
    return np.asarray((values - values.mean()) / values.std() if varies else np.zeros_like(values))


def _candour(slips: Floats, spoken: Floats, _: float) -> Floats:
    return np.divide(spoken, slips, out=np.full_like(slips, np.nan), where=slips > 0.0)


VARIABLES: dict[str, Variable] = {name: Variable((name,), lambda column, _: column) for name in POST_COLUMNS} | {
    "stress": Variable(("fear", "distress"), lambda fear, distress, _: (fear + distress) / 2.0),
    "satisfaction": Variable(
        ("trust", "confidence", "distress"), lambda t, c, distress, _: (t + c + 1.0 - distress) / 3.0
    ),
    # What is gamed, and what is hidden.
    "deviance": Variable(
        ("gaming", "slips", "spoken"), lambda g, slips, spoken, _: standardised(g) + standardised(slips - spoken)
    ),
    # Who rates work sees figures as well as care.
    "performance": Variable(
        ("quality", "reported"), lambda q, reported, w: w * standardised(q) + (1.0 - w) * standardised(reported)
    ),
    "relationship": Variable(("trust",), lambda trust, _: trust),  # surveys ask how good it is, not what was invested
    "candour": Variable(("slips", "spoken"), _candour),  # the share of a post's own slips that it reported
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
    """Patterns, and the setting of the virtual studies that they come from, as ``[survey]`` gives it."""

    survey: Mapping[str, Any] = field(hash=False)
    patterns: tuple[Pattern, ...]

    def size(self, name: str) -> int:
        """One of `SIZES` of the virtual studies."""
        return int(self.survey.get(name, SIZES[name]))


# The file's tables. The description of a field says what is allowed, "must be ...", unless a validator says it better.


def unknown(where: str, given: object, choices: Collection[str], what: str, value: object = ...) -> Mistake:
    """The mistake of a name that is none of `choices`, with the nearest of them, or else all."""
    near = closest(given, choices)
    return Mistake((where,), value, f"no such {what}", near, "" if near else f"there are {', '.join(choices)}")


def _one_of(choices: Collection[str], what: str) -> PlainValidator:
    """Refuses what is not among `choices`."""
    known = tuple(choices)

    def check(name: Any, info: ValidationInfo) -> str:
        if name not in known:
            raise InputError([unknown(str(info.field_name), name, known, what, name)])
        return str(name)

    return PlainValidator(check)


def _settings(table: Mapping[str, Any], known: Collection[str], what: str) -> Iterator[Mistake]:
    """The mistakes in a table that sets levers and spreads; `known` are the names that it may have."""
    yield from (unknown(str(name), name, known, what) for name in table if name not in known)
    given = {name: PARAMETERS[name] for name in table if name in known and name in PARAMETERS}
    yield from (d.refused(table[name]) for name, d in given.items() if not d.allows(table[name]))


def _levers(policy: Any, info: ValidationInfo) -> Mapping[str, float]:
    """The levers of a policy, which is a table of them or the name of a regime."""
    here = str(info.field_name)
    if isinstance(policy, str):
        if policy not in REGIMES:
            raise InputError([unknown(here, policy, REGIMES, "regime", policy)])
        return REGIMES[policy].levers
    if not isinstance(policy, Mapping):
        raise InputError([Mistake((here,), policy, "must be a regime or a table of levers")])
    wrong = Mistakes()
    wrong.take(mistake.within(here) for mistake in _settings(policy, LEVERS, "lever"))
    wrong.tell()
    return policy


Number = Annotated[float, Field(gt=-_LARGEST, lt=_LARGEST, description="a finite number")]
Spread = Annotated[float, Field(ge=1.0 / _LARGEST, lt=_LARGEST, description="a finite number above 0")]
Signed = Annotated[float, Field(ge=-1.0, le=1.0, description="a number from -1 to 1")]
Share = Annotated[float, Field(ge=0.0, le=1.0, description="a number from 0 to 1")]
Month = Annotated[int, Field(ge=1, le=MOST_MONTHS, description=f"a whole number from 1 to {MOST_MONTHS}")]
Policy = Annotated[Mapping[str, float], PlainValidator(_levers)]
Outcome = Annotated[str, _one_of(OUTCOMES, "outcome")]
PostColumn = Annotated[str, _one_of(POST_COLUMNS, "column of posts")]
VariableName = Annotated[str, _one_of(VARIABLES, "variable")]
Transform = Annotated[str, _one_of(TRANSFORMS, "transform")]


class Finding(BaseModel):
    """A table ``[[pattern]]`` of any kind."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str = Field(pattern=_ID, description="a short name of letters, digits, - and _")
    kind: str
    confidence: Annotated[str, _one_of(CONFIDENCES, "confidence")] = ""
    source: str = Field("", description="text")

    def pattern(self) -> Pattern:
        """The finding with its outcomes, and whatever its kind needs on its own."""
        needs = self.model_dump(exclude_unset=True)
        common = {name: needs.pop(name) for name in ("id", "kind", "confidence", "source") if name in needs}
        value, sd = needs.pop("value", None), needs.pop("sd")
        if value is None:
            value = tuple(needs.pop("values"))
            sd = tuple(sd) if isinstance(sd, list) else (sd,) * len(value)
        measured = [column for axis in ("x", "y") if axis in needs for column in VARIABLES[needs[axis]].columns]
        outcomes = measured or [needs["outcome"]] if needs else ["reported", "honest_indicator"]
        return Pattern(**common, value=value, sd=sd, outcomes=tuple(dict.fromkeys(outcomes)), needs=needs)


class Correlation(Finding):
    """Of two variables over the posts of the survey."""

    value: Signed
    sd: Spread
    x: VariableName
    y: VariableName

    @model_validator(mode="after")
    def _different(self) -> Self:
        if self.x == self.y:
            raise InputError([Mistake(("y",), self.y, "is x as well; a variable says nothing about itself")])
        return self


class Course(Finding):
    """How an outcome moves while a lever is at another value."""

    outcome: Outcome
    lever: Annotated[str, _one_of(LEVERS, "lever")]
    value_off: Number
    value_on: Number
    on: Month
    off: Month
    months: list[Month] = Field(min_length=1, description=f"a list of months from 1 to {MOST_MONTHS}")
    values: list[Number] = Field(min_length=1, description="a list of finite numbers, one for each month")
    sd: Spread | Annotated[list[Spread], Field(min_length=1)] = Field(
        description="a finite number above 0, or a list of them, one for each month"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        wrong, lever, n = Mistakes(), PARAMETERS[self.lever], len(self.months)
        if self.off <= self.on:
            wrong.append(Mistake(("off",), self.off, f"must come after on = {self.on}"))
        if any(later <= earlier for earlier, later in pairwise(self.months)):
            wrong.append(Mistake(("months",), self.months, "must be months, each later than the one before"))
        ends = {"value_off": self.value_off, "value_on": self.value_on}
        wrong.take(lever.refused(value, name) for name, value in ends.items() if not lever.allows(value))
        for name, numbers in (("values", self.values), ("sd", self.sd)):
            if isinstance(numbers, list) and len(numbers) != n:
                wrong.append(
                    Mistake((name,), why=f"has {len(numbers)} numbers for {n} months; there must be one for each")
                )
        wrong.tell()
        return self


def _finding(value: Any, **fields: Any) -> type[Finding]:
    """A table of a finding that is one number, with further keys; those in a pair have a default."""
    fields = {"value": value, "sd": Spread, **fields}
    keys: dict[str, Any] = {name: each if isinstance(each, tuple) else (each, ...) for name, each in fields.items()}
    model: type[Finding] = create_model("Finding", __base__=Finding, **keys)
    return model


KINDS: dict[str, type[Finding]] = {
    "correlation": Correlation,
    "level": _finding(Number, outcome=Outcome, transform=(Transform, "none")),
    "bunching": _finding(Signed),
    "contrast": _finding(Number, outcome=Outcome, before=Policy, after=Policy),
    "share": _finding(Share, outcome=PostColumn, before=Policy, after=Policy),
    "path": Course,
}
"""The tables of each kind, which the text above describes."""


def load(path: str | Path | None = None) -> Evidence:
    """The patterns of a file; by default those that come with the package.

    Raises `InputError` with a line for each mistake in the file.

    >>> load().patterns[0].id
    'monitoring-stress'
    """
    path = SHIPPED if path is None else Path(path)
    table = toml.read(path)
    survey, keys = table["survey"] if "survey" in table else toml.read(SHIPPED)["survey"], ("survey", "pattern")
    wrong, patterns = Mistakes(), list[Pattern]()
    wrong.take(unknown(name, name, keys, "key") for name in table if name not in keys)
    with wrong:
        _check_survey(survey)
    tables = table.get("pattern")
    if not isinstance(tables, list) or not tables:
        wrong.append(Mistake(("pattern",), why="there must be a table [[pattern]] for each finding, at least one"))
        tables = []
    for number, each in enumerate(tables, start=1):
        name = each.get("id") if isinstance(each, Mapping) else None
        here = f'pattern "{name}"' if isinstance(name, str) and re.fullmatch(_ID, name) else f"pattern {number}"
        try:
            patterns.append(_pattern(each))
        except InputError as error:
            wrong.take(mistake.found_in(here) for mistake in error.mistakes)
    for name, times in Counter(pattern.id for pattern in patterns).items():
        why = f"is given {times} times; each may be given once"
        wrong.take([Mistake(("id",), why=why, about=f'pattern "{name}"')] if times > 1 else ())
    if wrong:
        raise InputError(mistake.found_in(place(path)) for mistake in wrong)
    return Evidence(survey, tuple(patterns))


def _check_survey(survey: Any) -> None:
    """Raise `InputError` with a line for each mistake in the section ``[survey]``."""
    if not isinstance(survey, Mapping):
        raise InputError([Mistake(("survey",), survey, "must be a section [survey]")])
    wrong, known = Mistakes(), (*LEVERS, *SPREADS, "months", "window", *SIZES)
    ranges = {name: survey[name] for name in UNKNOWN if isinstance(survey.get(name), list)}
    wrong.take(_settings({n: v for n, v in survey.items() if n not in (*ranges, *SIZES)}, known, "key"))
    wrong.take(mistake for name, ends in ranges.items() for mistake in _range(name, ends))
    wrong.take(Mistake((name,), why="missing") for name in SURVEY if name not in survey)
    for name in ("months", "window", *SIZES):
        with wrong:
            whole(name, survey.get(name, 1), 1, MOST_MONTHS)
    if not wrong and survey["window"] > survey["months"]:
        wrong.append(Mistake(("window",), survey["window"], f"must be at most survey.months = {survey['months']}"))
    if wrong:
        raise InputError(mistake.within("survey") for mistake in wrong)


def _range(name: str, ends: list[Any]) -> Iterator[Mistake]:
    """The mistakes in a range of values of a lever or spread."""
    declared = PARAMETERS[name]
    if len(ends) != 2:
        yield Mistake((name,), ends, "must be a number, or a range of two, [low, high]")
    elif refused := [declared.refused(end) for end in ends if not declared.allows(end)]:
        yield from refused
    elif not ends[0] < ends[1]:
        yield Mistake((name,), ends, "must be a range [low, high] with low < high")


def _pattern(table: Any) -> Pattern:
    """The pattern of a table; raises `InputError` with a line for each key that is wrong."""
    if not isinstance(table, Mapping):
        raise InputError([f"{shown(table)} is not a table"])
    if (kind := table.get("kind", ...)) not in (*KINDS,):
        raise InputError([unknown("kind", kind, KINDS, "kind", kind)])
    model = KINDS[kind]
    try:
        return model.model_validate(table).pattern()
    except ValidationError as error:
        problems = {(p["loc"] or ("",))[0]: p for p in error.errors(include_url=False)}  # one for each key
    wrong = Mistakes()
    for name, problem in problems.items():
        if isinstance(why := problem.get("ctx", {}).get("error"), InputError):
            wrong.take(why.mistakes)
        elif problem["type"] == "missing":
            wrong.append(Mistake((str(name),), why="missing"))
        elif problem["type"] == "extra_forbidden":
            wrong.append(unknown(str(name), name, tuple(model.model_fields), "key"))
        else:
            wrong.append(Mistake((str(name),), table[name], f"must be {model.model_fields[str(name)].description}"))
    raise InputError(wrong)
