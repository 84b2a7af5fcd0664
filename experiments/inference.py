"""Is the inference right? Checks of the worlds that come with the package.

    python experiments/inference.py calibration          # simulation-based, by weighting the worlds again
    python experiments/inference.py moves RUNS FOLDER    # the same, with worlds that are moved where few are left
    python experiments/inference.py waves FOLDER         # effects in worlds of another algorithm (`sim.worlds.waves`)
    python experiments/inference.py conflicts RUNS       # findings that no world meets together

RUNS is a folder in which `sim worlds --calibrate` made its runs. The first surveys every world a second time, some
minutes of one core. The second learns from what the runs surveyed and keeps each refit in a folder, a minute or two of
one core each; the third keeps its worlds and effects, an hour of one core. Both go on with what is there. The last
takes seconds. What all mean stands in `sim.claims.inference`.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # this checkout, whatever copy is installed

import numpy as np
import pandas as pd

from sim import files
from sim.claims import inference
from sim.claims.answer import answer, by_weight
from sim.claims.inference import Known
from sim.claims.statements import contrasts_of, precision, primary
from sim.statistics import effective_size, log_sum
from sim.worlds import emulator, evaluate
from sim.worlds.calibrate import target_of
from sim.worlds.emulator import Emulator
from sim.worlds.ensemble import Ensemble, load
from sim.worlds.prior import Floats, uniforms_of, worlds_from
from sim.worlds.refit import States, codes_of, refit
from sim.worlds.smc import Target
from sim.worlds.survey import Sizes
from sim.worlds.waves import Plan, matched

PAIRS = 4
"""Pairs of runs for an effect in a world that was moved, and in the true one beside it, so that both are as noisy."""

PLANS = {
    "tilted": (Plan(first=3_000, waves=(2_000, 2_000), draws=4_000, points=2_000, tilt=1.0, steps=40), 0),
    "more draws": (Plan(first=3_000, waves=(2_000, 2_000), draws=6_000, points=2_000, tilt=1.0, steps=40), 1),
    "half tilted, wider": (Plan(3_000, (2_000, 2_000), 6_000, 2_000, cut=3.5, tilt=0.6, steps=40), 2),
}
"""Settings of the second algorithm, with their seeds, see `sim.worlds.waves.Plan`: a quarter of an hour of one core for
the first, a half for each other."""
EVALUATED = 800
"""Of its worlds, in which effects are run; drawn by weight, a heavy one counts several times."""


def calibration(runs: Path | None = None, folder: Path = Path()) -> None:
    """Ranks of true effects among those of worlds that were weighted by pseudo-data of their own.

    With `runs` to learn from, worlds are moved for each refit that leaves too few; `folder` keeps what came of it.
    """
    report, worlds = answer(), load()
    effects = report.effects_in(worlds)
    known = inference.known(worlds, effects, list(primary().values()))
    sds = target_in(worlds).sds
    true = inference.truths(known.weights)
    data = inference.pseudo_data(known.statistics[true], sds)
    ranks = inference.ranks(known, true, data, sds)
    print(f"{len(true)} refits of {len(known.weights):,} worlds\n")
    told(ranks)
    if runs is not None:
        taken = worlds.take(np.unique(effects["world"].to_numpy()), known.weights)
        move = mover(taken, known, report.provenance["sizes"], runs)
        few = inference.thin(ranks).drop_duplicates("refit")
        print(f"\nWith worlds that were moved in {len(few)} refits, the true one's family left out\n")
        with files.keeping(folder, "refits") as holder:
            for number, world in few[["refit", "world"]].itertuples(index=False):
                name = f"{number:03}-{hashlib.sha256(data[number].tobytes()).hexdigest()[:8]}"
                found = holder.arrays(name, partial(move, world, data[number], number))
                print(f"refit {number}: effective size {found['size']:.0f}, {found['surveys']} surveys, accepted "
                      f"{found['accepted'].round(2).tolist()}", flush=True)  # fmt: skip
                ranks = inference.replaced(ranks, number, found["own"], found["others"], float(found["size"]))
        told(ranks)


def mover(
    worlds: Ensemble, known: Known, sizes: dict[str, int], runs: Path
) -> Callable[[int, Floats, int], dict[str, Any]]:
    """A refit by moves, of a true world, its pseudo-data and a seed: values of the true world (``own``) and of the
    ``others``, in the order of the keys of ranks, the others' effective ``size``, and how it went."""
    evidence, off = worlds.evidence, worlds.chance_off
    target = target_in(worlds)
    first = np.column_stack([worlds.measured[p.id] for p in evidence.patterns])
    codes, statistics = codes_of(worlds, off), np.hstack([first, known.statistics])
    learned = emulator_of(runs, target)
    wanted = {contrast for contrast, _ in known.keys}
    compared = [replace(c, fewest=PAIRS, most=PAIRS) for c in contrasts_of() if c.name in wanted]
    families = known.groups[inference.FAMILY]

    def moved(true: int, data: Floats, seed: int) -> dict[str, Any]:
        weights = np.where(families == families[true], 0.0, known.weights)
        start = States(codes, worlds.seeds, statistics, weights / weights.sum())
        found = refit(target, start, data, learned, seed=seed, workers=None)
        distinct, places = np.unique(np.vstack([codes[[true]], found.states.codes]), axis=0, return_inverse=True)
        effects = evaluate.effects(worlds_from(uniforms_of(distinct), off), compared, {}, seed=1, sizes=sizes)
        second = np.vstack([statistics[[true]], found.states.statistics])[:, first.shape[1] :]
        agreement = inference.agreement(second, data, target.sds)
        values = np.column_stack([*(effects.of(*key)[places.ravel()] for key in known.keys), agreement])
        return {"own": values[0], "others": values[1:], "size": np.float64(found.effective_size),
                "surveys": np.int64(found.surveys), "accepted": np.array(found.sweeps)[:, 1]}  # fmt: skip

    return moved


def target_in(worlds: Ensemble) -> Target:
    """What the calibrations of an ensemble sampled."""
    return target_of(worlds.evidence, worlds.chance_off, Sizes(**worlds.provenance["calibrations"][0]["sizes"]))


def emulator_of(runs: Path, target: Target) -> Emulator:
    """What all surveys that calibrations made of worlds that their own emulators believed in have to teach."""
    codes, found = [], []
    for path in sorted(runs.glob("main-*/believed-*.npz")):
        codes.append(np.load(path)["codes"])
        number = path.stem.removeprefix("believed-")
        found += [np.load(each)["statistics"] for each in sorted(path.parent.glob(f"round-{number}-*.npz"))]
    if not codes:
        raise SystemExit(f"{runs}: no runs of sim worlds --calibrate keep surveys here")
    misses = target.misses(np.concatenate(found))
    there = np.isfinite(misses).all(axis=1)
    return emulator.fit(target.features(uniforms_of(np.concatenate(codes)[there])), misses[there], 0)


def told(ranks: pd.DataFrame) -> None:
    """Print how many worlds count, whether ranks are uniform, and how often intervals hold the truth."""
    sizes = ranks.drop_duplicates(["left_out", "refit"])
    for name, part in sizes.groupby("left_out", sort=False):
        n = part["effective_size"]
        print(f"Without {name}: effective size {n.min():.0f} to {n.max():.0f}, {n.median():.0f} in the middle; below "
              f"{inference.FEWEST} in {int((n < inference.FEWEST).sum())}, which need moves.")  # fmt: skip
    print("\nAre ranks uniform? Chances are adjusted for the number of keys.\n")
    print(inference.uniformity(ranks).round(3).to_string(index=False))
    print("\nHow often a refit's central interval holds the true effect\n")
    print(inference.coverage(ranks).round(3).to_string(index=False))


def waves(folder: Path) -> None:
    """Mean primary effects in the package's worlds and in those that another algorithm finds, under each setting."""
    report, worlds, keys = answer(), load(), list(primary().values())
    off, here = worlds.chance_off, report.effects_in(worlds)
    target = target_in(worlds)
    compared = [c for c in contrasts_of() if c.name in {contrast for contrast, _ in keys}]
    log_z = log_sum(list(worlds.log_z.values())) - np.log(len(worlds.log_z))
    folder.mkdir(parents=True, exist_ok=True)
    for name, (plan, seed) in PLANS.items():

        def found(plan: Plan = plan, seed: int = seed) -> dict[str, Any]:
            made = matched(target, plan, seed=seed, workers=None)
            history = {key: np.array([wave[key] for wave in made.history]) for key in made.history[0]}
            return {"codes": made.codes, "weights": made.weights, "log_z": np.float64(made.log_z),
                    "surveys": np.int64(made.surveys)} | history  # fmt: skip

        key = hashlib.sha256(repr((plan, seed, worlds.evidence)).encode()).hexdigest()[:8]
        with files.keeping(folder / "worlds", "waves") as holder:
            kept = holder.arrays(key, found)
        own = replace(worlds_from(uniforms_of(kept["codes"]), off), weights=kept["weights"])
        numbers, weights = by_weight(own, EVALUATED)
        effects = evaluate.effects(own.take(numbers, weights), compared, precision(report.sizes), seed=2,
                                   sizes=report.provenance["sizes"], folder=folder / "effects")  # fmt: skip
        rows = [
            {"world": n, "calibration": n, "weight": w, "contrast": contrast, "outcome": outcome, "estimate": x}
            for contrast, outcome in dict.fromkeys(keys)
            for n, (w, x) in enumerate(zip(weights.tolist(), effects.of(contrast, outcome).tolist(), strict=True))
        ]
        table = inference.compare(here, pd.DataFrame(rows), keys)
        print(f"{name}: log Z {float(kept['log_z']):.2f}, here {log_z:.2f}; {kept['surveys']:,} surveys; processes err "
              f"by {kept['error'].round(2).tolist()} tolerances; {len(own):,} worlds, as good as "
              f"{effective_size(kept['weights']):.0f}; {int((table['errors_off'].abs() > 2.0).sum())} of {len(table)} "
              f"mean effects are further apart than two joint errors\n\n{table.round(4).to_string(index=False)}\n",
              flush=True)  # fmt: skip


def conflicts(runs: Path) -> None:
    """How near worlds come to each finding, to pairs, and to all."""
    worlds = load()
    target = target_in(worlds)
    names = [p.id for p in worlds.evidence.patterns for _ in range(np.size(p.value))]
    kept = sorted(runs.glob("main-*/prior-*.npz")) + sorted(runs.glob("main-*/round-*.npz"))
    if not kept:
        raise SystemExit(f"{runs}: no runs of sim worlds --calibrate keep surveys here")
    surveyed = np.concatenate([np.load(path)["statistics"][:, : len(names)] for path in kept])
    found = inference.conflicts((surveyed - target.values) / target.sds, names)
    print(f"{found.worlds:,} worlds that can be compared of {len(surveyed):,}. The nearest misses no finding by more "
          f"than {found.joint:.2f} tolerances.\n")  # fmt: skip
    print(found.pairs.head(8).round(3).to_string(index=False), "\n")
    print(found.leverage.round(3).to_string(index=False))


def main() -> None:
    """Ask what the command line asks."""
    pd.set_option("display.width", 140)
    match sys.argv[1:]:
        case ["calibration"]:
            calibration()
        case ["moves", runs, folder]:
            calibration(Path(runs), Path(folder))
        case ["waves", folder]:
            waves(Path(folder))
        case ["conflicts", runs]:
            conflicts(Path(runs))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
