"""The claims: that they are the ones agreed, that they run, and that what is written can be trusted."""

from __future__ import annotations

import json
import os

import pandas as pd
import pyarrow.parquet as pq
import pytest

from sim.errors import InputError
from sim.inference.claims import CLAIMS, answer, check_folder
from sim.inference.contrast import Sesoi
from sim.inference.statements import MEASURED, Arm, Claim, Comparison, Measure, gap, satisfaction
from sim.inference.words import LABELS
from sim.parameters import resolve
from sim.run import simulate

TINY = {"systems": 1, "organisations": 2, "managers": 3, "months": 8, "window": 4}

# A second copy of the agreed table: claim, outcome, sign, side, smallest effect of interest ("rel" of the level).
AGREED = """
fear fear + Berwick 0.05
toxic toxic + Berwick 0.05
toxic toxic_40 + Berwick 0.05
toxic toxic_60 + Berwick 0.05
moral moral_strain + Berwick 0.1rel
moral distress + Berwick 0.03
harder time_left - Berwick 0.05
harder overload + Berwick 0.02
pays quality + government 0.02
pays harm - government 0.1rel
pays reported . . 0.02
pays gap . . .
risk initiative_rate - Berwick 0.1rel
risk successes - Berwick 0.1rel
risk needless . . 0.1rel
risk practice_gain - Berwick 0.1rel
pride confidence + Berwick 0.05
pride initiative_rate + Berwick 0.1rel
pride quality + Berwick 0.02
good_about_work satisfaction + Berwick 0.03
development confidence + Berwick 0.03
development integrity + Berwick 0.03
development exits - Berwick 0.1rel
development quality + Berwick 0.02
development skill . . .
regulation quality + government 0.02
regulation harm - government 0.1rel
regulation fear + Berwick 0.05
regulation initiative_rate - Berwick 0.1rel
"""
SURVEILLANCE = ({"monitoring": 0.8, "targets": 0.8}, {"monitoring": 0.2, "targets": 0.2})
HEAVY = SURVEILLANCE[0]
KARK = {"competency_standard": 0.7, "register": 0.8}
SUPPORTIVE = {"monitoring": 0.3, "targets": 0.3, "punitiveness": 0.3, "discernment": 0.8, "leniency": 0.7}
CONTRASTS = {
    **{claim: [SURVEILLANCE] for claim in ("fear", "toxic", "moral", "harder", "pays", "risk")},
    "pride": [({**HEAVY, "recognition": 0.8}, {**HEAVY, "recognition": 0.1})],
    "good_about_work": [({**SUPPORTIVE, "relationship": 0.8}, HEAVY)],
    "development": [({"relationship": 0.8}, {"relationship": 0.3})],
    "regulation": [(KARK, {}), ({**KARK, "disbarring": 0.8}, {})],
}


def written(measure: Measure) -> str:
    size = measure.sesoi and f"{measure.sesoi.size:g}{'rel' if measure.sesoi.relative else ''}"
    return f"{measure.outcome} {'.+-'[measure.sign]} {measure.side or '.'} {size or '.'}"


def test_every_agreed_row_is_there_with_its_sign_side_and_smallest_effect():
    rows = [f"{claim.id} {written(measure)}" for claim in CLAIMS for measure in claim.measures]
    assert rows == AGREED.strip().splitlines()


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_every_claim_compares_the_agreed_policies(claim):
    compared = [[resolve(arm.regime, **dict(arm.settings)) for arm in (c.plus, c.minus)] for c in claim.comparisons]
    assert compared == [[resolve(**levers) for levers in pair] for pair in CONTRASTS[claim.id]]


def test_every_outcome_of_a_claim_is_known_and_has_words_for_pictures():
    outcomes = {measure.outcome for claim in CLAIMS for measure in claim.measures}
    assert outcomes <= set(MEASURED)
    assert outcomes <= set(LABELS)
    assert len({LABELS[outcome] for outcome in outcomes}) == len(outcomes)


@pytest.fixture(scope="module")
def report():
    seen: list[tuple[int, int]] = []
    found = answer(replications=3, seed=7, progress=lambda done, total: seen.append((done, total)), workers=2, **TINY)
    assert seen == [(done, 27) for done in range(28)]  # nine policies that differ, three seeds
    return found


def test_a_verdict_for_every_row_and_none_dropped(report):
    assert len(report.table) == len(AGREED.strip().splitlines()) + 4  # regulation has two comparisons
    assert (report.table["n"] == 3).all()
    assert len(report.sentences()) == len(report.table)


def test_an_outcome_is_the_mean_over_the_last_months_of_a_run(report):
    series = simulate(seed=8, regime="heavy", **TINY).series.loc[5:8]
    row = report.runs.query("arm == 'heavy' and seed == 8").iloc[0]
    assert row["fear"] == pytest.approx(series["fear"].mean())
    assert row["gap"] == pytest.approx((series["reported"] - series["quality"]).mean())
    means = series.mean()
    assert row["satisfaction"] == pytest.approx((means["trust"] + means["confidence"] + 1 - means["distress"]) / 3)


def test_derived_outcomes_on_numbers_by_hand():
    frame = pd.DataFrame({"trust": [0.5], "confidence": [0.6], "distress": [0.2], "reported": [0.5], "quality": [0.3]})
    assert satisfaction(frame)[0] == pytest.approx(1.9 / 3)
    assert gap(frame)[0] == pytest.approx(0.2)


def test_the_table_follows_from_the_runs(report):
    arms = report.runs.set_index(["arm", "seed"])
    row = report.table.set_index(["claim", "outcome"]).loc[("fear", "fear")]
    difference = arms.loc["heavy", "fear"] - arms.loc["light", "fear"]
    assert row["difference"] == pytest.approx(difference.mean())
    assert row["sd"] == pytest.approx(difference.std())
    assert row["plus"] - row["minus"] == pytest.approx(row["difference"])


def test_numbers_do_not_depend_on_threads_and_do_depend_on_the_seed(report):
    again = answer(replications=3, seed=7, workers=1, **TINY)
    pd.testing.assert_frame_equal(again.table, report.table, check_exact=True)
    assert not answer(replications=3, seed=8, workers=1, **TINY).table.equals(report.table)


def test_levels_are_given_for_each_dose(report):
    assert list(report.levels["arm"].unique()) == ["light", "baseline", "heavy"]
    assert {"fearful", "fearful_40", "fearful_60", "fear", "quality"} <= set(report.levels["outcome"])
    assert (report.levels["low"] <= report.levels["mean"]).all()


def idle(name: str, publicity: float) -> Arm:
    """A policy that sets how far news of sanctions travels, where no one is frightened by such news."""
    return Arm(name, "baseline", (("publicity", publicity), ("fear_system", 0.0)))


def test_a_policy_that_changes_nothing_gives_differences_of_exactly_zero():
    measures = tuple(Measure(name, 1, "Berwick", Sesoi(0.1, relative=True)) for name in MEASURED)
    comparison = Comparison("It", idle("a", 0.9), idle("b", 0.1))
    claim = Claim("idle", "Idle", "It changes something.", (comparison,), measures)
    table = answer(replications=3, claims=[claim], **TINY).table
    assert (table[["difference", "low", "high", "sd"]] == 0.0).all(axis=None)
    assert set(table["verdict"]) == {"negligible"}


def test_sentences_can_be_read_aloud_and_carry_the_numbers(report):
    for sentence, row in zip(report.sentences(), report.table.itertuples(), strict=True):
        assert sentence.endswith(".")
        assert sentence.isascii()
        assert "_" not in sentence.replace("kark_", "")
        if row.verdict in ("supported", "opposed", "negligible", "undecided"):
            assert row.verdict in sentence
    assert "by construction" in next(s for s in report.sentences() if "raises skill" in s or "changes skill" in s)


def test_what_is_not_accounted_for_is_said_plainly(report):
    text = " ".join(report.caveats())
    for words in ("one world", "not weighted", "other people than NHS managers", "last 4 of 8 months"):
        assert words in text
    assert all(caveat in report.text() for caveat in report.caveats())


FILES = [f"claims.{kind}" for kind in ("csv", "parquet", "png", "svg", "txt")]
FILES += ["levels.csv", "levels.parquet", "provenance.json", "runs.parquet", "settings.json"]


def test_every_file_is_written_complete_with_its_provenance(report, tmp_path):
    folder = tmp_path / "new" / "claims"
    paths = report.save(folder)
    assert sorted(path.name for path in paths) == FILES
    assert sorted(paths) == sorted(folder.iterdir())
    assert list(tmp_path.iterdir()) == [tmp_path / "new"]
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "claims.parquet"), report.table)
    assert len(pd.read_csv(folder / "claims.csv")) == len(report.table)
    assert len(pd.read_parquet(folder / "runs.parquet")) == 10 * 3
    settings = json.loads((folder / "settings.json").read_text())
    assert (settings["heavy"]["regime"], settings["heavy"]["monitoring"]) == ("heavy", 0.8)
    assert set(settings) == set(report.runs["arm"])
    origin = json.loads((folder / "provenance.json").read_text())
    assert (origin["first_seed"], origin["replications"], origin["sizes"]["managers"]) == (7, 3, 3)
    for name in ("claims", "levels", "runs"):
        assert json.loads(pq.read_schema(folder / f"{name}.parquet").metadata[b"provenance"]) == origin


def test_saving_twice_replaces_the_files_and_leaves_others_alone(report, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    report.save(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    report.save(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_interrupted_save_leaves_nothing_behind(report, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("sim.inference.report._write_json", interrupted)
    with pytest.raises(KeyboardInterrupt):
        report.save(tmp_path / "claims")
    assert not list(tmp_path.iterdir())


def test_folders_that_cannot_be_written_are_refused_with_one_line(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nowhere")
    for folder in (file, file / "below", dangling, tmp_path / ("x" * 300), f"{tmp_path}/a\0b"):
        with pytest.raises(InputError) as caught:
            check_folder(folder)
        assert len(caught.value.lines) == 1
        assert "\n" not in str(caught.value)
    assert check_folder(tmp_path / "not" / "yet") == tmp_path / "not" / "yet"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling", "file"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="whoever is root may write everywhere")
def test_a_folder_without_permission_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError):
        check_folder(tmp_path)


def test_all_mistakes_at_once_one_line_each():
    with pytest.raises(InputError) as caught:
        answer(replications=1, seed=-1, workers=0, month=12, systems=0)
    lines = caught.value.lines
    assert len(lines) == 5
    assert 'did you mean "months"?' in "".join(lines)
    for name in ("replications", "seed", "workers", "month", "systems"):
        assert any(line.startswith(name) for line in lines)


def test_without_a_seed_a_fresh_one_is_drawn_and_named():
    reports = [answer(replications=2, seed=None, claims=CLAIMS[:1], **TINY) for _ in range(2)]
    first = [report.provenance["first_seed"] for report in reports]
    assert first[0] != first[1]
    assert list(reports[0].runs["seed"].unique()) == [first[0], first[0] + 1]
