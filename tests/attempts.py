"""What has to hold of every bad input: no traceback, no hang, nothing written elsewhere, short lines.

An attempt calls the program as a user does, in a folder of its own, while every file that Python opens for writing,
wherever it is, is noted.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sim
from sim import cli
from sim.errors import InputError
from sim.study import Results

_EXPECTED = re.compile(r"sim: |[\d,]+ of [\d,]+ (runs|worlds)")  # the latter tells how far it is
_OBEYED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
SLOWEST = 30.0
"""Seconds after which a case counts as a hang."""
LONGEST = 700
"""Characters of a line about a mistake."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGING = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.link", "os.truncate", "os.chmod")


class Hang(BaseException):
    """A case that takes too long."""


@dataclass
class Attempt:
    """What came of one case: `verdict` ("refused", "accepted" or "run"), and what was wrong with the answer."""

    verdict: str = "accepted"
    traceback: str = ""
    hang: bool = False
    outside: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def trouble(self) -> list[str]:
        """Everything that must not be."""
        found = [*self.wrong, *(f"written outside: {path}" for path in self.outside)]
        return [*found, *([self.traceback] if self.traceback else []), *(["it hangs"] if self.hang else [])]


_noted: list[str] | None = None


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if _noted is None:
        return
    if event == "open":
        path, _, flags = arguments
        if isinstance(path, (str, bytes)) and isinstance(flags, int) and flags & _WRITING:
            _noted.append(os.fsdecode(path))
    elif event in _CHANGING and isinstance(arguments[0], (str, bytes, os.PathLike)):
        _noted.append(os.fsdecode(arguments[0]))


sys.addaudithook(_note)


@contextlib.contextmanager
def watched() -> Iterator[list[str]]:
    """The full paths that are opened for writing, made, moved or removed meanwhile."""
    global _noted  # noqa: PLW0603 - an audit hook cannot be taken away again
    _noted = found = []
    try:
        yield found
    finally:
        _noted = None
        found[:] = sorted({os.path.realpath(path) for path in found})


@contextlib.contextmanager
def timed(seconds: float = SLOWEST) -> Iterator[None]:
    """Raises `Hang` after a while."""

    def ring(*_: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def somewhere() -> Iterator[Path]:
    """An empty folder to stand in, which goes away again."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder) / "here"
        here.mkdir()
        os.chdir(here)
        try:
            yield here
        finally:
            os.chdir(before)


def command(arguments: Sequence[str], allowed: Sequence[Path] = (), seconds: float = SLOWEST) -> Attempt:
    """Call the command line; it may write into the `allowed` folders only."""
    out, err = _stream(), _stream()
    found, code, begun = Attempt(), None, time.perf_counter()
    argv, sys.argv = sys.argv, ["sim", *arguments]
    try:
        with watched() as touched, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), timed(seconds):
            try:
                cli.main()
            except SystemExit as stop:
                code = stop.code or 0
    except Hang:
        found.hang = True
    finally:
        sys.argv = argv
    found.seconds = time.perf_counter() - begun
    said, complained = _text(out), _text(err)
    found.outside = [path for path in touched if not _inside(path, allowed)]
    found.verdict = {0: "accepted", 2: "refused"}.get(code, "failed")
    if not found.hang:
        found.traceback = complained if "Traceback" in complained else ""
        found.wrong = [*_complaints(code, complained), *_raw(said + complained)]
    return found


def _complaints(code: object, text: str) -> Iterator[str]:
    """What is wrong with what was said on standard error."""
    if code not in (0, 2):
        yield f"exit code {code}: {text[-300:]}"
    lines = [line for line in text.splitlines() if line.startswith("sim: ")]
    if code == 2 and not lines:
        yield "refused without a line"
    if code == 2 and (strange := [line for line in text.splitlines() if not _EXPECTED.match(line)]):
        yield f"a line that does not begin with sim: {strange[0][:200]!r}"
    yield from (f"a line of {len(line)} characters: {line[:200]!r}" for line in lines if len(line) > LONGEST)
    if len(lines) > 200:
        yield f"{len(lines)} lines"


def _raw(text: str) -> Iterator[str]:
    """Characters that a terminal would obey."""
    if found := set(_OBEYED.findall(text)):
        yield f"raw in the terminal: {sorted(found)!r}"


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode("utf-8")  # type: ignore[attr-defined]


def _inside(path: str, allowed: Sequence[Path]) -> bool:
    cache = os.environ.get("NUMBA_CACHE_DIR", os.path.expanduser("~/.cache"))
    machine = ("/dev/", os.path.realpath(cache), os.path.expanduser("~/.config/matplotlib"))
    return path.startswith(machine) or any(Path(path).is_relative_to(folder.resolve()) for folder in allowed)


def checked(content: bytes, *more: str) -> Attempt:
    """A file of a study, as `sim check` sees it."""
    with somewhere() as here:
        (here / "study.toml").write_bytes(content)
        return command(["check", "study.toml", *more])


def ran(content: bytes) -> Attempt:
    """A file of a study that is run where it is small, and checked otherwise."""
    with somewhere() as here:
        (here / "study.toml").write_bytes(content)
        if not _is_small(here / "study.toml"):
            return command(["check", "study.toml"])
        found = command(["run", "study.toml", "--out", "out"], [here / "out"], 3 * SLOWEST)
        if found.verdict == "accepted":
            found.verdict = "run"
        return found


def _is_small(path: Path) -> bool:
    try:
        study = sim.Study.load(path)
    except InputError:
        return True
    except Exception:  # which the command line will meet again
        return True
    return study.plan.most_seeds * sum(cell.cost for cell in study.points) < 1_000_000 and len(study.points) < 100


def tried(content: bytes, *more: str) -> Attempt:
    """A file of patterns."""
    with somewhere() as here:
        (here / "mine.toml").write_bytes(content)
        return command(["worlds", "--patterns", "mine.toml", "--worlds", "20", *more], [here / "out"])


def simulated(settings: dict[str, Any]) -> Attempt:
    """Arguments of `sim.simulate`: a run, or `InputError` with short lines."""
    return _called(lambda: sim.simulate(**settings), ())


def _called(work: Callable[[], object], allowed: Sequence[Path]) -> Attempt:
    """A call from Python: it works, or raises `InputError` with short lines."""
    found, begun = Attempt("run"), time.perf_counter()
    try:
        with watched() as touched, timed():
            work()
    except InputError as error:
        found.verdict = "refused"
        long = [line for line in error.lines if len(line) > LONGEST or "\n" in line or not line.strip()]
        found.wrong = [f"a line of {len(line)} characters: {line[:200]!r}" for line in long]
        found.wrong += [] if error.lines else ["refused without a line"]
    except Hang:
        found.hang = True
    except Exception:
        found.traceback = traceback.format_exc()
    found.outside = [path for path in touched if not _inside(path, allowed)]
    found.seconds = time.perf_counter() - begun
    return found


def shown(folder: Path, spoil: Callable[[Path], None], *more: str) -> Attempt:
    """A copy of a folder of results, spoiled, as `sim show` sees it."""
    with somewhere() as here:
        shutil.copytree(folder, here / "results")
        spoil(here / "results")
        return command(["show", "results", *more], [here / "results"], 3 * SLOWEST)


def read(folder: Path, spoil: Callable[[Path], None]) -> Attempt:
    """A copy of a folder of results, spoiled, whose tables are read, every one."""

    def reading() -> None:
        results = Results("results")
        results.summary(), results.series(), results.organisations(), results.origin, results.study
        results.to_csv("results/new.csv")

    with somewhere() as here:
        shutil.copytree(folder, here / "results")
        spoil(here / "results")
        return _called(reading, [here / "results"])


def given(folder: Path, spoil: Callable[[Path], None], *arguments: str) -> Attempt:
    """A copy of a folder, spoiled, as a command sees it that is given it under the name ``given``."""
    with somewhere() as here:
        shutil.copytree(folder, here / "given")
        spoil(here / "given")
        return command(arguments, [], 3 * SLOWEST)


def in_a_process(content: bytes) -> Attempt:
    """A file of a study, as `sim check` sees it in a process of its own, with what lies around it watched."""
    with tempfile.TemporaryDirectory() as around:
        here, home = Path(around) / "here", Path(around) / "home"
        here.mkdir()
        home.mkdir()
        (here / "study.toml").write_bytes(content)
        before = _everything(Path(around))
        found, begun = Attempt(), time.perf_counter()
        try:
            done = subprocess.run(
                [sys.executable, "-m", "sim", "check", "study.toml"],
                cwd=here, capture_output=True, timeout=3 * SLOWEST, check=False,
                env={**os.environ, "HOME": str(home), "XDG_CACHE_HOME": os.path.expanduser("~/.cache")},
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Attempt("failed", hang=True)
        err = done.stderr.decode()
        found.seconds = time.perf_counter() - begun
        found.verdict = {0: "accepted", 2: "refused"}.get(done.returncode, "failed")
        found.outside = sorted(_everything(Path(around)) - before)
        found.traceback = err if "Traceback" in err else ""
        found.wrong = [*_complaints(done.returncode, err), *_raw(done.stdout.decode() + err)]
        return found


def _everything(folder: Path) -> set[str]:
    return {f"{path} {path.lstat().st_mtime_ns if path.is_file() else ''}" for path in folder.rglob("*")}
