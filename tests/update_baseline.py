"""Rewrite on purpose what releases are compared with: the tables of the model, and its results.

    python docs/generate.py

All three files stay as they are where they are right.
`declared.json` holds the numbers of every parameter, lever and size, and the names of mechanisms, regimes and outcomes
with what they are made of. `baseline.json` holds national outcomes of three regimes: those of seed 0 to the last bit,
and means and standard deviations over replications, by which a change of the last digits is told from a change of the
model. `bits.json` holds a digest of each run of a list (`bits.py`), which is the same on every machine.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # this checkout, whatever copy is installed

import bits

import sim
from sim.model.outcomes import OUTCOMES, POST_COLUMNS
from sim.model.parameters import MECHANISMS, PARAMETERS, REGIMES

DECLARED = Path(__file__).with_name("declared.json")
FILE = Path(__file__).with_name("baseline.json")
RUN = ("baseline", "heavy", "supportive")
SIZES = {"systems": 4, "organisations": 5, "managers": 12, "months": 36}
MONTHS = (1, 2, 12, 36)
REPLICATIONS = 30

Table = dict[str, dict[str, dict[str, Any]]]


def exact() -> Table:
    """Outcomes of seed 0 by regime and month, as hexadecimal numbers, which lose nothing."""
    return {regime: _months(sim.simulate(0, regime, **SIZES).series.map(float.hex)) for regime in RUN}


def replications() -> tuple[Table, Table]:
    """Means and standard deviations over replications with other seeds, by regime and month."""
    means, spreads = {}, {}
    for regime in RUN:
        runs = [sim.simulate(seed, regime, **SIZES).series for seed in range(1, REPLICATIONS + 1)]
        values = np.array([run.to_numpy() for run in runs])
        like = runs[0]
        means[regime] = _months(like.__class__(values.mean(axis=0), like.index, like.columns))
        spreads[regime] = _months(like.__class__(values.std(axis=0, ddof=1), like.index, like.columns))
    return means, spreads


def _months(series: Any) -> dict[str, dict[str, Any]]:
    return {str(month): series.loc[month].to_dict() for month in MONTHS}


def disagreements(was: Any, means: Table) -> list[tuple[str, str, str]]:
    """Regime, month and outcome of each mean that is not the baseline's statistically.

    Allowed are five standard errors of the difference of two such means.
    """
    errors = 5.0 * math.sqrt(2.0 / REPLICATIONS)
    return [
        (regime, month, name)
        for regime, months in was["mean"].items()
        for month, row in months.items()
        for name, mean in row.items()
        if abs(means[regime][month].get(name, math.inf) - mean) > errors * was["sd"][regime][month][name] + 1e-9
    ]


def is_right(was: Any, means: Table) -> bool:
    """Whether the baseline agrees with the code, to the bit."""
    return bool(was["exact"] == exact()) and not disagreements(was, means)


def declared() -> Table:
    """What the tables of the model declare, without words: by kind, and by name within a kind."""
    numbers = ("default", "low", "high", "null", "minimum", "maximum", "exclusive_minimum", "exclusive_maximum")
    return {
        "numbers": {
            name: {"kind": d.kind, "group": d.group} | {fact: getattr(d, fact) for fact in numbers}
            for name, d in PARAMETERS.items()
        },
        "mechanisms": {m.name: {"case": m.case, "parameters": list(m.parameters)} for m in MECHANISMS.values()},
        "regimes": {regime.name: regime.levers for regime in REGIMES.values()},
        "outcomes": {name: {"of posts": name in POST_COLUMNS} for name in {**OUTCOMES, **POST_COLUMNS}},
    }


def write_declared() -> None:
    """Write the tables, a line for each name."""
    kinds = (
        f" {json.dumps(kind)}: {{\n"
        + ",\n".join(f"  {json.dumps(name)}: {json.dumps(facts)}" for name, facts in names.items())
        + "\n }"
        for kind, names in declared().items()
    )
    text = "{\n" + ",\n".join(kinds) + "\n}\n"
    if DECLARED.read_text(encoding="utf-8") != text:
        DECLARED.write_text(text, encoding="utf-8")
        print(f"{DECLARED.name}: rewritten, because the tables changed")


def main() -> None:
    """Write the files where they are not right, and say so."""
    write_declared()
    bits.write()
    means, spreads = replications()
    if is_right(json.loads(FILE.read_text(encoding="utf-8")), means):
        return
    content = {"exact": exact(), "mean": means, "sd": spreads}
    FILE.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"{FILE.name}: rewritten, because results changed")


if __name__ == "__main__":
    main()
