"""One run, by either engine: `simulate` gives a `Run`."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

import sim
from sim.errors import InputError, nearest, shown, truth
from sim.model import record as recording
from sim.model.interventions import NONE, Interventions
from sim.model.local import LocalRule
from sim.model.parameters import BYTES_FOR_A_POST, Parameters, check_memory, resolve, seed_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Engine = Literal["compiled", "mesa"]
ENGINES: tuple[Engine, ...] = ("compiled", "mesa")


@dataclass(frozen=True)
class Run:
    """What one run left behind.

    Attributes
    ----------
    parameters : Parameters
        The resolved, frozen parameters: all values, levers, sizes and the schedule.
    seed : int
        The seed that was used, also where none was given.
    engine : "compiled" or "mesa"
    record : sim.model.record.Record
        The sums behind the tables.
    """

    parameters: Parameters
    seed: int
    engine: Engine
    record: recording.Record = field(repr=False)

    def __repr__(self) -> str:
        p = self.parameters
        posts = p.systems * p.organisations * p.managers
        ends = ", ".join(f"{name} {self.means[name]:.2f}" for name in ("fear", "trust", "quality"))
        return f"<Run: seed {self.seed}, {posts:,} managers, {p.months} months, {self.engine}; in the end {ends}>"

    @cached_property
    def series(self) -> pd.DataFrame:
        """National outcomes by month: index ``month`` from 1, a column for each of `sim.model.outcomes.OUTCOMES`."""
        return recording.series(self.record.sums, len(self.record.totals))

    @cached_property
    def posts(self) -> pd.DataFrame:
        """A row for each post: ``post``, ``organisation``, ``system`` (numbers from 0), averages over the last
        `window` months of `POST_COLUMNS`, and the last month's ``last_reported``, ``last_honest``."""
        return recording.posts_frame(self.record, self.parameters)

    @cached_property
    def organisations(self) -> pd.DataFrame:
        """A row for each month and organisation: ``month``, ``organisation``, ``system`` and means over its
        managers of `sim.model.outcomes.POST_COLUMNS`.

        Raises `InputError` unless the run was made with ``record_organisations=True``.
        """
        if not len(self.record.organisations):
            raise InputError(
                ["Run.organisations: this run kept none; ask simulate for them with record_organisations=True"]
            )
        return recording.organisations_frame(self.record, self.parameters)

    @cached_property
    def means(self) -> pd.Series:
        """Outcomes averaged over the last `window` months, by name: the row that a study keeps of this run."""
        by_month = recording.outcomes(self.record.sums[-self.parameters.window :], len(self.record.totals))
        return pd.Series({name: values.mean() for name, values in by_month.items()}, name="mean")

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the numbers come from: version, commit, seed, engine, Python, platform and packages."""
        return {**deepcopy(provenance()), "seed": self.seed, "engine": self.engine}

    def plot(self, *outcomes: str, against: Run | None = None) -> Figure:
        """Time paths of some outcomes (by default fear, trust, quality and reported), as a Matplotlib figure.

        With another run, `against`, its paths are dashed beside those of this one.
        """
        from sim.plots.run import time_paths  # noqa: PLC0415

        return time_paths(self, outcomes, against)


def simulate(
    seed: int | None = None,
    regime: str = "baseline",
    *,
    schedule: Mapping[str, Mapping[int, float]] | None = None,
    local: Iterable[LocalRule | Mapping[str, Any]] = (),
    mechanisms_off: Iterable[str] = (),
    engine: Engine = "compiled",
    record_organisations: bool = False,
    **settings: Any,
) -> Run:
    """Run the model once.

    Parameters
    ----------
    seed : int, optional
        0 to 2**63 - 1; without one a fresh seed is drawn and stands in `Run.seed`. Two runs with one seed differ
        only by what their settings do (common random numbers).
    regime : str
        A named bundle of levers, see ``sim parameters``.
    schedule : mapping, optional
        Lever to month to value, ``{"monitoring": {36: 0.9}}``: the value holds from the start of that month on.
    local : list of rules, optional
        Levers with values of their own in some organisations: each rule has levers, who (``organisations``, numbers
        from 0 over the nation; ``share`` of all, drawn for the run; or ``where``, a condition such as "fear > 0.3" on
        fear, trust, reputation or safety at the month's start), and perhaps ``from`` and ``to``, its first and last
        month. The later rule goes over the earlier, and all over the schedule.
    mechanisms_off : iterable of str
        Mechanisms to switch off: their parameters go to the value at which they do nothing.
    engine : "compiled" or "mesa"
        Both give the same bits; the Mesa model can be stepped and examined, and takes over a hundred times longer.
    record_organisations : bool
        Keep means by month and organisation for `Run.organisations`.
    **settings
        Any parameter, lever or size by its name (``sim parameters``), for instance ``relationship=0.6``.

    Raises
    ------
    InputError
        With one line for each mistake.

    >>> run = simulate(seed=0, regime="heavy", relationship=0.6, systems=2, months=12)
    >>> bool(run.series.loc[12, "fear"] > 0)
    True
    """
    if not isinstance(engine, str) or engine not in ENGINES:
        raise InputError([f'engine: {shown(engine)} is neither "compiled" nor "mesa"{nearest(engine, ENGINES)}'])
    seed = seed_of(seed)
    if engine == "mesa":
        from sim.model.mesa_model import LeadershipModel  # noqa: PLC0415

        model = LeadershipModel(
            regime,
            rng=seed,
            schedule=schedule,
            local=local,
            mechanisms_off=mechanisms_off,
            record_organisations=record_organisations,
            **settings,
        )
        model.run_model()
        return Run(model.parameters, seed, engine, model.record)
    record_organisations = truth("record_organisations", record_organisations)
    schedule = {} if schedule is None else schedule
    parameters = resolve(regime, mechanisms_off=mechanisms_off, schedule=schedule, local=local, **settings)
    check_memory(parameters, BYTES_FOR_A_POST, record_organisations)
    return run_parameters(parameters, seed, record_organisations)


def run_parameters(
    parameters: Parameters, seed: int, record_organisations: bool = False, interventions: Interventions = NONE
) -> Run:
    """Run the compiled engine on parameters that are already resolved."""
    from sim.model import engine  # noqa: PLC0415

    return Run(parameters, seed, "compiled", engine.run(parameters, seed, record_organisations, interventions))


@cache
def provenance() -> dict[str, Any]:
    """What made a result, apart from settings and seed: versions of this package, Python, platform and packages.

    ``commit`` is the commit of the checkout that the package runs from, with "+" where files differ from it, or
    None outside a checkout.
    """
    packages = ("mesa", "numba", "numpy", "pandas", "pyarrow", "scipy", "SALib", "matplotlib")
    return {
        "version": sim.__version__,
        "commit": _commit(),
        "python": platform.python_version(),
        "platform": f"{sys.platform}-{platform.machine()}",
        "packages": {name: metadata.version(name) for name in packages},
    }


def _commit() -> str | None:
    package = Path(sim.__file__).resolve().parent
    if not (package.parent / ".git").exists():
        return None
    command = ["git", "-C", str(package), "status", "--porcelain=v2", "--branch", "--", "."]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}  # set in a hook
    try:
        said = subprocess.run(command, env=plain, capture_output=True, text=True, check=True, timeout=10).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    (commit,) = (line.split()[-1] for line in said.splitlines() if line.startswith("# branch.oid "))
    return commit + ("+" if any(not line.startswith("#") for line in said.splitlines()) else "")
