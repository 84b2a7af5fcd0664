"""The package's sampler of plausible worlds beside pyabc's, on problems whose posterior is known.

    pip install pyabc
    python experiments/benchmarks/calibration.py

A problem: uniform numbers, of which statistics are linear functions with coefficients of very unequal size and variance
1 under the prior; each is simulated with noise and compared with a finding under a Gaussian tolerance. The findings
come from one draw of the prior. The noise is 0.7 of the tolerance, and the tolerance such that weights on draws from
the prior have an effective size of 0.4 % of their number, as in a calibration of the model. The posterior's moments
come from `--reference` draws of the prior, with the noise integrated out.

pyabc runs `ABCSMC` with its stochastic acceptor and a temperature that falls to 1, which has the same posterior, with
two of its kernels. It works on normal scores of the uniform numbers, where no proposal can leave the range. It may
simulate as often as the package's sampler did on the same problem; its result is the last generation that it completed.

Columns, over repetitions with a seed each: `simulations`; `temperature` in the end, 1 where it aims at the posterior;
root mean square errors of posterior means and standard deviations, in prior ones, of the single numbers and of the
noiseless statistics; `worth`, how many independent draws from the posterior would have the same error in the means of
the statistics; `effective` size of the weights; `ancestors`, distinct draws from the prior that are left (pyabc keeps
no record of them); seconds of `wall` clock and of `cpu`. Simulations cost nothing here, so the seconds are overhead.
"""

from __future__ import annotations

import argparse
import logging
import platform
import shlex
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.inference.tempering import Target, sample, uniforms_of
from sim.inference.weights import effective_size, normalised

Floats = NDArray[np.float64]
PILOT, CHUNK = 200_000, 50_000
EFFECTIVE = 0.004
NOISE = 0.7
PRIOR_SD = 1 / np.sqrt(12.0)


@dataclass(frozen=True)
class Problem:
    """Linear statistics of uniform numbers, with noise, held against findings under a tolerance."""

    coefficients: Floats  # statistics by numbers
    findings: Floats
    tolerance: float

    def statistics(self, uniforms: Floats) -> Floats:
        """Without noise, shape (..., statistics)."""
        return np.asarray((uniforms - 0.5) @ self.coefficients.T)

    def simulate(self, uniforms: Floats, rng: np.random.Generator) -> Floats:
        """With noise, for one row of uniform numbers."""
        return self.statistics(uniforms) + rng.normal(0.0, NOISE * self.tolerance, len(self.findings))

    def agreement(self, measured: Floats, noise: float = 0.0) -> Floats:
        """The logarithm of the kernel, where the noise is part of what was measured, or (`NOISE`) integrated out."""
        return -0.5 * ((measured - self.findings) ** 2).sum(axis=-1) / (self.tolerance**2 * (1.0 + noise**2))


class Moments(NamedTuple):
    """Means and standard deviations of the uniform numbers and of the noiseless statistics, in prior ones."""

    means: Floats
    sds: Floats
    statistic_means: Floats
    statistic_sds: Floats


class Found(NamedTuple):
    """What a method gives: its worlds, their weights, and what they took."""

    uniforms: Floats
    weights: Floats
    simulations: int
    temperature: float
    ancestors: float


def problem(dimension: int, statistics: int, seed: int) -> Problem:
    """A problem of this size, with the tolerance that `EFFECTIVE` asks for."""
    rng = np.random.default_rng((seed, dimension))
    rough = rng.normal(size=(statistics, dimension)) ** 3
    coefficients = rough / (np.linalg.norm(rough, axis=1, keepdims=True) * PRIOR_SD)
    findings = (rng.random(dimension) - 0.5) @ coefficients.T
    draws = (rng.random((PILOT, dimension), dtype=np.float32) - np.float32(0.5)) @ coefficients.T.astype(np.float32)
    low, high = 0.0, 10.0
    while high - low > 1e-3:
        made = Problem(coefficients, findings, (low + high) / 2)
        enough = effective_size(normalised(made.agreement(draws, NOISE))) >= EFFECTIVE * PILOT
        low, high = (low, made.tolerance) if enough else (made.tolerance, high)
    return Problem(coefficients, findings, high)


def reference(of: Problem, draws: int, seed: int) -> tuple[Moments, float]:
    """The posterior's moments from draws of the prior, chunk by chunk, and the effective size behind them."""
    rng, dimension = np.random.default_rng((seed, 1)), of.coefficients.shape[1]
    sums, total, squares = np.zeros((2, dimension + len(of.findings))), 0.0, 0.0
    for _ in range(draws // CHUNK):
        x = rng.random((CHUNK, dimension), dtype=np.float32) - np.float32(0.5)
        y = x @ of.coefficients.T.astype(np.float32)
        w = np.exp(of.agreement(y, NOISE)).astype(np.float32)
        sums += [np.concatenate([w @ x**k, w @ y**k]) for k in (1, 2)]
        total, squares = total + float(w.sum(dtype=np.float64)), squares + float((w.astype(np.float64) ** 2).sum())
    mean, square = sums / total
    return _moments(mean, np.sqrt(square - mean**2), dimension), total**2 / squares


def moments(of: Problem, uniforms: Floats, weights: Floats) -> Moments:
    """Of weighted worlds."""
    both = np.column_stack([uniforms - 0.5, of.statistics(uniforms)])
    mean = weights @ both
    return _moments(mean, np.sqrt(weights @ (both - mean) ** 2), uniforms.shape[1])


def _moments(mean: Floats, sd: Floats, dimension: int) -> Moments:
    one, other = slice(dimension), slice(dimension, None)
    return Moments(mean[one] / PRIOR_SD, sd[one] / PRIOR_SD, mean[other], sd[other])


def ours(of: Problem, asked: argparse.Namespace, seed: int) -> Found:
    """Tempered sequential Monte Carlo, the sampler of `sim.inference.tempering`."""
    target = Target(
        of.coefficients.shape[1],
        {"all": len(of.findings)},
        lambda uniforms, number: [{"all": of.simulate(uniforms, np.random.default_rng(number))}],
        lambda _, measured: float(of.agreement(np.asarray(measured))),
    )
    found = sample(target, draws=asked.draws, particles=asked.particles, sweeps=asked.sweeps, seed=seed, workers=1)
    codes, times = np.unique(found.particles.codes, axis=0, return_counts=True)
    simulations = asked.draws + sum(stage.tried for stage in found.stages)
    return Found(uniforms_of(codes), times / times.sum(), simulations, 1.0, len(np.unique(found.particles.ancestors)))


def importance(of: Problem, simulations: int, seed: int) -> Found:
    """Weights on draws from the prior and nothing else."""
    rng = np.random.default_rng((seed, 2))
    u = rng.random((simulations, of.coefficients.shape[1]))
    w = normalised([float(of.agreement(of.simulate(row, rng))) for row in u])
    return Found(u, w, simulations, 1.0, simulations)


class Spent(Exception):
    """The simulations that were allowed are used up."""


def theirs(of: Problem, kernel: Callable[[], Any], asked: argparse.Namespace, allowed: int, seed: int) -> Found | None:
    """pyabc's `ABCSMC`; None where it completed no generation."""
    import pyabc  # noqa: PLC0415
    from scipy.stats import norm  # noqa: PLC0415

    names = [f"z{number:03}" for number in range(of.coefficients.shape[1])]

    class Scores(pyabc.DistributionBase):
        """Independent normal scores at once: one object for each would take most of pyabc's time."""

        def rvs(self, *_: Any, **__: Any) -> Any:
            return pyabc.Parameter(dict(zip(names, np.random.normal(size=len(names)), strict=True)))

        def pdf(self, x: Any) -> float:
            return float(np.exp(-0.5 * sum(x[name] ** 2 for name in names)) / (2 * np.pi) ** (len(names) / 2))

    rng, done = np.random.default_rng((seed, 3)), 0
    np.random.seed(seed)  # pyabc draws from NumPy's global generator

    def model(scores: Any) -> dict[str, Floats]:
        nonlocal done
        if done == allowed:
            raise Spent
        done += 1
        return {"y": of.simulate(norm.cdf([scores[name] for name in names]), rng)}

    logging.getLogger("ABC").setLevel(logging.WARNING)
    temperature = pyabc.Temperature()
    with tempfile.TemporaryDirectory() as folder:
        run = pyabc.ABCSMC(
            model,
            Scores(),
            pyabc.IndependentNormalKernel([of.tolerance**2] * len(of.findings)),
            population_size=asked.population,
            transitions=kernel(),
            eps=temperature,
            acceptor=pyabc.StochasticAcceptor(),
            sampler=pyabc.SingleCoreSampler(),
        )
        history = run.new(f"sqlite:///{Path(folder) / 'runs.db'}", {"y": of.findings})
        with suppress(Spent):
            run.run(minimum_epsilon=1.0, max_nr_populations=asked.generations)
        if history.max_t < 0:
            return None
        scores, weights = history.get_distribution(t=history.max_t)
        reached = float(temperature(history.max_t))
    return Found(norm.cdf(scores[names].to_numpy()), weights / weights.sum(), done, reached, np.nan)


def measured(of: Problem, truth: Moments, method: Callable[[], Found | None]) -> tuple[dict[str, float], int]:
    """One method's row, and the simulations that it made."""
    wall, cpu = perf_counter(), process_time()
    found = method()
    spent = {"wall": perf_counter() - wall, "cpu": process_time() - cpu}
    if found is None:
        return spent, 0
    off = errors(moments(of, found.uniforms, found.weights), truth)
    return {
        "simulations": found.simulations,
        "temperature": found.temperature,
        **off,
        "effective": effective_size(found.weights),
        "ancestors": found.ancestors,
        **spent,
    }, found.simulations


def errors(found: Moments, truth: Moments) -> dict[str, float]:
    """Root mean squares over numbers and over statistics."""
    names = ("means", "sds", "statistic means", "statistic sds")
    return {n: float(np.sqrt(np.mean((a - b) ** 2))) for n, a, b in zip(names, found, truth, strict=True)}


def compared(of: Problem, truth: Moments, asked: argparse.Namespace, repetitions: int) -> pd.DataFrame:
    """A row for each method: root mean squares of errors, and means of all else, over repetitions."""
    import pyabc  # noqa: PLC0415

    rows = []
    for seed in range(asked.seed, asked.seed + repetitions):
        row, allowed = measured(of, truth, lambda seed=seed: ours(of, asked, seed))  # type: ignore[misc]
        methods = {
            "importance weights": lambda: importance(of, allowed, seed),  # noqa: B023
            "pyabc, normal": lambda: theirs(of, pyabc.MultivariateNormalTransition, asked, allowed, seed),  # noqa: B023
            "pyabc, local": lambda: theirs(of, pyabc.LocalTransition, asked, allowed, seed),  # noqa: B023
        }
        rows.append({"method": "this package", **row})
        rows += [{"method": name, **measured(of, truth, method)[0]} for name, method in methods.items()]
    none = Moments(*(np.full_like(x, fill) for x, fill in zip(truth, (0.0, 1.0, 0.0, 1.0), strict=True)))
    rows.append({"method": "the prior itself", **errors(none, truth)})
    by = pd.DataFrame(rows).groupby("method", sort=False)
    table = by.mean()
    names = list(errors(none, truth))
    table[names] = np.sqrt((pd.DataFrame(rows).set_index("method")[names] ** 2).groupby(level=0, sort=False).mean())
    table.insert(6, "worth", (truth.statistic_sds**2).mean() / table["statistic means"] ** 2)
    return table


def ratios(table: pd.DataFrame) -> pd.DataFrame:
    """What each of the others has for one of this package's."""
    columns = ["means", "sds", "statistic means", "statistic sds", "effective", "worth", "wall", "cpu"]
    return table.loc[[n for n in table.index if n not in ("this package", "the prior itself")], columns].div(
        table.loc["this package", columns]
    )


def arguments() -> argparse.Namespace:
    """What was asked for at the shell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--problems", nargs="+", default=["147x11x1", "5x3x3"], help="numbers x statistics x repetitions"
    )
    for name, default in (
        ("draws", 3_000),
        ("particles", 200),
        ("sweeps", 2),
        ("population", 200),
        ("generations", 3),
        ("seed", 0),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--reference", type=int, default=10_000_000)
    return parser.parse_args()


def main() -> None:
    """Print versions, the command, and for each size the table and its ratios."""
    asked = arguments()
    try:
        made = {name: version(name) for name in ("pyabc", "numpy", "scipy")}
    except ModuleNotFoundError as missing:
        raise SystemExit(f"{missing.name} is missing: pip install {missing.name}") from None
    print(f"python {shlex.join(sys.argv)}")
    print(f"Python {platform.python_version()}, " + ", ".join(f"{name} {number}" for name, number in made.items()))
    for size in asked.problems:
        dimension, statistics, repetitions = (int(number) for number in size.split("x"))
        of = problem(dimension, statistics, asked.seed)
        truth, behind = reference(of, asked.reference, asked.seed)
        print(
            f"\n{dimension} numbers, {statistics} statistics, tolerance {of.tolerance:.2f}; repetitions: {repetitions}"
        )
        print(
            f"truth from an effective {behind:.0f} of {asked.reference} draws ({100 * behind / asked.reference:.2f} %)"
        )
        table = compared(of, truth, asked, repetitions)
        print(table.to_string(float_format=lambda number: f"{number:.3g}", na_rep="-"))
        print("for one of this package's:")
        print(ratios(table).to_string(float_format=lambda number: f"{number:.2f}", na_rep="-"), flush=True)


if __name__ == "__main__":
    main()
