"""A deck of slides: it opens, its titles are text, nobody is shut out, and LibreOffice can draw it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from answers import drawn

from sim.claims.answer import ClaimReport, claims_named
from sim.errors import InputError
from sim.plots import theme
from sim.report import slides
from sim.report.slides import NEVER, Slide

pptx = pytest.importorskip("pptx")


@pytest.fixture(scope="module")
def found() -> ClaimReport:
    return drawn(claims_named("fear", "pays"), holds="depends on the published findings")


@pytest.fixture(scope="module")
def told(found: ClaimReport) -> list[Slide]:
    return slides.of_answer(found)


@pytest.fixture(scope="module")
def file(found: ClaimReport, told: list[Slide], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("slides") / "deck.pptx"
    assert slides.save(path, told, found.provenance) == [path, path.with_suffix(".pdf")]
    return path


@pytest.fixture(scope="module")
def deck(file: Path) -> Any:
    return pptx.Presentation(str(file))


def test_titles_are_text_that_says_what_was_found(told: list[Slide], deck: Any, found: ClaimReport) -> None:
    titles = [slide.shapes.title.text for slide in deck.slides]
    assert titles == [slide.title for slide in told]
    assert titles[0] == slides.ASKED and found.headline().rstrip(".") in titles
    assert len(set(titles)) == len(titles)


def test_every_picture_has_words_and_stands_on_the_slide_below_its_title(deck: Any) -> None:
    pictures = [(slide, shape) for slide in deck.slides for shape in slide.shapes if shape.shape_type == 13]
    assert len(pictures) >= 4
    for slide, shape in pictures:
        assert len(shape._element.nvPicPr.cNvPr.get("descr")) > 20
        assert shape.top >= slide.shapes.title.top + slide.shapes.title.height
        assert shape.left >= 0 and shape.left + shape.width <= deck.slide_width
        assert shape.top + shape.height <= deck.slide_height


def test_a_picture_on_a_slide_lacks_the_title_that_the_slide_has(told: list[Slide]) -> None:
    figure = next(slide.figure for slide in told if slide.figure is not None)
    assert theme.untitled(figure).height < figure.get_size_inches()[1] - 0.3


def test_notes_say_what_one_may_not_say(deck: Any) -> None:
    for slide in deck.slides:
        notes = slide.notes_slide.notes_text_frame.text
        assert notes.count("What you may not say") >= 1 and NEVER in notes
        assert "Numbers: leadership-sim" in notes
        assert "nan" not in notes.split()


def test_the_same_answer_gives_the_same_file(told: list[Slide], found: ClaimReport, file: Path, tmp_path: Path) -> None:
    text = [slide for slide in told if slide.figure is None]
    assert slides.deck(text, found.provenance) == slides.deck(text, found.provenance)
    for path in (file, file.with_suffix(".pdf")):
        shutil.copy(path, tmp_path)
    assert slides.save(tmp_path / file.name, text[:2], found.provenance)  # ours is replaced


def test_what_is_somebody_elses_is_left(told: list[Slide], found: ClaimReport, tmp_path: Path) -> None:
    for name in ("deck.pptx", "deck.pdf"):
        (tmp_path / name).write_bytes(b"mine")
        with pytest.raises(InputError, match=f"{name}: is there already"):
            slides.save(tmp_path / "deck.pptx", told[:1], found.provenance)
        (tmp_path / name).unlink()


def test_a_template_gives_its_look_and_not_its_slides(told: list[Slide], found: ClaimReport, tmp_path: Path) -> None:
    own = pptx.Presentation()
    own.slides.add_slide(own.slide_layouts[0]).shapes.title.text = "Our trust"
    own.save(str(tmp_path / "trust.pptx"))
    slides.save(tmp_path / "deck.pptx", told[:3], found.provenance, tmp_path / "trust.pptx")
    made = pptx.Presentation(str(tmp_path / "deck.pptx"))
    assert [slide.shapes.title.text for slide in made.slides] == [slide.title for slide in told[:3]]
    assert (made.slide_width, made.slide_height) == (own.slide_width, own.slide_height)


def test_a_pdf_alone_needs_nothing_to_be_installed(
    told: list[Slide], found: ClaimReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slides, "find_spec", lambda name: None)
    assert slides.save(tmp_path / "deck.pdf", told[:2], found.provenance) == [tmp_path / "deck.pdf"]
    assert (tmp_path / "deck.pdf").read_bytes().count(b"/Type /Page ") == 2
    with pytest.raises(InputError, match=r"pip install python-pptx; \.pdf does without"):
        slides.save(tmp_path / "deck.pptx", told[:2], found.provenance)


def test_notes_say_nothing_twice(deck: Any) -> None:
    for slide in deck.slides:
        said = slide.notes_slide.notes_text_frame.text.split("\n\n")[0].split(". ")
        assert len(said) == len(set(said))


@pytest.mark.parametrize(("name", "template", "match"), [
    ("deck.ppt", None, "ends in .pptx"), ("deck.pptx", "none.pptx", "no such template"),
    ("deck.pdf", "text.pptx", "a PDF takes no template"),
    ("deck.pptx", "text.pptx", "no PowerPoint template"),
])  # fmt: skip
def test_mistakes_are_told_in_a_line(
    told: list[Slide], found: ClaimReport, tmp_path: Path, name: str, template: str | None, match: str
) -> None:
    (tmp_path / "text.pptx").write_text("words")
    with pytest.raises(InputError, match=match) as caught:
        slides.save(tmp_path / name, told[:1], found.provenance, tmp_path / template if template else None)
    assert len(caught.value.lines) == 1


def test_an_answer_without_any_verdict_has_slides() -> None:
    bare = replace(drawn(claims_named("fearful", "fear")).of("fearful"), tables={})
    assert slides.of_answer(bare)[0].title == slides.ASKED


def test_libreoffice_draws_every_slide(told: list[Slide], file: Path, tmp_path: Path) -> None:
    if (office := shutil.which("soffice")) is None:
        pytest.skip("LibreOffice is not installed")
    command = [office, "--headless", f"-env:UserInstallation=file://{tmp_path}/office", "--convert-to", "pdf"]
    subprocess.run([*command, "--outdir", str(tmp_path), str(file)], check=True, timeout=300)
    assert (tmp_path / "deck.pdf").read_bytes().count(b"/Type/Page/") == len(told)
