"""The points of a design, checked and named quickly: a study may have a hundred thousand.

`resolve` takes tens of microseconds, most of them for values that are the same in every cell. So it is asked once for
each combination of regime, schedule and sizes; the numbers of a cell are then held against their declarations and put
into the vector of all values. Whatever is not plainly right goes to `resolve`, which has the last word.
"""

from __future__ import annotations

import gc
import hashlib
import json
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any, NamedTuple

from sim.errors import InputError
from sim.model.parameters import DECLARATIONS, MECHANISMS, SIZES, Parameters, resolve
from sim.study.design import CHOICES, Settings
from sim.study.factors import scheduled

_NAMES = tuple(DECLARATIONS)
_VECTOR = struct.Struct(f"<{len(_NAMES)}d")
_NUMBER = struct.Struct("<d")
_PLACES = {name: 8 * k for k, name in enumerate(_NAMES)}
_OPEN = frozenset(name for name, d in DECLARATIONS.items() if d.exclusive_minimum or d.exclusive_maximum)
_BOUNDS = {name: (d.minimum, d.maximum) for name, d in DECLARATIONS.items() if name not in (*SIZES, *_OPEN)}
_HUNGRIEST = {"exit_base": DECLARATIONS["exit_base"].maximum, "market_months": DECLARATIONS["market_months"].maximum}
"""Where a run of given sizes takes the most memory."""

_FRAMING = frozenset((*SIZES, "regime"))
"""What may vary between cells and makes another frame."""
_MOST_FRAMES = 1_000
_first = itemgetter(0)

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
        return {**self.common, **self.own}


class _Frame(NamedTuple):
    """What cells of one regime, schedule and size have in common: all values, before a cell sets its own."""

    values: bytes
    schedule: str
    cost: int
    roomy: bool  # whether the run fits into memory whatever the other values are


class Cells:
    """Makes the cells of one study: those that set the same things beside `common`, with these columns.

    >>> make = Cells({"regime": "light"}, ["targets"], organisations=False)
    >>> make({"targets": 1}).labels
    (1.0,)
    """

    def __init__(self, common: Settings, columns: Sequence[str], organisations: bool) -> None:
        self._common = common
        self._columns = tuple(columns)
        self._organisations = organisations
        self._shared = {name: value for name, value in common.items() if name not in CHOICES}
        self._frames: dict[str, _Frame | None] = {}
        self._numbers = _reader(self._columns)

    def __call__(self, own: Settings) -> Cell:
        """The cell that sets `own`; raises `InputError` with a line for each mistake."""
        return self._quick(own) or self._thorough(own)

    def _quick(self, own: Settings) -> Cell | None:
        """The cell, or None where something is unusual or wrong."""
        frame = None if "schedule" in own else self._frame(own)
        if frame is None or not frame.roomy:
            return None
        vector = bytearray(frame.values)
        off = own["mechanisms_off"] if "mechanisms_off" in own else self._common.get("mechanisms_off", ())
        if not self._switch_off(vector, off, own):
            return None
        for name, value in own.items():
            if (bounds := _BOUNDS.get(name)) is None:
                if name in _FRAMING or name == "mechanisms_off":
                    continue
                if name not in _OPEN or not DECLARATIONS[name].allows(value):
                    return None
            elif not ((type(value) is float or type(value) is int) and bounds[0] <= value <= bounds[1]):
                return None
            _NUMBER.pack_into(vector, _PLACES[name], value)
        return self._cell(own, bytes(vector), frame.schedule, frame.cost)

    def _switch_off(self, vector: bytearray, off: object, own: Settings) -> bool:
        """Put the parameters of these mechanisms to their nulls; say whether that is plainly allowed."""
        if not isinstance(off, (list, tuple)):
            return False
        for key in off:
            if not isinstance(key, str) or key not in MECHANISMS:
                return False
            for name in MECHANISMS[key].parameters:
                null = DECLARATIONS[name].null
                if null is None or name in own or name in self._shared:
                    return False
                _NUMBER.pack_into(vector, _PLACES[name], null)
        return True

    def _frame(self, own: Settings) -> _Frame | None:
        """The frame of a cell, resolved when its first cell comes; None where `resolve` of the whole has to speak."""
        framing = {name: own[name] for name in own.keys() & _FRAMING}
        key = repr(sorted(framing.items(), key=_first)) if framing else ""
        if key not in self._frames:
            if len(self._frames) >= _MOST_FRAMES:
                return None
            choices: Settings = {name: self._common[name] for name in ("regime", "schedule") if name in self._common}
            try:
                self._frames[key] = self._resolved({**self._shared, **choices, **framing})
            except InputError:
                self._frames[key] = None
        return self._frames[key]

    def _resolved(self, settings: Settings) -> _Frame:
        p = resolve(**settings)
        try:
            resolve(**settings | _HUNGRIEST)
        except InputError:
            roomy = False
        else:
            roomy = True
        return _Frame(_values(p), _schedule(p), self._cost(p), roomy)

    def _thorough(self, own: Settings) -> Cell:
        p = resolve(**{**self._common, **own})
        return self._cell(own, _values(p), _schedule(p), self._cost(p))

    def _cost(self, p: Parameters) -> int:
        return cost_of(p, self._organisations)

    def _cell(self, own: Settings, vector: bytes, schedule: str, cost: int) -> Cell:
        labels: tuple[Label, ...]
        if self._numbers is not None:
            labels, words = tuple(self._numbers(_VECTOR.unpack(vector))), schedule
        else:
            labels = tuple(self._label(column, own, vector, schedule) for column in self._columns)
            words = json.dumps([schedule, *(label for label in labels if isinstance(label, str))])
        digest = hashlib.blake2b(vector + words.encode(), digest_size=16, person=_PERSON)
        return Cell(own, self._common, labels, digest.hexdigest(), cost)

    def _label(self, column: str, own: Settings, vector: bytes, schedule: str) -> Label:
        """The value of a design's column: a number, or text for what is none."""
        if (place := _PLACES.get(column)) is not None:
            value: float = _NUMBER.unpack_from(vector, place)[0]
            return int(value) if column in SIZES else value
        if column == "schedule":
            return schedule
        if (found := scheduled(column)) is not None:
            return _held(*found, vector, schedule)
        chosen: Any = own.get(column, self._common.get(column, ""))  # "": only another cell has it, perhaps by mistake
        if column == "mechanisms_off" and not isinstance(chosen, str):
            return ", ".join(sorted(set(chosen)))
        return str(chosen)


def _reader(columns: tuple[str, ...]) -> Callable[[Sequence[float]], Iterable[float]] | None:
    """What reads these columns from the vector of all values, where all of them are numbers that need no rounding."""
    places = [_NAMES.index(name) for name in columns if name in _PLACES and name not in SIZES]
    if len(places) < len(columns) or not places:
        return None
    return itemgetter(*places) if len(places) > 1 else lambda values: (values[places[0]],)


_PERSON = hashlib.blake2b(json.dumps(_NAMES).encode(), digest_size=16).digest()
"""The names behind the numbers: another list of parameters makes other cells."""


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


def _values(p: Parameters) -> bytes:
    return _VECTOR.pack(*(getattr(p, name) for name in _NAMES))


def _held(lever: str, month: int, vector: bytes, schedule: str) -> float:
    """The value of a lever from a month on, also where only another cell schedules one for that month."""
    plan = json.loads(schedule or "{}").get(lever, {})
    before = [value for start, value in plan.items() if int(start) <= month]
    own: float = _NUMBER.unpack_from(vector, _PLACES[lever])[0]
    return float(before[-1]) if before else own


def _schedule(p: Parameters) -> str:
    return json.dumps(p.schedule) if p.schedule else ""


def cost_of(p: Parameters, organisations: bool) -> int:
    """Roughly the manager-months of a run, in computing and in what is kept of it."""
    places = p.systems * p.organisations
    month = places * p.managers + _MONTH + (places * _KEPT_ORGANISATION if organisations else 0)
    return p.months * month + _SETTING_UP
