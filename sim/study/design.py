"""Designs: the cells that a design section stands for.

A design is a function from its section, ``kind`` included, to a list of `Settings`, one for each cell, that raises
`InputError` with a line for each mistake. Another kind of design is another function in `DESIGNS`. Settings that depend
on each other are checked afterwards: every cell is resolved before anything runs.

``grid`` combines values and ``list`` names each cell. ``lhs`` is a Latin hypercube, ``sobol`` a Sobol' (Saltelli)
design and ``morris`` a Morris design over the factors of `sim.study.factors`. ``worlds`` crosses worlds of an ensemble
with policies (`sim.worlds.design`). In any other design a setting such as ``"monitoring@36"`` is the value of a lever
from a month on.

``samples`` is the number of cells of an ``lhs`` design. A ``sobol`` design of N ``samples``, a power of two, over d
drivers has N (d + 2) rows, and a ``morris`` design of N trajectories N (d + 1). Rows that set the same, as they may
where factors have few values, are one cell, run once; `Sampled.cell` tells which rows it stands for.

A sampled design is drawn from its ``seed`` (0 unless another is given) by SciPy and SALib. It is the same wherever
these have the same version; `sim.study.sensitivity` makes sure that results fit the design that it draws anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError, Mistake, Mistakes, closest, repeated, shown, whole
from sim.model.parameters import LARGEST_SEED, MECHANISMS, PARAMETERS, unknown
from sim.study import factors
from sim.study.factors import Driver

Settings = dict[str, Any]
"""What one cell sets: parameters, levers and sizes, and perhaps `CHOICES`, scheduled levers and a name."""

CHOICES = ("regime", "mechanisms_off", "schedule", "local")
"""What a cell may set beside numbers."""
NUMBERED = ("world", "calibration", "weight")
"""The columns of a design over worlds that hold numbers, beside ``policy``."""
LABELS = ("name", *NUMBERED, "policy", "first_seed")
"""What a cell says of itself, which sets nothing: its name, or its world and policy, and where its seeds begin."""
TEXTS = (*CHOICES, "name", "policy")
"""The columns of a design that hold texts."""

MOST_CELLS = 1_000_000
MOST_NUMBERS = 8_000_000
"""Cells times what is sampled for each: so many fit into 2 GiB."""
_WHAT = {"lhs": "cells", "sobol": "base samples", "morris": "trajectories"}


def cells(section: dict[str, Any]) -> list[Settings]:
    """The cells of a design section; one cell that sets nothing where the section is empty."""
    if not section:
        return [{}]
    kind = section.get("kind", ...)
    if isinstance(kind, str) and kind in DESIGNS:
        return DESIGNS[kind](section)
    *others, last = (f'"{known}"' for known in ("csv", *DESIGNS))
    why = f"{'missing; ' if kind is ... else ''}must be {', '.join(others)} or {last}"
    raise InputError([Mistake(("design", "kind"), kind, why, "" if kind is ... else closest(kind, DESIGNS))])


def _about(outcome: str) -> str:
    """The first setting that is named after an outcome, "" where there is none.

    >>> _about("fear"), _about("harm"), _about("toxic")
    ('fear_blamed', 'harm_known', '')
    """
    return next((name for name in PARAMETERS if name.startswith(f"{outcome}_")), "")


def grid(section: dict[str, Any]) -> list[Settings]:
    """Every combination of the factors' values; the factor written last varies fastest."""
    lists, wrong = {name: values for name, values in section.items() if name != "kind"}, Mistakes()
    for name, values in lists.items():
        declared = factors.declared(name)
        if declared or name in CHOICES:
            wrong.take(factors.list_mistakes(("design", name), values, declared, 1, "[0.1, 0.5]"))
        elif not wrong.full:
            why, near = unknown(name, *CHOICES)
            wrong.append(Mistake(("design", name), values, why, near or _about(name)))
    wrong.tell()
    if (size := math.prod(map(len, lists.values()))) > MOST_CELLS:
        raise InputError([Mistake(("design",), ..., f"{shown(size)} cells; at most {MOST_CELLS} are allowed")])
    return [dict(zip(lists, values, strict=True)) for values in product(*lists.values())]


def listed(section: dict[str, Any]) -> list[Settings]:
    """The cells as they are written, one table ``[[design.cell]]`` each; a ``name`` there changes no run."""
    wrong, why = Mistakes(), "a list design has only cells, written as [[design.cell]] tables"
    wrong.take(Mistake(("design", name), value, why) for name, value in section.items() if name not in ("kind", "cell"))
    tables, here = section.get("cell", ...), ("design", "cell")
    if not isinstance(tables, list) or not tables:
        missing = "missing" if tables is ... else "is not a list of cells"
        wrong.append(Mistake(here, tables, f"{missing}; write a [[design.cell]] table for each cell"))
        tables = []
    for number, table in enumerate(tables, 1):
        if not isinstance(table, dict):
            wrong.append(Mistake(here, table, "must be a [[design.cell]] table", about=f"cell {number}"))
        elif not factors.is_name(name := table.get("name", "")):
            wrong.append(Mistake((*here, "name"), name, factors.NO_NAME, about=f"cell {number}"))
        else:
            strange = [key for key in LABELS[1:] if key in table]
            wrong.take(Mistake((*here, key), table[key], *unknown(key), about=f"cell {number}") for key in strange)
    names = [table["name"] for table in tables if isinstance(table, dict) and "name" in table]
    wrong.take(Mistake((*here, "name"), name, why) for name, why in repeated(names) if why)
    wrong.tell()
    return [dict(table) for table in tables]


@dataclass(frozen=True)
class Sampled:
    """A sampled design as it was drawn: `unit`, rows by drivers, are the sampled numbers from 0 to 1, `cell` the
    number, from 1, of each row's cell, and `settings` what each cell sets. `levels` is 0 unless kind is morris."""

    kind: str
    drivers: tuple[Driver, ...]
    levels: int
    unit: NDArray[np.float64]
    settings: list[Settings]
    cell: NDArray[np.int64]

    @property
    def block(self) -> int:
        """How many rows, in order, belong to one base sample."""
        return _block(self.kind, len(self.drivers))


def _block(kind: str, count: int) -> int:
    return {"lhs": 1, "sobol": count + 2, "morris": count + 1}[kind]


def sampled(section: dict[str, Any]) -> Sampled:
    """Draw a resolved design of the kinds lhs, sobol or morris; raises `InputError` with a line for each mistake."""
    wrong = _setting_mistakes(section)
    found: list[Driver] = []
    with wrong:
        found = factors.drivers(section)
    wrong.tell()
    size = section["samples"] * _block(section["kind"], len(found))
    if size > MOST_CELLS or size * len(found) > MOST_NUMBERS:
        most = f"; at most {MOST_CELLS} are allowed"
        if size <= MOST_CELLS:
            most = f" with {len(found)} numbers each; at most {MOST_NUMBERS} are allowed in all"
        raise InputError([Mistake(("design", "samples"), section["samples"], f"makes {shown(size)} cells{most}")])
    unit = _drawn(section, len(found))
    numbers: dict[str, int] = {}
    settings: list[Settings] = []
    cell = np.empty(len(unit), dtype=np.int64)
    for row, point in enumerate(unit):
        own = _settings(point.tolist(), found)
        cell[row] = numbers.setdefault(repr(own), len(settings) + 1)
        if cell[row] > len(settings):
            settings.append(own)
    return Sampled(section["kind"], tuple(found), section.get("levels", 0), unit, settings, cell)


def _setting_mistakes(section: dict[str, Any]) -> Mistakes:
    """What is wrong with samples, seed and levels."""
    kind, samples, levels = section["kind"], section.get("samples", ...), section.get("levels", ...)
    wrong, where = Mistakes(), ("design", "samples")
    if samples is ...:
        wrong.append(Mistake(where, ..., f"missing; give the number of {_WHAT[kind]}"))
    elif type(samples) is not int or samples < 2:
        wrong.append(Mistake(where, samples, "must be a whole number, at least 2"))
    elif kind == "sobol" and samples & (samples - 1):
        following = shown(1 << samples.bit_length())
        wrong.append(Mistake(where, samples, f"must be a power of two; the next one is {following}"))
    with wrong:
        whole("design.seed", section["seed"], 0, LARGEST_SEED)
    if kind == "morris" and (type(levels) is not int or levels % 2 or not 2 <= levels <= 100):
        wrong.append(Mistake(("design", "levels"), levels, "must be an even number from 2 to 100"))
    elif kind != "morris" and levels is not ...:
        wrong.append(Mistake(("design", "levels"), levels, "only a morris design has levels"))
    return wrong


def _drawn(section: dict[str, Any], count: int) -> NDArray[np.float64]:
    """The numbers of a sampled design, from 0 to 1: a row for each sample, a column for each driver."""
    kind, samples, seed = section["kind"], section["samples"], section["seed"]
    if kind == "lhs":
        from scipy.stats import qmc  # noqa: PLC0415

        return qmc.LatinHypercube(count, rng=np.random.default_rng(seed)).random(samples)
    from SALib.sample import morris, sobol  # noqa: PLC0415

    problem = {"num_vars": count, "names": [f"x{k}" for k in range(count)], "bounds": [[0.0, 1.0]] * count}
    if kind == "sobol":
        drawn = sobol.sample(problem, samples, calc_second_order=False, seed=seed)
    else:
        drawn = morris.sample(problem, samples, section["levels"], seed=seed)
    return np.asarray(drawn, dtype=np.float64)


def _settings(point: list[float], found: list[Driver]) -> Settings:
    """What one row sets. What belongs to a mechanism that is off stays out: it goes to its null."""
    own = {f.name: f.at(u) for driver, u in zip(found, point, strict=True) for f in driver.factors}
    if any(driver.mechanism for driver in found):
        off = [d.mechanism for d, u in zip(found, point, strict=True) if d.mechanism and u < d.off]
        for name in (parameter for mechanism in off for parameter in MECHANISMS[mechanism].parameters):
            own.pop(name, None)
        own["mechanisms_off"] = off
    return own


def over_worlds(section: dict[str, Any]) -> list[Settings]:
    """Worlds of an ensemble crossed with policies; see `sim.worlds.design`."""
    from sim.worlds.design import cells  # noqa: PLC0415

    return cells(section)


DESIGNS: dict[str, Callable[[dict[str, Any]], list[Settings]]] = {
    "grid": grid,
    "list": listed,
    **dict.fromkeys(factors.SAMPLED, lambda section: sampled(section).settings),
    "worlds": over_worlds,
}
"""The kinds of design, each with the function that makes its cells."""


def is_sampled(section: dict[str, Any]) -> bool:
    """Whether the design is of the kinds lhs, sobol or morris."""
    return section.get("kind") in factors.SAMPLED


def put_into_schedule(own: Settings, schedule: dict[str, Any]) -> Settings:
    """What a cell sets, with its scheduled levers put into its schedule, or into a copy of the one of all cells.

    >>> put_into_schedule({"step": 0.3, "monitoring@36": 0.9}, {"targets": {"12": 0.1}})
    {'step': 0.3, 'schedule': {'targets': {'12': 0.1}, 'monitoring': {'36': 0.9}}}
    """
    months = {name: found for name in own if (found := factors.scheduled(name))}
    merged = own.get("schedule", schedule)
    if not months or not isinstance(merged, dict):
        return own
    merged = dict(merged)
    for name, (lever, month) in months.items():
        plan = merged.get(lever, {})
        merged[lever] = {**plan, str(month): own[name]} if isinstance(plan, dict) else plan
    return {**{name: value for name, value in own.items() if name not in months}, "schedule": merged}
