"""Serve the notebook `experiments/explore.py` as an app, to this machine only."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from runpy import run_module

from sim.errors import InputError

HOST = "127.0.0.1"
PORT = 2718
_MOST_PORTS = 100
_M_ARENA_MAX = -8  # as in malloc.h


def notebook() -> Path:
    """The notebook: in a checkout the file that a reader opens, in an installed package a copy of it."""
    here = Path(__file__).resolve().parent
    for path in (here.parent / "experiments" / "explore.py", here / "notebook.py"):
        if path.is_file():
            return path
    raise InputError([f"{here / 'notebook.py'}: the app's notebook is missing; install the package again"])


def free_port(wanted: int = PORT) -> int:
    """The first port from `wanted` on that nobody listens to; raises `InputError` where a hundred are taken."""
    last = min(wanted + _MOST_PORTS, 2**16) - 1
    for port in range(wanted, last + 1):
        with socket.socket() as probe:
            if os.name != "nt":  # there it would allow a port that is taken
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise InputError([f"--port {wanted}: every port from {wanted} to {last} is taken"])


def check() -> None:
    """Raise `InputError` with one line where marimo is missing."""
    if find_spec("marimo") is None:
        raise InputError(["the app needs marimo, which is not installed: pip install marimo"])


def command(port: int, browser: bool) -> list[str]:
    """What marimo is called with: loopback only, code hidden, nothing installed or fetched."""
    asked = ["marimo", "--quiet", "--yes", "run", str(notebook()), "--no-sandbox", "--no-token"]
    return [*asked, "--host", HOST, "--port", str(port), *([] if browser else ["--headless"])]


def _one_heap() -> None:
    """Let all threads take memory from one heap, where the C library is glibc.

    Every visitor gets a thread. Each thread would get a heap, and a heap keeps what was freed in it: hundreds of
    megabytes more after a quarter of an hour.
    """
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):  # another C library
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def serve(port: int, browser: bool) -> None:
    """Run the app in this process until it is stopped, which ends the process."""
    sys.stdout.flush()
    _one_heap()
    sys.argv = command(port, browser)
    os.environ["MARIMO_SKIP_UPDATE_CHECK"] = "1"
    run_module("marimo", run_name="__main__", alter_sys=True)
