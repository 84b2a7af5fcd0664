"""A list of runs whose bits are the same on every machine: what they are, and a digest of each.

    python tests/bits.py        # compares this machine's with `bits.json`, exits with 1 where one differs

Regimes, schedules, corners of what is allowed, interventions, and sizes from one manager to the nation.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # this checkout, whatever copy is installed

from sim.model.parameters import COEFFICIENTS, PARAMETERS, REGIMES, resolve
from sim.model.record import Record

FILE = Path(__file__).with_name("bits.json")
PLACES = {1: (1, 1, 1), 7: (1, 1, 7), 8: (1, 2, 4), 9: (1, 3, 3), 60: (1, 5, 12), 63: (3, 3, 7), 64: (2, 2, 16),
          65: (1, 5, 13), 120: (2, 5, 12)}  # fmt: skip
"""Systems, organisations of a system and managers of an organisation, by the number of posts."""


def _sizes(posts: int, months: int) -> dict[str, int]:
    return {**dict(zip(("systems", "organisations", "managers"), PLACES[posts], strict=True)), "months": months}


def _corner(seed: int) -> dict[str, float]:
    """Every parameter at an end of its plausible range, drawn by a generator of its own."""
    ends = np.random.default_rng(seed).integers(2, size=len(COEFFICIENTS))
    pairs = (
        (name, (PARAMETERS[name].low, PARAMETERS[name].high)[end]) for name, end in zip(COEFFICIENTS, ends, strict=True)
    )
    return {name: float(value) for name, value in pairs if value is not None}


_CAREERS = dict(
    competency_standard=0.6, register=0.7, disbarring=0.5, risk_based=0.5, monitoring_sd=0.1, relationship_sd=0.2
)
SMALL: dict[str, dict[str, Any]] = {
    **{f"{regime}, 60 managers": dict(regime=regime, **_sizes(60, 36)) for regime in REGIMES},
    **{f"{posts} managers": dict(regime="heavy", **_sizes(posts, 24)) for posts in PLACES},
    "careers": dict(**_CAREERS, **_sizes(63, 36)),
    "a schedule": dict(schedule={"monitoring": {6: 0.9, 12: 0.1}, "targets": {3: 1.0}}, **_sizes(9, 24)),
    "attention off the middle": dict(focus_own=0.6, focus_pull=0.9, **_sizes(65, 24)),
    "many sanctions": dict(monitoring=1.0, punitiveness=0.9, discernment=0.1, leniency=0.0, **_sizes(64, 24)),
    **{f"corner {seed}": dict(**_corner(seed), **_sizes(9, 24)) for seed in range(6)},
}
"""Runs that the Mesa model does, too."""
RUNS: dict[str, dict[str, Any]] = {
    **SMALL,
    **{f"{regime}, four systems, ten years": dict(regime=regime, systems=4) for regime in REGIMES},
    **{f"{regime}, the nation": dict(regime=regime, months=24) for regime in ("baseline", "heavy")},
}


def digest(record: Record) -> str:
    """Of all that a run leaves behind."""
    parts = (record.sums, record.totals, record.last, record.organisations)
    return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()[:16]


def compiled(settings: dict[str, Any]) -> str:
    """The digest of a run of the compiled engine; its seed is its number in the list."""
    from sim.model import engine  # noqa: PLC0415

    return digest(engine.run(resolve(**settings), seed_of(settings), record_organisations=True))


def seed_of(settings: dict[str, Any]) -> int:
    """The seed of a run: its number in the list."""
    return list(RUNS.values()).index(settings)


def here() -> dict[str, str]:
    """The digests of all runs on this machine, and one over all."""
    each = {name: compiled(settings) for name, settings in RUNS.items()}
    return {"all": hashlib.sha256("".join(each.values()).encode()).hexdigest()[:16], **each}


def write() -> None:
    """Write the file where it is not right, and say so."""
    text = json.dumps(here(), indent=1) + "\n"
    if not FILE.exists() or FILE.read_text(encoding="utf-8") != text:
        FILE.write_text(text, encoding="utf-8")
        print(f"{FILE.name}: rewritten, because bits changed")


def main() -> int:
    """Compare, and print what differs and the digest over all."""
    now, kept = here(), json.loads(FILE.read_text(encoding="utf-8"))
    for name in now:
        if now[name] != kept.get(name):
            print(f"{name}: {now[name]}, and {kept.get(name)} in {FILE.name}")
    print(now["all"])
    return int(now != kept)


if __name__ == "__main__":
    sys.exit(main())
