"""The marks of the report, as SVG that needs nothing else: a hundred squares, a hundred dots, and bars.

Where squares stand is said here and in ``story.js``, which moves them; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from sim.model.words import number as said

DEEP, PITCH = 5, 6
"""Squares that stand on each other, and how far apart they are."""
ZERO, GREY = 150, 306
"""Where the squares of what is worse and better meet, and where those that are too small begin."""


def squares(left: int, right: int, grey: int) -> dict[str, str]:
    """Paths of a square for each world that is worse, better, or too small to matter, by place.

    >>> squares(1, 0, 1)["left"]
    'M141 0h5v5h-5z'
    """
    starts = {"left": (ZERO - 3 - PITCH, -1, left), "right": (ZERO + 3, 1, right), "grey": (GREY, 1, grey)}
    return {
        name: "".join(
            f"M{start + way * PITCH * (k // DEEP)} {PITCH * (k % DEEP)}h5v5h-5z" for k in range(number)
        )
        for name, (start, way, number) in starts.items()
    }  # fmt: skip


def beside(left: int, right: int, grey: int) -> dict[str, int]:
    """Where the numbers stand beside the squares."""
    columns = {name: -(-number // DEEP) for name, number in (("left", left), ("right", right), ("grey", grey))}
    return {
        "left": ZERO - 3 - PITCH * columns["left"] - 3,
        "right": ZERO + 3 + PITCH * columns["right"] + 2,
        "grey": GREY + PITCH * columns["grey"] + 2,
    }


def dots(values: ArrayLike, weights: ArrayLike, limit: float, bins: int = 36) -> dict[str, object]:
    """A hundred worlds as dots that stand on each other along an axis: their places and classes (−1, 0, 1), the shaded
    part that is too small to matter, and the ticks with their texts. Values and limit are in the unit of the axis."""
    x, w = np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    order = np.argsort(x, kind="stable")
    at = np.searchsorted(np.cumsum(w[order]), (np.arange(100) + 0.5) / 100.0 * w.sum())
    taken = x[order[at.clip(0, len(x) - 1)]]
    low, high = min(taken[0], -1.6 * limit), max(taken[-1], 1.6 * limit)
    place = np.floor((taken - low) / (high - low) * bins).clip(0, bins - 1).astype(int)
    heights = [int((place[:k] == place[k]).sum()) for k in range(100)]
    scale = 440.0 / (high - low)
    ticks = [tick for tick in _ticks(low, high) if low <= tick <= high]
    return {
        "dots": [
            {"x": round(8 + 440 * (p + 0.5) / bins, 1), "y": h, "way": int(np.sign(v) * (abs(v) > limit))}
            for p, h, v in zip(place.tolist(), heights, taken.tolist(), strict=True)
        ],
        "high": max(*heights, 6) + 1,
        "shade": {"x": round(8 + scale * (-limit - low), 1), "width": round(2 * scale * limit, 1)},
        "ticks": [{"x": round(8 + scale * (tick - low), 1), "text": f"{'+' if tick > 0 else ''}{said(tick)}"}
                  for tick in ticks],
    }  # fmt: skip


def _ticks(low: float, high: float) -> list[float]:
    """Some four round numbers between two ends, 0 among them."""
    rough = (high - low) / 4
    size = 10.0 ** np.floor(np.log10(rough))
    step = float(next(size * times for times in (1, 2, 5, 10) if size * times >= rough))
    return [k * step for k in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]


def bars(values: Sequence[float]) -> list[Mapping[str, float]]:
    """Bars from a common line at 100 of 200, the longest 90 long."""
    most = max((abs(value) for value in values), default=0.0) or 1.0
    lengths = [round(90 * abs(value) / most, 1) for value in values]
    return [{"x": 100 if value > 0 else round(100 - length, 1), "width": length}
            for value, length in zip(values, lengths, strict=True)]  # fmt: skip
