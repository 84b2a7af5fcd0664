"""The app in a browser: nothing leaves this machine, sliders move curves, seeds reproduce runs, mistakes are told."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from urllib.parse import urljoin, urlparse
from urllib.request import urlopen

import pytest

import sim
from sim import app, cli
from sim.study import Study

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
PATIENCE = 60.0  # seconds, on a machine that does other things, too
SIM = [sys.executable, "-m", "sim"]


def wait(what, why: str):
    """Ask until the answer is true; return it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{why}: not within {PATIENCE:g} seconds")


def answers(address: str) -> bool:
    with socket.socket() as knocking:
        return knocking.connect_ex((app.HOST, urlparse(address).port)) == 0


@pytest.fixture(scope="module")
def address():
    """Where the app is served, by the command that a user gives."""
    pytest.importorskip("marimo", reason="marimo is not installed: pip install marimo")
    with subprocess.Popen([*SIM, "app", "--no-browser"], stdout=subprocess.PIPE, text=True) as server:
        found = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())
        assert found, "the app does not say where it is"
        wait(lambda: answers(found[0]), "the app")
        yield found[0]
        server.terminate()


@pytest.fixture(scope="module")
def browser():
    """Chromium without a window, which finds nothing but this machine."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
    if not (CHROMIUM and DRIVER):
        pytest.skip("Chromium and its driver are not installed: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "window-size=1280,800"):
        options.add_argument(f"--{argument}")
    options.add_argument("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


class Page:
    """The app as its user sees it."""

    def __init__(self, browser, address: str, query: str = "") -> None:
        self.browser = browser
        browser.get(f"{address}/{query}")
        wait(self.is_complete, "the page")

    def is_complete(self) -> bool:
        if self.text.startswith("Internal Server Error"):
            # In Python 3.11 two threads that parse at the same time may fail with a SystemError (gh-106905).
            self.browser.refresh()
        return bool(self.curve("A") and self.find("a[download='my_study.toml']", "marimo-download"))

    def find(self, css: str, host: str | None = None):
        """Elements, also inside the controls, which keep theirs to themselves."""
        if host is None:
            return self.browser.find_elements("css selector", css)
        inside = "return [...document.querySelectorAll(arguments[0])].flatMap(e => [...e.shadowRoot.querySelectorAll(arguments[1])])"  # noqa: E501
        return self.browser.execute_script(inside, host, css)

    @property
    def text(self) -> str:
        return self.browser.execute_script("return document.body.innerText")

    def curve(self, side: str) -> str:
        script = "return document.querySelector(arguments[0])?.getAttribute('points')"
        return self.browser.execute_script(script, f".mean-{side}")

    def control(self, host: str, css: str, name: str):
        return next(element for element in self.find(css, host) if element.accessible_name == name)


def outside(browser) -> list[str]:
    """What the browser asked of others than this machine since it was asked last."""
    events = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
    sent = (e["params"] for e in events if e["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated"))
    urls = [params["url"] if "url" in params else params["request"]["url"] for params in sent]
    assert len(urls) > 5
    return [u for u in urls if urlparse(u).scheme not in ("data", "blob") and urlparse(u).hostname != app.HOST]


def test_it_loads_without_the_internet_and_without_an_error(browser, address):
    page = Page(browser, address)
    assert "Fear\nhigher under A than B by" in page.text
    assert outside(browser) == []
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    assert "error" not in page.text.lower()


def test_only_this_machine_can_reach_it(address):
    port = urlparse(address).port
    elsewhere = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} - {app.HOST}
    for place in elsewhere:
        with socket.socket() as knocking:
            knocking.settimeout(2)
            assert knocking.connect_ex((place, port)) != 0


def test_a_slider_moves_the_curve_of_its_side_and_leaves_the_other(browser, address):
    page = Page(browser, address)
    a, b = page.curve("A"), page.curve("B")
    page.control("marimo-slider", "[role=slider]", "monitoring").send_keys("\ue012")  # to the left
    wait(lambda: page.curve("A") != a, "the curve of A")
    wait(lambda: "monitoring=0.79)" in page.text, "the slider's value in the code")
    assert page.curve("B") == b


def test_the_seed_shown_gives_the_same_run_again(browser, address):
    page = Page(browser, address, "?seed=7&monitoring=0.65&mechanisms_off=gaming")
    curves = page.curve("A"), page.curve("B")
    shown = re.search(r"# (0\.\d+), (0\.\d+)", page.text)
    settings = {"systems": 6, "mechanisms_off": ["gaming"]}
    a = sim.simulate(7, "heavy", monitoring=0.65, **settings).series.loc[120, "fear"]
    b = sim.simulate(7, "light", **settings).series.loc[120, "fear"]
    assert shown.groups() == (str(a), str(b))
    seed = page.control("marimo-text", "input", "seed")
    assert seed.get_attribute("value") == "7"
    seed.send_keys("1\n")
    wait(lambda: (page.curve("A"), page.curve("B")) != curves, "another seed")
    wait(lambda: "simulate(seed=71," in page.text, "the seed in the code")
    again = Page(browser, address, "?seed=7&monitoring=0.65&mechanisms_off=gaming")
    assert (again.curve("A"), again.curve("B")) == curves


def test_a_mistake_in_the_address_gets_a_message(browser, address):
    page = Page(browser, address, "?seed=abc&monitoring=9&regime=%3Cscript%3Ealert(1)%3C/script%3E")
    assert 'monitoring = "9": must be a number from 0 to 1' in page.text
    assert 'seed = "abc": must be a whole number' in page.text
    assert 'regime = "<script>alert(1)</script>": no such regime' in page.text
    assert page.control("marimo-text", "input", "seed").get_attribute("value") == "0"


def test_a_mistake_in_a_field_gets_a_message_and_can_be_put_right(browser, address):
    page = Page(browser, address)
    seed = page.control("marimo-text", "input", "seed")
    seed.send_keys("x\n")
    wait(lambda: 'seed = "0x": must be a whole number' in page.text, "the message")
    assert page.curve("A")
    page.control("marimo-text", "input", "seed").send_keys("\ue003\n")  # backspace
    wait(lambda: "must be a whole number" not in page.text, "the end of the message")


def test_the_map_moves_through_the_months_by_itself(browser, address):
    page = Page(browser, address)
    dots = "return [...document.querySelectorAll('svg[role=img] circle')].map(dot => dot.getAttribute('fill')).join()"
    seen = {wait(lambda: browser.execute_script(dots), "the map")}
    assert seen.pop().count("#") == 60
    play = page.control("marimo-switch", "button", "play")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", play)
    play.click()
    wait(lambda: seen.add(browser.execute_script(dots)) or len(seen) > 3, "the next months")


def test_the_settings_can_be_saved_as_a_study(browser, address):
    page = Page(browser, address, "?seed=3&relationship=0.6")
    link = page.control("marimo-download", "a", "settings, as a study")
    with urlopen(urljoin(f"{address}/", link.get_attribute("href"))) as file:
        study = Study.from_dict(tomllib.loads(file.read().decode()))
    assert study.size == 16
    assert study.plan.seed == 3
    assert study.points[0].settings["relationship"] == 0.6


def test_nothing_is_cut_off_on_a_telephone(browser, address):
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    try:
        page = Page(browser, address)
        too_far = "return [...document.querySelectorAll('svg[role=img]')].map(s => s.getBoundingClientRect().right)"
        assert max(browser.execute_script(too_far)) <= 390
        assert min(svg.size["width"] for svg in page.find("svg[role=img]")) > 300
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_notebook_runs_from_top_to_bottom_as_a_script(tmp_path):
    pytest.importorskip("marimo", reason="marimo is not installed: pip install marimo")
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:sim", str(app.notebook())],
        cwd=tmp_path,
        env=os.environ | {"MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if not line.startswith("Compiling the engine")]
    assert (done.returncode, done.stdout, said) == (0, "", [])
    assert list(tmp_path.iterdir()) == []


def test_the_next_port_is_taken_where_one_is_in_use():
    with socket.socket() as taken:
        taken.bind((app.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert app.free_port(port) > port


def test_without_marimo_one_line_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(app, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["sim", "app"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", "sim: the app needs marimo, which is not installed: pip install marimo\n")
