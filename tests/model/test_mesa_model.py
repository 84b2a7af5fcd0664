"""The Mesa model works with Mesa's own tools: batch runs, data collection, agent sets."""

from __future__ import annotations

import gc
import inspect
import pickle
import weakref
from collections.abc import Iterator
from copy import deepcopy
from functools import partial
from importlib import import_module
from typing import Any

import mesa
import numpy as np
import pytest

import sim
from sim.errors import InputError
from sim.model.mesa_model import AMOUNTS, EVENTS
from sim.model.outcomes import OUTCOMES
from sim.model.parameters import seed_of

batch_run: Any = getattr(mesa, "batch_run", None)
has_batch_run = pytest.mark.skipif(batch_run is None, reason="the first alpha of Mesa 4 has none")

SMALL: dict[str, Any] = dict(systems=2, organisations=2, managers=4, months=6)
SEEDS = [0, 1, 2]


def batch(parameters: dict[str, Any], seeds: list[int], **options: Any) -> list[dict[str, Any]]:
    """Mesa's `batch_run` with these seeds: an argument of its own from Mesa 3.5 on, a parameter before."""
    options |= {"number_processes": 1, "display_progress": False}
    if "rng" in inspect.signature(batch_run).parameters:
        return batch_run(sim.LeadershipModel, parameters, rng=seeds, **options)
    return batch_run(sim.LeadershipModel, parameters | {"seed": seeds}, **options)


@has_batch_run
def test_mesas_batch_run_gives_the_last_month_of_each_run() -> None:
    rows = batch({**SMALL, "monitoring": [0.2, 0.8]}, SEEDS)
    assert len(rows) == 6
    for row in rows:
        last = sim.simulate(row["seed"], monitoring=row["monitoring"], **SMALL).series.iloc[-1]
        assert {name: row[name] for name in OUTCOMES} == last.to_dict()


@has_batch_run
def test_mesas_batch_run_gives_every_month_where_asked() -> None:
    rows = batch({**SMALL, "regime": ["light", "heavy"]}, [5], data_collection_period=1)
    for regime in ("light", "heavy"):
        fear = [row["fear"] for row in rows if row["regime"] == regime]
        assert fear[-6:] == sim.simulate(5, regime, **SMALL).series["fear"].tolist()


@has_batch_run
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
    assert model.month == getattr(model, "steps", 6) == 6  # the first alpha of Mesa 4 counts no steps


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
    scenario = make(rng=5, monitoring=0.8)
    seed = seed_of(deepcopy(scenario.rng))  # of Mesa 4 a generator
    model = sim.LeadershipModel(scenario=scenario, **SMALL)
    assert (model.seed, model.parameters.monitoring) == (seed, 0.8)
    if isinstance(scenario.rng, int):
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
    assert repr(model) == f"<LeadershipModel: seed 7, 16 managers, month 1 of 6, fear {model.outcomes['fear']:.2f}>"
    manager = model.posts[0].manager
    assert repr(manager).startswith(f"<Manager {manager.unique_id}, post 0, fear {manager.fear:.2f}, trust")


def test_a_step_after_the_last_month_says_how_a_run_is_longer() -> None:
    model = sim.LeadershipModel(rng=0, **SMALL)
    model.run_model()
    with pytest.raises(InputError, match="month 6 was the last of this run"):
        model.step()


# Managers know where they work and what they did


def test_managers_know_their_post_and_organisation() -> None:
    model = sim.LeadershipModel(rng=0, exit_base=0.3, **SMALL)
    model.run_model()
    assert all(post.manager.post is post for post in model.posts)
    places = model.agents.groupby("organisation").count()
    assert places == dict.fromkeys(model.organisations, 4)
    assert model.market and all(former.post is former.organisation is None for former in model.market)


def test_what_managers_did_in_the_month_adds_up_to_its_outcomes() -> None:
    """Of all who were in post during the month, those who left at its end and were not appointed again included."""
    model = sim.LeadershipModel(rng=3, exit_base=0.3, recycling=0.0, **SMALL)
    for _ in range(6):
        during = [post.manager for post in model.posts]
        model.step()
        for deed, outcome in (EVENTS | AMOUNTS).items():
            if outcome in model.outcomes:
                mean = np.mean([getattr(manager, deed) for manager in during])
                assert mean == pytest.approx(model.outcomes[outcome]), deed
        new = [post.manager for post in model.posts if post.manager not in during]
        assert not any(manager.tried or manager.sanctioned for manager in new)
        assert all(np.isnan(manager.effort) for manager in new)
        assert new


def test_the_data_collector_keeps_behaviour() -> None:
    reporters = {"sanctioned": "sanctioned", "quality": "quality"}
    nobody_leaves = dict(exit_base=0.0, exit_distress=0.0, exit_fear=0.0, dismissal=0.0)
    model = sim.LeadershipModel(rng=0, agent_reporters=reporters, regime="punitive", **nobody_leaves, **SMALL)
    model.run_model()
    kept = model.datacollector.get_agent_vars_dataframe().astype(float).groupby("Step").mean()
    outcomes = model.datacollector.get_model_vars_dataframe()
    assert outcomes["sanctions"].sum() > 0
    np.testing.assert_allclose(kept, outcomes[["sanctions", "quality"]])


# What the model cannot honour is refused in one line


@pytest.mark.parametrize(
    ("call", "line"),
    [
        ("model.posts[3].manager.remove()", "post 3, .*: who leaves a post is decided by the rules"),
        ("model.deregister_agent(model.agents[0])", "who leaves a post is decided by the rules"),
        ("model.remove_all_agents()", "remove_all_agents: posts are never empty"),
        ("model.reset_rng(99)", r"reset_rng: .*make a LeadershipModel\(rng=99\)"),
        ("model.reset_randomizer(5)", "random numbers follow from the run's seed"),
        ("model.set_levers(monitoring=7)", "schedule.monitoring.2 = 7: the value must be a number from 0 to 1"),
        ("model.set_levers(monitorin=0.5)", 'monitorin: no lever has this name .did you mean "monitoring"'),
        ("model.set_levers(fear_blamed=0.5)", "only levers can follow a schedule"),
        ("model.__setattr__('monitoring', 0.5)", r"levers are changed by set_levers\(monitoring=...\)"),
    ],
)
def test_what_cannot_be_honoured_is_refused_and_changes_nothing(call: str, line: str) -> None:
    model, other = (sim.LeadershipModel(rng=0, **SMALL) for _ in range(2))
    model.step()
    with pytest.raises(InputError, match=line) as caught:
        eval(call)
    assert len(caught.value.lines) == 1
    other.run_model()
    while model.running:
        model.step()
    assert np.array_equal(model.record.sums, other.record.sums)


def test_levers_set_on_the_way_are_those_of_a_schedule() -> None:
    model = sim.LeadershipModel(rng=2, **SMALL)
    for _ in range(3):
        model.step()
    model.set_levers(monitoring=0.9, targets=0)
    model.run_model()
    run = sim.simulate(2, schedule={"monitoring": {4: 0.9}, "targets": {4: 0.0}}, **SMALL)
    assert np.array_equal(model.record.sums, run.record.sums)


def test_other_agents_may_come_and_go() -> None:
    model = sim.LeadershipModel(rng=0, **SMALL)
    visitor = mesa.Agent(model)
    model.step()
    visitor.remove()
    model.run_model()
    assert len(model.agents) == 16


# SolaraViz


@pytest.mark.filterwarnings("ignore")
def test_solara_shows_steps_and_resets_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is built without a browser, and its own buttons are pressed: reset makes a new model with new levers."""
    solara = pytest.importorskip("solara")
    pytest.importorskip("altair", reason="Mesa's page needs it")
    from mesa.visualization import Slider, SolaraViz, make_plot_component  # noqa: PLC0415

    monkeypatch.setenv("MPLBACKEND", "Agg")
    begun = sim.LeadershipModel(rng=4, **SMALL)
    shown = solara.reactive(begun)
    asked = {"rng": 4, "monitoring": Slider("Monitoring", 0.8, 0.0, 1.0, 0.1), **SMALL}
    viz = partial(SolaraViz, shown, components=[make_plot_component("fear")], model_params=asked)
    _, page = solara.render(solara.AppLayout(children=[viz()]), handle_error=False)

    def press(label: str) -> None:
        page.find(children=[label]).widget.click()

    press("Step")
    assert begun.month == 1
    press("Reset")
    assert shown.value is not begun and shown.value.month == 0
    assert (shown.value.seed, shown.value.parameters.monitoring) == (4, 0.8)
    press("Step")
    assert shown.value.month == 1
    page.close()
