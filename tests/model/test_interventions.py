"""What no policy can do: given fear and a sanction out of the blue, in both engines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from comparison import differing, identical
from test_engines import BUSY

import sim
from sim.model.interventions import BEFORE, LEARNED, GivenFear, Interventions, Sanction
from sim.model.parameters import resolve
from sim.model.record import FIELDS
from sim.model.run import run_parameters

KEPT = Interventions(record_fear=True)
SEEN_BY = ("initiative", "every rule")


def parameters(**settings: Any) -> sim.Parameters:
    return resolve(**{**BUSY, **settings})


def fear_path(p: sim.Parameters, seed: int = 1) -> Any:
    return run_parameters(p, seed, interventions=KEPT).record.fear


def given(path: Any, seen_by: Any) -> Interventions:
    return Interventions(GivenFear(path, seen_by), record_fear=True)


@pytest.mark.parametrize("seen_by", SEEN_BY)
def test_both_engines_agree_with_given_fear(seen_by: Any) -> None:
    interventions = given(fear_path(parameters(monitoring=0.1, targets=0.1)), seen_by)
    compiled = run_parameters(parameters(), 1, interventions=interventions).record
    model = sim.LeadershipModel(rng=1, interventions=interventions, **BUSY)
    model.run_model()
    assert identical(compiled, model.record)


@pytest.mark.parametrize("post", [0, 5])
def test_both_engines_agree_with_a_sanction_out_of_the_blue(post: int) -> None:
    interventions = Interventions(sanction=Sanction(7, post), record_fear=True)
    compiled = run_parameters(parameters(), 1, interventions=interventions).record
    model = sim.LeadershipModel(rng=1, interventions=interventions, **BUSY)
    model.run_model()
    assert identical(compiled, model.record)


@pytest.mark.parametrize("seen_by", SEEN_BY)
def test_a_runs_own_fear_changes_nothing(seen_by: Any) -> None:
    own = run_parameters(parameters(), 1, interventions=KEPT).record
    assert identical(run_parameters(parameters(), 1, interventions=given(own.fear, seen_by)).record, own)


def test_recording_fear_changes_nothing() -> None:
    plain, kept = run_parameters(parameters(), 1), run_parameters(parameters(), 1, interventions=KEPT)
    assert differing(plain, kept) == []
    assert plain.record.fear.shape[0] == 0


def test_the_fear_path_is_the_fear_of_the_posts() -> None:
    """At a month's start it is what the month before recorded; without exits it is also what was learned there."""
    p = parameters(regime="baseline", exit_base=0.0, dismissal=0.0, exit_distress=0.0, exit_fear=0.0)
    run = run_parameters(p, 1, interventions=KEPT)
    path = run.record.fear
    assert np.allclose(path[1:, :, BEFORE].mean(axis=1), run.series["fear"].to_numpy()[:-1], rtol=1e-12, atol=0)
    assert np.array_equal(path[1:, :, BEFORE], path[:-1, :, LEARNED])


def test_initiative_sees_the_given_fear_and_nothing_else_does_at_once() -> None:
    """In the first month only what follows from trying something new may differ; fear is still learned."""
    p = parameters(months=1, window=1)
    fearless = np.zeros_like(fear_path(p))
    ours, plain = run_parameters(p, 1, interventions=given(fearless, "initiative")), run_parameters(p, 1)
    assert ours.series["initiative_rate"].item() > plain.series["initiative_rate"].item()
    same = ["effort", "gaming", "assurance", "time_left", "moral_strain", "honest_indicator", "negligence"]
    assert not set(differing(ours, plain)) & set(same)


def test_every_rule_sees_the_given_fear() -> None:
    """Whoever holds a post fears what is given; what they learn about fear has no effect."""
    p = parameters()
    fearless = np.zeros_like(fear_path(p))
    run = run_parameters(p, 1, interventions=given(fearless, "every rule"))
    assert (run.record.fear == 0.0).all()
    assert run.series["toxic"].max() == 0.0
    assert "effort" in differing(run, run_parameters(p, 1))


def test_a_sanction_out_of_the_blue_is_one_more_sanction_and_nothing_before_it() -> None:
    p = parameters(punitiveness=0.0)  # nobody is sanctioned but those chosen
    ours = run_parameters(p, 1, interventions=Interventions(sanction=Sanction(month=20, post=3), record_fear=True))
    plain = run_parameters(p, 1, interventions=KEPT)
    sanctions = ours.record.sums[:, FIELDS.index("sanctions")]
    assert sanctions.tolist() == [0.0] * 19 + [float(p.systems)] + [0.0] * (p.months - 20)
    assert np.array_equal(ours.record.sums[:19], plain.record.sums[:19])
    learned = (ours.record.fear - plain.record.fear)[19, :, LEARNED].reshape(p.systems, -1)
    assert (learned[:, 3] > 0.05).all()  # who was sanctioned
    assert (learned[:, [0, 1, 2]] > 0.0).all()  # colleagues in the organisation
    assert (learned[:, p.managers :] > 0.0).all()  # elsewhere in the system, by news


def test_news_of_a_sanction_stays_in_the_organisation_without_publicity() -> None:
    p = parameters(punitiveness=0.0, publicity=0.0, months=20)
    ours = run_parameters(p, 1, interventions=Interventions(sanction=Sanction(month=20, post=0), record_fear=True))
    learned = (ours.record.fear - fear_path(p))[19, :, LEARNED].reshape(p.systems, -1)
    assert (learned[:, : p.managers] > 0.0).all()
    assert (learned[:, p.managers :] == 0.0).all()


def test_what_does_not_fit_the_run_is_refused_line_by_line() -> None:
    p = parameters()
    wrong = Interventions(GivenFear(np.zeros((3, 2, 2))), Sanction(month=99, post=0))
    with pytest.raises(sim.InputError) as refused:
        run_parameters(p, 1, interventions=wrong)
    assert len(refused.value.lines) == 2
    assert "(3, 2, 2)" in str(refused.value) and "1 to 36" in str(refused.value)
