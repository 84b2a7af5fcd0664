"""The ensembles that come with the package: small, of this version of the model, and what they say they are."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from sim.model import run
from sim.model.mechanisms import MECHANISMS
from sim.worlds import evidence, survey
from sim.worlds import summary as worlds
from sim.worlds.calibrate import PRIORS
from sim.worlds.ensemble import SHIPPED, Ensemble, both, load
from sim.worlds.survey import Sizes

MEBIBYTE = 2**20


@pytest.fixture(scope="module", params=["main", "all_on"])
def shipped(request: pytest.FixtureRequest) -> Ensemble:
    return load(prior=request.param)


def test_both_together_are_small() -> None:
    assert sum(file.stat().st_size for file in SHIPPED.values()) <= MEBIBYTE


def test_they_were_weighted_by_the_findings_that_come_with_the_package(shipped: Ensemble) -> None:
    assert shipped.evidence == evidence.load()


def test_they_bear_a_verdict(shipped: Ensemble) -> None:
    assert shipped.effective_size >= 100
    assert shipped.distinct_ancestors >= 20
    assert shipped.largest_weight < 0.02


def test_in_the_second_prior_no_mechanism_is_off() -> None:
    """But those that the file has never heard of, which are off in all of its worlds."""
    main, second = both()
    off = second.off.any(axis=0)
    assert [
        key for key, is_off in zip(MECHANISMS, off, strict=True) if is_off and f"{key} off" not in second.unheard
    ] == []
    assert 0.05 < main.off.mean() < 0.25


def test_they_were_calibrated_as_the_command_would(shipped: Ensemble) -> None:
    which = "all_on" if shipped.chance_off == 0.0 else "main"
    made: dict[str, Any] = json.loads(json.dumps(shipped.provenance))
    assert {name: made[name] for name in PRIORS[which]} == PRIORS[which]


def test_what_a_world_measured_is_measured_again(shipped: Ensemble) -> None:
    """Under its seed; to single precision, which is what the file keeps, and where bits are promised."""
    here = run.provenance()["packages"]
    if any(here[name] != shipped.provenance["packages"][name] for name in ("numba", "numpy")):
        pytest.skip("bits are promised with one set of versions")
    sizes = Sizes(**shipped.provenance["sizes"])
    again = survey.measure(shipped.evidence, shipped[7], int(shipped.seeds[7]), sizes)
    for name, value in again.items():
        assert shipped.measured[name][7] == pytest.approx(value, rel=1e-5, abs=1e-6), name


def test_evidence_tilts_the_worlds_towards_the_findings(shipped: Ensemble) -> None:
    """Each finding lies within two tolerances in more of the weight than of the prior."""
    table = worlds.patterns(shipped)
    assert (table["within"] > table["prior_within"]).all()
    assert np.isfinite(table[["low", "median", "high"]].to_numpy()).all()
