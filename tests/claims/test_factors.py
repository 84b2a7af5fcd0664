"""What may tell worlds apart, and a map of an answer over two factors."""

from __future__ import annotations

import numpy as np
import pytest

from sim.claims.factors import FEWEST_IN_CELL, SWITCH, factors, grid
from sim.errors import InputError
from sim.model.parameters import DECLARATIONS, MECHANISMS
from sim.worlds.draws import Sample, unweighted
from sim.worlds.prior import DRAWN, prior

WORLDS = prior(500)
SOURCE = unweighted(WORLDS)


def column(name: str) -> np.ndarray:
    values, names = factors(WORLDS)
    return values[:, names.index(name)]


def test_a_parameter_of_a_mechanism_that_is_off_counts_at_its_null():
    off = WORLDS.off[:, list(MECHANISMS).index("loss_aversion")]
    assert (column("loss_aversion")[off] == DECLARATIONS["loss_aversion"].null).all()
    assert np.array_equal(column("loss_aversion")[~off], WORLDS.values[~off, DRAWN.index("loss_aversion")])
    assert np.array_equal(column(SWITCH + "loss_aversion"), ~off)


def test_a_map_has_the_weighted_share_and_effect_of_each_cell_and_leaves_thin_ones_empty():
    truth = (column("demand") < 1.125) & (column("punitiveness") < 0.5)
    weights = np.where(truth, 2.0, 1.0)
    table = grid(Sample(WORLDS, weights, np.arange(500)), truth, "demand", "punitiveness", column("demand"), bins=2)
    assert len(table) == 4
    assert table["share"].iloc[0] > 0.95 and table["share"].iloc[1:].max() < 0.05
    inside = (column("demand") >= table["x_low"][3]) & (column("punitiveness") >= table["y_low"][3])
    assert table["effect"][3] == pytest.approx(np.average(column("demand")[inside], weights=weights[inside]))
    thin = grid(unweighted(WORLDS), truth, "demand", "punitiveness", bins=20)
    assert thin["share"].isna().equals(thin["worlds"] < FEWEST_IN_CELL)
    assert thin["worlds"].sum() == pytest.approx(500)


def test_a_mechanism_has_two_bins():
    table = grid(SOURCE, column("demand") < 1.1, SWITCH + "gaming", "demand", bins=3)
    assert len(table) == 6
    assert table.groupby("x_low")["worlds"].sum()[0.5] == pytest.approx(column(SWITCH + "gaming").sum())


@pytest.mark.parametrize(
    ("ask", "line"),
    [
        (lambda: grid(SOURCE, [True] * 500, "demnd", "burden"), 'demnd: no such factor (did you mean "demand"?)'),
        (lambda: grid(SOURCE, [True] * 500, "demand", "burden", bins=0), "bins: 0 is not a whole number from 1 to 100"),
    ],
)
def test_bad_input_gets_one_line(ask, line):
    with pytest.raises(InputError) as refused:
        ask()
    assert refused.value.lines == (line,)
