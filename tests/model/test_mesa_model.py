"""The Mesa model works with Mesa's own tools: batch runs, data collection, agent sets."""

from __future__ import annotations

import gc
import inspect
import pickle
import weakref
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import mesa
import numpy as np
import pytest
from mesa.batchrunner import batch_run

import sim
from sim.errors import InputError
from sim.model.outcomes import OUTCOMES

SMALL: dict[str, Any] = dict(systems=2, organisations=2, managers=4, months=6)
SEEDS = [0, 1, 2]


def batch(parameters: dict[str, Any], seeds: list[int], **options: Any) -> list[dict[str, Any]]:
    """Mesa's `batch_run` with these seeds: an argument of its own from Mesa 3.5 on, a parameter before."""
    options |= {"number_processes": 1, "display_progress": False}
    if "rng" in inspect.signature(batch_run).parameters:
        return batch_run(sim.LeadershipModel, parameters, rng=seeds, **options)
    return batch_run(sim.LeadershipModel, parameters | {"seed": seeds}, **options)


def test_mesas_batch_run_gives_the_last_month_of_each_run() -> None:
    rows = batch({**SMALL, "monitoring": [0.2, 0.8]}, SEEDS)
    assert len(rows) == 6
    for row in rows:
        last = sim.simulate(row["seed"], monitoring=row["monitoring"], **SMALL).series.iloc[-1]
        assert {name: row[name] for name in OUTCOMES} == last.to_dict()


def test_mesas_batch_run_gives_every_month_where_asked() -> None:
    rows = batch({**SMALL, "regime": ["light", "heavy"]}, [5], data_collection_period=1)
    for regime in ("light", "heavy"):
        fear = [row["fear"] for row in rows if row["regime"] == regime]
        assert fear[-6:] == sim.simulate(5, regime, **SMALL).series["fear"].tolist()


@pytest.mark.filterwarnings("ignore:The `iterations` keyword argument is deprecated")
def test_mesas_batch_run_repeats_with_fresh_seeds() -> None:
    rows = batch_run(sim.LeadershipModel, SMALL, number_processes=1, iterations=3, display_progress=False)
    assert len({row["fear"] for row in rows}) == 3


def test_the_data_collector_keeps_a_row_for_each_month_and_manager() -> None:
    model = sim.LeadershipModel(rng=0, agent_reporters={"fear": "fear", "skill": "skill"}, **SMALL)
    model.run_model()
    outcomes = model.datacollector.get_model_vars_dataframe()
    agents = model.datacollector.get_agent_vars_dataframe()
    assert outcomes.shape == (6, len(OUTCOMES))
    assert agents.shape == (6 * 16, 2)
    assert list(agents) == ["fear", "skill"]
    np.testing.assert_allclose(agents.groupby("Step")[["fear", "skill"]].mean(), outcomes[["fear", "skill"]])


def test_by_default_nothing_is_kept_of_each_manager() -> None:
    model = sim.LeadershipModel(rng=0, **SMALL)
    model.run_model()
    assert not model.datacollector.agent_reporters


def test_the_managers_in_post_are_an_agent_set() -> None:
    model = sim.LeadershipModel(rng=0, **SMALL | {"months": 24}, regime="punitive")
    model.run_model()
    fear = model.agents.get("fear")
    assert model.agents.agg("fear", np.mean) == pytest.approx(model.outcomes["fear"])
    frightened = model.agents.select(lambda manager: manager.fear > 0.5)
    assert len(frightened) == sum(value > 0.5 for value in fear) == round(16 * model.outcomes["fearful"])
    assert all(isinstance(manager, mesa.Agent) for manager in model.agents)
    assert model.agent_types == [type(model.agents[0])]


def test_the_number_of_agents_stays_the_same() -> None:
    model = sim.LeadershipModel(rng=0, exit_base=0.5, competency_standard=0.5, **SMALL)
    for _ in range(6):
        assert len(model.agents) == 16
        model.step()
    assert len(model.agents) == 16


def test_a_model_runs_for_its_months_and_stops() -> None:
    model = sim.LeadershipModel(rng=0, **SMALL)
    assert model.running
    model.run_model()
    assert not model.running
    assert model.month == model.steps == 6


def test_stepping_is_running() -> None:
    stepped, run = (sim.LeadershipModel(rng=0, **SMALL) for _ in range(2))
    for _ in range(6):
        stepped.step()
    run.run_model()
    assert np.array_equal(stepped.record.sums, run.record.sums)


@pytest.mark.parametrize("months", [0, 6])
def test_a_model_is_collected_when_nobody_uses_it_any_more(months: int) -> None:
    """Also its managers, in post, on the market and gone."""
    model = sim.LeadershipModel(rng=0, exit_base=0.5, agent_reporters={"fear": "fear"}, **SMALL)
    for _ in range(months):
        model.step()
    watched = [weakref.ref(thing) for thing in (model, *model.agents, *model.market, model.datacollector)]
    del model
    gc.collect()
    assert not any(ref() for ref in watched)


def test_a_run_by_the_mesa_engine_holds_no_model() -> None:
    gc.collect()
    run = sim.simulate(0, engine="mesa", **SMALL)
    gc.collect()
    assert not [thing for thing in gc.get_objects() if type(thing) is sim.LeadershipModel]
    assert run.series.shape == (6, len(OUTCOMES))


def test_a_seed_is_given_once():
    """`rng` and `seed` are two names of the same, so giving both is a mistake, not a silent choice."""
    with pytest.raises(InputError, match="give one of them"):
        sim.LeadershipModel(rng=1, seed=2)


class Scenario:
    """What SolaraViz hands to a model that it resets, as Mesa has it from 3.5 on: pairs, among them `rng`."""

    def __init__(self, rng: Any = None, **parameters: Any) -> None:
        self.__dict__ |= {"rng": rng, **parameters}

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return iter(vars(self).items())


@pytest.fixture(name="make")
def _scenarios(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Mesa's class of scenarios; where Mesa has none, one like it, and a Mesa model that takes it."""
    if "scenario" in inspect.signature(mesa.Model.__init__).parameters:
        return import_module("mesa.experimental.scenarios").Scenario
    plain = mesa.Model.__init__

    def takes_scenarios(self: Any, *, scenario: Any = None, rng: Any = None) -> None:
        plain(self, rng=rng if scenario is None else scenario.rng)

    monkeypatch.setattr(mesa.Model, "__init__", takes_scenarios)
    return Scenario


def test_solara_resets_a_model_with_a_scenario(make: Any) -> None:
    reset = sim.LeadershipModel(regime="heavy", rng=3, scenario=make(), **SMALL)
    reset.run_model()
    assert np.array_equal(reset.record.sums, sim.simulate(3, "heavy", **SMALL).record.sums)


def test_a_scenario_holds_seed_and_settings(make: Any) -> None:
    model = sim.LeadershipModel(scenario=make(rng=5, monitoring=0.8), **SMALL)
    assert (model.seed, model.parameters.monitoring) == (5, 0.8)
    with pytest.raises(InputError, match="give one of them"):
        sim.LeadershipModel(rng=4, scenario=make(rng=5), **SMALL)


@pytest.mark.parametrize("months", [0, 3])
def test_a_model_that_was_pickled_goes_on_as_it_would_have(months: int) -> None:
    model = sim.LeadershipModel(rng=0, exit_base=0.3, agent_reporters={"fear": fear_of}, **SMALL)
    for _ in range(months):
        model.step()
    copy = pickle.loads(pickle.dumps(model))
    assert copy.month == months
    model.run_model()
    copy.run_model()
    assert np.array_equal(model.record.sums, copy.record.sums)
    assert [agent.unique_id for agent in model.agents] == [agent.unique_id for agent in copy.agents]
    tables = [one.datacollector.get_agent_vars_dataframe() for one in (model, copy)]
    assert tables[0].equals(tables[1])


def fear_of(manager: Any) -> float:
    return float(manager.fear)


def test_a_model_and_a_manager_say_what_they_are() -> None:
    model = sim.LeadershipModel(rng=7, **SMALL)
    model.step()
    assert repr(model) == "<LeadershipModel: seed 7, 16 managers, month 1 of 6>"
    manager = model.posts[0].manager
    assert repr(manager).startswith(f"<Manager {manager.unique_id}: fear {manager.fear:.2f}, trust")


def test_a_step_after_the_last_month_says_how_a_run_is_longer() -> None:
    model = sim.LeadershipModel(rng=0, **SMALL)
    model.run_model()
    with pytest.raises(InputError, match="month 6 was the last of this run"):
        model.step()
