"""Is the inference right? Checks of the worlds that come with the package.

    python experiments/inference.py calibration          # simulation-based, by weighting the worlds again
    python experiments/inference.py conflicts FOLDER     # of a folder in which sim worlds --calibrate made its runs

The first surveys every world a second time, some minutes of one core. The second reads what the runs keep, each draw
from the prior and each world that was surveyed on the way, and takes seconds. What both mean stands in
`sim.claims.inference`.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # this checkout, whatever copy is installed

import numpy as np
import pandas as pd

from sim.claims import inference
from sim.claims.answer import answer
from sim.claims.statements import primary
from sim.worlds.ensemble import load


def calibration() -> None:
    """Ranks of true effects among those of worlds that were weighted by pseudo-data of their own."""
    report, worlds = answer(), load()
    known = inference.known(worlds, report.effects_in(worlds), list(primary().values()))
    sds = np.hstack([p.sd for p in worlds.evidence.patterns])
    true = inference.truths(known.weights)
    data = inference.pseudo_data(known.statistics[true], sds)
    ranks = inference.ranks(known, true, data, sds)
    print(f"{len(true)} refits of {len(known.weights):,} worlds\n")
    sizes = ranks.drop_duplicates(["left_out", "refit"])
    for name, part in sizes.groupby("left_out", sort=False):
        n = part["effective_size"]
        print(f"Without {name}: effective size {n.min():.0f} to {n.max():.0f}, {n.median():.0f} in the middle; below "
              f"{inference.FEWEST} in {int((n < inference.FEWEST).sum())}, which need moves.")  # fmt: skip
    print("\nAre ranks uniform? Chances are adjusted for the number of keys.\n")
    print(inference.uniformity(ranks).round(3).to_string(index=False))
    print("\nHow often a refit's central interval holds the true effect\n")
    print(inference.coverage(ranks).round(3).to_string(index=False))


def conflicts(folder: Path) -> None:
    """How near worlds come to each finding, to pairs, and to all."""
    patterns = load().evidence.patterns
    values, sds = (np.hstack([getattr(p, name) for p in patterns]) for name in ("value", "sd"))
    names = [p.id for p in patterns for _ in range(np.size(p.value))]
    kept = sorted(folder.glob("main-*/prior-*.npz")) + sorted(folder.glob("main-*/round-*.npz"))
    if not kept:
        raise SystemExit(f"{folder}: no runs of sim worlds --calibrate keep surveys here")
    found = np.concatenate([np.load(path)["statistics"][:, : len(values)] for path in kept])
    told = inference.conflicts((found - values) / sds, names)
    print(f"{told.worlds:,} worlds that can be compared of {len(found):,}. The nearest misses no finding by more than "
          f"{told.joint:.2f} tolerances.\n")  # fmt: skip
    print(told.pairs.head(8).round(3).to_string(index=False), "\n")
    print(told.leverage.round(3).to_string(index=False))


def main() -> None:
    """Ask what the command line asks."""
    pd.set_option("display.width", 140)
    match sys.argv[1:]:
        case ["calibration"]:
            calibration()
        case ["conflicts", folder]:
            conflicts(Path(folder))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
