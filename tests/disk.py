"""A disk that notes every call that changes it, and lays out every folder that a crash in between may leave behind.

What is assumed of the disk is what POSIX promises and no more. What was written to a file before that file was synced
may be there whole, in part, as zeros of the right length, or not at all. What was done to the names in a folder before
that folder was synced (made, renamed, removed) may have happened or not, each for itself: in any order. A rename within
a folder happens as a whole; one into another folder is a new name there and an old one less here. What was synced is
there. So a file system that keeps an order of its own, as most do, leaves one of these states behind as well.

The same layer can make one call fail: the n-th of all that are made in the folder that is watched.
"""

from __future__ import annotations

import errno
import io
import itertools
import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sim import files

ROOT = 0
"""The node of the folder that is watched."""
MOST_STATES = 2**13
"""A moment with more ways to crash than this means that the work recorded is too large: none is left out in silence."""
Tree = dict[str, bytes | None]
"""The files below a folder by path, with their contents; None for a folder."""


@dataclass(frozen=True)
class Names:
    """Names that changed in one step: of each the folder, the name, and its new node, or None where it is gone."""

    names: tuple[tuple[int, str, int | None], ...]


@dataclass(frozen=True)
class Written:
    """Bytes that were written to a file, and where."""

    file: int
    at: int
    content: bytes


@dataclass(frozen=True)
class Synced:
    """A file or folder all of whose earlier changes are now on the disk."""

    node: int


Change = Names | Written | Synced


@dataclass
class Promise:
    """From a moment on, something must hold of the folder after whatever crash; until it is withdrawn."""

    holds: Callable[[Path], bool]
    begins: int
    ends: float = math.inf


@dataclass
class Disk:
    """What happened below `root`: `changes` in their order, and which nodes are folders."""

    root: Path
    changes: list[Change] = field(default_factory=list)
    folders: set[int] = field(default_factory=lambda: {ROOT})
    calls: list[str] = field(default_factory=list)
    fails: int | None = None
    error: int = 0
    failed: str = ""
    promises: list[Promise] = field(default_factory=list)
    _nodes: dict[int, int] = field(default_factory=dict)
    _short: int = 0

    def called(self, what: str, path: object) -> None:
        """Count a call in the folder; raises `OSError` where it is the one that fails."""
        self.calls.append(f"{what} {path}")
        if len(self.calls) - 1 == self.fails:
            self.failed = self.calls[-1]
            raise OSError(self.error, os.strerror(self.error))

    def watches(self, path: Any) -> bool:
        """Whether a path lies below the root."""
        return isinstance(path, str | Path) and str(path).startswith(f"{self.root}{os.sep}")

    def folder_of(self, path: Path) -> int:
        """The node of the folder that holds a path."""
        return ROOT if path.parent == self.root else self.node(os.stat(path.parent).st_ino)

    def node(self, inode: int) -> int:
        """The number of a file or folder that is known."""
        return self._nodes[inode]

    def is_known(self, inode: int) -> bool:
        """Whether a file or folder was made below the root, or is the root."""
        return inode in self._nodes

    def promise(self, holds: Callable[[Path], bool]) -> None:
        """From now on this must hold."""
        self.promises.append(Promise(holds, len(self.changes)))

    def withdraw(self) -> None:
        """What was promised is about to be removed on purpose."""
        for promise in self.promises:
            promise.ends = min(promise.ends, len(self.changes))

    def promised(self, moment: int) -> list[Promise]:
        """What must hold of a folder that a crash at a moment left."""
        return [promise for promise in self.promises if promise.begins <= moment <= promise.ends]

    def settle(self) -> None:
        """Long after: everything so far is on the disk."""
        self.changes += [Synced(node) for node in (ROOT, *self._nodes.values())]

    def born(self, inode: int, is_folder: bool = False) -> int:
        """A number for a new file or folder; the system may give its inode a second time."""
        number = self._nodes[inode] = 1 + len(self.changes)
        if is_folder:
            self.folders.add(number)
        return number


class _Raw(io.FileIO):
    """An open file below the root: each of its calls is noted, or fails."""

    def __init__(self, disk: Disk, path: Path, mode: str, opener: Any) -> None:
        new = not path.exists()
        super().__init__(path, mode, opener=opener)
        self._disk, self._file = disk, path
        if new:
            disk.changes.append(Names(((disk.folder_of(path), path.name, disk.born(os.fstat(self.fileno()).st_ino)),)))

    def write(self, content: Any) -> int:
        end = "a" in self.mode
        at = os.fstat(self.fileno()).st_size if end else self.tell()
        if len(self._disk.calls) == self._disk.fails and not self._disk._short:  # a full disk takes a part first
            content, self._disk._short, self._disk.fails = (
                bytes(content)[: len(content) // 2],
                1,
                len(self._disk.calls) + 1,
            )
        self._disk.called("write", self._file)
        done = super().write(content)
        node = self._disk.node(os.fstat(self.fileno()).st_ino)
        self._disk.changes.append(Written(node, at, bytes(content)[:done]))
        return done

    def readinto(self, buffer: Any) -> int:
        self._disk.called("read", self._file)
        return super().readinto(buffer)

    def readall(self) -> bytes:
        self._disk.called("read", self._file)
        return super().readall()


def _opening(disk: Disk) -> Callable[..., Any]:
    """In the place of `io.open`."""
    opened = io.open

    def open_(path: Any, mode: str = "r", buffering: int = -1, *more: Any, opener: Any = None, **named: Any) -> Any:
        if not disk.watches(path) or "b" not in mode:
            return opened(path, mode, buffering, *more, opener=opener, **named)
        disk.called("open", path)
        raw = _Raw(disk, Path(path), mode.replace("b", ""), opener)
        return (io.BufferedRandom if "+" in mode else io.BufferedReader if "r" in mode else io.BufferedWriter)(raw)

    return open_


@contextmanager
def watched(root: Path) -> Iterator[Disk]:
    """Note what is done below a folder, which is made; the call of the number `fails` fails with `error`, once."""
    root.mkdir()
    disk = Disk(root)
    disk._nodes[os.stat(root).st_ino] = ROOT
    plain = {name: getattr(os, name) for name in ("replace", "unlink", "mkdir", "rmdir", "fsync", "scandir", "listdir")}

    def replace(old: Any, new: Any) -> None:
        if not disk.watches(new):
            return plain["replace"](old, new)
        disk.called("rename", new)
        old, new = Path(old), Path(new)
        node, here, there = disk.node(os.stat(old).st_ino), disk.folder_of(old), disk.folder_of(new)
        plain["replace"](old, new)
        disk.changes.append(Names(((there, new.name, node), (here, old.name, None))))

    def removing(name: str) -> Callable[..., None]:
        def remove(path: Any, **named: Any) -> None:
            if not disk.watches(path):
                return plain[name](path, **named)
            disk.called(name, path)
            folder = disk.folder_of(Path(path))
            plain[name](path, **named)
            disk.changes.append(Names(((folder, Path(path).name, None),)))

        return remove

    def mkdir(path: Any, *more: Any, **named: Any) -> None:
        if not disk.watches(path):
            return plain["mkdir"](path, *more, **named)
        disk.called("mkdir", path)
        plain["mkdir"](path, *more, **named)
        folder, node = disk.folder_of(Path(path)), disk.born(os.stat(path).st_ino, is_folder=True)
        disk.changes.append(Names(((folder, Path(path).name, node),)))

    def fsync(descriptor: int) -> None:
        if disk.is_known(inode := os.fstat(descriptor).st_ino):
            disk.called("fsync", str(disk.node(inode)))
            disk.changes.append(Synced(disk.node(inode)))  # a real sync would prove nothing here, and take its time

    def listing(name: str) -> Callable[..., Any]:
        def listed(path: Any = ".", *more: Any) -> Any:
            if disk.watches(path):
                disk.called(name, path)
            return plain[name](path, *more)

        return listed

    def flock(file: Any, how: int) -> None:
        if disk.is_known(os.fstat(file if isinstance(file, int) else file.fileno()).st_ino):
            disk.called("flock", "")
        plain_lock(file, how)

    with pytest.MonkeyPatch.context() as patch:
        if hasattr(files, "fcntl"):
            plain_lock = files.fcntl.flock
            patch.setattr(files.fcntl, "flock", flock)
        patch.setattr(files, "open", _opening(disk), raising=False)
        patch.setattr(io, "open", files.open)  # type: ignore[attr-defined]
        new = {"replace": replace, "rename": replace, "mkdir": mkdir, "fsync": fsync}
        new |= {name: removing(name) for name in ("unlink", "rmdir")} | {n: listing(n) for n in ("scandir", "listdir")}
        for name, instead in new.items():
            patch.setattr(os, name, instead)
        yield disk


def crashes(disk: Disk, first: int = 0) -> list[tuple[Tree, int]]:
    """Every state, each once, in which a crash at any moment from the `first` change on may leave the disk, with the
    last such moment: how many changes had been made."""
    found: dict[frozenset[tuple[str, bytes | None]], tuple[Tree, int]] = {}
    for moment in range(first, len(disk.changes) + 1):
        past = disk.changes[:moment]
        last = {change.node: number for number, change in enumerate(past) if isinstance(change, Synced)}
        choices = [
            ways(change, {node for node, when in last.items() if when > number})
            for number, change in enumerate(past)
            if not isinstance(change, Synced)
        ]
        if math.prod(map(len, choices)) > MOST_STATES:
            raise ValueError(f"{math.prod(map(len, choices))} states after {moment} changes: record less")
        for chosen in itertools.product(*choices):
            tree = laid([change for change in chosen if change is not None], disk.folders)
            found[frozenset(tree.items())] = tree, moment
    return list(found.values())


def ways(change: Names | Written, synced: set[int]) -> Sequence[Names | Written | None]:
    """What a crash may leave of a change, after which these files and folders were synced."""
    if isinstance(change, Names):
        (new, *_), (*_, old) = change.names, change.names
        if new[0] == old[0] or old[0] in synced:
            return [change] if old[0] in synced else [change, None]
        return [change, Names((new,)), *([] if new[0] in synced else [None])]
    if change.file in synced:
        return [change]
    half, length = change.content[: len(change.content) // 2], len(change.content)
    torn = (half, bytes(length), half + bytes(length - len(half)), bytes(len(half)) + change.content[len(half) :])
    return [change, None, *(Written(change.file, change.at, content) for content in torn)]


def laid(changes: Sequence[Names | Written], folders: set[int]) -> Tree:
    """The tree after some changes."""
    contents: dict[int, bytearray] = {}
    names: dict[int, dict[str, int]] = {}
    for change in changes:
        if isinstance(change, Names):
            for folder, name, node in change.names:
                if node is None:
                    names.get(folder, {}).pop(name, None)
                else:
                    names.setdefault(folder, {})[name] = node
        else:
            content = contents.setdefault(change.file, bytearray())
            content.extend(bytes(max(0, change.at - len(content))))  # a hole
            content[change.at : change.at + len(change.content)] = change.content
    tree: Tree = {}
    below = [("", ROOT)]
    while below:
        prefix, folder = below.pop()
        for name, node in names.get(folder, {}).items():
            tree[prefix + name] = None if node in folders else bytes(contents.get(node, b""))
            if node in folders:
                below.append((f"{prefix}{name}/", node))
    return tree


def lay(tree: Tree, root: Path) -> None:
    """Make a folder that holds a tree."""
    root.mkdir()
    for name, content in sorted(tree.items()):
        if content is None:
            (root / name).mkdir()
        else:
            (root / name).write_bytes(content)


def tree_of(root: Path) -> Tree:
    """All that a folder holds."""
    return {path.relative_to(root).as_posix(): None if path.is_dir() else path.read_bytes() for path in root.rglob("*")}


ERRORS = (errno.ENOSPC, errno.EACCES, errno.EIO, errno.EINVAL, errno.EINTR)
"""How a call may fail: a full disk, no permission, a broken disk, a file system that cannot do it, an interruption."""
