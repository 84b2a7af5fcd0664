"""The app as somebody uses it who does not stop: a headless Chromium, driven by a script, for `long_use.py`.

What is done next is drawn with a seed: mostly a slider is moved; now and then a regime or a seed is changed, the map
plays, each mechanism is switched off in turn, a picture is saved, the page is loaded again, a second window is opened.
"""

from __future__ import annotations

import random
import re
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATIENCE = 60.0  # seconds
_FLAGS = (
    "headless=new", "no-sandbox", "disable-gpu", "disable-quic", "disable-dev-shm-usage", "no-first-run",
    "disable-sync", "disable-background-networking", "disable-component-update", "window-size=1280,800",
    "host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
_WEIGHTS = {
    "slider": 60, "regime": 10, "seed": 10, "reload": 8, "second window": 4, "map": 3, "each off": 2, "picture": 3,
}  # fmt: skip
INSIDE = (
    "return [...document.querySelectorAll(arguments[0])]"
    ".flatMap(host => [...host.shadowRoot.querySelectorAll(arguments[1])])"
)
CURVES = "return [...document.querySelectorAll('polyline')].map(line => line.getAttribute('points')).join()"
DOTS = "return [...document.querySelectorAll('svg[role=img] circle')].map(dot => dot.getAttribute('fill')).join()"
IMAGES = "return [...document.querySelectorAll('img[src^=\"data:image/svg\"]')].map(image => image.src).join()"


def wait(what: Callable[[], Any], why: str) -> Any:
    """Ask until the answer is true; return it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.01)
    raise TimeoutError(f"{why}: not within {PATIENCE:g} seconds")


@contextmanager
def served(log: Path) -> Iterator[tuple[str, int]]:
    """The app, by the command that a user gives: its address and process; what it says goes into `log`."""
    with (
        log.open("w", encoding="utf-8") as said,
        subprocess.Popen(
            [sys.executable, "-m", "sim", "app", "--no-browser"], stdout=subprocess.PIPE, stderr=said, text=True
        ) as server,
    ):
        try:
            found = re.search(r"http://127\.0\.0\.1:(\d+)", server.stdout.readline() if server.stdout else "")
            if not found:
                raise SystemExit("the app does not say where it is")
            wait(lambda: _answers(int(found[1])), "the app")
            yield found[0], server.pid
        finally:
            server.terminate()


def _answers(port: int) -> bool:
    with socket.socket() as knocking:
        return knocking.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def chromium(folder: Path) -> Iterator[Any]:
    """A browser without a window, with everything it keeps in `folder`."""
    from selenium import webdriver  # noqa: PLC0415

    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    driver = shutil.which("chromedriver")
    if not (browser and driver):
        raise SystemExit("Chromium and its driver are missing: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*_FLAGS, f"user-data-dir={folder / 'profile'}"):
        options.add_argument(f"--{flag}")
    options.add_experimental_option("prefs", {"download.default_directory": str(folder)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options, webdriver.ChromeService(driver))
    try:
        yield opened
    finally:
        opened.quit()


class Visitor:
    """Somebody who uses the app, and how it answered.

    Attributes
    ----------
    folder : where the browser puts what is saved.
    seconds : for each kind of action how long the page took to show its effect, one time after the other.
    problems : errors in the browser's console, and actions without an effect.
    """

    def __init__(self, browser: Any, address: str, folder: Path, seed: int = 0) -> None:
        self.browser, self.address, self.folder = browser, address, folder
        self.seconds: dict[str, list[float]] = {name: [] for name in _WEIGHTS}
        self.problems: Counter[str] = Counter()
        self._chance = random.Random(seed)
        self._actions = {
            "slider": self._slider,
            "regime": self._regime,
            "seed": self._seed,
            "reload": self._reload,
            "second window": self._second_window,
            "map": self._map,
            "each off": self._each_off,
            "picture": self._picture,
        }
        self._open()

    def act(self) -> None:
        """Do something, and wait for its effect."""
        from selenium.common.exceptions import WebDriverException  # noqa: PLC0415

        (name,) = self._chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
        try:
            self.seconds[name].append(self._actions[name]())
        except (TimeoutError, WebDriverException, IndexError) as error:
            self.problems[f"{name}: {type(error).__name__} {str(error).splitlines()[0][:100]}"] += 1
            self._reload()
        for entry in self.browser.get_log("browser"):
            if entry["level"] == "SEVERE":
                self.problems[f"console: {entry['message'][:100]}"] += 1

    def _find(self, host: str, css: str) -> list[Any]:
        return self.browser.execute_script(INSIDE, host, css)  # type: ignore[no-any-return]

    def _button(self, host: str, number: int, css: str = "button") -> Any:
        """Something to click on, moved to where it can be clicked on."""
        button = self._find(host, css)[number]
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
        return button

    def _ask(self, script: str) -> str:
        return str(self.browser.execute_script(script))

    def _open(self, query: str = "") -> None:
        self.browser.get(f"{self.address}/{query}")
        wait(self._complete, "the page")

    def _complete(self) -> bool:
        return bool(self._ask(CURVES) and self._find("marimo-download", "a[download='my_study.toml']"))

    def _until_changed(self, script: str, do: Callable[[], object]) -> float:
        """Do something and return the seconds until what `script` reads in the page is another."""
        before = self._ask(script)
        started = time.perf_counter()
        do()
        wait(lambda: self._ask(script) not in ("", before), "an effect")
        return time.perf_counter() - started

    def _slider(self) -> float:
        slider = self._chance.choice(self._find("marimo-slider", "[role=slider]")[:10])
        key = "\ue014" if float(slider.get_attribute("aria-valuenow")) < 0.5 else "\ue012"
        return self._until_changed(CURVES, lambda: slider.send_keys(key))

    def _regime(self) -> float:
        from selenium.webdriver.support.select import Select  # noqa: PLC0415

        menu = Select(self._chance.choice(self._find("marimo-dropdown", "select")[:2]))
        now = menu.first_selected_option.text
        other = self._chance.choice([option.text for option in menu.options if option.text not in ("", "--", now)])
        return self._until_changed(CURVES, lambda: menu.select_by_visible_text(other))

    def _seed(self) -> float:
        return self._until_changed(CURVES, self._button("marimo-button", 0).click)

    def _reload(self) -> float:
        started = time.perf_counter()
        self._open(f"?seed={self._chance.randrange(1000)}&monitoring={self._chance.randrange(100) / 100}")
        return time.perf_counter() - started

    def _second_window(self) -> float:
        first = self.browser.current_window_handle
        self.browser.switch_to.new_window("tab")
        try:
            return self._reload()
        finally:
            self.browser.close()
            self.browser.switch_to.window(first)

    def _map(self) -> float:
        play = self._button("marimo-switch", 0)
        seconds = self._until_changed(DOTS, play.click)
        time.sleep(2.0)
        play.click()
        return seconds

    def _each_off(self) -> float:
        return self._until_changed(IMAGES, self._button("marimo-button", -1).click)

    def _picture(self) -> float:
        link = self._button("marimo-download", -1, "a")
        started = time.perf_counter()
        link.click()
        wait(lambda: list(self.folder.glob("*.png")), "the picture").pop().unlink()
        return time.perf_counter() - started
