"""What is tested, and what scripts describe, is the checkout that they lie in, even where another copy is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import sim

ROOT = Path(__file__).resolve().parent.parent
ASK = "import sim; print(sim.__file__)"
ASK_SCRIPT = "import runpy, sys; runpy.run_path(sys.argv[1]); print(sys.modules['sim'].__file__)"


@pytest.fixture
def installed(tmp_path: Path) -> str:
    """A folder of packages with another copy of this one."""
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "sim.py").write_text("", encoding="utf-8")
    return str(tmp_path / "packages")


def found(command: list[str], folder: Path, path: str) -> Path:
    """The file that a new process takes for `sim`, if it is started in this folder with this PYTHONPATH."""
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return Path(done.stdout.strip()).resolve()


def test_this_process_tests_the_checkout() -> None:
    assert Path(sim.__file__).resolve() == ROOT / "sim" / "__init__.py"


def test_a_process_that_a_test_starts_runs_the_checkout(installed: str, tmp_path: Path) -> None:
    assert found([sys.executable, "-c", ASK], tmp_path, installed) == Path(installed) / "sim.py"
    path = os.pathsep.join([os.environ["PYTHONPATH"], installed])
    assert found([sys.executable, "-c", ASK], tmp_path, path) == ROOT / "sim" / "__init__.py"


@pytest.mark.parametrize("script", ["docs/generate.py", "tests/update_baseline.py"])
def test_a_script_describes_the_checkout(script: str, installed: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", ASK_SCRIPT, str(ROOT / script)]
    assert found(command, tmp_path, installed) == ROOT / "sim" / "__init__.py"
