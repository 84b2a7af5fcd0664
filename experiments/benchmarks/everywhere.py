"""The same answer everywhere? Usage: python experiments/benchmarks/everywhere.py [--quick] [--python PATH ...]

`answers.py` computes the same results in each of several environments, and their bits are compared with those of the
first. An environment is new: each of Python 3.11, 3.12 and 3.13 that is found here (or given), with the versions of
constraints.txt, with the newest that pyproject.toml allows, and with the oldest, which are its lower bounds, or where
there is no wheel of that for this Python, the next version that has one. Then, in the first environment, everything
that must not matter: threads, processes, chunks, caches, whether anything is compiled; and what may: how the compiler
optimises, for which processor it does, and which processor the C library finds.

Columns: `environment` and its `versions`; `streams`, NumPy's random numbers; `runs`, in which every regime is
simulated, and every mechanism is switched off; `mesa`, the same by the Mesa model, of which `engines` tells whether it
gives the same bits as the compiled engine there; `study`, all tables of a study; `lhs`, `sobol` and `morris`, sampled
designs: "equal" bits, or what is not. `differences` tells the same of effects with their intervals and verdicts; where
they are not equal, by how much they differ, relatively, at most. `apart` is the largest difference of a mean over 100
runs from that of the first environment, in standard errors: agreement where bits differ.

Environments are made in a temporary folder, from wheels only; a few hundred megabytes each are fetched.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import measuring
import numpy as np
import pandas as pd
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = measuring.HERE.parents[1]
PYTHONS = ("3.11", "3.12", "3.13")
CONSTRAINED = "constraints.txt"
KINDS = (CONSTRAINED, "newest", "oldest")
AT_ONCE = 2

SAME: dict[str, tuple[list[str], dict[str, str]]] = {
    "the same again, warm cache": ([], {}),
    "2 threads": (["--threads", "2"], {}),
    "8 threads": (["--threads", "8"], {}),
    "2 processes": (["--threads", "2", "--where", "processes"], {}),
    "2 Dask workers": (["--threads", "2", "--where", "dask"], {}),
    "chunks of one run": (["--budget", "1"], {}),
    "chunks of some runs, 8 threads": (["--budget", "2000", "--threads", "8"], {}),
    "empty cache": ([], {"XDG_CACHE_HOME": "{new}"}),
    "no cache": ([], {"XDG_CACHE_HOME": "/dev/null", "HOME": "/dev/null"}),
    "other order of sets": ([], {"PYTHONHASHSEED": "1"}),
    "not compiled": ([], {"NUMBA_DISABLE_JIT": "1"}),
}
"""What must not change a bit: arguments of `answers.py`, and variables of its environment."""
OTHERS: dict[str, dict[str, str]] = {
    "compiled without optimising": {"NUMBA_OPT": "0"},
    "compiled for any x86-64": {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
    "compiled without AVX": {"NUMBA_ENABLE_AVX": "0"},
    "NumPy without AVX-512": {"NPY_DISABLE_CPU_FEATURES": "AVX512F"},
    "C library without FMA": {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2"},
}
"""Other processors, as far as this one can pass for them."""


class Environment:
    """A virtual environment in a folder of its own, with its own cache."""

    def __init__(self, python: str, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        said = subprocess.run([python, "-m", "venv", folder / "venv"], capture_output=True, text=True, check=False)
        if said.returncode:
            raise SystemExit(f"{python} cannot make a virtual environment: {said.stdout}{said.stderr}")
        self.python = folder / "venv" / "bin" / "python"

    def install(self, *wanted: str) -> str:
        """Install wheels; return what pip complains about, nothing where it is done."""
        options = ("--quiet", "--disable-pip-version-check", "--only-binary", ":all:")
        return self._complaint("-m", "pip", "install", *options, *wanted)

    def _complaint(self, *arguments: str) -> str:
        done = subprocess.run([self.python, *arguments], capture_output=True, text=True, check=False)
        return done.stderr if done.returncode else ""

    def answers(self, name: str, arguments: Sequence[str], variables: dict[str, str]) -> dict[str, Any]:
        """What `answers.py` prints there, done in the manner called `name`."""
        started = time.monotonic()
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "NUMBA_"))}
        own = {"XDG_CACHE_HOME": str(self.folder / "cache"), "MPLCONFIGDIR": str(self.folder / "cache")}
        with tempfile.TemporaryDirectory(dir=self.folder) as new:
            asked = {name: value.format(new=new) for name, value in variables.items()}
            done = subprocess.run(
                [self.python, measuring.HERE / "answers.py", *arguments],
                cwd=self.folder,
                env=clean | own | asked,
                capture_output=True,
                text=True,
                check=False,
            )
        print(f"{time.monotonic() - started:4.0f} s: {name}", flush=True)
        if done.returncode:
            return {"failed": done.stderr.strip().splitlines()[-1]}
        return dict(json.loads(done.stdout))


def found(given: Sequence[str]) -> list[str]:
    """The interpreters given, or one of each supported version."""
    if given:
        return list(given)
    pythons = []
    for name in PYTHONS:
        places = [shutil.which(f"python{name}"), *sorted(Path.home().glob(f".pyenv/versions/{name}.*/bin/python"))]
        works = [str(place) for place in places if place and version_of(str(place)) == name]
        if not works:
            print(f"no Python {name} here; --python PATH adds one", flush=True)
        pythons += works[:1]
    return pythons


def version_of(python: str) -> str:
    """Major and minor version of an interpreter, nothing where it does not work."""
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def lower_bounds() -> dict[str, Requirement]:
    """What pyproject.toml requires, the cluster included, by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["cluster"]]
    return {wanted.name.lower(): wanted for wanted in map(Requirement, lines)}


def install_oldest(environment: Environment, wheel: str) -> list[str]:
    """Install every lower bound, or the oldest wheel after it for this Python; return what was raised, and to what."""
    bounds = lower_bounds()
    pinned = {name: next(iter(wanted.specifier)).version for name, wanted in bounds.items()}
    raised = {}
    while True:
        extras = {name: f"[{','.join(wanted.extras)}]" if wanted.extras else "" for name, wanted in bounds.items()}
        said = environment.install(wheel, *(f"{name}{extras[name]}=={pinned[name]}" for name in pinned))
        if not said:
            return [f"{name} {version}" for name, version in raised.items()]
        missing = re.search(r"requirement ([\w-]+)(?:\[.*?\])?==\S+ \(from versions: (.*)\)", said)
        if not missing:
            raise SystemExit(f"the lower bounds of pyproject.toml cannot be installed:\n{said}")
        name = missing[1].lower()
        later = [Version(text) for text in missing[2].split(", ") if Version(text) > Version(pinned[name])]
        pinned[name] = raised[name] = str(min(v for v in later if not v.is_prerelease))


def made(python: str, kind: str, folder: Path, wheel: str) -> tuple[str, Environment]:
    """An environment and what it is called."""
    name = f"Python {version_of(python)}, {kind}"
    environment = Environment(python, folder / re.sub(r"\W+", "_", name))
    raised: list[str] = []
    if kind == "oldest":
        raised = install_oldest(environment, wheel)
    elif said := environment.install(wheel, *(["-c", str(ROOT / CONSTRAINED)] if kind == CONSTRAINED else [])):
        raise SystemExit(f"{name}: {said}")
    name += f" with a wheel ({', '.join(raised)})" if raised else ""
    print(f"made: {name}", flush=True)
    return name, environment


def row(name: str, here: dict[str, Any], first: dict[str, Any]) -> dict[str, Any]:
    """How an environment's answers compare with those of the first."""
    if "failed" in here:
        return {"environment": name, "versions": here["failed"]}
    return {
        "environment": name,
        "versions": ", ".join(f"{package} {version}" for package, version in here["versions"].items()),
        **{group: equal(here[group], first[group]) for group in ("streams", "runs", "mesa")},
        "engines": equal(here["mesa"], here["runs"]),
        **{group: equal(here[group], first[group]) for group in ("study", "lhs", "sobol", "morris")},
        "differences": alike(here["differences"], first["differences"]),
        "apart": apart(here["means"], first["means"]) if "means" in here else float("nan"),
    }


def equal(one: str | list[str], other: str | list[str]) -> str:
    """In a word; of several hashes, how many."""
    if one == other:
        return "equal"
    if isinstance(one, str):
        return "different"
    return f"{sum(a == b for a, b in zip(one, other, strict=True))} of {len(one)}"


def alike(one: list[list[Any]], other: list[list[Any]]) -> str:
    """ "equal", the largest relative difference between two numbers, or that a verdict is another."""
    if one == other:
        return "equal"
    if [row[-1] for row in one] != [row[-1] for row in other]:
        return "other verdicts"
    a, b = (np.array([row[:-1] for row in table], dtype=np.float64) for table in (one, other))
    return f"{np.max(np.abs(a - b) / np.maximum(np.maximum(np.abs(a), np.abs(b)), 1e-300)):.0e}"


def apart(one: dict[str, list[list[float]]], other: dict[str, list[list[float]]]) -> float:
    """The largest difference between two means, in standard errors; infinite where a sure thing is another."""
    a, b = (np.array([tables[regime] for regime in sorted(tables)]) for tables in (one, other))
    difference, error = np.abs(a[:, 0] - b[:, 0]), np.maximum(a[:, 1], b[:, 1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.max(np.where(difference == 0.0, 0.0, difference / error)))


def compare(pythons: Sequence[str], kinds: Sequence[str], quick: bool, folder: Path) -> tuple[pd.DataFrame, ...]:
    """Environments against the first, and manners in the first against itself."""
    size = ["--quick"] if quick else []
    source = ["--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", *source], check=True, stderr=subprocess.DEVNULL)
    wheel = f"{next(folder.glob('*.whl'))}[cluster]"
    with ThreadPoolExecutor(AT_ONCE) as pool:
        tasks = [pool.submit(made, python, kind, folder, wheel) for python in pythons for kind in kinds]
        environments = [task.result() for task in tasks]
        first = environments[0][1]
        answers = list(pool.map(lambda pair: pair[1].answers(pair[0], size, {}), environments))
        same = pool.map(lambda name: first.answers(name, [*size, "--bits", *SAME[name][0]], SAME[name][1]), SAME)
        others = pool.map(lambda name: first.answers(name, size, {"XDG_CACHE_HOME": "{new}", **OTHERS[name]}), OTHERS)
        manners = dict(zip([*SAME, *OTHERS], [*same, *others], strict=True))
    return tuple(
        pd.DataFrame([row(name, one, answers[0]) for name, one in compared])
        for compared in (zip((name for name, _ in environments), answers, strict=True), manners.items())
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few runs, and one Python as in constraints.txt")
    parser.add_argument("--python", nargs="+", default=[], metavar="PATH", help="interpreters, instead of those found")
    chosen = parser.parse_args()
    pythons = found(chosen.python)[: 1 if chosen.quick else None]
    kinds = KINDS[: 1 if chosen.quick else None]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        environments, manners = compare(pythons, kinds, chosen.quick, folder)
        target = folder if chosen.quick else measuring.PROOF
        made_with = f"compared with the first row; {len(pythons)} interpreters"
        measuring.save(environments, "everywhere", made_with, target)
        measuring.save(manners.drop(columns="versions"), "everywhere_manners", str(environments["versions"][0]), target)


if __name__ == "__main__":
    main()
