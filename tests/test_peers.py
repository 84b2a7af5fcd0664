"""The model written anew over NumPy arrays agrees with the engine: a second hand against mistakes of wiring.

Both of this package's engines call the same rules, so they agree also where a rule was given the wrong number. The
NumPy model calls none of them. A mechanism that does nothing by default need not be added to it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy_model
import pytest

import sim
from sim.model.outcomes import OUTCOMES

SIZES: dict[str, Any] = {"systems": 1, "months": 20}
HARSH = {"regime": "targets_and_terror", "schedule": {"relationship": {5: 0.9}}, "monitoring_sd": 0.1, "recycling": 0.9}
KARK = {"regime": "kark_full", "dismissal": 0.9, "exit_base": 0.05, "risk_based": 0.5, "relationship_sd": 0.2}
COUNTED = [name for name, o in OUTCOMES.items() if o.unit in ("events a manager a month", "share of managers")]
"""What happens to a manager or does not."""


@pytest.mark.parametrize("policy", [{}, HARSH, KARK], ids=["default", "harsh", "kark"])
def test_numpy_decides_alike_with_our_numbers(policy: dict[str, Any]) -> None:
    """The same events to every manager, and outcomes that differ by rounding alone."""
    theirs = numpy_model.simulate(3, luck=numpy_model.Shared, **SIZES | policy)
    ours = sim.simulate(3, **SIZES | policy).series
    np.testing.assert_array_equal(np.rint(theirs[COUNTED] * 60), np.rint(ours[COUNTED] * 60))
    np.testing.assert_allclose(theirs[list(OUTCOMES)], ours, rtol=0.0, atol=1e-12)
    assert (ours[["sanctions", "exits", "initiative_rate", "slips"]].sum() > 0).all()


def test_numpy_with_its_own_numbers_meets_other_luck_under_the_same_rules() -> None:
    theirs, ours = numpy_model.simulate(3, monitoring=1.0, **SIZES), sim.simulate(3, monitoring=1.0, **SIZES).series
    assert np.abs(theirs - ours).to_numpy().max() > 0.01
    np.testing.assert_allclose(theirs["assurance"], ours["assurance"])  # full monitoring leaves nothing to chance
