"""Accessibility of a page that is open in a browser, by axe-core, where it is installed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

AXE = Path(os.environ.get("AXE_CORE", "node_modules/axe-core/axe.min.js"))
PATIENCE = 120.0
"""Seconds that it may take: a quiet machine takes one or two."""


def violations(browser: Any) -> list[Any]:
    """The serious and critical ones, by rule with the first place; skips where axe-core is missing."""
    if not AXE.is_file():
        pytest.skip("axe-core is not here: npm install axe-core, and AXE_CORE names its axe.min.js")
    browser.execute_script(AXE.read_text(encoding="utf-8"))
    browser.set_script_timeout(PATIENCE)
    found: list[Any] = browser.execute_async_script(
        "axe.run(document, {resultTypes: ['violations']}).then((found) => arguments[0](found.violations"
        ".filter((one) => ['serious', 'critical'].includes(one.impact)).map((one) => [one.id, one.nodes[0].html])))"
    )
    return found
