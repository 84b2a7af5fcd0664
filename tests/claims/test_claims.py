"""The claims: that they are the ones agreed, and that an answer is whole, can be stored, and says what is true."""

from __future__ import annotations

import itertools
import json
import os
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from ensembles import SIZES, WHOLE, by_hand, few_pairs, heavy_on_one, whole_answer

from sim.claims import stored
from sim.claims.answer import Effort, Reply, answer, claims_named, compute, effort
from sim.claims.multiverse import COLUMNS
from sim.claims.statements import (
    ATMOSPHERE,
    BASELINE,
    BREAK_EVENS,
    BUNDLE,
    CHOICES,
    CLAIMS,
    DOSES,
    HEAVY,
    LIGHT,
    LIMITS,
    PATHS,
    SURVEILLANCE,
    TWO_BY_TWO,
    VECTOR,
    budget_line,
    cases,
    contrasts_of,
    findings_on,
    oversight_budget,
    precision,
    primary,
    sizes_of_interest,
)
from sim.claims.text import ANOTHER_MODEL
from sim.errors import InputError
from sim.files import MANIFEST, Folder
from sim.model.parameters import resolve
from sim.model.words import label
from sim.report.claims import save
from sim.statistics import mean
from sim.worlds.evaluate import MEASURES

TINY = {"effort": WHOLE, **SIZES}

# A second copy of the agreed tables. Outcome, direction in which it is better, smallest effect of interest.
AGREED_LIMITS = """
fear - 0.02
distress - 0.02
toxic - 0.02
fearful - 0.02
overload - 0.02
trust + 0.02
confidence + 0.02
integrity + 0.02
skill + 0.02
cooperation + 0.02
satisfaction + 0.02
time_left + 0.02
quality + 0.02
reported . 0.02
gap . 0.02
initiative_rate + 0.007
successes + 0.007
needless . 0.007
harm - 0.006
negligence - 0.002
exits - 0.0008
record_share . 0.02
quality_per_cost + 0.05
"""
# Claim, number of the contrast, and its outcomes with the sign claimed; a sign in brackets is the government's.
AGREED = """
fear 1 +fear
toxic 1 +toxic
moral 1 +distress moral_strain
harder 1 +overload -time_left
pays 1 (+)quality (-)harm reported gap
risk 1 -initiative_rate -skill -successes needless
pride 1 +confidence +initiative_rate +quality
good_about_work 1 +satisfaction harm +quality
relationship 1 +quality -fear +initiative_rate harm
development 1 +quality +confidence +integrity -exits -harm
regulation 1 (+)quality (-)harm +fear -initiative_rate
regulation 2 (+)quality (-)harm +fear -initiative_rate
regulation 3 (+)quality (-)harm +fear -initiative_rate
recycling 1 +quality -negligence record_share
cooperation 1 +quality_per_cost +quality
cooperation 2 +quality_per_cost +quality
cuts 1 -quality
variation 1 -quality harm misfit
social_care 1 -overload +quality
social_care 2 quality
"""
HEAVILY, LIGHTLY = {"monitoring": 0.8, "targets": 0.8}, {"monitoring": 0.2, "targets": 0.2}
DOSED = [(HEAVILY, LIGHTLY)]
KARK = {"competency_standard": 0.7, "register": 0.8}
SUPPORTIVE = {"monitoring": 0.3, "targets": 0.3, "punitiveness": 0.3, "discernment": 0.8, "leniency": 0.7}
CONTRASTS = {
    "fearful": [],
    **{claim: DOSED for claim in ("fear", "toxic", "moral", "harder", "pays", "risk")},
    "pride": [({**HEAVILY, "recognition": 0.8}, {**HEAVILY, "recognition": 0.1})],
    "good_about_work": [({**SUPPORTIVE, "relationship": 0.8}, HEAVILY)],
    "relationship": [
        (
            {"relationship": 0.775, "monitoring": 0, "targets": 0},
            {"relationship": 0, "monitoring": 0.775, "targets": 0.775},
        )
    ],
    "development": [({"relationship": 0.8}, {"relationship": 0.3})],
    "regulation": [
        ({"disbarring": 0.8, "competency_standard": 0.3}, {}),
        (KARK, {}),
        ({**KARK, "disbarring": 0.8}, {}),
    ],
    "recycling": [({"register": 1}, {"register": 0})],
    "cooperation": [
        ({"cooperation_incentive": 0.8}, {"cooperation_incentive": 0.2}),
        ({"cooperation_incentive": 0.8, "acute_budget": 0.95}, {"cooperation_incentive": 0.2}),
    ],
    "cuts": [({"acute_budget": 0.9}, {"acute_budget": 1})],
    "variation": [({"standardisation": 0.7}, {})],
    "social_care": [({"social_care_budget": 1.14}, {}), ({"social_care_budget": 1.14, "acute_budget": 0.96}, {})],
}


def test_limits_and_directions_are_the_agreed_ones():
    rows = [f"{name} {'.+-'[limit.direction]} {limit.size:g}" for name, limit in LIMITS.items()]
    assert sorted(rows) == sorted(AGREED_LIMITS.strip().splitlines())
    assert [name for name, limit in LIMITS.items() if limit.of_baseline] == ["quality_per_cost"]


def test_an_effect_in_one_world_is_known_to_a_third_of_its_limit_and_rare_events_to_half():
    sizes = sizes_of_interest({"quality_per_cost": 0.5})
    assert sizes["quality_per_cost"] == 0.025
    found = {name: sizes[name] / largest for name, largest in precision(sizes).items()}
    assert {name for name, times in found.items() if times == pytest.approx(2)} == {"exits", "negligence"}
    assert all(times >= 3.0 - 1e-9 for name, times in found.items() if name not in ("exits", "negligence"))


def written(measure):
    sign = ("", "+", "-")[measure.sign]
    return (f"({sign})" if measure.side == "government" else sign) + measure.outcome


def test_every_agreed_row_is_there_with_its_signs_and_sides_the_primary_first():
    rows = [
        f"{claim.id} {k} {' '.join(map(written, case.measures))}"
        for claim in CLAIMS
        for k, case in enumerate(claim.cases, start=1)
    ]
    assert rows == AGREED.strip().splitlines()
    assert CLAIMS[0].levels == ("fearful",)
    assert primary()["regulation"] == ("barring - baseline", "quality")
    assert primary()["harder"][1] == "overload"
    assert "fearful" not in primary() and len(primary()) == len(CLAIMS) - 1


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_every_claim_compares_the_agreed_policies(claim):
    found = []
    for case in claim.cases:
        (plus_sign, plus), (minus_sign, minus) = case.contrast.arms
        assert (plus_sign, minus_sign) == (1, -1)
        found.append([resolve(arm.regime, **dict(arm.settings)) for arm in (plus, minus)])
    assert found == [[resolve(**levers) for levers in pair] for pair in CONTRASTS[claim.id]]


def levers(arm, *names):
    found = resolve(arm.regime, **dict(arm.settings))
    return tuple(getattr(found, name) for name in names or ("monitoring", "targets"))


def test_the_doses_of_surveillance_are_held_against_todays():
    assert {dose: levers(c.arms[0][1]) for dose, c in DOSES.items()} == {d: (d, d) for d in (0.0, 0.2, 0.8, 1.0)}
    assert {c.arms[1] for c in (*DOSES.values(), BUNDLE)} == {(-1, BASELINE)}
    assert levers(BUNDLE.arms[0][1], "monitoring", "relationship") == (0.0, 0.1)


def test_monitoring_and_targets_are_answered_two_by_two():
    light, heavy = (0.2, 0.2), (0.8, 0.8)
    assert {name: [(sign, levers(arm)) for sign, arm in c.arms] for name, c in TWO_BY_TWO.items()} == {
        "monitoring alone": [(1, (0.8, 0.2)), (-1, light)],
        "targets alone": [(1, (0.2, 0.8)), (-1, light)],
        "both": [(1, heavy), (-1, light)],
        "interaction": [(1, heavy), (-1, (0.8, 0.2)), (-1, (0.2, 0.8)), (1, light)],
    }


def test_the_paths_through_fear_are_the_agreed_ones():
    def told(arm):
        return arm.regime, arm.fear_of, arm.seen_by

    assert [[told(arm) for _, arm in c.arms] for c in PATHS.values()] == [
        [told(HEAVY), ("heavy", LIGHT, "initiative")],
        [("light", HEAVY, "initiative"), told(LIGHT)],
        [told(HEAVY), ("heavy", LIGHT, "every rule")],
    ]


def test_an_atmosphere_is_asked_with_what_teaches_fear_at_three_strengths_and_16_seeds():
    taught = ("fear_blamed", "fear_peer_blamed", "fear_system", "fear_ambient")
    for factor, contrast in ATMOSPHERE.items():
        ((sign, arm),) = contrast.arms
        assert (sign, dict(arm.scaled), arm.regime) == (1, dict.fromkeys(taught, factor), "baseline")
        assert contrast.fewest == contrast.most == 16
    assert list(ATMOSPHERE) == [0.5, 1.0, 1.5]


def test_every_point_of_the_budget_line_costs_what_baseline_spends():
    spent = [dict(arm.settings) for arm in budget_line()]
    each = [s["monitoring"] + s["targets"] + 2 * s["relationship"] for s in spent]
    assert each == pytest.approx([oversight_budget()] * 6) and oversight_budget() == pytest.approx(1.55)
    assert all(a["relationship"] < b["relationship"] for a, b in pairwise(spent))
    assert [tuple(spent[k].values()) for k in (0, -1)] == [(0.0, 0.775, 0.775), (0.775, 0.0, 0.0)]


def test_the_vector_and_the_break_evens_are_the_agreed_ones():
    agreed = "fear distress trust initiative_rate skill cooperation time_left quality harm reported exits"
    assert list(VECTOR) == agreed.split()
    assert [(b.outcome, b.parameter) for b in BREAK_EVENS] == [("time_left", "burden"), ("quality", "bed_blocking")]


@pytest.mark.parametrize(
    ("claim", "outcome", "left_out"),
    [
        ("fear", "fear", "monitoring-stress monitoring-satisfaction"),
        ("good_about_work", "satisfaction", "monitoring-stress monitoring-satisfaction"),
        ("pays", "quality", "monitoring-performance relationship-performance"),
        ("pays", "gap", "monitoring-performance relationship-performance"),
        ("pays", "reported", "monitoring-performance relationship-performance targets-work bunching"),
        ("pays", "harm", "monitoring-deviance relationship-deviance speaking-up"),
        ("development", "exits", "churn"),
        ("recycling", "negligence", "monitoring-deviance relationship-deviance speaking-up records"),
        ("regulation", "initiative_rate", "records"),
        *[("risk", name, "") for name in ("initiative_rate", "successes", "needless", "skill")],
        *[("x", name, "") for name in ("overload", "time_left", "cooperation", "integrity")],
    ],
)
def test_the_findings_left_out_are_the_agreed_ones_and_exist(claim, outcome, left_out):
    assert findings_on(claim, outcome) == tuple(left_out.split())
    assert set(left_out.split()) <= set(by_hand().measured)


def test_every_outcome_of_a_claim_is_measured_and_has_words_of_its_own():
    outcomes = {m.outcome for _, case in cases() for m in case.measures} | set(VECTOR)
    assert outcomes <= set(MEASURES)
    assert len({label(outcome) for outcome in outcomes}) == len(outcomes)


def test_contrasts_have_names_of_their_own():
    names = [contrast.name for contrast in contrasts_of()]
    assert len(set(names)) == len(names)


@pytest.fixture(scope="module")
def report():
    return whole_answer()[0]


@pytest.mark.slow
def test_progress_goes_from_nothing_to_all_and_never_back():
    _, seen = whole_answer()
    assert seen[0] == (0, seen[0][1])
    assert seen[-1] == (seen[0][1], seen[0][1])
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_row_for_every_outcome_of_every_comparison_and_none_dropped(report):
    asked = [(c.id, case.contrast.name, m.outcome) for c, case in cases() for m in case.measures]
    assert list(report.table[["claim", "contrast", "outcome"]].itertuples(index=False, name=None)) == asked
    contrasts = {contrast for _, contrast, _ in asked} | {choice.name for choice in CHOICES.values()}
    assert len(report.tables["vector"]) == len(contrasts) * len(VECTOR)
    assert report.table["primary"].sum() == len(primary())


def test_every_share_and_error_follows_from_the_effects_that_are_kept(report):
    by = {key: part for key, part in report.effects.groupby(["contrast", "outcome"], observed=True)}
    for row in pd.concat([report.table, report.tables["vector"]]).dropna(subset=["delta"]).to_dict("records"):
        part = by[row["contrast"], row["outcome"]]
        x, w, at = (part[name].to_numpy() for name in ("estimate", "weight", "calibration"))
        for name, holds in (("above", x > row["delta"]), ("below", x < -row["delta"])):
            assert (row[name], row[f"{name}_error"]) == pytest.approx(mean(w, holds, at), abs=1e-9)
        assert row["mean"] == pytest.approx(w @ x.astype(float))
        assert row["above"] + row["within"] + row["below"] == pytest.approx(1.0)


def test_effects_are_kept_in_single_precision_with_where_each_world_comes_from(report):
    kept = report.effects
    names = "world calibration ancestor weight contrast outcome estimate error pairs"
    assert list(kept) == names.split()
    assert {kept[name].dtype for name in ("estimate", "error")} == {np.dtype("float32")}
    assert kept["pairs"].between(8, 32).all()
    assert len(kept) == 20 * len(kept[["contrast", "outcome"]].drop_duplicates())


def test_the_third_column_is_never_left_out(report):
    holds = report.tables["holds"]
    some = holds[holds["contrast"] == SURVEILLANCE.name]
    assert set(some[some["outcome"] == "fear"]["column"]) == set(COLUMNS)
    assert set(some["status"]) <= {"holds", "differs", "cannot tell", "no finding"}
    assert some.set_index(["outcome", "column"]).loc[("skill", "left_out"), "status"] == "no finding"
    limited = report.table.dropna(subset=["delta"])
    assert (limited["holds"] == "robust").sum() + limited["holds"].str.startswith("depends on").sum() == len(limited)


def test_sentences_can_be_read_aloud_and_none_speaks_of_probability(report):
    for claim in CLAIMS:
        for sentence in itertools.chain(*report.about(claim, in_depth=True)):
            assert sentence.endswith(".")
            assert "nan" not in sentence.replace(",", " ").split()
            assert "probability that" not in sentence and "probably" not in sentence
    for row in report.table.dropna(subset=["delta"]).itertuples():
        found, _ = report.about(claims_named(row.claim)[0])
        assert any(row.words in line and row.holds in line for line in found)


def test_the_text_names_every_claim_and_what_is_not_accounted_for(report):
    page = " ".join(report.whole().split())
    assert all(f"{claim.id}: " in page for claim in CLAIMS)
    for text in ("others than NHS managers", "20 of 24 worlds", "last 3 of 6 months", "falls short of its own"):
        assert text in page
    assert report.headline() in page
    assert page.count("is the best choice in") == 3


def test_a_question_goes_with_its_claim(report):
    asked = replace(report, replies=(Reply("fear", "Why?", ("So.",), {}), Reply("pays", "When?", ("Now.",), {})))
    assert [[reply.question for reply in asked.of(*some).replies] for some in (("pays",), ("fear",), ("risk",))] == [
        ["When?"], ["Why?"], []
    ]  # fmt: skip


def test_a_claim_alone_is_told_in_depth(report):
    alone, page = (" ".join(one.whole().split()) for one in (report.of("relationship"), report))
    assert "Quality of care is best with all of the budget on relationships in" in alone
    assert "Quality of care is best with all" not in page
    assert "With one of the 4 calibrations left out in turn, fear: " in alone
    assert "Does it hold for fear?" in alone and "What else it does: distress" in alone
    assert "pays:" not in alone


def test_the_verdicts_as_a_table_have_the_effect_with_its_interval(report):
    told = report.verdicts
    assert {"estimate", "low", "high", "share", "verdict", "holds"} <= set(told)
    some = told.dropna(subset=["low"])
    assert ((some["low"] <= some["estimate"]) & (some["estimate"] <= some["high"])).all()


def test_an_answer_that_is_stored_is_shown_as_it_was_and_anothers_model_only_under_a_line_that_says_so(
    report, tmp_path, monkeypatch
):
    (tmp_path / stored.NAME).write_bytes(report.file())
    again = answer(tmp_path)
    assert str(again) == str(report)
    pd.testing.assert_frame_equal(again.effects, report.effects)
    assert again.file() == report.file()
    monkeypatch.setattr(stored, "signature", lambda: "another")
    assert " ".join(str(answer(tmp_path)).split()).startswith(ANOTHER_MODEL)


def test_a_missing_and_a_damaged_answer_are_refused_with_one_line(tmp_path):
    with pytest.raises(InputError, match="sim claim --run computes one"):
        answer(tmp_path)
    (tmp_path / stored.NAME).write_bytes(b"PK")
    with pytest.raises(InputError, match="damaged") as caught:
        answer(tmp_path)
    assert len(caught.value.lines) == 1


def test_never_a_verdict_on_nothing():
    for given in ({"ensemble": heavy_on_one(by_hand())}, {"second": heavy_on_one(by_hand())}):
        with pytest.raises(InputError, match="too small to say anything") as caught:
            compute(**{"ensemble": by_hand(), "second": by_hand(), **given}, **TINY)
        assert len(caught.value.lines) == 1


FILES = [f"claims.{kind}" for kind in ("csv", "parquet", "png", "svg", "txt")]
FILES += [f"{name}.{kind}" for name in ("worlds", "choices", "matters", "evidence") for kind in ("png", "svg")]
FILES += ["answer.zip", "effects.parquet"]
FILES += [f"{name}.csv" for name in ("vector", "holds", "curves", "standards", "doses", "levels", "break_evens")]
FILES += [f"{name}.csv" for name in ("against_baseline", "trade_offs", "regrets", "first_limits", "left_one_out")]
FILES += [
    f"{name}.csv" for name in ("budget_curve", "optimum", "made_up", "path_through_fear", "studies", "parameters")
]
FILES += ["carriers.csv", "carriers_by_case.csv", "flips.csv", "patterns.csv", "report.html", "provenance.json"]
FILES += ["settings.json"]


@pytest.mark.slow  # every picture is drawn
def test_every_file_is_written_complete_with_its_provenance(report, tmp_path):
    folder = tmp_path / "new" / "claims"
    paths = save(report, folder)
    names = {path.name for path in paths}
    assert set(FILES) <= names
    assert sorted([*paths, folder / MANIFEST]) == sorted(folder.iterdir())
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "claims.parquet"), report.table)
    assert len(pd.read_parquet(folder / "effects.parquet")) == len(report.effects)
    settings = json.loads((folder / "settings.json").read_text())
    assert settings["heavy"] == {"regime": "heavy"}
    assert settings["heavy, fear of light"]["fear_of"] == "light"
    origin = json.loads((folder / "provenance.json").read_text())
    assert (origin["seed"], origin["pairs"]["fewest"], origin["sizes"]["managers"]) == (7, 8, 3)
    for name in ("claims", "effects"):
        assert json.loads(pq.read_schema(folder / f"{name}.parquet").metadata[b"provenance"]) == origin


def test_an_interrupted_save_leaves_nothing_behind(report, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("sim.report.claims.pictures", interrupted)  # after the tables, before the page
    with pytest.raises(KeyboardInterrupt):
        save(report, tmp_path / "claims")
    assert not list(tmp_path.iterdir())


def test_folders_that_cannot_be_written_are_refused_with_one_line(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nowhere")
    for folder in (file, file / "below", dangling, tmp_path / ("x" * 300), f"{tmp_path}/a\0b"):
        with pytest.raises(InputError) as caught:
            Folder(folder, "an answer").check()
        assert len(caught.value.lines) == 1
        assert "\n" not in str(caught.value)
    Folder(tmp_path / "not" / "yet", "an answer").check()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling", "file"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="whoever is root may write everywhere")
def test_a_folder_without_permission_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError):
        Folder(tmp_path, "an answer").check()


def test_all_mistakes_at_once_one_line_each():
    wrong = Effort(worlds=3, prior=0, all_on=2, again=1, systems=0, orders=0)
    with pytest.raises(InputError) as caught:
        compute(by_hand(), by_hand(), effort=wrong, seed=-1, workers=0, month=12)
    lines = caught.value.lines
    assert len(lines) == 9
    assert 'did you mean "months"?' in "".join(lines)
    for name in ("worlds", "prior", "all_on", "again", "seed", "workers", "month", "systems", "orders"):
        assert any(line.startswith(name) for line in lines)


def test_an_unknown_claim_is_named_with_the_nearest(report):
    with pytest.raises(InputError, match=r'"faer": no such claim .did you mean "fear"'):
        claims_named("faer")
    with pytest.raises(InputError) as caught:
        claims_named("xyzzy", "pays", "qqq")
    assert len(caught.value.lines) == 2
    assert claims_named() == CLAIMS
    with pytest.raises(InputError, match="no such claim"):
        report.of("faer")


def test_what_is_given_comes_before_what_is_preset():
    assert effort(full=True).worlds is None
    assert effort(full=True, worlds=50) == replace(effort(full=True), worlds=50, prior=50, all_on=50, again=50)
    assert effort(worlds=3).prior == 20  # fewer say nothing


def test_without_a_seed_a_fresh_one_is_drawn_and_named():
    little = {**TINY, "effort": replace(TINY["effort"], again=0)}
    with few_pairs():
        reports = [compute(by_hand(), by_hand(), seed=None, claims=claims_named("fear"), **little) for _ in range(2)]
    first, second = (report.provenance["seed"] for report in reports)
    assert first != second
    assert not reports[0].effects.equals(reports[1].effects)


def test_a_policy_of_ones_own_stands_in_the_table_of_what_can_be_chosen():
    little = {**TINY, "effort": replace(TINY["effort"], again=0)}
    with few_pairs():
        found = compute(by_hand(), by_hand(off=0.0), claims="fear", policies={"mine": {"targets": 0}}, **little)
    assert set(found.tables["against_baseline"]["choice"]) == {"mine"}
    assert set(found.tables["regrets"]["choice"]) == {"baseline", "mine"}
    with pytest.raises(InputError, match="tragets"):
        compute(by_hand(), by_hand(off=0.0), claims="fear", policies={"mine": {"tragets": 0}}, **little)


def test_claims_and_effort_can_be_named():
    little = {**TINY, "effort": replace(TINY["effort"], again=0)}
    with few_pairs():
        named, given = (
            compute(by_hand(), by_hand(off=0.0), claims=asked, **little) for asked in ("fear", claims_named("fear"))
        )
    pd.testing.assert_frame_equal(named.table, given.table)
    for wrong, there in (({"claims": "fera"}, "fear"), ({"effort": "quik"}, "quick"), ({"effort": 3}, "quick, full")):
        with pytest.raises(InputError) as caught:
            compute(**wrong)
        assert there in str(caught.value)
