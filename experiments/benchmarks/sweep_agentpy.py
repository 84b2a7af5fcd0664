"""What `Experiment` is given: AgentPy models, whose parameters are a row of the design."""

from __future__ import annotations

import agentpy as ap
from agentpy_model import LeadershipModel, parameters
from sweep_runners import OUTCOMES, SEED, compiled


class InAgentPy(LeadershipModel):
    """The model in AgentPy. It fills in the other parameters itself, because the experiment sends all rows along with
    every run."""

    def sim_setup(self, steps: int | None = None, seed: int | None = None) -> None:
        """Resolve the row, then prepare the first month."""
        self.p.update(parameters(SEED, **self.p))
        super().sim_setup(steps, seed)


class CompiledInAgentPy(ap.Model):
    """This package's compiled engine as an AgentPy model: its one step is the whole run."""

    def step(self) -> None:
        """Run the cell."""
        for name, value in zip(OUTCOMES, compiled(self.p), strict=True):
            self.report(name, value)
        self.stop()
