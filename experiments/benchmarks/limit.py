"""How far the engine is from the same arithmetic in C. Usage: python experiments/benchmarks/limit.py [--quick]

kernel.c is the whole model written in C by hand. It is compiled for this machine, with every floating-point operation
kept as written, and fed the same parameters and seed: what it records must have the same bits as ours, or the program
ends. A second build may reorder and approximate (-ffast-math); it shows what equal bits cost, and has to agree to six
digits. Turns of ours and of C alternate, on one core, and the fastest counts. Without a compiler there is no table.

Columns, times in ns for each manager and month: `settings` and `managers` of a run of ten years (2,520 are the nation,
60 fit into the processor's cache); `compiler`; `ours`, all of `engine.run`; `C`, the exact build without its start;
`ratio` of the two (asked: at most 0.6); `C, any bits`, the second build, and `ratio any` to it (asked: at most 0.8);
`our numbers` and `C numbers`, the random numbers alone that every manager needs every month; `ratio without`, of what
is left without these.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pandas as pd
from measuring import HERE, seconds, show, versions
from numpy.typing import NDArray

from sim.model import engine
from sim.model.outcomes import POST_COLUMNS
from sim.model.parameters import LEVERS, Parameters, resolve
from sim.model.record import FIELDS, LANES
from sim.model.streams import ABREAST, KEYED, KEYS, MONTHLY, MONTHLY_KEYS, draw_lanes, normal, seed_lanes

SEED, TURNS_IN_C = 1, 3
COMPILERS = ("gcc", "clang")
EXACT = ("-std=c11", "-D_POSIX_C_SOURCE=200809L", "-O3", "-march=native", "-ffp-contract=off")
FREE = ("-std=c11", "-D_POSIX_C_SOURCE=200809L", "-O3", "-march=native", "-ffast-math")
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "heavy regime": {"regime": "heavy"},
    "relationship_sd = 0.2": {"relationship_sd": 0.2},
}


def layout() -> str:
    """The C header: fields of the records as they lie in memory here, sizes, and the keys of the streams."""
    idle = tuple(f"idle_{k}" for k in range(len(MONTHLY), ABREAST))
    records = {
        "values": engine._Values._fields,
        "levers": LEVERS,
        "row": (*FIELDS, "unfair", "spared", "unpunished", "support"),
        "draws": (*MONTHLY, *idle),
    }
    lines = ["#include <stdint.h>"]
    for name, names in records.items():
        fields = ", ".join("register_" if field == "register" else field for field in names)
        lines.append(f"struct {name} {{ double {fields}; }};")
    lines.append(f"enum {{ {', '.join(name.upper() for name in KEYED)} }};")
    lines.append(
        f"enum {{ FIELDS = {len(FIELDS)}, KEPT = {len(POST_COLUMNS)}, LANES = {LANES}, ABREAST = {ABREAST} }};"
    )
    for name, keys in {"KEYS": KEYS, "MONTHLY_KEYS": MONTHLY_KEYS}.items():
        lines.append(f"static const uint64_t {name}[] = {{ {', '.join(f'{key}u' for key in keys)} }};")
    return "\n".join(lines) + "\n"


def built(compiler: str, flags: tuple[str, ...], folder: Path) -> Path:
    """The program as this compiler makes it, in a folder that holds the header."""
    program = folder / f"{compiler}{flags[-1]}"
    command = [compiler, *flags, f"-I{folder}", str(HERE / "kernel.c"), "-o", str(program), "-lm"]
    subprocess.run(command, check=True)
    return program


class Program:
    """A build of kernel.c with one set of parameters; `whole` and `numbers` are the seconds of its fastest turn."""

    def __init__(self, program: Path, p: Parameters, folder: Path) -> None:
        file, self.output = folder / "input", folder / "output"
        values = np.array([getattr(p, name) for name in engine._Values._fields])
        file.write_bytes(values.tobytes() + engine.lever_table(p).tobytes())
        sizes = (p.systems, p.organisations, p.managers, p.months, p.window)
        self.command = [str(part) for part in (program, file, SEED, *sizes, TURNS_IN_C, self.output)]
        self.whole = self.numbers = float("inf")

    def turn(self) -> None:
        """Run the program, which takes a few turns itself."""
        done = subprocess.run(self.command, check=True, capture_output=True, text=True)
        whole, numbers = (float(word) for word in done.stdout.split())
        self.whole, self.numbers = min(self.whole, whole), min(self.numbers, numbers)

    def recorded(self) -> NDArray[np.float64]:
        """What it recorded last: sums, totals and last indicators, one after the other."""
        self.turn()
        return np.fromfile(self.output)


@numba.njit(nogil=True, error_model="numpy")
def _draw_only(
    seed: np.uint64, turns: int, uniforms: NDArray[np.float64], rows: int, shocks: NDArray[np.float64]
) -> None:
    """Every manager's random numbers of some months, one system after the other."""
    streams = np.empty(4 * ABREAST, np.uint64)
    seed_lanes(seed, streams, uniforms)
    for _ in range(turns):
        draw_lanes(streams, rows, uniforms)
        for stream in _NORMAL:
            for row in range(rows):
                shocks[row] = uniforms[row * ABREAST + stream]
            for row in range(rows):
                shocks[row] = normal(shocks[row])


_NORMAL = (MONTHLY.index("need_drift"), MONTHLY.index("chance"))


def draw_only(p: Parameters) -> None:
    """The random numbers of a run and nothing else; the engine draws them eight posts at a time."""
    rows = p.organisations * p.managers
    _draw_only(np.uint64(SEED), p.systems * p.months, np.empty(max(rows, 8) * ABREAST), rows, np.empty(rows))


def check(exact: Program, free: Program, p: Parameters) -> None:
    """End the program unless the exact build has our bits and the other one agrees."""
    record = engine.run(p, SEED)
    ours = np.concatenate([record.sums.ravel(), record.totals.ravel(), record.last.ravel()])
    if not np.array_equal(exact.recorded(), ours):
        raise SystemExit("kernel.c has other bits than the engine: there is nothing to compare")
    if not np.allclose(free.recorded(), ours, rtol=1e-6, atol=1e-9):
        raise SystemExit("kernel.c with -ffast-math is another model than the engine")


def compare(p: Parameters, builds: tuple[Path, Path], folder: Path, turns: int) -> dict[str, float]:
    """One row of the table without its names."""
    exact, free = (Program(build, p, folder) for build in builds)
    check(exact, free, p)
    draw_only(p)
    ours = numbers = float("inf")
    for _ in range(turns):
        for _ in range(TURNS_IN_C):
            ours, numbers = min(ours, seconds(lambda: engine.run(p, SEED))), min(numbers, seconds(lambda: draw_only(p)))
        exact.turn()
        free.turn()
    ns = 1e9 / (p.systems * p.organisations * p.managers * p.months)
    return {
        "ours": ours * ns,
        "C": exact.whole * ns,
        "ratio": ours / exact.whole,
        "C, any bits": free.whole * ns,
        "ratio any": ours / free.whole,
        "our numbers": numbers * ns,
        "C numbers": exact.numbers * ns,
        "ratio without": (ours - numbers) / (exact.whole - exact.numbers),
    }


def compiler_version(compiler: str) -> str:
    """The compiler's name and version, in its own words."""
    done = subprocess.run([compiler, "--version"], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few turns, to see that it works")
    quick = parser.parse_args().quick
    compilers = [compiler for compiler in COMPILERS if shutil.which(compiler)]
    if not compilers:
        raise SystemExit(f"no C compiler: neither {' nor '.join(COMPILERS)} is on the path")
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "layout.h").write_text(layout(), encoding="utf-8")
        builds = {compiler: (built(compiler, EXACT, folder), built(compiler, FREE, folder)) for compiler in compilers}
        for name, settings in SETTINGS.items():
            for systems in (42, 1):
                p = resolve(**settings, systems=systems)
                managers = systems * p.organisations * p.managers
                turns = 1 if quick else 30
                for compiler, pair in builds.items():
                    row = compare(p, pair, folder, turns)
                    rows.append({"settings": name, "managers": managers, "compiler": compiler, **row})
        used = ", ".join([versions("numba", "numpy"), *map(compiler_version, compilers)])
        show(pd.DataFrame(rows), "limit", used)
        print("bits equal in every row, or the program had ended")


if __name__ == "__main__":
    main()
