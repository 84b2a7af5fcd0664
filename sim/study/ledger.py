"""Lines of a ledger: what each has to look like before anything in a study's folder is believed or opened.

A folder of results may come from anybody. A name in its ledger becomes part of a path, so only names that this
program gives are let through; a line with another one, or in another shape, counts as little as one that was cut off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sim.model.outcomes import OUTCOMES

FORMAT = 1
_MOST, _LONGEST = 10**9, 300

Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Column = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(@[0-9]+)?$")]
Number = Annotated[int, Field(ge=1, le=_MOST)]
Count = Annotated[int, Field(ge=0, le=_MOST)]
Runs = Annotated[tuple[Number, Number], Field(strict=False)]  # lists in JSON
if TYPE_CHECKING:
    Outcome = str
else:
    Outcome = Literal[tuple(OUTCOMES)]


class _Line(BaseModel):
    model_config = ConfigDict(strict=True)


class _Kept(_Line):
    outcomes: list[Outcome] = Field(min_length=1)
    window: Number
    series: bool
    organisations: bool


class _Precision(_Line):
    outcome: Outcome
    half_width: float = Field(gt=0, allow_inf_nan=False)
    maximum: Number


class _Plan(_Line):
    format: Literal[1]
    title: str = Field(max_length=_LONGEST)
    model: str = Field(max_length=_LONGEST)
    columns: list[Column]
    kept: _Kept
    chunks: list[Annotated[tuple[Id, list[Runs]], Field(strict=False)]]
    precision: _Precision | None = None

    @model_validator(mode="after")
    def _is_kept(self) -> _Plan:
        if self.precision and self.precision.outcome not in self.kept.outcomes:
            raise ValueError("the outcome that has to be precise is not kept")
        return self


class _Mark(_Line):
    made_by: Literal["leadership-sim"]


class _Planned(_Line):
    plan: _Plan


class _Done(_Line):
    done: Id
    runs: Number
    failed: Count
    files: dict[Literal["runs", "series", "organisations"], Id]


_LINES: dict[str, type[BaseModel]] = {"plan": _Planned, "done": _Done, "made_by": _Mark}


def is_ours(entry: dict[str, Any]) -> bool:
    """Whether a line of the ledger is one that this program writes, or the plan of a newer version."""
    plan = entry.get("plan")
    if isinstance(plan, dict) and isinstance(made := plan.get("format"), int) and made > FORMAT:
        return True
    try:
        next(line for name, line in _LINES.items() if name in entry or name == "made_by").model_validate(entry)
    except ValidationError:
        return False
    return True
