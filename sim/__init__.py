"""Leadership culture under monitoring: an agent-based simulation.

>>> import sim
>>> run = sim.simulate(seed=0, regime="heavy", systems=2, months=12)
>>> sorted(run.series.columns)[:2]
['assurance', 'confidence']

Names are imported when they are first used, so that ``import sim`` and ``sim --help`` stay quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.errors import InputError
    from sim.model.mesa_model import LeadershipModel
    from sim.model.parameters import Parameters
    from sim.model.run import Run, simulate
    from sim.study import Results, Study

import_module("sim.model.version")  # reads the source files now, before any module of the model is loaded

_HOMES = {
    "InputError": "sim.errors",
    "LeadershipModel": "sim.model.mesa_model",
    "Parameters": "sim.model.parameters",
    "Results": "sim.study",
    "Run": "sim.model.run",
    "Study": "sim.study",
    "simulate": "sim.model.run",
}

__all__ = ["InputError", "LeadershipModel", "Parameters", "Results", "Run", "Study", "simulate"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sim' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
