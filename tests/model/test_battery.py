"""The random streams as the model uses them: no stream, post, month, seed or name can be told from its neighbour.

A general battery reads one long sequence. Here the numbers lie in a cube whose axes are what the model counts by, and
neighbours along each axis are held against each other: how often both fall into each of 16 by 16 squares, and whether
any layer has another mean. All seeds are fixed, so what passes once passes always. The general battery is dieharder
(Debian's package), fed with the engine's numbers in four orders.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import combinations
from subprocess import PIPE

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chi2, kstest

from sim.model.streams import ABREAST, KEYED, KEYS, MONTHLY, NUMBERS, draw_lanes, keyed, seed_lanes

Cube = NDArray[np.float64]
SQUARES = 16
LEAST = 1e-4
"""The smallest p-value of a table of them may be this, after correction for their number."""
SEEDS = (*range(128), *(2**k for k in range(7, 63)))
"""Those that people choose, and those that differ from 0 in one bit."""


def monthly(seeds: tuple[int, ...], months: int, posts: int) -> Cube:
    """Numbers of the monthly streams by seed, month, post and stream, as the engine draws them for one system."""
    cube = np.empty((len(seeds), months * posts, ABREAST))
    for layer, seed in zip(cube, seeds, strict=True):
        state = np.empty(4 * ABREAST, np.uint64)
        seed_lanes(np.uint64(seed), state, np.empty(8 * ABREAST))
        draw_lanes(state, months * posts, layer.reshape(-1))
    return cube[:, :, : len(MONTHLY)].reshape(len(seeds), months, posts, len(MONTHLY))


def looked_up(seeds: tuple[int, ...], indices: int, counts: int) -> Cube:
    """Numbers that are looked up, by seed, name, index, count and place."""
    cube = np.empty((len(seeds), len(KEYED), indices, counts, NUMBERS))
    for s, name, index, count in np.ndindex(cube.shape[:-1]):
        cube[s, name, index, count] = keyed(np.uint64(seeds[s]), KEYS[name], index, count)
    return cube


def together(one: Cube, other: Cube) -> float:
    """The p-value of how often two series of uniform numbers fall into each square together."""
    squares = np.floor(one * SQUARES).astype(int) * SQUARES + np.floor(other * SQUARES).astype(int)
    counts = np.bincount(squares.ravel(), minlength=SQUARES**2)
    expected = squares.size / SQUARES**2
    return float(chi2.sf(((counts - expected) ** 2).sum() / expected, SQUARES**2 - 1))


def level(cube: Cube, axis: int) -> float:
    """The p-value of the means of the layers along an axis, which are 1/2."""
    layers = np.moveaxis(cube, axis, 0).reshape(cube.shape[axis], -1)
    z = (layers.mean(axis=1) - 0.5) * np.sqrt(12 * layers.shape[1])
    return float(chi2.sf((z**2).sum(), len(z)))


def p_values(cube: Cube) -> dict[str, float]:
    """Of all that is tried: neighbours along each axis, all pairs of the shortest axis, and the levels of layers."""
    found = {}
    for axis in range(cube.ndim):
        layers = np.moveaxis(cube, axis, 0)
        found[f"neighbours, axis {axis}"] = together(layers[:-1], layers[1:])
        found[f"levels, axis {axis}"] = level(cube, axis)
    for axis in [axis for axis, size in enumerate(cube.shape) if size <= len(MONTHLY)]:
        layers = np.moveaxis(cube, axis, 0)
        for one, other in combinations(range(len(layers)), 2):
            found[f"{one} and {other}, axis {axis}"] = together(layers[one], layers[other])
    return found


def trouble(cube: Cube) -> dict[str, float]:
    """What cannot be chance in a cube of numbers that should be uniform and independent."""
    found = p_values(cube)
    values = np.array(list(found.values()))
    wrong = {name: p for name, p in found.items() if min(p, 1.0 - p) * 2 * len(values) < LEAST}
    even = float(kstest(values, "uniform").pvalue)
    return wrong | ({"all p-values together": even} if even < LEAST else {})


@pytest.mark.exhaustive
def test_no_seed_month_post_or_stream_can_be_told_from_its_neighbour() -> None:
    assert not trouble(monthly(SEEDS, months=24, posts=60))


@pytest.mark.exhaustive
def test_no_name_index_count_or_place_that_is_looked_up_can_be_told_from_its_neighbour() -> None:
    assert not trouble(looked_up(SEEDS[::4], indices=24, counts=24))


@pytest.mark.parametrize("axis", range(4))
def test_the_battery_notices_what_is_shared_along_an_axis_and_what_drifts(axis: int) -> None:
    cube = np.random.default_rng(1).random((12, 12, 24, 12))
    assert not trouble(cube)
    layers = np.moveaxis(cube, axis, 0)
    layers[5] = layers[4]
    assert trouble(cube)
    layers[5] = np.random.default_rng(2).random(layers[5].shape)
    assert not trouble(cube)
    layers[5] **= 1.3
    assert trouble(cube)


def as_drawn() -> Iterator[Cube]:
    """One seed: all streams, post by post and month by month."""
    state = np.empty(4 * ABREAST, np.uint64)
    seed_lanes(np.uint64(0), state, np.empty(8 * ABREAST))
    rows = np.empty((2**16, ABREAST))
    while True:
        draw_lanes(state, len(rows), rows.reshape(-1))
        yield rows[:, : len(MONTHLY)]


def one_stream() -> Iterator[Cube]:
    """The stream of one decision alone."""
    for rows in as_drawn():
        yield rows[:, MONTHLY.index("sanction")]


def by_seed() -> Iterator[Cube]:
    """The first month of sixteen posts, seed after seed."""
    seed = 0
    while True:
        yield monthly(tuple(range(seed, seed + 256)), 1, 16)
        seed += 256


def by_key() -> Iterator[Cube]:
    """What is looked up for one name, post after post and appointment after appointment."""
    index, rows = 0, np.empty((64, 64, NUMBERS))
    key = KEYS[KEYED.index("newcomer")]
    while True:
        for at, count in np.ndindex(rows.shape[:-1]):
            rows[at, count] = keyed(np.uint64(0), key, index + at, count)
        yield rows
        index += len(rows)


ORDERS = {order.__name__: order for order in (as_drawn, one_stream, by_seed, by_key)}
DIEHARDER = (0, 2, 3, 8, 9, 10, 13, 15, 16, 100, 101)
"""Birthdays, ranks of matrices of 32 by 32 and 6 by 8, ones in the stream and in bytes, parking lot, squeeze, runs,
craps; STS monobit and runs. The numbers are those of ``dieharder -l``."""


def dieharder(test: int, order: Callable[[], Iterator[Cube]]) -> list[float]:
    """The p-values of one of dieharder's tests; it reads the upper 32 bits of each number."""
    with subprocess.Popen(["dieharder", "-g", "200", "-d", str(test)], stdin=PIPE, stdout=PIPE) as process:
        assert process.stdin and process.stdout
        with suppress(BrokenPipeError):  # it has read enough
            for numbers in order():
                process.stdin.write((numbers * 2.0**32).astype(np.uint32).tobytes())
        with suppress(BrokenPipeError):
            process.stdin.close()
        lines = process.stdout.read().decode().splitlines()
    return [float(line.split("|")[4]) for line in lines if re.search(r"PASSED|WEAK|FAILED", line)]


@pytest.mark.exhaustive
@pytest.mark.skipif(not shutil.which("dieharder"), reason="apt-get install dieharder")
@pytest.mark.parametrize("test", DIEHARDER)
@pytest.mark.parametrize("order", ORDERS)
def test_dieharder_finds_nothing(order: str, test: int) -> None:
    found = dieharder(test, ORDERS[order])
    assert found and all(1e-6 < p < 1 - 1e-6 for p in found), found
