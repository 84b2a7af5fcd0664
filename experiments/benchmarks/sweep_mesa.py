"""What `batch_run` is given: Mesa models with one parameter, a row of the design.

Subclasses stand in a module, because `batch_run` starts its processes anew and they have to find the class.
"""

from __future__ import annotations

from typing import Any

import mesa
from sweep_runners import OUTCOMES, SEED, Row, compiled

from sim import LeadershipModel


class InMesa(LeadershipModel):
    """This package's Mesa model; newer versions of Mesa hand over a seed, which all cells share here."""

    def __init__(self, row: Row, rng: Any = None) -> None:
        super().__init__(rng=SEED, **row)


class CompiledInMesa(mesa.Model):
    """This package's compiled engine as a Mesa model: its one step is the whole run."""

    def __init__(self, row: Row, rng: Any = None) -> None:
        super().__init__(rng=SEED)
        self.row = row
        self.datacollector = mesa.DataCollector({name: name for name in OUTCOMES})

    def step(self) -> None:
        """Run the cell."""
        self.fear, self.quality = compiled(self.row)
        self.datacollector.collect(self)
        self.running = False
