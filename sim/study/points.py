"""Design points: the cells of a study, each checked, with its columns' values, its identity and its cost."""

from __future__ import annotations

import gc
import hashlib
import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.errors import InputError, Mistake, Mistakes, shown
from sim.model.parameters import PARAMETERS, SIZES, Parameters, check_memory, nulls, resolve
from sim.study.design import LABELS, NUMBERED, TEXTS, Settings, put_into_schedule
from sim.study.factors import scheduled

if TYPE_CHECKING:
    from sim.study.plan import Plan

_VECTOR = struct.Struct(f"<{len(PARAMETERS)}d")
_values = attrgetter(*PARAMETERS)
_NAMES = hashlib.blake2b(json.dumps(list(PARAMETERS)).encode(), digest_size=16).digest()
"""The names behind the numbers of a digest: another list of parameters makes other cells."""
_FRAMING = ("regime", "schedule", "local", *SIZES)
_NO_NUMBERS = frozenset((*_FRAMING, *TEXTS, *LABELS))
_MOST_FRAMES = 1_000
_ENOUGH = 1_000  # cells that are wrong: nobody wants to hear of the others
_CELLS_NAMED = 5

_SETTING_UP = 300  # what starting a run costs, in manager-months
_MONTH = 20  # what a month costs beside its managers
_KEPT_ORGANISATION = 10  # what keeping an organisation's month costs

Label = float | str


class Cell(NamedTuple):
    """One point of a design: what it sets itself and shares with all others, its columns' values, and its identity.

    `digest` is a hash of every resolved value, however they were written; `cost` is what one of its runs takes,
    roughly in manager-months. `first_seed` is added to the seeds of the study.
    """

    own: Settings
    common: Settings
    labels: tuple[Label, ...]
    digest: str
    cost: int
    first_seed: int = 0

    @property
    def settings(self) -> Settings:
        """What `resolve` is called with."""
        return {**self.common, **{name: value for name, value in self.own.items() if name not in LABELS}}


class Cells:
    """Makes the cells of one study: those that set the same things beside `common`, with these columns.

    A study may have a hundred thousand cells. So `resolve`, which holds every value against its declaration, is asked
    once for each regime, schedule, local policy and size; other cells are copies with their own numbers put in.

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
            p = resolve(**{**self._common, **{name: value for name, value in own.items() if name not in LABELS}})
        schedule = json.dumps(p.schedule) if p.schedule else ""
        labels = tuple(self._label(column, own, p, schedule) for column in self._columns)
        beside = [label for name, label in zip(self._columns, labels, strict=True) if name in NUMBERED]
        texts = [label for label in labels if isinstance(label, str)]
        said = json.dumps([schedule, *map(str, p.local), *texts, *beside])
        digest = hashlib.blake2b(_VECTOR.pack(*_values(p)) + said.encode(), digest_size=16, person=_NAMES)
        cost = cost_of(p, self._organisations)
        return Cell(own, self._common, labels, digest.hexdigest(), cost, own.get("first_seed", 0))

    def _copied(self, own: Settings) -> Parameters:
        """A copy of the parameters of a cell with the same frame; raises whatever where one is not plainly right."""
        framing = {name: value for name, value in own.items() if name in _FRAMING}
        if (frame := self._frames.get(key := repr(framing))) is None:
            frame = resolve(**{**self._common, **framing, "mechanisms_off": ()})
            if len(self._frames) < _MOST_FRAMES:
                self._frames[key] = frame
        numbers: dict[str, float] = {}
        for name, value in own.items():
            if name not in _NO_NUMBERS:
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
        if column in PARAMETERS or column in NUMBERED:
            value: float = own[column] if column in NUMBERED else getattr(p, column)
            return value
        if column == "schedule":
            return schedule
        if column == "local":
            return "; ".join(map(str, p.local))
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


def checked(plan: Plan, columns: tuple[str, ...], cells: Sequence[Settings], wrong: Mistakes) -> tuple[Cell, ...]:
    """The cells of a study, each given by what it sets itself; what is wrong with them is added to `wrong`."""
    refused: list[tuple[int, Settings, InputError]] = []
    points: list[Cell] = []
    make = Cells(plan.common, columns, plan.outcomes.organisations)
    for number, own in enumerate(cells, 1):
        try:
            points.append(make(put_into_schedule(own, plan.schedule)))
        except InputError as error:
            refused.append((number, own, error))
            if len(refused) > _ENOUGH:
                break
    wrong.take(_cell_mistakes(plan, refused, len(cells)) if refused else _same_cells(points))
    return tuple(points)


def _cell_mistakes(plan: Plan, refused: Iterable[tuple[int, Settings, InputError]], every: int) -> Iterator[Mistake]:
    """Mistakes in cells, given with what each cell itself sets: each told once, with the cells that make it."""
    found: dict[tuple[object, ...], tuple[Mistake, list[int]]] = {}
    listed = plan.design.get("kind") == "list"
    for number, own, error in refused:
        for said in error.mistakes:
            name = said.where[0] if said.where else ""
            outer = ("design", *["cell"] * listed) if name in own else ("parameters",)
            mistake = said.within(*outer) if name in own or name in plan.parameters else said
            key: tuple[object, ...] = (mistake.where, mistake.why, mistake.nearest)
            if key in found and number in found[key][1]:  # the same cell made it with another value
                key = (*key, shown(mistake.value))
            told, numbers = found.setdefault(key, (mistake, []))
            numbers.append(number)
            if told.value is not mistake.value and told.value != mistake.value:  # each cell has its own
                found[key] = (replace(told, value=..., allowed=""), numbers)
    for mistake, numbers in found.values():
        if len(numbers) == every and mistake.where[:2] != ("design", "cell"):
            yield mistake  # what is wrong with all cells of a design needs no numbers
            continue
        more = f" and {len(numbers) - _CELLS_NAMED} more" if len(numbers) > _CELLS_NAMED else ""
        first = ", ".join(map(str, numbers[:_CELLS_NAMED]))
        yield mistake.found_in(f"cell{'s' if len(numbers) > 1 else ''} {first}{more}")


def _same_cells(points: Iterable[Cell]) -> Iterator[Mistake]:
    """Cells that are the same, which would count the same runs twice."""
    first: dict[str, int] = {}
    for number, cell in enumerate(points, 1):
        if (same := first.setdefault(cell.digest, number)) != number:
            yield Mistake((), ..., f"the same as cell {same}; leave out one of the two", about=f"cell {number}")
