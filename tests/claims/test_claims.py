"""The claims: that they are the ones agreed, that worlds are judged by the rules, and that what is written is true."""

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
from ensembles import by_hand, heavy_on_one

from sim.claims import tables
from sim.claims.answer import Effort, answer, claims_named, effort
from sim.claims.statements import (
    CLAIMS,
    HEAVY,
    LIGHT,
    PATHS,
    PRICES,
    STEPS,
    SURVEILLANCE,
    Measure,
    arms_of,
    budget_line,
    oversight_budget,
)
from sim.claims.tables import TOO_FEW, UNCLEAR, overall, patterns_on, summary
from sim.claims.text import SENTENCES
from sim.claims.verdict import Sesoi, contrast
from sim.errors import InputError
from sim.files import MANIFEST, Folder
from sim.model.glossary import LABELS
from sim.model.parameters import resolve
from sim.report.claims import save
from sim.statistics import Estimate, top_of_parabola
from sim.worlds.evaluate import MEASURES, PLACE, Evaluation, evaluate
from sim.worlds.prior import prior

SIZES = {"organisations": 2, "managers": 3, "months": 6, "window": 3}
TINY = {"effort": Effort(worlds=20, alternatives=20, replications=2, systems=1, orders=2), **SIZES}

# A second copy of the agreed table: claim, outcome, sign, side, smallest effect of interest ("rel" of the level).
AGREED = """
fearful fearful . . .
fearful fearful_40 . . .
fearful fearful_60 . . .
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
relationship fear - Berwick 0.05
relationship initiative_rate + Berwick 0.1rel
relationship quality + Berwick 0.02
development confidence + Berwick 0.03
development integrity + Berwick 0.03
development exits - Berwick 0.1rel
development quality + Berwick 0.02
development skill . . .
regulation quality + government 0.02
regulation harm - government 0.1rel
regulation fear + Berwick 0.05
regulation initiative_rate - Berwick 0.1rel
recycling quality + Berwick 0.02
recycling negligence - Berwick 0.1rel
recycling record_share . . .
cooperation quality_per_cost + Berwick 0.05rel
cooperation quality + Berwick 0.02
cuts quality - Berwick 0.02
variation quality - Berwick 0.02
variation harm . . 0.1rel
variation misfit . . .
social_care overload . . .
social_care quality . . .
"""
HEAVILY, LIGHTLY = {"monitoring": 0.8, "targets": 0.8}, {"monitoring": 0.2, "targets": 0.2}
DOSED = [(HEAVILY, LIGHTLY)]
KARK = {"competency_standard": 0.7, "register": 0.8}
SUPPORTIVE = {"monitoring": 0.3, "targets": 0.3, "punitiveness": 0.3, "discernment": 0.8, "leniency": 0.7}
MORE_CARE = {"social_care_budget": 1.14}
CONTRASTS = {
    "fearful": [],
    **{claim: DOSED for claim in ("fear", "toxic", "moral", "harder", "pays")},
    "risk": [*DOSED, (HEAVILY, HEAVILY), (LIGHTLY, LIGHTLY), (HEAVILY, HEAVILY)],
    "pride": [({**HEAVILY, "recognition": 0.8}, {**HEAVILY, "recognition": 0.1})],
    "good_about_work": [({**SUPPORTIVE, "relationship": 0.8}, HEAVILY)],
    "relationship": [
        (
            {"relationship": 0.775, "monitoring": 0, "targets": 0},
            {"relationship": 0, "monitoring": 0.775, "targets": 0.775},
        )
    ],
    "development": [({"relationship": 0.8}, {"relationship": 0.3})],
    "regulation": [(KARK, {}), ({**KARK, "disbarring": 0.8}, {})],
    "recycling": [({"register": 1}, {"register": 0})],
    "cooperation": [
        ({"cooperation_incentive": 0.8}, {"cooperation_incentive": 0.2}),
        ({"cooperation_incentive": 0.8, "acute_budget": 0.95}, {"cooperation_incentive": 0.2}),
    ],
    "cuts": [({"acute_budget": 0.9}, {"acute_budget": 1})],
    "variation": [({"standardisation": 0.7}, {})],
    "social_care": [(MORE_CARE, {}), ({"social_care_budget": 1.28}, {}), ({**MORE_CARE, "acute_budget": 0.96}, {})],
}


def written(measure):
    size = measure.sesoi and f"{measure.sesoi.size:g}{'rel' if measure.sesoi.relative else ''}"
    return f"{measure.outcome} {'.+-'[measure.sign]} {measure.side or '.'} {size or '.'}"


def test_every_agreed_row_is_there_with_its_sign_side_and_smallest_effect():
    rows = [f"{claim.id} {written(measure)}" for claim in CLAIMS for measure in claim.measures]
    assert rows == AGREED.strip().splitlines()


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_every_claim_compares_the_agreed_policies(claim):
    compared = [[resolve(arm.regime, **dict(arm.settings)) for arm in (c.plus, c.minus)] for c in claim.contrasts]
    assert compared == [[resolve(**levers) for levers in pair] for pair in CONTRASTS[claim.id]]


def test_the_paths_through_fear_are_the_agreed_ones():
    borrowed = [(c.plus.fear_of, c.minus.fear_of, c.plus.seen_by, c.minus.seen_by) for c in PATHS]
    own = "initiative"
    assert borrowed == [
        (None, LIGHT, own, own),
        (HEAVY, None, own, own),
        (None, LIGHT, own, "every rule"),
    ]
    assert claims_named("risk")[0].contrasts == (SURVEILLANCE, *PATHS)


def test_monitoring_and_targets_are_answered_two_by_two():
    def levers(arm):
        found = resolve(arm.regime, **dict(arm.settings))
        return found.monitoring, found.targets

    signed = {name: [(sign, levers(arm)) for sign, arm in arms] for name, arms in STEPS.items()}
    light, heavy, baseline = (0.2, 0.2), (0.8, 0.8), (0.45, 0.5)
    assert signed == {
        "baseline - light": [(1, baseline), (-1, light)],
        "heavy - baseline": [(1, heavy), (-1, baseline)],
        "monitoring alone": [(1, (0.8, 0.2)), (-1, light)],
        "targets alone": [(1, (0.2, 0.8)), (-1, light)],
        "both": [(1, heavy), (-1, light)],
        "interaction": [(1, heavy), (-1, (0.8, 0.2)), (-1, (0.2, 0.8)), (1, light)],
    }


@pytest.mark.parametrize("price", [2.0, *PRICES])
def test_every_point_of_the_budget_line_costs_the_same(price):
    spent = [dict(arm.settings) for arm in budget_line(price)]
    each = [s["monitoring"] + s["targets"] + price * s["relationship"] for s in spent]
    assert each == pytest.approx([oversight_budget(price)] * 6)
    assert all(a["relationship"] < b["relationship"] for a, b in pairwise(spent))


def test_the_budget_is_what_baseline_spends_at_each_price():
    assert [oversight_budget(price) for price in (2.0, 1.0, 4.0)] == pytest.approx([1.55, 1.25, 2.15])
    ends = [dict(budget_line()[k].settings) for k in (0, -1)]
    assert [tuple(end.values()) for end in ends] == [(0.0, 0.775, 0.775), (0.775, 0.0, 0.0)]


def test_the_break_even_of_the_shift_to_social_care_follows_from_the_load():
    shift = claims_named("social_care")[0].break_even
    arm = dict(shift.contrast.plus.settings)
    assert shift.value == pytest.approx((1 - arm["acute_budget"]) / (arm["social_care_budget"] - 1))


def test_every_outcome_of_a_claim_is_measured_and_has_words():
    outcomes = {measure.outcome for claim in CLAIMS for measure in claim.measures}
    assert outcomes <= set(MEASURES)
    assert outcomes <= set(LABELS)
    assert len({LABELS[outcome] for outcome in outcomes}) == len(outcomes)


def test_every_analysis_has_its_table_and_every_sentence_is_about_a_table():
    names = {analysis.name for claim in CLAIMS for analysis in claim.analyses}
    made = set(tables.beside(with_values([LIGHT], fear=[[0.1]]), ()))
    assert names <= made and set(SENTENCES) <= made


def invented(effect, worlds=200, spread=0.01, replications=6, seed=0):
    """Differences around an effect that is known, with chance within each world, and what they are relative to."""
    rng = np.random.default_rng(seed)
    differences = effect + spread * rng.standard_normal((worlds, replications))
    return differences, np.full((worlds, replications), 0.5)


def judge(differences, minus, measure):
    return contrast(differences, minus.mean(axis=1), measure.sesoi, measure.sign)


def judged(effect, sign=1, **how):
    sample = prior(how.get("worlds", 200))
    measure = Measure("fear", sign, "Berwick" if sign else "", Sesoi(0.05))
    return summary(judge(*invented(effect, **how), measure), measure, sample.weights, sample.ancestors)


def test_a_claim_that_is_false_in_every_world_is_opposed_in_all_of_them():
    row = judged(-0.2)
    assert (row["verdict"], row["opposed"], row["supported"]) == ("opposed", 1.0, 0.0)
    assert judged(0.2)["verdict"] == "supported"
    assert judged(0.2, sign=0)["verdict"] == "higher"


def test_an_effect_of_nothing_is_negligible():
    row = judged(0.0)
    assert (row["verdict"], row["negligible"]) == ("negligible", 1.0)


def test_at_the_smallest_effect_of_interest_few_worlds_are_called_either_way():
    row = judged(0.05, worlds=4000)  # each side of an interval errs in 2.5 % of worlds
    assert row["supported"] == pytest.approx(0.025, abs=0.008)
    assert row["negligible"] == pytest.approx(0.025, abs=0.008)


def test_intervals_within_worlds_cover_what_is_true():
    differences, minus = invented(0.03, worlds=4000)
    found = contrast(differences, minus.mean(axis=1))
    assert np.mean((found.low <= 0.03) & (found.high >= 0.03)) == pytest.approx(0.95, abs=0.012)


def test_shares_follow_the_weights():
    measure = Measure("fear", 1, "Berwick", Sesoi(0.05))
    differences = np.repeat([0.2, -0.2], 50)[:, None] + np.zeros((100, 3))
    weights = np.repeat([0.9, 0.1], 50) / 50
    row = summary(judge(differences, differences, measure), measure, weights, np.arange(100))
    assert (row["supported"], row["opposed"]) == pytest.approx((0.9, 0.1))
    assert row["median"] == pytest.approx(0.2)
    assert row["mean"] == pytest.approx(0.16)


def test_worlds_of_one_ancestor_count_for_less():
    measure = Measure("fear", 1, "Berwick", Sesoi(0.05))
    differences = np.repeat([0.2, -0.2], 50)[:, None] + np.zeros((100, 3))
    found = judge(differences, differences, measure)
    free, kin = (summary(found, measure, np.full(100, 0.01), a) for a in (np.arange(100), np.arange(100) // 10))
    assert kin["supported_error"] > 2.5 * free["supported_error"]
    assert free["supported"] == kin["supported"] == 0.5


def test_a_verdict_is_named_only_where_it_is_clearly_ahead():
    def found(first, error):
        return {"supported": Estimate(first, error), "opposed": Estimate(1 - first, error)}

    assert overall(found(0.7, 0.15)) == "supported"
    assert overall(found(0.7, 0.2)) == UNCLEAR
    assert overall(found(0.3, 0.1)) == "opposed"


def test_never_a_verdict_on_nothing():
    row = judged(0.2, worlds=19)
    assert row == {"verdict": TOO_FEW, "effective_size": pytest.approx(19)}
    for given in ({"ensemble": heavy_on_one(by_hand())}, {"second": heavy_on_one(by_hand())}):
        with pytest.raises(InputError, match="too small to say anything") as caught:
            answer(**{"ensemble": by_hand(), "second": by_hand(), **given}, **TINY)
        assert len(caught.value.lines) == 1


def with_values(arms, **outcomes):
    """What would have been evaluated if the arms led to given outcomes, each worlds by arms."""
    worlds = len(next(iter(outcomes.values())))
    values = np.zeros((worlds, len(arms), 2, len(MEASURES)))
    for name, given in outcomes.items():
        values[..., PLACE[name]] = np.asarray(given)[:, :, None]
    return Evaluation(prior(worlds), tuple(arms), values)


def test_the_two_by_two_adds_up():
    claim = claims_named("fear")
    arms = arms_of(claim[0])
    rng = np.random.default_rng(2)
    fear = rng.random((40, len(arms)))
    found = tables.beside(with_values(arms, fear=fear), claim)["doses"].set_index("step")["mean"]
    assert found["both"] == pytest.approx(found["monitoring alone"] + found["targets alone"] + found["interaction"])
    assert found["both"] == pytest.approx(found["baseline - light"] + found["heavy - baseline"])


def test_the_optimum_of_the_budget_line_is_found_where_it_was_put():
    line = budget_line()
    at = np.array([dict(arm.settings)["relationship"] for arm in line])
    tops = np.array([0.2, 0.4, 0.5, -1.0, 2.0])
    found = top_of_parabola(at, -((at - tops[:, None]) ** 2))
    assert found == pytest.approx([0.2, 0.4, 0.5, 0.0, 0.775])
    shares = tables.beside(with_values(line, quality=-((at - tops[:, None]) ** 2)), ())["optimum"]["share"]
    assert shares.sum() == pytest.approx(1.0)
    assert (shares.iloc[0], shares.iloc[-1]) == (0.2, 0.2)


def test_what_makes_up_for_a_cut_is_interpolated():
    arms = arms_of(claims_named("cuts")[0])
    names = [arm.name for arm in arms]
    assert names[:2] == ["acute budget 0.9", "acute budget 1"]
    quality = [[0.3, 0.4, 0.35, 0.45, 0.5], [0.3, 0.4, 0.3, 0.3, 0.3], [0.4, 0.4, 0.4, 0.4, 0.4]]
    found = tables.beside(with_values(arms, quality=quality), ())["made_up"].set_index("case")
    assert found.loc["needed", "median"] == pytest.approx(0.65)
    third = pytest.approx(1 / 3)
    assert found.loc["no incentive tried is enough", "share"] == third
    assert found.loc["nothing was lost", "share"] == third


def test_fear_and_initiative_are_set_against_each_other_across_worlds_and_within_them():
    arms = arms_of(claims_named("risk")[0])
    fear = np.random.default_rng(4).random((60, len(arms)))
    e = with_values(arms, fear=fear, initiative_rate=0.3 - 0.2 * fear)
    found = tables.beside(e, ())
    curve = found["atmosphere"]
    middle = (curve["fear_from"] + curve["fear_to"]) / 2
    assert curve["mean"].to_numpy() == pytest.approx((0.3 - 0.2 * middle).to_numpy(), abs=0.005)
    assert found["fear_slope"]["median"].item() == pytest.approx(-0.2)


def test_overload_falls_exactly_where_bed_blocking_is_above_its_break_even():
    claim = claims_named("social_care")[0]
    shift = claim.break_even
    e = evaluate(prior(30, seed=1), (shift.contrast.plus, shift.contrast.minus), 2,
                 sizes={"systems": 1, "organisations": 2, "managers": 6, "months": 12, "window": 6})  # fmt: skip
    row = next(tables.break_evens(e, [claim]))
    assert row["as_it_should"] >= 29 / 30
    assert 0.2 < row["share_above"] < 0.8


@pytest.fixture(scope="module")
def report():
    seen = []
    ensemble, second = by_hand(), by_hand(20, seed=1, off=0.0)
    found = answer(
        ensemble, second, seed=7, progress=lambda done, total, note="": seen.append((done, total)), workers=2, **TINY
    )
    assert seen[0] == (0, seen[0][1])
    assert seen[-1] == (seen[0][1], seen[0][1])
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    return found


def test_a_row_for_every_outcome_of_every_comparison_and_none_dropped(report):
    expected = sum(max(1, len(claim.contrasts)) * len(claim.measures) for claim in CLAIMS)
    assert len(report.table) == len(report.verdicts) == expected
    assert len(report.effects) == expected * len(report.sample)


def test_shares_of_a_row_sum_to_one_and_follow_from_the_effects(report):
    shares = ["supported", "opposed", "higher", "lower", "negligible", "undecided"]
    for begin in ("", "unweighted_", "second_prior_"):
        some = report.table[report.table["sesoi_rule"] != ""][[begin + name for name in shares]]
        assert some.sum(axis=1).to_numpy() == pytest.approx(1.0)
    row = report.table.set_index(["claim", "outcome"]).loc[("pays", "harm")]
    worlds = report.effects.query("claim == 'pays' and outcome == 'harm'")
    for verdict in ("supported", "opposed", "negligible", "undecided"):
        assert row[verdict] == pytest.approx(worlds["weight"][worlds["verdict"] == verdict].sum())


def test_an_outcome_that_published_findings_are_about_is_answered_without_them_too(report):
    table = report.table.set_index(["claim", "outcome"])
    fear, skill = table.loc[("fear", "fear")], table.loc[("development", "skill")]
    assert "monitoring-stress" in fear["left_out_patterns"]
    assert fear["left_out_verdict"] == fear["verdict"]  # all worlds agree equally well with what is left out
    assert (skill["left_out_patterns"], skill["left_out_verdict"]) == ("", "")
    assert set(patterns_on(by_hand(), "toxic")) >= set(patterns_on(by_hand(), "fear"))


def test_sentences_can_be_read_aloud(report):
    for claim in CLAIMS:
        for sentence in itertools.chain(*report.about(claim, in_depth=True)):
            assert sentence.endswith(".")
            assert "nan" not in sentence.replace(",", " ").split()
            assert "probab" not in sentence
    for row in report.table.itertuples():
        found, _ = report.about(claims_named(row.claim)[0], in_depth=True)
        assert row.verdict == "estimate" or any(row.verdict in line for line in found)


def test_the_text_names_every_claim_and_what_is_not_accounted_for(report):
    page = " ".join(str(report).split())
    assert all(f"{claim.id}: " in page for claim in CLAIMS)
    for text in ("by weight", "other people than NHS managers", "20 of 24 worlds", "last 3 of 6 months"):
        assert text in page
    assert report.headline() in page


def test_a_claim_alone_is_answered_in_depth(report):
    alone = str(replace(report, claims=claims_named("relationship")))
    assert "At a price of 2, quality is highest" in " ".join(alone.split())
    assert "At a price of 2" not in str(report)


def test_the_verdicts_as_a_table_have_the_effect_with_its_range(report):
    told = report.verdicts
    assert {"estimate", "low", "high", "share", "verdict"} <= set(told)
    some = told.dropna(subset=["estimate"])
    assert ((some["low"] <= some["estimate"]) & (some["estimate"] <= some["high"])).all()
    supported = report.table["verdict"] == "supported"
    assert told.loc[supported, "share"].tolist() == report.table.loc[supported, "supported"].tolist()


def test_what_carries_a_claim_and_where_it_flips_is_said_where_it_is_known(report):
    key = {"claim": "fear", "contrast": "heavy - light", "outcome": "fear"}
    carrier = {**key, "mechanism": "learned_fear", "case": "for", "contribution": 0.06, "standard_error": 0.01}
    told = replace(
        report,
        carriers=pd.DataFrame([carrier, {**carrier, "mechanism": "audit", "contribution": 0.01}]),
        flips=pd.DataFrame([{**key, "sentence": "Where anxiety is low, it is opposed.", "found": True}]),
    )
    for text in (str(told), "\n".join(itertools.chain(*told.about(claims_named("fear")[0], in_depth=True)))):
        assert "Carried by learned fear (+0.060, for)." in text
        assert "Where anxiety is low, it is opposed." in text
        assert "audit" not in text
    assert "Carried by learned" not in str(replace(report, carriers=pd.DataFrame()))


FILES = [f"claims.{kind}" for kind in ("csv", "parquet", "png", "svg", "txt")]
FILES += ["claims_2.png", "claims_2.svg", "claims_3.png", "claims_3.svg"]
FILES += [f"{name}.csv" for name in ("atmosphere", "break_evens", "budget_curve", "doses", "fear_slope", "levels")]
FILES += ["effects.parquet", "made_up.csv", "optimum.csv", "provenance.json", "settings.json"]
FILES += ["carriers.csv", "carriers_by_case.csv", "flips.csv", "patterns.csv", "report.html"]


@pytest.mark.slow  # every picture is drawn
def test_every_file_is_written_complete_with_its_provenance(report, tmp_path):
    folder = tmp_path / "new" / "claims"
    paths = save(report, folder)
    others = {path.name for path in paths} - set(FILES)
    assert len(paths) == len(FILES) + len(others)
    assert all(name.startswith(("carriers", "flip", "evidence", "patterns")) for name in others)
    assert sorted([*paths, folder / MANIFEST]) == sorted(folder.iterdir())
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "claims.parquet"), report.table)
    assert len(pd.read_parquet(folder / "effects.parquet")) == len(report.effects)
    settings = json.loads((folder / "settings.json").read_text())
    assert settings["heavy"] == {"regime": "heavy"}
    assert settings["heavy, fear of light"]["fear_of"] == "light"
    origin = json.loads((folder / "provenance.json").read_text())
    assert (origin["first_seed"], origin["replications"], origin["sizes"]["managers"]) == (7, 2, 3)
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
    wrong = Effort(worlds=3, alternatives=0, replications=1, systems=0, orders=0)
    with pytest.raises(InputError) as caught:
        answer(by_hand(), by_hand(), effort=wrong, seed=-1, workers=0, month=12)
    lines = caught.value.lines
    assert len(lines) == 8
    assert 'did you mean "months"?' in "".join(lines)
    for name in ("worlds", "alternatives", "replications", "seed", "workers", "month", "systems", "orders"):
        assert any(line.startswith(name) for line in lines)


def test_an_unknown_claim_is_named_with_the_nearest():
    with pytest.raises(InputError, match=r'"faer": no such claim .did you mean "fear"'):
        claims_named("faer")
    with pytest.raises(InputError) as caught:
        claims_named("xyzzy", "pays", "qqq")
    assert len(caught.value.lines) == 2
    assert claims_named() == CLAIMS


def test_a_closer_look_costs_more_worlds_and_what_is_given_comes_first():
    assert effort(deep=True).worlds > effort().worlds
    assert effort(full=True).worlds is None
    assert effort(full=True, worlds=50, replications=3) == replace(
        effort(full=True), worlds=50, alternatives=50, replications=3
    )


def test_without_a_seed_a_fresh_one_is_drawn_and_named():
    fear = claims_named("fear")
    reports = [answer(by_hand(), by_hand(), seed=None, claims=fear, **TINY) for _ in range(2)]
    first, second = (report.provenance["first_seed"] for report in reports)
    assert first != second
    assert not reports[0].effects.equals(reports[1].effects)


def test_claims_and_effort_can_be_named():
    named, given = (
        answer(by_hand(), by_hand(off=0.0), claims=asked, **TINY) for asked in ("fear", claims_named("fear"))
    )
    pd.testing.assert_frame_equal(named.table, given.table)
    for wrong, there in (
        ({"claims": "fera"}, "fear"),
        ({"effort": "quik"}, "quick"),
        ({"effort": 3}, "quick, deep, full"),
    ):
        with pytest.raises(InputError) as caught:
            answer(**wrong)
        assert there in str(caught.value)
