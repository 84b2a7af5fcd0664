"""Sampled designs: Latin hypercubes, Sobol' (Saltelli) and Morris designs over the factors of `sim.study.factors`.

``samples`` is the number of cells of an ``lhs`` design. A ``sobol`` design of N ``samples``, a power of two, over d
drivers has N (d + 2) rows, and a ``morris`` design of N trajectories N (d + 1). Rows that set the same, as they may
where factors have few values, are one cell, run once; `Sampled.cell` tells which rows it stands for.

A design is drawn from its ``seed`` (0 unless another is given) by SciPy and SALib. It is the same wherever these have
the same version; `sim.study.sensitivity` makes sure that results fit the design that it draws anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError, shown
from sim.model.parameters import MECHANISMS
from sim.study.factors import Driver, drivers, resolved

_WHAT = {"lhs": "cells", "sobol": "base samples", "morris": "trajectories"}
_FEWEST = 2
_MOST_SEED = 2**63 - 1
_MOST_LEVELS = 100
MOST_NUMBERS = 8_000_000
"""Cells times what is sampled for each: so many fit into 2 GiB."""


@dataclass(frozen=True)
class Sampled:
    """A design as it was drawn.

    Attributes
    ----------
    kind : "lhs", "sobol" or "morris"
    drivers : what was sampled, in order.
    levels : the number of levels of a morris design, else 0.
    unit : array, shape (rows, drivers)
        The sampled numbers, from 0 to 1.
    settings : what each cell sets, each set once.
    cell : array, shape (rows,)
        The number, from 1, of each row's cell.
    """

    kind: str
    drivers: tuple[Driver, ...]
    levels: int
    unit: NDArray[np.float64]
    settings: list[dict[str, Any]]
    cell: NDArray[np.int64]

    @property
    def block(self) -> int:
        """How many rows, in order, belong to one base sample."""
        return rows(self.kind, 1, len(self.drivers))


def rows(kind: str, samples: int, count: int) -> int:
    """The number of rows of a design over `count` drivers."""
    return samples * {"lhs": 1, "sobol": count + 2, "morris": count + 1}[kind]


def sample(section: dict[str, Any], most: int) -> Sampled:
    """Draw the design of a section, ``kind`` included, of at most `most` rows.

    Raises `InputError` with a line for each mistake.
    """
    section = resolved(section)
    mistakes = _setting_mistakes(section)
    found: list[Driver] = []
    try:
        found = drivers(section)
    except InputError as error:
        mistakes += error.lines
    if mistakes:
        raise InputError(mistakes)
    size, samples = rows(section["kind"], section["samples"], len(found)), shown(section["samples"])
    if size > most:
        raise InputError([f"design.samples = {samples}: makes {shown(size)} cells; at most {most} are allowed"])
    if size * len(found) > MOST_NUMBERS:
        numbers = f"{size} cells with {len(found)} numbers each; at most {MOST_NUMBERS} are allowed in all"
        raise InputError([f"design.samples = {samples}: makes {numbers}"])
    unit = _DRAW[section["kind"]](section, len(found))
    settings, cell = _cells(unit, found)
    return Sampled(section["kind"], tuple(found), section.get("levels", 0), unit, settings, cell)


def _setting_mistakes(section: dict[str, Any]) -> list[str]:
    """What is wrong with samples, seed and levels."""
    kind, samples, lines = section["kind"], section.get("samples"), []
    if samples is None:
        lines.append(f"design.samples: missing; give the number of {_WHAT[kind]}")
    elif not _whole(samples, _FEWEST):
        lines.append(f"design.samples = {shown(samples)}: must be a whole number, at least {_FEWEST}")
    elif kind == "sobol" and samples & (samples - 1):
        following = 1 << samples.bit_length()
        lines.append(f"design.samples = {shown(samples)}: must be a power of two; the next one is {shown(following)}")
    if not _whole(seed := section["seed"], 0, _MOST_SEED):
        lines.append(f"design.seed = {shown(seed)}: must be a whole number from 0 to 2**63 - 1")
    if kind == "morris" and (not _whole(levels := section["levels"], 2, _MOST_LEVELS) or levels % 2):
        lines.append(f"design.levels = {shown(levels)}: must be an even number from 2 to {_MOST_LEVELS}")
    if kind != "morris" and "levels" in section:
        lines.append(f"design.levels = {shown(section['levels'])}: only a morris design has levels")
    return lines


def _whole(value: object, lowest: int, highest: float = np.inf) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest


def _problem(count: int) -> dict[str, Any]:
    """SALib's account of `count` factors from 0 to 1."""
    return {"num_vars": count, "names": [f"x{k}" for k in range(count)], "bounds": [[0.0, 1.0]] * count}


def _lhs(section: dict[str, Any], count: int) -> NDArray[np.float64]:
    from scipy.stats import qmc  # noqa: PLC0415

    return qmc.LatinHypercube(count, rng=np.random.default_rng(section["seed"])).random(section["samples"])


def _sobol(section: dict[str, Any], count: int) -> NDArray[np.float64]:
    from SALib.sample import sobol  # noqa: PLC0415

    drawn = sobol.sample(_problem(count), section["samples"], calc_second_order=False, seed=section["seed"])
    return np.asarray(drawn, dtype=np.float64)


def _morris(section: dict[str, Any], count: int) -> NDArray[np.float64]:
    from SALib.sample import morris  # noqa: PLC0415

    drawn = morris.sample(_problem(count), section["samples"], section["levels"], seed=section["seed"])
    return np.asarray(drawn, dtype=np.float64)


_DRAW = {"lhs": _lhs, "sobol": _sobol, "morris": _morris}


def _cells(unit: NDArray[np.float64], found: list[Driver]) -> tuple[list[dict[str, Any]], NDArray[np.int64]]:
    """The settings of the rows, each once, and the number of each row's cell."""
    numbers: dict[object, int] = {}
    settings: list[dict[str, Any]] = []
    cell = np.empty(len(unit), dtype=np.int64)
    for row, point in enumerate(unit):
        own = _settings(point.tolist(), found)
        key = repr(own) if "mechanisms_off" in own else tuple(own.items())  # a list has no hash
        number = numbers.setdefault(key, len(settings) + 1)
        if number > len(settings):
            settings.append(own)
        cell[row] = number
    return settings, cell


def _settings(point: list[float], found: list[Driver]) -> dict[str, Any]:
    """What one row sets. What belongs to a mechanism that is off stays out: it goes to its null."""
    own = {f.name: f.at(u) for driver, u in zip(found, point, strict=True) for f in driver.factors}
    if any(driver.mechanism for driver in found):
        off = [d.mechanism for d, u in zip(found, point, strict=True) if d.mechanism and u < d.off]
        for name in (parameter for mechanism in off for parameter in MECHANISMS[mechanism].parameters):
            own.pop(name, None)
        own["mechanisms_off"] = off
    return own
