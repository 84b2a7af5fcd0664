"""Studies: many runs of the model, laid out in a TOML file, interrupted and resumed at will."""

from sim.study.plan import Study
from sim.study.results import Results

__all__ = ["Results", "Study"]
