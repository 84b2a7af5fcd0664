"""The same model as users of other tools would write it agrees with this package's, run by run."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[1] / "experiments" / "benchmarks"
SIZES = {"systems": 1, "months": 20}
HARSH = {"regime": "targets_and_terror", "schedule": {"relationship": {5: 0.9}}, "monitoring_sd": 0.1, "recycling": 0.9}
KARK = {"regime": "kark_full", "dismissal": 0.9, "exit_base": 0.05, "risk_based": 0.5, "relationship_sd": 0.2}


@pytest.fixture(scope="module")
def models() -> Iterator[ModuleType]:
    """The benchmark's own functions, which import what lies beside them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        yield importlib.import_module("peers")


@pytest.mark.parametrize("policy", [{}, HARSH, KARK])
def test_numpy_decides_alike_with_our_numbers(models: ModuleType, policy: dict) -> None:
    one, other = (run(3, **SIZES, **policy) for run in (models.in_numpy_with_our_numbers, models.ours))
    np.testing.assert_array_equal(models.events(one, 60), models.events(other, 60))
    assert models.difference(one, other) < 1e-12
    assert (other[["sanctions", "exits", "initiative_rate", "slips"]].sum() > 0).all()


def test_numpy_with_its_own_numbers_meets_other_luck_under_the_same_rules(models: ModuleType) -> None:
    one, other = (run(3, monitoring=1.0, **SIZES) for run in (models.in_numpy, models.ours))
    assert models.difference(one, other) > 0.01
    np.testing.assert_allclose(one["assurance"], other["assurance"])  # full monitoring leaves nothing to chance


def test_the_comparison_sees_a_policy_that_differs_a_little(models: ModuleType) -> None:
    one, other = (models.ours(3, monitoring=monitoring, **SIZES) for monitoring in (0.45, 0.46))
    assert models.difference(one, other) > 1e-3
    assert not np.array_equal(models.events(one, 60), models.events(other, 60))
