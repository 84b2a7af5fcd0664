"""What the benchmarks share: fair timings, the peak memory of a process, and tables that say where they come from."""

from __future__ import annotations

import os
import platform
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import pandas as pd

HERE = Path(__file__).resolve().parent


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def fastest(works: Sequence[Callable[[], object]], times: int) -> list[float]:
    """Seconds of the fastest of several alternating turns of each work.

    They alternate, and the fastest counts, because whatever else a machine does only ever slows it down.
    """
    turns = [[seconds(work) for work in works] for _ in range(times)]
    return [min(column) for column in zip(*turns, strict=True)]


def killed(child: subprocess.Popen[bytes], after: float) -> None:
    """Kill all processes of a session that `child` leads, after so many seconds."""
    time.sleep(after)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()


MEASURE = """
import resource, sys
sys.path[:0] = [{here!r}]
{code}
if sys.platform == "linux":  # where ru_maxrss counts what the process that started this one had, too
    with open("/proc/self/status") as status:
        peak = 1024 * next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print("measured", peak)
"""


def peak_memory(code: str) -> int:
    """Peak resident bytes of a new process that runs `code`, which may import what lies beside this file."""
    command = [sys.executable, "-c", MEASURE.format(here=str(HERE), code=code)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1])


def machine() -> str:
    """The processor, the cores and the operating system."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores, {platform.system()}"


def versions(*packages: str) -> str:
    """Python and some packages with their versions, as they are installed; a missing one ends the program."""
    try:
        named = [f"{package} {version(package)}" for package in packages]
    except ModuleNotFoundError as missing:
        raise SystemExit(f"{missing.name} is missing: pip install {missing.name}") from None
    return ", ".join([f"Python {platform.python_version()}", *named])


def busy() -> str:
    """What else the machine does."""
    return f"{os.getloadavg()[0]:.1f} of {os.cpu_count()} cores busy" if hasattr(os, "getloadavg") else "load unknown"


def show(table: pd.DataFrame, name: str, made_with: str) -> None:
    """Print a table under the command, the versions, the machine and its load."""
    command = shlex.join(["python", os.path.relpath(sys.argv[0], HERE.parents[1]), *sys.argv[1:]])
    print(f"\n{name}: {command}\n{made_with}; {machine()}; {busy()} at the end")
    print(table.to_string(index=False, float_format=lambda number: f"{number:.4g}"), flush=True)
