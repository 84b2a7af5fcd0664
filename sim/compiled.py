"""The decorator that turns a plain function into a compiled one, cached on disk.

Numba notices a change in the file that holds a function, not in the files of the functions that it calls. The
cache folder is therefore named after the text of every file with compiled code: change a rule, and the engine is
compiled anew.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

SOURCES = ("compiled.py", "streams.py", "rules.py", "outcomes.py", "recording.py", "engine.py")


@cache
def cache_folder() -> Path | None:
    """Folder of the compiled code for the present sources, or None where nothing can be written."""
    text = b"".join((Path(__file__).parent / name).read_bytes() for name in SOURCES)
    name = f"leadership-sim-{hashlib.sha256(text).hexdigest()[:16]}"
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    for base in (numba.config.CACHE_DIR, home, tempfile.gettempdir()):
        folder = Path(base) / name if base else None
        if folder and _writable(folder):
            return folder
    return None


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def compiled(function: Function) -> Function:
    """Compile `function` with numba on its first call: no fast-math, the interpreter lock released, cached.

    With ``NUMBA_DISABLE_JIT=1`` the function stays plain Python.
    """
    folder, before = cache_folder(), numba.config.CACHE_DIR
    if numba.config.DISABLE_JIT:
        return function
    try:
        numba.config.CACHE_DIR = str(folder or "")
        decorate = numba.njit(nogil=True, error_model="numpy", cache=folder is not None)
        return cast(Function, decorate(function))
    finally:
        numba.config.CACHE_DIR = before


def announce_compilation(entry: Callable[..., Any]) -> None:
    """Tell standard error that the first call of `entry` will take a while, if it will.

    `entry` is a function made by `compiled`; nothing is said where it is already in memory or on disk.
    """
    folder = cache_folder()
    if numba.config.DISABLE_JIT or getattr(entry, "signatures", None):
        return
    if folder is None or not any(folder.rglob(f"*.{entry.__name__}-*.nbi")):
        print("Compiling the engine, once on this machine (about 20 s) ...", file=sys.stderr, flush=True)
