"""A mechanism is added by editing seven files and rewriting what is generated; then the default tests are green.

The recipe of docs/extending.md, followed in a copy of the checkout: a lever `mentoring`, 0 by default, shields managers
from what being watched makes them feel. The answer is another model's until it is computed anew, and says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LEVER = '''
    mentoring: float = lever(0.0)
    """How far managers have a mentor outside their organisation. At 0 nobody has."""

'''
PARAMETER = '''    mentoring_shield: float = fear(0.4, low=0.0, high=0.8, null=0.0, unit="share of ambient fear")
    """How far a mentor shields from the fear of being watched. At 0.4 watching frightens by four tenths less."""

'''
MECHANISM = '    Mechanism("mentoring", "for", ("mentoring_shield",), "A mentor makes watching less frightening."),\n'
EDITS = {
    "sim/model/catalogue.py": [
        ("\n\n_quiet.__exit__(", LEVER, "before"),
        ("    fear_extinction: float = fear(", PARAMETER, "before"),
    ],
    "sim/model/rules.py": [
        ("watched * lever.punitiveness * k", "(1.0 - p.mentoring_shield * lever.mentoring) * ", "before"),
        ("anxiety·fear_ambient·(m", "anxiety·fear_ambient·(1 -\n    mentoring_shield·mentoring)·(m", "instead"),
    ],
    "sim/model/mechanisms.py": [(")\n\n_HEAVY", MECHANISM, "before")],
    "sim/model/words.py": [
        ('    "monitoring_sd": Scale(', '    "mentoring": Scale("mentoring", "how many have a mentor"),\n', "before"),
        ('    "fear_extinction":', '    "mentoring_shield": "how far a mentor shields from fear",\n', "before"),
        ('    "reassurance":', '    "mentoring": "mentors shield from fear",\n', "before"),
    ],
    "tests/equations.py": [
        ("fear_blamed, fear_spared,\n):", "fear_blamed, fear_spared, mentoring,\n    mentoring_shield,\n):", "instead"),
        ("watched * punitiveness * k", "(1 - mentoring_shield * mentoring) * ", "before"),
        ("fear_ambient=UP, fear_targets", "mentoring=DOWN, mentoring_shield=DOWN, ", "before"),
    ],
    "tests/numpy_model.py": [
        ("watched * lever.punitiveness * now.k", "(1.0 - p.mentoring_shield * lever.mentoring) * ", "before"),
    ],
    "docs/causal.py": [
        ('("learned_fear", "contagion", ', '("learned_fear", "contagion", "mentoring", ', "instead"),
        ('"recognition", "relationship_sd")', '"recognition", "relationship_sd", "mentoring")', "instead"),
    ],
}
"""By file: a text, another, and whether that comes before it or instead of it."""
GENERATED = ["docs/generate.py"]
OF_ANOTHER_MODEL = (
    "tests/test_headline.py::test_it_is_this_models_answer",
    "tests/test_headline.py::test_effects_follow_from_running_their_worlds_again_to_the_bit",
)
"""Tests that say of a changed model that its answer was computed by another."""


def copy_of_the_checkout(to: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, to / name)


def add_the_mechanism(to: Path) -> None:
    for name, edits in EDITS.items():
        text = (to / name).read_text(encoding="utf-8")
        for there, new, how in edits:
            assert text.count(there) == 1, (name, there)
            text = text.replace(there, new + there if how == "before" else new)
        (to / name).write_text(text, encoding="utf-8")


@pytest.mark.exhaustive
def test_a_mechanism_takes_seven_files_and_leaves_the_default_tests_green(tmp_path: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    copy_of_the_checkout(tmp_path)
    add_the_mechanism(tmp_path)
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    assert len(EDITS) == 7
    others = [f"--deselect={name}" for name in OF_ANOTHER_MODEL]
    for command in (GENERATED, ["-m", "pytest", "-q", "-p", "no:cacheprovider", *others]):
        done = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
