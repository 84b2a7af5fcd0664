"""The verdict on every claim under choices that could have been made differently: a grid, a row for each choice."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from matplotlib.patches import Patch, Rectangle

from sim.claims.structure import LEAST, MAIN, NO_VERDICT, changed, headline
from sim.claims.text import rows_of
from sim.claims.verdict import DIVIDED, TOO_SMALL
from sim.plots import layout, theme
from sim.plots.claims import LOOKS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHORT = {"supported": "for", "opposed": "against", TOO_SMALL: "small", NO_VERDICT: ""}
"""What is written into a cell."""
_COLOURS = {**LOOKS, DIVIDED: ("white", theme.BLACK), NO_VERDICT: ("white", theme.GREY)}
_HATCH = "////"
_SIZE = 8.5


def verdicts_by_choice(table: pd.DataFrame, note: str = "") -> Figure:
    """The verdict on the primary outcome of each claim under each choice; `table` is that of
    `sim.claims.structure.structure`, and `note` stands at the foot of the picture.

    Each cell says its verdict in a word. A cell in a thick frame is another verdict than the answer's, by the rule and
    by point estimates; a hatched one has too few worlds for any.
    """
    choices = table.drop_duplicates("choice").reset_index(drop=True)
    claims = list(dict.fromkeys(table["claim"]))
    reading = (
        "On the primary outcome of each claim; for: as claimed; small: too small to matter. Thick frame: another "
        f"verdict, also by point estimates. Hatched: worth fewer than {LEAST:g} worlds, no verdict."
    )
    alt = f"A grid of the verdicts on {len(claims)} claims under {len(choices) - 1} choices beside the answer"
    with theme.slide(headline(table), f"{reading} {note}".strip(), alt) as (figure, (axes,)):
        layout.rows(axes, choices["label"].tolist(), 9.0)
        axes.set_xlim(-0.5, len(claims) - 0.5)
        axes.xaxis.tick_top()
        axes.set_xticks(range(len(claims)), [layout.plain(c) for c in claims], fontsize=theme.SMALL, rotation=25,
                        ha="left", rotation_mode="anchor")  # fmt: skip
        axes.tick_params(axis="x", length=0)
        axes.spines[:].set_visible(False)
        place = {name: number for number, name in enumerate(choices["choice"])}
        for row, another in zip(rows_of(table), changed(table).tolist(), strict=True):
            _cell(axes, claims.index(row["claim"]), place[row["choice"]], row["verdict"], another)
        groups = choices["group"].tolist()
        for number, (above, below) in enumerate(pairwise(groups)):
            if above != below:
                axes.axhline(number + 0.5, color=theme.BLACK, linewidth=2.0 if above == MAIN else 1.0)
        _key(figure, table)
        return figure


def _cell(axes: Axes, x: int, y: int, verdict: str, another: bool) -> None:
    """One verdict: its colour, its word, and a frame where it is another one."""
    colour, ink = _COLOURS.get(verdict, ("white", theme.BLACK))
    axes.add_patch(
        Rectangle((x - 0.48, y - 0.44), 0.96, 0.88, facecolor=colour, edgecolor=theme.GREY, linewidth=0.0,
                  hatch=_HATCH if verdict == NO_VERDICT else None)
    )  # fmt: skip
    if another:
        axes.add_patch(Rectangle((x - 0.47, y - 0.43), 0.94, 0.86, fill=False, edgecolor=theme.BLACK, linewidth=2.2))
    axes.text(x, y, SHORT.get(verdict, verdict), ha="center", va="center_baseline", fontsize=_SIZE, color=ink,
              fontweight="bold" if another else "normal")  # fmt: skip


def _key(figure: Figure, table: pd.DataFrame) -> None:
    there = [name for name in _COLOURS if name in set(table["verdict"])]
    keys = [
        Patch(facecolor=_COLOURS[name][0], edgecolor=theme.GREY, linewidth=0.5, label=name,
              hatch=_HATCH if name == NO_VERDICT else None)
        for name in there
    ]  # fmt: skip
    figure.subfigs[0].legend(handles=keys, loc="outside lower left", ncols=len(keys), frameon=False, borderpad=0.0,
                             fontsize=theme.SMALL, handletextpad=0.4, columnspacing=1.0, handlelength=1.4)  # fmt: skip
