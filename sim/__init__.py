"""Leadership culture under monitoring: an agent-based simulation.

>>> import sim
>>> run = sim.simulate(seed=0, regime="heavy", systems=2, months=12)
>>> sorted(run.series.columns)[:2]
['assurance', 'confidence']

A name is imported when it is first used, so that ``import sim`` and ``sim --help`` stay quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:  # for editors and type checkers; a test compares it with the table
    from sim import worlds
    from sim.claims.answer import answer
    from sim.claims.value import value_of_studies
    from sim.errors import InputError
    from sim.model.catalogue import PARAMETERS
    from sim.model.mechanisms import MECHANISMS, REGIMES
    from sim.model.mesa_model import LeadershipModel
    from sim.model.outcomes import OUTCOMES
    from sim.model.parameters import Parameters
    from sim.model.run import Run, simulate
    from sim.study import Results, Study
    from sim.study.plan import sweep

import_module("sim.model.version")  # reads the source files now, before any module of the model is loaded

PUBLIC = {
    "Running": {"simulate": "sim.model.run", "Run": "sim.model.run", "LeadershipModel": "sim.model.mesa_model"},
    "Studies": {"Study": "sim.study", "Results": "sim.study", "sweep": "sim.study.plan"},
    "Worlds and claims": {
        "worlds": "sim.worlds",
        "answer": "sim.claims.answer",
        "value_of_studies": "sim.claims.value",
    },
    "The model's tables": {
        "PARAMETERS": "sim.model.catalogue",
        "MECHANISMS": "sim.model.mechanisms",
        "REGIMES": "sim.model.mechanisms",
        "OUTCOMES": "sim.model.outcomes",
        "Parameters": "sim.model.parameters",
    },
    "Mistakes": {"InputError": "sim.errors"},
}
"""The public names by subject, each with the module that has it; ``docs/api.md`` is made from this table."""

_HOMES = {name: home for names in PUBLIC.values() for name, home in names.items()}
__all__ = [*_HOMES, "__version__"]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sim' has no attribute {name!r}")
    home = import_module(_HOMES[name])
    return home if home.__name__ == f"sim.{name}" else getattr(home, name)  # `worlds` is a package that can be called


def __dir__() -> list[str]:
    return __all__
