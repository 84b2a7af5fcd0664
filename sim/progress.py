"""How far a long piece of work has come, on standard error: a bar in a terminal, lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

Show = Callable[[int, int, int], None]
"""Takes the numbers done (those of before included), failed among them, and all."""

_SILENCE = 60.0  # seconds without a line, at most


class Pace:
    """How fast it goes, from what was done since the first news: work of an earlier day must not count."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._begun: float | None = None
        self._first = 0

    def tell(self, done: int, failed: int, total: int) -> str:
        """What there is to say beside the number done: ``3 failed, 40 remaining, 12 a second, 4 s left``."""
        now = self._clock()
        if self._begun is None:
            self._begun, self._first = now, done
        parts = [f"{failed:,} failed"] if failed else []
        if total > done:
            parts.append(f"{total - done:,} remaining")
        new, seconds = done - self._first, now - self._begun
        if new > 0 and seconds > 0.0:
            rate = new / seconds
            parts.append(f"{rate:,.0f} a second" if rate >= 10 else f"{rate:.2g} a second")
            if total > done:
                parts.append(f"{duration((total - done) / rate)} left")
        return ", ".join(parts)


def duration(seconds: float) -> str:
    """A time in words: ``12 s``, ``4 minutes``, ``3.5 hours``, ``2.1 days``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours" if seconds < 2 * 86400 else f"{seconds / 86400:.1f} days"


@contextmanager
def progress(unit: str) -> Iterator[Show]:
    """What shows how far it has come: a bar, or where standard error is no terminal a line for each tenth or minute."""
    if not sys.stderr.isatty():
        yield _lines(unit)
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    pace = Pace()
    columns = (TextColumn(unit), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None)

        def show(done: int, failed: int, total: int) -> None:
            bar.update(task, completed=done, total=total, description=pace.tell(done, failed, total))

        yield show


def _lines(unit: str) -> Show:
    pace, tenths, last = Pace(), -1, monotonic()

    def show(done: int, failed: int, total: int) -> None:
        nonlocal tenths, last
        news = pace.tell(done, failed, total)
        if (now := 10 * done // max(1, total)) != tenths or monotonic() - last > _SILENCE:
            tenths, last = now, monotonic()
            print(f"{done:,} of {total:,} {unit}" + (f", {news}" if news else ""), file=sys.stderr, flush=True)

    return show
