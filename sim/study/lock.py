"""One writer at a time: a lock that the operating system drops when its holder ends, however it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sim.errors import InputError
from sim.study.mistakes import place


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the file ``lock`` in a folder; raises `InputError` with one line where somebody else holds it."""
    with (folder / "lock").open("ab") as file:
        try:
            _acquire(file)
        except (BlockingIOError, PermissionError):
            raise InputError([f"{place(folder)}: another process is writing here; wait until it is done"]) from None
        _held.add(file)
        try:
            yield
        finally:
            _held.discard(file)


_held: set[BinaryIO] = set()


def _let_go() -> None:
    """Close the locks of a parent: they would be held for as long as its children live, and it may be killed first."""
    for file in _held:
        file.close()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


if sys.platform == "win32":
    import msvcrt

    def _acquire(file: BinaryIO) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _acquire(file: BinaryIO) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:  # a file system without locks, as some clusters have
            return
