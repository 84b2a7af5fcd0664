"""The page's engine: WebAssembly made of the compiled engine gives its bits, in node and in a browser."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.model import engine
from sim.model.parameters import COEFFICIENTS, LEVERS, SPREADS, Parameters, resolve
from sim.model.version import identity
from sim.report.live import build

FOLDER = Path(build.__file__).parent
RUNS: dict[str, tuple[int, dict[str, Any]]] = {
    "one manager": (0, dict(systems=1, organisations=1, managers=1, months=3)),
    "seven": (1, dict(systems=1, organisations=1, managers=7, months=12)),
    "eight": (2, dict(systems=1, organisations=2, managers=4, months=12)),
    "nine": (3, dict(systems=3, organisations=1, managers=9, months=12)),
    "sixty-five": (4, dict(systems=2, organisations=5, managers=13, months=24)),
    "heavy": (5, dict(regime="heavy", systems=2, organisations=3, managers=6, months=36)),
    "a crowded market": (6, dict(regime="kark_full", systems=2, organisations=2, managers=4, months=60, dismissal=0.8,
                                 exit_base=0.3, slip_negligence=0.6, market_months=1000.0)),
    "the largest seed": (2**63 - 1, dict(systems=1, organisations=2, managers=5, months=12)),
    "a schedule": (7, dict(systems=2, organisations=2, managers=5, months=24, schedule={"monitoring": {6: 0.9}})),
    "ten years": (8, dict(systems=6, organisations=6, managers=10, months=120)),
}  # fmt: skip


def asked(seed: int, p: Parameters) -> dict[str, Any]:
    """What engine.js is asked for, as JSON can hold it; a seed of more than 53 bits is text."""
    own = dict(systems=p.systems, organisations=p.organisations, managers=p.managers, months=p.months, window=p.window,
               everywhere=0, sanction_month=-1, sanction_post=-1)  # fmt: skip
    table = engine.lever_table(p)
    return {
        "seed": str(seed),
        "sizes": {name: own.get(name, 0) for name in engine.Sizes._fields},
        "values": {name: getattr(p, name) for name in (*COEFFICIENTS, *SPREADS)},
        "levers": {name: table[:, k].tolist() for k, name in enumerate(LEVERS)},
    }


def native(run: dict[str, Any], advance: Any = engine.advance, lengths: Any = None) -> str:
    """The hash of a run's results from the compiled engine, called as the page calls it."""
    kinds = {name: kind for name, kind in build._types(advance).items() if hasattr(kind, "dtype")}
    sizes, months = np.array(list(run["sizes"].values()), np.int64), run["sizes"]["months"]
    long = np.zeros(len(kinds), np.int64)
    (lengths or engine.lengths)(sizes, long)
    arrays = {name: np.zeros(n, kind.dtype.name) for (name, kind), n in zip(kinds.items(), long, strict=True)}
    arrays["sizes"][:], arrays["values"][:] = sizes, list(run["values"].values())
    arrays["levers"][:] = np.column_stack(list(run["levers"].values())).reshape(-1)
    reached = 0
    while (reached := advance(reached, np.uint64(int(run["seed"])), *arrays.values())) < months:
        market = arrays["market"]
        arrays["market"] = np.concatenate([market, np.zeros(max(len(market), 4096))])
    return hashlib.sha256(b"".join(arrays[name].tobytes() for name in build.RESULTS)).hexdigest()


HARNESS = """
const bytes = Uint8Array.from(atob(WASM), (letter) => letter.charCodeAt(0));
async function hashes() {
  const engine = await load(bytes, FACTS);
  const told = [];
  for (const asked of RUNS) {
    const parts = Object.values(engine.run(asked)).map((array) => new Uint8Array(array.buffer));
    const whole = new Uint8Array(await new Blob(parts).arrayBuffer());
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
    told.push(Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join(""));
  }
  return told.join(" ");
}
const answer = await hashes().catch((error) => `${error.message}`);
"""


def script(module: bytes, facts: dict[str, Any], runs: list[dict[str, Any]]) -> str:
    given = dict(WASM=base64.b64encode(module).decode(), FACTS=facts, RUNS=runs)
    constants = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in given.items())
    return (FOLDER / "engine.js").read_text() + constants + HARNESS


def in_node(code: str, folder: Path) -> str:
    file = folder / "run.mjs"
    file.write_text(code + "console.log(answer);\n")
    done = subprocess.run(["node", file], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.strip()


def in_chromium(code: str, folder: Path) -> str:
    """The answer of a page in a browser without a window; it is part of the page, which is read when it stands."""
    page = folder / "page.html"
    page.write_text(f'<meta charset="utf-8"><p id="answer"></p><script type="module">{code}'
                    'document.getElementById("answer").textContent = answer;</script>')  # fmt: skip
    quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", *quiet, f"--user-data-dir={folder / 'profile'}",
               "--virtual-time-budget=100000", "--dump-dom", page.as_uri()]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    found = re.search('<p id="answer">(.*?)</p>', done.stdout)
    return unescape(found[1]) if found else done.stdout[-500:]


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
PLACES = [
    pytest.param(in_node, marks=pytest.mark.skipif(not shutil.which("node"), reason="there is no node here"), id="node"),
    pytest.param(in_chromium, marks=pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium here"), id="chromium"),
]
Place = Callable[[str, Path], str]


@pytest.fixture(scope="module")
def shipped() -> tuple[bytes, dict[str, Any]]:
    return (FOLDER / "engine.wasm").read_bytes(), json.loads((FOLDER / "engine.json").read_text())


@pytest.fixture(scope="module")
def runs() -> list[dict[str, Any]]:
    return [asked(seed, resolve(**settings)) for seed, settings in RUNS.values()]


@pytest.mark.parametrize("place", PLACES)
def test_every_run_has_the_bits_of_the_compiled_engine(place: Place, shipped, runs, tmp_path) -> None:
    assert dict(zip(RUNS, place(script(*shipped, runs), tmp_path).split(), strict=True)) == dict(
        zip(RUNS, map(native, runs), strict=True)
    )


def test_the_shipped_module_is_of_this_model_and_small(shipped) -> None:
    module, facts = shipped
    assert facts["identity"] == identity(), "run python -m sim.report.live.build"
    assert facts["sha256"] == hashlib.sha256(module).hexdigest()
    assert len(gzip.compress(module)) < 40_000


BROKEN = {
    "cut": (lambda module, facts: (module[:-100], facts), "its engine was cut or changed"),
    "changed": (lambda module, facts: (module[:900] + b"\0\0\0" + module[903:], facts), "its engine was cut or changed"),
    "of another model": (lambda module, facts: (module, facts | {"identity": "0" * 16}), "its numbers of 0000"),
    "cut, with a digest": (
        lambda module, facts: (module[:-100], facts | {"sha256": hashlib.sha256(module[:-100]).hexdigest()}),
        "its engine",
    ),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("broken, why", BROKEN.values(), ids=BROKEN)
def test_a_broken_page_is_refused_with_one_line(place: Place, broken, why: str, shipped, runs, tmp_path) -> None:
    told = place(script(*broken(*shipped), runs[:1]), tmp_path)
    assert told.startswith("This page is broken: ") and why in told and "\n" not in told


def rebuilt(environment: dict[str, str] | None = None, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command in another process, with what it writes going to the working directory."""
    code = f"import pathlib, sys; {before}; from sim.report.live import build; build.HERE = pathlib.Path('.')"
    command = [sys.executable, "-c", f"{code}; sys.exit(build.main())"]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | (environment or {}))


@pytest.mark.slow
def test_building_twice_gives_the_same_bytes(shipped, tmp_path, monkeypatch) -> None:
    """And those that are shipped, where the same versions made them."""
    pytest.importorskip("ziglang", reason="there is no linker here: pip install ziglang")
    monkeypatch.chdir(tmp_path)
    made = []
    for _ in range(2):
        done = rebuilt()
        assert done.returncode == 0, done.stderr
        made.append([Path(name).read_bytes() for name in ("engine.wasm", "engine.json")])
    assert made[0] == made[1]
    if json.loads(made[0][1])["made_with"] == shipped[1]["made_with"]:
        assert made[0][0] == shipped[0]


@pytest.mark.parametrize("before, why", [("import numba", "numba is loaded already"),
                                         ("sys.modules['ziglang'] = None", "there is no linker")])  # fmt: skip
def test_what_stands_in_the_way_of_building_is_one_line(before: str, why: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = rebuilt(before=before)
    assert done.returncode == 1 and done.stdout == "" and why in done.stderr and done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_an_entry_that_allocates_is_refused(tmp_path) -> None:
    code = """
import os
from sim.report.live import build
os.environ |= build.UNTOUCHED
import numpy as np
from numpy.typing import NDArray
def entry(n: int, out: NDArray[np.float64]) -> int:
    out[0] = np.empty(n).sum()
    return n
build.text(entry)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "the engine calls what WebAssembly has not: NRT_" in done.stderr.splitlines()[-1]
