"""A folder for results: checked before anything is computed, and filled with whole files only."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sim.errors import InputError, shown


def check_folder(folder: str | Path) -> Path:
    """The folder as a path, if files can be written into it; where it does not exist it is not made.

    Raises `InputError` with one line for a folder that is a file, or that cannot be made or written.
    """
    with _refusal(folder):
        path = Path(folder)
        if "\0" in str(path):
            raise OSError(errno.EINVAL, "a null character in its name")
        if path.exists() and not path.is_dir():
            raise OSError(errno.ENOTDIR, "it is a file")
        with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=_present(path)):
            return path


@contextmanager
def filled(folder: str | Path) -> Iterator[Path]:
    """A temporary folder on the same disk, whose files move into `folder` when the block ends without an error.

    Files of the same name are replaced, each in one step, so that no half-written file is ever seen; after an
    error nothing is left behind. Raises `InputError` with one line where that cannot be done.
    """
    path = check_folder(folder)
    with _refusal(folder):
        staged = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=_present(path)))
        try:
            yield staged
            path.mkdir(parents=True, exist_ok=True)
            for file in sorted(staged.iterdir()):
                os.replace(file, path / file.name)
        finally:
            shutil.rmtree(staged, ignore_errors=True)


def _present(path: Path) -> Path:
    """The folder itself or the nearest one above it that exists."""
    return next(above for above in (path, *path.absolute().parents) if os.path.lexists(above))


@contextmanager
def _refusal(folder: str | Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError([f"{shown(str(folder))}: files cannot be written to this folder ({why})"]) from error
