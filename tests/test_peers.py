"""The model written anew over NumPy arrays agrees with the engine: a second hand against mistakes of wiring.

Both of this package's engines call the same rules, so they agree also where a rule was given the wrong number. The
NumPy model calls none of them. A mechanism that does nothing by default need not be added to it.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import numpy_model
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from settings_of_runs import runs

import sim
from sim.model.outcomes import OUTCOMES

SIZES: dict[str, Any] = {"systems": 1, "months": 20}
HARSH = {"regime": "targets_and_terror", "schedule": {"relationship": {5: 0.9}}, "monitoring_sd": 0.1, "recycling": 0.9}
KARK = {"regime": "kark_full", "dismissal": 0.9, "exit_base": 0.05, "risk_based": 0.5, "relationship_sd": 0.2}
LOCAL = {
    "systems": 3,
    "standardisation": 0.3,
    "schedule": {"monitoring": {4: 0.2}},
    "local": [
        {"relationship": 0.8, "where": "fear > 0.25"},
        {"monitoring": 0.9, "punitiveness": 0.9, "discernment": 0.1, "share": 0.5, "from": 3, "to": 12},
        {"targets": 0.9, "recognition": 1.0, "standardisation": 0.8, "organisations": [0, 3, 14]},
        {"leniency": 1.0, "targets": 0.1, "where": "reputation < 0.5", "from": 6},
    ],
}
COUNTED = [name for name, o in OUTCOMES.items() if o.unit in ("events a manager a month", "share of managers")]
"""What happens to a manager or does not."""
WINDOW = 6


def compare(theirs: numpy_model.Tables, ours: sim.Run) -> None:
    """The same events to every manager, and outcomes that differ by rounding alone: in the nation, its organisations
    and at every post."""
    managers = len(ours.posts)
    counted = [name for name in COUNTED if name in ours.series]
    np.testing.assert_array_equal(np.rint(theirs.series[counted] * managers), np.rint(ours.series[counted] * managers))
    for one, other in zip(theirs, (ours.series, ours.posts, ours.organisations), strict=True):
        assert set(one) == set(other)
        pd.testing.assert_frame_equal(one[list(other)], other, check_dtype=False, rtol=0.0, atol=1e-9)


needs_local = pytest.mark.skipif(
    "local" not in inspect.signature(sim.simulate).parameters, reason="levers of some organisations come later"
)


@pytest.mark.parametrize(
    "policy",
    [{}, HARSH, KARK, pytest.param(LOCAL, marks=needs_local)],
    ids=["default", "harsh", "kark", "local"],
)
def test_numpy_decides_alike_with_our_numbers(policy: dict[str, Any]) -> None:
    asked = SIZES | policy | {"window": WINDOW}
    ours = sim.simulate(3, record_organisations=True, **asked)
    compare(numpy_model.tables(3, luck=numpy_model.Shared, **asked), ours)
    assert (ours.series[["sanctions", "exits", "initiative_rate", "slips"]].sum() > 0).all()


@given(runs())
@settings(max_examples=40, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # to shrink takes minutes
def test_numpy_decides_alike_whatever_is_asked(asked: dict[str, Any]) -> None:
    """Any parameters in their ranges, mechanisms off, schedules and sizes, down to one manager in the nation."""
    seed = asked.pop("seed")
    ours = sim.simulate(seed, record_organisations=True, **asked)
    compare(numpy_model.tables(seed, luck=numpy_model.Shared, **asked), ours)


def test_numpy_with_its_own_numbers_meets_other_luck_under_the_same_rules() -> None:
    theirs, ours = numpy_model.simulate(3, monitoring=1.0, **SIZES), sim.simulate(3, monitoring=1.0, **SIZES).series
    assert np.abs(theirs - ours).to_numpy().max() > 0.01
    np.testing.assert_allclose(theirs["assurance"], ours["assurance"])  # full monitoring leaves nothing to chance
