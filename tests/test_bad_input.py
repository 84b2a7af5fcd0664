"""Bad input, by the thousand: never a traceback, never a hang, never a file elsewhere, never more than 2 GiB.

Below the campaign, what it found and what was found by hand: each was a defect once.
"""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attempts
import campaign
import mutations
import pandas as pd
import pyarrow.parquet as pq
import pytest
from ensembles import kept, saved
from hypothesis import HealthCheck, given, settings

import sim
from sim.claims import stored
from sim.claims.answer import answer
from sim.errors import MOST_LINES, InputError
from sim.study import design, plan
from sim.study import file as toml
from sim.worlds.ensemble import load

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")  # some cases are large on purpose

SMALL = {**mutations.SMALL, "months": 3}


def refused(table: dict[str, Any], overrides: list[str] | None = None) -> tuple[str, ...]:
    """The lines about what is wrong with a study."""
    with pytest.raises(InputError) as caught:
        sim.Study.from_dict({"parameters": SMALL, **table}, overrides or [])
    return caught.value.lines


def unread(folder: Path, content: bytes) -> str:
    """The line about a file that is no study."""
    path = folder / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        sim.Study.load(path)
    (line,) = caught.value.lines
    assert len(line) < attempts.LONGEST
    return line


@pytest.mark.parametrize("kind", ["tree", "bytes", "set", "out", "simulate", "pattern", "pattern_bytes", "ensemble"])
def test_bad_input_gets_short_lines_and_nothing_else(kind: str) -> None:
    chosen = campaign.KINDS[kind]

    @settings(max_examples=9, deadline=None, database=None, print_blob=True, suppress_health_check=list(HealthCheck))
    @given(chosen.strategy())
    def every(case: Any) -> None:
        assert not chosen.attempt(case).trouble

    with campaign.in_no_time():
        every()


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", campaign.KINDS)
def test_ten_thousand_cases_of_bad_input_get_short_lines_and_nothing_else(kind: str) -> None:
    seed = secrets.randbelow(2**32)
    found = campaign.process(kind, campaign.KINDS[kind].cases, seed)
    assert not found["told"], f"seed {seed}: {found['told'][0]}"
    assert found["memory"] < campaign.MOST_MEMORY, f"seed {seed}"


def test_the_campaign_has_ten_thousand_cases() -> None:
    assert sum(kind.cases for kind in campaign.KINDS.values()) == 10_000


def test_the_campaign_notices_a_traceback_a_hang_a_file_elsewhere_and_a_raw_terminal(monkeypatch: Any) -> None:
    def attempt(broken: Any) -> attempts.Attempt:
        with monkeypatch.context() as patched:
            patched.setattr("sim.model.glossary.meanings", broken)
            return attempts.command(["parameters", "monitoring"], seconds=0.2)

    def hangs(name: str) -> None:
        while True:
            math.sqrt(2.0)

    def writes(name: str) -> list[Any]:
        Path("elsewhere").touch()
        return []

    def complains(name: str) -> None:
        raise InputError(["x" * 1_000, "two\nlines"])

    with attempts.somewhere() as here:
        assert "ZeroDivisionError" in attempt(lambda name: 1 // 0).traceback
        assert attempt(hangs).hang
        assert attempt(writes).outside == [str(here.resolve() / "elsewhere")]
        assert len(attempt(complains).wrong) == 2
    assert list(attempts._raw("\x1b[31m"))


def test_numbers_of_thousands_of_digits_are_refused(tmp_path: Path) -> None:
    huge = 16**5_000
    assert "too large to be shown" in unread(tmp_path, b"seeds = 0x" + b"F" * 5_000)
    assert "samples" in refused({"design": {"kind": "sobol", "monitoring": [0.1, 0.9], "samples": huge}})[0]
    assert "samples" in refused({"design": {"kind": "lhs", "monitoring": [0.1, 0.9], "samples": huge + 1}})[0]
    assert "months" in refused({"design": {"kind": "grid", "regime": ["light"]}, "parameters": {"months": huge}})[0]
    factors = {f"monitoring@{month}": [0.1, 0.9] for month in range(1, 20_000)}
    assert "cells" in refused({"parameters": {}, "design": {"kind": "grid", **factors}})[0]
    for settings_ in ({"months": huge}, {"seed": huge}, {"schedule": {"monitoring": {huge: 0.5}}}):
        with pytest.raises(InputError):
            sim.simulate(**settings_)


def test_what_is_nested_too_deeply_is_refused_in_no_time(tmp_path: Path) -> None:
    for content in (
        b"a." * 100_000 + b"a = 1",
        b"[" + b"'a' . " * 100_000 + b"a]",
        b"x = {" + b'"a".' * 100_000 + b"a = 1}",
        b"title = " + b"[" * 300 + b"]" * 300,
        b"title = " + b"[" * 100_000,
    ):
        assert "nested too deeply" in unread(tmp_path, content)
    assert refused({"title": mutations.deep(5_000)}) == ("study: nested too deeply",)
    assert "nested too deeply" in refused({}, ["a." * 3_000 + "a=1"])[0]
    assert "not a TOML value" in refused({}, ["title={" + "a." * 3_000 + "a=1}"])[0]
    round_and_round: list[Any] = []
    round_and_round.append(round_and_round)
    assert refused({"title": round_and_round}) == ("study: nested too deeply",)


def test_a_file_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    assert "larger than 8 MiB" in unread(tmp_path, b"#" * (toml.MOST_BYTES + 1))
    if Path("/dev/zero").exists():
        with pytest.raises(InputError, match=r"not a regular file$"):
            sim.Study.load("/dev/zero")


def test_a_name_that_is_too_long_for_a_file_is_one_line() -> None:
    with pytest.raises(InputError, match="cannot be read"):
        sim.Study.load("x" * 300)


def test_a_parsers_message_is_cut_where_it_repeats_what_was_written(tmp_path: Path) -> None:
    table = b"[" + b".".join([b"a" * 500] * 10) + b"]\n"
    assert "Cannot declare" in unread(tmp_path, table * 2)


def test_thousands_of_mistakes_are_told_in_fifty_lines_and_soon() -> None:
    names = {f"k{number}": 1 for number in range(20_000)}
    for table in (
        names,
        {"parameters": names},
        {"schedule": names},
        {"outcomes": {"keep": list(names)}},
        {"mechanisms_off": list(names)},
        {"design": {"kind": "grid", **names}},
        {"design": {"kind": "lhs", "samples": 4, **names}},
        {"design": {"kind": "lhs", "samples": 4, "groups": list(names)}},
        {"design": {"kind": "lhs", "samples": 4, "mechanisms": list(names)}},
        {"design": {"kind": "lhs", "samples": 4, "regime": list(names)}},
        {"design": {"kind": "list", **names}},
    ):
        with attempts.timed():
            lines = refused(table)
        assert MOST_LINES <= len(lines) <= MOST_LINES + 2
        assert "more mistakes" in lines[-1]


def test_a_list_of_thousands_of_bounds_is_one_short_line() -> None:
    (line,) = refused({"design": {"kind": "lhs", "samples": 4, "monitoring": [0.1] * 10_000}})
    assert len(line) < attempts.LONGEST
    (line,) = refused({"design": {"kind": "lhs", "samples": 4, "monitoring": [0.1, "a\nb", 0.2]}})
    assert "\n" not in line


@pytest.mark.parametrize("given", [(1, 2), iter((1, 2)), {1, 2}, "yes", None, 2])
def test_what_is_recorded_is_true_or_false(given: Any) -> None:
    for make in (sim.simulate, sim.LeadershipModel):
        with pytest.raises(InputError) as caught:
            make(record_organisations=given, **SMALL)
        (line,) = caught.value.lines
        assert line.startswith("record_organisations = ") and line.endswith(": must be True or False")


def test_a_group_that_has_no_name_like_it_is_one_short_line() -> None:
    (line,) = refused({"design": {"kind": "morris", "samples": 4, "groups": [-6394]}})
    assert "no such group or mechanism; there are levers, " in line
    assert len(line) < attempts.LONGEST / 2


def test_a_design_that_would_not_fit_into_memory_is_refused() -> None:
    wide = {"kind": "lhs", "samples": 1_000_000, "groups": ["fear", "trust", "careers"]}
    (line,) = refused({"design": wide})
    assert f"at most {design.MOST_NUMBERS} are allowed in all" in line


def test_a_study_of_more_runs_than_can_be_laid_out_is_refused_before_it_is() -> None:
    grid = {"kind": "grid", "monitoring": [k / 1000 for k in range(1000)]}
    table = {"seeds": 1_000_000, "design": grid, "outcomes": {"series": True}}  # without, chunks would grow instead
    study = sim.Study.from_dict(table)
    assert study.size == 10**9
    for asked in (study.estimate, lambda: study.run("never"), lambda: study.run("never", yes=True)):
        with pytest.raises(InputError, match="1,000,000,000 runs"), attempts.timed():
            asked()
    assert plan.MOST_CHUNKS >= 1_000_000


def test_a_title_is_on_one_line_of_a_length_that_can_be_read_and_commands_no_terminal() -> None:
    for title in ("x" * 301, "\x1b[2J", "\x9b31m", "\u202etxt.exe", "a\u2028b", "a\x85b"):
        assert "must be a text on one line" in refused({"title": title})[0]
    for title in ("x" * 300, "Ω − 1\u00a0%", "👩\u200d👧", "e\u0301", "שלום"):
        assert sim.Study.from_dict({"title": title}).title == title


def test_what_only_some_cells_of_a_list_schedule_has_its_own_value_in_the_others() -> None:
    cells = [{"monitoring": 0.2}, {"monitoring": 0.2, "monitoring@2": 0.9}, {"schedule": {"monitoring": {"1": 0.7}}}]
    study = sim.Study.from_dict({"parameters": SMALL, "seeds": 1, "design": {"kind": "list", "cell": cells}})
    assert study.cells["monitoring@2"].tolist() == [0.2, 0.9, 0.7]
    assert study.estimate().runs == 3


WORLDS: dict[str, Callable[[dict[str, Any]], object]] = {
    "no finding": lambda made: made["evidence"].update(patterns=[]),
    "no band": lambda made: made["prior"].clear(),
    "a band of months for a number": lambda made: made["prior"]["speaking-up"].update(low=[0.1, 0.2]),
    "months for a number": lambda made: made["widths"].update({"speaking-up": [1]}),
    "a tolerance of nothing": lambda made: made["evidence"]["patterns"][0].update(sd=0.0),
    "seeds that are no number": lambda made: made["evidence"]["survey"].update(seeds="x"),
    "a survey without months": lambda made: made["evidence"]["survey"].pop("months"),
    "a text for a number": lambda made: made["evidence"]["patterns"][0].update(value="x"),
    "a constant that is no number": lambda made: made["log_z"].update({"1": float("nan")}),
    "a constant that is a list": lambda made: made["log_z"].update({"1": [-11.7]}),
    "a calibration that is not there": lambda made: made.update(log_z={"77": 0.0}),
    "no calibration": lambda made: made["provenance"].update(calibrations=[]),
    "studies of nobody": lambda made: made["provenance"].update(calibrations=[{"sizes": {"managers": 0}}]),
    "studies of everybody": lambda made: made["provenance"].update(calibrations=[{"sizes": {"managers": 10**6}}]),
    "half a manager": lambda made: made["provenance"].update(calibrations=[{"sizes": {"managers": 1.5}}]),
    "a chance below zero": lambda made: made.update(off=-0.1),
    "a chance beyond one": lambda made: made.update(off=1.5),
}


@pytest.mark.parametrize("change", WORLDS)
def test_worlds_whose_parts_do_not_fit_together_are_one_line(tmp_path: Path, change: str) -> None:
    path = saved(tmp_path / "worlds", kept(40)) / "main-01.parquet"
    assert len(load(path.parent)) == 40
    table = pq.read_table(path)
    made = json.loads(table.schema.metadata[b"ensemble"])
    WORLDS[change](made)
    path.write_bytes(mutations.as_parquet(table.replace_schema_metadata({"ensemble": json.dumps(made)})))
    with pytest.raises(InputError) as caught:
        load(path.parent)
    assert caught.value.lines == (f"{path}: is damaged or no calibration; make it again",)


@pytest.mark.parametrize(
    "told", [{}, {"claims": ["fear"], "settings": [], "provenance": {}, "replies": [], "model": ""}]
)
def test_an_answer_whose_parts_do_not_fit_together_is_one_line(tmp_path: Path, told: dict[str, Any]) -> None:
    frames = {"claims": pd.DataFrame({"claim": ["fear"]}), "effects": pd.DataFrame({"world": [0]})}
    (tmp_path / "answer.zip").write_bytes(stored.packed(frames, told))
    with pytest.raises(InputError) as caught:
        answer(tmp_path)
    assert caught.value.lines == (f"{tmp_path}/answer.zip: is damaged or no answer of sim claim; make it again",)
