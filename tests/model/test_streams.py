"""The random streams: NumPy's own numbers, one stream for each decision, none disturbed by another."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from sim.model.streams import (
    ABREAST,
    APPOINTMENT,
    KEYED,
    KEYS,
    MONTHLY,
    MONTHLY_KEYS,
    NUMBERS,
    PERSON,
    Streams,
    draw_lanes,
    keyed,
    normal,
    philox,
    seed_lanes,
)

SEEDS = st.integers(0, 2**63 - 1)
STEP = 2.0**-53
"""The distance between neighbouring uniform numbers."""


def compiled_keyed(seed: int, name: str, index: int, count: int) -> list[float]:
    return list(keyed(np.uint64(seed), KEYS[KEYED.index(name)], index, count))


@given(SEEDS, st.sampled_from(KEYED), st.integers(0, 2**40), st.integers(0, 2**40))
def test_the_compiled_philox_yields_numpys_numbers(seed: int, name: str, index: int, count: int) -> None:
    assert compiled_keyed(seed, name, index, count) == Streams(seed, 1).keyed(name, index, count)


@given(*[st.integers(0, 2**64 - 1)] * 4)
def test_the_compiled_philox_yields_numpys_words(seed: int, key: int, index: int, count: int) -> None:
    words = [w for block in range(3) for w in philox(*map(np.uint64, (seed, key, index, count, block)))]
    numpys = np.random.Philox(
        key=np.array([seed, key], dtype=np.uint64), counter=np.array([0, count, index, 0], dtype=np.uint64)
    )
    assert words == numpys.random_raw(12).tolist()


@given(SEEDS, st.integers(1, 5), st.integers(1, 40), st.integers(1, 3))
def test_the_compiled_lanes_yield_numpys_sfc64(seed: int, systems: int, posts: int, months: int) -> None:
    """The engine draws a system at a time, `Streams` a month at a time: the same numbers in the same order."""
    streams, state = Streams(seed, systems * posts), np.empty(4 * ABREAST, np.uint64)
    seed_lanes(np.uint64(seed), state, np.empty(8 * ABREAST))
    for _ in range(months):
        drawn = np.empty((systems, posts, ABREAST))
        for system in range(systems):
            draw_lanes(state, posts, drawn[system].reshape(-1))
        expected = streams.month()
        for lane, name in enumerate(MONTHLY):
            assert drawn[:, :, lane].ravel().tolist() == expected[name]


@given(SEEDS, st.sampled_from(MONTHLY), st.integers(1, 30))
def test_a_monthly_stream_depends_on_the_seed_and_its_own_name_only(seed: int, name: str, posts: int) -> None:
    """Written out with NumPy for one stream alone: no other stream need exist."""
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    stream = int.from_bytes(hashlib.sha256(b"stream").digest()[:8], "little")
    seeds = np.random.Philox(
        key=np.array([seed, stream], dtype=np.uint64), counter=np.array([0, 0, key, 0], dtype=np.uint64)
    ).random_raw(3)
    alone = np.random.SFC64(0)
    state = alone.state
    state["state"]["state"] = np.array([seeds[2], seeds[1], seeds[0], 1], dtype=np.uint64)
    alone.state = state
    alone.random_raw(12)
    assert Streams(seed, posts).month()[name] == np.random.Generator(alone).random(posts).tolist()


@given(SEEDS, st.permutations([(name, index, count) for name in KEYED for index in (0, 7) for count in (0, 3)]))
def test_what_is_looked_up_does_not_depend_on_what_was_looked_up_before(
    seed: int, lookups: list[tuple[str, int, int]]
) -> None:
    streams = Streams(seed, 3)
    streams.month()
    assert [streams.keyed(*lookup) for lookup in lookups] == [Streams(seed, 9).keyed(*key) for key in lookups]


@given(SEEDS, st.integers(1, 20), st.integers(1, 20))
def test_more_posts_change_nobodys_people_and_no_one_elses_first_month(seed: int, few: int, more: int) -> None:
    """Later months do differ: a monthly stream runs through all posts, month after month."""
    small, large = Streams(seed, few), Streams(seed, few + more)
    assert small.keyed("newcomer", few - 1, 2) == large.keyed("newcomer", few - 1, 2)
    first, second = (small.month(), large.month()), (small.month(), large.month())
    for name in MONTHLY:
        assert first[0][name] == first[1][name][:few]
        assert second[0][name] != second[1][name][:few]


def test_every_stream_has_a_name_and_a_key_of_its_own() -> None:
    for names in (MONTHLY, KEYED, PERSON, APPOINTMENT):
        assert len(set(names)) == len(names)
    assert len({*KEYS.tolist(), *MONTHLY_KEYS.tolist()}) == len(KEYED) + ABREAST
    assert len(MONTHLY) <= ABREAST
    assert max(len(PERSON), len(APPOINTMENT)) <= NUMBERS


def test_two_streams_or_two_seeds_share_no_number() -> None:
    drawn = [tuple(Streams(seed, 50).month()[name]) for seed in (0, 1) for name in MONTHLY]
    numbers = [number for stream in drawn for number in stream]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("name", MONTHLY)
def test_a_monthly_stream_is_uniform(name: str) -> None:
    """Mean, spread and the correlation of successive months, within five standard errors."""
    streams = Streams(12, 20_000)
    one, two = np.array(streams.month()[name]), np.array(streams.month()[name])
    error = np.sqrt(1 / 12 / len(one))
    assert abs(one.mean() - 0.5) < 5 * error
    assert abs(one.var() - 1 / 12) < 5 * np.sqrt(1 / 180 / len(one))
    assert abs(np.corrcoef(one, two)[0, 1]) < 5 / np.sqrt(len(one))


def quantile(uniform: np.ndarray) -> np.ndarray:
    """SciPy's normal quantile of the middle of the interval for which a uniform number stands, without rounding."""
    below = ndtri(np.minimum(uniform, 0.5) + STEP / 2)
    above = -ndtri(np.minimum(1.0 - uniform, 0.5) - np.where(uniform < 0.5, 0.0, STEP / 2))
    return np.where(uniform < 0.5, below, above)


EXTREMES = np.array(
    [0.0, STEP, 2 * STEP, 1e-300, 1e-14, 1e-9, 0.075 - STEP, 0.075, 0.425, 0.5 - STEP, 0.5, 0.5 + STEP]
    + [0.575, 0.925, 0.925 + STEP, 1 - 1e-9, 1 - 2 * STEP, 1 - STEP]
    + [np.exp(-25.0) * (1 + d) for d in (-1e-9, 0, 1e-9)]
)


def test_normal_numbers_are_quantiles_of_the_normal_distribution() -> None:
    """To fourteen digits from the smallest uniform number, 0, to the largest, 1 - 2^-53."""
    powers = 2.0 ** -np.arange(1, 54)
    whole = np.round(np.concatenate([np.linspace(0, 1 - STEP, 4001), powers, 1 - powers, EXTREMES]) / STEP) * STEP
    found = np.array([normal(uniform) for uniform in whole.tolist()])
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, quantile(whole), rtol=2e-14, atol=0)


@given(st.integers(0, 2**53 - 1), st.integers(2**13, 2**52))
def test_a_larger_uniform_number_gives_a_larger_normal_number(steps: int, more: int) -> None:
    """Where they are at least 2^-40 apart; closer ones may tie in the last digit."""
    larger = min(steps + more, 2**53 - 1)
    if larger - steps >= 2**13:
        assert normal(larger * STEP) > normal(steps * STEP)


@given(st.integers(0, 2**53 - 1))
def test_normal_numbers_are_symmetric(steps: int) -> None:
    assert normal(steps * STEP) == -normal((2**53 - 1 - steps) * STEP)
