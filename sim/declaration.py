"""How one parameter, lever or size is declared: the facts that stand beside its value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field
from pydantic.fields import FieldInfo

Kind = Literal["parameter", "lever", "size"]

ASSUMPTION = "assumption"
LARGEST_SIZE = 10**9


@dataclass(frozen=True)
class Declaration:
    """Everything known about a value that a run needs.

    `low` and `high` are the plausible range that ensembles draw from (None: it is not drawn), `null` the value
    that switches the mechanism behind a parameter off (None: there is no such value), `minimum` and `maximum`
    what the software accepts at all; an exclusive bound is itself refused.
    """

    name: str
    kind: Kind
    group: str
    default: float
    low: float | None
    high: float | None
    null: float | None
    minimum: float
    maximum: float
    unit: str
    meaning: str
    source: str
    integer: bool
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False

    @property
    def allowed(self) -> str:
        """What may be given, in words: "a number from 0 to 1"."""
        number = "a whole number" if self.integer else "a number"
        lower = f"above {self.minimum:g}" if self.exclusive_minimum else f"from {self.minimum:g}"
        if self.exclusive_maximum:
            return f"{number} {lower} to below {self.maximum:g}"
        return f"{number} {lower} to {self.maximum:,.10g}".replace(",", " ")

    @classmethod
    def of(cls, name: str, field: FieldInfo) -> Declaration:
        """Read back what `parameter`, `lever` or `size` wrote into a field."""
        facts: Any = field.json_schema_extra
        return cls(name=name, default=field.default, meaning=field.description or "", **facts)


def _field(default: float, kind: Kind, bounds: tuple[float, float], meaning: str, **facts: Any) -> Any:
    lower = "gt" if facts.get("exclusive_minimum") else "ge"
    upper = "lt" if facts.get("exclusive_maximum") else "le"
    limits: dict[str, Any] = {lower: bounds[0], upper: bounds[1]}
    facts |= {"kind": kind, "minimum": bounds[0], "maximum": bounds[1], "integer": kind == "size"}
    return Field(default, description=meaning, json_schema_extra=facts, **limits)


def parameter(
    default: float,
    *,
    group: str,
    low: float,
    high: float,
    null: float | None = None,
    bounds: tuple[float, float] = (0.0, 1.0),
    exclusive_minimum: bool = False,
    exclusive_maximum: bool = False,
    unit: str,
    meaning: str,
    source: str = ASSUMPTION,
) -> Any:
    """Declare a parameter of the model; `Any`, so that the annotation of the attribute rules."""
    return _field(
        float(default),
        "parameter",
        bounds,
        meaning,
        group=group,
        low=low,
        high=high,
        null=null,
        unit=unit,
        source=source,
        exclusive_minimum=exclusive_minimum,
        exclusive_maximum=exclusive_maximum,
    )


def lever(
    default: float,
    *,
    meaning: str,
    low: float | None = None,
    high: float | None = None,
    bounds: tuple[float, float] = (0.0, 1.0),
    unit: str = "share",
    source: str = ASSUMPTION,
) -> Any:
    """Declare a lever of policy; ensembles draw only the few that have a plausible range."""
    facts = {"group": "levers", "low": low, "high": high, "null": None, "unit": unit, "source": source}
    return _field(float(default), "lever", bounds, meaning, **facts)


def size(default: int, *, unit: str, meaning: str, source: str = ASSUMPTION) -> Any:
    """Declare a size of the run: a whole number, at least 1."""
    facts = {"group": "size", "low": None, "high": None, "null": None, "unit": unit, "source": source}
    return _field(default, "size", (1, LARGEST_SIZE), meaning, **facts)
