"""No way in: files are data and run no code, pages and terminals show markup instead of obeying it, paths stay inside.

What is trusted, and has to be: the machine code that numba keeps in the user's own cache folder, and a Dask cluster,
whose workers and scheduler run what they send each other.
"""

from __future__ import annotations

import ast
import io
import json
import os
import pickle
import stat
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import attempts
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mutations import MARKUP, SMALL, TERMINAL, as_toml

import sim
from sim.errors import InputError, visible
from sim.files import digest
from sim.model import compiling as compiled
from sim.plots import theme
from sim.report import html as report
from sim.report.study import save
from sim.study import Results, store
from sim.worlds import ensemble, evidence

ROOT = Path(__file__).parents[1]
MODULES = sorted([*ROOT.glob("sim/**/*.py"), *ROOT.glob("experiments/**/*.py")])
BANNED = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml", "code"}
KNOWN = {"sim/model/compiling.py": ["import pickle"], "sim/model/version.py": [".compile"],
         "experiments/benchmarks/mutants.py": [".compile"], "sim/model/engine.py": [".exec"],
         "sim/report/live/build.py": [".exec", "made.compile"],
         "sim/report/html.py": ["Markup"]}  # fmt: skip
"""Machine code from the user's own cache, as numba keeps it; our own sources, compiled to compare, not run; a function
that reads a named tuple, made of the names of its fields, and the page's entry, of those of the engine's arguments; the
live page's scripts and style, which are ours, and its data as JSON without a "<"."""
RUNNERS = {"eval", "exec", "compile", "__import__", "input", "read_pickle", "to_pickle", "popen", "execfile"}


def ways_in(source: str) -> Iterator[str]:
    """What in a module could run what a file says."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (f"import {n.name}" for n in node.names if n.name.split(".")[0] in BANNED)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in BANNED:
            yield f"from {node.module}"
        elif isinstance(node, ast.Call):
            yield from _called(node)


def _called(node: ast.Call) -> Iterator[str]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    owner = getattr(node.func.value, "id", "") if isinstance(node.func, ast.Attribute) else ""
    given = {word.arg: word.value for word in node.keywords}
    if name in RUNNERS and not (name == "compile" and owner == "re"):
        yield f"{owner}.{name}"
    if (owner, name) == ("os", "system") or (owner == "os" and name.startswith(("exec", "spawn"))):
        yield f"os.{name}"
    if "allow_pickle" in given and not _is(given["allow_pickle"], False):  # the default
        yield "allow_pickle"
    if "shell" in given and not _is(given["shell"], False):
        yield "shell=True"
    if (owner, name) == ("jinja2", "Environment") and not _is(given.get("autoescape"), True):
        yield "templates that escape nothing"
    if name == "Markup":
        yield "Markup"


def _is(node: ast.AST | None, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


@pytest.mark.parametrize(
    "line",
    [
        "import pickle", "from dill import loads", "eval(x)", "os.system(x)", "run(x, shell=True)",
        "pd.read_pickle(x)", "jinja2.Environment()", "np.load(x, allow_pickle=True)", "__import__(x)",
    ],
)  # fmt: skip
def test_a_way_in_would_be_noticed(line: str) -> None:
    assert list(ways_in(line))


def test_no_module_can_run_what_a_file_says() -> None:
    assert len(MODULES) > 60
    found = {path.relative_to(ROOT).as_posix(): sorted(ways_in(path.read_text("utf-8"))) for path in MODULES}
    assert {name: ways for name, ways in found.items() if ways} == KNOWN


def test_no_template_marks_anything_as_safe_and_that_of_reports_has_no_script() -> None:
    templates = {path.name: path.read_text("utf-8") for path in ROOT.glob("sim/**/*.j2")}
    for text in templates.values():
        assert "|safe" not in text.replace(" ", "")
        assert "autoescape false" not in text
    assert "<script" not in templates["report.html.j2"]


# What is run nevertheless


def test_the_cache_of_machine_code_can_be_written_by_its_owner_only() -> None:
    folder = compiled.cache_folder()
    if folder is None or os.name != "posix":
        pytest.skip("no cache, or no owners")
    for path in (folder, *folder.rglob("*")):
        found = path.stat()
        assert found.st_uid == os.getuid()
        assert not found.st_mode & stat.S_IWOTH, path


WATCH = """
import sys
sys.argv[0] = "sim"
def note(event, arguments):
    if event in ("pickle.find_class", "os.system", "subprocess.Popen", "os.exec", "socket.connect", "socket.bind"):
        print("audited", event, str(arguments)[:200], file=sys.stderr)
sys.addaudithook(note)
from sim.cli import main
main()
"""


@pytest.mark.slow
def test_nothing_is_unpickled_but_numbas_own_cache_and_no_program_is_started_but_git(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_bytes(_study_text("plain"))
    for arguments in (["check", "study.toml"], ["run", "study.toml", "--out", "out"], ["show", "out"], ["worlds"]):
        done = subprocess.run(
            [sys.executable, "-c", WATCH, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        events = [line for line in done.stderr.splitlines() if line.startswith("audited ")]
        unpickled = [line.split("'")[1] for line in events if "pickle.find_class" in line]
        assert {name.split(".")[0] for name in unpickled} <= {"numba", "llvmlite", "builtins", "collections", "_codecs",
                                                               "copyreg", "numpy", "sim"}  # fmt: skip
        started = [line for line in events if "pickle" not in line]
        assert all("subprocess.Popen" in line and "git" in line for line in started), started


# Files are data


class Bomb:
    """An object that leaves a file behind when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return Path.touch, (self.file,)


def test_pickles_in_the_place_of_files_are_refused_and_not_opened(tmp_path: Path) -> None:
    bomb = pickle.dumps(Bomb(tmp_path / "boom"))
    (tmp_path / "bomb").write_bytes(bomb)
    for read in (sim.Study.load, evidence.load, ensemble.load):
        with pytest.raises(InputError):
            read(tmp_path / "bomb")
    assert not (tmp_path / "boom").exists()
    pickle.loads(bomb)
    assert (tmp_path / "boom").exists()


def test_a_parquet_file_with_a_pickle_in_its_schema_runs_nothing(tmp_path: Path) -> None:
    bomb = pickle.dumps(Bomb(tmp_path / "boom"))
    extension = {b"ARROW:extension:name": b"arrow.py_extension_type", b"ARROW:extension:metadata": bomb}
    table = pa.table([pa.array([1, 2])], schema=pa.schema([pa.field("x", pa.int64(), metadata=extension)]))
    content = io.BytesIO()
    pq.write_table(table, content)
    (tmp_path / "main-01.parquet").write_bytes(content.getvalue())
    with pytest.raises(InputError, match="damaged"):
        ensemble.load(tmp_path)
    pq.read_table(pa.BufferReader(content.getvalue()))
    assert not (tmp_path / "boom").exists()


# What a file says is shown, not obeyed


class Elements(HTMLParser):
    """The elements of a page with the names of their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))


def _elements(page: str) -> list[tuple[str, tuple[str, ...]]]:
    parser = Elements()
    parser.feed(page)
    return parser.found


def _page(text: str) -> str:
    table = report.Table(text, [text, text], [[text, text]], text)
    parts = [report.Text([text]), table, report.Picture("data:,", text, text), report.Code(text, text)]
    return report.report(text, text, [report.Section(text, parts)], {text: text, "list": [text, {text: text}]}, text)


def test_a_page_has_the_same_elements_whatever_its_texts_say() -> None:
    page = _page(MARKUP)
    assert _elements(page) == _elements(_page("plain"))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def _study_text(title: str) -> bytes:
    design = {"kind": "lhs", "samples": 8, "monitoring": [0.1, 0.9],
              "together": [{"name": title, "targets": [0.1, 0.9], "burden": "range"}]}  # fmt: skip
    outcomes = {"keep": ["fear"], "window": 2}
    table = {"title": title, "seeds": 2, "parameters": {**SMALL, "months": 3}, "design": design, "outcomes": outcomes}
    return as_toml(table)


@pytest.mark.slow
def test_markup_in_a_study_stays_text_in_its_report_and_its_pictures(tmp_path: Path) -> None:
    pages, pictures = [], []
    for number, title in enumerate((f"plain {'x' * len(MARKUP)}", MARKUP)):
        (tmp_path / f"{number}.toml").write_bytes(_study_text(title))
        results = sim.Study.load(tmp_path / f"{number}.toml").run(tmp_path / str(number))
        save(results)
        pages.append((results.folder / "report.html").read_text("utf-8"))
        pictures.append([ET.parse(file) for file in sorted(results.folder.glob("*.svg"))])
    assert {tag for tag, _ in _elements(pages[1])} == {tag for tag, _ in _elements(pages[0])}
    assert all(not name.startswith("on") for _, names in _elements(pages[1]) for name in names)
    assert "<script" not in pages[1]
    tags = [{element.tag for tree in each for element in tree.iter()} for each in pictures]
    assert tags[0] == tags[1]
    assert not {"script", "img"} & {tag.rpartition("}")[2] for tag in tags[1]}


def test_markup_in_the_words_of_a_picture_stays_text() -> None:
    with theme.slide(MARKUP, MARKUP, MARKUP) as (figure, _):
        pass
    svg = ET.fromstring(theme.encoded(figure, ".svg", {"study": MARKUP}, MARKUP))
    assert not [element for element in svg.iter() if element.tag.rpartition("}")[2] in ("script", "img")]
    (words,) = (element.text for element in svg.iter() if element.tag.endswith("}desc"))
    assert words == theme.alternative(figure)
    assert words.count("<script>") == 2


def test_a_name_in_a_file_of_patterns_cannot_be_markup(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(f"[[pattern]]\nid = '{MARKUP}'\nkind = 'bunching'\nvalue = 0.1\nsd = 0.1\n")
    with pytest.raises(InputError, match="must be a short name of letters"):
        evidence.load(tmp_path / "mine.toml")


def test_no_text_of_a_file_commands_the_terminal(tmp_path: Path) -> None:
    assert visible(TERMINAL).isprintable()
    found = attempts.command(["check", TERMINAL.replace("/", "") + ".toml"])
    assert not found.trouble
    with attempts.somewhere() as here:
        (here / "\x1b[31mred.toml").write_bytes(_study_text("x").replace(b'title = "x"\n', b""))
        assert not attempts.command(["check", "\x1b[31mred.toml"]).trouble


# Paths stay inside


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small study."""
    table = {"seeds": 2, "parameters": {**SMALL, "months": 3}, "design": {"kind": "grid", "monitoring": [0.1, 0.9]},
             "outcomes": {"keep": ["fear"]}}  # fmt: skip
    return sim.Study.from_dict(table).run(tmp_path_factory.mktemp("finished") / "results").folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    copy = tmp_path / "copy"
    for file in finished.rglob("*"):
        if file.is_file():
            (copy / file.relative_to(finished)).parent.mkdir(parents=True, exist_ok=True)
            (copy / file.relative_to(finished)).write_bytes(file.read_bytes())
    return copy


def _forge(folder: Path, old: str, new: str) -> None:
    """Change a ledger's text, without the sums that would tell."""
    entries = [json.loads(line) for line in (folder / "ledger").read_text().splitlines()]
    bare = [{name: value for name, value in entry.items() if name != "check"} for entry in entries]
    (folder / "ledger").write_text("".join(json.dumps(entry).replace(old, new) + "\n" for entry in bare))


def test_a_name_in_a_ledger_leads_nowhere_else(folder: Path) -> None:
    (chunk,) = (file.stem for file in (folder / "runs").iterdir())
    (folder / "runs" / f"{chunk}.parquet").rename(folder.parent / "outside.parquet")
    for name in ("../../outside", str(folder.parent / "outside")):
        _forge(folder, chunk, name)
        with pytest.raises(InputError, match="no results here"):
            Results(folder)
        _forge(folder, name, chunk)
    outside = (folder.parent / "outside.parquet").read_bytes()
    files = {"done": chunk, "runs": 4, "failed": 0, "files": {"../../outside": digest(outside)}}
    assert not store.is_ours(files)
    assert store.is_ours(files | {"files": {"runs": digest(outside)}})


def test_a_ledger_that_misses_a_file_is_one_line(folder: Path) -> None:
    _forge(folder, '{"runs": "', '{"series": "')
    (folder / "series").mkdir()
    for file in (folder / "runs").iterdir():
        (folder / "series" / file.name).write_bytes(file.read_bytes())
    with pytest.raises(InputError, match="missing or damaged"):
        _ = Results(folder).runs


def test_a_link_in_a_folder_of_results_is_not_written_through(folder: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    save(Results(folder))
    for name in ("report.html", "summary.csv", "figure.png"):
        (folder / name).unlink()
        (folder / name).symlink_to(precious)
    save(Results(folder))
    assert precious.read_text() == "mine"
    assert "<!DOCTYPE html>" in (folder / "report.html").read_text("utf-8")


@pytest.mark.parametrize("name", ["ledger", "runs", "earlier"])
def test_a_study_is_not_run_into_a_folder_that_leads_elsewhere(folder: Path, tmp_path: Path, name: str) -> None:
    if (folder / name).exists():
        (folder / name).rename(tmp_path / "elsewhere")
    else:
        (tmp_path / "elsewhere").mkdir()
    (folder / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="leads elsewhere"):
        Results(folder).study.run(folder)


@pytest.mark.parametrize("name", ["../up", "/etc/up", "..", "a/../../up", "..\\up"])
def test_a_title_or_a_name_never_becomes_a_way_out_of_results(name: str) -> None:
    study = sim.Study.from_dict({"title": name}, name=name)
    assert (Path("results") / "x").parent == study.folder().parent
    assert study.folder().name not in ("", ".", "..")


def test_a_spreadsheet_computes_nothing_that_a_file_says(folder: Path, tmp_path: Path) -> None:
    assert not store.is_ours({"plan": {"columns": ["=cmd|' /C calc'!A0"]}})
    with pytest.raises(InputError, match="a spreadsheet would compute it"):
        sim.Study.from_dict({"design": {"kind": "lhs", "samples": 4, "together": [
            {"name": "=1+1", "monitoring": [0.1, 0.9], "targets": [0.1, 0.9]}]}})  # fmt: skip
    results = Results(folder)
    results.runs["error"] = ["=1+1", "@SUM(1)", "-2", None]
    results.to_csv(tmp_path / "runs.csv")
    assert pd.read_csv(tmp_path / "runs.csv")["error"].tolist()[:3] == ["'=1+1", "'@SUM(1)", "'-2"]
