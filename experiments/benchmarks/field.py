"""Everything that is measured beside the field, one part after the other, and one table over all of it.

    pip install -c constraints.txt '.[test]' agentpy ema_workbench psutil
    python experiments/benchmarks/field.py [--quick] [--table]

The parts are `models.py` (the same model), `sweeps.py` (the same sweep), `limit.py` (the same arithmetic in C) and
`growth.py`; each says what it measures. Leave the machine alone meanwhile. The table `field` has a row for each peer:
`what` is compared, `beside` whom, `ours` and `theirs` in a `unit` that is better when it is smaller, and `times ours`,
their figure for one of ours: below 1 the peer is ahead.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator

import pandas as pd
from measuring import HERE, PROOF, save, versions

PARTS = ("limit", "models", "sweeps", "growth")
PACKAGES = ("mesa", "agentpy", "ema_workbench", "numpy", "numba", "pandas")
Row = tuple[str, str, float, float, str]


def table(name: str) -> pd.DataFrame:
    """What a part saved."""
    return pd.read_csv(PROOF / f"{name}.csv", comment="#")


def models() -> Iterator[Row]:
    """Cost and memory of the same model, by size."""
    found = table("models")
    for managers, rows in found.groupby("managers"):
        by = rows.set_index("implementation")
        ours = by.loc["this package"]
        for name, row in by.drop("this package").dropna(subset="microseconds").iterrows():
            what = f"the same model, {managers:,} managers"
            yield what, str(name), ours["microseconds"], row["microseconds"], "microseconds a manager and month"
            yield what, str(name), ours["peak MiB"], row["peak MiB"], "MiB at the peak"


def sweeps() -> Iterator[Row]:
    """Wall time and memory of the same sweep: with each tool's own model, and with our engine in all of them."""
    for (managers, months), rows in table("sweeps").groupby(["managers", "months"]):
        ours = rows[rows["tool"] == "this package"].iloc[0]
        for _, row in rows[rows["tool"] != "this package"].iterrows():
            workers = "1 worker" if row["workers"] == 1 else f"{row['workers']} workers"
            beside = f"{row['tool']}, {row['model']} model, {workers}"
            what = f"the same sweep, {managers:,} managers, {months} months"
            yield what, beside, ours["wall s"], row["wall s"], "s"
            yield what, beside, ours["peak MiB"], row["peak MiB"], "MiB at the peak"


def limit() -> Iterator[Row]:
    """The engine and C, of which the exact build has our bits and the other any."""
    for _, row in table("limit").iterrows():
        what = f"the same arithmetic, {row['managers']:,} managers, {row['settings']}"
        for column, build in (("C", "equal bits"), ("C, any bits", "any bits")):
            yield what, f"C by {row['compiler']}, {build}", row["ours"], row[column], "ns a manager and month"


def main() -> None:
    """Run the parts, then print and save the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="each part at small sizes, to see that it works; no table")
    parser.add_argument("--table", action="store_true", help="only the table, of what the parts saved before")
    asked = parser.parse_args()
    made_with = versions(*PACKAGES)
    for part in () if asked.table else PARTS:
        command = [sys.executable, f"experiments/benchmarks/{part}.py", *(["--quick"] if asked.quick else [])]
        subprocess.run(command, cwd=HERE.parents[1], check=True)
    if not asked.quick:
        rows = pd.DataFrame([*models(), *sweeps(), *limit()], columns=["what", "beside", "ours", "theirs", "unit"])
        rows.insert(4, "times ours", rows["theirs"] / rows["ours"])
        save(rows, "field", made_with)


if __name__ == "__main__":
    main()
