"""The door to the parameters of a run: `resolve`, and every name that others need.

The table of parameters, with a meaning and a source for each, is in `sim/model/catalogue.py`; mechanisms and
regimes are in `sim/model/mechanisms.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import ValidationError

from sim.errors import InputError, first, named, nearest, shown
from sim.model.catalogue import DECLARATIONS, LEVERS, PARAMETERS, SIZES, SPREADS, Parameters
from sim.model.declaration import Declaration
from sim.model.mechanisms import MECHANISMS, REGIMES, Mechanism, Regime

__all__ = [
    "BYTES_FOR_AN_AGENT",
    "BYTES_FOR_A_POST",
    "DECLARATIONS",
    "LEVERS",
    "MECHANISMS",
    "PARAMETERS",
    "REGIMES",
    "SIZES",
    "SPREADS",
    "Declaration",
    "Mechanism",
    "Parameters",
    "Regime",
    "check_memory",
    "resolve",
]

GIB = 2**30
BYTES_FOR_A_POST = 400  # in the compiled engine, measured as all that follows
BYTES_FOR_AN_AGENT = 10_000  # in the Mesa model
BYTES_FOR_AN_ORGANISATION = 8 * 20 * 3  # a month of it, in the record and in the table
BYTES_FOR_A_MONTH = 8 * 50
BYTES_FOR_A_FORMER_MANAGER = 64
MEMORY_WHERE_UNKNOWN = 16 * GIB
MOST_POST_MONTHS = 10**13


def resolve(regime: str = "baseline", *, mechanisms_off: Iterable[str] = (), **settings: Any) -> Parameters:
    """The parameters of one run: defaults, then the regime's levers, then nulls, then the settings.

    `regime` is a name of `REGIMES`; `mechanisms_off` are names of `MECHANISMS`, whose parameters go to their
    null; `settings` are parameters, levers, sizes and `schedule`. Raises `InputError` with a line for every
    mistake.

    >>> resolve("heavy", mechanisms_off=["paperwork"], months=24, schedule={"monitoring": {12: 0.9}}).targets
    0.8
    """
    off = _names(mechanisms_off)
    mistakes = [*_unknown_regime(regime), *first(_unknown_mechanisms(off))]
    switched_off = {} if mistakes else _nulls(off)
    levers = {} if mistakes else REGIMES[regime].levers
    mistakes += _contradictions(off, settings)
    values = {**levers, **switched_off, **settings}
    try:
        parameters = Parameters(**values)
    except ValidationError as error:
        mistakes += first(_lines(error))
        wrong = {problem["loc"][0] for problem in error.errors(include_url=False) if problem["loc"]}
        wrong.add("schedule")  # it was checked against months that may themselves be wrong
        parameters = Parameters(**{name: value for name, value in values.items() if name not in wrong})
    mistakes += _too_large(parameters)
    if mistakes:
        raise InputError(first(mistakes))
    return parameters


def _names(listed: object) -> tuple[Any, ...]:
    """What was listed; a single name, or what is no list at all, counts as a list of one."""
    return tuple(listed) if isinstance(listed, Iterable) and not isinstance(listed, str) else (listed,)


def _unknown_regime(regime: object) -> list[str]:
    if isinstance(regime, str) and regime in REGIMES:
        return []
    hint = nearest(regime, REGIMES)
    return [f"regime = {shown(regime)}: no such regime{hint}; there are {', '.join(REGIMES)}"]


def _is_mechanism(name: object) -> bool:
    return isinstance(name, str) and name in MECHANISMS


def _unknown_mechanisms(off: tuple[str, ...]) -> Iterator[str]:
    every = "; there are " + ", ".join(MECHANISMS)
    for name in off:
        if not _is_mechanism(name):
            yield f"mechanisms_off = {shown(name)}: no such mechanism{nearest(name, MECHANISMS) or every}"


def _nulls(off: Iterable[str]) -> dict[str, float | None]:
    return {name: DECLARATIONS[name].null for key in off for name in MECHANISMS[key].parameters}


def _contradictions(off: tuple[str, ...], settings: dict[str, Any]) -> list[str]:
    return [
        f"{name} = {shown(settings[name])}: belongs to the mechanism {key}, which is switched off and "
        f"holds it at {DECLARATIONS[name].null:g}; leave out one of the two"
        for key in off
        if _is_mechanism(key)
        for name in MECHANISMS[key].parameters
        if name in settings
    ]


def _lines(error: ValidationError) -> Iterator[str]:
    """Pydantic's complaints in this project's words."""
    yield from (line for problem in error.errors(include_url=False) for line in _complaint(problem))


def _complaint(problem: Any) -> tuple[str, ...]:
    name, value, why = problem["loc"][0], problem["input"], problem.get("ctx", {}).get("error")
    if isinstance(why, InputError):
        return why.lines
    if name not in DECLARATIONS:
        hint = nearest(name, [*DECLARATIONS, "schedule", "regime", "mechanisms_off"])
        return (f"{named(name)} = {shown(value)}: no parameter, lever or size has this name{hint}",)
    return (f"{name} = {shown(value)}: must be {DECLARATIONS[name].allowed}",)


def check_memory(run: Parameters, bytes_for_a_post: int, record_organisations: bool) -> None:
    """Refuse a run that this machine could not hold, given what a post takes in an engine and what is recorded.

    Raises `InputError` with one line that says what the run would need.
    """
    organisations = run.months * run.systems * run.organisations * BYTES_FOR_AN_ORGANISATION
    if lines := _too_large(run, bytes_for_a_post, organisations if record_organisations else 0):
        raise InputError(lines)


def _too_large(run: Parameters, bytes_for_a_post: int = BYTES_FOR_A_POST, besides: int = 0) -> list[str]:
    """Refuse what this machine could not hold, or could never finish."""
    posts = run.systems * run.organisations * run.managers
    sizes = ", ".join(f"{name} = {getattr(run, name)}" for name in SIZES if name != "window")
    mistakes = []
    if posts * run.months > MOST_POST_MONTHS:
        mistakes.append(
            f"{sizes}: {posts * run.months:.3g} posts times months would never finish; "
            f"at most {MOST_POST_MONTHS:.0e} are allowed"
        )
    if (needed := _bytes(run, posts, bytes_for_a_post) + besides) > (limit := _memory()):
        mistakes.append(
            f"{sizes}: the run would need {needed / GIB:.1f} GiB of memory; at most {limit / GIB:.1f} GiB are allowed"
        )
    return mistakes


def _bytes(run: Parameters, posts: int, bytes_for_a_post: int) -> float:
    leaving = min(1.0, run.exit_base + run.exit_distress + run.exit_fear + run.dismissal)
    market = posts * leaving * min(run.market_months, run.months)
    return posts * bytes_for_a_post + run.months * BYTES_FOR_A_MONTH + market * BYTES_FOR_A_FORMER_MANAGER


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return MEMORY_WHERE_UNKNOWN
