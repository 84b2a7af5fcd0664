"""Calibration: which worlds agree with the evidence. `calibrate` samples them, keeping what is done in a folder.

The folder holds ``settings.json`` and one file of arrays for each batch of simulations. All else follows from these,
so that a second call goes on where the first was interrupted and ends with the same bits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim import files
from sim.errors import InputError, Mistake, Mistakes, place, shown, whole
from sim.model import engine, run
from sim.model.parameters import seed_of
from sim.model.version import identity
from sim.pool import Progress
from sim.worlds import evidence as findings
from sim.worlds import survey
from sim.worlds.ensemble import VARIANCE_SEEDS, VARIANCE_WORLDS, Ensemble, Prior, files_in, prior_band
from sim.worlds.ensemble_file import MADE_BY
from sim.worlds.evidence import Evidence
from sim.worlds.prior import OFF, UNIFORMS, prior, uniforms_of, worlds_from
from sim.worlds.smc import Batch, Found, Particles, Target, sample
from sim.worlds.survey import Measured, Sizes

DRAWS, PARTICLES, SWEEPS = 16_000, 1_000, 4
MOST = 10_000_000
PRIORS: dict[Prior, dict[str, Any]] = {
    "main": {},
    "all_on": {"off": 0.0, "seed": 1, "draws": 6_000, "particles": 500, "sweeps": 2},
}
"""How the ensembles that come with the package are calibrated, where that differs from the defaults of `calibrate`: the
second prior is there for comparison, so fewer worlds do."""
_SETTINGS = "settings.json"


def calibrate(
    folder: str | Path,
    *,
    evidence: Evidence | None = None,
    draws: int = DRAWS,
    particles: int = PARTICLES,
    sweeps: int = SWEEPS,
    seed: int = 0,
    off: float = OFF,
    sizes: Sizes = survey.DEFAULT_SIZES,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Ensemble:
    """Sample worlds from the prior times their agreement with the evidence, by default that of the package.

    `folder` keeps what is done: a call with the same settings goes on with it, with others it is refused. See
    `sim.worlds.smc` for `draws`, `particles` and `sweeps`; `off` is the prior chance that a mechanism is off, `sizes`
    are those of the virtual studies. The ensemble follows from these and the `seed`, to the last bit. `progress` counts
    the simulations of a stage. Raises `InputError` with a line for each mistake, and where the folder cannot be used.
    """
    evidence = findings.load() if evidence is None else evidence
    wrong, counts = Mistakes(), {"draws": draws, "particles": particles, "sweeps": sweeps}
    for name, value in {**counts, "workers": workers or 1}.items():
        with wrong:
            whole(name, value, 2 if name in ("draws", "particles") else 1, MOST)
    if isinstance(off, bool) or not isinstance(off, int | float) or not 0.0 <= off <= 1.0:
        wrong.append(Mistake(("off",), off, "must be a chance from 0 to 1"))
    wrong.tell()
    settings = {**counts, "seed": seed_of(seed), "off": off, "sizes": asdict(sizes)}
    engine.warm_up()
    version = identity(*MADE_BY, __name__, "sim.worlds.smc")
    patterns = {pattern.id: pattern for pattern in evidence.patterns}

    def spread() -> Batch:
        worlds = prior(VARIANCE_WORLDS, seed, off)
        found = survey.simulation_variance(evidence, worlds, VARIANCE_SEEDS, sizes, workers)
        return {name: np.asarray(value) for name, value in found.items()}

    with files.keeping(Path(folder), "a calibration") as kept:
        _begin(kept, {**settings, "evidence": asdict(evidence), "model": version})
        variance = {name: v if v.ndim else float(v) for name, v in kept.arrays("variance", spread).items()}
        target = Target(
            UNIFORMS,
            {name: np.size(pattern.value) for name, pattern in patterns.items()},
            lambda uniforms, seed: survey.measurements(evidence, worlds_from(uniforms[None], off)[0], seed, sizes),
            lambda name, measured: survey.log_agreement(patterns[name], measured, variance[name]),
        )
        found = sample(target, **counts, seed=seed, cache=kept.arrays, progress=progress, workers=workers)
    return _ensemble(target, found, evidence, variance, off, settings)


def recalibrate(folder: str | Path, progress: Progress | None = None, workers: int | None = None) -> list[Path]:
    """Make both ensembles of `PRIORS` again, in a folder where a second call goes on; the paths of their files."""
    path = Path(folder)
    ours, paths = files.Folder(path, "worlds of sim worlds --calibrate"), files_in(path)
    ours.check()
    for which, settings in PRIORS.items():
        made = calibrate(path / which, progress=progress, workers=workers, **settings)
        ours.reserve([paths[which].name])
        made.save(paths[which])
    return list(paths.values())


def _begin(folder: files.Folder, settings: dict[str, Any]) -> None:
    """Note the settings of a new calibration; refuse to go on with an old one under others."""
    text = json.dumps(settings, indent=1, sort_keys=True)
    if _SETTINGS not in folder.files:
        folder.put(_SETTINGS, text.encode())
    before, lines = json.loads(folder.content(_SETTINGS) or b"{}"), []
    for name, value in json.loads(text).items():
        if before.get(name) != value:
            other = f"{name} = {shown(before.get(name))}, not {shown(value)}"
            other = f"another version of the {name}" if name in ("model", "evidence") else other
            lines.append(f"{place(folder.path)}: was begun with {other}; choose another folder")
    if lines:
        raise InputError(lines)


def _ensemble(
    target: Target,
    found: Found,
    evidence: Evidence,
    variance: Mapping[str, Measured],
    off: float,
    settings: Mapping[str, Any],
) -> Ensemble:
    """The particles as an ensemble. Those with equal codes are one world with the weight of all."""
    _, first, times = np.unique(found.particles.codes, axis=0, return_index=True, return_counts=True)
    distinct, draws, stages = found.particles.take(first), len(found.draws), found.stages
    before = _by_pattern(target, found.draws)
    history = {
        "stages": [asdict(stage) for stage in stages],
        "simulations": draws + sum(stage.tried for stage in stages),
        "completed": draws + sum(stage.completed for stage in stages),
    }
    own = {"weights": times / times.sum(), "ancestors": distinct.ancestors, "seeds": distinct.seeds}
    return Ensemble(
        **{**vars(worlds_from(uniforms_of(distinct.codes), off)), **own},
        measured=_by_pattern(target, distinct),
        evidence=evidence,
        variance=variance,
        chance_off=off,
        prior={p.id: prior_band(p, before[p.id]) for p in evidence.patterns},
        provenance={**run.provenance(), **settings, **history},
    )


def _by_pattern(target: Target, particles: Particles) -> dict[str, NDArray[np.float64]]:
    """What was measured, by pattern; in single precision, so that a small file keeps it."""
    rows = particles.measured.astype(np.float32).astype(np.float64)
    return {n: rows[:, at] if at.stop - at.start > 1 else rows[:, at.start] for n, at in target.columns.items()}
