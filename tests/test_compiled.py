"""The cache of compiled code: what is damaged, empty or cannot be written is made again, in silence and never wrong."""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numba
import pytest

from sim.errors import InputError
from sim.model import compiling as compiled
from sim.model import engine

SCRIPT = (
    "import sim; print(sim.simulate(0, months=6, systems=1, organisations=2, managers=3).record.sums.tobytes().hex())"
)
pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of its own, which holds what was compiled for the engine."""
    engine.warm_up()
    folder = compiled.cache_folder()
    if folder is None:
        pytest.skip("no folder can be written to keep compiled code")
    files = list(folder.glob(file_name()))  # not those of another Python
    monkeypatch.setattr(compiled, "cache_folder", lambda: tmp_path)
    for file in files:
        shutil.copy(file, tmp_path)
    return tmp_path / file_name()


def file_name() -> str:
    entry: Any = engine.advance
    file = compiled._file(entry.signatures[0], entry.targetctx.codegen())
    assert file is not None
    return file.name


def loaded() -> Any:
    """What the cache gives for the engine: compiled code, or None."""
    entry: Any = engine.advance
    return compiled._OnDisk().load_overload(entry.signatures[0], entry.targetctx)


def test_whole_files_are_loaded_and_nothing_is_said(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert kept.exists()
    assert loaded() is not None
    assert capsys.readouterr().err == ""


def test_a_file_with_any_bit_changed_is_as_good_as_none(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, chance = kept.read_bytes(), random.Random(0)
    for place in [*range(64), 3861, len(content) - 1, *(chance.randrange(len(content)) for _ in range(60))]:
        flipped = bytearray(content)
        flipped[place] ^= 1 << chance.randrange(8)
        kept.write_bytes(flipped)
        assert loaded() is None
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("Compiling the engine, once")


@pytest.mark.parametrize("left", [0, 1, 32, 33, 1000, -1])
def test_a_file_that_is_empty_or_cut_off_is_as_good_as_none(kept: Path, left: int) -> None:
    kept.write_bytes(kept.read_bytes()[:left])
    assert loaded() is None


def test_a_folder_in_the_place_of_a_file_is_as_good_as_none(kept: Path) -> None:
    kept.unlink()
    kept.mkdir()
    assert loaded() is None


def test_a_full_disk_while_compiled_code_is_kept_is_no_failure(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry: Any = engine.advance
    made = SimpleNamespace(
        codegen=entry.targetctx.codegen(), library=SimpleNamespace(has_dynamic_globals=False), _reduce=lambda: b"code"
    )
    before = kept.read_bytes()

    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        compiled._OnDisk().save_overload(entry.signatures[0], made)
    assert kept.read_bytes() == before
    assert list(kept.parent.iterdir()) == [kept]
    compiled._OnDisk().save_overload(entry.signatures[0], made)
    assert kept.read_bytes() != before


def test_a_model_in_doubt_is_not_kept(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Its files changed after they were loaded: what it compiles has no name."""

    def doubt() -> str:
        raise InputError(["sim.model.rules: changed since it was loaded"])

    monkeypatch.setattr(compiled, "identity", doubt)
    monkeypatch.setattr(compiled, "cache_folder", compiled.cache_folder.__wrapped__)
    assert compiled.cache_folder() is None
    assert loaded() is None
    assert "it cannot be kept" in capsys.readouterr().err


@pytest.mark.exhaustive
def test_a_damaged_file_costs_a_compilation_and_no_number_changes(tmp_path: Path) -> None:
    def run() -> tuple[str, str]:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}, capture_output=True,
            text=True, check=True,
        )  # fmt: skip
        return done.stdout, done.stderr

    first, said = run()
    assert "Compiling the engine, once" in said
    assert run() == (first, "")
    (file,) = tmp_path.rglob("*.compiled")
    whole = file.read_bytes()
    file.write_bytes(whole[:3861] + bytes([whole[3861] ^ 1]) + whole[3862:])
    again, said = run()
    assert again == first
    assert "Compiling the engine, once" in said
    assert run() == (first, "")
