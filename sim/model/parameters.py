"""The parameters of a run: `resolve` makes them from a regime, mechanisms that are off, and settings.

The table of parameters, with a meaning and a source for each, is in `sim/model/catalogue.py`; mechanisms and
regimes are in `sim/model/mechanisms.py`.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from pydantic import ValidationError

from sim.errors import InputError, Mistake, Mistakes, closest, whole
from sim.model.catalogue import CHANGES, COEFFICIENTS, LEVERS, PARAMETERS, SIZES, SPREADS, Parameters
from sim.model.declaration import Declaration
from sim.model.local import LOCAL
from sim.model.mechanisms import MECHANISMS, REGIMES, Mechanism, Regime
from sim.model.outcomes import OUTCOMES

__all__ = ["BYTES_FOR_AN_AGENT", "BYTES_FOR_A_POST", "COEFFICIENTS", "LARGEST_SEED", "LEVERS", "LOCAL", "MECHANISMS",
           "PARAMETERS", "REGIMES", "SIZES", "SPREADS", "Declaration", "Mechanism", "Parameters", "Regime",
           "check_memory", "nulls", "resolve", "seed_of", "unknown"]  # fmt: skip

GIB = 2**30
BYTES_FOR_A_POST = 700
BYTES_FOR_A_POST_AT_WORK = 700  # more, for those of one system
BYTES_FOR_AN_AGENT = 10_000  # in the Mesa model
BYTES_FOR_AN_ORGANISATION = 8 * 24 * 3
BYTES_FOR_A_RULE = 8 * 2  # in an organisation
BYTES_FOR_A_MONTH = 8 * 50
BYTES_FOR_A_FORMER_MANAGER = 64
MEMORY_WHERE_UNKNOWN = 16 * GIB
MOST_POST_MONTHS = 10**13
LARGEST_SEED = 2**63 - 1


def resolve(regime: str = "baseline", *, mechanisms_off: Iterable[str] = (), **settings: Any) -> Parameters:
    """The parameters of one run: defaults, then the regime's levers, then nulls, then the settings.

    `regime` is a name of `REGIMES`; `mechanisms_off` are names of `MECHANISMS`, whose parameters go to their
    null; `settings` are parameters, levers, sizes, `schedule` and `local`. Raises `InputError` with a line for every
    mistake.

    >>> resolve("heavy", mechanisms_off=["paperwork"], months=24, schedule={"monitoring": {12: 0.9}}).targets
    0.8
    """
    found, values = Mistakes(), dict(settings)
    if isinstance(regime, str) and regime in REGIMES:
        values = {**REGIMES[regime].levers, **values}
    else:
        known = f"there are {', '.join(REGIMES)}"
        found.append(Mistake(("regime",), regime, "no such regime", closest(regime, REGIMES), known))
    listed = isinstance(mechanisms_off, Iterable) and not isinstance(mechanisms_off, str)
    with found:
        values = {**values, **nulls(mechanisms_off if listed else [mechanisms_off], settings)}
    try:
        parameters = Parameters(**values)
    except ValidationError as error:
        with found:
            raise InputError(_complaints(error)) from None
        wrong = {problem["loc"][0] for problem in error.errors(include_url=False) if problem["loc"]}
        wrong.update(CHANGES)  # they were checked against sizes that may themselves be wrong
        parameters = Parameters(**{name: value for name, value in values.items() if name not in wrong})
    with found:
        check_memory(parameters)
    found.tell()
    return parameters


def nulls(off: Iterable[Any], settings: Mapping[str, Any]) -> dict[str, float | None]:
    """The nulls of all parameters of mechanisms that are off.

    Raises `InputError` for unknown mechanisms, and where `settings` name one of these parameters.
    """
    values: dict[str, float | None] = {}
    found = Mistakes()
    for key in off:
        if not isinstance(key, str) or key not in MECHANISMS:
            near = closest(key, MECHANISMS)
            known = "" if near else f"there are {', '.join(MECHANISMS)}"
            found.append(Mistake(("mechanisms_off",), key, "no such mechanism", near, known))
            continue
        for name in MECHANISMS[key].parameters:
            values[name] = PARAMETERS[name].null
            if name in settings:
                why = f"belongs to the mechanism {key}, which is switched off and holds it at {values[name]:g}"
                found.append(Mistake((name,), settings[name], why, allowed="leave out one of the two"))
    found.tell()
    return values


def unknown(name: object, *others: str) -> tuple[str, str]:
    """Why nothing can be set under a name, and the nearest name that can, of all settings and `others`."""
    if isinstance(name, str) and name in OUTCOMES:
        return "is an outcome, which a run measures and nothing sets", ""
    near = closest(name, [*PARAMETERS, *others])
    return "no parameter, lever or size has this name", near


def _complaints(error: ValidationError) -> Iterator[Mistake]:
    """Pydantic's complaints as mistakes."""
    for problem in error.errors(include_url=False):
        (name, *_), value, why = problem["loc"], problem["input"], problem.get("ctx", {}).get("error")
        if isinstance(why, InputError):
            yield from why.mistakes
        elif name in PARAMETERS:
            yield PARAMETERS[str(name)].refused(value)
        else:
            yield Mistake((str(name),), value, *unknown(name, *CHANGES, "regime", "mechanisms_off"))


def seed_of(given: Any = None) -> int:
    """The seed of a run: the whole number given, one drawn from a NumPy generator, or a fresh one for None.

    Raises `InputError` for anything else and for numbers outside 0 to 2**63 - 1.
    """
    if given is None:
        return secrets.randbelow(2**53)  # short enough to survive a spreadsheet
    if isinstance(given, np.random.Generator):
        return int(given.integers(2**53))
    return whole("seed", given, 0, LARGEST_SEED)


def check_memory(run: Parameters, bytes_for_a_post: int = BYTES_FOR_A_POST, record_organisations: bool = False) -> None:
    """Refuse a run that this machine could not hold or never finish, given what a post takes and what is recorded.

    Raises `InputError` with a line that says what the run would need.
    """
    places = run.systems * run.organisations
    posts = places * run.managers
    leaving = min(1.0, run.exit_base + run.exit_distress + run.exit_fear + run.dismissal)
    market = posts * leaving * min(run.market_months, run.months) * BYTES_FOR_A_FORMER_MANAGER
    record = run.months * (BYTES_FOR_A_MONTH + places * BYTES_FOR_AN_ORGANISATION * record_organisations)
    at_work = run.organisations * run.managers * BYTES_FOR_A_POST_AT_WORK
    rules = places * BYTES_FOR_A_RULE * len(run.local)
    needed, limit = posts * bytes_for_a_post + at_work + market + record + rules, _memory()
    sizes = ", ".join(f"{name} = {getattr(run, name)}" for name in SIZES if name != "window")
    found = Mistakes()
    if (total := posts * run.months) > MOST_POST_MONTHS:
        why = f"{total:.3g} posts times months would never finish; at most {MOST_POST_MONTHS:.0e} are allowed"
        found.append(Mistake((), why=why, about=sizes))
    if needed > limit:
        why = f"the run would need {needed / GIB:.1f} GiB of memory; at most {limit / GIB:.1f} GiB are allowed"
        found.append(Mistake((), why=why, about=sizes))
    found.tell()


def _memory() -> int:
    """Bytes of memory of this machine."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return MEMORY_WHERE_UNKNOWN
