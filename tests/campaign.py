"""Ten thousand cases of bad input, kind by kind, each kind in a process of its own.

    python tests/campaign.py KIND CASES SEED

prints what came of them as one line of JSON. A case that goes wrong is counted and told; the others go on.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import attempts
import ensembles
import fake_model
import mutations
import pandas as pd
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

import sim
from sim.claims import answer as answers
from sim.report.study import save
from sim.study import runner as estimate
from sim.worlds import ensemble
from sim.worlds import summary as worlds

MOST_MEMORY = 2 * 2**30
_TOLD = 3


@dataclass(frozen=True)
class Kind:
    """What is mutated: `cases` of ten thousand, how each is made, and what is done with it."""

    what: str
    cases: int
    strategy: Callable[[], Any]
    attempt: Callable[[Any], attempts.Attempt]


@cache
def finished() -> Path:
    """A folder with the results of a small study."""
    folder = Path(tempfile.mkdtemp()) / "finished"
    study = sim.Study.from_dict(mutations.small_studies()[0])
    save(study.run(folder))
    return folder


def _set(overrides: list[str]) -> attempts.Attempt:
    every = [word for setting in overrides for word in ("--set", setting)]
    return attempts.checked(mutations.as_toml(mutations.small_studies()[0]), *every)


def _out(path: str) -> attempts.Attempt:
    return attempts.checked(mutations.as_toml(mutations.small_studies()[0]), "--out", path)


def _signed(spoil: Callable[[Path], None]) -> attempts.Attempt:
    return attempts.read(finished(), spoil)


def _spoiled_or_signed() -> Any:
    return st.one_of(_folders(), mutations.signed_folders(finished()))


@cache
def worlds_of_somebody() -> Path:
    """A folder with an ensemble."""
    return ensembles.saved(Path(tempfile.mkdtemp()) / "worlds", ensembles.kept(60))


@cache
def answer_of_somebody() -> Path:
    """A folder with an answer to one of the claims, made with a model that takes no time."""
    folder = Path(tempfile.mkdtemp()) / "answer"
    with fake_model.instead():
        effort = answers.Effort(worlds=20, prior=20, all_on=20, again=0, systems=1, orders=2)
        sizes = {"organisations": 2, "managers": 3, "months": 6, "window": 3}
        found = answers.compute(
            ensembles.kept(60), ensembles.kept(60, off=0.0), claims=["fear"], effort=effort, **sizes
        )
    folder.mkdir()
    (folder / "answer.zip").write_bytes(found.file())
    return folder


def _ensemble(spoil: Callable[[Path], None]) -> attempts.Attempt:
    return attempts.given(worlds_of_somebody(), spoil, "worlds", "--ensemble", "given")


def _answer(spoil: Callable[[Path], None]) -> attempts.Attempt:
    return attempts.given(answer_of_somebody(), spoil, "claim", "--answer", "given")


def _folders() -> Any:
    return mutations.spoiled_folders(finished())


def _read(spoil: Callable[[Path], None]) -> attempts.Attempt:
    return attempts.shown(finished(), spoil, "--csv", "results/runs.csv")


def _reported(spoil: Callable[[Path], None]) -> attempts.Attempt:
    return attempts.shown(finished(), spoil)


def _study_trees() -> Any:
    return mutations.spoiled(mutations.studies()).map(mutations.as_toml)


def _pattern_trees() -> Any:
    return mutations.spoiled(mutations.patterns()).map(mutations.as_toml)


def _pattern_bytes() -> Any:
    return mutations.spoiled_bytes(mutations.patterns().map(mutations.as_toml))


KINDS = {
    "tree": Kind("a study: values, names, structure", 3_250, _study_trees, attempts.checked),
    "bytes": Kind("a study: bytes of the file", 2_300, mutations.study_bytes, attempts.checked),
    "set": Kind("a study: --set", 600, mutations.overrides, _set),
    "out": Kind("a study: --out of sim check", 200, mutations.paths, _out),
    "run": Kind("a study that is run where it is small", 60, _study_trees, attempts.ran),
    "process": Kind("a study, in a process of its own", 60, mutations.study_bytes, attempts.in_a_process),
    "simulate": Kind("arguments of sim.simulate", 1_500, mutations.arguments, attempts.simulated),
    "pattern": Kind("findings: values, names, structure", 700, _pattern_trees, attempts.tried),
    "pattern_bytes": Kind("findings: bytes of the file", 480, _pattern_bytes, attempts.tried),
    "folder": Kind("a folder of results, read", 350, _folders, _read),
    "signed": Kind(
        "a folder of results whose digests are right", 150, lambda: mutations.signed_folders(finished()), _signed
    ),
    "ensemble": Kind(
        "worlds", 150, lambda: mutations.spoiled_ensembles(worlds_of_somebody() / "main-01.parquet"), _ensemble
    ),
    "answer": Kind(
        "an answer to the claims", 150, lambda: mutations.spoiled_answers(answer_of_somebody() / "answer.zip"), _answer
    ),
    "report": Kind("a folder of results, drawn and reported", 50, _spoiled_or_signed, _reported),
}


@contextlib.contextmanager
def in_no_time() -> Iterator[None]:
    """A short pilot, and files of findings that are read and checked but not tried on any world."""
    kept = estimate._PILOT_SECONDS, worlds.predict, ensemble.load
    shipped = cache(ensemble.load)
    estimate._PILOT_SECONDS = 0.02
    worlds.predict = lambda evidence, *_, **__: pd.DataFrame({"pattern": [p.id for p in evidence.patterns]})
    ensemble.load = lambda folder=None, *more, **named: (
        shipped(*more, **named) if folder is None else kept[2](folder, *more, **named)
    )
    try:
        yield
    finally:
        estimate._PILOT_SECONDS, worlds.predict, ensemble.load = kept


def pursue(kind: str, cases: int, number: int) -> dict[str, Any]:
    """What came of so many cases of a kind."""
    tally: dict[str, Any] = dict.fromkeys(("cases", "refused", "accepted", "run", "tracebacks", "hangs"), 0)
    tally |= {"outside": 0, "wrong": 0, "slowest": 0.0, "told": []}

    @seed(number)
    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(KINDS[kind].strategy())
    def every(case: Any) -> None:
        found = KINDS[kind].attempt(case)
        tally["cases"] += 1
        tally[found.verdict] = tally.get(found.verdict, 0) + 1
        tally["tracebacks"] += bool(found.traceback)
        tally["hangs"] += found.hang
        tally["outside"] += len(found.outside)
        tally["wrong"] += bool(found.wrong)
        tally["slowest"] = max(tally["slowest"], found.seconds)
        if found.trouble and len(tally["told"]) < _TOLD:
            tally["told"].append([repr(case)[:2_000], *(text[-1_000:] for text in found.trouble)])

    with in_no_time():
        every()
    for made in (finished, worlds_of_somebody, answer_of_somebody):
        if made.cache_info().currsize:
            shutil.rmtree(made().parent)
            made.cache_clear()
    return tally


def process(kind: str, cases: int, number: int, seconds: float = 3_600.0) -> dict[str, Any]:
    """`pursue` in a process of its own, with the peak of its memory in bytes."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, __file__, kind, str(cases), str(number)],
            capture_output=True, text=True, timeout=seconds, check=False, cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
        )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{kind}, seed {number}: {done.stderr[-2_000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """One kind, as the command line says."""
    import resource  # noqa: PLC0415 - not on Windows

    warnings.simplefilter("error")
    kind, cases, number = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    tally = pursue(kind, cases, number)
    unit = 1 if sys.platform == "darwin" else 1024
    tally["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    print(json.dumps(tally))


if __name__ == "__main__":
    main()
