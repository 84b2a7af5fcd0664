"""How far and how long one sanction reaches."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from sim.model.interventions import LEARNED, Interventions, Sanction
from sim.model.parameters import MECHANISMS
from sim.model.run import run_parameters
from sim.questions import ask
from sim.questions.sanction import GROUPS, months_until_half
from sim.worlds.prior import Worlds, prior

SOURCE = prior(8, off=0.0)
SMALL: dict[str, Any] = {"systems": 3, "organisations": 3, "managers": 4, "before": 12, "after": 12}


def test_the_half_of_a_known_curve_is_found():
    curve = 0.4 * 0.5 ** (np.arange(40) / 7.0)
    assert months_until_half(curve) == pytest.approx(7, abs=1)
    assert np.isnan(months_until_half(np.full(20, 0.4))) and np.isnan(months_until_half(np.zeros(20)))


def test_a_sanction_frightens_the_one_most_then_colleagues_and_by_news_the_system():
    found = ask("reach", SOURCE, 8, **SMALL).tables["reach_summary"].set_index(["publicity", "group"])
    rise = found["rise"].unstack()[list(GROUPS)]
    assert (rise["the one"] > rise["colleagues"]).all() and (rise["colleagues"] > rise["rest of the system"]).all()
    assert rise["rest of the system"][0.0] == 0.0
    assert 0.0 < rise["rest of the system"][0.5] < rise["rest of the system"][1.0]
    assert found["people"].unstack().iloc[0][list(GROUPS)].tolist() == [1, 3, 8]
    assert np.allclose(found["total"], found["people"] * found["rise"])


def test_the_groups_together_are_all_posts_each_once():
    found = ask("reach", SOURCE, 2, publicities=(0.5,), **SMALL)
    drawn, sizes = SOURCE.resample(2), {n: SMALL[n] for n in ("systems", "organisations", "managers")}
    added = []
    for world, seed in zip(drawn, drawn.seeds, strict=True):
        p = world.parameters(publicity=0.5, months=24, **sizes)
        with_it, without = (
            run_parameters(p, seed, interventions=Interventions(sanction=s, record_fear=True)).record.fear
            for s in (Sanction(12, 1), None)
        )
        added.append((with_it - without)[11, :, LEARNED].sum() / p.systems)
    assert found.tables["reach_summary"]["total"].sum() == pytest.approx(np.mean(added))


def test_it_fades():
    found = ask("reach", SOURCE, 8, publicities=(1.0,), **{**SMALL, "after": 48, "systems": 8})
    one = found.tables["reach_path"][found.tables["reach_path"]["group"] == "the one"].set_index("month")["rise"]
    half = int(found.tables["reach_summary"].set_index("group").loc["the one", "half"])
    assert one[0] > 0.1 and one[36:].abs().mean() < one[0] / 4
    assert one[1:half].mean() > one[0] / 2 > one[half + 2 :].mean()


def test_without_learned_fear_nobody_minds():
    worlds = prior(3)
    off = worlds.off.copy()
    off[:, list(MECHANISMS).index("learned_fear")] = True
    found = ask("reach", Worlds(worlds.values, off, worlds.nuisance), 3, **SMALL)
    assert (found.tables["reach_summary"]["rise"] == 0.0).all() and found.tables["reach_summary"]["half"].isna().all()


def test_a_sentence_adds_up_the_others():
    found = ask("reach", SOURCE, 8, publicities=(1.0,), **SMALL)
    others = found.tables["reach_summary"].set_index("group")["total"][list(GROUPS[1:])].sum()
    said = re.search(r"and ([\d.]+) \(standard error", found.sentences[0])
    assert said and float(said[1]) == pytest.approx(100 * others, rel=0.1) and "11 others" in found.sentences[0]
