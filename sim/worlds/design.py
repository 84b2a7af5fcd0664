"""Studies over worlds: a design whose cells are worlds of an ensemble crossed with policies.

``worlds`` is how many are drawn, by weight; one that is drawn several times stands once, with as much weight, so there
may be fewer. ``ensemble`` is a folder of calibrations, by default those that come with the package. ``policies`` are
names, each with a regime or a table of settings, as `sim.worlds.ensemble.Ensemble.evaluate` takes them; a schedule may
be among them.

Every world has seeds of its own, the first of those that `sim.worlds.evaluate.seeds_of` gives it, and all policies meet
the same: so an effect is that which `Ensemble.evaluate` finds, and chance in one world is independent of chance in the
next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from sim import statistics
from sim.errors import InputError, Mistake, Mistakes, closest, whole
from sim.model.parameters import PARAMETERS, SIZES, resolve
from sim.study.design import MOST_CELLS, Settings
from sim.study.factors import NO_NAME, is_name
from sim.worlds.ensemble import load
from sim.worlds.evaluate import seeds_of

KEYS = ("kind", "worlds", "ensemble", "policies")
_SET = tuple(name for name in PARAMETERS if name not in SIZES)
_FRAME = ("schedule", "local")


def cells(section: Mapping[str, Any]) -> list[Settings]:
    """The cells of a design section of the kind worlds, world by world; each sets everything but the sizes.

    ``world`` is its row in the ensemble's `frame`, ``weight`` what it counts among those that were drawn. Raises
    `InputError` with a line for each mistake, and where the ensemble cannot be used.
    """
    wrong = Mistakes()
    for key in section:
        if key not in KEYS:
            near, every = closest(key, KEYS), f"there are {', '.join(KEYS[1:])}"
            wrong.append(Mistake(("design", key), section[key], "no such key", near, "" if near else every))
    with wrong:
        whole("design.worlds", section.get("worlds", ...), 2, MOST_CELLS)
    folder = section.get("ensemble")
    if folder is not None and (not isinstance(folder, str) or not folder or "\0" in folder):
        wrong.append(Mistake(("design", "ensemble"), folder, "must be the path of a folder of calibrations"))
    wrong.take(_policy_mistakes(section.get("policies", ...)))
    wrong.tell()
    ensemble, policies = load(folder), {name: _settings(policy) for name, policy in section["policies"].items()}
    taken = statistics.systematic(ensemble.weights, section["worlds"], np.random.default_rng(0))
    numbers, times = np.unique(taken, return_counts=True)
    found: list[Settings] = []
    for number, weight in zip(numbers.tolist(), (times / len(taken)).tolist(), strict=True):
        world = ensemble[number]
        own = {"world": number, "calibration": int(ensemble.calibrations[number]), "weight": weight}
        own["first_seed"] = next(seeds_of(world))
        for name, policy in policies.items():
            try:
                p = world.parameters(**policy)
            except InputError as error:  # it sets what a mechanism decides that is off here
                here = ("design", "policies", name)
                told = [mistake.within(*here).found_in(f"world {number}") for mistake in error.mistakes]
                raise InputError(told) from None
            frame = {key: policy[key] for key in _FRAME if key in policy}
            values = {"regime": policy["regime"], "mechanisms_off": [], **{key: getattr(p, key) for key in _SET}}
            found.append({**own, "policy": name, **values, **frame})
    return found


def _settings(policy: str | Mapping[str, Any]) -> Settings:
    settings = {"regime": policy} if isinstance(policy, str) else policy
    return {"regime": "baseline", **{str(name): value for name, value in settings.items()}}


def _policy_mistakes(policies: object) -> Iterator[Mistake]:
    """What is wrong with the section ``[design.policies]``."""
    here, example = ("design", "policies"), 'such as today = "baseline" and mine = { targets = 0 }'
    if not isinstance(policies, Mapping) or len(policies) < 2:
        missing = "missing; " if policies is ... else ""
        yield Mistake(here, policies, f"{missing}must be at least two policies by name, {example}")
        return
    for name, policy in policies.items():
        where = (*here, str(name))
        if not is_name(name) or not name.strip():
            yield Mistake(where, why=f"the name of a policy {NO_NAME}")
        elif not isinstance(policy, str | Mapping):
            yield Mistake(where, policy, f"must be a regime or a table of settings, {example}")
        else:
            settings = _settings(policy)
            sizes = [key for key in settings if key in SIZES]
            why = "a size is the same in all runs, so it is no part of a policy"
            yield from (Mistake((*where, key), settings.pop(key), why) for key in sizes)
            try:
                resolve(**settings)
            except InputError as error:
                yield from (mistake.within(*where) for mistake in error.mistakes)
