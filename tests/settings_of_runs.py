"""Random settings of small runs, as hypothesis draws them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from sim.model.parameters import COEFFICIENTS, LEVERS, MECHANISMS, PARAMETERS, REGIMES, SPREADS


def plausible(name: str) -> st.SearchStrategy[float]:
    """Values of a parameter in its plausible range (near its default where it is fixed), of a lever in its bounds."""
    declared = PARAMETERS[name]
    if declared.kind == "lever":
        return st.floats(declared.minimum, declared.maximum, allow_subnormal=False)
    low, high = declared.low, declared.high
    if low == high:
        low, high = 0.8 * declared.default, 1.2 * declared.default
    return st.floats(low, high, allow_subnormal=False)


def allowed(name: str) -> st.SearchStrategy[float]:
    """Every value that the software accepts, bounds included where they are allowed."""
    declared = PARAMETERS[name]
    return st.floats(declared.minimum, declared.maximum, allow_subnormal=False).filter(declared.allows)


def corners(name: str) -> st.SearchStrategy[float]:
    """The least and the largest value that the software accepts."""
    low, high = PARAMETERS[name].minimum, PARAMETERS[name].maximum
    ends = (low, math.nextafter(low, high), math.nextafter(high, low), high)
    return st.sampled_from([end for end in ends if PARAMETERS[name].allows(end)])


@st.composite
def runs(draw: st.DrawFn, values: Callable[[str], st.SearchStrategy[float]] = plausible) -> dict[str, Any]:
    """Arguments of `sim.simulate`: seed, regime, mechanisms off, any parameters and levers, a schedule and sizes."""
    off = draw(st.sets(st.sampled_from(list(MECHANISMS)), max_size=3))
    held = {name for key in off for name in MECHANISMS[key].parameters}
    free = [name for name in (*COEFFICIENTS, *LEVERS, *SPREADS) if name not in held]
    chosen = draw(st.sets(st.sampled_from(free), max_size=len(free)) | st.just(set(free)))
    months = draw(st.integers(1, 15))
    plans = st.sampled_from(LEVERS).flatmap(
        lambda lever: st.tuples(
            st.just(lever), st.dictionaries(st.integers(1, months), plausible(lever), min_size=1, max_size=3)
        )
    )
    return {
        "seed": draw(st.integers(0, 2**63 - 1)),
        "regime": draw(st.sampled_from(list(REGIMES))),
        "mechanisms_off": sorted(off),
        "schedule": dict(draw(st.lists(plans, max_size=3))),
        "systems": draw(st.integers(1, 3)),
        "organisations": draw(st.integers(1, 4)),
        "managers": draw(st.integers(1, 8)),
        "months": months,
        "window": draw(st.integers(1, 20)),
    } | {name: draw(values(name)) for name in sorted(chosen)}
