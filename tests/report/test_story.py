"""The report as a story: read without scripts, and in Chromium with the network off, where every control tells the
truth that the tables hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import test_report
from answers import drawn
from axe import violations

from sim.claims.answer import ClaimReport, claims_named, places_of
from sim.claims.outline import effects_of, groups
from sim.claims.statements import CLAIMS
from sim.claims.text import CAVEATS, who, worlds_in
from sim.model import words
from sim.plots import theme
from sim.report import story
from sim.report.story import by_key, in_steps, of_claims, weights_of

HOSTILE = test_report.HOSTILE
PLACES = ("left", "right", "grey")


@pytest.fixture(scope="module")
def found() -> ClaimReport:
    return drawn(holds="depends on the published findings")


@pytest.fixture(scope="module")
def page(found: ClaimReport) -> str:
    return of_claims(found)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory, page: str) -> Path:
    path = tmp_path_factory.mktemp("story") / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


@pytest.fixture
def reader(browser: Any, file: Path) -> Any:
    browser.execute_cdp_cmd("Network.enable", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    browser.get_log("browser"), browser.get_log("performance")
    browser.get(file.as_uri())
    yield browser
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


COUNTED = """return [...document.querySelectorAll('[data-row]')].map((row) => Object.fromEntries(
    ['left', 'right', 'grey'].map((place) => [place, +row.querySelector(`text.${place}`).textContent || 0])))"""


OPEN = "for (const one of document.querySelectorAll('details')) one.open = arguments[0];"
DRAWN = "return [...document.querySelectorAll('.marks path')].map((one) => one.getAttribute('d'))"


def set_to(reader: Any, control: str, value: Any, event: str = "input") -> None:
    reader.execute_script(
        "const one = document.querySelector(arguments[0]); one.value = arguments[1];"
        "if (arguments[2] === 'change') one.checked = true;"
        "one.dispatchEvent(new Event(arguments[2], {bubbles: true}))",
        control, value, event,
    )  # fmt: skip


# Without scripts


def test_everything_is_escaped_and_only_the_pages_own_script_may_run(found: ClaimReport) -> None:
    first, *others = found.claims
    page = of_claims(replace(found, claims=(replace(first, statement=HOSTILE, note=HOSTILE), *others)))
    elements = test_report.Elements(page)
    assert "document.title = 'taken'" in elements.text
    assert len(elements.of("script")) == 2
    assert not any(name.startswith("on") or name == "style" for _, attrs in elements.found for name in attrs)
    policy = page.split('Content-Security-Policy" content="')[1].split('"')[0]
    assert policy.startswith("default-src 'none'; script-src 'sha256-") and "unsafe" not in policy
    assert not re.search(r"url\(|@import|https?://", page.replace("http://www.w3.org/2000/svg", ""))


def test_the_words_are_those_of_the_answer(found: ClaimReport, page: str) -> None:
    text = " ".join(test_report.Elements(page).text.split())
    assert found.headline() in text
    assert all(caveat in text for caveat in CAVEATS)
    assert all(claim.statement in text for claim in found.claims)
    for group in groups(found):
        assert group.heading in text
        for row in group.rows:
            assert words.change(row["outcome"], row["mean"]) in text and who(row) in text
    for claim in found.claims:
        assert all(line in text for line in found.about(claim, in_depth=True)[0])


def test_it_has_seven_parts_of_a_thousand_words_and_folds_the_rest(found: ClaimReport, reader: Any) -> None:
    assert reader.execute_script("return document.querySelectorAll('h2').length") == 7
    words_seen = reader.execute_script("return document.querySelector('main').innerText.split(/\\s+/).length")
    assert 500 < words_seen < 1300
    assert len(" ".join(test_report.Elements(of_claims(found)).text.split()).split()) > 5 * words_seen


def test_squares_are_as_many_as_worlds_by_class(found: ClaimReport, page: str) -> None:
    rows = re.findall(r'data-row="(\d+)">(.*?)</svg>', page, re.S)
    shown = [row for group in groups(found) for row in group.rows]
    for number, drawn_row in rows[: len(shown)]:
        paths = re.findall(r'path class="(\w+)" d="([^"]*)"', drawn_row)
        counts = {place: path.count("M") for place, path in paths}
        assert sum(counts.values()) == 100
        assert counts["grey"] == worlds_in(shown[int(number)])["too small to matter"]
        for name in ("better", "worse"):
            if shown[int(number)]["direction"]:
                assert counts["right" if name == "better" else "left"] == worlds_in(shown[int(number)])[name]


def test_colours_are_those_of_the_pictures() -> None:
    style = Path(story.__file__).with_name("story.css").read_text(encoding="utf-8")
    for colour in (theme.BETTER, theme.WORSE, theme.EITHER, theme.SMALL_EFFECT):
        assert colour.lower() in style


ODD: dict[str, Callable[[], ClaimReport]] = {
    "one claim": lambda: drawn(claims_named("pride")),
    "a level alone": lambda: drawn(claims_named("fearful", "fear")).of("fearful"),
    "nothing but the table": lambda: replace(drawn(claims_named("fear", "pays")), tables={}),
    "one world says all": lambda: drawn(shift=9.0, spread=0.0),
}


@pytest.mark.parametrize("which", ODD)
def test_any_answer_has_a_page(which: str) -> None:
    page = of_claims(ODD[which]())
    assert page.endswith("</html>\n") or page.endswith("</html>")
    assert "nan" not in test_report.Elements(page).text.split()


# Steps


def test_an_effect_is_beyond_a_fifth_of_what_matters_exactly_where_its_steps_are() -> None:
    x = np.random.default_rng(3).normal(0.0, 0.03, 5000)
    steps, (values,) = in_steps([x], 0.02)
    assert values.dtype == np.int16 and steps % 5 == 0
    for fifths in range(21):
        assert np.array_equal(np.abs(values) > steps // 5 * fifths, np.abs(x) > 0.02 * fifths / 5)


# In a browser


def test_it_asks_for_nothing_and_complains_of_nothing(reader: Any, file: Path) -> None:
    log = [line["message"] for line in reader.get_log("performance")]
    asked = [line for line in log if "Network.requestWillBeSent" in line]
    addresses = [address for line in asked for address in re.findall(r'"url":"([^"]*)"', line)]
    assert {address for address in addresses if not address.startswith("data:")} <= {file.as_uri()}
    assert reader.get_log("browser") == []


def test_on_a_phone_nothing_scrolls_sideways(reader: Any) -> None:
    size = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    reader.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    for fold in (False, True):
        reader.execute_script(OPEN, fold)
        assert reader.execute_script("return document.documentElement.scrollWidth") <= 390


def test_the_script_draws_what_the_page_came_with(reader: Any, page: str) -> None:
    came = re.findall(r'path class="(\w+)" d="([^"]*)"', page)
    set_to(reader, "#tools [name=view][value=prior]", "prior", "change")
    changed = reader.execute_script(DRAWN)
    assert changed != [path for _, path in came]
    set_to(reader, "#tools [name=view][value=main]", "main", "change")
    after = reader.execute_script(DRAWN)
    assert after == [path for _, path in came]


@pytest.mark.parametrize("fifths", [0, 2, 10, 20])
def test_a_slider_changes_shares_as_the_curves_say(found: ClaimReport, reader: Any, fifths: int) -> None:
    rows = [row for group in groups(found) for row in group.rows]
    for outcome in {row["outcome"] for row in rows}:
        set_to(reader, f"[data-outcome={outcome}]", fifths)
    counted = reader.execute_script(COUNTED)
    curves = {(r["contrast"], r["outcome"], round(5 * r["times"])): r for r in found.rows("curves")}
    for row, counts in zip(rows, counted, strict=False):
        curve = curves[row["contrast"], row["outcome"], fifths]
        right, left = ("below", "above") if row["direction"] < 0 else ("above", "below")
        assert abs(counts["right"] - 100 * curve[right]) <= 1
        assert abs(counts["left"] - 100 * curve[left]) <= 1
        assert sum(counts.values()) == 100


@pytest.mark.parametrize("view", ["prior", "all_on"])
@pytest.mark.parametrize("fifths", [5, 10])
def test_other_worlds_show_their_own_shares_at_every_limit(
    found: ClaimReport, reader: Any, view: str, fifths: int
) -> None:
    set_to(reader, f"#tools [name=view][value={view}]", view, "change")
    table = found.tables[f"effects_{view}"]
    effects, weights = by_key(table, places_of(table)), weights_of(table)
    rows = [row for group in groups(found) for row in group.rows]
    for outcome in {row["outcome"] for row in rows}:
        set_to(reader, f"[data-outcome={outcome}]", fifths)
    for row, counts in zip(rows, reader.execute_script(COUNTED), strict=False):
        within = weights @ (np.abs(effects[row["contrast"], row["outcome"]]) <= row["delta"] * fifths / 5)
        assert abs(counts["grey"] - 100 * within) <= 1
    set_to(reader, "#world", 3)
    assert reader.execute_script("return document.querySelectorAll('.world').length") >= len(rows)


def test_worlds_that_are_not_stored_cannot_be_chosen(found: ClaimReport) -> None:
    bare = replace(found, tables={name: t for name, t in found.tables.items() if not name.startswith("effects_")})
    assert of_claims(bare).count(" disabled>") == 2 and of_claims(found).count(" disabled>") == 0


def test_one_world_lights_up_in_every_row_where_its_effect_lies(found: ClaimReport, reader: Any) -> None:
    set_to(reader, "#world", 3)
    rows = reader.execute_script("""return [...document.querySelectorAll('[data-row]')].map((row) => {
        const box = row.querySelector('.world');
        const inside = (place) => row.querySelector(`path.${place}`).getAttribute('d').includes(
            `M${+box.getAttribute('x') + 1.5} ${+box.getAttribute('y') + 1.5}h`);
        return [['left', 'right', 'grey'].find(inside), row.querySelector('.size').textContent]; })""")
    assert len(rows) == len(re.findall('data-row="', of_claims(found)))
    shown = [row for group in groups(found) for row in group.rows]
    for row, (place, told) in zip(shown, rows, strict=False):
        own = effects_of(found, row)[0]
        near = [words.change(row["outcome"], value) for value in own]
        assert told in near
        beyond = own[near.index(told)] * (row["direction"] or 1) / row["delta"]
        if abs(abs(beyond) - 1) > 0.1:
            assert place == ("right" if beyond > 1 else "left" if beyond < -1 else "grey")
    reader.execute_script("document.getElementById('all').click()")
    assert reader.execute_script("return document.querySelectorAll('.world').length") == 0


def test_a_square_that_is_pointed_at_is_a_world_of_its_class(reader: Any) -> None:
    reader.execute_script("""const marks = document.querySelector('[data-row] .marks');
        const box = marks.getBoundingClientRect();
        const at = {bubbles: true, clientX: box.left + 155 * box.width / 456, clientY: box.top + 3};
        marks.dispatchEvent(new MouseEvent('click', at));""")
    x = reader.execute_script("return +document.querySelector('[data-row] .world').getAttribute('x')")
    assert x >= 150


def test_readers_open_their_folds_and_claims_can_be_sorted(reader: Any) -> None:
    opened = "return document.querySelectorAll('details[data-for][open]').length"
    assert reader.execute_script(opened) == 0
    for name in story.READERS:
        reader.execute_script(f"document.querySelector('[data-reader={name}]').click()")
        assert reader.execute_script(opened) > 0
    set_to(reader, "#sort", "share", "change")
    shares = reader.execute_script("return [...document.querySelectorAll('.card')].map((one) => +one.dataset.share)")
    assert shares == sorted(shares, reverse=True) and len(shares) == len(CLAIMS)


def test_printing_unfolds_everything(reader: Any) -> None:
    reader.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert reader.execute_script("return document.querySelectorAll('details:not([open])').length") == 0
    reader.execute_script("dispatchEvent(new Event('afterprint'))")
    assert reader.execute_script("return document.querySelectorAll('details:not([open])').length") > 0


def test_without_scripts_it_is_whole_and_shows_no_control_that_does_nothing(browser: Any, file: Path) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get(file.as_uri())
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert browser.execute_script("return document.querySelectorAll('.marks path[d^=M]').length") > 100
    seen = "return [...document.querySelectorAll('input, button, select')].filter((one) => one.offsetParent).length"
    assert browser.execute_script(seen) == 0


def test_a_screen_reader_finds_nothing_serious(reader: Any) -> None:
    folds = "document.querySelectorAll('section:not(:last-of-type) details')"
    reader.execute_script(f"for (const one of {folds}) one.open = true;")
    assert violations(reader) == []
