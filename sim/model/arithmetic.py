"""The model's own arithmetic: exp, log and power of nothing but + - * /, selections and integer operations on bits.

The mathematical library differs between systems in the last digits, and a compiler cannot vectorise a call into it.
These functions give the same bits on every processor and operating system, in WebAssembly and in plain Python, and a
loop over them is vectorised whole. So there is no loop, no table, no early return, and no conversion between floats and
integers: a selection is between values that are both computed, and an integer is read from the bits of a sum with a
large constant. The compiler must neither fuse a product with a sum nor reorder (numba asks for neither).

Errors are in units in the last place (ulp) of the true value, measured against mpmath. Nothing raises. Where a NaN
comes out, its sign and payload are not defined: processors differ in them.

The reductions and the polynomial of `log` are those of Sun's fdlibm; the polynomial of `exp` was fitted anew
(Remez, relative error 3.6e-18 on |r| < 0.3466).
"""

from __future__ import annotations

import math
import struct
from typing import Any, cast

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, overload

from sim.model.compiling import rule

# Bits

_DOUBLE, _SIGNED, _UNSIGNED = struct.Struct("<d"), struct.Struct("<q"), struct.Struct("<Q")
_pack_double, _unpack_double = _DOUBLE.pack, _DOUBLE.unpack
_unpack_signed, _pack_unsigned = _SIGNED.unpack, _UNSIGNED.pack


def bits_of(x: float) -> int:
    """The 64 bits of a float as a signed integer."""
    return cast(int, _unpack_signed(_pack_double(x))[0])


def float_of(bits: int) -> float:
    """The float that has the lowest 64 bits of an integer."""
    return cast(float, _unpack_double(_pack_unsigned(bits & 0xFFFFFFFFFFFFFFFF))[0])


@intrinsic  # type: ignore[untyped-decorator]
def _bits_of(_: Any, x: Any) -> Any:
    return types.int64(types.float64), lambda context, builder, signature, args: builder.bitcast(
        args[0], ir.IntType(64)
    )


@intrinsic  # type: ignore[untyped-decorator]
def _float_of(_: Any, bits: Any) -> Any:
    return types.float64(types.int64), lambda context, builder, signature, args: builder.bitcast(
        args[0], ir.DoubleType()
    )


@overload(bits_of, jit_options={"forceinline": True}, strict=False)  # type: ignore[untyped-decorator]
def _compiled_bits_of(x: Any) -> Any:
    return lambda x: _bits_of(x)  # noqa: PLW0108 -- numba reads the code of a function


@overload(float_of, jit_options={"forceinline": True}, strict=False)  # type: ignore[untyped-decorator]
def _compiled_float_of(bits: Any) -> Any:
    return lambda bits: _float_of(bits)  # noqa: PLW0108


_INFINITY, _NAN = math.inf, math.nan
_LOG2_E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
"""ln 2 in two parts; a whole number of up to 21 bits times the first is exact."""
_TO_WHOLE = 6755399441055744.0  # 1.5 * 2**52: a float to which this is added is rounded to a whole number
_FROM_BITS, _FROM_BITS_INTEGER = 4503599627370496.0, 0x4330000000000000  # 2**52: its lowest bits are a whole number
_UPPER_HALF = -(1 << 27)  # keeps 26 of the 53 digits of a float, so that products of two such are exact


# exp


@rule
def _exp(x: float, rest: float) -> float:
    """e^(x + rest) for a small `rest` that the last digits of x cannot hold; 0 below and inf above where x is far."""
    near = -746.0 if x < -746.0 else x
    near = 710.0 if near > 710.0 else near
    shifted = near * _LOG2_E + _TO_WHOLE
    n = shifted - _TO_WHOLE
    high = near - n * _LN2_HIGH
    low = n * _LN2_LOW - rest
    r = high - low
    r2 = r * r
    even = (((2.7630240762625773e-07 * r2 + 2.4801493118553015e-05) * r2 + 0.0013888888943613012) * r2
            + 0.04166666666653022) * r2 + 0.5000000000000011  # fmt: skip
    odd = (((2.5000062560931474e-08 * r2 + 2.7557586333662796e-06) * r2 + 0.000198412695066637) * r2
           + 0.008333333333494406) * r2 + 0.16666666666666413  # fmt: skip
    y = 1.0 + (high + (r2 * (even + r * odd) - low))
    # 2**n may be no float where the result is one: first 2**(n + 200) or 2**(n - 200), then the rest
    exponent = (bits_of(shifted) & 0xFFF) + (1223 if x < 0.0 else 823)
    return y * float_of(exponent << 52) * (6.223015277861142e-61 if x < 0.0 else 1.6069380442589903e60)


@rule
def exp(x: float) -> float:
    """e^x. Error: at most 0.9 ulp.

    inf from 709.79 on, subnormal (rounded to the nearest, gradual underflow) below -708.4, 0 below -745.14; exactly 1
    at 0; exp(inf) = inf, exp(-inf) = 0, NaN stays NaN.
    """
    return _exp(x, 0.0)


# log


@rule
def _binary(x: float) -> tuple[float, float]:
    """n and f with x = 2^n·(1 + f), both exact, 1 + f from √½ to √2; anything finite if x is not above 0 or not finite.

    Adding the distance from √½ to 1 to the bits makes the exponent change at √½ in place of 1.
    """
    finite = x if x < _INFINITY else 1.0
    tiny = finite < 2.2250738585072014e-308
    normal = finite * 18014398509481984.0 if tiny else finite
    moved = (bits_of(normal) & 0x7FFFFFFFFFFFFFFF) + 0x00095F619980C433
    n = float_of((moved >> 52) | _FROM_BITS_INTEGER) - (_FROM_BITS + 1077.0 if tiny else _FROM_BITS + 1023.0)
    return n, float_of((moved & 0x000FFFFFFFFFFFFF) + 0x3FE6A09E667F3BCD) - 1.0


@rule
def _log_series(z: float) -> float:
    """ln((1 + s)/(1 - s))/s - 2 for z = s², s up to 0.172."""
    w = z * z
    even = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01))
    return even + z * (6.666666666666735130e-01 + w * (2.857142874366239149e-01
        + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)))  # fmt: skip


@rule
def log(x: float) -> float:
    """The natural logarithm of x. Error: at most 0.8 ulp, of subnormal x too.

    Exactly 0 at 1; log(0) = log(-0) = -inf, log(inf) = inf; NaN for a NaN and below 0.
    """
    n, f = _binary(x)
    s = f / (2.0 + f)
    half = 0.5 * f * f
    y = n * _LN2_HIGH - ((half - (s * (half + _log_series(s * s)) + n * _LN2_LOW)) - f)
    y = y if x < _INFINITY else x
    return y if x > 0.0 else (-_INFINITY if x == 0.0 else _NAN)


# power, and what is made of these


@rule
def power(x: float, y: float) -> float:
    """x^y for a real y. Error: at most 1.3 ulp for |y| up to 50; it grows with |y|·|ln x| where 0.7 < x < 1.42.

    The logarithm and its product with y are carried in two parts. power(x, 0) = 1 for every x, NaN too;
    power(1, y) = 1. Of 0 and inf: power(0, y) = 0 and power(inf, y) = inf for y > 0, the other way round for y < 0.
    For y = inf or -inf, 0, 1 or inf as the limit is. Overflow and gradual underflow as in `exp`. NaN for x below 0
    and for a NaN.
    """
    n, f = _binary(x)
    # s = f/(2 + f) and 2 + f, each in two parts of which the first has 26 digits
    total = 2.0 + f
    inverse = 1.0 / total
    s = f * inverse
    total_high = float_of(bits_of(total) & _UPPER_HALF)
    total_low = f - (total_high - 2.0)
    s_high = float_of(bits_of(s) & _UPPER_HALF)
    s_low = inverse * ((f - s_high * total_high) - s_high * total_low)
    # ln x = leading + trailing = log_high + log_low, of which the last is small
    whole, twice = n * _LN2_HIGH, 2.0 * s_high
    leading = whole + twice
    trailing = (twice - (leading - whole)) + (n * _LN2_LOW + (2.0 * s_low + s * _log_series(s * s)))
    log_high = float_of(bits_of(leading + trailing) & _UPPER_HALF)
    log_low = (leading - log_high) + trailing
    # y ln x = product + rest
    times = -1e20 if y < -1e20 else y
    times = 1e20 if times > 1e20 else times
    times_high = float_of(bits_of(times) & _UPPER_HALF)
    product = times_high * log_high
    rest = (times - times_high) * log_high + times * log_low
    result = _exp(product, rest if abs(product) < 750.0 else 0.0)
    falling = 0.0 if x > 0.0 else _INFINITY
    edge = x * x if y > 0.0 else falling  # of x = 0 and of x = inf
    result = result if (x > 0.0) & (x < _INFINITY) else edge
    result = result if (x >= 0.0) & (y == y) else _NAN  # noqa: PLR0124 -- not a NaN
    return 1.0 if y == 0.0 else result


@rule
def logistic(x: float) -> float:
    """1/(1 + e^-x). Error: at most 1.9 ulp where the result is normal (x > -708).

    Below -709.78 it is 0, because e^-x is infinite there; 1 above 37.
    """
    return 1.0 / (1.0 + exp(-x))


@rule
def softplus(x: float) -> float:
    """ln(1 + e^x), a smooth max(0, x), without overflow. Error: at most 1.8 ulp where the result is normal.

    max(0, x) + ln(1 + u) with u = e^-|x|, where ln(1 + u) is put right for what 1 + u loses of u.
    """
    u = exp(-abs(x))
    one_more = 1.0 + u
    return (log(one_more) + (u - (one_more - 1.0)) / one_more) + (0.0 if x < 0.0 else x)


@rule
def sqrt(x: float) -> float:
    """The square root, exact to the last digit as IEEE 754 asks of every processor; NaN below 0."""
    return math.sqrt(_NAN if x < 0.0 else x)
