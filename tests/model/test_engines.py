"""The compiled engine and the Mesa model give the same bits, whatever is asked of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from comparison import identical
from hypothesis import given, settings
from settings_of_runs import corners, runs

import sim
from sim.model.outcomes import OUTCOMES
from sim.model.parameters import MECHANISMS, REGIMES

SMALL: dict[str, Any] = dict(systems=2, organisations=2, managers=4, months=12)
BUSY: dict[str, Any] = SMALL | dict(
    regime="kark_full", monitoring_sd=0.2, relationship_sd=0.3, risk_based=0.5, standardisation=0.4, months=36,
    dismissal=0.8, exit_base=0.1, account_rate=0.3, slip_negligence=0.6, market_months=2.5)  # fmt: skip
"""Many slips, sanctions, dismissals, appointments of every kind and departures from the market."""


def both(**asked: Any) -> tuple[sim.Run, sim.Run]:
    compiled, mesa = (
        sim.simulate(engine=engine, record_organisations=True, **asked) for engine in ("compiled", "mesa")
    )
    return compiled, mesa


@given(runs())
@settings(max_examples=150)
def test_both_engines_give_the_same_bits(asked: dict[str, Any]) -> None:
    compiled, mesa = both(**asked)
    assert identical(compiled.record, mesa.record)
    assert np.isfinite(compiled.record.sums).all()


@given(runs(values=corners))
@settings(max_examples=50)
def test_both_engines_give_the_same_finite_numbers_at_the_corners_of_what_is_allowed(asked: dict[str, Any]) -> None:
    """Plain Python would raise where a rule leaves its domain, and compiled code would go on with NaN."""
    compiled, mesa = both(**asked)
    assert identical(compiled.record, mesa.record)
    assert np.isfinite(compiled.record.sums).all()


@pytest.mark.exhaustive
@given(runs())
@settings(max_examples=3000)
def test_both_engines_give_the_same_bits_at_length(asked: dict[str, Any]) -> None:
    compiled, mesa = both(**asked)
    assert identical(compiled.record, mesa.record)


@pytest.mark.slow
@pytest.mark.parametrize("regime", ["baseline", "kark_full"])
def test_both_engines_give_the_same_bits_at_national_size(regime: str) -> None:
    compiled, mesa = both(seed=3, regime=regime, months=60)
    assert identical(compiled.record, mesa.record)


@pytest.mark.parametrize("regime", REGIMES)
def test_both_engines_agree_in_every_regime(regime: str) -> None:
    compiled, mesa = both(seed=1, regime=regime, **SMALL)
    assert identical(compiled.record, mesa.record)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_both_engines_agree_with_each_mechanism_switched_off(mechanism: str) -> None:
    asked = {name: value for name, value in BUSY.items() if name not in MECHANISMS[mechanism].parameters}
    compiled, mesa = both(seed=2, mechanisms_off=[mechanism], **asked)
    assert identical(compiled.record, mesa.record)


@pytest.mark.parametrize("seed", range(3))
def test_both_engines_agree_when_much_happens(seed: int) -> None:
    """And much does happen: every event that the model records occurs."""
    compiled, mesa = both(seed=seed, **BUSY)
    assert identical(compiled.record, mesa.record)
    events = "successes needless slips negligence sanctions exits dismissals recycled gaming fearful record_share"
    assert (compiled.series[events.split()].sum() > 0).all()


def test_the_mesa_models_own_tables_hold_the_same_outcomes() -> None:
    """Its data collector writes down month by month what the record sums up."""
    model = sim.LeadershipModel(rng=4, **SMALL)
    model.run_model()
    collected = model.datacollector.get_model_vars_dataframe()
    run = sim.simulate(seed=4, **SMALL)
    assert list(collected) == list(run.series) == list(OUTCOMES)
    assert np.array_equal(collected.to_numpy(), run.series.to_numpy())
