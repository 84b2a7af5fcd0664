"""`sim.worlds`: a package that can be called."""

from __future__ import annotations

import subprocess
import sys

import pytest
from ensembles import kept, saved

import sim
from sim.worlds.ensemble import load


@pytest.fixture(scope="module")
def shipped():
    return str(len(load()))


@pytest.mark.slow
@pytest.mark.parametrize(
    "code",
    [
        "import sim; e = sim.worlds(); import sim.worlds.prior; p = sim.worlds.prior.prior(2)",
        "import sim.worlds.prior; p = sim.worlds.prior.prior(2); e = sim.worlds()",
        "from sim import worlds; e = worlds(); from sim.worlds import prior; p = prior.prior(2)",
    ],
)
def test_it_is_called_and_its_modules_are_imported_in_any_order(code, shipped):
    """In a process of its own, where nothing is imported yet."""
    code += "; print(len(e), len(p), len(sim.worlds()) if 'sim' in dir() else len(worlds()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == [shipped, "2", shipped], done.stderr


def test_importing_sim_loads_no_worlds():
    code = "import sim, sys; print([m for m in sys.modules if m.startswith(('sim.worlds', 'numpy', 'pandas'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_both_priors_and_a_folder_of_ones_own(tmp_path):
    assert sim.worlds(all_on=True).chance_off == 0.0 < sim.worlds().chance_off
    main = kept(40)
    folder = saved(tmp_path / "mine", main)
    assert len(sim.worlds(folder)) == 40
    assert sim.worlds(folder, all_on=True).chance_off == 0.0
