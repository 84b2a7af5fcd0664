"""What is written about an answer: its pictures in the report, and the command that computes it again."""

from __future__ import annotations

import base64
import shlex
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import test_report
import typer
from answers import drawn

from sim import cli
from sim.claims.answer import QUICK, ClaimReport, Effort, claims_named, effort
from sim.plots import theme
from sim.plots.answer import pictures
from sim.report.claims import folded, save
from sim.report.story import command, of_claims, save_page


@pytest.fixture(scope="module")
def report() -> ClaimReport:
    return drawn(claims_named("fear", "pride"))


def test_pictures_are_folded_in_with_their_words_under_what_they_found(report: ClaimReport) -> None:
    figures = {name: figure for name, figure in pictures(report).items() if name in ("claims", "evidence")}
    page = of_claims(report, folded(figures, report.provenance))
    (image,) = test_report.Elements(page).of("img")  # the page has squares of its own in the place of the first
    svg = base64.b64decode(str(image["src"]).partition(",")[2])
    assert svg.startswith(b"<?xml") and b"<desc>" in svg
    assert image["alt"] == theme.alternative(figures["evidence"])
    assert theme.finding(figures["evidence"]) in test_report.Elements(page).text


def test_everything_is_written_and_replaces_only_the_same(report: ClaimReport, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("sim.report.claims.pictures", lambda _: {})
    names = {path.name for path in save(report, tmp_path / "all")}
    assert names >= {"report.html", "claims.txt", "claims.csv", "curves.csv", "effects.parquet", "answer.zip"}
    assert [path.name for path in save_page(report, tmp_path / "page")] == ["report.html", "claims.txt"]
    with pytest.raises(Exception, match="all"):
        save_page(report, tmp_path / "all")


def parsed(report: ClaimReport) -> dict:
    """The options of the command that the page gives to do it again, read as the command line reads them."""
    line = command(report).splitlines()[-1]
    assert line in test_report.Elements(of_claims(report)).text
    program, name, *arguments = shlex.split(line)
    assert (program, name) == ("sim", "claim")
    return typer.main.get_command(cli.app).commands["claim"].make_context("claim", arguments).params  # type: ignore[attr-defined]


def as_asked(options: dict) -> Effort:
    assert options["run"]
    return effort(*(options[name] for name in ("full", "worlds", "systems")))


@pytest.mark.parametrize(
    ("claims", "asked"),
    [
        (2, QUICK),
        (2, effort(full=True)),
        (2, effort(full=True, worlds=500)),
        (1, effort(worlds=30, systems=3)),
    ],
)
def test_whatever_was_asked_on_the_command_line_is_asked_again(report: ClaimReport, claims: int, asked: Effort) -> None:
    made = replace(report, claims=report.claims[:claims], provenance={**report.provenance, "effort": asdict(asked)})
    options = parsed(made)
    assert options["name"] == ("fear" if claims == 1 else None)
    assert (options["seed"], options["months"]) == (0, 120)
    assert as_asked(options) == asked
