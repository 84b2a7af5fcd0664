"""The verdict on every claim under choices that could have been made differently: a grid, a row for each choice."""

from __future__ import annotations

import textwrap
from itertools import pairwise
from typing import TYPE_CHECKING

from matplotlib.patches import Patch, Rectangle

from sim.claims.statements import CLAIMS
from sim.claims.structure import LEAST, MAIN, NO_VERDICT, changed, unmoved
from sim.claims.text import rows_of
from sim.claims.verdict import DIVIDED, TOO_SMALL
from sim.model import words
from sim.plots import layout, theme

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHORT = {"supported": "right", "opposed": "wrong", TOO_SMALL: "small", NO_VERDICT: ""}
"""What is written into a cell, of whoever made the claim."""
_COLOURS = {
    "supported": ("#00694A", "white"),
    "opposed": ("#8A3F74", "white"),
    TOO_SMALL: (theme.SMALL_EFFECT, theme.BLACK),
    DIVIDED: ("white", theme.GREY),
    NO_VERDICT: ("white", theme.GREY),
}
"""Colour of a verdict and of the writing on it; none is that of better or worse."""
_HATCH = "////"
_SIZE, _SMALL, _WIDTH = 10.5, 8.0, 11  # points, those where there are many, and letters of a heading on a line
_HEADINGS = {claim.id: claim.heading for claim in CLAIMS}


def verdicts_by_choice(table: pd.DataFrame, note: str = "") -> Figure:
    """The verdict on the primary outcome of each claim under each choice; `table` is that of
    `sim.claims.structure.structure`, and `note` stands at the foot of the picture.

    Each cell says its verdict in a word. A cell in a thick frame is another verdict than the answer's, by the rule and
    by point estimates; a hatched one has too few worlds for any.
    """
    choices = table.drop_duplicates("choice").reset_index(drop=True)
    claims = list(dict.fromkeys(table["claim"]))
    note = (
        "A row for each choice, a column for the primary outcome of each claim. Thick frame: another verdict, also by "
        f"point estimates. Hatched: worth fewer than {LEAST:g} worlds, so no verdict. {note}"
    ).strip()
    alt = f"A grid of the verdicts on {len(claims)} claims under {len(choices) - 1} choices beside the answer"
    title = "Whatever else is chosen, the verdict stays the same on {} of {} claims"
    kept, asked = unmoved(table)
    with theme.slide(title.format(words.part(kept, asked), asked), note, alt) as (figure, (axes,)):
        labels = [textwrap.shorten(words.capital(text), 60, placeholder=" ...") for text in choices["label"]]
        layout.rows(axes, labels, theme.SMALL if len(labels) < 20 else 9.0)
        axes.set_xlim(-0.5, len(claims) - 0.5)
        axes.xaxis.tick_top()
        headings = [textwrap.fill(_HEADINGS.get(c, c), _WIDTH, break_long_words=False) for c in claims]
        size = _SMALL - 0.4 if len(claims) > 8 else theme.SMALL
        axes.set_xticks(range(len(claims)), headings, fontsize=size, linespacing=0.9)
        axes.tick_params(axis="x", length=0)
        axes.spines[:].set_visible(False)
        place = {name: number for number, name in enumerate(choices["choice"])}
        for row, another in zip(rows_of(table), changed(table).tolist(), strict=True):
            x, y = claims.index(row["claim"]), place[row["choice"]]
            _cell(axes, x, y, row["verdict"], another, _SIZE if len(labels) < 20 else _SMALL)
        groups = choices["group"].tolist()
        for number, (above, below) in enumerate(pairwise(groups)):
            if above != below:
                axes.axhline(number + 0.5, color=theme.BLACK, linewidth=2.0 if above == MAIN else 1.0)
        keys = [
            Patch(facecolor=colour, edgecolor=theme.GREY, linewidth=0.5, label=name,
                  hatch=_HATCH if name == NO_VERDICT else None)
            for name, (colour, _) in _COLOURS.items() if name in set(table["verdict"])
        ]  # fmt: skip
        figure.subfigs[0].legend(
            handles=keys, loc="outside lower left", ncols=len(keys), frameon=False, borderpad=0.0,
            fontsize=theme.TEXT, handletextpad=0.4, columnspacing=1.0, handlelength=1.4,
        )  # fmt: skip
        return figure


def _cell(axes: Axes, x: int, y: int, verdict: str, another: bool, size: float) -> None:
    """One verdict: its colour, its word in so many points, and a frame where it is another one."""
    colour, ink = _COLOURS.get(verdict, ("white", theme.BLACK))
    axes.add_patch(
        Rectangle((x - 0.48, y - 0.44), 0.96, 0.88, facecolor=colour, edgecolor=theme.GREY, linewidth=0.0,
                  hatch=_HATCH if verdict == NO_VERDICT else None)
    )  # fmt: skip
    if another:
        axes.add_patch(Rectangle((x - 0.47, y - 0.43), 0.94, 0.86, fill=False, edgecolor=theme.BLACK, linewidth=2.2))
    axes.text(x, y, SHORT.get(verdict, verdict), ha="center", va="center_baseline", fontsize=size, color=ink,
              fontweight="bold" if another else "normal", zorder=3)  # fmt: skip
