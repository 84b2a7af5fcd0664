"""What `sim.simulate` hands back: a `Run` whose tables agree with one another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from comparison import identical

import sim
from sim.model.outcomes import OUTCOMES, POST_COLUMNS

SETTINGS: dict[str, Any] = dict(
    systems=2, organisations=3, managers=4, months=15, window=6, relationship_sd=0.2, monitoring_sd=0.1
)
IN_SERIES = [name for name in POST_COLUMNS if name in OUTCOMES]


@pytest.fixture(scope="module", params=["compiled", "mesa"])
def run(request: pytest.FixtureRequest) -> sim.Run:
    return sim.simulate(7, "heavy", engine=request.param, record_organisations=True, **SETTINGS)


def test_series_has_a_row_for_each_month_and_a_column_for_each_outcome(run: sim.Run) -> None:
    assert list(run.series) == list(OUTCOMES)
    assert run.series.index.name == "month"
    assert list(run.series.index) == list(range(1, 16))


def test_posts_has_a_row_for_each_post_with_its_place(run: sim.Run) -> None:
    assert list(run.posts) == ["post", "organisation", "system", *POST_COLUMNS, "last_reported", "last_honest"]
    assert run.posts["post"].tolist() == list(range(24))
    assert run.posts["organisation"].tolist() == [post // 4 for post in range(24)]
    assert run.posts["system"].tolist() == [post // 12 for post in range(24)]


def test_organisations_has_a_row_for_each_month_and_organisation(run: sim.Run) -> None:
    table = run.organisations
    assert list(table) == ["month", "organisation", "system", *POST_COLUMNS]
    assert table["month"].tolist() == [month for month in range(1, 16) for _ in range(6)]
    assert table["organisation"].tolist() == list(range(6)) * 15
    assert table["system"].tolist() == [0, 0, 0, 1, 1, 1] * 15


def test_posts_and_series_average_to_the_same(run: sim.Run) -> None:
    """The mean over posts of their averages over the window is the mean over the window of the national means."""
    np.testing.assert_allclose(run.posts[IN_SERIES].mean(), run.series[IN_SERIES].tail(6).mean(), rtol=1e-12)


def test_organisations_average_to_the_series_and_to_the_posts(run: sim.Run) -> None:
    by_month = run.organisations.groupby("month")[IN_SERIES].mean()
    pd.testing.assert_frame_equal(by_month, run.series[IN_SERIES], rtol=1e-12, check_index_type=False)
    columns = list(POST_COLUMNS)
    in_window = run.organisations[run.organisations["month"] > 9].groupby("organisation")[columns].mean()
    of_posts = run.posts.groupby("organisation")[columns].mean()
    pd.testing.assert_frame_equal(in_window, of_posts, rtol=1e-12)


def test_the_last_indicators_are_those_of_the_last_month(run: sim.Run) -> None:
    assert run.posts["last_reported"].mean() == pytest.approx(run.series["reported"].iloc[-1])
    assert run.posts["last_honest"].mean() == pytest.approx(run.series["honest_indicator"].iloc[-1])


def test_a_window_longer_than_the_run_averages_over_all_of_it() -> None:
    long, whole = (sim.simulate(1, **SETTINGS | {"window": window}) for window in (400, 15))
    assert long.posts.equals(whole.posts)


def test_monitoring_of_posts_spreads_over_organisations_and_relationship_over_posts(run: sim.Run) -> None:
    assert run.posts.groupby("organisation")["monitoring"].nunique().eq(1).all()
    assert run.posts["monitoring"].nunique() == 6
    assert run.posts["relationship"].nunique() > 6


def test_organisations_that_were_not_recorded_are_refused_in_one_line() -> None:
    with pytest.raises(sim.InputError) as refused:
        _ = sim.simulate(0, **SETTINGS).organisations
    assert refused.value.lines == (
        "Run.organisations: this run kept none; ask simulate for them with record_organisations=True",
    )


@pytest.mark.parametrize(("engine", "meant"), [("compield", "compiled"), ("Mesa", "mesa"), ("meza", "mesa")])
def test_an_unknown_engine_is_answered_with_the_nearest(engine: Any, meant: str) -> None:
    with pytest.raises(sim.InputError, match=f'engine: "{engine}" is neither .*did you mean "{meant}"'):
        sim.simulate(0, engine=engine)


@pytest.mark.parametrize("engine", ["compiled", "mesa"])
def test_both_engines_refuse_the_same_mistakes(engine: Any) -> None:
    with pytest.raises(sim.InputError) as refused:
        sim.simulate(0, engine=engine, monitorin=0.3, fear_blamed=2.0, schedule={"step": {1: 1.0}})
    assert len(refused.value.lines) == 3


def test_a_run_says_where_it_comes_from(run: sim.Run) -> None:
    provenance = run.provenance
    assert set(provenance) == {"version", "commit", "python", "platform", "packages", "seed", "engine"}
    assert provenance["seed"] == run.seed == 7
    assert provenance["engine"] == run.engine
    assert provenance["packages"]["numpy"] == np.__version__


def test_the_parameters_of_a_run_give_it_again(run: sim.Run) -> None:
    from sim.model.run import run_parameters  # noqa: PLC0415

    assert identical(run_parameters(run.parameters, run.seed, True).record, run.record)


def test_a_run_cannot_be_changed(run: sim.Run) -> None:
    with pytest.raises(AttributeError):
        run.seed = 8  # type: ignore[misc]


def test_means_are_the_row_that_a_study_keeps(run: sim.Run, tmp_path: Path) -> None:
    parameters = {name: value for name, value in SETTINGS.items() if name != "window"}
    table = {"regime": "heavy", "seed": 7, "seeds": 1, "parameters": parameters, "outcomes": {"window": 6}}
    row = sim.Study.from_dict(table).run(tmp_path / "study").runs.iloc[0]
    assert list(run.means.index) == list(OUTCOMES)
    assert run.means.to_dict() == row[list(OUTCOMES)].to_dict()


def test_a_run_says_what_it_is(run: sim.Run) -> None:
    fear = f"{run.means['fear']:.2f}"
    assert repr(run).startswith(f"<Run: seed 7, 24 managers, 15 months, {run.engine}; in the end fear {fear}, trust")
