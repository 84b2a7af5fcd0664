"""The sections of a study's file, as pydantic models."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from sim.errors import InputError, first, nearest, shown
from sim.model.declaration import LARGEST_SIZE
from sim.model.outcomes import OUTCOMES
from sim.model.seeds import LARGEST_SEED
from sim.study import file as toml
from sim.study.chunks import Kept
from sim.study.design import CHOICES, Settings
from sim.study.factors import resolved

MOST_SEEDS = 1_000_000
LONGEST_TITLE = 300
_TITLE = f"a text on one line, of at most {LONGEST_TITLE} characters"
_ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]*$"
"""Without characters that end a line, command a terminal or turn the direction of writing round."""


class _Section(BaseModel):
    """A table of the file. The description of a field says what is allowed: "must be ..."."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Outcomes(_Section):
    """The section ``[outcomes]``: what is kept of each run."""

    keep: list[str] = Field(list(OUTCOMES), min_length=1, description="a list of outcomes, at least one")
    window: int = Field(24, ge=1, le=LARGEST_SIZE, description=f"a whole number from 1 to {LARGEST_SIZE}")
    series: bool = Field(False, description="true or false")
    organisations: bool = Field(False, description="true or false")

    @field_validator("keep")
    @classmethod
    def _known(cls, keep: list[str]) -> list[str]:
        lines = (
            f"outcomes.keep = {shown(name)}: "
            + (f"is given {times} times" if name in OUTCOMES else f"no such outcome{nearest(name, OUTCOMES)}")
            for name, times in Counter(keep).items()
            if times > 1 or name not in OUTCOMES
        )
        if told := first(lines):
            raise InputError(told)
        return keep


class Precision(_Section):
    """The section ``[precision]``: how sure the mean of an outcome has to be in every cell."""

    outcome: str = Field("quality", description="the name of an outcome that is kept")
    half_width: float = Field(0.01, gt=0, allow_inf_nan=False, description="a number above 0, in the outcome's unit")
    maximum: int = Field(1000, ge=1, le=MOST_SEEDS, description=f"a whole number from 1 to {MOST_SEEDS}")


class Plan(_Section):
    """A study's file, section by section, with defaults for what is left out."""

    title: str = Field("", pattern=_ONE_LINE, max_length=LONGEST_TITLE, description=_TITLE)
    regime: str = Field("baseline", description="the name of a regime")
    seeds: int = Field(30, ge=1, le=MOST_SEEDS, description=f"a whole number from 1 to {MOST_SEEDS}")
    seed: int = Field(
        0, ge=0, le=LARGEST_SEED - MOST_SEEDS, description="a whole number, at least 0, below 2**63 - 10**6"
    )
    mechanisms_off: list[str] = Field([], description='a list of mechanisms, such as ["gaming"]')
    parameters: dict[str, Any] = Field({}, description="a table, such as [parameters]")
    design: dict[str, Any] = Field({}, description="a table, such as [design]")
    schedule: dict[str, Any] = Field({}, description="a table, such as [schedule]")
    outcomes: Outcomes = Field(
        default_factory=lambda: Outcomes.model_validate({}), description="a table, such as [outcomes]"
    )
    precision: Precision | None = Field(None, description="a table, such as [precision]")

    @property
    def most_seeds(self) -> int:
        """The largest number of runs that a cell can get; the smallest is `seeds`."""
        return self.precision.maximum if self.precision else self.seeds

    @property
    def impossible(self) -> list[str]:
        """What ``[precision]`` asks for that the rest of the study rules out."""
        if (asked := self.precision) is None:
            return []
        lines = []
        if asked.outcome not in self.outcomes.keep:
            known = " is not kept; add it to outcomes.keep" if asked.outcome in OUTCOMES else " no such outcome"
            lines.append(
                f"precision.outcome = {shown(asked.outcome)}:{known}{nearest(asked.outcome, self.outcomes.keep)}"
            )
        if asked.maximum < self.seeds:
            lines.append(f"precision.maximum = {asked.maximum}: must be at least seeds = {self.seeds}, the minimum")
        return lines

    @field_validator("design")
    @classmethod
    def _spelled_out(cls, design: dict[str, Any]) -> dict[str, Any]:
        """With the seed of a sampled design, its ranges and its groups, so that all of it is recorded."""
        return resolved(design)

    @property
    def kept(self) -> Kept:
        """What is kept of each run; outcomes in the order of `OUTCOMES`, however the file lists them."""
        o = self.outcomes
        return Kept(tuple(name for name in OUTCOMES if name in o.keep), o.window, o.series, o.organisations)

    @property
    def listed(self) -> bool:
        """Whether the design is a list of cells, which may each have a regime of their own."""
        return self.design.get("kind") == "list"

    @property
    def fixed(self) -> tuple[str, ...]:
        """What beside parameters is the same in every run, so that the design must not vary it."""
        given = [name for name in ("schedule", "mechanisms_off") if getattr(self, name)]
        tables = {lever: plan for lever, plan in self.schedule.items() if isinstance(plan, dict)}
        given += [f"{lever}@{month}" for lever, plan in tables.items() for month in plan]
        return (*given, "regime") if "regime" in self.model_fields_set and not self.listed else tuple(given)

    @property
    def common(self) -> Settings:
        """What `resolve` is called with in every cell, unless the cell itself says otherwise."""
        elsewhere = {*type(self).model_fields, "window"}
        known = {name: value for name, value in self.parameters.items() if name not in elsewhere}
        shared = {name: getattr(self, name) for name in CHOICES}
        return {**known, **shared, "window": self.outcomes.window}

    def toml(self) -> str:
        """The plan with its defaults filled in, as TOML."""
        table = self.model_dump()
        if "regime" in self.design:  # varied, so there is none for all runs
            del table["regime"]
        return toml.written({name: value for name, value in table.items() if value not in ({}, [], "", None)})
