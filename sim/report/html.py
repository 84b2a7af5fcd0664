"""A report: one HTML file that holds everything it shows, for any study and for the claims.

`report` puts a title, an answer and sections together, whose parts are `Text`, `Table`, `Picture` and `Code`;
`sim.report.study` says what they are for a study. All text is escaped, wherever it comes from; the page has no
script, asks the network for nothing, and tells the browser to allow neither. Tables are folded; printing unfolds them.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Text:
    """Paragraphs."""

    paragraphs: Sequence[str]
    kind: ClassVar[str] = "text"


@dataclass(frozen=True)
class Table:
    """A table with a caption; the first column names the rows. `rows` hold text, as many pieces as `head`."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    kind: ClassVar[str] = "table"


@dataclass(frozen=True)
class Picture:
    """A picture inside the page, as `picture` makes it: an address that holds all its bytes, its words, a caption."""

    address: str
    alternative: str
    caption: str
    kind: ClassVar[str] = "picture"


@dataclass(frozen=True)
class Code:
    """Text to be copied as it is, a file or a command, with a word on what it is."""

    caption: str
    text: str
    kind: ClassVar[str] = "code"


Part = Text | Table | Picture | Code


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    heading: str
    parts: Sequence[Part]


def picture(figure: Figure, provenance: Mapping[str, Any], caption: str) -> Picture:
    """A figure for a page."""
    from sim.plots import theme  # noqa: PLC0415  Matplotlib is loaded where there is something to draw

    content = in_base64(theme.encoded(figure, ".svg", provenance, theme.finding(figure)))
    return Picture(f"data:image/svg+xml;base64,{content}", theme.alternative(figure), caption)


def in_base64(content: bytes | NDArray[Any]) -> str:
    """Bytes, or those of an array, as text that can stand in a page."""
    return base64.b64encode(content if isinstance(content, bytes) else content.tobytes()).decode()


def origin(provenance: Mapping[str, Any]) -> Table:
    """Where the numbers of a page come from."""
    rows = [(name.replace("_", " "), plainly(value)) for name, value in provenance.items()]
    return Table("Provenance", ("what", "which"), rows)


def report(
    title: str,
    answer: str,
    sections: Sequence[Section],
    provenance: Mapping[str, Any],
    warning: str = "",
    meaning: str = "",
) -> str:
    """The report as HTML: the question, what was found, in a sentence or two, and sections, listed as contents.

    `meaning` says whether that matters. `warning` is what a reader has to know before anything else, such as that runs
    are missing; the provenance is shown as a table in a last section, and kept as JSON in the page's head.

    >>> "&lt;b&gt;" in report("<b>", "No.", [Section("Why", [Text(["Because."])])], {"version": "1"})
    True
    """
    last = Section("Where the numbers come from", [origin(provenance)])
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    return rendered(
        "report.html.j2", {"style": style}, title=title, answer=answer, meaning=meaning, warning=warning,
        provenance=json.dumps(dict(provenance)), sections=[*sections, last],
    )  # fmt: skip


def rendered(template: str, ours: Mapping[str, str], **texts: Any) -> str:
    """A template below this module's folder with its texts, all of which are escaped.

    Not escaped is what we wrote: `ours` are styles, scripts and data by name, ``hashes`` of which the template has for
    its policy.
    """
    import jinja2  # noqa: PLC0415
    import markupsafe  # noqa: PLC0415

    folder = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=folder, autoescape=True, undefined=jinja2.StrictUndefined,
                                     trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    whole = {name: markupsafe.Markup(text) for name, text in ours.items()}
    hashes = {name: f"sha256-{in_base64(hashlib.sha256(text.encode()).digest())}" for name, text in ours.items()}
    return environment.get_template(template).render({**texts, **whole, "hashes": hashes})


def data_of(content: Any) -> str:
    """Data as JSON that can stand in a page."""
    return json.dumps(content, allow_nan=False).replace("<", "\\u003c")


def plainly(value: Any) -> str:
    """A value of the provenance on one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {plainly(held)}" for name, held in value.items())
    if isinstance(value, (list, tuple)):
        return "; ".join(map(plainly, value))
    return "unknown" if value is None else str(value)
