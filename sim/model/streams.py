"""Random numbers: one named stream for each decision, the same under every policy with the same seed.

Two generators of NumPy's serve two needs. What can happen every month (`MONTHLY`) has a sequential SFC64 stream
for each decision, drawn for every post every month, used or not. What happens rarely (`KEYED`) comes from the
counter-based Philox: the numbers for, say, the third appointment to post 17 are looked up, not drawn in turn, so
they are the same person whatever happened before. Normal numbers are quantiles of uniform ones, which keeps two
policies in step.

`Streams` is written with NumPy's own generators and serves the Mesa model. The compiled functions below compute
the same numbers, bit for bit, inside the engine, where calling NumPy for each number would cost more than the
model itself.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from sim.model.arithmetic import log, sqrt
from sim.model.compiling import compiled, inlined

MONTHLY = ("initiative", "success", "negligence", "mishap", "speaking_up", "discovery", "sanction", "account",
           "account_sanction", "need_drift", "dismissal", "exit", "chance")  # fmt: skip
"""Decisions drawn for every post every month, and what the month happened to bring ("chance")."""

KEYED = ("stream", "nation", "organisation", "post", "newcomer", "rival", "appointment", "circumstances", "trial")
"""What is looked up by index and count: seeds of the monthly streams, common need by month, places, people,
what an appointment needs (`APPOINTMENT`), a post's circumstances, and an organisation's place in a trial."""

PERSON = ("unfit", "motivation", "integrity", "skill", "boldness", "crowding", "anxiety")
"""Order of a person's numbers in the streams "newcomer" and "rival"."""

APPOINTMENT = ("recycling", "pick", "register", "competition", "candidate_error", "rival_error", "striking_off")
"""Order of an appointment's numbers in the stream "appointment"."""

ABREAST = 16
"""Monthly streams advance side by side, a multiple of eight at a time, which fills the processor's vector
registers: sixteen cost less than thirteen. The lanes beyond `len(MONTHLY)` are idle."""

NUMBERS = 8
"""Uniform numbers that one key of a `KEYED` stream yields."""


def stream_key(name: str) -> int:
    """The 64-bit number that stands for a stream's name; it does not depend on the other streams."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")


KEYS = np.array([stream_key(name) for name in KEYED], dtype=np.uint64)
"""The keys of `KEYED`, in its order."""
MONTHLY_KEYS = np.array(
    [stream_key(name) for name in MONTHLY] + [stream_key(f"idle {k}") for k in range(len(MONTHLY), ABREAST)],
    dtype=np.uint64,
)
"""The keys of `MONTHLY`, in its order, and of the idle lanes."""


class Streams:
    """The streams of one run, from NumPy's own generators.

    Parameters
    ----------
    seed : int
        The run's seed, 0 to 2**63 - 1.
    posts : int
        Number of posts: how many numbers each monthly stream yields in a month.
    """

    def __init__(self, seed: int, posts: int) -> None:
        self.seed = seed
        self.posts = posts
        self._monthly = {
            name: _sfc64(_philox(seed, "stream", int(key), 0).random_raw(3))
            for name, key in zip(MONTHLY, MONTHLY_KEYS, strict=False)
        }

    def month(self) -> dict[str, list[float]]:
        """The next month's uniform numbers: for each name in `MONTHLY`, one for each post, in [0, 1)."""
        return {name: generator.random(self.posts).tolist() for name, generator in self._monthly.items()}

    def keyed(self, name: str, index: int, count: int = 0) -> list[float]:
        """The `NUMBERS` uniform numbers of a stream in `KEYED` for an index (a post, say) and a count."""
        numbers: list[float] = np.random.Generator(_philox(self.seed, name, index, count)).random(NUMBERS).tolist()
        return numbers


def trial(seed: int, organisations: int) -> NDArray[np.float64]:
    """A uniform number in [0, 1) for each organisation of the nation: those with the smallest are in a trial."""
    return np.random.Generator(_philox(seed, "trial", 0, 0)).random(organisations)


def _philox(seed: int, name: str, index: int, count: int) -> np.random.Philox:
    key = np.array([seed, KEYS[KEYED.index(name)]], dtype=np.uint64)
    return np.random.Philox(key=key, counter=np.array([0, count, index, 0], dtype=np.uint64))


def _sfc64(seeds: NDArray[np.uint64]) -> np.random.Generator:
    """NumPy's SFC64 seeded with three words: a, b, c and a counter of one, the first twelve numbers discarded."""
    bits = np.random.SFC64(0)
    state = np.array([*seeds[::-1], 1], dtype=np.uint64)
    bits.state = {"bit_generator": "SFC64", "state": {"state": state}, "has_uint32": 0, "uinteger": 0}
    bits.random_raw(12)
    return np.random.Generator(bits)


_TO_UNIT = 1.0 / 9007199254740992.0  # 2**-53
_M0, _M1 = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
_W0, _W1 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B)
_LOW = np.uint64(0xFFFFFFFF)
_1, _3, _11, _24, _32, _40 = (np.uint64(bits) for bits in (1, 3, 11, 24, 32, 40))


@compiled
def _high(a: np.uint64, b: np.uint64) -> np.uint64:
    """Upper 64 bits of the product of two 64-bit numbers."""
    a0, a1, b0, b1 = a & _LOW, a >> _32, b & _LOW, b >> _32
    middle = a1 * b0 + ((a0 * b0) >> _32)
    other = a0 * b1 + (middle & _LOW)
    return a1 * b1 + (middle >> _32) + (other >> _32)


@compiled
def philox(
    seed: np.uint64, key: np.uint64, index: np.uint64, count: np.uint64, block: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Four words of Philox4x64-10 for one counter, as NumPy's `Philox` yields them.

    Source: Salmon, Moraes, Dror & Shaw's published constants; NumPy's generator is the test.
    """
    c0, c1, c2, c3 = block + _1, count, index, np.uint64(0)
    k0, k1 = seed, key
    for _ in range(10):
        high0, high1 = _high(_M0, c0), _high(_M1, c2)
        low0, low1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = k0 + _W0, k1 + _W1
    return c0, c1, c2, c3


@compiled
def keyed(
    seed: np.uint64, key: np.uint64, index: int, count: int
) -> tuple[float, float, float, float, float, float, float, float]:
    """`Streams.keyed`'s `NUMBERS` numbers for a key of `KEYS`."""
    a, b, c, d = philox(seed, key, np.uint64(index), np.uint64(count), np.uint64(0))
    e, f, g, h = philox(seed, key, np.uint64(index), np.uint64(count), np.uint64(1))
    return (_unit(a), _unit(b), _unit(c), _unit(d), _unit(e), _unit(f), _unit(g), _unit(h))


@compiled
def _unit(word: np.uint64) -> float:
    """A number in [0, 1) from the upper 53 bits of a word."""
    return np.int64(word >> _11) * _TO_UNIT


@compiled
def seed_lanes(seed: np.uint64, state: NDArray[np.uint64], scratch: NDArray[np.float64]) -> None:
    """Fill `state` (4 times `ABREAST`) with the seeded state of each monthly stream; `scratch` is twice as long."""
    for lane in range(ABREAST):
        words = philox(seed, KEYS[0], MONTHLY_KEYS[lane], np.uint64(0), np.uint64(0))
        for word in range(3):
            state[word * ABREAST + lane] = words[2 - word]
        state[3 * ABREAST + lane] = _1
    draw_lanes(state, 8, scratch)
    draw_lanes(state, 4, scratch)


@compiled
def draw_lanes(state: NDArray[np.uint64], rows: int, out: NDArray[np.float64]) -> None:
    """Draw a uniform number from every lane for each of some rows of `out` (of `ABREAST` each), and advance `state`."""
    for row in range(rows):
        for lane in range(ABREAST):
            a, b = np.uint64(lane), np.uint64(lane + ABREAST)
            c, d = np.uint64(lane + 2 * ABREAST), np.uint64(lane + 3 * ABREAST)
            word = state[a] + state[b] + state[d]
            state[d] += _1
            state[a] = state[b] ^ (state[b] >> _11)
            state[b] = state[c] + (state[c] << _3)
            state[c] = ((state[c] << _24) | (state[c] >> _40)) + word
            out[np.uint64(row * ABREAST + lane)] = np.int64(word >> _11) * _TO_UNIT


@inlined
def normal(uniform: float) -> float:
    """Standard normal quantile of a uniform number in [0, 1), to about sixteen digits.

    Inverse-transform sampling: one uniform number for one normal number, rising with it. A rational approximation
    in the middle and two in the tails (Wichura's algorithm AS 241, as in Python's `statistics.NormalDist`), of which
    one is selected, without a jump.
    """
    q = uniform - 0.5 + _HALF_STEP
    depth = sqrt(-log(uniform + _HALF_STEP if q < 0.0 else 1.0 - uniform - _HALF_STEP))
    tail = _near_tail(depth) if depth <= 5.0 else _far_tail(depth)
    signed = -tail if q < 0.0 else tail
    return _middle_quantile(q) if abs(q) <= _MIDDLE else signed


_MIDDLE = 0.425
_HALF_STEP = 0.5 * _TO_UNIT  # a uniform number stands for an interval; its middle is never 0 or 1


@inlined
def _middle_quantile(q: float) -> float:
    r = 0.180625 - q * q
    top = ((((((2.5090809287301226727e3 * r + 3.3430575583588128105e4) * r + 6.7265770927008700853e4) * r
              + 4.5921953931549871457e4) * r + 1.3731693765509461125e4) * r + 1.9715909503065514427e3) * r
           + 1.3314166789178437745e2) * r + 3.3871328727963666080e0  # fmt: skip
    bottom = ((((((5.2264952788528545610e3 * r + 2.8729085735721942674e4) * r + 3.9307895800092710610e4) * r
                 + 2.1213794301586595867e4) * r + 5.3941960214247511077e3) * r + 6.8718700749205790830e2) * r
              + 4.2313330701600911252e1) * r + 1.0  # fmt: skip
    return q * top / bottom


@inlined
def _near_tail(r: float) -> float:
    r -= 1.6
    top = ((((((7.74545014278341407640e-4 * r + 2.27238449892691845833e-2) * r + 2.41780725177450611770e-1) * r
              + 1.27045825245236838258e0) * r + 3.64784832476320460504e0) * r + 5.76949722146069140550e0) * r
           + 4.63033784615654529590e0) * r + 1.42343711074968357734e0  # fmt: skip
    bottom = ((((((1.05075007164441684324e-9 * r + 5.47593808499534494600e-4) * r
                  + 1.51986665636164571966e-2) * r + 1.48103976427480074590e-1) * r
                + 6.89767334985100004550e-1) * r + 1.67638483018380384940e0) * r
              + 2.05319162663775882187e0) * r + 1.0  # fmt: skip
    return top / bottom


@inlined
def _far_tail(r: float) -> float:
    r -= 5.0
    top = ((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 1.24266094738807843860e-3) * r
              + 2.65321895265761230930e-2) * r + 2.96560571828504891230e-1) * r + 1.78482653991729133580e0) * r
           + 5.46378491116411436990e0) * r + 6.65790464350110377720e0  # fmt: skip
    bottom = ((((((2.04426310338993978564e-15 * r + 1.42151175831644588870e-7) * r
                  + 1.84631831751005468180e-5) * r + 7.86869131145613259100e-4) * r
                + 1.48753612908506148525e-2) * r + 1.36929880922735805310e-1) * r
              + 5.99832206555887937690e-1) * r + 1.0  # fmt: skip
    return top / bottom
