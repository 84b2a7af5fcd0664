"""mypy finds a misspelt parameter or lever in the rules, because they are annotated with the real types."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")
ROOT = Path(__file__).parents[1]


MISSPELT = {
    "p.fear_conformity": ("p.fear_conformty", '"Parameters" has no attribute "fear_conformty"'),
    "lever.publicity": ("lever.publicty", '"Levers" has no attribute "publicty"'),
    "lever.recognition": ("lever.fear_system", '"Levers" has no attribute "fear_system"'),
    "post.anxiety": ("post.anxeity", '"Post" has no attribute "anxeity"'),
}
"""What a rule reads, what it reads instead, and what mypy says of it."""


@pytest.mark.slow
def test_mypy_finds_a_misspelt_name_in_a_rule(tmp_path: Path) -> None:
    """In a copy of the package; each name is misspelt where it is read first."""
    shutil.copytree(ROOT / "sim", tmp_path / "sim", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    rules = tmp_path / "sim" / "model" / "rules.py"
    text = rules.read_text(encoding="utf-8")
    for written, (misspelt, _) in MISSPELT.items():
        assert written in text
        text = text.replace(written, misspelt, 1)
    rules.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path / "cache"), "sim/model/rules.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    for _, found in MISSPELT.values():
        assert found in done.stdout, done.stdout + done.stderr
