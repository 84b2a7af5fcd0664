"""The live page, opened from disk in Chromium with the network off: it runs the engine, to the bit, and every control
of it does something; and how its hundred versions are chosen."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sim import cli
from sim.claims import statements
from sim.claims.answer import ClaimReport
from sim.claims.statements import CHOICES, LIMITS, SURVEILLANCE
from sim.claims.verdict import classes
from sim.errors import InputError
from sim.model.mechanisms import MECHANISMS
from sim.model.parameters import LEVERS
from sim.model.run import simulate
from sim.report.live import page as live
from sim.study import Study
from sim.worlds.ensemble import Ensemble, load
from sim.worlds.evaluate import PLACE, run_means, seeds_of

AXE = Path(os.environ.get("AXE_CORE", "node_modules/axe-core/axe.min.js"))
PATIENCE = 120.0
"""Seconds that a test waits for the page: a quiet machine takes a second or two."""


@pytest.fixture(scope="module")
def worlds() -> Ensemble:
    return load(checked=False)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory, worlds: Ensemble) -> Path:
    return live.save(tmp_path_factory.mktemp("live") / "page.html", worlds)


HELP = """
window.part = (step, name) => document.querySelector(`#step-${step} [data-part="${name}"]`);
window.pictures = (step) => [...document.querySelectorAll(`#step-${step} svg`)].map((one) => one.outerHTML).join("");
window.says = (step) => document.querySelector(`#step-${step} .says`);
window.parts = () => [...document.querySelectorAll("main > section")].filter((one) => !one.hidden);
window.set = (id, value) => {
  const control = document.getElementById(id);
  control.value = value;
  for (const kind of ["input", "change"]) control.dispatchEvent(new Event(kind));
};
"""


class Reader:
    """Somebody with the page open."""

    def __init__(self, browser: Any, file: Path) -> None:
        self.browser, self.file = browser, file

    def opens(self, address: str = "") -> None:
        """The page anew, at an address after the #."""
        self.browser.get("about:blank")
        self.browser.get(f"{self.file.as_uri()}#{address}")
        self.asks(HELP)

    def asks(self, script: str, *given: Any) -> Any:
        return self.browser.execute_script(script, *given)

    def waits(self, script: str, *given: Any) -> Any:
        """What a script returns, once that is not false."""
        end = monotonic() + PATIENCE
        while monotonic() < end:
            if found := self.asks(script, *given):
                return found
            sleep(0.05)
        raise AssertionError(f"in vain: {script}")

    def address(self) -> str:
        return str(self.asks("return location.hash.slice(1)"))

    def changes(self, step: int, script: str) -> None:
        """What a script does changes the address, and a picture of a step."""
        before, address = self.asks("return pictures(arguments[0])", step), self.address()
        self.asks(script)
        assert self.address() != address, script
        self.waits("return pictures(arguments[0]) !== arguments[1]", step, before)


@pytest.fixture(scope="module")
def reader(browser: Any, file: Path) -> Iterator[Reader]:
    browser.execute_cdp_cmd("Network.enable", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    browser.get_log("browser"), browser.get_log("performance")
    yield Reader(browser, file)
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


# How the versions are chosen


def made_up(number: int = 600, effects: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Weights that differ a hundredfold, and classes of effects that go with them and with each other."""
    rng = np.random.default_rng(4)
    weights = np.exp(rng.normal(0.0, 1.0, number))
    common = rng.normal(size=(number, 1)) + 0.5 * np.log(weights)[:, None]
    found = classes(common + rng.normal(size=(number, effects)) + rng.normal(size=effects), 0.7)
    return weights / weights.sum(), found


def test_the_hundred_have_the_shares_of_all_worlds_by_weight() -> None:
    weights, found = made_up()
    taken = live.chosen(weights, found)
    assert len(set(taken.tolist())) == live.WORLDS
    for one in (-1, 0, 1):
        assert abs((found[taken] == one).mean(axis=0) - weights @ (found == one)).max() < 0.02


def test_without_effects_they_are_taken_by_weight() -> None:
    weights, _ = made_up()
    taken = live.chosen(weights, np.empty((len(weights), 0)))
    assert len(set(taken.tolist())) == live.WORLDS
    assert weights[taken].mean() > 2.0 * weights.mean()


def test_too_few_worlds_are_told() -> None:
    with pytest.raises(InputError, match="needs 100 worlds; here are 60"):
        live.chosen(np.full(60, 1 / 60), np.empty((60, 0)))


def answered(worlds: Ensemble) -> ClaimReport:
    """An answer with made-up effects in every third world."""
    rng, numbers = np.random.default_rng(1), np.arange(0, len(worlds), 3)
    contrasts = {SURVEILLANCE.name: SURVEILLANCE} | {c.name: c for c in CHOICES.values()}
    keys = [(contrast, outcome) for contrast in contrasts for outcome in live.SHOWN]
    rows = pd.DataFrame(
        {"world": number, "contrast": contrast, "outcome": outcome,
         "estimate": rng.normal(0.0, 2.0 * LIMITS[outcome].size), "error": LIMITS[outcome].size / 4, "pairs": 8,
         "ancestor": worlds.ancestors[number]}
        for number in numbers.tolist() for contrast, outcome in keys
    )  # fmt: skip
    sizes = statements.sizes_of_interest({"quality_per_cost": 0.5})
    return ClaimReport(pd.DataFrame(), {}, rows, statements.CLAIMS, {}, {"smallest_effects": sizes})


# The file


def test_the_file_asks_for_nothing_and_says_so_to_the_browser(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    policy = text.split('Content-Security-Policy" content="')[1].split('"')[0]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "<" not in text.split('id="data">')[1].split("</script>")[0]
    assert "://" not in text.replace("http://www.w3.org/", "")
    assert len(text) < 600_000


def test_another_file_is_left_as_it_is(tmp_path: Path, worlds: Ensemble) -> None:
    mine = tmp_path / "mine.html"
    mine.write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="is there already"):
        live.save(mine, worlds)
    assert mine.read_text(encoding="utf-8") == "mine"


def test_the_command_writes_it_and_refuses_what_is_no_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["sim", "show", "--live", "page.html"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    assert live.MARK in Path("page.html").read_bytes()
    monkeypatch.setattr("sys.argv", ["sim", "show", "--live", "page.html", "--film", "film.gif"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith("sim: --film: is no part of the live page; ask for it alone\n")


# In a browser


def test_what_stands_in_for_today_is_a_study_too(reader: Reader, tmp_path: Path) -> None:
    """Nothing set: both cells are today's."""
    reader.opens("step=7")
    study = reader.asks("""
        return State.study(page.data, 1, Steps.compared(page).arms, page.data.sizes.version, "today")""")
    (tmp_path / "today.toml").write_text(study, encoding="utf-8")
    assert len(Study.load(tmp_path / "today.toml").points) == 2


def test_ones_own_oversight_is_compared_with_todays_only_where_it_differs(reader: Reader) -> None:
    """Before that the page says what to do, runs nothing and judges no goal; and so again back at today's."""
    seen = """
        const shown = (name) => part(7, name).getClientRects().length > 0;
        return [shown("start"), shown("hundred"), shown("watch"), part(7, "goals").textContent.includes("Met"),
          Boolean(page.pool.paired)];"""
    reader.opens("step=7")
    assert reader.asks(seen) == [True, False, False, False, False]
    reader.asks("document.querySelector('[data-preset=supportive]').click()")
    assert reader.asks(seen)[:3] == [False, True, True]
    assert reader.asks("return Steps.compared(page).names") == ["supportive oversight", "today's oversight"]
    reader.waits("return part(7, 'goals').textContent.includes('Met')")
    reader.asks("document.querySelector('[data-preset=baseline]').click()")
    assert reader.asks(seen)[:4] == [True, False, False, False]


def test_whoever_is_sent_an_experiment_reads_what_it_sets(reader: Reader) -> None:
    reader.opens("step=7&targets=0&monitoring=0.9")
    assert reader.asks("return part(7, 'differs').textContent") == (
        "Set here: monitoring 0.9, weight on targets 0. All else is as today."
    )
    assert reader.asks("return Steps.compared(page).names[0]") == "your oversight"


def test_who_copies_the_address_of_a_file_is_told_that_it_leads_nowhere_else(reader: Reader) -> None:
    reader.opens("step=7&monitoring=0.9")
    reader.asks("document.getElementById('copy').click()")
    assert "put this file on a website" in reader.waits("return document.getElementById('copied').textContent")


def test_it_opens_without_a_request_and_without_a_complaint(reader: Reader) -> None:
    for step in range(1, 8):
        reader.opens(f"step={step}")
        assert reader.asks(f"return !document.getElementById('step-{step}').hidden")
        reader.waits("return document.getElementById('failed').hidden")
    logs = [json.loads(entry["message"])["message"] for entry in reader.browser.get_log("performance")]
    asked = [log["params"]["request"]["url"] for log in logs if log["method"] == "Network.requestWillBeSent"]
    assert asked
    assert {url.split(":")[0] for url in asked} <= {"file", "blob", "data", "about"}
    assert reader.browser.get_log("browser") == []


def test_a_version_has_the_bits_of_the_engine_and_of_sim_run(reader: Reader, tmp_path: Path) -> None:
    """What is seen of version 3 under the study that the page saves, and its managers in the first and last month."""
    reader.opens("step=7&version=3&monitoring=0.9&relationship=0.15&off=gaming audit")
    study = reader.asks("""
        const { arms, names } = Steps.compared(page);
        return State.study(page.data, 3, arms, page.data.sizes.version, names.join(" or "));""")
    reader.asks("""
        window.watched = [];
        page.pool.watch({ kind: "watch", world: 2, arms: Steps.compared(page).arms },
          ({ means, rows, took }) => watched.push([Array.from(means), Array.from(rows), took]));""")
    shown = reader.waits("return watched.length === 2 && watched")
    print(f"a version of 360 managers, ten years, every month kept: {shown[1][2]:.0f} ms")
    (tmp_path / "version.toml").write_text(study, encoding="utf-8")
    runs = Study.load(tmp_path / "version.toml").run(tmp_path / "results").runs
    assert runs[list(live.SHOWN)].to_numpy()[::-1].tolist() == [means for means, *_ in shown]
    plan = tomllib.loads(study)
    settings = {**plan["parameters"], **{k: v for k, v in plan["design"]["cell"][1].items() if k != "name"}}
    for months in (1, 120):
        run = simulate(
            plan["seed"], mechanisms_off=plan["mechanisms_off"], **settings | {"months": months, "window": 1}
        )
        last = run.record.totals.reshape(-1).tolist()
        assert last == shown[0][1][(months - 1) * len(last) : months * len(last)]


def test_a_pair_in_the_hundred_has_the_bits_of_the_engine(reader: Reader, worlds: Ensemble) -> None:
    reader.opens("step=4")
    reader.asks("""
        window.found = [];
        page.pool.pairs({ kind: "pairs", pair: 1, worlds: [0, 99], arms: Steps.compared(page).arms },
          ({ world, means }) => found.push([world, means.map((arm) => Array.from(arm))]),
          () => { window.over = true; });
        """)
    found = dict(reader.waits("return window.over && found"))
    numbers = reader.asks("return page.data.numbers")
    assert set(found) == {0, 99}
    for world, means in found.items():
        own = worlds[numbers[world]]
        _, seed = (one for one, _ in zip(seeds_of(own), range(2), strict=False))
        for (_, arm), shown in zip(SURVEILLANCE.arms, means, strict=True):
            exact = run_means(arm.parameters(own, systems=4), seed)
            assert shown == [exact[PLACE[name]] for name in live.SHOWN]


def test_a_hundred_versions_are_drawn_and_the_page_stays_free(reader: Reader) -> None:
    """The figures, for who asks pytest for them with -s; how fast it must be is not for a busy machine to say."""
    reader.opens("step=4")
    reader.asks("""
        let last = performance.now();
        window.longest = 0;
        const beat = () => {
          longest = Math.max(longest, performance.now() - last);
          last = performance.now();
          setTimeout(beat);
        };
        beat();""")
    said = reader.waits("return page.firstPair && says(4).dataset.state !== 'running' && says(4).textContent")
    labels = reader.asks("""
        const pictures = [...document.querySelectorAll("#step-4 .card svg[role]")];
        return pictures.map((one) => one.getAttribute("aria-label"));""")
    took, longest = reader.asks("return [page.firstPair, longest]")
    print(f"a pair of runs in 100 versions: {took / 1000:.1f} s; the page was busy for {longest:.0f} ms at most")
    assert "Settl" in said
    assert len(labels) == len(live.SHOWN)
    assert all(label.endswith("of 100 versions") for label in labels)
    assert took < 100_000
    assert longest < 5_000


def test_a_version_is_watched_while_the_hundred_go_on(reader: Reader) -> None:
    reader.opens("step=7&monitoring=0.9")
    reader.waits("return page.pool.paired && document.querySelector('#step-7 .card svg')")
    reader.asks("part(7, 'watch').open = true")
    reader.waits("return document.querySelectorAll('#step-7 [data-trust]').length")
    reader.waits("return says(7).dataset.state !== 'running'")


def test_stored_effects_are_where_it_starts(browser: Any, tmp_path: Path, worlds: Ensemble, reader: Reader) -> None:
    stored = answered(worlds)
    other = Reader(browser, live.save(tmp_path / "stored.html", worlds, stored))
    other.opens("step=4")
    assert other.asks("return says(4).textContent").startswith("Stored with the page")
    counts = other.asks("""const { data } = page, tally = new Tally(100, data.outcomes, data.rule);
        page.stored(Steps.compared(page).arms).forEach((one, world) => tally.set(world, ...one));
        return data.outcomes.map((_, k) => tally.counts(k))""")
    wide = stored.effects[stored.effects["contrast"] == SURVEILLANCE.name].pivot(
        index="world", columns="outcome", values="estimate"
    )
    weights = worlds.weights[wide.index] / worlds.weights[wide.index].sum()
    for name, found in zip(live.SHOWN, counts, strict=True):
        for one, word in ((1, "above"), (0, "within"), (-1, "below")):
            share = weights @ (classes(wide[name], LIMITS[name].size) == one)
            assert abs(found[word] / 100 - share) <= 0.02
    other.opens("step=7&monitoring=0.2&targets=0.2")
    assert other.asks("return page.stored(Steps.compared(page).arms) !== null")
    other.opens("step=7&monitoring=0.2&targets=0.2&off=gaming")
    assert other.asks("return page.stored(Steps.compared(page).arms) === null")


@pytest.mark.slow
def test_every_control_changes_a_picture_and_the_address(reader: Reader) -> None:
    reader.opens("step=1")
    for name, seen in (("punish", ">+3"), ("let_go", ">!"), ("look", ">−")):
        reader.changes(1, f"document.querySelector('[data-slip={name}]').click()")
        reader.waits("return pictures(1).includes(arguments[0])", seen)
    reader.opens("step=2")
    for name in live.HEADLINED:
        reader.changes(2, f"document.querySelectorAll('[name=bet-{name}]')[2].click()")
    reader.opens("step=3")
    reader.waits("return document.querySelectorAll('#step-3 .lines svg').length")
    reader.changes(3, "set('version', 7)")
    reader.opens("step=5")
    reader.waits("return pictures(5)")
    reader.changes(5, "set('pull', 0.9)")
    reader.opens("step=6")
    for name in ("without-for", "without-against", "all"):
        reader.changes(6, f"document.querySelector('[data-set={name}]').click()")
    for name in MECHANISMS:
        reader.asks(f"document.getElementById('off-{name}').click()")
    assert reader.asks("return page.state.off") == list(MECHANISMS)


@pytest.mark.slow
@pytest.mark.parametrize("half", (0, 1))
def test_every_lever_moves_a_version(reader: Reader, half: int) -> None:
    """Against today's oversight, each alone, far from where it is."""
    reader.opens("step=7")
    for name in LEVERS[half::2]:
        reader.asks("""
            document.querySelector('[data-preset="baseline"]').click();
            const { min, max, value } = document.getElementById(arguments[0]);
            set(arguments[0], value - min < max - value + 0.2 ? max : min);""", f"lever-{name}")  # fmt: skip
        assert f"{name}=" in reader.address()
        reader.waits("""
            const told = [...document.querySelectorAll("#step-7 .card")].map((card) => card.textContent).join(" ");
            return /In the middle version: (?!no change)|(better|worse|higher|lower) in [1-9]/.test(told);""")


def test_an_address_restores_the_page(reader: Reader) -> None:
    reader.opens("step=7")
    reader.asks("document.querySelector('[data-preset=supportive]').click()")
    reader.asks("set('lever-publicity', 0.1)")
    reader.asks("""
        page.change({ off: ["gaming", "audit"], bet: { fear: 1, harm: -1 }, version: 42, pull: 0.65, slip: "look" })""")
    state, address = reader.asks("return page.state"), reader.address()
    reader.opens(address)
    assert reader.asks("return page.state") == state
    assert reader.asks("return document.getElementById('lever-publicity').value") == "0.1"
    reader.asks("document.getElementById('back').click()")
    assert not reader.asks("return document.getElementById('off-gaming').checked")
    reader.browser.back()
    assert reader.waits("return page.state.step === 7 && location.hash.slice(1)") == address


@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("step=99", "step=99"),
        ("step=2&monitoring=1e9", "monitoring=1e9"),
        ("monitoring=-0.1", "a number from 0 to 1"),
        ("off=__proto__ constructor", "off=__proto__ constructor"),
        ("constructor=1&toString=2&__proto__=3", "constructor=1"),
        ("<img src=x onerror=document.title=1>=<script>document.title=2</script>", "<img"),
        ("version=1.5&slip=hang&bet-fear=toString", "bet-fear=toString"),
        ("%E0%A4%A&" + "x=1&" * 5000, "and more"),
    ],
)
def test_a_hostile_address_gets_a_message(reader: Reader, address: str, named: str) -> None:
    reader.opens(address)
    said = reader.asks("const wrong = document.getElementById('wrong'); return !wrong.hidden && wrong.textContent")
    assert named in said
    assert reader.browser.title == "You oversee the NHS"
    assert reader.asks("return parts().length") == 1


def test_a_trust_opens_with_the_keyboard_and_a_manager_is_read(reader: Reader) -> None:
    from selenium.webdriver.common.keys import Keys  # noqa: PLC0415

    reader.opens("step=3")
    reader.waits("return document.querySelectorAll('#step-3 [data-trust]').length === 60")
    reader.asks("document.querySelector('#step-3 [data-trust]').focus()")
    for key in (Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ENTER):
        reader.browser.switch_to.active_element.send_keys(key)
    opened = reader.waits("const at = document.activeElement; return at.closest('.panel') && at.textContent")
    assert "Trust 3 of system 1" in opened
    reader.browser.switch_to.active_element.send_keys(Keys.TAB)
    reader.browser.switch_to.active_element.send_keys(Keys.ENTER)
    life = reader.waits("return document.querySelector('#step-3 .life')?.textContent")
    assert "tried something new" in life
    assert "Month " in life


def test_a_picture_and_the_settings_can_be_saved(reader: Reader, tmp_path: Path) -> None:
    reader.browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    reader.opens("step=6&off=gaming")
    reader.waits("return document.querySelectorAll('#step-6 .card svg').length")
    for part, name in (("picture", "version-1-step-6.png"), ("study", "version-1-step-6.toml")):
        reader.asks(f"document.getElementById('save-{part}').click()")
        end = monotonic() + PATIENCE
        while not (tmp_path / name).exists() and monotonic() < end:
            sleep(0.1)
    content = (tmp_path / "version-1-step-6.png").read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(content) > 20_000
    study = Study.load(tmp_path / "version-1-step-6.toml")
    assert "gaming" in study.plan.mechanisms_off


def test_nothing_scrolls_sideways_on_a_phone(reader: Reader) -> None:
    screen = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    reader.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    for step in range(1, 8):
        reader.opens(f"step={step}&slip=punish&monitoring=0.9")
        reader.waits("return parts()[0].querySelector('svg') !== null")
        reader.asks("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert reader.asks("return document.documentElement.scrollWidth") <= 390, step
    reader.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_axe_finds_no_serious_violation(reader: Reader) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not here: npm install axe-core, and AXE_CORE names its axe.min.js")
    found = {}
    for step in range(1, 8):
        reader.opens(f"step={step}&monitoring=0.9")
        reader.waits("return parts()[0].querySelector('svg') !== null")
        reader.asks("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        if step == 3:
            reader.waits("return document.querySelectorAll('#step-3 [data-trust]').length")
            reader.asks("document.querySelector('#step-3 [data-trust]').dispatchEvent(new MouseEvent('click'))")
            reader.asks("document.querySelector('#step-3 .manager').click()")
        reader.asks(AXE.read_text(encoding="utf-8"))
        reader.browser.set_script_timeout(PATIENCE)
        violations = reader.browser.execute_async_script(
            "axe.run(document).then((found) => arguments[0](found.violations"
            ".filter((one) => ['serious', 'critical'].includes(one.impact)).map((one) => [one.id, one.nodes[0].html])))"
        )
        found |= {step: violations} if violations else {}
    assert not found
