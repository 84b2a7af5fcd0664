"""A deck of slides: titles that are text, pictures without their own, words for people who do not see them, and a
minute of notes for each, with what may not be said.

PowerPoint files are made by python-pptx, an extra; the same slides as PDF by Matplotlib, which needs nothing else.
"""

from __future__ import annotations

import io
import textwrap
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.transforms import Bbox

from sim import files
from sim.claims import choices
from sim.claims.answer import ClaimReport
from sim.claims.outline import groups, in_worlds, primary_rows, remedies, rows_of
from sim.claims.statements import SURVEILLANCE
from sim.claims.text import CAVEATS, carriers_sentence, missed, who, with_interval, worlds_in
from sim.errors import InputError, place
from sim.model import words
from sim.plots import theme
from sim.plots.answer import pictures
from sim.plots.claims import each_world

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim.study import Results

ASKED = "Does watching managers closely make care better?"
NEVER = "What you may not say: that any of this is a probability, or was measured in the NHS."
_MAY_NOT = {
    "claims": "that surveillance “does” this. Say: in so many of 100 plausible worlds of a model.",
    "worlds": "that the middle of the dots is the effect. The spread is the answer.",
    "reports": "that anyone cheats in a particular trust. The model has no trust that exists.",
    "why": "that these reasons were observed. They are what the model's own rules contribute.",
    "tipping": "how long real managers stay afraid. These are months in a model.",
    "choices": "that a policy is best. Costs are not counted, and the order depends on what you count.",
    "matters": "that a smaller change is no change. What matters is a choice; move it and look again.",
    "limits": "that the model was validated on NHS managers. Nearly all findings come from others.",
    "evidence": "that the model predicted these findings. It was fitted to them.",
}
_ROWS = 18
_DATE = datetime(2020, 1, 1)


@dataclass(frozen=True)
class Slide:
    """A slide: its title says what was found; below it a picture, points, or a table whose first row is the head."""

    title: str
    notes: str
    figure: Figure | None = None
    points: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()


def of_answer(found: ClaimReport) -> list[Slide]:
    """The slides of an answer: the question, the finding, how large, the reports, why, fear, choices, what would change
    it, what it is not; and as backup all claims, the evidence and the method."""
    drawn = pictures(found)
    taken: set[str] = set()

    def of(*names: str, about: str, say: Sequence[str] = ()) -> Iterator[Slide]:
        for name in names:
            if name in drawn and name not in taken:
                taken.add(name)
                yield _drawn(drawn[name], about, say, found)

    surveyed = rows_of(found, SURVEILLANCE.name)
    shown = [row for group in groups(found) for row in group.rows]
    best = list(choices.sentences(found.rows("regrets"), found.rows("against_baseline")))
    slides = [_first(found), *of("claims", about="claims", say=[f"{in_worlds(row)}." for row in shown[:5]])]
    sizes = [f"{words.capital(words.label(row['outcome']))}: {with_interval(row)} on average." for row in shown[:4]]
    slides += of("worlds", *(n for n in drawn if n.startswith("worlds_")), about="worlds", say=sizes)
    if reports := [name for name in ("gap", "reported", "quality") if name in surveyed]:
        told = [f"{in_worlds(surveyed[name])}." for name in reports]
        slides.append(_drawn(each_world(found, SURVEILLANCE.name, reports), "reports", told, found,
                             title=in_worlds(surveyed[reports[0]])))  # fmt: skip
    for name in [name for name in drawn if name.startswith("why_")][:2]:
        rows = [r for r in found.rows("carriers")
                if (r["contrast"], r["outcome"]) == (SURVEILLANCE.name, name.removeprefix("why_"))]  # fmt: skip
        slides += of(name, about="why", say=[carriers_sentence(rows)])
    slides += of("tipping", "fear_and_initiative", about="tipping")
    slides += of("choices", about="choices", say=[*best, *remedies(found)])
    slides += of("matters", "structure", about="matters")
    slides.append(Slide("What this is not", _notes(CAVEATS[:2], "limits", found), points=CAVEATS))
    slides += _claims(found)
    slides += of("evidence", about="evidence")
    slides += of(*drawn, about="why")
    return [*slides, _method(found)]


def of_study(results: Results) -> list[Slide]:
    """The slides of a study: each of its pictures under what it found."""
    from sim.plots.study import pictures as of_results  # noqa: PLC0415
    from sim.report.study import CAVEATS as SAID  # noqa: PLC0415

    slides = []
    for draw in of_results(results).values():
        figure = draw(results)
        notes = "\n\n".join([f"{theme.finding(figure)}.", theme.alternative(figure), NEVER, _from(results.origin)])
        slides.append(Slide(theme.finding(figure), notes, figure))
    return [*slides, Slide("What this is not", f"{NEVER}\n\n{_from(results.origin)}", points=SAID)]


def _first(found: ClaimReport) -> Slide:
    number = f"{found.provenance['worlds']['main']:,}"
    points = (
        *found.notes,
        f"A simulation of managers and their oversight, run in {number} plausible versions of the NHS",
        "Each version answers differently what research leaves open; those that agree with findings count more",
        "So the answer is never one number: it is in how many of 100 versions something gets better, or worse",
    )
    said = "A model is a way to see what follows from what we assume. It is no forecast, and no evaluation of a policy."
    return Slide(ASKED, _notes([said, found.headline()], "limits", found), points=points)


def _drawn(figure: Figure, about: str, say: Sequence[str], found: ClaimReport, title: str = "") -> Slide:
    heading = title or theme.finding(figure)
    if title:
        figure.suptitle(title, x=theme.MARGIN, ha="left", fontsize=theme.TITLE, fontweight="bold")
    told = f"{heading.rstrip('.')}."
    return Slide(heading, _notes([told, *(line for line in say if line != told)], about, found), figure)


def _notes(say: Sequence[str], about: str, found: ClaimReport) -> str:
    """What to say in a minute, what one may not say, and where the numbers come from."""
    may_not = f"What you may not say: {_MAY_NOT[about]}"
    return "\n\n".join([" ".join(line for line in say if line), may_not, NEVER, _from(found.provenance)])


def _from(provenance: Mapping[str, Any]) -> str:
    commit = f", commit {provenance['commit']}" if provenance.get("commit") else ""
    return f"Numbers: leadership-sim {provenance.get('version', '')}{commit}; tables beside report.html."


def _claims(found: ClaimReport) -> Iterator[Slide]:
    """A table of all claims with a verdict on their primary outcomes."""
    rows = []
    for claim, row in primary_rows(found).items():
        if "delta" in row:
            numbers = worlds_in(row)
            told = [
                numbers.get(name, numbers.get(other, 0)) for name, other in (("better", "higher"), ("worse", "lower"))
            ]
            heading = next(one.heading for one in found.claims if one.id == claim)
            rows.append((heading, words.capital(words.label(row["outcome"])), *map(str, told),
                         words.change(row["outcome"], row["mean"]), who(row)))  # fmt: skip
    if rows:
        head = ("Claim", "Outcome", "Better of 100", "Worse of 100", "On average", "Who was right")
        say = ["Every claim of the interview that a policy decides, on its primary outcome.", found.scale()]
        yield Slide("Backup: every claim", _notes(say, "claims", found), table=(head, *rows[:_ROWS]))


def _method(found: ClaimReport) -> Slide:
    short = list(missed(found.rows("standards")))
    points = (
        found.scale(),
        "Limits, signs and verdict rules were fixed in writing; they were last edited after a first version's results "
        "had been seen",
        "Worlds are drawn from plausible ranges and weighted by agreement with published findings",
        "† another choice of method could say otherwise: eight were tried for every verdict",
        *short[:2],
    )
    return Slide("Backup: how it was done", _notes(points[1:3], "limits", found), points=points)


# Files


def check(path: Path, template: Path | None = None) -> None:
    """Raise `InputError` where a deck cannot be made: python-pptx or the template missing, another ending, or
    something else in its place."""
    ending = path.suffix.lower()
    if ending not in (".pptx", ".pdf"):
        raise InputError([f"{place(path)}: a deck ends in .pptx, with a PDF beside it, or in .pdf alone"])
    if template is not None and ending == ".pdf":
        raise InputError([f"{place(template)}: a PDF takes no template; end the deck in .pptx"])
    if ending == ".pptx" and find_spec("pptx") is None:
        raise InputError(
            ["slides need python-pptx, which is not installed: pip install python-pptx; .pdf does without"]
        )
    if template is not None and not template.is_file():
        raise InputError([f"{place(template)}: there is no such template"])
    for one in (path, path.with_suffix(".pdf")):
        files.check_new(one, files.OURS.encode())


def save(
    path: Path, slides: Sequence[Slide], provenance: Mapping[str, Any], template: Path | None = None
) -> list[Path]:
    """Write a deck and a PDF beside it, or the PDF alone, and return their paths. Raises `InputError` as `check`."""
    check(path, template)
    written = {} if path.suffix.lower() == ".pdf" else {path: deck(slides, provenance, template)}
    written[path.with_suffix(".pdf")] = pages(slides, provenance)
    for one, content in written.items():
        files.write_new(one, content, files.OURS.encode())
    return list(written)


def deck(slides: Sequence[Slide], provenance: Mapping[str, Any], template: Path | None = None) -> bytes:
    """The slides as a PowerPoint file, on an organisation's `template` or on white.

    Raises `InputError` where the template is none.
    """
    from pptx import Presentation  # noqa: PLC0415
    from pptx.util import Inches  # noqa: PLC0415

    try:
        show = Presentation(None if template is None else str(template))
    except Exception:  # whatever a file that is no template makes its reader raise
        raise InputError([f"{place(template or Path())}: is no PowerPoint template that can be read"]) from None
    listed = show.slides._sldIdLst
    for one in list(listed):  # the slides that a template comes with
        show.part.drop_rel(one.rId)
        listed.remove(one)
    if template is None:
        show.slide_width, show.slide_height = (Inches(size) for size in theme.SLIDE)
    for slide in slides:
        _put(show, slide, provenance, own=template is None)
    core = show.core_properties
    core.title, core.author, core.keywords = slides[0].title, files.OURS, _from(provenance)
    core.created = core.modified = core.last_printed = _DATE
    core.last_modified_by = files.OURS
    buffer = io.BytesIO()
    show.save(buffer)
    return _packed(buffer.getvalue())


def _put(show: Any, slide: Slide, provenance: Mapping[str, Any], own: bool) -> None:
    """One slide: title, what stands below, notes; `own` where the look is ours and no template's."""
    from pptx.util import Emu, Pt  # noqa: PLC0415

    made = show.slides.add_slide(_layout(show))
    width, height = show.slide_width, show.slide_height
    edge = int(0.03 * width)
    title = made.shapes.title
    if own:
        title.left, title.top, title.width, title.height = (
            edge,
            int(0.03 * height),
            width - 2 * edge,
            int(0.15 * height),
        )
    title.text = slide.title
    for paragraph in title.text_frame.paragraphs if own else ():
        _look(paragraph, 28 if len(slide.title) < 70 else 24, bold=True)
    top = title.top + title.height + int(0.01 * height)
    room = (edge, top, width - 2 * edge, height - top - int(0.02 * height))
    if slide.figure is not None:
        content = theme.encoded(slide.figure, ".png", provenance, slide.title, theme.untitled(slide.figure))
        picture = made.shapes.add_picture(io.BytesIO(content), 0, 0)
        scale = min(room[2] / picture.width, room[3] / picture.height)
        picture.width, picture.height = Emu(int(picture.width * scale)), Emu(int(picture.height * scale))
        picture.left, picture.top = Emu(room[0] + (room[2] - picture.width) // 2), Emu(room[1])
        named = picture._element.nvPicPr.cNvPr
        named.set("descr", theme.alternative(slide.figure))
    if slide.points:
        frame = made.shapes.add_textbox(*room).text_frame
        frame.word_wrap = True
        for number, point in enumerate(slide.points):
            paragraph = frame.paragraphs[0] if not number else frame.add_paragraph()
            paragraph.text = f"•  {point}"
            paragraph.space_after = Pt(12)
            _look(paragraph, 22 if len(slide.points) < 6 else 20)
    if slide.table:
        across = len(slide.table[0])
        table = made.shapes.add_table(len(slide.table), across, *room[:3], int(0.7 * height)).table
        for y, row in enumerate(slide.table):
            for x, text in enumerate(row):
                table.cell(y, x).text = text
                table.cell(y, x).margin_top = table.cell(y, x).margin_bottom = Pt(1)
                _look(table.cell(y, x).text_frame.paragraphs[0], 13, bold=not y)
        shares = (0.29, 0.2, 0.12, 0.12, 0.15, 0.12) if across == 6 else (1 / across,) * across
        for column, share in zip(table.columns, shares, strict=True):
            column.width = int(share * room[2])
    made.notes_slide.notes_text_frame.text = slide.notes


def _layout(show: Any) -> Any:
    """The layout that has a title and the fewest other places to fill."""
    from pptx.enum.shapes import PP_PLACEHOLDER  # noqa: PLC0415

    aside = {PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER}
    titles = {PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE}

    def others(layout: Any) -> int:
        kinds = [shape.placeholder_format.type for shape in layout.placeholders]
        return 99 if not titles & set(kinds) else sum(kind not in aside | titles for kind in kinds)

    return min(show.slide_layouts, key=others)


def _look(paragraph: Any, size: int, bold: bool = False) -> None:
    from pptx.enum.text import PP_ALIGN  # noqa: PLC0415
    from pptx.util import Pt  # noqa: PLC0415

    paragraph.font.size, paragraph.font.bold, paragraph.alignment = Pt(size), bold, PP_ALIGN.LEFT


def _packed(content: bytes) -> bytes:
    """The same file, without the time at which it was made, and with its author in plain sight: what is ours is known
    by it (`sim.files.write_new`)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as given, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as kept:
        for name in given.namelist():
            how = zipfile.ZIP_STORED if name == "docProps/core.xml" else zipfile.ZIP_DEFLATED
            kept.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), given.read(name), how)
    return buffer.getvalue()


def pages(slides: Sequence[Slide], provenance: Mapping[str, Any]) -> bytes:
    """The slides as a PDF, a page each, all of one size."""
    buffer = io.BytesIO()
    told = {"Title": slides[0].title, "Creator": f"leadership-sim {provenance.get('version', '')}".strip(),
            "CreationDate": None}  # fmt: skip
    with theme.style(), PdfPages(buffer, metadata=told) as kept:
        for slide in slides:
            figure = slide.figure or _written(slide)
            high = figure.get_size_inches()[1]
            kept.savefig(figure, bbox_inches=Bbox.from_bounds(0, high - theme.SLIDE[1], *theme.SLIDE))
    return buffer.getvalue()


def _written(slide: Slide) -> Figure:
    """A slide without a picture, drawn."""
    with theme.slide(slide.title, alt="Text") as (figure, (axes,)):
        axes.set_axis_off()
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        y = 0.98
        for point in slide.points:
            lines = textwrap.wrap(point, 100)
            axes.text(0.0, y, "•", fontsize=theme.LARGE, va="top")
            axes.text(0.02, y, "\n".join(lines), fontsize=theme.LARGE, va="top", linespacing=1.15)
            y -= 0.06 * len(lines) + 0.05
        at = (0.0, 0.27, 0.46, 0.56, 0.66, 0.88)
        for number, row in enumerate(slide.table):
            for x, text in zip(at, row, strict=False):
                axes.text(x, 1.0 - 0.95 * number / max(len(slide.table), 10), text, fontsize=theme.SMALL + 1, va="top",
                          fontweight="normal" if number else "bold")  # fmt: skip
    return figure
