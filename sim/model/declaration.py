"""How one parameter, lever or size is declared: the facts that stand beside its value.

The meaning is not among the arguments: it is the docstring that follows the attribute.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal, TypeGuard

from pydantic import Field
from pydantic.fields import FieldInfo

Kind = Literal["parameter", "lever", "size"]

ASSUMPTION = "assumption"
LARGEST_SIZE = 10**9


def plain(value: object) -> object:
    """A number of any library as Python's own; anything else, true and false included, as it is."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value


@dataclass(frozen=True)
class Declaration:
    """Everything known about a value that a run needs.

    `low` and `high` are the plausible range that ensembles draw from (None: it is not drawn), `null` is the
    value that switches the mechanism behind a parameter off (None: there is no such value), `minimum` and
    `maximum` are what the software accepts at all; an exclusive bound is itself refused.
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
        lowest, highest = _plain(self.minimum), _plain(self.maximum)
        if not (self.exclusive_minimum or self.exclusive_maximum):
            return f"{number} from {lowest} to {highest}"
        lower = f"above {lowest}" if self.exclusive_minimum else f"of at least {lowest}"
        upper = f"below {highest}" if self.exclusive_maximum else f"at most {highest}"
        return f"{number} {lower} and {upper}"

    def allows(self, value: object) -> TypeGuard[float]:
        """Whether a value may be used: a finite number (a whole one for sizes) within the bounds."""
        if isinstance(value, bool) or not isinstance(value, int if self.integer else (int, float)):
            return False
        if not self.minimum <= value <= self.maximum:
            return False
        on_open_minimum = self.exclusive_minimum and value == self.minimum
        on_open_maximum = self.exclusive_maximum and value == self.maximum
        return not (on_open_minimum or on_open_maximum)

    @classmethod
    def of(cls, name: str, field: FieldInfo) -> Declaration:
        """Read back what `parameter`, `lever` or `size` wrote into a field."""
        facts: Any = field.json_schema_extra
        return cls(name=name, default=field.default, meaning=" ".join((field.description or "").split()), **facts)


def _plain(number: float) -> str:
    return f"{number:,.10g}".replace(",", " ")


def _field(default: float, kind: Kind, bounds: tuple[float, float], **facts: Any) -> Any:
    facts |= {"kind": kind, "minimum": bounds[0], "maximum": bounds[1], "integer": kind == "size"}
    return Field(default, json_schema_extra=facts)


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
    source: str = ASSUMPTION,
) -> Any:
    """Declare a parameter of the model; `Any`, so that the annotation of the attribute rules."""
    return _field(
        float(default),
        "parameter",
        bounds,
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
    low: float | None = None,
    high: float | None = None,
    bounds: tuple[float, float] = (0.0, 1.0),
    unit: str = "share",
    source: str = ASSUMPTION,
) -> Any:
    """Declare a lever of policy; ensembles draw only the few that have a plausible range."""
    facts = {"group": "levers", "low": low, "high": high, "null": None, "unit": unit, "source": source}
    return _field(float(default), "lever", bounds, **facts)


def size(default: int, *, unit: str, source: str = ASSUMPTION) -> Any:
    """Declare a size of the run: a whole number, at least 1."""
    facts = {"group": "size", "low": None, "high": None, "null": None, "unit": unit, "source": source}
    return _field(default, "size", (1, LARGEST_SIZE), **facts)
