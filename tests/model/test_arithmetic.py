"""The model's own arithmetic against mpmath, and the same bits compiled and as plain Python, vectorised."""

import ast
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import mpmath
import numba
import numpy as np
import pytest

from sim.model import arithmetic, version

RNG = np.random.default_rng(7)
INF, NAN = math.inf, math.nan
SPECIAL = [0.0, -0.0, 1.0, -1.0, INF, -INF, NAN, 5e-324, -5e-324, 1e-310, 2.2250738585072014e-308,
           1.7976931348623157e308, -1.7976931348623157e308, 709.78, 709.79, -708.3, -708.4, -745.13, -745.14,
           1e-20, -1e-20, 746.0,
           *np.array([0x7FFFFFFFFFFFFFFF, 0x7FF0000000000001, -1], np.int64).view(np.float64)]  # fmt: skip
NEAR_ONE = 1.0 + RNG.uniform(-1e-3, 1e-3, 500)
SAMPLES = {
    "exp": np.concatenate([RNG.uniform(-745, 709.7, 2000), RNG.uniform(-1, 1, 2000), RNG.uniform(-1e-5, 1e-5, 100)]),
    "log": np.concatenate([np.exp(RNG.uniform(-708, 709.7, 2000)), RNG.uniform(0.6, 1.6, 2000), NEAR_ONE,
                           2.0 ** RNG.uniform(-1074, -1022, 500)]),
    "logistic": np.concatenate([RNG.uniform(-708, 40, 1500), RNG.uniform(-5, 5, 1500)]),
    "softplus": np.concatenate([RNG.uniform(-708, 709, 1500), RNG.uniform(-5, 5, 1500)]),
    "sqrt": RNG.uniform(0, 10, 500),
}  # fmt: skip
TRUE = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "logistic": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "sqrt": mpmath.sqrt,
}
MOST = {"exp": 0.9, "log": 0.8, "logistic": 1.9, "softplus": 1.8, "sqrt": 0.5}
"""Units in the last place, as the docstrings say."""


def over(name):
    """A compiled loop of one of the functions over a flat array."""
    function = getattr(arithmetic, name)

    @numba.njit(error_model="numpy")
    def loop(xs, out):
        for k in range(xs.size):
            out[np.uint64(k)] = function(xs[np.uint64(k)])

    return loop


LOOPS = {name: over(name) for name in TRUE}


def compiled(name, xs):
    out = np.empty_like(xs)
    LOOPS[name](xs, out)
    return out


@numba.njit(error_model="numpy")
def powers(xs, ys, out):
    for k in range(xs.size):
        out[np.uint64(k)] = arithmetic.power(xs[np.uint64(k)], ys[np.uint64(k)])


def ulps(found, true):
    return float(abs(mpmath.mpf(found) - true) / mpmath.mpf(math.ulp(float(true))))


def same(one, other):
    """Equal bits, or both NaN."""
    one, other = np.asarray(one), np.asarray(other)
    return ((one.view(np.int64) == other.view(np.int64)) | (np.isnan(one) & np.isnan(other))).all()


@pytest.mark.parametrize("name", TRUE)
def test_the_error_is_what_the_docstring_says(name):
    with mpmath.workprec(150):
        found = compiled(name, SAMPLES[name]).tolist()
        worst = max(ulps(y, TRUE[name](mpmath.mpf(x))) for x, y in zip(SAMPLES[name].tolist(), found, strict=True))
    assert worst <= MOST[name]


def test_the_error_of_power():
    xs = np.concatenate([RNG.uniform(0, 1, 1500), RNG.uniform(0, 2, 1500), 10 ** RNG.uniform(-6, 6, 1500)])
    ys = RNG.uniform(0, 50, xs.size)
    out = np.empty_like(xs)
    powers(xs, ys, out)
    normal = (out > 1e-307) & (out < INF)
    with mpmath.workprec(150):
        cases = zip(xs[normal].tolist(), ys[normal].tolist(), out[normal].tolist(), strict=True)
        assert max(ulps(found, mpmath.mpf(x) ** mpmath.mpf(y)) for x, y, found in cases) <= 1.3
    for x in xs.tolist():
        assert abs(arithmetic.power(x, 1.0) - x) <= math.ulp(x)


@pytest.mark.parametrize("name", TRUE)
def test_compiled_and_plain_give_the_same_bits(name):
    xs = np.concatenate([SPECIAL, RNG.integers(-(2**63), 2**63, 20000).view(np.float64), SAMPLES[name]])
    plain = [getattr(arithmetic, name)(x) for x in xs.tolist()]
    assert {type(y) for y in plain} == {float}
    assert same(compiled(name, xs), plain)


def test_compiled_and_plain_power_give_the_same_bits():
    pairs = [(x, y) for x in SPECIAL for y in [*SPECIAL, 0.5, 2.0]]
    xs = np.concatenate([[x for x, _ in pairs], RNG.uniform(0, 3, 5000),
                         RNG.integers(-(2**63), 2**63, 5000).view(np.float64)])  # fmt: skip
    ys = np.concatenate([[y for _, y in pairs], RNG.uniform(-60, 60, 5000), RNG.uniform(-3, 3, 5000)])
    out = np.empty_like(xs)
    powers(xs, ys, out)
    assert same(out, [arithmetic.power(x, y) for x, y in zip(xs.tolist(), ys.tolist(), strict=True)])


ENDS = [
    ("exp", [0.0], 1.0), ("exp", [INF], INF), ("exp", [-INF], 0.0), ("exp", [NAN], NAN), ("exp", [709.79], INF),
    ("exp", [-745.14], 0.0), ("exp", [-745.13], 5e-324), ("log", [1.0], 0.0), ("log", [0.0], -INF),
    ("log", [-0.0], -INF), ("log", [-1.0], NAN), ("log", [-INF], NAN), ("log", [INF], INF), ("log", [NAN], NAN),
    ("power", [0.0, 2.5], 0.0), ("power", [0.0, 0.0], 1.0), ("power", [0.0, -1.0], INF), ("power", [1.0, 37.3], 1.0),
    ("power", [NAN, 0.0], 1.0), ("power", [1.0, NAN], NAN), ("power", [-1.0, 2.0], NAN), ("power", [INF, 2.0], INF),
    ("power", [INF, -2.0], 0.0), ("power", [0.5, INF], 0.0), ("power", [2.0, INF], INF), ("power", [1.0, INF], 1.0),
    ("logistic", [INF], 1.0), ("logistic", [-INF], 0.0), ("logistic", [0.0], 0.5), ("softplus", [INF], INF),
    ("softplus", [-INF], 0.0), ("softplus", [1e5], 1e5), ("sqrt", [-1.0], NAN), ("sqrt", [INF], INF),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "expected"), ENDS)
def test_ends(name, given, expected):
    assert same([getattr(arithmetic, name)(*given)], [expected])


def chain(x, n):
    """The floats around x, one after another."""
    return np.sort((np.float64(x).view(np.int64) + np.arange(-n, n + 1)).view(np.float64))


@pytest.mark.parametrize("name", ["exp", "log"])
def test_never_falls(name):
    seams = {"exp": [(n + 0.5) * math.log(2) for n in range(-1075, 1024)],
             "log": [math.ldexp(m, e) for e in range(-1021, 1023) for m in (1.0, math.sqrt(0.5))]}  # fmt: skip
    middle = {"exp": [0.1, -0.1, 0.3, -0.3, 0.01, 1e-3, -1e-3, 5.0], "log": [0.75, 0.9, 0.999, 1.0, 1.001, 1.2, 3.0]}
    for xs in [*(chain(x, 400) for x in seams[name]), *(chain(x, 100_000) for x in middle[name])]:
        ys = compiled(name, xs)
        assert (ys[1:] >= ys[:-1]).all(), xs[0]


LANES = """
import re
import numba, numpy as np
from sim.model.arithmetic import exp, log, logistic, power, softplus, sqrt
@numba.njit(error_model="numpy")
def loop(W, blocks):
    for b in range(blocks):
        for l in range(8):
            k = np.uint64(b * 64 + l)
            x, y = W[k], W[k + np.uint64(8)]
            W[k + np.uint64(16)] = exp(x)
            W[k + np.uint64(24)] = log(x)
            W[k + np.uint64(32)] = logistic(x)
            W[k + np.uint64(40)] = softplus(x)
            W[k + np.uint64(48)] = power(x, y)
            W[k + np.uint64(56)] = sqrt(y)
loop.compile("void(float64[::1], int64)")
(text,) = loop.inspect_asm().values()
found = re.findall(r"\\b(v?mul[sp]d|v?fn?m(?:add|sub)\\w+|exp|log|pow)\\b(?!\\.py)", text)
print(*sorted(set(found)), *sorted(set(re.findall(r"[xyz]mm(?=\\d)", text))), sep=",")
"""
"""Six functions, as in a month: a body so small that the compiler writes out all eight turns is not vectorised."""


@pytest.mark.slow
@pytest.mark.parametrize("cpu", ["", "generic"])
def test_a_loop_over_lanes_is_vectorised_whole(cpu):
    names = {"NUMBA_CPU_NAME": cpu, "NUMBA_CPU_FEATURES": ""} if cpu else {}
    done = subprocess.run([sys.executable, "-W", "error", "-c", LANES], capture_output=True,
                          text=True, check=True, env={**os.environ, **names}, timeout=120)  # fmt: skip
    seen = {*done.stdout.strip().split(",")}
    assert {"mulpd", "vmulpd"} & seen
    assert seen <= {"mulpd", "vmulpd", "xmm", "ymm", "zmm"}, seen
    assert cpu or {"ymm", "zmm"} & seen or "vmulpd" not in seen


def test_no_module_of_the_model_asks_the_mathematical_library():
    """But for the square root, which is exact everywhere."""
    for name in version.MODEL:
        source = Path(version.__file__).with_name(f"{name}.py").read_text("utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("math", "np"):
                library = r"(exp|log|pow|sin|cos|tan|a?(sin|cos|tan)h?|cbrt|hypot|erf|l?gamma)\w*"
                assert not re.fullmatch(library, node.attr), f"{name}: {node.value.id}.{node.attr}"
            assert not (isinstance(node, ast.ImportFrom) and node.module in ("math", "cmath", "numpy.lib.scimath")), (
                name
            )
            if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Pow) and name in ENGINE:
                raise AssertionError(f"{name}: line {node.lineno}")


ENGINE = ("arithmetic", "streams", "rules", "engine")
"""Where a power could be one of floats; what the others raise is the largest of a whole number."""
