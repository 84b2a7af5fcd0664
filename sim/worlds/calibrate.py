"""Calibration: which worlds agree with the evidence. `calibrate` makes one run of several that are pooled.

A run keeps what is done in a folder: ``settings.json`` and a file of arrays for each batch. All else follows from
these, so that a second call goes on where the first was interrupted. It ends in a small file of some worlds, which
`sim.worlds.ensemble.load` pools with those of other runs by their normalising constants.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from concurrent.futures import as_completed
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np

from sim import files
from sim.errors import InputError, Mistake, Mistakes, chosen, place, shown, whole
from sim.model import engine, run
from sim.model.version import identity
from sim.pool import Progress
from sim.statistics import systematic
from sim.study.dask import dask_cluster
from sim.worlds import evidence as findings
from sim.worlds import survey
from sim.worlds.ensemble import Ensemble, Prior, prior_band
from sim.worlds.ensemble_file import MADE_BY
from sim.worlds.evidence import Evidence
from sim.worlds.prior import OFF, UNIFORMS, effective, uniforms_of, worlds_from
from sim.worlds.smc import Found, Plan, Target, sample
from sim.worlds.survey import Sizes

KEPT = 400
"""Worlds of a run that are kept."""
MOST_RUNS = 1_000
PRIORS: dict[Prior, dict[str, Any]] = {"main": {"off": OFF, "runs": 10}, "all_on": {"off": 0.0, "runs": 3}}
"""The calibrations that come with the package: the chance that a mechanism is off, and how many runs."""
_FIRST_SEED: dict[str, int] = {"main": 0, "all_on": MOST_RUNS}
FILE = re.compile(rf"(?:{'|'.join(PRIORS)})-\d{{2,}}\.parquet")
"""What the file of a run is called."""
_SETTINGS = "settings.json"


def calibrate(
    folder: str | Path,
    run_number: int = 1,
    *,
    prior: Prior = "main",
    evidence: Evidence | None = None,
    plan: Plan | None = None,
    off: float | None = None,
    sizes: Sizes | None = None,
    kept: int = KEPT,
    progress: Progress | None = None,
    workers: int | None = 1,
) -> Ensemble:
    """One run: worlds from the prior times their agreement with the evidence, by default that of the package.

    `folder` keeps what is done: a call with the same settings goes on with it, with others it is refused. Runs differ
    in `run_number`, from 1, from which all their random numbers follow, and are independent of each other. `off` is the
    prior chance that a mechanism is off, by default that of the `prior`; see `sim.worlds.smc.Plan` for the plan;
    `sizes` are those of the virtual studies, by default the evidence's; `kept` worlds are resampled in the end. Raises
    `InputError` with a line for each mistake, and where the folder cannot be used.
    """
    evidence, plan = findings.load() if evidence is None else evidence, plan or Plan()
    sizes = Sizes.of(evidence) if sizes is None else sizes
    wrong = Mistakes()
    with wrong:
        whole("run", run_number, 1, MOST_RUNS)
    with wrong:
        whole("kept", kept, 2, plan.particles)
    off = PRIORS[prior]["off"] if off is None else off
    if isinstance(off, bool) or not isinstance(off, int | float) or not 0.0 <= off <= 1.0:
        wrong.append(Mistake(("off",), off, "must be a chance from 0 to 1"))
    wrong.tell()
    settings = {"run": run_number, "prior": prior, "off": off, "plan": asdict(plan), "sizes": asdict(sizes)}
    engine.warm_up()
    version = identity(*MADE_BY, __name__, "sim.worlds.smc", "sim.worlds.emulator")
    target = target_of(evidence, off, sizes)
    seed = _FIRST_SEED[prior] + run_number
    with files.keeping(Path(folder), "a calibration") as holder:
        _begin(holder, {**settings, "evidence": asdict(evidence), "model": version})
        found = sample(target, plan, seed=seed, cache=holder.arrays, progress=progress, workers=workers)
    return _ensemble(target, found, evidence, off, kept, seed, {**run.provenance(), **settings})


def target_of(evidence: Evidence, off: float, sizes: Sizes) -> Target:
    """What is sampled: a prior in which a mechanism is off with chance `off`, times agreement with the evidence."""
    values, sds = (np.hstack([getattr(p, name) for p in evidence.patterns]) for name in ("value", "sd"))
    return Target(
        UNIFORMS,
        lambda uniforms, seed: survey.vector(evidence, worlds_from(uniforms[None], off)[0], seed, sizes),
        lambda uniforms: effective(uniforms, off),
        values,
        sds,
        evidence.size("seeds"),
    )


def recalibrate(
    folder: str | Path,
    prior: str = "main",
    runs: Iterable[int] | None = None,
    progress: Progress | None = None,
    cluster: str | None = None,
    **options: Any,
) -> list[Path]:
    """Runs of a prior, by default all that it has, each ending in a file of `folder`; the paths of their files.

    What is done is kept in a folder beside each file, so that a second call goes on; a file that is there is not made
    again. A folder that holds anything else is refused. Runs are made one after the other, or on a `cluster`:
    ``local:2`` for two processes of this machine, or the address of a Dask scheduler, whose workers keep what is done
    under the same path. `progress` counts a run's surveys, on a cluster finished runs. `options` are those of
    `calibrate`.
    """
    path, which = Path(folder), known_prior(prior)
    with files.explained(path):
        files.refuse(path, [name for name in files.others(path) if not FILE.fullmatch(name)])
        files.make(path)
    numbers = range(1, PRIORS[which]["runs"] + 1) if runs is None else runs
    paths = {number: path / f"{which}-{number:02}.parquet" for number in numbers}  # see `FILE`
    missing = [number for number, file in paths.items() if not file.exists()]
    if cluster is None:
        for number in missing:
            _made(paths[number], number, which, {**options, "progress": progress})
    elif missing:
        with dask_cluster(cluster) as (executor, _):
            made = [executor.submit(_made, paths[number], number, which, options) for number in missing]
            for done, future in enumerate(as_completed(made), 1):
                future.result()
                if progress is not None:
                    progress(done, len(made))
    return list(paths.values())


def _made(path: Path, number: int, prior: Prior, options: dict[str, Any]) -> None:
    """Make one run, and write its file."""
    calibrate(path.with_suffix(""), number, prior=prior, **options).save(path)


def known_prior(name: str) -> Prior:
    """A name as one of `PRIORS`. Raises `InputError` for another."""
    return cast(Prior, chosen("prior", [name], PRIORS, "prior")[0])


def _begin(folder: files.Folder, settings: dict[str, Any]) -> None:
    """Note the settings of a new calibration; refuse to go on with an old one under others."""
    text = json.dumps(settings, indent=1, sort_keys=True)
    if _SETTINGS not in folder.files:
        folder.put(_SETTINGS, text.encode())
    if (content := folder.content(_SETTINGS)) is None:
        raise InputError([f"{place(folder.path / _SETTINGS)}: cannot be read as it was written; choose another folder"])
    before, lines = json.loads(content), []
    for name, value in json.loads(text).items():
        if before.get(name) != value:
            other = f"{name} = {shown(before.get(name))}, not {shown(value)}"
            other = f"another version of the {name}" if name in ("model", "evidence") else other
            lines.append(f"{place(folder.path)}: was begun with {other}; choose another folder")
    if lines:
        raise InputError(lines)


def _ensemble(
    target: Target, found: Found, evidence: Evidence, off: float, kept: int, seed: int, provenance: dict[str, Any]
) -> Ensemble:
    """Some of the particles as an ensemble; those with equal codes and seeds are one world with the weight of all."""
    p, patterns = found.particles, {pattern.id: pattern for pattern in evidence.patterns}
    some = p.take(systematic(np.ones(len(p)), kept, np.random.default_rng((seed, 1_000))))
    _, first, times = np.unique(
        np.column_stack([some.codes, some.seeds]), axis=0, return_index=True, return_counts=True
    )
    distinct, n = some.take(np.sort(first)), provenance["run"]
    measured, before = (survey.by_statistic(evidence, rows) for rows in (distinct.statistics, found.prior))
    own = {
        "weights": times[np.argsort(first)] / kept,
        "calibrations": np.full(len(distinct), n),
        "ancestors": distinct.ancestors,
        "seeds": distinct.seeds,
    }
    return Ensemble(
        **{**vars(worlds_from(uniforms_of(distinct.codes), off)), **own},
        measured={name: values.astype(np.float32).astype(np.float64) for name, values in measured.items()},
        evidence=evidence,
        log_z={n: found.log_z},
        chance_off=off,
        prior={name: prior_band(values, patterns.get(name)) for name, values in before.items()},
        provenance={"calibrations": [{**provenance, "log_z": found.log_z, **found.history}]},
    )
