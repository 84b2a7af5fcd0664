"""The evidence: what was published, how a file of patterns is read, and what a study could measure besides."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sim.errors import InputError
from sim.model.outcomes import OUTCOMES
from sim.worlds import survey
from sim.worlds.candidates import CANDIDATES, Candidate, Study
from sim.worlds.evidence import KINDS, TRANSFORMS, UNKNOWN, VARIABLES, load
from sim.worlds.prior import NUISANCE
from sim.worlds.survey import Sizes

PUBLISHED = {
    "monitoring-stress": (0.11, 0.06, "S"),
    "monitoring-satisfaction": (-0.10, 0.06, "S"),
    "monitoring-performance": (-0.01, 0.05, "S"),
    "monitoring-deviance": (0.09, 0.06, "S"),
    "relationship-performance": (0.24, 0.10, "S"),
    "relationship-deviance": (-0.24, 0.12, "S"),
    "targets-work": (0.12, 0.06, "S"),
    "bunching": (0.05, 0.04, "S"),
    "speaking-up": (0.68, 0.08, "2"),
    "churn": (0.235, 0.03, "S"),
    "mixed-response-to-control": (0.42, 0.08, "D"),
    "records": (0.05, 0.05, "2"),
}
SURVEY = """[survey]
monitoring = 0.4
targets = 0.5
relationship = 0.3
monitoring_sd = 0.2
relationship_sd = 0.25
months = 12
window = 6
"""
LEVEL = '[[pattern]]\nid = "a"\nkind = "level"\noutcome = "fear"\nvalue = 0.1\nsd = 0.1\n'
CONTRAST = (
    '[[pattern]]\nid = "b"\nkind = "contrast"\noutcome = "fear"\nvalue = 0.1\nsd = 0.1\n'
    'before = { monitoring = 0.1 }\nafter = "heavy"\n'
)
SHARE = CONTRAST.replace('"b"', '"d"').replace("contrast", "share").replace("value = 0.1", "value = 0.4")
PATH = (
    '[[pattern]]\nid = "c"\nkind = "path"\noutcome = "fear"\nlever = "monitoring"\nvalue_off = 0.2\nvalue_on = 0.9\n'
    "on = 6\noff = 12\nmonths = [3, 5, 12, 18]\nvalues = [0, 0, 0.1, 0.05]\nsd = 0.02\n"
)


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(folder: Path, text: str) -> list[str]:
    """What is wrong with a file, without its name."""
    with pytest.raises(InputError) as caught:
        load(written(folder, text))
    assert all("mine.toml: " in line for line in caught.value.lines)
    return [line.split("mine.toml: ", 1)[1] for line in caught.value.lines]


# The published findings


def test_the_findings_are_those_that_were_published():
    found = {p.id: (p.value, p.sd, p.confidence) for p in load().patterns}
    assert found == PUBLISHED


def test_the_survey_and_the_trials_are_set_as_the_studies_were():
    evidence = load()
    assert evidence.survey == {
        **{"systems": 32, "trial_systems": 4, "organisations": 5, "managers": 12, "seeds": 3},
        **{"monitoring": 0.4, "targets": 0.5, "relationship": 0.3, "relationship_sd": 0.25},
        **{"monitoring_sd": [0.1, 0.3], "risk_based": [0.0, 1.0]},
        **{"months": 120, "window": 24},
    }
    policies = {p.id: (p.needs["before"], p.needs["after"]) for p in evidence.patterns if "before" in p.needs}
    assert policies["targets-work"] == (
        {"monitoring": 0.2, "targets": 0.1, "punitiveness": 0.2},
        {"monitoring": 0.5, "targets": 0.9, "punitiveness": 0.8},
    )
    assert policies["mixed-response-to-control"] == tuple(
        {"monitoring": monitoring, "targets": 0.0, "punitiveness": 0.0} for monitoring in (0.0, 0.6)
    )


def test_each_pattern_names_the_outcomes_that_it_involves():
    outcomes = {p.id: set(p.outcomes) for p in load().patterns}
    assert outcomes["monitoring-stress"] == {"monitoring", "fear", "distress"}
    assert outcomes["relationship-deviance"] == {"trust", "gaming", "slips", "spoken"}
    assert outcomes["churn"] == {"exits"}


def test_what_the_survey_leaves_open_is_drawn_for_each_world_from_its_range():
    shipped = load().survey
    assert {name: NUISANCE[name] for name in UNKNOWN} == {name: tuple(shipped[name]) for name in UNKNOWN}


# Files of patterns


def test_a_file_may_leave_the_survey_to_the_shipped_one(tmp_path):
    assert load(written(tmp_path, LEVEL)).survey == load().survey
    assert load(written(tmp_path, SURVEY + LEVEL)).survey["months"] == 12


def test_a_file_says_how_large_the_studies_are_and_what_it_leaves_out_is_as_shipped(tmp_path):
    given = load(written(tmp_path, SURVEY + "systems = 2\nmanagers = 7\n" + LEVEL))
    assert Sizes.of(given) == Sizes(survey_systems=2, managers=7)
    assert given.size("seeds") == 3
    assert Sizes.of(load()) == Sizes()


def test_a_path_has_a_tolerance_for_each_month(tmp_path):
    (pattern,) = load(written(tmp_path, PATH)).patterns
    assert (pattern.value, pattern.sd) == ((0.0, 0.0, 0.1, 0.05), (0.02,) * 4)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "pattern: there must be a table [[pattern]] for each finding, at least one"),
        ("title = 1\n" + LEVEL, "title: no such key; there are survey, pattern"),
        (LEVEL.replace("level", "levle"), 'pattern "a": kind = "levle": no such kind (did you mean "level"?)'),
        (LEVEL.replace("fear", "faer"), 'pattern "a": outcome = "faer": no such outcome (did you mean "fear"?)'),
        (LEVEL.replace("sd = 0.1", "sd = 0"), 'pattern "a": sd = 0: must be a finite number above 0'),
        (LEVEL.replace("sd = 0.1", "sd = -0.1"), 'pattern "a": sd = -0.1: must be a finite number above 0'),
        (LEVEL.replace("sd = 0.1", "sd = inf"), 'pattern "a": sd = inf: must be a finite number above 0'),
        (LEVEL.replace("sd = 0.1", ""), 'pattern "a": sd: missing'),
        (LEVEL.replace("value = 0.1", "value = nan"), 'pattern "a": value = nan: must be a finite number'),
        (LEVEL.replace("value = 0.1", "value = 1" + "0" * 400), "must be a finite number"),
        (LEVEL.replace("value = 0.1", "value = true"), 'pattern "a": value = True: must be a finite number'),
        (LEVEL.replace("value", "valeu"), '"a": valeu: no such key (did you mean "value"?)'),
        (LEVEL + 'transform = "complment"\n', '(did you mean "complement"?)'),
        (LEVEL + LEVEL, 'pattern "a": id: is given 2 times; each may be given once'),
        (LEVEL.replace('"a"', '"a b"'), 'pattern 1: id = "a b": must be a short name of letters, digits, - and _'),
        (LEVEL + 'confidence = "M"\n', 'confidence = "M": no such confidence; there are S, D, 2'),
        (CONTRAST.replace('"heavy"', '"heavvy"'), 'after = "heavvy": no such regime (did you mean "heavy"?)'),
        (CONTRAST.replace("monitoring =", "monitorng ="), 'no such lever (did you mean "monitoring"?)'),
        (CONTRAST.replace("= 0.1 }", "= 1.1 }"), "before.monitoring = 1.1: must be a number from 0 to 1"),
        (PATH.replace("months = [3, 5", "months = [5, 3"), "each later than the one before"),
        (PATH.replace("off = 12", "off = 6"), 'pattern "c": off = 6: must come after on = 6'),
        (PATH.replace('"monitoring"', '"monitoring_sd"'), 'lever = "monitoring_sd": no such lever'),
        (PATH.replace("value_on = 0.9", "value_on = 1.9"), "value_on = 1.9: must be a number from 0 to 1"),
        (PATH.replace("[0, 0, 0.1", "[0, 0.1"), "values: has 3 numbers for 4 months; there must be one for each"),
        (PATH.replace("sd = 0.02", "sd = [0.1, 0, 0.1, 0.1]"), "or a list of them, one for each month"),
        (LEVEL.replace('level"\noutcome = "fear', 'correlation"\nx = "stress"\ny = "stress'), 'y = "stress": is x as'),
        (LEVEL.replace('level"\noutcome = "fear', 'correlation"\nx = "stres"\ny = "trust'), 'mean "stress"?)'),
        (
            LEVEL.replace('level"\noutcome = "fear"\nvalue = 0', 'bunching"\nvalue = 2'),
            "value = 2.1: must be a number from -1 to 1",
        ),
        (SHARE.replace("= 0.4", "= 1.1"), 'pattern "d": value = 1.1: must be a number from 0 to 1'),
        (SHARE.replace("= 0.4", "= -0.1"), 'pattern "d": value = -0.1: must be a number from 0 to 1'),
        (SURVEY.replace("window = 6", "window = 13") + LEVEL, "survey.window = 13: must be at most survey.months = 12"),
        (SURVEY.replace("targets = 0.5", "") + LEVEL, "survey.targets: missing"),
        (SURVEY.replace("targets = 0.5", "targets = 5") + LEVEL, "survey.targets = 5: must be a number from 0 to 1"),
        (SURVEY.replace("months = 12", "months = 0") + LEVEL, "survey.months = 0: must be a whole number from 1 to"),
        (SURVEY.replace("sd = 0.2\n", "sd = [0.2]\n") + LEVEL, "sd = [0.2]: must be a number, or a range of two, [low"),
        (SURVEY.replace("sd = 0.2\n", "sd = [0.2, 0.1]\n") + LEVEL, "must be a range [low, high] with low < high"),
        (SURVEY.replace("sd = 0.2\n", "sd = [0.2, 0.2]\n") + LEVEL, "must be a range [low, high] with low < high"),
        (SURVEY.replace("sd = 0.2\n", "sd = [-0.2, 0.1]\n") + LEVEL, "survey.monitoring_sd = -0.2: must be a number"),
        (
            SURVEY.replace("targets = 0.5", "targets = [0.1, 0.2]") + LEVEL,
            "survey.targets = [0.1, 0.2]: must be a number",
        ),
        (SURVEY + "seeds = 0\n" + LEVEL, "survey.seeds = 0: must be a whole number from 1 to"),
        (SURVEY + "systmes = 3\n" + LEVEL, 'survey.systmes: no such key (did you mean "systems"?)'),
        ("survey = 3\n" + LEVEL, "survey = 3: must be a section [survey]"),
        ("pattern = [1]", "pattern 1: 1 is not a table"),
        ("pattern = []", "pattern: there must be a table [[pattern]]"),
        ("pattern = 3", "pattern: there must be a table [[pattern]]"),
    ],
)
def test_a_mistake_gets_one_line_that_says_what_is_allowed(tmp_path, text, line):
    found = mistakes(tmp_path, text)
    assert any(line in each for each in found), found


def test_a_parameter_in_a_policy_is_one_mistake_whatever_its_value(tmp_path):
    assert len(mistakes(tmp_path, CONTRAST.replace("monitoring = 0.1", "burden = 9"))) == 1


def test_the_ends_of_what_is_allowed_are_allowed(tmp_path):
    first = PATH.replace("on = 6", "on = 1").replace("months = [3", "months = [1")
    last = PATH.replace("off = 12", "off = 1200").replace("12, 18]", "12, 1200]")
    wide = LEVEL.replace("value = 0.1", "value = -9e99").replace("sd = 0.1", "sd = 1e-100")
    for text in (first, last, wide, *(SHARE.replace("= 0.4", end) for end in ("= 0.0", "= 1.0"))):
        assert len(load(written(tmp_path, text)).patterns) == 1
    assert "months" in mistakes(tmp_path, last.replace("1200]", "1201]"))[0]
    for beyond in ("value = 1e100", "value = -1e100", "sd = 1e100", "sd = 9e-101"):
        wrong = LEVEL.replace(f"{beyond.split()[0]} = 0.1", beyond)
        assert mistakes(tmp_path, wrong)[0].startswith(f'pattern "a": {beyond.split()[0]} = ')
    assert "on = 0" in mistakes(tmp_path, PATH.replace("on = 6", "on = 0"))[0]


def test_all_mistakes_of_a_file_are_named_at_once(tmp_path):
    text = LEVEL.replace("fear", "faer") + CONTRAST.replace("sd = 0.1", "sd = 0") + PATH.replace("on = 6", "on = 0")
    assert len(mistakes(tmp_path, text)) == 3


def test_a_file_that_is_no_toml_or_not_there_is_refused_in_one_line(tmp_path):
    with pytest.raises(InputError, match=r"line 1.*not valid TOML"):
        load(written(tmp_path, "[survey"))
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "none.toml")


def test_levels_may_be_turned_round_or_into_the_chance_in_a_year():
    assert TRANSFORMS["complement"](0.3) == 0.7
    assert TRANSFORMS["yearly_hazard"](0.5) == 1 - 0.5**12
    assert TRANSFORMS["none"](0.3) == 0.3


# What a study could measure


def test_there_are_at_most_forty_statistics_and_each_has_a_name_of_its_own():
    patterns, candidates = ([each.id for each in some] for some in (load().patterns, CANDIDATES))
    assert len(patterns + candidates) == len({*patterns, *candidates}) <= 40


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda each: each.id)
def test_a_candidate_is_of_things_that_the_model_has_and_not_a_pattern_that_is_there(candidate: Candidate):
    needs = dict(candidate.needs)
    assert candidate.kind in {*KINDS, "difference"}
    assert {needs[axis] for axis in ("x", "y") if axis in needs} <= VARIABLES.keys()
    assert needs.get("outcome", "fear") in OUTCOMES
    assert needs not in [dict(pattern.needs) for pattern in load().patterns]
    assert re.fullmatch(r"[a-z].*[a-z]", candidate.words)


def test_candidates_cost_no_run():
    evidence, sizes = load(), Sizes()
    needed = {arm for p in evidence.patterns for arm in survey._arms(p, evidence.survey, sizes)}
    assert needed == {arm for _, arms in survey.plan(evidence, sizes).statistics for arm in arms}
    assert [each.id for each, _ in survey.plan(evidence, sizes).statistics[len(evidence.patterns) :]] == [
        each.id for each in CANDIDATES
    ]


def test_a_finding_is_the_surer_the_more_are_asked_in_the_more_trusts_and_never_surer_than_what_is_asked():
    def sd(people: int, trusts: int, tolerance: float = 0.0) -> float:
        needs = {"x": "fear", "y": "skill"}
        return Candidate("a", "a", "correlation", needs, Study("all", people, trusts, tolerance)).sd

    assert sd(101, 101) == pytest.approx(0.1)  # 1/sqrt(n - 1)
    assert sd(101, 101, 0.1) == pytest.approx(0.1 * 2**0.5)
    assert sd(720, 120) == pytest.approx((720 / 1.5 - 1) ** -0.5)  # the design effect of six in a trust is 1.5
    assert sd(720, 720) < sd(720, 120) < sd(720, 12)
    assert sd(10**7, 10**7, 0.06) == pytest.approx(0.06, abs=1e-4)


def test_a_mean_is_as_sure_as_its_spread_and_a_difference_half_as_sure():
    study = Study("all", 400, 400)
    level = Candidate("a", "a", "level", {"outcome": "fear"}, study, 0.2)
    change = Candidate("b", "b", "difference", {"outcome": "fear"}, study, 0.2)
    assert (level.sd, change.sd) == (pytest.approx(0.01), pytest.approx(0.02))
