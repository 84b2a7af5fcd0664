"""The committed answer: its shares follow from its effects, and its effects from the worlds that are shipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sim.claims.statements import CLAIMS, SURVEILLANCE
from sim.claims.tables import findings
from sim.claims.verdict import contrast
from sim.model import run
from sim.statistics import share
from sim.worlds import ensemble as ensembles
from sim.worlds.evaluate import evaluate

HEADLINE = Path(__file__).parent.parent / "results" / "headline"
pytestmark = pytest.mark.skipif(not HEADLINE.is_dir(), reason="the headline results come with the repository")


@pytest.fixture(scope="module")
def effects() -> pd.DataFrame:
    return pd.read_parquet(HEADLINE / "effects.parquet")


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(HEADLINE / "claims.csv")


@pytest.fixture(scope="module")
def provenance() -> dict[str, Any]:
    return json.loads((HEADLINE / "provenance.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def worlds() -> ensembles.Ensemble:
    return ensembles.load()


def test_every_outcome_of_every_claim_is_there(table: pd.DataFrame) -> None:
    asked = [(c.id, k.name if k else "level at baseline", m.outcome) for c, k, m in findings(CLAIMS)]
    assert list(table[["claim", "contrast", "outcome"]].itertuples(index=False, name=None)) == asked


def test_the_worlds_are_those_that_come_with_the_package(effects: pd.DataFrame, worlds: ensembles.Ensemble) -> None:
    first = effects[effects["outcome"] == "fear"].drop_duplicates("world").sort_values("world")
    assert np.allclose(first["weight"], worlds.weights, rtol=1e-5)


def test_shares_and_their_errors_follow_from_the_effects(
    table: pd.DataFrame, effects: pd.DataFrame, worlds: ensembles.Ensemble
) -> None:
    by = {key: part for key, part in effects.groupby(["claim", "contrast", "outcome"], sort=False)}
    checked = 0
    for row in table.to_dict("records"):
        part = by[row["claim"], row["contrast"], row["outcome"]].sort_values("world")
        for verdict in ("supported", "opposed", "higher", "lower", "negligible", "undecided"):
            if not pd.isna(row[verdict]):
                found = share(worlds.weights, (part["verdict"] == verdict).to_numpy(), worlds.ancestors)
                assert (row[verdict], row[f"{verdict}_error"]) == pytest.approx(found, abs=1e-9)
                checked += 1
    assert checked > 100


@pytest.mark.parametrize("number", [0, 100])
def test_effects_in_a_world_follow_from_running_it_again(
    number: int, effects: pd.DataFrame, provenance: dict[str, Any], worlds: ensembles.Ensemble
) -> None:
    here = run.provenance()
    same = here["platform"] == provenance["platform"]
    if not same or any(here["packages"][name] != provenance["packages"][name] for name in ("numba", "numpy")):
        pytest.skip("bits are promised on one platform with one set of versions")
    replications, first = provenance["replications"], provenance["first_seed"]
    again = evaluate(
        worlds.take(np.array([number])),
        (SURVEILLANCE.plus, SURVEILLANCE.minus),
        replications,
        first + number * replications,
        provenance["sizes"],
    )
    by = dict(iter(effects[effects["world"] == number].groupby(["claim", "contrast", "outcome"])))
    checked = 0
    for claim, compared, measure in findings(CLAIMS):
        if compared is SURVEILLANCE:
            plus, minus = (again.of(arm, measure.outcome) for arm in (compared.plus, compared.minus))
            found = contrast(plus - minus, minus.mean(axis=1), measure.sesoi, measure.sign)
            kept = by[claim.id, compared.name, measure.outcome].iloc[0]
            assert (kept["effect"], kept["low"], kept["high"]) == pytest.approx(
                (found.estimate[0], found.low[0], found.high[0]), rel=1e-5, abs=1e-7
            )
            assert kept["verdict"] == found.verdict[0]
            checked += 1
    assert checked > 10


def test_the_page_says_what_the_table_holds(table: pd.DataFrame) -> None:
    page = (HEADLINE / "claims.txt").read_text(encoding="utf-8")
    fear = table[(table["claim"] == "fear")].iloc[0]
    assert f"{100 * fear['supported']:.0f} %" in " ".join(page.split())
