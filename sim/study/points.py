"""Design points: the cells of a study, each checked, with its columns' values, its identity and its cost."""

from __future__ import annotations

import gc
import hashlib
import json
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import Any, NamedTuple

from sim.errors import InputError
from sim.model.parameters import PARAMETERS, SIZES, Parameters, check_memory, nulls, resolve
from sim.study.design import TEXTS, Settings
from sim.study.factors import scheduled

_VECTOR = struct.Struct(f"<{len(PARAMETERS)}d")
_values = attrgetter(*PARAMETERS)
_NAMES = hashlib.blake2b(json.dumps(list(PARAMETERS)).encode(), digest_size=16).digest()
"""The names behind the numbers of a digest: another list of parameters makes other cells."""
_FRAMING = ("regime", "schedule", *SIZES)
_MOST_FRAMES = 1_000

_SETTING_UP = 300  # what starting a run costs, in manager-months
_MONTH = 20  # what a month costs beside its managers
_KEPT_ORGANISATION = 10  # what keeping an organisation's month costs

Label = float | str


class Cell(NamedTuple):
    """One point of a design: what it sets itself and shares with all others, its columns' values, and its identity.

    `digest` is a hash of every resolved value, however they were written; `cost` is what one of its runs takes,
    roughly in manager-months.
    """

    own: Settings
    common: Settings
    labels: tuple[Label, ...]
    digest: str
    cost: int

    @property
    def settings(self) -> Settings:
        """What `resolve` is called with."""
        return {**self.common, **{name: value for name, value in self.own.items() if name != "name"}}


class Cells:
    """Makes the cells of one study: those that set the same things beside `common`, with these columns.

    A study may have a hundred thousand cells. So `resolve`, which holds every value against its declaration, is asked
    once for each regime, schedule and size; other cells are copies with their own numbers put in.

    >>> make = Cells({"regime": "light"}, ["targets"], organisations=False)
    >>> make({"targets": 1}).labels
    (1.0,)
    """

    def __init__(self, common: Settings, columns: Sequence[str], organisations: bool) -> None:
        self._common = common
        self._columns = tuple(columns)
        self._organisations = organisations
        self._frames: dict[str, Parameters] = {}

    def __call__(self, own: Settings) -> Cell:
        """The cell that sets `own`; raises `InputError` with a line for each mistake."""
        try:
            p = self._copied(own)
        except (InputError, KeyError, TypeError):  # `resolve` has the last word
            p = resolve(**{**self._common, **{name: value for name, value in own.items() if name != "name"}})
        schedule = json.dumps(p.schedule) if p.schedule else ""
        labels = tuple(self._label(column, own, p, schedule) for column in self._columns)
        texts = json.dumps([schedule, *(label for label in labels if isinstance(label, str))])
        digest = hashlib.blake2b(_VECTOR.pack(*_values(p)) + texts.encode(), digest_size=16, person=_NAMES)
        return Cell(own, self._common, labels, digest.hexdigest(), cost_of(p, self._organisations))

    def _copied(self, own: Settings) -> Parameters:
        """A copy of the parameters of a cell with the same frame; raises whatever where one is not plainly right."""
        framing = {name: value for name, value in own.items() if name in _FRAMING}
        if (frame := self._frames.get(key := repr(framing))) is None:
            off = {"mechanisms_off": ()}
            frame = resolve(**{**self._common, **framing, **off})
            if len(self._frames) < _MOST_FRAMES:
                self._frames[key] = frame
        numbers: dict[str, float] = {}
        for name, value in own.items():
            if name not in _FRAMING and name not in TEXTS:
                if not PARAMETERS[name].allows(value):
                    raise TypeError
                numbers[name] = float(value)
        off = own["mechanisms_off"] if "mechanisms_off" in own else self._common.get("mechanisms_off", ())
        if not isinstance(off, (list, tuple)):
            raise TypeError
        p = frame.model_copy(update=numbers | nulls(off, {**self._common, **own}) if off else numbers)
        check_memory(p)
        return p

    def _label(self, column: str, own: Settings, p: Parameters, schedule: str) -> Label:
        """The value of a design's column: a number, or text for what is none."""
        if column in PARAMETERS:
            value: float = getattr(p, column)
            return value
        if column == "schedule":
            return schedule
        if (found := scheduled(column)) is not None:  # its value then, also where only another cell schedules one
            lever, month = found
            before = [value for start, value in p.schedule.get(lever, {}).items() if start <= month]
            return float(before[-1] if before else getattr(p, lever))
        chosen: Any = own.get(column, self._common.get(column, ""))  # "": only another cell has it, perhaps by mistake
        if column == "mechanisms_off" and not isinstance(chosen, str):
            return ", ".join(sorted(set(chosen)))
        return str(chosen)


@contextmanager
def uncollected() -> Iterator[None]:
    """No search for garbage meanwhile: among a hundred thousand cells, none of which is, it takes half of the time."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def cost_of(p: Parameters, organisations: bool) -> int:
    """Roughly the manager-months of a run, in computing and in what is kept of it."""
    places = p.systems * p.organisations
    month = places * p.managers + _MONTH + (places * _KEPT_ORGANISATION if organisations else 0)
    return p.months * month + _SETTING_UP
