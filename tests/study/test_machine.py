"""What anybody may do with a folder of results, in any order: it ends with the rows that a plain loop gives.

Hypothesis makes up the orders: run, interrupt, change the study and change it back, let it grow, harm a file, copy,
move, start afresh, read while it is written. The model is faked (`fake_model`).
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import fake_model
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from sim.errors import InputError
from sim.model import engine
from sim.model import record as recording
from sim.model.parameters import resolve
from sim.statistics import student
from sim.study import Results, Study, chunks

SMALL = {"systems": 1, "organisations": 1, "managers": 2, "months": 3}
POSTS, WINDOW = 2, 2
MONITORING, REGIMES = [0.1, 0.5, 0.9], ["light", "heavy"]
Row = tuple[float, str, int, float]


def fear(monitoring: float, regime: str, seed: int) -> float:
    """The outcome of one run, as anybody would compute it."""
    record = fake_model.run(resolve(regime=regime, monitoring=monitoring, window=WINDOW, **SMALL), seed)
    return float(recording.outcomes(record.sums, POSTS)["fear"][-WINDOW:].mean())


def rows(table: dict[str, Any]) -> list[Row]:
    """All rows of a study, by a plain loop."""
    found = []
    for monitoring, regime in product(table["design"]["monitoring"], table["design"]["regime"]):
        values = [fear(monitoring, regime, seed) for seed in range(table["seeds"])]
        if asked := table.get("precision"):
            while len(values) < asked["maximum"] and not narrow(values, asked["half_width"]):
                more = min(asked["maximum"], math.ceil(1.5 * len(values)))
                values += [fear(monitoring, regime, seed) for seed in range(len(values), more)]
        found += [(monitoring, regime, seed, value) for seed, value in enumerate(values)]
    return found


def narrow(values: list[float], half: float) -> bool:
    n = len(values)
    return n > 1 and float(student(n)) * np.std(values, ddof=1) / np.sqrt(n) <= half


def stored(results: Results) -> list[Row]:
    """The rows that a folder holds."""
    return list(results.runs[["monitoring", "regime", "seed", "fear"]].itertuples(index=False, name=None))


class Folder(RuleBasedStateMachine):
    """A folder of results, what its study says now; how many runs were told to be finished, and which rows were read
    from it, since the study or a file was last changed; and the lines of a ledger that runs have written."""

    def __init__(self) -> None:
        super().__init__()
        self.around = Path(tempfile.mkdtemp())
        self.folder, self.copies, self.safe, self.computed = self.around / "0", 0, 0, 0
        self.kept: set[Row] = set()
        self.written: set[bytes] = set()

    @initialize(seeds=st.integers(1, 3), precise=st.booleans())
    def begin(self, seeds: int, precise: bool) -> None:
        self.table: dict[str, Any] = {
            "seeds": seeds,
            "parameters": SMALL,
            "design": {"kind": "grid", "monitoring": [0.1, 0.9], "regime": ["light"]},
            "outcomes": {"keep": ["fear"], "window": WINDOW},
        }
        if precise:
            self.table["precision"] = {"outcome": "fear", "half_width": 0.3, "maximum": 4}

    def do(self, stop: int = -1, fresh: bool = False, reading: bool = False) -> Results | None:
        """Run the study; it is interrupted when chunks were told of `stop` times. None where the folder is lost."""
        told: list[int] = []
        before, ledger = self.safe, self.ledger

        def progress(done: int, total: int, note: str = "") -> None:
            told.append(done)
            self.safe = done
            if reading:
                self.check_read()
            if len(told) == stop:
                raise KeyboardInterrupt

        self.computed = 0
        self.kept = set() if fresh else self.kept
        try:
            results = Study.from_dict(self.table).run(self.folder, workers=1, fresh=fresh, progress=progress)
        except KeyboardInterrupt:
            return None
        except InputError as error:  # not one line of the ledger is left
            assert "holds other files" in str(error) and not self.has_ledger
            self.move_on()
            return None
        finally:
            self.written |= self.ledger - ledger
            assert not told or fresh or told[0] >= before, "what was finished is lost"
        return results

    @property
    def has_ledger(self) -> bool:
        """Whether a line of the ledger stands as it was written."""
        return not self.written.isdisjoint(self.ledger)

    @property
    def ledger(self) -> set[bytes]:
        """The lines of the ledger."""
        file = self.folder / "ledger"
        return {*file.read_bytes().splitlines()} if file.exists() else set()

    def move_on(self) -> None:
        """Go on in an empty folder."""
        self.copies += 1
        self.folder, self.safe, self.kept = self.around / str(self.copies), 0, set()

    @rule(reading=st.booleans())
    def run(self, reading: bool) -> None:
        kept = self.kept
        results = self.do(reading=reading)
        if results is not None:
            whole = rows(self.table)
            assert stored(results) == whole
            assert not results.missing and results.counts == (len(whole), 0)
            assert self.computed <= len({*whole} - kept), "what was finished is computed again"
            assert self.do() is not None and not self.computed, "what is finished is computed again"

    @rule(stop=st.integers(1, 4), reading=st.booleans())
    def interrupt(self, stop: int, reading: bool) -> None:
        self.do(stop=stop, reading=reading)

    @rule(stop=st.integers(-1, 3))
    def start_afresh(self, stop: int) -> None:
        self.do(stop=stop, fresh=True)

    @rule(monitoring=st.lists(st.sampled_from(MONITORING), min_size=1, unique=True), regime=st.sampled_from(REGIMES))
    def change(self, monitoring: list[float], regime: str) -> None:
        self.table["design"] |= {"monitoring": monitoring, "regime": [regime]}
        self.safe = 0

    @rule(seeds=st.integers(1, 4))
    def grow(self, seeds: int) -> None:
        self.table["seeds"], self.safe = seeds, 0

    @precondition(lambda self: self.folder.exists())
    @rule(data=st.data())
    def harm(self, data: st.DataObject) -> None:
        some = [path for path in sorted(self.folder.rglob("*")) if path.is_file() and path.stat().st_size]
        path = data.draw(st.sampled_from(some) if some else st.none())
        if path is None:
            return
        content, how = bytearray(path.read_bytes()), data.draw(st.sampled_from(("flip", "cut", "digit", "other")))
        at = data.draw(st.integers(0, len(content) - 1))
        if how == "flip":
            content[at] ^= 1 << data.draw(st.integers(0, 7))
        elif how == "cut":
            del content[at:]
        elif how == "digit" and (digits := [k for k, byte in enumerate(content) if chr(byte).isdigit()]):
            content[digits[at % len(digits)]] = ord("7")
        else:
            alike = [other for other in some if (other.parent, other.suffix) == (path.parent, path.suffix)]
            content = bytearray(data.draw(st.sampled_from(alike)).read_bytes())
        path.write_bytes(content)
        self.safe, self.kept = 0, set()

    @precondition(lambda self: self.folder.exists())
    @rule(keep=st.booleans())
    def copy_or_move(self, keep: bool) -> None:
        before, safe, kept = self.folder, self.safe, self.kept
        self.move_on()
        self.safe, self.kept = safe, kept
        if keep:
            shutil.copytree(before, self.folder, copy_function=shutil.copyfile)
        else:
            before.rename(self.folder)

    @invariant()
    def check_read(self) -> None:
        """Whatever can be read is a row that a plain loop gives, and is there once."""
        if not self.folder.exists():
            return
        try:
            found = stored(Results(self.folder))
        except InputError as error:
            assert len(error.lines) == 1
            return
        assert len(found) == len({row[:3] for row in found})
        self.kept = self.kept | {*found}
        assert all(value == fear(monitoring, regime, seed) for monitoring, regime, seed, value in found)

    def teardown(self) -> None:
        shutil.rmtree(self.around)


@pytest.fixture(autouse=True)
def little_work(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A run in a chunk, no model, and a count of runs."""
    monkeypatch.setattr(chunks, "BUDGET", 12)
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    with fake_model.instead():
        yield


@pytest.mark.parametrize("size", [40, pytest.param(1_000, marks=pytest.mark.exhaustive)])
def test_whatever_is_done_with_a_folder_it_ends_with_the_rows_of_a_plain_loop(size: int) -> None:
    machines: list[Folder] = []
    bare = Folder.__init__

    def begun(self: Folder) -> None:
        bare(self)
        machines[:] = [self]

    def counted(*given: Any, **named: Any) -> Any:
        machines[0].computed += 1
        return fake_model.run(*given, **named)

    with (
        pytest.MonkeyPatch.context() as patch
    ):  # ends before `little_work` does, so that it leaves the fake in no place
        patch.setattr(Folder, "__init__", begun)
        patch.setattr(engine, "run", counted)
        run_state_machine_as_test(
            Folder,
            settings=settings(
                max_examples=size, stateful_step_count=10 if size < 100 else 25, deadline=None, database=None,
                derandomize=size < 100, suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip
