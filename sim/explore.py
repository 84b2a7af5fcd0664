"""What the app and the notebook ask of the model: two ways of overseeing the same managers, replayed at once.

A `Comparison` holds everything that a picture depends on, so that the same comparison always gives the same picture.
It can be written as an address of the app, as a study file and as a line of Python.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import urlencode

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError, named, nearest, shown
from sim.inference.contrast import Difference, contrast
from sim.outcomes import OUTCOMES
from sim.parameters import DECLARATIONS, MECHANISMS, REGIMES, Parameters, resolve
from sim.run import Run, run_parameters
from sim.seeds import LARGEST_SEED
from sim.study import toml
from sim.study.sections import MOST_SEEDS

LEVERS = ("monitoring", "targets", "punitiveness", "discernment", "relationship")
"""The levers that have a slider."""
OUTCOMES_SHOWN = ("fear", "trust", "initiative_rate", "quality")
SYSTEMS = 6
REPLICATIONS = 8
"""Runs of each side: enough to see what is luck, few enough for ten years to replay while a slider moves."""
_LARGEST_SEED = LARGEST_SEED - MOST_SEEDS  # so that a study accepts it


@dataclass(frozen=True)
class Side:
    """One way of overseeing: a regime, and where the sliders stand (values of `LEVERS`, in their order).

    >>> Side.of("heavy", monitoring=0.5).text
    'heavy, monitoring 0.5'
    """

    regime: str
    values: tuple[float, ...]

    @classmethod
    def of(cls, regime: str, **moved: Any) -> Side:
        """The regime as it is, but for the levers that are moved."""
        policy = resolve(regime, **moved)
        return cls(regime, tuple(getattr(policy, name) for name in LEVERS))

    @property
    def moved(self) -> dict[str, float]:
        """The levers that do not stand where the regime has them."""
        usual = resolve(self.regime)
        return {name: value for name, value in self.levers.items() if value != getattr(usual, name)}

    @property
    def levers(self) -> dict[str, float]:
        """Where each slider stands."""
        return dict(zip(LEVERS, self.values, strict=True))

    @property
    def text(self) -> str:
        """In words, as short as it can be said."""
        changes = [f"{name} {value:g}" for name, value in self.moved.items()]
        return ", ".join([self.regime.replace("_", " "), *changes])


@dataclass(frozen=True)
class Comparison:
    """Two sides with the same people and the same luck.

    `seed` is the seed of the first of `REPLICATIONS` runs, the others follow it; `off` are the mechanisms that are
    switched off on both sides.
    """

    a: Side
    b: Side
    seed: int = 0
    off: tuple[str, ...] = ()

    @property
    def sides(self) -> tuple[Replay, Replay]:
        """Both sides, replayed."""
        return replay(self.a, self.seed, self.off), replay(self.b, self.seed, self.off)

    def difference(self, outcome: str) -> Difference:
        """How much higher an outcome is under A than under B, over the last two years, paired by seed."""
        a, b = self.sides
        return contrast(a.late(outcome), b.late(outcome))


START = Comparison(Side.of("heavy"), Side.of("light"))


@dataclass(frozen=True)
class Replay:
    """Ten years of one side, `REPLICATIONS` times; the first run has the seed that is shown."""

    runs: tuple[Run, ...]

    @cached_property
    def months(self) -> NDArray[np.float64]:
        """Every outcome: runs by months by `sim.outcomes.OUTCOMES`."""
        return np.stack([run.series[list(OUTCOMES)].to_numpy(np.float64) for run in self.runs])

    def paths(self, outcome: str) -> NDArray[np.float64]:
        """An outcome by month: runs by months."""
        return np.asarray(self.months[:, :, list(OUTCOMES).index(outcome)])

    def late(self, outcome: str) -> NDArray[np.float64]:
        """The mean of an outcome over the last two years, for each run."""
        late: NDArray[np.float64] = self.paths(outcome)[:, -self.runs[0].parameters.window :]
        return np.asarray(late.mean(axis=1))


@lru_cache(maxsize=32)
def replay(side: Side, seed: int, off: tuple[str, ...] = ()) -> Replay:
    """Run one side; what was asked for lately is remembered, so a slider of A costs no run of B."""
    policy = parameters(side, off)
    with ThreadPoolExecutor(min(REPLICATIONS, os.cpu_count() or 1)) as threads:
        return Replay(tuple(threads.map(lambda k: run_parameters(policy, seed + k, k == 0), range(REPLICATIONS))))


def parameters(side: Side, off: Sequence[str] = ()) -> Parameters:
    """The parameters of a side's runs."""
    return resolve(side.regime, mechanisms_off=off, systems=SYSTEMS, **side.levers)


@lru_cache(maxsize=32)
def without_each(comparison: Comparison, outcome: str) -> dict[str, Difference]:
    """The difference between the sides when one more mechanism is switched off, for each mechanism that is on.

    It takes a few seconds. The seeds are those of the comparison, so that only the mechanism differs.
    """
    runs = range(comparison.seed, comparison.seed + REPLICATIONS)
    found = {}
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for name in (name for name in MECHANISMS if name not in comparison.off):
            off = (*comparison.off, name)
            a, b = (
                [threads.submit(_late, parameters(side, off), seed, outcome) for seed in runs]
                for side in (comparison.a, comparison.b)
            )
            found[name] = contrast([run.result() for run in a], [run.result() for run in b])
    return found


def _late(policy: Parameters, seed: int, outcome: str) -> float:
    return float(run_parameters(policy, seed).series[outcome].iloc[-policy.window :].mean())


def seed_from(text: str) -> int:
    """The seed that somebody typed; raises `InputError` with one line where it cannot be one."""
    if text.strip().isdecimal() and len(text.strip()) < 20 and int(text) <= _LARGEST_SEED:
        return int(text)
    raise InputError([f"seed = {shown(text)}: must be a whole number from 0 to {_LARGEST_SEED}"])


def from_address(query: Mapping[str, Any]) -> tuple[Comparison, list[str]]:
    """What the part of an address after the question mark asks for, and what is wrong with it.

    Names are ``seed``, ``mechanisms_off`` (several with commas in between), ``regime`` and `LEVERS` for side A, and
    the same with ``b_`` in front for side B. Whatever is wrong is as it is without an address.

    >>> from_address({"seed": "7", "b_monitoring": "2"})[1]
    ['b_monitoring = "2": must be a number from 0 to 1']
    """
    asked = {name: values[-1] if isinstance(values, list) else str(values) for name, values in query.items()}
    known = ("seed", "mechanisms_off", *(prefix + name for prefix in ("", "b_") for name in ("regime", *LEVERS)))
    wrong = [f"{named(name)}: no setting has this name{nearest(name, known)}" for name in asked if name not in known]
    a = _side(asked, "", START.a, wrong)
    b = _side(asked, "b_", START.b, wrong)
    off = tuple(dict.fromkeys(name.strip() for name in asked.get("mechanisms_off", "").split(",") if name.strip()))
    unknown = [name for name in off if name not in MECHANISMS]
    wrong += [f"mechanisms_off = {shown(name)}: no such mechanism{nearest(name, MECHANISMS)}" for name in unknown]
    seed = START.seed
    try:
        seed = seed_from(asked.get("seed", str(seed)))
    except InputError as error:
        wrong += error.lines
    return Comparison(a, b, seed, tuple(name for name in off if name not in unknown)), wrong


def _side(asked: Mapping[str, str], prefix: str, usual: Side, wrong: list[str]) -> Side:
    """One side of an address; mistakes are added to `wrong`."""
    regime = asked.get(f"{prefix}regime", usual.regime)
    if regime not in REGIMES:
        wrong.append(f"{prefix}regime = {shown(regime)}: no such regime{nearest(regime, REGIMES)}")
        regime = usual.regime
    moved = {}
    for name in LEVERS:
        if (text := asked.get(prefix + name)) is None:
            continue
        if (value := _number(text)) is not None and DECLARATIONS[name].allows(value):
            moved[name] = value
        else:
            wrong.append(f"{prefix}{name} = {shown(text)}: must be {DECLARATIONS[name].allowed}")
    return Side.of(regime, **moved)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def address(comparison: Comparison) -> str:
    """The part of the app's address that brings a comparison back; `from_address` reads it."""
    values: dict[str, Any] = {"seed": comparison.seed}
    for prefix, side in (("", comparison.a), ("b_", comparison.b)):
        values |= {f"{prefix}regime": side.regime, **{prefix + name: value for name, value in side.moved.items()}}
    if comparison.off:
        values["mechanisms_off"] = ",".join(comparison.off)
    return "?" + urlencode(values, safe=",")


def python(comparison: Comparison, side: Side) -> str:
    """The line of Python that gives the run with the seed shown."""
    settings = [f"seed={comparison.seed}", f'regime="{side.regime}"', f"systems={SYSTEMS}"]
    settings += [f"{name}={value!r}" for name, value in side.moved.items()]
    settings += [f"mechanisms_off={list(comparison.off)!r}"] if comparison.off else []
    return f"sim.simulate({', '.join(settings)})"


def study(comparison: Comparison, outcomes: Sequence[str] = OUTCOMES_SHOWN) -> str:
    """The comparison as a study file: ``sim run`` gives the same runs."""
    a, b = comparison.a, comparison.b
    same = parameters(a) == parameters(b)  # a study refuses to do the same runs twice
    table = {
        "title": a.text if same else f"{a.text}, against {b.text}",
        "seed": comparison.seed,
        "seeds": REPLICATIONS,
        "mechanisms_off": list(comparison.off),
        "parameters": {"systems": SYSTEMS},
        "outcomes": {"keep": list(outcomes)},
        "design": {
            "kind": "list",
            "cell": [{"regime": side.regime, **side.levers} for side in ((a,) if same else (a, b))],
        },
    }
    return f"# Saved by the app. To run it: sim run FILE\n\n{toml.written(table)}"
