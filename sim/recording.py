"""What is written down about a month: a row for each post, summed in the order of the posts.

Both engines fill the same rows (`ROW`) and sum them with the same functions, so their outcomes agree to the bit.
Recording reads the model and never touches it, nor a random stream.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.compiled import compiled
from sim.outcomes import OUTCOMES, POST_COLUMNS

_RATIOS = {"success_rate": ("successes", "initiative_rate"), "silence": ("spoken", "slips")}
_MEANS = tuple(name for name in OUTCOMES if name not in (*_RATIOS, "practice_variation"))

FIELDS = (
    *POST_COLUMNS,
    *(name for name in _MEANS if name not in POST_COLUMNS),
    "deviation",  # of practice from the national standard, after step 5
    "deviation_squared",
)
"""What a post's row holds in a month; rates are 0 or 1. The first `len(POST_COLUMNS)` are averaged for each post."""

ROW = np.dtype([(name, np.float64) for name in (*FIELDS, "unfair", "spared")])
"""A row, with two marks at its end that the engine needs and nobody records: the sanction was unfair; spared."""
_FIELDS = len(FIELDS)
_KEPT = len(POST_COLUMNS)


@compiled
def add_rows(rows: NDArray[np.float64], sums: NDArray[np.float64]) -> None:
    """Add the rows of some posts (posts by fields) to `sums`, in the order of the posts."""
    posts = rows.shape[0]
    grouped = posts - posts % 4
    for post in range(0, grouped, 4):  # four at a time: a quarter of the trips to memory, the same order
        for field in range(_FIELDS):
            total = sums[field] + rows[post, field] + rows[post + 1, field]
            sums[field] = total + rows[post + 2, field] + rows[post + 3, field]
    for post in range(grouped, posts):
        for field in range(_FIELDS):
            sums[field] += rows[post, field]


@compiled
def add_kept(rows: NDArray[np.float64], totals: NDArray[np.float64]) -> None:
    """Add what is averaged for each post (posts by `POST_COLUMNS`) to its totals."""
    for post in range(rows.shape[0]):
        for field in range(_KEPT):
            totals[post, field] += rows[post, field]


def series(sums: NDArray[np.float64], posts: int) -> pd.DataFrame:
    """The outcomes by month from the national sums of each month's rows.

    Parameters
    ----------
    sums : array, months by `FIELDS`
    posts : int
        Number of posts behind each sum.

    Returns
    -------
    DataFrame with index ``month`` (1 ...) and a column for each name in `OUTCOMES`.
    """
    total = {name: sums[:, k] for k, name in enumerate(FIELDS)}
    columns = {name: total[name] / posts for name in _MEANS}
    for name, (part, whole) in _RATIOS.items():
        some = total[whole] > 0
        share = np.divide(total[part], total[whole], out=np.zeros(len(sums)), where=some)
        columns[name] = np.where(some, 1.0 - share, 0.0) if name == "silence" else share
    mean = total["deviation"] / posts
    columns["practice_variation"] = np.sqrt(np.maximum(0.0, total["deviation_squared"] / posts - mean * mean))
    index = pd.RangeIndex(1, len(sums) + 1, name="month")
    return pd.DataFrame({name: columns[name] for name in OUTCOMES}, index=index)


def places(systems: int, organisations: int, managers: int) -> pd.DataFrame:
    """Post, organisation and system number (from 0) of every post, in the order of the posts."""
    post = np.arange(systems * organisations * managers)
    organisation = post // managers
    return pd.DataFrame({"post": post, "organisation": organisation, "system": organisation // organisations})


def posts_frame(
    totals: NDArray[np.float64], last: NDArray[np.float64], months: int, place: pd.DataFrame
) -> pd.DataFrame:
    """Averages for each post from its totals over `months` months, and the indicators of the last month.

    `totals` is posts by `POST_COLUMNS`, `last` posts by (reported, honest_indicator), `place` from `places`.
    """
    means = pd.DataFrame(totals / months, columns=list(POST_COLUMNS))
    ends = pd.DataFrame(last, columns=["last_reported", "last_honest"])
    return pd.concat([place, means, ends], axis=1)


def organisations_frame(
    totals: NDArray[np.float64], managers: int, organisations_per_system: int
) -> pd.DataFrame:
    """Means by month and organisation from totals (months by organisations by `POST_COLUMNS`)."""
    months, organisations, _ = totals.shape
    index = pd.MultiIndex.from_product([range(1, months + 1), range(organisations)], names=["month", "organisation"])
    frame = pd.DataFrame(totals.reshape(months * organisations, _KEPT) / managers, index, list(POST_COLUMNS))
    frame.insert(0, "system", index.get_level_values("organisation") // organisations_per_system)
    return frame.reset_index()
