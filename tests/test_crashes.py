"""Every crash, not some: whatever a power cut, a kill or a failing call leaves behind, going on gives the same bits.

The model is faked (`fake_model`), and so are surveys and the emulator: what is tested is what stands on the disk. Each
piece of work is recorded once on a disk that notes its calls (`disk`); every state that a crash at any moment may leave
is laid out as a folder; the work is done again in each; and what stands there in the end is compared, byte for byte,
with what undisturbed work leaves.
"""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import disk
import fake_model
import numpy as np
import pytest
from ensembles import by_hand
from numpy.typing import NDArray

from sim import files
from sim.claims import answer
from sim.claims.statements import CLAIMS, contrasts_of
from sim.errors import InputError, StudyStopped
from sim.model.parameters import resolve
from sim.report import study as reported
from sim.report.claims import answer_to
from sim.study import Results, Study, chunks
from sim.study.store import Store
from sim.worlds import calibrate as calibration
from sim.worlds import emulator, evaluate, prior, smc, survey
from sim.worlds.evidence import Evidence
from sim.worlds.evidence import load as findings
from sim.worlds.survey import Sizes

T = TypeVar("T")
SMALL = {"systems": 1, "organisations": 1, "managers": 2, "months": 2}
TABLE = {
    "seeds": 2,
    "parameters": SMALL,
    "design": {"kind": "grid", "monitoring": [0.1, 0.9]},
    "outcomes": {"keep": ["fear"], "window": 2},
}
PRECISE = {**TABLE, "precision": {"outcome": "fear", "half_width": 0.01, "maximum": 3}}


_RESOLVED: dict[str, Any] = {}


def resolved(*given: Any, **settings: Any) -> Any:
    """Parameters, checked once: the same worlds are run after every crash."""
    key = repr((given, settings))
    if key not in _RESOLVED:
        _RESOLVED[key] = resolve(*given, **settings)
    return _RESOLVED[key]


@pytest.fixture(autouse=True)
def little_work(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A run in a chunk, three worlds in a block, a report without pictures, and no model."""
    monkeypatch.setattr(chunks, "BUDGET", 8)
    monkeypatch.setattr(reported, "pictures", lambda results: {})
    monkeypatch.setattr(reported, "_drawn", lambda results: {})
    monkeypatch.setattr(reported, "of_study", lambda results, figures: str(results.runs["fear"].tolist()))
    monkeypatch.setattr(evaluate, "BLOCK", 3)
    monkeypatch.setattr(evaluate, "PAIRS", 2)
    monkeypatch.setattr(prior, "resolve", resolved)
    monkeypatch.setattr(smc, "BATCH", 4)
    monkeypatch.setattr(smc, "_MIXING", 3)
    monkeypatch.setattr(smc, "_SETTLING", 3)
    monkeypatch.setattr(survey, "vector", found)
    monkeypatch.setattr(emulator, "fit", believed)
    monkeypatch.setattr(files, "STALE", -1.0)  # nobody else writes here
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    with fake_model.instead():
        yield


class InTurn(Executor):
    """Stands for a cluster: everything is done at once, and is ready in another order than it was handed in."""

    _max_workers = 4

    def submit(self, fn: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **named))
        return future


@dataclass(frozen=True)
class Work:
    """Something that is done in a folder, interrupted and done again; `before` is done undisturbed, before it."""

    do: Callable[[Path], object]
    before: Callable[[Path], object] = lambda root: None


def study(table: dict[str, Any], fresh: bool = False, cluster: Executor | None = None) -> Callable[[Path], None]:
    """`sim run`, with its report."""

    def do(root: Path) -> None:
        once = fresh and not (root / "begun").exists()
        reported.save(
            Study.from_dict(table).run(root / "r", fresh=once, workers=None if cluster else 1, cluster=cluster)
        )

    return do


few_worlds = cache(lambda: by_hand(6))


def claim(root: Path) -> None:
    """What `sim claim --run` leaves on the disk: blocks of worlds, the answer made of them, and the blocks removed."""
    folder, asked = root / "claim", (CLAIMS[0],)
    files.Folder(folder, answer_to(asked)).check()
    worlds, kept = few_worlds(), folder / answer.UNFINISHED
    base = evaluate.baseline(worlds, 0, SMALL, folder=kept, workers=1)
    contrast = replace(contrasts_of(asked)[0], fewest=2, most=2)
    found = evaluate.effects(worlds, (contrast,), {}, 0, SMALL, folder=kept, workers=1)
    contents = {"answer.zip": found.estimate.tobytes(), "claims.txt": base.mean.tobytes()}
    files.Folder(folder, answer_to(asked)).fill(contents)
    files.forget(kept)


def claim_again(root: Path) -> None:
    """An answer that has other files than the one that is there."""
    files.Folder(root / "claim", answer_to((CLAIMS[0],))).fill({"answer.zip": b"new", "curve.csv": b"new"})


FEW = Evidence(findings().survey, tuple(p for p in findings().patterns if p.id == "speaking-up"))


def calibrate(root: Path) -> None:
    """`sim worlds --calibrate`: the batches of a run, and its file."""
    plan = smc.Plan(prior=4, rounds=(), candidates=4, particles=4, sweeps=1, steps=2)
    calibration.recalibrate(root / "w", runs=[1], evidence=FEW, plan=plan, sizes=Sizes(1, 1, 2, 3), kept=4)


def found(evidence: Evidence, world: Any, seed: int, *_: Any) -> NDArray[np.float64]:
    """What a survey finds, made up: near what the evidence says."""
    rng = np.random.default_rng((zlib.crc32(repr(world).encode()), seed))
    width = max(at.stop for at in survey.columns(evidence).values())
    values = np.hstack([p.value for p in evidence.patterns])
    return np.hstack([values * (1.0 + 0.1 * rng.standard_normal()), rng.random(width - len(values))])


def believed(x: NDArray[np.float32], misses: NDArray[np.float64], seed: int) -> emulator.Emulator:
    """An emulator, made up: one layer."""
    shape = x.shape[1], misses.shape[1]
    weights = np.random.default_rng(seed).standard_normal(shape, np.float32) / np.float32(len(x))
    return emulator.Emulator((((weights, misses.mean(axis=0).astype(np.float32)),),), misses.var(axis=0))


WORK = {
    "run": Work(study(TABLE)),
    "run, in rounds, on a cluster": Work(study(PRECISE, cluster=InTurn())),
    "run again, after a change": Work(study({**TABLE, "regime": "light"}), study(TABLE)),
    "run again, longer": Work(study({**TABLE, "seeds": 4}), study(TABLE)),
    "run afresh": Work(study(TABLE, fresh=True), study({**TABLE, "regime": "light"})),
    "claim": Work(claim),
    "claim again": Work(claim_again, claim),
    "calibrate": Work(calibrate),
}
QUICK = ("run", "claim", "claim again")


def names(works: Mapping[str, Work], quick: Collection[str], slow: Collection[str] = ()) -> list[Any]:
    """The names of all, those that are not quick marked as slow or as exhaustive."""
    marks = dict.fromkeys(works, pytest.mark.exhaustive) | dict.fromkeys(slow, pytest.mark.slow)
    return [name if name in quick else pytest.param(name, marks=marks[name]) for name in works]


@contextmanager
def promising(seen: disk.Disk) -> Iterator[None]:
    """A chunk that is saved and a block that is kept must be there after any crash, until they are removed."""
    save, clear, arrays, forget = Store.save, Store.clear, files.Folder.arrays, files.forget

    def saved(store: Store, chunk: Any, *more: Any) -> None:
        save(store, chunk, *more)
        seen.promise(lambda root: Store(root / "r").is_done(chunk.id))

    def kept(folder: files.Folder, name: str, compute: Any) -> Any:
        found, path = arrays(folder, name, compute), folder.path.relative_to(seen.root)
        seen.promise(lambda root: files.Folder(root / path, folder.what).content(f"{name}.npz") is not None)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "save", saved)
        patch.setattr(Store, "clear", lambda store: (seen.withdraw(), clear(store)))
        patch.setattr(files.Folder, "arrays", kept)
        patch.setattr(files, "forget", lambda folder: (seen.withdraw(), forget(folder)))
        yield


def recorded(root: Path, work: Work, fails: int | None = None, error: int = 0) -> tuple[disk.Disk, int]:
    """What the disk saw of a piece of work, and how many changes belong to what was done before; of the calls after
    those, the one of this number fails."""
    with disk.watched(root) as seen, promising(seen):
        work.before(root)
        seen.settle()
        first = len(seen.changes)
        seen.calls.clear()
        seen.fails, seen.error = fails, error
        work.do(root)
    return seen, first


def standing(root: Path) -> dict[str, Any]:
    """What stands in a folder in the end: all files byte for byte but locks, and what ledgers and lists say."""
    tree: dict[str, Any] = {name: of for name, of in disk.tree_of(root).items() if not name.endswith("/lock")}
    for name in [name for name in tree if name.endswith("/ledger")]:
        store = Store((root / name).parent)
        tree[name] = (store.plan, {chunk: store.done[chunk] for chunk in store.done if store.is_done(chunk)})
    for name in [name for name in tree if name.endswith("/manifest.json")]:
        what = str(files.held((root / name).parent))
        tree[name] = (what, files.Folder((root / name).parent, what, marked=True).files)
    return tree


def differences(root: Path, whole: Mapping[str, Any]) -> list[str]:
    """The files that are not as undisturbed work leaves them."""
    left = standing(root)
    return [name for name in {**left, **whole} if left.get(name, "missing") != whole.get(name, "too many")]


def check_read(root: Path) -> None:
    """A study that was interrupted can be read: what is finished is whole, or one line says what is wrong."""
    try:
        runs = Results(root / "r").runs
    except InputError as error:
        (line,) = error.lines
        assert "no results here" in line or "no such folder" in line or "missing or damaged" in line
        return
    assert runs["fear"].between(0.0, 1.0).all()


def each(cases: Sequence[T], check: Callable[[T], object], root: Path) -> list[str]:
    """What is wrong with which cases, each of which has a folder to itself; says how many are right."""
    wrong = []
    for case in cases:
        try:
            check(case)
        except Exception as error:
            wrong.append(f"{case!r:.2000}: {error!r}")
        shutil.rmtree(root)
    print(f"{len(cases) - len(wrong)} of {len(cases)}")
    return wrong


@pytest.mark.parametrize("name", names(WORK, QUICK, ["calibrate"]))
def test_after_a_crash_at_any_moment_the_same_bits_come_out(tmp_path: Path, name: str) -> None:
    work = WORK[name]
    seen, first = recorded(tmp_path / "whole", work)
    whole = standing(tmp_path / "whole")

    def check(state: tuple[disk.Tree, int]) -> None:
        tree, moment = state
        disk.lay(tree, tmp_path / "d")
        assert all(promise.holds(tmp_path / "d") for promise in seen.promised(moment)), "what was finished is lost"
        check_read(tmp_path / "d")
        work.do(tmp_path / "d")
        assert not differences(tmp_path / "d", whole)

    assert not each(disk.crashes(seen, first), check, tmp_path / "d")


@pytest.mark.parametrize("error", [None, *(pytest.param(e, marks=pytest.mark.exhaustive) for e in disk.ERRORS)])
@pytest.mark.parametrize("name", names(WORK, ("run", "claim again")))
def test_whichever_call_fails_one_line_says_so_and_the_same_bits_come_out(
    tmp_path: Path, name: str, error: int | None
) -> None:
    """Each call of a piece of work fails once: with one error, or with each of them in turn."""
    work = WORK[name]
    seen, _ = recorded(tmp_path / "whole", work)
    whole, made = standing(tmp_path / "whole"), seen.calls

    def check(number: int) -> None:
        code = disk.ERRORS[number % len(disk.ERRORS)] if error is None else error
        try:
            assert recorded(tmp_path / "d", work, number, code)[0].failed, "no call failed"
        except (InputError, StudyStopped) as told:
            assert len(str(told).splitlines()) == 1
        halves = [name for name in disk.tree_of(tmp_path / "d") if name.endswith(".part")]
        assert not halves or made[number].startswith("unlink")
        check_read(tmp_path / "d")
        work.do(tmp_path / "d")
        assert not differences(tmp_path / "d", whole), made[number]

    assert not each(range(len(made)), check, tmp_path / "d")
