"""Every file that this program writes goes through here: whole, synced, and never over what is somebody else's.

A folder of ours carries a mark, ``manifest.json``, which says what it holds and lists every file that was written into
it with its digest. What is not listed is not ours: it is neither replaced nor deleted, and a folder without a mark is
refused unless it is empty. The mark of a study is its ledger (`sim.study.store`).
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
import stat
import sys
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO

from sim.errors import InputError, place

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[Any]]

OURS = "leadership-sim"
"""What every manifest, page and picture of this program holds."""
MANIFEST, LEDGER, LOCK = "manifest.json", "ledger", "lock"
FORMULA = "=+-@"
"""A spreadsheet computes a text that begins with one of these."""
MOST_BYTES = 2**28
"""A file of ours that is larger than this, chunks of a study apart, is not read."""
STALE = 3600.0
"""Seconds after which a file that somebody was writing, and that is still not whole, is nobody's any more."""
MOST_CONTENT = 2**29
"""Bytes that a file of ours may become in memory: what a small file says that it holds is not believed beyond."""
_PART = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{8}\.part")
_NAME = re.compile(r"\w[\w.-]*")
_UNSYNCED = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}


def digest(content: bytes) -> str:
    """A hash of a file's content, 32 hexadecimal digits."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


@contextmanager
def explained(path: Path | str, done: str = "written") -> Iterator[None]:
    """Turn an `OSError` in the block into an `InputError` with one line: the path cannot be written, and why."""
    try:
        if "\0" in str(path):
            raise OSError("a null character in its name")
        yield
    except OSError as error:
        why = error.strerror or " ".join(str(error).split())[:200]
        raise InputError([f"{place(Path(path))}: cannot be {done}: {why}"]) from None


def opened(path: Path) -> BinaryIO:
    """A regular file, to be read; raises `OSError` for a pipe or a device, which might never end."""
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0)))  # noqa: SIM115
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "not a regular file")
    return file


def read(path: Path, most: int = MOST_BYTES) -> bytes:
    """The content of a regular file; raises `OSError` for anything else, and for more than `most` bytes."""
    with opened(path) as file:
        content = file.read(min(os.fstat(file.fileno()).st_size, most) + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"larger than {most >> 20} MiB")
    return content


def write(path: Path, content: bytes) -> None:
    """Write a file, in the place of one of the same name, so that it is there as a whole or not at all."""
    temporary = _staged(path, content)
    try:
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)


def write_new(path: Path, content: bytes, mark: bytes = b"") -> None:
    """Write a file where a user asked for it; what is there already is replaced only where it holds `mark`, ours.

    Raises `InputError` with one line where something else is there, and where the file cannot be written.
    """
    check_new(path, mark)
    with explained(path):
        sweep(path.parent, {path.name}, STALE)
        write(path, content)


def check_new(path: Path, mark: bytes = b"") -> None:
    """Raise `InputError` where `write_new` would not replace what is there."""
    with explained(path):
        if os.path.lexists(path) and (path.is_symlink() or not mark or mark not in read(path)):
            raise InputError([f"{place(path)}: is there already, and is left as it is; choose another name"])


def make(folder: Path) -> None:
    """Make a folder and those above it, so that a power cut does not take them away again."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in reversed(missing):
        sync(path.parent)


def sweep(folder: Path, names: Iterable[str], age: float = 0.0) -> None:
    """Remove what a killed process left of these files, half-written, and did not touch for `age` seconds, which is 0
    only where nobody else writes."""
    for path in list(folder.glob(".*.part")):
        if (found := _PART.fullmatch(path.name)) and found["name"] in names and path.is_file():
            with suppress(FileNotFoundError):  # whoever wrote it has just finished
                if not age or time.time() - path.stat().st_mtime > age:
                    path.unlink()


def _staged(path: Path, content: bytes) -> Path:
    """A new file beside `path` with this content, safely on the disk."""
    temporary = path.with_name(f".{path.name[:80]}.{token_hex(4)}.part")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def sync(folder: Path) -> None:
    """Have the names in a folder on the disk; some file systems cannot do that for a folder, and need not."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _UNSYNCED:
            raise
    finally:
        os.close(descriptor)


def unzipped(content: bytes) -> dict[str, bytes]:
    """The files in a zip by name. Raises `ValueError` where they would be larger than `MOST_CONTENT` together, and for
    a damaged file whatever its reader raises."""
    with zipfile.ZipFile(io.BytesIO(content)) as kept:
        every = kept.infolist()
        if sum(file.file_size for file in every) > MOST_CONTENT:
            raise ValueError("larger than it may be")
        found = {}
        for file in every:
            with kept.open(file) as part:
                found[file.filename] = part.read(file.file_size)
        return found


def parquet(content: bytes) -> pa.Table:
    """The table in a Parquet file. Raises `ValueError` where it would be larger than `MOST_CONTENT`, and for a damaged
    file whatever its reader raises."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    file = pq.ParquetFile(pa.BufferReader(content))
    footer, schema = file.metadata, file.schema_arrow
    texts = [c.name for c in schema if c.type in (pa.string(), pa.large_string())]
    groups = [footer.row_group(k).total_byte_size for k in range(footer.num_row_groups)]
    if max(footer.num_rows * footer.num_columns * 8, sum(groups)) > MOST_CONTENT:
        raise ValueError("larger than it may be")
    if not texts:
        return file.read()
    table = pq.ParquetFile(pa.BufferReader(content), read_dictionary=texts).read()
    for name in texts:  # one that is repeated takes little here, and is spelled out below
        for part in table[name].chunks:
            if len(part) * (pc.max(pc.binary_length(part.dictionary)).as_py() or 0) > MOST_CONTENT:
                raise ValueError("larger than it may be")
    return table.cast(schema)


def csv(table: pd.DataFrame) -> bytes:
    """A table as CSV, with an apostrophe in front of texts that a spreadsheet would compute."""
    formula = rf"^(?=[{re.escape(FORMULA)}\t\r])"
    texts = table.select_dtypes(exclude="number")
    safe = {str(name): column.replace(formula, "'", regex=True) for name, column in texts.items()}
    return table.assign(**safe).to_csv(index=False).encode()


class Folder:
    """A folder with our mark, or one that may become ours.

    `what` says what it holds, "the answer of sim claim" for instance, and a folder that holds something else is
    refused; `marked` says that it is known to be ours by another mark. `of` is what its files were made of, as `fill`
    was told; `files` are the names of those that are ours, with digests, "" for one that was still being written.

    Raises `InputError` with one line for a folder of somebody else's, or that cannot be read. Writes nothing.
    """

    def __init__(self, path: Path | str, what: str, marked: bool = False) -> None:
        self.path, self.what, self.of = Path(path), what, ""
        self.files: dict[str, str] = {}
        with explained(self.path):
            found = _manifest(self.path)
            if found is None and not marked:
                refuse(self.path, others(self.path))
        if found is None:
            return
        if found["what"] != what:
            raise InputError([f"{place(self.path)}: holds {found['what']}, not {what}; choose another folder"])
        self.of, self.files = found["of"], found["files"]

    def check(self) -> None:
        """Raise `InputError` unless files can be written here; a folder that is missing is not made."""
        with explained(self.path):
            if self.path.exists() and not self.path.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, "it is a file")
            above = next(path for path in (self.path, *self.path.absolute().parents) if os.path.lexists(path))
            with TemporaryFile(dir=above):
                pass  # which has no name that a killed process could leave behind

    def reserve(self, names: Iterable[str], of: str | None = None) -> None:
        """List files as ours before they are written; `of` is "" until they are.

        Raises `InputError` for a name that a file of somebody else's has.
        """
        of = self.of if of is None else of
        new = [name for name in names if name not in self.files]
        with explained(self.path):
            make(self.path)
            if taken := [name for name in new if os.path.lexists(self.path / name)]:
                raise InputError([f"{place(self.path / taken[0])}: is not this program's; move it elsewhere"])
            if new or of != self.of or not (self.path / MANIFEST).exists():
                self.files |= dict.fromkeys(new, "")
                self._note(of)

    def fill(self, contents: Mapping[str, bytes], of: str = "") -> list[Path]:
        """Write files, remove those that were written before and are no more, and return the paths.

        Each is replaced in one step. Raises `InputError` for a name that a file of somebody else's has, and for a full
        disk; what was there then stays listed, and `is_fresh` says no.
        """
        self.reserve(contents, of="")
        with explained(self.path):
            sweep(self.path, {MANIFEST, *self.files}, STALE)
            staged: dict[str, Path] = {}
            try:
                for name, content in contents.items():
                    staged[name] = _staged(self.path / name, content)
                for name, path in staged.items():
                    os.replace(path, self.path / name)
            finally:
                for path in staged.values():
                    path.unlink(missing_ok=True)
            for name in self.files.keys() - contents.keys():
                (self.path / name).unlink(missing_ok=True)
            sync(self.path)  # or a crash could bring back a file that is on no list any more
            self.files = {name: digest(content) for name, content in contents.items()}
            self._note(of)
        return [self.path / name for name in contents]

    def is_fresh(self, of: str, names: Iterable[str]) -> bool:
        """Whether these files are there as they were written, and were made of this."""
        return self.of == of and all(self.content(name) is not None for name in names)

    def content(self, name: str) -> bytes | None:
        """The content of a file, or None where it is not there as it was written."""
        with suppress(OSError):
            if digest(found := read(self.path / name)) == self.files.get(name):
                return found
        return None

    def _note(self, of: str) -> None:
        self.of = of
        told = {"made_by": OURS, "what": self.what, "of": self.of, "files": self.files}
        write(self.path / MANIFEST, json.dumps(told, indent=1).encode() + b"\n")

    def put(self, name: str, content: bytes) -> None:
        """Write one file beside those that are there."""
        self.reserve([name])
        with explained(self.path):
            write(self.path / name, content)
            self.files[name] = digest(content)
            self._note(self.of)

    def arrays(self, name: str, compute: Callable[[], Arrays]) -> Arrays:
        """The arrays of a name, as they were kept, or else computed and kept; a damaged file is made again."""
        import numpy as np  # noqa: PLC0415

        file = f"{name}.npz"
        if (found := self.content(file)) is not None:
            with suppress(Exception):  # whatever damage raises
                kept = {
                    array.removesuffix(".npy"): np.lib.format.read_array(io.BytesIO(values), allow_pickle=False)
                    for array, values in unzipped(found).items()
                }
                if kept:
                    return kept
        arrays, buffer = compute(), io.BytesIO()
        np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
        self.put(file, buffer.getvalue())
        return arrays


@contextmanager
def keeping(folder: Path, what: str) -> Iterator[Folder]:
    """A folder of ours to oneself, where interrupted work keeps what is done (`Folder.arrays`).

    Raises `InputError` where the folder is somebody else's, or where another process works on it.
    """
    Folder(folder, what)  # whose is it?
    with locked(folder):
        kept = Folder(folder, what)
        sweep(folder, {MANIFEST, *kept.files})
        for name in [name for name, of in kept.files.items() if not of]:  # was being written when a process was killed
            (folder / name).unlink(missing_ok=True)
            del kept.files[name]
        kept.reserve([])
        yield kept


def forget(folder: Path) -> None:
    """Remove what `keeping` wrote, and the folder, unless somebody has put something else into it."""
    with suppress(OSError):
        if (found := _manifest(folder)) is not None:
            for name in found["files"]:
                (folder / name).unlink(missing_ok=True)
            sync(folder)  # or a crash could bring back files without the list that says whose they are
            for name in (MANIFEST, LOCK):
                (folder / name).unlink(missing_ok=True)
            folder.rmdir()


def _manifest(folder: Path) -> dict[str, Any] | None:
    """What a folder's manifest says, or None where it has none of ours."""
    with suppress(FileNotFoundError, ValueError, RecursionError):
        found = json.loads(read(folder / MANIFEST))
        if isinstance(found, dict) and found.get("made_by") == OURS and isinstance(files := found.get("files"), dict):
            plain = {name: str(of) for name, of in files.items() if _NAME.fullmatch(name) and name != MANIFEST}
            return {"what": str(found.get("what")), "of": str(found.get("of")), "files": plain}
    return None


def held(folder: Path) -> str | None:
    """What a folder of ours holds, as its mark says; None for a folder without one, or that cannot be read."""
    with suppress(OSError):
        return (_manifest(folder) or {}).get("what")
    return None


def others(folder: Path) -> list[str]:
    """What somebody else has in a folder without our mark: all but folders of ours, and what a killed process left,
    which may be a folder with nothing in it yet. A file that is half-written has the name that it was to have."""

    def name(path: Path) -> str:
        return found["name"] if (found := _PART.fullmatch(path.name)) else path.name

    def is_ours(path: Path) -> bool:
        if path.is_dir():
            return not path.is_symlink() and (_manifest(path) is not None or not others(path))
        is_mark = name(path) != path.name and name(path) in (MANIFEST, LEDGER)
        return is_mark or (path.name == LOCK and not path.stat().st_size)

    with suppress(FileNotFoundError):
        return [name(path) for path in sorted(folder.iterdir()) if not is_ours(path)]
    return []


def refuse(folder: Path, left: Sequence[str]) -> None:
    """Raise `InputError` with one line for a folder in which somebody else's files are `left`."""
    if left:
        raise InputError([f"{place(folder)}: holds other files ({left[0]}); choose another folder"])


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the file ``lock`` in a folder, which is made where it is missing, until the block or the process ends.

    Raises `InputError` with one line where somebody else holds it, and where the folder cannot be written.
    """
    with explained(folder):
        make(folder)
        file = (folder / LOCK).open("ab")
    with file:
        try:
            _acquire(file)
        except (BlockingIOError, PermissionError):
            raise InputError([f"{place(folder)}: another process is writing here; wait until it is done"]) from None
        except OSError:  # a file system without locks, as some clusters have
            told = f"{place(folder)}: its file system has no locks; see to it that no other process writes there"
            print(f"sim: {told}", file=sys.stderr, flush=True)
        _held.add(file)
        try:
            yield
        finally:
            _held.discard(file)


def _acquire(file: BinaryIO) -> None:
    if sys.platform == "win32":
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


_held: set[BinaryIO] = set()


def _let_go() -> None:
    """Close the locks of a parent: they would be held for as long as its children live, and it may be killed first."""
    for file in _held:
        file.close()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
