"""Reading a study's folder."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from conftest import table
from scipy import stats

from sim.errors import InputError
from sim.study import Results, Study


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return Study.from_dict(table(title="Mine"), name="mine").run(tmp_path_factory.mktemp("results") / "mine")


def test_rows_carry_cell_design_seed_outcomes_and_error(results: Results) -> None:
    assert list(results.runs) == ["cell", "monitoring", "regime", "seed", "fear", "quality", "error", "traceback"]
    assert results.runs["cell"].tolist() == [cell for cell in range(1, 7) for _ in range(3)]
    joined = results.study.cells.loc[results.runs["cell"]]
    assert joined["monitoring"].tolist() == results.runs["monitoring"].tolist()
    assert joined["regime"].tolist() == results.runs["regime"].tolist()
    assert results.runs["error"].isna().all()


def test_the_folder_knows_its_study(results: Results) -> None:
    study = Study.from_dict(table(title="Mine"), name="mine")
    assert (results.study, results.study.title) == (study, "Mine")
    assert results.missing == 0


def test_a_summary_has_means_and_intervals_by_student_for_every_cell_and_outcome(results: Results) -> None:
    summary = results.summary()
    assert list(summary) == ["cell", "monitoring", "regime", "outcome", "mean", "half_width", "sd", "n"]
    assert summary[["cell", "outcome"]].values.tolist() == [[c, o] for c in range(1, 7) for o in ("fear", "quality")]
    values = results.runs.query("cell == 4")["quality"]
    row = summary.query("cell == 4 and outcome == 'quality'").iloc[0]
    low, high = stats.t.interval(0.95, 2, values.mean(), stats.sem(values))
    assert row["mean"] == pytest.approx(values.mean()) and row["n"] == 3
    assert row["half_width"] == pytest.approx((high - low) / 2) and row["sd"] == pytest.approx(values.std())


def test_one_replication_has_no_interval(tmp_path: Path) -> None:
    summary = Study.from_dict(table(seeds=1)).run(tmp_path / "r").summary()
    assert summary["half_width"].isna().all() and summary["mean"].notna().all()


def test_files_can_be_read_without_us_and_say_where_they_come_from(results: Results) -> None:
    (path,) = (results.folder / "runs").glob("*.parquet")
    ours = results.runs.drop(columns="cell")
    pd.testing.assert_frame_equal(pd.read_parquet(path), ours, check_exact=True, check_dtype=False)
    found = json.loads(pq.read_metadata(path).metadata[b"provenance"])
    assert {"version", "commit", "python", "packages", "model"} <= set(found)


def test_what_was_not_kept_is_one_line(results: Results) -> None:
    for name in ("series", "organisations"):
        with pytest.raises(InputError) as caught:
            getattr(results, name)()
        (line,) = caught.value.lines
        assert f"write {name} = true under [outcomes]" in line


def test_a_spreadsheet_gets_the_same_numbers(results: Results, tmp_path: Path) -> None:
    results.to_csv(tmp_path / "runs.csv")
    read = pd.read_csv(tmp_path / "runs.csv")
    texts = ["error", "traceback"]
    assert read[texts].isna().all().all()
    pd.testing.assert_frame_equal(read.drop(columns=texts), results.runs.drop(columns=texts), rtol=1e-14)
    with pytest.raises(InputError, match="cannot be written"):
        results.to_csv(tmp_path / "no" / "runs.csv")


def test_a_folder_without_results_is_one_line(
    tmp_path: Path, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder, why in ((tmp_path, "no results here"), (tmp_path / "no", "no such folder")):
        with pytest.raises(InputError) as caught:
            Results(folder)
        assert caught.value.lines == (f"{folder}: {why}; give a folder that sim run has written",)
    plan = {"plan": json.loads((results.folder / "ledger").read_text().splitlines()[1])["plan"]}
    plan["plan"]["format"] += 1
    for chunks in (plan["plan"]["chunks"], 5):  # whatever a newer version writes
        plan["plan"]["chunks"] = chunks
        (tmp_path / "ledger").write_text(json.dumps(plan) + "\n")
        with pytest.raises(InputError, match="newer version"):
            Results(tmp_path)


def test_a_folder_with_nothing_finished_has_the_columns_of_a_full_one(tmp_path: Path, results: Results) -> None:
    first = (results.folder / "ledger").read_text().splitlines()[:2]
    (tmp_path / "ledger").write_text("\n".join(first) + "\n")
    empty = Results(tmp_path)
    assert (empty.missing, len(empty.runs)) == (18, 0)
    assert list(empty.runs) == list(results.runs)


def test_a_study_of_one_cell_has_rows_and_a_summary(tmp_path: Path) -> None:
    results = Study.from_dict(table(design={})).run(tmp_path / "r")
    assert list(results.runs) == ["cell", "seed", "fear", "quality", "error", "traceback"]
    assert list(results.summary()["n"]) == [3, 3]


def test_results_are_as_long_as_their_runs_and_say_how_many_are_there(results: Results) -> None:
    assert len(results) == len(results.runs) == 18
    assert repr(results) == f"<Results of 'Mine': 18 of 18 runs in 6 cells, in {results.folder}>"


def test_regions_are_asked_of_results(results: Results) -> None:
    assert "fear > 2" in str(results.regions("fear > 2"))


def test_xarray_is_asked_for_where_it_is_missing(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.study.results.find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install xarray"):
        results.to_xarray()


def test_a_grid_is_an_array_with_a_dimension_for_each_column(tmp_path: Path) -> None:
    pytest.importorskip("xarray")
    results = Study.from_dict(table(outcomes={"keep": ["fear"], "series": True})).run(tmp_path / "r")
    by_run, by_month = results.to_xarray(), results.to_xarray("series")
    assert dict(by_run.sizes) == {"monitoring": 3, "regime": 2, "seed": 3}
    assert by_month["fear"].dims == ("monitoring", "regime", "seed", "month")
    row = results.runs.query("monitoring == 0.5 and regime == 'heavy' and seed == 1")["fear"].item()
    assert by_run["fear"].sel(monitoring=0.5, regime="heavy", seed=1).item() == row


def test_outcomes_come_in_the_order_of_the_file_in_tables_and_in_pictures(tmp_path: Path) -> None:
    keep, design = ["silence", "harm", "fear"], {"kind": "grid", "monitoring": [0.1, 0.9]}
    study = Study.from_dict({**table(), "seeds": 4, "design": design, "outcomes": {"keep": keep}})
    results = study.run(tmp_path / "r")
    assert results.outcomes == ("silence", "harm", "fear")
    assert results.summary()["outcome"].tolist() == [*keep, *keep]
    assert results.compare(1, 2)["outcome"].tolist() == keep
    assert "slips kept quiet" in results.plot().get_suptitle().lower()
    (tmp_path / "r" / "study.toml").write_text("oops")
    assert sorted(Results(tmp_path / "r").outcomes) == sorted(keep)
