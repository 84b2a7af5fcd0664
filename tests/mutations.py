"""Bad input by the thousand: strategies that spoil valid studies, settings, files of patterns and folders of results.

Two levels: a tree, where values, names and structure are changed, and the bytes of a file, where anything is. What
comes out may still be valid; `attempts.py` says what has to hold of every case.
"""

from __future__ import annotations

import datetime
import io
import json
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache, reduce
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import tomli_w
from hypothesis import strategies as st

from sim import files
from sim.model.outcomes import OUTCOMES
from sim.model.parameters import LEVERS, MECHANISMS, PARAMETERS, REGIMES
from sim.study import store
from sim.worlds import evidence

Tree = dict[str, Any]
Steps = tuple[Any, ...]

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
SMALL = {"systems": 1, "organisations": 2, "managers": 3}
MARKUP = '<script>alert(1)</script>"><img src=x onerror=alert(1)>]]>&amp;'
TERMINAL = "\x1b[2J\x1b]0;owned\x07 \x9b31m \u202etxt.exe"
LONG = "x" * 2**20
OUTSIDE = ("../outside", "../../outside", "/outside", "..\\outside", "a/../../outside", "C:\\outside", "..")

NUMBERS = (
    0, -1, 1, 2, 3, 10**9, 10**12, 10**18, 2**63 - 1, 2**63, 10**30, 10**400, -(10**30), 0.0, -0.0, 0.5, 1.0, 1e-320,
    1e308, -1e308, 1e16, float("nan"), float("inf"), float("-inf"), True, False,
)  # fmt: skip
TEXTS = (
    "", " ", "0.5", "range", "null", "\n", "a\nb", "a\r\nb", "\x00", "\x7f", "\x85", "\u2028", "\u202eabc", "\u200b",
    "\ufeff", "é", "e\u0301", "ﬁ", "Ω − ∑", "𝟙", "١٢", "👩‍👩‍👧", "\ud800",
    "a" * 300, LONG, "%s %d {0} {{x}} $x$ \\N", "'; --",
    "=1+1", "=cmd|' /C calc'!A0", "@SUM(1)", "nan", "true", MARKUP, TERMINAL, *OUTSIDE,
)  # fmt: skip
NAMES = (
    "", "__class__", "__init__", "__dict__", "model_config", "model_fields", "self", "cls", "regime", "seed", "seeds",
    "kind", "cell", "name", "window", "months", "schedule", "mechanisms_off", "design", "parameters", "title", "groups",
    "local", "share", "where", "from", "together", "mechanisms", "choices", "samples", "levels", "precision", "series",
    "error", "month", "monitoring@1", "monitoring@36", "monitoring@0", "fear@12", "monitoring@99999999999", "a.b",
    "a\nb", "#", '"', "\x00", "\x1b[31m",
    "../x", "engine", "record_organisations", MARKUP, "ключ", "x" * 300,
)  # fmt: skip


def deep(levels: int, table: bool = False) -> Any:
    """A list in a list in a list, or a table in a table."""
    found: Any = {} if table else []
    for _ in range(levels):
        found = {"a": found} if table else [found]
    return found


ODD = (
    [], {}, [[]], [{}], {"": 0}, {"a": 1}, [0, 1], [0.1, 0.9], [0.9, 0.1], [0.5, 0.5], [float("nan"), 1.0],
    [True, False],
    ["light", "heavy"], ["heavy", "nowhere"], [1, "a", 2.0, [], {}], list(range(1000)), ["x"] * 200, deep(30),
    deep(30, True), deep(200), {"1": 0.5}, {"1": 0.5, "01": 0.5}, {"36": 0.9, "1e3": 1}, {"choices": [0.1, 0.9]},
    {"choices": []}, {"monitoring": {"1": 0.5}}, datetime.date(2026, 1, 1), datetime.time(1, 2), list(MECHANISMS),
    datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
)  # fmt: skip
WORDS = (*PARAMETERS, *OUTCOMES, *REGIMES, *MECHANISMS, "grid", "list", "lhs", "sobol", "morris")


def anything() -> st.SearchStrategy[Any]:
    """A value that TOML can hold and hardly anybody means."""
    return st.one_of(
        st.sampled_from(NUMBERS),
        st.sampled_from(TEXTS),
        st.sampled_from(ODD).map(deepcopy),
        st.sampled_from(WORDS),
        st.integers(),
        st.floats(),
        st.text(st.characters(codec=None), max_size=20),
        st.lists(st.sampled_from((*NUMBERS, *TEXTS[:20])), max_size=4),
    )


def keys() -> st.SearchStrategy[str]:
    """A name: of the model, of Python, misspelt, or none at all."""
    return st.one_of(
        st.sampled_from(NAMES),
        st.sampled_from(WORDS),
        st.sampled_from(WORDS).flatmap(lambda word: st.integers(0, len(word)).map(lambda k: word[:k] + word[k + 1 :])),
        st.builds("{}@{}".format, st.sampled_from([*LEVERS, "fear"]), st.integers(-1, 200)),
        st.text(max_size=10),
    )


def places(tree: Any, here: Steps = ()) -> Iterator[Steps]:
    """Where in a tree something may be changed: the steps to each value."""
    below = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for step, value in below:
        yield (*here, step)
        if len(here) < 6:
            yield from places(value, (*here, step))


def _holder(tree: Tree, steps: Steps) -> Any:
    for step in steps[:-1]:
        tree = tree[step]
    return tree


def _renamed(table: Tree, old: Any, new: str) -> None:
    """Another name in the same place."""
    items = [(new if name == old else name, value) for name, value in table.items()]
    table.clear()
    table.update(items)


@st.composite
def spoiled(draw: st.DrawFn, trees: st.SearchStrategy[Tree], most: int = 3) -> Tree:
    """A tree with some values replaced, dropped, added, doubled or renamed; perhaps with none."""
    tree = deepcopy(draw(trees))
    for _ in range(draw(st.integers(0, most))):
        where = list(places(tree))
        if not where:
            break
        steps = draw(st.sampled_from(where))
        holder, last = _holder(tree, steps), steps[-1]
        change = draw(st.sampled_from(("replace", "replace", "replace", "drop", "add", "double", "rename", "wrap")))
        if change == "replace":
            holder[last] = draw(anything())
        elif change == "drop":
            del holder[last]
        elif change == "wrap":
            holder[last] = draw(st.sampled_from(([holder[last]], {"a": holder[last]}, [holder[last]] * 3)))
        elif isinstance(holder, list):
            holder.insert(last, deepcopy(holder[last]) if change == "double" else draw(anything()))
        elif change == "rename":
            _renamed(holder, last, draw(keys()))
        else:
            holder[draw(keys())] = deepcopy(holder[last]) if change == "double" else draw(anything())
    return tree


@cache
def experiments() -> tuple[str, ...]:
    """The studies of the gallery as text."""
    return tuple(path.read_text(encoding="utf-8") for path in sorted(EXPERIMENTS.glob("*.toml")))


def _shrunk(table: Tree) -> Tree:
    """A study of the gallery in a size that takes no time."""
    table["seeds"] = 2
    table["parameters"] = table.get("parameters", {}) | SMALL
    design = table.get("design", {})
    for name in SMALL:
        if name in design:
            del table["parameters"][name]
            design[name] = [1, 2]
    design |= {name: {"lhs": 6, "sobol": 4, "morris": 3}[design["kind"]] for name in ("samples",) if name in design}
    if "precision" in table:
        table["precision"]["maximum"] = 4
    return table


@cache
def small_studies() -> tuple[Tree, ...]:
    """The studies of the gallery in a size that takes no time, and one with everything that a study may say."""
    full = {
        "title": "A study",
        "regime": "light",
        "seeds": 2,
        "seed": 7,
        "mechanisms_off": ["gaming"],
        "parameters": {**SMALL, "months": 12, "trust_invest": 0.1},
        "design": {"kind": "grid", "monitoring@3": [0.1, 0.9], "relationship": [0.1, 0.5]},
        "schedule": {"punitiveness": {"6": 0.9}},
        "local": [
            {"targets": 0.2, "organisations": [0], "from": 3, "to": 6},
            {"relationship": 0.8, "where": "fear > 0.3"},
        ],
        "outcomes": {"keep": ["fear", "quality"], "window": 4, "series": True, "organisations": True},
        "precision": {"outcome": "quality", "half_width": 0.01, "maximum": 4},
    }
    return (full, *(_shrunk(tomllib.loads(text)) for text in experiments()))


def studies() -> st.SearchStrategy[Tree]:
    """Small valid studies, as tables."""
    return st.sampled_from(small_studies())


def patterns() -> st.SearchStrategy[Tree]:
    """Valid files of patterns, as tables: some of those that come with the package."""
    shipped = tomllib.loads(evidence.SHIPPED.read_text(encoding="utf-8"))
    every = st.lists(st.sampled_from(shipped["pattern"]), min_size=1, max_size=3, unique_by=lambda table: table["id"])
    survey = shipped["survey"] | {"months": 12, "window": 6}
    return every.map(lambda chosen: {"survey": survey, "pattern": deepcopy(chosen)})


def as_toml(tree: Tree) -> bytes:
    """A tree as the bytes of a file, also where it holds what TOML cannot hold."""
    try:
        return tomli_w.dumps(tree).encode("utf-8", "surrogatepass")
    except (TypeError, ValueError, RecursionError, AttributeError):
        return repr(tree).encode("utf-8", "surrogatepass")


def _flipped(content: bytes, at: float, byte: int) -> bytes:
    k = int(at * len(content))
    return content[:k] + bytes([byte]) + content[k + 1 :]


def _lines(content: bytes, change: Callable[[list[bytes], int], None], at: float) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    change(lines, int(at * len(lines)))
    return b"".join(lines)


def _doubled(lines: list[bytes], k: int) -> None:
    lines.insert(k, lines[k])


def _swapped(lines: list[bytes], k: int) -> None:
    lines.append(lines.pop(k))


ADDED = (
    b"\x00", b"\xff\xfe", b"\n\n[design]\n", b"[[design]]\n", b"[parameters.months]\nx = 1\n", b'"\n', b"'''", b"[",
    b"a = " + b"[" * 10_000, b"a = " + b"{a=" * 10_000, b"a = " + b"[" * 300 + b"]" * 300 + b"\n",
    b"a." * 5_000 + b"a = 1\n", b"[" + b"a." * 5_000 + b"a]\n", b"[" + b".".join([b"'a'"] * 5_000) + b"]\n",
    b"title = '" + b"x" * 2**20 + b"'\n", b"# " + b"x" * 2**20 + b"\n", b"x" * 2**20,
    b"seeds = 0x" + b"F" * 5_000 + b"\n",
    b"seeds = " + b"9" * 5_000 + b"\n", b"seed = 1e999999\n", b"seeds = 1_000\n", b"seeds = 0o17\n", b"seed = -0\n",
    b"".join(b"k%d = 1\n" % k for k in range(3_000)),
    b"[parameters]\n" + b"".join(b"k%d = 1\n" % k for k in range(500)),
    b"[design]\nkind = 'grid'\n" + b"".join(b"'monitoring@%d' = [0.1, 0.9]\n" % k for k in range(1, 200)),
    b"[design]\nkind = 'lhs'\nsamples = 1000000\nmonitoring = 'range'\ngroups = ['fear', 'trust', 'careers']\n",
    b"[design]\nkind = 'sobol'\nsamples = 1048576\nmonitoring = [0.1, 0.9]\n", b"[design]\nkind = 'list'\n",
    b"[design]\nkind = 'grid'\nseeds = [1, 2]\n", b"[[design.cell]]\n" * 3_000, b"seeds = 1000000\n",
    b"\xef\xbb\xbf", b"title = '\xe9'\n", b"\r", b"\x1a", b"\x1b[31m", b"!!python/object/apply:os.system ['id']\n",
    b"cos\nsystem\n(S'id'\ntR.", b"__import__('os').system('id')\n",
)  # fmt: skip
WHOLE: dict[str, Callable[[bytes], bytes]] = {
    "UTF-16": lambda content: content.decode("utf-8", "replace").encode("utf-16"),
    "UTF-32": lambda content: content.decode("utf-8", "replace").encode("utf-32"),
    "Latin-1": lambda content: content.decode("utf-8", "replace").encode("latin-1", "replace") + b"# \xe9\n",
    "BOM": lambda content: b"\xef\xbb\xbf" + content,
    "BOM twice": lambda content: b"\xef\xbb\xbf" * 2 + content,
    "CRLF": lambda content: content.replace(b"\n", b"\r\n"),
    "CR": lambda content: content.replace(b"\n", b"\r"),
    "twice": lambda content: content + content,
    "nothing": lambda content: b"",
    "upper": lambda content: content.upper(),
    "NUL": lambda content: content.replace(b" ", b"\x00"),
    "backwards": lambda content: content[::-1],
}


@st.composite
def spoiled_bytes(draw: st.DrawFn, contents: st.SearchStrategy[bytes], most: int = 2) -> bytes:
    """The bytes of a file: flipped, cut off, put elsewhere, doubled, in another encoding, or with others among them."""
    content = draw(contents)
    share = st.floats(0.0, 0.999999)
    for _ in range(draw(st.integers(1, most))):
        change = draw(st.sampled_from(("flip", "flip", "cut", "line", "double", "add", "add", "add", "whole")))
        at = draw(share)
        if change == "flip":
            content = _flipped(content, at, draw(st.integers(0, 255)))
        elif change == "cut":
            content = content[: int(at * len(content))]
        elif change == "add":
            added, k = draw(st.sampled_from(ADDED)), draw(st.sampled_from((0.0, 1.0, at)))
            lines = content.splitlines(keepends=True)
            cut = int(k * len(lines))
            content = b"".join([*lines[:cut], added, *lines[cut:]])
        elif change == "whole":
            content = WHOLE[draw(st.sampled_from(sorted(WHOLE)))](content)
        else:
            content = _lines(content, _doubled if change == "double" else _swapped, at)
    return content


def study_bytes() -> st.SearchStrategy[bytes]:
    """Files of studies, spoiled byte by byte."""
    small = st.sampled_from([as_toml(tree) for tree in small_studies()])
    return spoiled_bytes(st.one_of(small, st.sampled_from([text.encode() for text in experiments()])))


def overrides() -> st.SearchStrategy[list[str]]:
    """What may follow --set."""
    value = st.one_of(anything().map(_as_value), st.sampled_from(("heavy", "[1, 2", "1\nseeds=2", "", "[" * 3_000)))
    dotted = st.builds("{}.{}".format, st.sampled_from(("parameters", "design", "a.b", "outcomes", "seeds")), keys())
    setting = st.builds("{}={}".format, st.one_of(keys(), dotted, st.just("a." * 3_000)), value)
    return st.lists(st.one_of(setting, keys()), min_size=1, max_size=3).map(_without_nul)


def _as_value(value: Any) -> str:
    return as_toml({"x": value}).decode("utf-8", "surrogatepass").partition("=")[2].strip()


def _without_nul(arguments: list[str]) -> list[str]:
    """No program can be given a null character."""
    return [text.replace("\0", "")[:100_000] for text in arguments]


def objects() -> st.SearchStrategy[Any]:
    """What Python can hand over and TOML cannot write."""
    made = (None, b"x", 1j, object, {1, 2}, (0.1, 0.2), range(3), lambda: 0, Ellipsis, NotImplemented)
    return st.one_of(st.sampled_from(made), st.builds(object), st.builds(iter, st.just((1, 2))), anything())


@st.composite
def arguments(draw: st.DrawFn) -> Tree:
    """Arguments of `sim.simulate`, some of them wrong."""
    found: Tree = {**SMALL, "months": 3, "seed": 0}
    for _ in range(draw(st.integers(1, 3))):
        chosen = st.sampled_from(("seed", "regime", "schedule", "local", "mechanisms_off", "engine"))
        name = draw(st.one_of(chosen, keys()))
        found[name] = draw(st.one_of(objects(), st.sampled_from((0.5, 1, "heavy", ["gaming"]))))
    if draw(st.booleans()):
        found["schedule"] = {draw(st.one_of(keys(), objects().filter(_hashable))): draw(months())}
    if draw(st.booleans()):
        wrong = st.dictionaries(st.one_of(st.sampled_from(("organisations", "to", "targets")), keys()), objects())
        found["local"] = [{"targets": 0.2, "share": 0.5} | draw(wrong)]
    return found


def months() -> st.SearchStrategy[Any]:
    """The plan of a lever."""
    return st.one_of(st.dictionaries(st.one_of(st.integers(-1, 5), anything().filter(_hashable)), objects()), objects())


def _hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def paths() -> st.SearchStrategy[str]:
    """What may follow --out, or be the name of a study."""
    odd = ("", ".", "a" * 300, "a/" * 200, "x\ny", "con", "nul.", " ", "-", "--", "é", "\ud800", "file.txt/below", "*")
    return st.one_of(st.sampled_from((*odd, *TEXTS[:12], MARKUP, TERMINAL)), st.text(max_size=20)).map(
        lambda text: text.replace("\0", "")
    )


def _anywhere(folder: Path, name: str) -> Path:
    return next(iter(sorted(folder.glob(name))), folder / name)


FILES = ("study.toml", "ledger", "runs/*.parquet", "series/*.parquet", "organisations/*.parquet", "summary.csv")


@st.composite
def spoiled_folders(draw: st.DrawFn, folder: Path) -> Callable[[Path], None]:
    """What spoils a folder of results: a file changed, taken away, or replaced by a folder, a link or another file."""
    name = draw(st.sampled_from(("study.toml", "study.toml", "ledger", "ledger", "ledger", *FILES)))
    content = _anywhere(folder, name).read_bytes()
    how = draw(st.sampled_from(("bytes", "bytes", "lines", "lines", "tree", "tree", "gone", "folder", "link", "empty")))
    spoiled_content = draw(spoiled_bytes(st.just(content)))
    line = draw(spoiled_lines(content)) if name == "ledger" else b""
    tree = draw(spoiled(st.just(tomllib.loads(content.decode())))) if name == "study.toml" else {}

    def spoil(where: Path) -> None:
        file = _anywhere(where, name)
        if how in ("gone", "folder", "link"):
            file.unlink()
        if how == "folder":
            file.mkdir()
        elif how == "link":
            file.symlink_to("../../outside")
        elif how == "tree" and tree:
            file.write_bytes(as_toml(tree))
        elif how in ("lines", "tree") and line:
            file.write_bytes(line)
        elif how != "gone":
            file.write_bytes(b"" if how == "empty" else spoiled_content)

    return spoil


@st.composite
def spoiled_lines(draw: st.DrawFn, content: bytes) -> bytes:
    """A ledger some of whose lines say something else, in valid JSON and without the sums that would tell."""
    lines = [json.loads(line) for line in content.splitlines()]
    k = draw(st.integers(0, len(lines) - 1))
    lines[k] = draw(spoiled(st.just({name: value for name, value in lines[k].items() if name != "check"})))
    return b"".join(json.dumps(line, default=str).encode() + b"\n" for line in lines)


Table = Callable[[pa.Table], pa.Table]
COLUMNS: tuple[tuple[Any, pa.DataType], ...] = (
    ("x", pa.string()), (MARKUP, pa.string()), (TERMINAL, pa.string()), (b"x", pa.binary()), (None, pa.null()),
    ([1.0], pa.list_(pa.float64())), ({"a": 1.0}, pa.struct({"a": pa.float64()})), (0, pa.timestamp("ms")),
    (float("nan"), pa.float64()), (float("inf"), pa.float64()), (-1.0, pa.float64()), (1e300, pa.float64()),
    (None, pa.float64()), (-1, pa.int64()), (2**62, pa.int64()), (2**31 - 1, pa.int32()), (0, pa.int8()),
    (65535, pa.uint16()), (True, pa.bool_()), (None, pa.int64()), ("x" * 2**16, pa.string()),
)  # fmt: skip
ROWS: dict[str, Table] = {
    "less": lambda rows: rows.slice(1),
    "none": lambda rows: rows.slice(0, 0),
    "one": lambda rows: rows.slice(0, 1),
    "twice": lambda rows: pa.concat_tables([rows, rows]),
    "backwards": lambda rows: rows.take(list(range(len(rows)))[::-1]),
    "many": lambda rows: pa.concat_tables([rows.slice(0, 1)] * 3_000),
}


@st.composite
def spoiled_tables(draw: st.DrawFn, most: int = 2) -> Table:
    """What spoils a table and leaves it one: a column of another kind or name, none or one more; other rows."""
    steps: list[Table] = []
    for _ in range(draw(st.integers(1, most))):
        how, at = (
            draw(st.sampled_from(("column", "column", "column", "drop", "rename", "add", "rows"))),
            draw(st.floats(0, 0.99)),
        )
        value, kind = draw(st.sampled_from(COLUMNS))
        name, rows = draw(st.sampled_from(NAMES)), ROWS[draw(st.sampled_from(sorted(ROWS)))]

        def step(table: pa.Table, how: str = how, at: float = at, value: Any = value, kind: Any = kind,
                 name: str = name, rows: Table = rows) -> pa.Table:  # fmt: skip
            if how == "rows" or not table.num_columns:
                return rows(table)
            k, column = int(at * table.num_columns), pa.array([value] * len(table), kind)
            if how == "drop":
                return table.remove_column(k)
            if how == "rename":
                return table.rename_columns([name if n == k else old for n, old in enumerate(table.column_names)])
            if how == "add":
                return table.append_column(name, column)
            return table.set_column(k, table.column_names[k], column)

        steps.append(step)
    return lambda table: reduce(lambda found, step: step(found), steps, table)


def as_parquet(table: pa.Table) -> bytes:
    """A table as the content of a file."""
    content = io.BytesIO()
    pq.write_table(table, content, compression="zstd")
    return content.getvalue()


def signed(folder: Path, change: Callable[[Tree], None] = lambda entry: None) -> None:
    """Write the ledger of a study anew after a change, with every digest as it has to be."""
    entries = [json.loads(line) for line in (folder / "ledger").read_text().splitlines()]
    for entry in entries:
        entry.pop("check", None)
        change(entry)
        for name in named if isinstance(named := entry.get("files"), dict) else ():
            path = folder / str(name) / f"{entry.get('done')}.parquet"
            if path.is_file():
                entry["files"][name] = files.digest(path.read_bytes())
    (folder / "ledger").write_bytes(b"".join(map(store._line, entries)))


@st.composite
def signed_folders(draw: st.DrawFn, folder: Path) -> Callable[[Path], None]:
    """What spoils a folder of results, after which every digest is right again."""
    kind = draw(st.sampled_from(("runs", "runs", "series", "organisations", "entry", "provenance")))
    change, entries = draw(spoiled_tables()), len((folder / "ledger").read_bytes().splitlines())
    lines = [json.loads(line) for line in (folder / "ledger").read_text().splitlines()]
    k = draw(st.integers(0, entries - 1))
    line = json.loads(json_of(draw(spoiled(st.just({n: value for n, value in lines[k].items() if n != "check"})))))
    text, raw = draw(st.sampled_from(JSONS)), draw(st.booleans())

    def spoil(where: Path) -> None:
        if kind == "entry":
            seen = iter(range(entries))
            signed(where, lambda entry: (entry.clear(), entry.update(line))[0] if next(seen) == k else None)  # type: ignore[func-returns-value]
            return
        path = _anywhere(where, f"{'runs' if kind == 'provenance' else kind}/*.parquet")
        table = pq.read_table(path)
        table = table.replace_schema_metadata({b"provenance": text}) if kind == "provenance" else change(table)
        content = as_parquet(table)
        path.write_bytes(content[: len(content) // 2] if raw and kind == "series" else content)
        signed(where)

    return spoil


JSONS = (b"", b"\xff", b"{", b"[1]", b"7", b"[" * 100_000, b'{"a": ' * 500 + b"1" + b"}" * 500, b'{"version": null}')


def json_of(tree: Any) -> bytes:
    """A tree as JSON, also where that cannot hold it."""
    return json.dumps(tree, default=str).encode("utf-8", "surrogatepass")


@st.composite
def spoiled_ensembles(draw: st.DrawFn, file: Path) -> Callable[[Path], None]:
    """What spoils a file of worlds: its columns, what it says of itself, or both."""
    table = pq.read_table(file)
    made = json.loads(table.schema.metadata[b"ensemble"])
    told = json_of(draw(spoiled(st.just(made)))) if draw(st.booleans()) else table.schema.metadata[b"ensemble"]
    change = draw(spoiled_tables()) if draw(st.booleans()) else lambda found: found
    return lambda where: _put(where / file.name, as_parquet(change(table).replace_schema_metadata({"ensemble": told})))


def _put(path: Path, content: bytes) -> None:
    path.write_bytes(content)


@st.composite
def spoiled_answers(draw: st.DrawFn, file: Path) -> Callable[[Path], None]:
    """What spoils an answer to the claims: one of its tables, or what is told of them."""
    with zipfile.ZipFile(file) as kept:
        contents = {name: kept.read(name) for name in kept.namelist()}
    name = draw(st.sampled_from([*sorted(contents), *["answer.json"] * 10, *["claims.parquet"] * 10]))
    if name.endswith(".json"):
        contents[name] = json_of(draw(spoiled(st.just(json.loads(contents[name])))))
    elif draw(st.integers(0, 9)):
        contents[name] = as_parquet(draw(spoiled_tables())(pq.read_table(io.BytesIO(contents[name]))))
    else:
        del contents[name]

    def spoil(where: Path) -> None:
        with zipfile.ZipFile(where / file.name, "w", zipfile.ZIP_DEFLATED) as kept:
            for member, content in contents.items():
                kept.writestr(member, content)

    return spoil
