"""The studies in experiments/: each asks a question, explains itself in words that exist, and runs."""

from __future__ import annotations

import re
import runpy
import tomllib
from pathlib import Path
from typing import Any

import pytest

from sim.claims.statements import CLAIMS
from sim.model.outcomes import OUTCOMES, POST_COLUMNS
from sim.model.parameters import MECHANISMS, PARAMETERS, REGIMES
from sim.report.study import save
from sim.study import Study
from sim.study.plan import Outcomes, Plan, Precision

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
STUDIES = sorted(EXPERIMENTS.glob("*.toml"))
KNOWN = {*PARAMETERS, *OUTCOMES, *POST_COLUMNS, *MECHANISMS, *REGIMES}
KEYS = {*Plan.model_fields, *Outcomes.model_fields, *Precision.model_fields, "kind", "samples", "levels", "cell", "sim"}
TINY = {"systems": 1, "organisations": 2, "managers": 3, "months": 6}
FEW = {"systems": [1, 2], "managers": [2, 3], "organisations": [1, 2]}

gallery = runpy.run_path(str(EXPERIMENTS / "gallery.py"))


def reduced(path: Path) -> Study:
    """A study with all its cells but few of its samples, two seeds and a tiny nation."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    design = table.get("design", {})
    last = max((month for plan in schedules(table) for month in map(int, plan)), default=0)
    settings: dict[str, Any] = {"seeds": 2, "window": 3}
    for name, size in TINY.items():
        value = FEW[name] if name in design else max(size, last) if name == "months" else size
        settings[f"design.{name}" if name in design else f"parameters.{name}"] = value
    if "samples" in design:
        settings["design.samples"] = 8 if design["kind"] in ("morris", "sobol") else 64  # enough for an index
    return Study.load(path, settings)


def schedules(table: dict[str, Any]) -> list[dict[str, Any]]:
    """Every plan of a lever by month in a study, and the months of its factors such as monitoring@36."""
    design = table.get("design", {})
    tables = [table.get("schedule", {}), *(cell.get("schedule", {}) for cell in design.get("cell", []))]
    plans = [plan for found in tables for plan in found.values()]
    return [*plans, {name.partition("@")[2]: 0 for name in design if "@" in name}]


def comments(path: Path) -> str:
    return "\n".join(line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#"))


def test_every_claim_has_a_study_of_its_name():
    names = {path.stem for path in STUDIES}
    assert {claim.id for claim in CLAIMS} <= names
    assert {"tipping", "optimum", "sensitivity", "scale"} <= names


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_study_asks_a_question_and_says_what_to_change_and_what_to_expect(path):
    text = comments(path)
    assert gallery["question"](path.read_text(encoding="utf-8")).endswith("?")
    assert len(re.findall(r"^# Change first: \S", text, re.M)) == 1
    assert len(re.findall(r"^# What to expect: \S", text, re.M)) == 1
    assert Study.load(path).plan.title


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_the_names_in_its_comments_exist(path):
    spelled = set(re.findall(r"\b[a-z]+(?:_[a-z0-9]+)+\b", comments(path)))
    assert spelled <= KNOWN | KEYS


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_study_runs_at_reduced_size(path, tmp_path):
    study = reduced(path)
    results = study.run(tmp_path / path.stem, workers=1)
    assert not results.missing
    assert results.counts == (study.size, 0)
    assert results.runs[list(results.outcomes)].notna().all(axis=None)


@pytest.mark.slow
@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_study_is_drawn_at_reduced_size(path, tmp_path):
    assert all(file.stat().st_size for file in save(reduced(path).run(tmp_path / path.stem, workers=1)))


def test_the_table_in_the_readme_is_what_the_studies_say():
    text = (EXPERIMENTS / "README.md").read_text(encoding="utf-8")
    assert gallery["filled"](text) == text, "run: python docs/generate.py"
    for path in STUDIES:
        assert text.count(f"]({path.name})") == 1
