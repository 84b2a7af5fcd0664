"""Compiling: the decorators that turn a plain function into a compiled one, and the cache that keeps machine code.

Only the entry of the engine is kept on disk, with all that it calls. Its file is named after the identity of the model
(`version.py`), so the engine is compiled anew whenever something changed that decides a number, and only then. A file
that is damaged is made again.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps
from numba.extending import register_jitable

from sim.errors import InputError
from sim.model.version import identity

Function = TypeVar("Function", bound=Callable[..., Any])

OPTIONS = {"nogil": True, "error_model": "numpy"}
"""Options of numba for every compiled function: the interpreter lock is released, a division by zero raises nothing,
and there is no fast-math."""


def compiled(function: Function) -> Function:
    """Compile `function` with numba on its first call; with ``NUMBA_DISABLE_JIT=1`` it stays plain Python."""
    return function if numba.config.DISABLE_JIT else cast(Function, numba.njit(**OPTIONS)(function))


def inlined(function: Function) -> Function:
    """`compiled`, and put whole into the place of each call: for what a loop over lanes calls."""
    return function if numba.config.DISABLE_JIT else cast(Function, numba.njit(forceinline=True, **OPTIONS)(function))


def rule(function: Function) -> Function:
    """Let compiled code call a function, which itself stays plain Python; it is put into the place of each call."""
    return cast(Function, register_jitable(forceinline=True, **OPTIONS)(function))


def entry(function: Function) -> Function:
    """`compiled`, with the machine code kept on disk: for the one function through which Python enters the engine."""
    made: Any = compiled(function)
    if made is not function:
        made._cache = _OnDisk()
    return cast(Function, made)


@cache
def cache_folder() -> Path | None:
    """Folder of the compiled code of this model, or None where nothing can be written or the model is in doubt."""
    with suppress(InputError):  # source files changed after they were loaded
        name = f"leadership-sim-{identity()}"
        for base in (numba.config.CACHE_DIR, os.environ.get("XDG_CACHE_HOME"), "~/.cache"):
            with suppress(OSError, RuntimeError):  # it cannot be written, or there is no home
                if base:
                    folder = Path(base).expanduser() / name
                    folder.mkdir(parents=True, exist_ok=True)
                    with tempfile.TemporaryFile(dir=folder):
                        return folder
    return None  # not the temporary folder that all users share: what lies in a cache is run


class _OnDisk(NullCache):  # type: ignore[misc]
    """A cache of compiled code for numba: a file for each kind of processor and version of numba and Python.

    A file begins with the digest of the rest. One that is missing, empty, truncated or changed counts as none.
    """

    @property
    def cache_path(self) -> str | None:
        folder = cache_folder()
        return None if folder is None else str(folder)

    def load_overload(self, signature: Any, target: Any) -> Any:
        """The compiled function, or None, after a line on standard error, where it is to be compiled."""
        target.refresh()
        file = _file(signature, target.codegen())
        if file is None:
            print("Compiling the engine (about 20 s; it cannot be kept) ...", file=sys.stderr, flush=True)
            return None
        with suppress(Exception):  # whatever a file that is not ours makes its reader raise
            content = file.read_bytes()
            if content[:_DIGEST] == _digest(content[_DIGEST:]):
                return CompileResult._rebuild(target, *pickle.loads(content[_DIGEST:]))
        print("Compiling the engine, once for this installation (about 20 s) ...", file=sys.stderr, flush=True)
        return None

    def save_overload(self, signature: Any, made: Any) -> None:
        """Keep a compiled function; where that fails, for want of space for instance, it is not kept."""
        file = _file(signature, made.codegen)
        if file is None or made.library.has_dynamic_globals:
            return
        content = dumps(made._reduce())
        unfinished = file.with_name(f"{file.name}.{os.getpid()}.part")
        try:
            with unfinished.open("wb") as there:
                there.write(_digest(content) + content)
                there.flush()
                os.fsync(there.fileno())
            unfinished.replace(file)
        except OSError:
            with suppress(OSError):
                unfinished.unlink()


_DIGEST = 32


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _file(signature: Any, codegen: Any) -> Path | None:
    """Where the code for these types of arguments, this processor, numba and Python is kept."""
    folder = cache_folder()
    what = repr((str(signature), codegen.magic_tuple(), numba.__version__, sys.version_info[:2], sys.abiflags))
    return None if folder is None else folder / f"engine-{_digest(what.encode()).hex()[:16]}.compiled"
