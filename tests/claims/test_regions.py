"""Where an answer flips: planted rules are found, noise is called noise, and the worlds that weigh more count more."""

from __future__ import annotations

import re

import numpy as np
import pytest

from sim.claims.factors import SWITCH, factors
from sim.claims.regions import flip
from sim.errors import InputError
from sim.worlds.draws import Sample, unweighted
from sim.worlds.prior import prior

WORLDS = prior(400)
SOURCE = unweighted(WORLDS)


def column(name: str) -> np.ndarray:
    values, names = factors(WORLDS)
    return values[:, names.index(name)]


def verdicts(supported: np.ndarray, noise: float = 0.0) -> list[str]:
    turned = supported ^ (np.random.default_rng(1).random(len(supported)) < noise)
    return np.where(turned, "supported", "opposed").tolist()


def test_a_limit_in_one_parameter_is_found_and_no_deeper_tree_is_grown():
    found = flip(SOURCE, verdicts(column("punitiveness") < 0.4, noise=0.1))
    assert found.chosen.depth == 1
    assert len(found.regions) == 2
    low, high = found.regions[0].bounds["punitiveness"]
    assert low == -np.inf and high == pytest.approx(0.4, abs=0.03)
    assert found.regions[0].share.estimate == pytest.approx(0.9, abs=0.05)
    assert found.chosen.balanced.estimate == pytest.approx(0.9, abs=0.05)
    assert found.chosen.gain.estimate > 2 * found.chosen.gain.error
    assert found.leading[0] == "punitiveness"


def test_a_rule_in_a_parameter_and_a_mechanism_is_found():
    rule = (column("speak_base") >= 0.0) & (column(SWITCH + "gaming") == 1.0)
    found = flip(SOURCE, verdicts(rule, noise=0.05))
    assert found.chosen.depth == 2
    top = found.regions[0]
    assert set(top.bounds) <= {"speak_base", SWITCH + "gaming", "gaming_max"}  # gaming_max is 0 where gaming is off
    assert "speak_base" in top.bounds and len(top.bounds) == 2
    assert top.share.estimate > 0.85
    assert found.regions[-1].share.estimate < 0.2


def test_regions_hold_all_worlds_and_their_shares_average_to_the_whole():
    truth = (column("demand") < 1.1) & (column("burden") < 0.15)
    found = flip(SOURCE, verdicts(truth, noise=0.1))
    told = np.array(verdicts(truth, noise=0.1)) == "supported"
    assert sum(region.weight for region in found.regions) == pytest.approx(1.0)
    assert sum(r.weight * r.share.estimate for r in found.regions) == pytest.approx(told.mean())


def test_noise_has_no_simple_region():
    """Each time has a chance of about a fortieth to be mistaken."""
    rng = np.random.default_rng(3)
    small = unweighted(WORLDS.take(np.arange(150)))
    said = [flip(small, np.where(rng.random(150) < 0.4, "supported", "opposed").tolist()).sentence for _ in range(6)]
    assert sum(not sentence.startswith("No simple region tells supported from opposed") for sentence in said) <= 1


def test_descendants_of_one_ancestor_are_never_on_both_sides_of_a_fold():
    """Copies of 40 worlds with answers by lot could be learned by heart; on unseen ancestors that is worth nothing."""
    numbers = np.repeat(np.arange(40), 12)
    answers = np.where(np.random.default_rng(0).random(40) < 0.5, "supported", "opposed")[numbers]
    copies = WORLDS.take(numbers)
    weights = np.full(len(copies), 1 / len(copies))
    honest = flip(Sample(copies, weights, numbers), answers.tolist())
    fooled = flip(Sample(copies, weights, np.arange(len(copies))), answers.tolist())
    assert fooled.regions and not honest.regions


def test_worlds_without_weight_do_not_count():
    first = np.arange(len(WORLDS)) < 200
    rule = np.where(first, column("need_sd") < 0.8, column("demand") < 1.1)
    source = Sample(WORLDS, np.where(first, 1 / 200, 0.0), np.arange(len(WORLDS)))
    found = flip(source, verdicts(rule))
    assert list(found.regions[0].bounds) == ["need_sd"]
    assert sum(region.worlds for region in found.regions) == pytest.approx(200)


def test_a_rare_answer_is_told_from_all_else_or_not_at_all():
    low = column("punitiveness") < 0.4
    said = np.where(low, "supported", "negligible")
    assert flip(SOURCE, said.tolist()).other == "not supported"
    said[:4] = "opposed"
    assert flip(SOURCE, said.tolist()).other == "not supported"
    assert flip(SOURCE, np.where(low, "undecided", "opposed").tolist()).answer == "opposed"
    assert flip(SOURCE, np.where(low, "lower", "higher").tolist()).answer == "higher"
    nowhere = flip(SOURCE, ["negligible"] * len(WORLDS))
    assert nowhere.regions == () and nowhere.sentence.endswith("it is negligible in 100 % of worlds by weight.")


def test_the_sentence_says_the_regions():
    rule = (column("punitiveness") < 0.4) & (column(SWITCH + "paperwork") == 1.0)
    found = flip(SOURCE, verdicts(rule))
    shares = [int(n) for n in re.findall(r"in (\d+) %", found.sentence)]
    assert shares == [round(100 * region.share.estimate) for region in found.regions]
    assert f"punitiveness is below {found.regions[0].bounds['punitiveness'][1]:g} (probability)" in found.sentence
    assert found.sentence.endswith("guessing gets 50 %).")


def test_the_limit_that_is_said_is_the_limit_that_is_counted():
    truth = column("exit_base") < 0.01234567
    region = flip(SOURCE, verdicts(truth)).regions[0]
    limit = region.bounds["exit_base"][1]
    assert limit == float(f"{limit:.2g}")
    assert region.share.estimate == pytest.approx(truth[column("exit_base") < limit].mean())


@pytest.mark.parametrize(
    ("ask", "line"),
    [
        (lambda: flip(SOURCE, ["supported"]), "verdicts: 1 of them for 400 worlds; there must be one each"),
        (
            lambda: flip(Sample(WORLDS, SOURCE.weights, np.arange(400) % 3), ["supported"] * 400),
            "worlds: descend from 3 draws of the prior; at least 5 are needed",
        ),
    ],
)
def test_bad_input_gets_one_line(ask, line):
    with pytest.raises(InputError) as refused:
        ask()
    assert refused.value.lines == (line,)
