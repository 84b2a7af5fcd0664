"""Does the headline come out again here, to the bit? What of it takes less than ten minutes: python tests/codecheck.py

1. The runs of `bits.py` have the digests of `bits.json`.
2. A hundred shipped worlds of each prior, surveyed again under their seeds, give what they are weighted by.
3. Two hundred of the first, drawn by weight and run again under their seeds, give every effect that is stored.

The last line says whether every bit agrees; the exit code is 1 where one does not, or where no answer is stored.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # this checkout, whatever copy is installed

import bits
import numpy as np

from sim import statistics
from sim.claims import answer, statements
from sim.errors import InputError
from sim.worlds import ensemble, evaluate


def effects(report: answer.ClaimReport, worlds: ensemble.Ensemble, number: int = 200) -> tuple[int, int]:
    """How many effects and errors of an answer were computed again in `number` worlds, and how many differ in a bit."""
    frame, p = report.effects_in(worlds).sort_values("world"), report.provenance
    weights = frame.drop_duplicates("world").set_index("world")["weight"]
    drawn = np.unique(statistics.systematic(weights.to_numpy(), number, np.random.default_rng(0)))
    there = weights.index.to_numpy()[drawn]
    named = {contrast.name: contrast for contrast in statements.contrasts_of(report.claims)}
    stored = frame[frame["world"].isin(there) & frame["contrast"].isin(list(named))]
    again = [named[name] for name in stored["contrast"].unique()]
    now = evaluate.effects(worlds.take(there), again, statements.precision(report.sizes), p["seed"], p["sizes"])
    equal = [
        part[column].to_numpy() == found(*key)
        for key, part in stored.groupby(["contrast", "outcome"], observed=True)
        for column, found in (("estimate", now.of), ("error", now.error_of))
    ]
    return sum(map(len, equal)), sum(int((~each).sum()) for each in equal)


def main() -> int:
    """Check all three, and say what came of each."""
    print(f"1. runs: {'a digest differs' if (runs := bits.main()) else 'every digest agrees'}", flush=True)
    apart = [n for prior in ensemble.PRIORS for n in ensemble.differences(ensemble.load(prior=prior), 100).values()]
    print(f"2. worlds: {np.count_nonzero(apart)} of {len(apart)} statistics differ", flush=True)
    try:
        numbers, differ = effects(answer.answer(), ensemble.load())
        print(f"3. effects: {differ} of {numbers:,} numbers differ")
    except InputError as error:
        print(f"3. effects: {error}")
        differ = 1
    print("Not everything agrees." if runs or any(apart) or differ else "Every bit that was computed again agrees.")
    return int(bool(runs or any(apart) or differ))


if __name__ == "__main__":
    sys.exit(main())
