"""A mechanism is added by editing five files and rewriting what is generated; then the default tests are green.

The recipe of docs/extending.md, followed in a copy of the checkout: a lever `mentoring`, 0 by default, shields managers
from what their colleagues feel.
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
PARAMETER = '''    mentoring_shield: float = fear(0.4, low=0.0, high=0.8, null=0.0, unit="share of contagion")
    """How far a mentor shields from what colleagues feel. At 0.4 fear spreads by four tenths less."""

'''
MECHANISM = '    Mechanism("mentoring", "for", ("mentoring_shield",), "A mentor shields from contagious fear."),\n'
EDITS = {
    "sim/model/catalogue.py": [
        ("\n\n_quiet.__exit__(", LEVER, "before"),
        ("    fear_extinction: float = fear(", PARAMETER, "before"),
    ],
    "sim/model/rules.py": [
        ("(place.fear - fear)", "(1.0 - p.mentoring_shield * lever.mentoring) * ", "before"),
        (
            "fear_conformity·(F - fear);",
            "fear_conformity·(1 -\n    mentoring_shield·mentoring)·(F - fear);",
            "instead",
        ),
    ],
    "sim/model/mechanisms.py": [(")\n\n_HEAVY", MECHANISM, "before")],
    "sim/model/words.py": [
        ('    "monitoring_sd": Scale(', '    "mentoring": Scale("mentoring", "how many have a mentor"),\n', "before"),
        ('    "fear_extinction":', '    "mentoring_shield": "how far a mentor shields from fear",\n', "before"),
        ('    "reassurance":', '    "mentoring": "mentors shield from fear",\n', "before"),
    ],
    "tests/equations.py": [
        ("fear_blamed, fear_spared,\n):", "fear_blamed, fear_spared, mentoring,\n    mentoring_shield,\n):", "instead"),
        (
            "fear_conformity * (organisation",
            "fear_conformity * (1 - mentoring_shield * mentoring) * (organisation",
            "instead",
        ),
        ("fear_extinction=TOWARDS, fear_ambient", "mentoring=TOWARDS, mentoring_shield=TOWARDS, ", "before"),
    ],
}
"""By file: a text, another, and whether that comes before it or instead of it."""
GENERATED = (["docs/generate.py"],)


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
def test_a_mechanism_takes_five_files_and_leaves_the_default_tests_green(tmp_path: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    copy_of_the_checkout(tmp_path)
    add_the_mechanism(tmp_path)
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    assert len(EDITS) == 5
    for command in (*GENERATED, ["-m", "pytest", "-q", "-p", "no:cacheprovider"]):
        done = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
