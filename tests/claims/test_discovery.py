"""Scenario discovery: factors of worlds, maps of an answer over two of them, and where a verdict flips."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from sim.claims.discovery import FEWEST_IN_CELL, SWITCH, factors, flip, grid, named
from sim.model.parameters import MECHANISMS, PARAMETERS
from sim.worlds.prior import DRAWN, prior

WORLDS = prior(500)


def column(name: str) -> np.ndarray:
    return factors(WORLDS)[name].to_numpy()


def test_a_parameter_of_a_mechanism_that_is_off_counts_at_its_null():
    off = WORLDS.off[:, list(MECHANISMS).index("loss_aversion")]
    assert (column("loss_aversion")[off] == PARAMETERS["loss_aversion"].null).all()
    assert np.array_equal(column("loss_aversion")[~off], WORLDS.values[~off, DRAWN.index("loss_aversion")])
    assert np.array_equal(column(SWITCH + "loss_aversion"), ~off)


def test_a_map_has_the_weighted_share_and_effect_of_each_cell_and_leaves_thin_ones_empty():
    truth = (column("demand") < 1.125) & (column("punitiveness") < 0.5)
    weights = np.where(truth, 2.0, 1.0)
    table = grid(replace(WORLDS, weights=weights), truth, "demand", "punitiveness", column("demand"), bins=2)
    assert len(table) == 4
    assert table["share"].iloc[0] > 0.95 and table["share"].iloc[1:].max() < 0.05
    inside = (column("demand") >= table["x_low"][3]) & (column("punitiveness") >= table["y_low"][3])
    assert table["effect"][3] == pytest.approx(np.average(column("demand")[inside], weights=weights[inside]))
    thin = grid(WORLDS, truth, "demand", "punitiveness", bins=20)
    assert thin["share"].isna().equals(thin["worlds"] < FEWEST_IN_CELL)
    assert thin["worlds"].sum() == pytest.approx(500)


def test_a_mechanism_has_two_bins():
    table = grid(WORLDS, column("demand") < 1.1, SWITCH + "gaming", "demand", bins=3)
    assert len(table) == 6
    assert table.groupby("x_low")["worlds"].sum()[0.5] == pytest.approx(column(SWITCH + "gaming").sum())


# Where a verdict flips

FEW = WORLDS.take(np.arange(400))


def few(name: str) -> np.ndarray:
    return column(name)[:400]


def verdicts(supported: np.ndarray, noise: float = 0.0) -> list[str]:
    turned = supported ^ (np.random.default_rng(1).random(len(supported)) < noise)
    return np.where(turned, "supported", "opposed").tolist()


def test_a_limit_in_one_parameter_is_found_and_no_deeper_tree_is_grown():
    found = flip(FEW, verdicts(few("punitiveness") < 0.4, noise=0.1))
    assert found.chosen.depth == 1
    assert len(found.regions) == 2
    low, high = found.regions[0].bounds["punitiveness"]
    assert low == -np.inf and high == pytest.approx(0.4, abs=0.03)
    assert found.regions[0].share.estimate == pytest.approx(0.9, abs=0.05)
    assert found.chosen.balanced.estimate == pytest.approx(0.9, abs=0.05)
    assert found.chosen.gain.estimate > 2 * found.chosen.gain.error
    assert found.leading[0] == "punitiveness"


def test_a_rule_in_a_parameter_and_a_mechanism_is_found():
    rule = (few("speak_base") >= 0.0) & (few(SWITCH + "gaming") == 1.0)
    found = flip(FEW, verdicts(rule, noise=0.05))
    assert found.chosen.depth == 2
    top = found.regions[0]
    assert set(top.bounds) <= {"speak_base", SWITCH + "gaming", "gaming_max"}  # gaming_max is 0 where gaming is off
    assert "speak_base" in top.bounds and len(top.bounds) == 2
    assert top.share.estimate > 0.85
    assert found.regions[-1].share.estimate < 0.2


def test_regions_hold_all_worlds_and_their_shares_average_to_the_whole():
    truth = (few("demand") < 1.1) & (few("burden") < 0.15)
    found = flip(FEW, verdicts(truth, noise=0.1))
    told = np.array(verdicts(truth, noise=0.1)) == "supported"
    assert sum(region.weight for region in found.regions) == pytest.approx(1.0)
    assert sum(r.weight * r.share.estimate for r in found.regions) == pytest.approx(told.mean())


def test_noise_has_no_simple_region():
    """Each time has a chance of about a fortieth to be mistaken."""
    rng = np.random.default_rng(3)
    small = WORLDS.take(np.arange(150))
    said = [flip(small, np.where(rng.random(150) < 0.4, "supported", "opposed").tolist()).sentence for _ in range(6)]
    assert sum(not sentence.startswith("No simple region tells supported from opposed") for sentence in said) <= 1


def test_worlds_of_one_calibration_are_never_on_both_sides_of_a_fold():
    """Copies of 40 worlds with answers by lot could be learned by heart; on unseen ones that is worth nothing."""
    numbers = np.repeat(np.arange(40), 12)
    answers = np.where(np.random.default_rng(0).random(40) < 0.5, "supported", "opposed")[numbers]
    copies = WORLDS.take(numbers)
    honest = flip(copies, answers.tolist())
    fooled = flip(replace(copies, calibrations=np.arange(len(copies))), answers.tolist())
    assert fooled.regions and not honest.regions


def test_worlds_without_weight_do_not_count():
    first = np.arange(len(FEW)) < 200
    rule = np.where(first, few("need_sd") < 0.8, few("demand") < 1.1)
    source = replace(FEW, weights=np.where(first, 1 / 200, 0.0))
    found = flip(source, verdicts(rule))
    assert list(found.regions[0].bounds) == ["need_sd"]
    assert sum(region.size for region in found.regions) == pytest.approx(200)


def test_a_rare_answer_is_told_from_all_else_or_not_at_all():
    low = few("punitiveness") < 0.4
    said = np.where(low, "supported", "too small to matter")
    assert flip(FEW, said.tolist()).other == "not supported"
    said[:4] = "opposed"
    assert flip(FEW, said.tolist()).other == "not supported"
    assert flip(FEW, np.where(low, "too small to matter", "opposed").tolist()).answer == "opposed"
    assert flip(FEW, np.where(low, "lower", "higher").tolist()).answer == "higher"
    assert flip(FEW, np.where(low, "worse", "better").tolist()).answer == "better"
    nowhere = flip(FEW, ["too small to matter"] * len(FEW))
    assert nowhere.regions == () and nowhere.sentence.endswith("it is too small to matter in 100 of 100 worlds.")


def test_the_sentence_says_the_regions():
    rule = (few("punitiveness") < 0.4) & (few(SWITCH + "paperwork") == 1.0)
    found = flip(FEW, verdicts(rule))
    rule = found.sentence.partition(". ")[0]
    shares = [int(n) for n in re.findall(r"in (\d+)", rule)]
    assert shares == [round(100 * region.share.estimate) for region in found.regions]
    assert f"{named('punitiveness')} is below {found.regions[0].bounds['punitiveness'][1]:g}" in rule
    assert found.sentence.endswith("both answers counting alike; guessing, 50.")


def test_the_limit_that_is_said_is_the_limit_that_is_counted():
    truth = few("exit_base") < 0.01234567
    region = flip(FEW, verdicts(truth)).regions[0]
    limit = region.bounds["exit_base"][1]
    assert limit == float(f"{limit:.2g}")
    assert region.share.estimate == pytest.approx(truth[few("exit_base") < limit].mean())
