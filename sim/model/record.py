"""What is written down about a month: a row of `FIELDS` for each post, and sums over posts in a fixed order.

All engines fill the same rows and sum them in the same order, lane by lane, so their outcomes agree to the bit.
Recording reads the model and never touches it, nor a random stream.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.model.compiling import rule
from sim.model.outcomes import OUTCOMES, POST_COLUMNS
from sim.model.parameters import Parameters

_RATIOS = {"success_rate": ("successes", "initiative_rate"), "silence": ("spoken", "slips")}
_SPENT = {"monitoring_level": "monitoring", "relationship_level": "relationship"}
"""Outcomes that are means of a column of another name."""
_MEANS = tuple(name for name in OUTCOMES if name not in (*_RATIOS, *_SPENT, "practice_variation"))

FIELDS = (
    *POST_COLUMNS,
    *(name for name in _MEANS if name not in POST_COLUMNS),
    "deviation",  # of practice from the national standard, after step 5
    "deviation_squared",
)
"""What a post's row holds in a month; rates are 0 or 1. The first `len(POST_COLUMNS)` are averaged for each post."""

LANES = 8
"""Sums over posts go lane by lane: the posts of a system whose numbers differ by a multiple of this, in their order.
Then `fold` adds the lanes up. So they have the same bits on every machine, however many numbers it adds at once."""


@dataclass(frozen=True)
class Record:
    """What a run leaves behind, as sums that the functions below turn into tables.

    Attributes
    ----------
    sums : array, months by `FIELDS`, national sums of each month's rows.
    totals : array, posts by `POST_COLUMNS`, sums over the last `window` months.
    last : array, posts by 2, the reported and the honest indicator of the last month.
    organisations : array, months (or 0 where not asked for) by organisations by `POST_COLUMNS`, sums over managers.
    fear : array, months (or 0 where not asked for) by posts by 2, see `sim.model.interventions.FearPath`.
    """

    sums: NDArray[np.float64]
    totals: NDArray[np.float64]
    last: NDArray[np.float64]
    organisations: NDArray[np.float64]
    fear: NDArray[np.float64]

    @classmethod
    def empty(cls, p: Parameters, record_organisations: bool, record_fear: bool = False) -> Record:
        """Zeros of the right shapes for a run with these parameters."""
        organisations = p.systems * p.organisations
        posts = organisations * p.managers
        columns = len(POST_COLUMNS)
        return cls(
            np.zeros((p.months, len(FIELDS))),
            np.zeros((posts, columns)),
            np.zeros((posts, 2)),
            np.zeros((p.months if record_organisations else 0, organisations, columns)),
            np.zeros((p.months if record_fear else 0, posts, 2)),
        )


@rule
def fold(a: float, b: float, c: float, d: float, e: float, f: float, g: float, h: float) -> float:
    """The sum of `LANES` numbers: the halves added to each other, then quarters, then eighths."""
    return ((a + e) + (c + g)) + ((b + f) + (d + h))


def lane_sum(values: Iterable[float], first: int = 0) -> float:
    """The sum of a value of successive posts, of which `first` is the number of the first within its system."""
    lanes = [0.0] * LANES
    for number, value in enumerate(values, first):
        lanes[number % LANES] += value
    return fold(*lanes)


def national_sums(rows: NDArray[np.float64], systems: int) -> NDArray[np.float64]:
    """Sums of rows (posts by fields) over the posts of all systems, lane by lane, for each field."""
    lanes = np.zeros((LANES, rows.shape[1]))
    for system in np.split(rows, systems):
        for first in range(0, len(system), LANES):
            there = system[first : first + LANES]
            lanes[: len(there)] += there
    return np.asarray(fold(*lanes))


def outcomes(sums: NDArray[np.float64], posts: int) -> dict[str, NDArray[np.float64]]:
    """The outcomes of some months: for each name in `OUTCOMES`, in its order, an array with a value for each month.

    `sums` (months by `FIELDS`) are sums of the months' rows over a number of `posts`.
    """
    total = {name: sums[:, k] for k, name in enumerate(FIELDS)}
    columns = {name: total[_SPENT.get(name, name)] / posts for name in (*_MEANS, *_SPENT)}
    for name, (part, whole) in _RATIOS.items():
        some = total[whole] > 0
        share = np.divide(total[part], total[whole], out=np.zeros(len(sums)), where=some)
        columns[name] = np.where(some, 1.0 - share, 0.0) if name == "silence" else share
    mean = total["deviation"] / posts
    squared = total["deviation_squared"] / posts
    variance = squared - mean * mean
    columns["practice_variation"] = np.sqrt(np.where(variance > 1e-12 * squared, variance, 0.0))  # else it is rounding
    return {name: columns[name] for name in OUTCOMES}


def series(sums: NDArray[np.float64], posts: int) -> pd.DataFrame:
    """`outcomes` as a table: index ``month`` (1 ...), a column for each outcome."""
    return pd.DataFrame(outcomes(sums, posts), index=pd.RangeIndex(1, len(sums) + 1, name="month"))


def places(systems: int, organisations: int, managers: int) -> pd.DataFrame:
    """Post, organisation and system number (from 0) of every post, in the order of the posts."""
    post = np.arange(systems * organisations * managers)
    organisation = post // managers
    return pd.DataFrame({"post": post, "organisation": organisation, "system": organisation // organisations})


def posts_frame(record: Record, p: Parameters) -> pd.DataFrame:
    """A row for each post: its place, averages over the last `window` months, and the last month's indicators."""
    means = pd.DataFrame(record.totals / min(p.window, p.months), columns=list(POST_COLUMNS))
    last = pd.DataFrame(record.last, columns=["last_reported", "last_honest"])
    return pd.concat([places(p.systems, p.organisations, p.managers), means, last], axis=1)


def organisations_frame(record: Record, p: Parameters) -> pd.DataFrame:
    """A row for each month and organisation: means over its managers of what `posts_frame` averages."""
    months, organisations, columns = record.organisations.shape
    number = np.tile(np.arange(organisations), months)
    place = {
        "month": np.repeat(np.arange(1, months + 1), organisations),
        "organisation": number,
        "system": number // p.organisations,
    }
    means = record.organisations.reshape(-1, columns) / p.managers
    return pd.concat([pd.DataFrame(place), pd.DataFrame(means, columns=list(POST_COLUMNS))], axis=1)
