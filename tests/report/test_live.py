"""The page's engine: the same bits as the compiled engine, run in node and in Chromium; what is broken is refused."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from sim.errors import InputError
from sim.model import engine
from sim.model.parameters import resolve
from sim.model.version import identity
from sim.report import live
from sim.report.live import build

HERE = Path(live.__file__).parent
AGAIN = "run `python -m sim.report.live.build`"
NODE = shutil.which("node")
RUNS: list[dict[str, Any]] = [
    {"seed": 1, "systems": 1, "organisations": 1, "managers": 1, "months": 30},
    {"seed": 2, "systems": 1, "organisations": 1, "managers": 7, "months": 24, "regime": "heavy"},
    {"seed": 3, "systems": 2, "organisations": 2, "managers": 4, "months": 24, "regime": "just_culture"},
    {"seed": 4, "systems": 1, "organisations": 3, "managers": 3, "months": 24, "regime": "heavy"},
    {"seed": 5, "systems": 3, "organisations": 5, "managers": 12, "months": 36},
    {"seed": 2**63 - 1, "systems": 2, "organisations": 5, "managers": 13, "months": 36, "regime": "heavy"},
    {"seed": 7, "systems": 6, "organisations": 5, "managers": 12, "months": 120, "regime": "heavy"},
    {"seed": 8, "systems": 2, "organisations": 4, "managers": 3, "months": 24,
     "schedule": {"monitoring": {3: 0.9, 13: 0.1}, "leniency": {5: 1.0}}},
    {"seed": 9, "systems": 1, "organisations": 2, "managers": 4, "months": 12, "relationship_sd": 0.3, "window": 5},
    {"seed": 10, "systems": 1, "organisations": 1, "managers": 4, "months": 400, "regime": "heavy",
     "market_months": 300.0},
]  # fmt: skip
HARNESS = """
const say = async (bytes) => {
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(sum, (byte) => byte.toString(16).padStart(2, "0")).join("");
};
const answer = async (load, bytes, about, runs, model) => {
  try {
    const engine = await load(bytes, about, model);
    const told = [];
    for (const asked of runs) {
      const { sums, totals, last } = engine.run({ ...asked, seed: BigInt(asked.seed) });
      told.push([await say(sums), await say(totals), await say(last)]);
    }
    return JSON.stringify(told);
  } catch (error) {
    return JSON.stringify("refused: " + error.message);
  }
};
"""


def asked(run: dict[str, Any]) -> dict[str, Any]:
    """A run as the page is asked for it."""
    p = resolve(**{name: value for name, value in run.items() if name != "seed"})
    return {
        "seed": str(run["seed"]),
        "sizes": {name: getattr(p, name) for name in ("systems", "organisations", "managers", "months", "window")},
        "values": [getattr(p, name) for name in engine._Values._fields],
        "levers": engine.lever_table(p).reshape(-1).tolist(),
    }


def native(run: dict[str, Any]) -> list[str]:
    """The hashes of a run's results in the compiled engine."""
    found = engine.run(resolve(**{name: value for name, value in run.items() if name != "seed"}), run["seed"])
    return [hashlib.sha256(part.tobytes()).hexdigest() for part in (found.sums, found.totals, found.last)]


def script(wasm: bytes, runs: list[dict[str, Any]], model: str) -> str:
    """The engine, what is asked of it, and a promise of the answer: `told`."""
    about = (HERE / "engine.json").read_text(encoding="utf-8")
    bytes_ = f"Uint8Array.from(atob('{base64.b64encode(wasm).decode()}'), (c) => c.charCodeAt(0))"
    call = f"answer(LiveEngine.load, {bytes_}, {about}, {json.dumps(list(map(asked, runs)))}, {json.dumps(model)})"
    return f"{(HERE / 'engine.js').read_text(encoding='utf-8')}\n{HARNESS}\nconst told = {call};"


def in_node(folder: Path, wasm: bytes, runs: list[dict[str, Any]], model: str | None = None) -> Any:
    if NODE is None:
        pytest.skip("no node here")
    file = folder / "run.cjs"
    file.write_text(f"{script(wasm, runs, model or identity())}\ntold.then(console.log);", encoding="utf-8")
    return json.loads(subprocess.run([NODE, file], capture_output=True, text=True, check=True, timeout=120).stdout)


@pytest.fixture(scope="module")
def wasm() -> bytes:
    return (HERE / "engine.wasm").read_bytes()


def test_it_is_of_this_model(wasm: bytes) -> None:
    about = json.loads((HERE / "engine.json").read_text(encoding="utf-8"))
    assert about["identity"] == identity(), AGAIN
    assert about["sha256"] == hashlib.sha256(wasm).hexdigest(), AGAIN


def test_it_has_the_bits_of_the_compiled_engine_in_node(tmp_path: Path, wasm: bytes) -> None:
    assert in_node(tmp_path, wasm, RUNS) == [native(run) for run in RUNS]


def test_it_has_the_bits_of_the_compiled_engine_in_chromium(tmp_path: Path, wasm: bytes, browser: Any) -> None:
    page = tmp_path / "page.html"
    code = script(wasm, RUNS, identity())
    page.write_text(f"<!doctype html><meta charset=utf-8><script>{code}</script>", encoding="utf-8")
    browser.get(page.as_uri())
    browser.set_script_timeout(120)
    told = json.loads(browser.execute_async_script("told.then(arguments[0])"))
    assert told == [native(run) for run in RUNS]


def test_a_cut_file_and_another_model_are_refused(tmp_path: Path, wasm: bytes) -> None:
    assert in_node(tmp_path, wasm[:-1000], RUNS[:1]).startswith("refused: the engine is damaged")
    assert in_node(tmp_path, wasm, RUNS[:1], "0" * 16).startswith("refused: the engine is of another model")


def test_what_is_left_of_numba_is_refused() -> None:
    text = "declare i32 @NRT_incref()\ndefine i32 @e() {\n  %x = call i32 @NRT_incref()\n  ret i32 %x\n}\n"
    with pytest.raises(InputError, match="still has NRT_incref"):
        build.translate(text, "e")
    with pytest.raises(InputError, match="counts in bytes"):
        build.translate(text.replace("call i32 @NRT_incref()", "ptrtoint ptr null to i32"), "e")


def test_without_a_linker_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "find_spec", lambda name: None)
    monkeypatch.setattr(build.shutil, "which", lambda name: None)
    with pytest.raises(InputError, match="no linker"):
        build.link((b"",))


@pytest.mark.slow
def test_its_bytes_repeat(wasm: bytes) -> None:
    """With the versions of constraints.txt, and the Python whose instructions Numba read."""
    if sys.version_info[:2] != (3, 11):
        pytest.skip("it was built with Python 3.11")
    if find_spec("ziglang") is None:
        pytest.skip("no linker for WebAssembly here")
    code = "from sim.report.live.build import build; print(build()[1]['sha256'])"
    made = subprocess.run([sys.executable, "-c", code], env=os.environ | build.ENVIRONMENT, capture_output=True,
                          text=True, check=True)  # fmt: skip
    assert made.stdout.strip() == hashlib.sha256(wasm).hexdigest(), AGAIN
