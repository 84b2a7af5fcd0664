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
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

SOURCES = ("compiled.py", "streams.py", "rules.py", "outcomes.py", "recording.py", "interventions.py", "engine.py")


@cache
def cache_folder() -> Path | None:
    """Folder of the compiled code for the present sources, or None where nothing can be written."""
    text = b"".join((Path(__file__).parent / name).read_bytes() for name in SOURCES)
    name = f"leadership-sim-{hashlib.sha256(text).hexdigest()[:16]}"
    for base in (numba.config.CACHE_DIR, os.environ.get("XDG_CACHE_HOME"), "~/.cache"):
        with suppress(OSError, RuntimeError):  # it cannot be written, or there is no home
            if base:
                folder = Path(base).expanduser() / name
                folder.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=folder):
                    return folder
    return None  # not the temporary folder that all users share: what lies in a cache is run


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
    if numba.config.DISABLE_JIT or entry.signatures:  # type: ignore[attr-defined]
        return
    where = entry.stats.cache_path  # type: ignore[attr-defined]
    python = f"py{sys.version_info.major}{sys.version_info.minor}"
    if where is None:
        print("Compiling the engine (about 20 s; no folder can be written to keep it) ...", file=sys.stderr, flush=True)
    elif not any(Path(where).glob(f"*.{entry.__name__}-*.{python}*.nbi")):
        print("Compiling the engine, once for this installation (about 20 s) ...", file=sys.stderr, flush=True)
