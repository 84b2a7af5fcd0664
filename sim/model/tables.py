"""A table of named things: a dictionary that can also be had as a DataFrame."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import pandas as pd


class _Named(Protocol):
    @property
    def name(self) -> str:
        """What it is called; no two in a table have the same name."""


Row = TypeVar("Row", bound=_Named)


class Table(dict[str, Row]):
    """Dataclass instances by their `name`, in the order given.

    >>> from sim.model.mechanisms import REGIMES
    >>> REGIMES["heavy"].levers["targets"]
    0.8
    >>> list(REGIMES.frame().index)[:2]
    ['hands_off', 'light']
    """

    def __init__(self, *rows: Row) -> None:
        super().__init__((row.name, row) for row in rows)

    def __repr__(self) -> str:
        return f"<Table of {len(self)}: {', '.join(list(self)[:3])}, ...; .frame() shows it>"

    def frame(self) -> pd.DataFrame:
        """A row for each, in this order: index ``name``, a column for each other fact."""
        import pandas as pd  # noqa: PLC0415

        rows: list[Any] = list(self.values())
        facts = [field.name for field in fields(rows[0])]
        return pd.DataFrame([[getattr(row, fact) for fact in facts] for row in rows], columns=facts).set_index("name")
