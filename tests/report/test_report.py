"""The report: one file that needs nothing else, says where every number comes from, and runs nothing."""

from __future__ import annotations

import html
import json
import shutil
import tomllib
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from sim.plots import theme
from sim.plots.study import pictures
from sim.report.html import Code, Section, Table, Text, picture, report
from sim.report.study import meaning, of_study, save
from sim.study import Results, Study

TINY = {"systems": 1, "organisations": 2, "managers": 3, "months": 6}
HOSTILE = "<script>document.title = 'taken'</script><img src=x onerror=alert(1)> \"quoted\" & 'odd'"


def table(**changes: object) -> dict:
    return {
        "title": HOSTILE,
        "seeds": 3,
        "regime": "heavy",
        "mechanisms_off": ["gaming"],
        "parameters": {**TINY, "loss_aversion": 3.0},
        "design": {"kind": "grid", "relationship": [0.1, 0.9], "leniency": [0.0, 1.0]},
        "schedule": {"monitoring": {"3": 0.9}},
        "local": [{"recognition": 0.8, "where": "fear > 0.3", "from": 2}],
        "outcomes": {"keep": ["fear", "quality"], "window": 3},
    } | changes


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    found = Study.from_dict(table()).run(tmp_path_factory.mktemp("report") / "mine")
    save(found)
    return found


def reported(results: Results) -> str:
    return of_study(results, {name: draw(results) for name, draw in pictures(results).items()})


@pytest.fixture(scope="module")
def page(results: Results) -> str:
    return (results.folder / "report.html").read_text(encoding="utf-8")


class Elements(HTMLParser):
    """Every element of a page with its attributes, and the texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def of(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag in tags]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def test_markup_in_a_study_is_text_in_its_report(page):
    elements = Elements(page)
    assert elements.of("script") == []
    assert not any(name.startswith("on") for _, attributes in elements.found for name in attributes)
    assert HOSTILE in elements.texts


def test_markup_is_text_wherever_it_comes_from():
    parts = [Text([HOSTILE]), Table(HOSTILE, [HOSTILE], [[HOSTILE]], HOSTILE), Code(HOSTILE, HOSTILE)]
    made = report(HOSTILE, HOSTILE, [Section(HOSTILE, parts)], {HOSTILE: [HOSTILE]}, HOSTILE)
    elements = Elements(made)
    assert elements.of("script") == [] and elements.of("img") == []
    assert elements.texts.count(HOSTILE) >= 11


def test_nothing_comes_from_elsewhere(page):
    elements = Elements(page)
    addresses = [a[name] for _, a in elements.found for name in ("src", "href", "action", "data") if name in a]
    assert addresses and all(address.startswith(("data:image/svg+xml;base64,", "#")) for address in addresses)
    assert "url(" not in page and "@import" not in page
    (policy,) = (a["content"] for a in elements.of("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy and "script" not in policy


def test_it_can_be_read_without_seeing_it_and_without_a_mouse(page):
    elements = Elements(page)
    assert all(a["alt"] for a in elements.of("img"))
    assert elements.of("html")[0]["lang"] == "en-GB"
    levels = [int(tag[1]) for tag, _ in elements.found if tag in ("h1", "h2", "h3")]
    assert levels[0] == 1 and levels.count(1) == 1 and max(b - a for a, b in pairwise(levels)) <= 1
    assert all(a.get("scope") in ("col", "row") for a in elements.of("th"))
    assert len(elements.of("summary")) == len(elements.of("table")) > 2
    identities = {a["id"] for _, a in elements.found if "id" in a}
    targets = [a["href"][1:] for a in elements.of("a")] + [a["aria-labelledby"] for _, a in elements.found
                                                           if "aria-labelledby" in a]  # fmt: skip
    assert targets[0] == "content" and set(targets) <= identities
    assert len(identities) == sum("id" in a for _, a in elements.found), "an id is there twice"
    scrolled = [a for _, a in elements.found if a.get("class") == "wide" or a.get("role") == "region"]
    assert all(a.get("tabindex") == "0" for a in scrolled)


def test_the_answer_is_what_the_first_picture_found(results, page):
    elements = Elements(page)
    assert f"{theme.finding(results.plot())}." in elements.texts
    assert len(elements.of("img")) == 1  # dose and response; two values need no map


def test_numbers_are_those_of_the_summary(results, page):
    row = results.summary().query("cell == 2 and outcome == 'quality'").iloc[0]
    cells = [text for text in Elements(page).texts if "±" in text and "\u00a0" in text]
    assert len(cells) == 4 * 2
    mean, half = (float(part.replace("−", "-")) for part in cells[3].split("\u00a0±\u00a0"))
    assert (mean, half) == (pytest.approx(row["mean"], abs=5e-3), pytest.approx(row["half_width"], abs=5e-3))


def test_it_says_what_the_largest_difference_means(results):
    means = results.summary().query("outcome == 'fear'")["mean"]
    told = meaning(results)
    assert told.startswith("From cell to cell, fear differs by at most ")
    assert told.endswith("the 2 points of 100 that matter.")
    assert ("more than" in told) == (means.max() - means.min() > 0.02)


def test_it_lists_what_differs_from_the_default_and_nothing_else(page):
    text = Elements(page).text
    fixed = text[text.index("What is fixed at another value") : text.rindex("What to keep in mind")]
    for words in ("regime heavy baseline", "gaming off on", "loss aversion 3 2 ", "targets 0.8 0.5", "systems 1 42"):
        assert words in fixed, words
    assert "0.9 from month 3" in fixed and "punitiveness" not in fixed
    assert "recognition 0.8 where fear > 0.3 from month 2" in fixed
    varied = text[text.index("What varies name") : text.index("What is fixed")]
    assert "relationship 0.1, 0.9 0.3" in varied and "leniency 0, 1 0.4" in varied


def test_the_file_in_it_runs_the_same_study(results, page):
    start = page.index("<code>") + len("<code>")
    written = html.unescape(page[start : page.index("</code>", start)])
    assert Study.from_dict(tomllib.loads(written), name=results.study.name) == results.study
    assert "sim run study.toml" in Elements(page).texts


def test_provenance_is_kept_for_people_and_for_programs(results, page):
    (held,) = (a["content"] for a in Elements(page).of("meta") if a.get("name") == "provenance")
    assert json.loads(held) == json.loads(json.dumps(results.origin))
    assert f"numpy {results.origin['packages']['numpy']}" in Elements(page).text


def test_the_same_results_give_the_same_report(results, page):
    assert reported(Results(results.folder)) == page


def test_runs_that_are_missing_are_said_before_anything_else(results, tmp_path):
    shutil.copytree(results.folder, tmp_path / "part")
    ledger = tmp_path / "part" / "ledger"
    _, plan, *done = ledger.read_text().splitlines()
    changed = {"plan": json.loads(plan)["plan"]}
    changed["plan"]["chunks"].append(["feedbeef" * 4, [[4, 5]]])
    ledger.write_text("\n".join([json.dumps(changed), *done]) + "\n")
    text = Elements(reported(Results(tmp_path / "part"))).text
    assert "Of 17 runs, 5 runs are still to be done." in text[: text.index("What was found")][-600:]


@pytest.mark.parametrize(("design", "words"), [
    ({}, "Nothing is varied: there is one cell."),
    ({"kind": "list", "cell": [{}, {"relationship": 0.9}]}, "The design is a list of 2 cells."),
    ({"kind": "lhs", "samples": 8, "relationship": [0.1, 0.9]}, "Latin hypercube of 8 samples, drawn with"),
])  # fmt: skip
def test_every_design_has_a_report(tmp_path, design, words):
    found = Study.from_dict(table(design=design, title="Plain")).run(tmp_path / "r")
    assert words in Elements(reported(found)).text


def test_a_picture_travels_as_bytes_with_its_words(results):
    made = picture(results.plot(), {"version": "1"}, "It rises.")
    assert made.address.startswith("data:image/svg+xml;base64,") and made.alternative and made.caption.endswith(".")


@pytest.mark.slow  # every picture is drawn
def test_the_command_writes_the_report_and_every_picture(sim, results, tmp_path):
    (results.folder / "report.html").unlink()
    code, out, _ = sim("show", str(results.folder))
    assert code == 0 and str(results.folder / "report.html") in out and (results.folder / "report.html").exists()
    code, out, _ = sim("show", str(results.folder), "--figures", "drawn", "--figure", "one.pdf")
    assert code == 0
    assert sorted(path.name for path in Path("drawn").iterdir())[:3] == ["figure.pdf", "figure.png", "figure.svg"]
    assert [path.name for path in Path().glob("one*")] == ["one.pdf"]
    code, _, err = sim("show", str(results.folder), "--figure", "one.jpg")
    assert code == 2 and err.count("\n") == 1 and ".png, .svg or .pdf" in err
    code, _, err = sim("show", str(results.folder), "--csv", "runs.xlsx")
    assert code == 2 and err.count("\n") == 1 and '"runs.xlsx"' in err and not Path("runs.xlsx").exists()


def test_a_folder_of_answers_is_shown_for_what_it_is(sim):
    Path("answers").mkdir()
    for name, text in (("claims.txt", "Heavy surveillance raises fear."), ("claims.csv", ""), ("claims.png", "")):
        Path("answers", name).write_text(text)
    code, out, _ = sim("show", "answers")
    assert code == 0 and out.startswith("Heavy surveillance raises fear.\n") and "answers/claims.png" in out
    code, _, err = sim("show", "answers", "--csv", "runs.csv")
    assert code == 2 and "an answer of sim claim, not a study; open claims.txt" in err and err.count("\n") == 1


@pytest.mark.slow
def test_a_browser_opens_it_without_a_complaint_and_asks_nobody(browser, results, page):
    browser.get((results.folder / "report.html").absolute().as_uri())
    assert browser.title == HOSTILE.strip()
    assert browser.get_log("browser") == []
    messages = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert asked and all(url.startswith(("file:", "data:")) for url in asked)
    sizes = browser.execute_script("return [...document.images].map(i => [i.complete, i.naturalWidth])")
    assert len(sizes) == len(pictures(results)) and all(done and width > 100 for done, width in sizes)
    assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.slow
def test_the_first_key_reaches_the_content(browser, results, page):
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
    browser.get((results.folder / "report.html").absolute().as_uri())
    browser.switch_to.active_element.send_keys(keys.TAB)
    assert browser.switch_to.active_element.text == "Skip to the content"
    browser.switch_to.active_element.send_keys(keys.ENTER)
    assert browser.execute_script("return document.activeElement.id") == "content"
