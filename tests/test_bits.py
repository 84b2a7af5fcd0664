"""The same bits from every engine and on every machine (`bits.json`), and dead lanes that count nowhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import bits
import numpy as np
import pytest

from sim.model import engine
from sim.model.mesa_model import LeadershipModel
from sim.model.parameters import resolve

KEPT: dict[str, str] = json.loads(bits.FILE.read_text(encoding="utf-8"))


def test_the_file_holds_the_runs_of_the_list() -> None:
    assert list(KEPT) == ["all", *bits.RUNS]
    assert len(set(KEPT.values())) == len(KEPT)


@pytest.mark.parametrize("name", bits.RUNS)
def test_the_compiled_engine_gives_the_bits_of_the_file(name: str) -> None:
    assert bits.compiled(bits.RUNS[name]) == KEPT[name]


@pytest.mark.parametrize("name", bits.SMALL)
def test_the_mesa_model_gives_the_bits_of_the_file(name: str) -> None:
    settings = bits.SMALL[name]
    model = LeadershipModel(rng=bits.seed_of(settings), record_organisations=True, **settings)
    model.run_model()
    assert bits.digest(model.record) == KEPT[name]


@pytest.mark.parametrize("posts", [1, 7, 9, 63, 65])
def test_dead_lanes_count_nowhere(posts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All memory but that of places and streams begins as NaN."""
    settings = bits.SMALL[f"{posts} managers"]
    zeros = np.zeros

    def poisoned(shape: Any, *dtype: Any) -> Any:
        made = zeros(shape, *dtype)
        if (isinstance(shape, int) and shape % engine.BLOCK == 0) or shape == engine.LANES * engine.ABREAST:
            made[:] = np.nan
        return made

    with monkeypatch.context() as patched:
        patched.setattr(engine.np, "zeros", poisoned)
        assert bits.compiled(settings) == KEPT[f"{posts} managers"]


def test_a_market_that_must_grow_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine returns before a month for which there may be no room, and goes on."""
    p = resolve(systems=1, exit_base=0.3, market_months=60.0)
    calls, bare = [], engine.advance
    monkeypatch.setattr(engine, "advance", lambda *given: calls.append(given[0]) or bare(*given))
    record = engine.run(p, 1)
    assert len(calls) > 1
    model = LeadershipModel(rng=1, systems=1, exit_base=0.3, market_months=60.0)
    model.run_model()
    assert np.array_equal(record.sums, model.record.sums)


@pytest.mark.exhaustive
@pytest.mark.parametrize("environment", [
    {"NUMBA_CPU_NAME": "generic"},
    {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2,+fma"},
    {"NUMBA_OPT": "1"},
    {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-FMA,-AVX2,-AVX512F"},
], ids=str)  # fmt: skip
def test_the_bits_are_the_same_on_other_processors(environment: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, str(Path(bits.__file__))]
    where = os.environ | environment | {"NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(command, env=where, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, KEPT["all"] + "\n"), done.stderr


@pytest.mark.exhaustive
def test_the_engine_fuses_no_product_with_a_sum_and_calls_no_mathematical_library(tmp_path: Path) -> None:
    code = (
        "from sim.model import compiling, engine; compiling.cache_folder = lambda: None; engine.warm_up();"
        "print(list(engine.advance.inspect_asm().values())[0])"
    )
    where = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    text = subprocess.run([sys.executable, "-c", code], env=where, capture_output=True, text=True, check=True).stdout
    assert "vmulpd" in text or "mulpd" in text
    assert not re.findall(r"\bv?fn?m(?:add|sub)\w*", text)
    assert not re.findall(r"\b(?:exp|log|pow|expm1|log1p|exp2|log2)(?:@|\b)", text)
