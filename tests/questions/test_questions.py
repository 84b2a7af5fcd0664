"""Questions beside the claims: each is put to the worlds as its own function has it, said, and kept in whole files."""

from __future__ import annotations

import os
from functools import partial

import numpy as np
import pandas as pd
import pytest
from ensembles import by_hand

from sim.claims.answer import Effort, Reply, claims_named, compute
from sim.errors import InputError
from sim.questions import QUESTIONS, ask, asked_beside
from sim.questions.paired import share_and_error
from sim.report.claims import save_reply

TINY = {"systems": 1, "organisations": 2, "managers": 2}
SMALL = {
    "tipping": {"levels": (0.1, 0.9), "hold": 4, "rest": 2},
    "memory": {"spell": 6, "after": 5},
    "reach": {"publicities": (0.0, 1.0), "before": 2, "after": 5},
}
DRAWS, SEED = 3, 5


@pytest.fixture(autouse=True)
def small_questions(monkeypatch):
    for name, question in QUESTIONS.items():
        monkeypatch.setitem(QUESTIONS, name, partial(question, **TINY, **SMALL[name]))


@pytest.mark.parametrize("name", SMALL)
def test_a_reply_is_the_same_under_the_same_seed_whatever_the_workers(name):
    seen = []
    reply = ask(name, by_hand(), DRAWS, SEED, lambda done, total, note="": seen.append((done, total)), workers=1)
    found = ask(name, by_hand(), DRAWS, SEED, workers=2)
    assert reply.sentences == found.sentences
    assert all(table.startswith(f"{name}_") for table in reply.tables)
    for table in reply.tables:
        pd.testing.assert_frame_equal(reply.tables[table], found.tables[table])
    assert seen == [(done, DRAWS) for done in range(DRAWS + 1)]


@pytest.mark.parametrize("name", SMALL)
def test_another_seed_draws_other_worlds(name):
    one, other = (ask(name, by_hand(), 2, seed) for seed in (SEED, SEED + 1))
    assert any(not table.equals(other.tables[key]) for key, table in one.tables.items())


def test_sentences_say_what_the_tables_hold():
    tipping, reach = (ask(name, by_hand(), DRAWS, SEED) for name in ("tipping", "reach"))
    shares = tipping.tables["tipping_shares"].set_index("when")
    assert f"in {share_and_error(*shares.loc['end', ['share', 'error']])[0]} of worlds" in tipping.sentences[0]
    assert len(tipping.tables["tipping_worlds"]) == DRAWS
    assert len(reach.sentences) == 2
    assert set(reach.tables["reach_summary"]["publicity"]) == {0.0, 1.0}
    for sentence in (*tipping.sentences, *reach.sentences):
        assert sentence.endswith(".")
        assert sentence.isascii()
        assert "nan" not in sentence


def test_an_unknown_question_is_told_with_the_nearest_or_all():
    with pytest.raises(InputError, match=r'"tiping".*"tipping"'):
        ask("tiping", by_hand())
    with pytest.raises(InputError, match="tipping, memory, reach"):
        ask("xyzzy", by_hand())


@pytest.mark.parametrize(
    ("name", "wrong", "said"),
    [
        *((name, {"draws": 1}, "draws.*1") for name in SMALL),
        ("tipping", {"outcome": "feer"}, 'outcome = "feer.*"fear"'),
        ("tipping", {"levels": (0.5, 0.1)}, r"levels.*\(0.5, 0.1\)"),
        ("tipping", {"levels": (0.5,)}, r"levels.*\(0.5,\)"),
        ("tipping", {"months": 3}, "months"),
        ("memory", {"outcome": "gap"}, 'outcome = "gap'),
        ("memory", {"spell": 3}, "spell.*3.*from 6"),
        ("reach", {"publicities": (0.5, 2.0)}, "publicity.*2.0"),
        ("reach", {"organisations": 1}, "organisations"),
        ("reach", {"before": 0}, "before.*0"),
    ],
)
def test_what_cannot_be_asked_gets_one_line_with_its_name(name, wrong, said):
    with pytest.raises(InputError, match=f"^{said}") as refused:
        ask(name, by_hand(), **wrong)
    assert len(refused.value.lines) == 1


TABLES = {"b": pd.DataFrame({"x": [1.5, np.inf]}), "a": pd.DataFrame({"text": ["one, two", "three"]})}


def test_every_table_is_written_and_read_again(tmp_path):
    paths = save_reply(Reply("fear", "Why?", ("So.",), TABLES), "tipping", tmp_path / "new" / "folder")
    assert {path.name for path in (tmp_path / "new" / "folder").iterdir()} == {"a.csv", "b.csv", "manifest.json"}
    for path in paths:
        pd.testing.assert_frame_equal(pd.read_csv(path), TABLES[path.stem])


def test_an_interrupted_save_leaves_whole_files_and_none_half_written(tmp_path, monkeypatch):
    save_reply(Reply("fear", "Why?", ("So.",), TABLES), "tipping", tmp_path)
    before, moved, swap = (tmp_path / "a.csv").read_bytes(), [], os.replace

    def interrupted(source, target):
        if moved.append(target) or target.suffix == ".csv":
            raise KeyboardInterrupt
        swap(source, target)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_reply(Reply("fear", "Why?", ("So.",), {"a": TABLES["b"]}), "tipping", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.csv", "manifest.json"]
    assert (tmp_path / "a.csv").read_bytes() == before


def test_a_folder_that_is_a_file_is_refused_with_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError) as caught:
        save_reply(Reply("fear", "Why?", ("So.",), TABLES), "tipping", tmp_path / "file")
    assert len(caught.value.lines) == 1


def test_all_questions_are_asked_beside_the_claims_where_draws_are_given():
    effort = Effort(worlds=20, prior=20, all_on=20, again=0, systems=1, orders=2, draws=2)
    seen = []
    report = compute(
        by_hand(), by_hand(20, seed=1, off=0.0), claims=claims_named("pride"), effort=effort,
        organisations=1, managers=2, months=6, window=3,
    )  # fmt: skip
    assert report.replies == ()
    report = asked_beside(report, by_hand(), lambda done, total, note="": seen.append((done, total)))
    assert [next(iter(reply.tables)).split("_")[0] for reply in report.replies] == list(QUESTIONS)
    assert all(claims_named(reply.claim) for reply in report.replies)
    told = " ".join(str(report).split())
    assert all(reply.question in told and reply.sentences[0] in told for reply in report.replies)
    total = 2 * len(QUESTIONS)
    assert seen[0] == (0, total) and seen[-1] == (total, total)
