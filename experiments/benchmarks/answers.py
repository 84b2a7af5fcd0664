"""A fixed set of results as hashes of their bits, for one environment. `everywhere.py` runs this in each, and compares.

    python experiments/benchmarks/answers.py [--quick] [--bits] [--threads N] [--where THERE] [--budget N]

It prints one JSON object: versions; hashes of the bits of streams, runs, a study and sampled designs; the numbers and
verdicts of differences; and, unless ``--bits`` is given, means over replications with their standard errors, by which
environments are compared whose bits differ.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import platform
import tempfile
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd

import sim
from sim.inference.contrast import Sesoi, contrast
from sim.outcomes import OUTCOMES
from sim.parameters import MECHANISMS, REGIMES
from sim.streams import KEYED, Streams
from sim.study import Study, chunks

PACKAGES = ("numba", "numpy", "mesa", "pandas", "pyarrow", "scipy")
SMALL: dict[str, Any] = {"systems": 2, "organisations": 3, "managers": 4, "months": 24}
BUSY: dict[str, Any] = SMALL | {
    "regime": "kark_full", "monitoring_sd": 0.2, "relationship_sd": 0.3, "risk_based": 0.5, "standardisation": 0.4,
    "dismissal": 0.8, "exit_base": 0.1, "account_rate": 0.3, "slip_negligence": 0.6, "market_months": 2.5,
}  # fmt: skip
"""Much happens: slips, sanctions, dismissals, appointments of every kind, departures from the market."""
CHANGES = {"monitoring": {6: 0.9, 18: 0.1}, "punitiveness": {12: 0.8}, "targets": {1: 0.7}}
STUDY: dict[str, Any] = {
    "title": "The same everywhere",
    "seeds": 4,
    "parameters": SMALL | {"months": 12},
    "design": {"kind": "grid", "regime": ["light", "heavy"], "monitoring": [0.1, 0.5, 0.9], "demand": [0.9, 1.1]},
    "outcomes": {"keep": list(OUTCOMES), "window": 6, "series": True, "organisations": True},
}
SAMPLED: dict[str, dict[str, Any]] = {
    "lhs": {"samples": 20, "seed": 4},
    "sobol": {"samples": 8, "seed": 4},
    "morris": {"samples": 6, "seed": 4},
}
FACTORS: dict[str, Any] = {"monitoring": [0.0, 1.0], "relationship": [0.0, 1.0], "deterrence": "range"}
THERE = ("threads", "processes", "dask")


@dataclass(frozen=True)
class Manner:
    """How the work is done, which must not change its results: how many at once, where, and the size of chunks."""

    threads: int = 1
    where: str = "threads"
    budget: int | None = None


def digest(parts: Iterable[bytes]) -> str:
    """A hash of some bytes, short enough for a table of them."""
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def of_record(run: sim.Run) -> str:
    """A hash of every array of a run."""
    return digest(getattr(run.record, part.name).tobytes() for part in dataclasses.fields(run.record))


def of_table(table: pd.DataFrame) -> list[bytes]:
    """The bits of a table, column by column; numbers as floats, because libraries choose other types for them."""
    numbers = [pd.api.types.is_numeric_dtype(column) for _, column in table.items()]
    return [
        column.to_numpy(np.float64).tobytes() if number else repr(column.astype(object).fillna("").tolist()).encode()
        for (_, column), number in zip(table.items(), numbers, strict=True)
    ]


def asked() -> list[dict[str, Any]]:
    """Settings of runs: every regime, every mechanism switched off, levers that change, and much happening."""
    off = [
        {name: value for name, value in BUSY.items() if name not in mechanism.parameters} | {"mechanisms_off": [key]}
        for key, mechanism in MECHANISMS.items()
    ]
    runs = [*({"regime": regime, **SMALL} for regime in REGIMES), *off, BUSY, {"schedule": CHANGES, **SMALL}]
    return [{"seed": seed * (2**40 + 1), "record_organisations": True, **run} for seed, run in enumerate(runs)]


def runs(engine: str, settings: list[dict[str, Any]], threads: int) -> list[str]:
    """A hash for each run, `threads` of them at once."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda run: of_record(sim.simulate(engine=engine, **run)), settings))  # type: ignore[arg-type]


def streams() -> str:
    """The numbers of every stream, as NumPy gives them."""
    made = Streams(2**40 + 1, 20)
    months = [list(made.month().values()) for _ in range(6)]
    looked_up = [made.keyed(name, index, count) for name in KEYED[1:] for index in (0, 7) for count in (0, 3)]
    return digest(np.array(part).tobytes() for part in (months, looked_up))


def study(manner: Manner) -> list[pd.DataFrame]:
    """Every table of a small study, as it is read back from its files."""
    chunks.BUDGET = manner.budget or chunks.BUDGET
    asked = Study.from_dict(STUDY)
    with tempfile.TemporaryDirectory() as folder:
        if manner.where == "threads":
            results = asked.run(folder, workers=manner.threads)
        elif manner.where == "processes":
            with ProcessPoolExecutor(manner.threads, get_context("spawn")) as pool:
                results = asked.run(folder, cluster=pool)
        else:
            results = asked.run(folder, cluster=f"local:{manner.threads}")
        return [results.runs, results.series(), results.organisations()]


def differences(rows: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Each outcome under heavy less under light: means, interval, spread, verdict."""
    heavy, light = (rows[rows["regime"] == regime] for regime in ("heavy", "light"))
    found = [contrast(heavy[name].fillna(0), light[name].fillna(0), Sesoi(0.05), 1) for name in OUTCOMES]
    return [dataclasses.astuple(difference) for difference in found]


def design(kind: str) -> str:
    """A hash of the cells of a sampled design."""
    asked = {"seeds": 1, "parameters": SMALL, "design": {"kind": kind, **SAMPLED[kind], **FACTORS}}
    return digest(repr(sorted(cell.settings.items())).encode() for cell in Study.from_dict(asked).points)


def means(replications: int) -> dict[str, list[list[float]]]:
    """Mean and standard error of each outcome in the last month over replications, by regime."""
    tables = {}
    for regime in ("baseline", "heavy", "supportive"):
        last = [sim.simulate(seed, regime, systems=4, months=36).series.iloc[-1] for seed in range(replications)]
        values = np.array(last, dtype=np.float64)
        errors = values.std(axis=0, ddof=1) / replications**0.5
        tables[regime] = [values.mean(axis=0).tolist(), errors.tolist()]
    return tables


def answers(quick: bool, bits: bool, manner: Manner) -> dict[str, Any]:
    """Everything, for this environment."""
    settings = asked()[:: 10 if quick else 1]
    tables = study(manner)
    made: dict[str, Any] = {
        "versions": {"Python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "streams": streams(),
        "runs": runs("compiled", settings, manner.threads),
        "mesa": runs("mesa", settings, 1),
        "study": digest(part for table in tables for part in of_table(table)),
        "differences": differences(tables[0]),
        **{kind: design(kind) for kind in SAMPLED},
    }
    return made if bits else made | {"means": means(10 if quick else 100)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    parser.add_argument("--bits", action="store_true", help="no means over replications")
    parser.add_argument("--threads", type=int, default=1, help="runs at once")
    parser.add_argument("--where", choices=THERE, default="threads", help="what computes the study")
    parser.add_argument("--budget", type=int, help="manager-months in a chunk of the study")
    chosen = parser.parse_args()
    print(json.dumps(answers(chosen.quick, chosen.bits, Manner(chosen.threads, chosen.where, chosen.budget))))


if __name__ == "__main__":
    main()
