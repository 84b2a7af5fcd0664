"""Sweeps: a grid of runs in memory, without a file and a folder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from sim.model import engine
from sim.pool import in_order, local_threads
from sim.study.compute import compute
from sim.study.plan import Study


def sweep(*, seeds: int = 30, seed: int = 0, workers: int | None = None, **settings: Any) -> pd.DataFrame:
    """Run the model for every combination of values, with the same seeds for each.

    Parameters
    ----------
    seeds, seed : int
        Runs of each combination, and the first one's seed; runs of the same seed are paired.
    workers : int, optional
        Threads, by default one for each core. The rows do not depend on it.
    settings
        Parameters, levers, sizes, ``regime``, ``mechanisms_off`` and ``schedule``: a list or array of values is varied
        (for ``mechanisms_off``, a list of lists), a single value is the same in all runs. ``keep`` and ``window`` are
        those of ``[outcomes]``.

    Returns
    -------
    DataFrame
        A row for each run, as `Results.runs` has them: ``cell`` (from 1), what varies, ``seed``, the outcomes averaged
        over the window, and ``error``.

    Raises `InputError` with a line for each mistake.

    >>> table = sweep(monitoring=[0.1, 0.9], seeds=2, systems=1, months=6, keep=["fear"])
    >>> table[["cell", "monitoring", "seed"]].to_numpy().tolist()
    [[1.0, 0.1, 0.0], [1.0, 0.1, 1.0], [2.0, 0.9, 0.0], [2.0, 0.9, 1.0]]
    """
    kept = {name: settings.pop(name) for name in ("keep", "window") if name in settings}
    varied = {name: values for name, values in settings.items() if _is_varied(name, values)}
    fixed = {name: value for name, value in settings.items() if name not in varied}
    top: dict[str, Any] = {name: fixed.pop(name) for name in ("regime", "mechanisms_off", "schedule") if name in fixed}
    if isinstance(top.get("mechanisms_off"), str):
        top["mechanisms_off"] = [top["mechanisms_off"]]
    design = {**varied, "kind": "grid"}
    table: dict[str, Any] = {
        **top,
        "seeds": seeds,
        "seed": seed,
        "parameters": fixed,
        "design": design,
        "outcomes": kept,
    }
    study = Study.from_dict(table, name="sweep", where="sweep")
    engine.warm_up()
    with local_threads(workers) as threads:
        tables = [done["runs"] for done in in_order(threads, compute, study.chunks)]
    runs: pd.DataFrame = pa.concat_tables(tables).to_pandas()
    numbers = [(piece.number, piece.runs) for chunk in study.chunks for piece in chunk.pieces]
    runs.insert(0, "cell", np.repeat(*np.transpose(numbers)))
    return runs


def _is_varied(name: str, values: Any) -> bool:
    """Whether several values are given for a setting."""
    if name == "mechanisms_off":
        return not isinstance(values, str) and not all(isinstance(each, str) for each in values)
    return (isinstance(values, Sequence) and not isinstance(values, str)) or bool(getattr(values, "ndim", 0))
