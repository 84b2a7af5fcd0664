"""Plausible worlds: sets of the model's parameters, weighted by evidence, and what policies do in them.

The package can be called: ``sim.worlds()`` is the ensemble that comes with it.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from sim.worlds.ensemble import Ensemble


class _Worlds(ModuleType):
    def __call__(self, folder: str | Path | None = None, all_on: bool = False) -> Ensemble:
        """The ensemble that comes with the package, or the one that ``sim worlds --calibrate`` put in a folder.

        `all_on` asks for that of the second prior, under which no mechanism is off. Raises `InputError` with one line
        where it cannot be used.
        """
        from sim.worlds import ensemble  # noqa: PLC0415

        return ensemble.load(folder, "all_on" if all_on else "main")


sys.modules[__name__].__class__ = _Worlds
