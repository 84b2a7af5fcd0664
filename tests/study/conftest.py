"""Small studies, cut into many chunks."""

from __future__ import annotations

from typing import Any

import pytest

from sim.study import chunks

SMALL = {"systems": 1, "organisations": 2, "managers": 3, "months": 6}


def table(**changes: Any) -> dict[str, Any]:
    """A study of six cells, three seeds each, in the words of a TOML file."""
    return {
        "seeds": 3,
        "parameters": SMALL,
        "design": {"kind": "grid", "monitoring": [0.1, 0.5, 0.9], "regime": ["light", "heavy"]},
        "outcomes": {"keep": ["fear", "quality"], "window": 4},
    } | changes


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of about two runs, so that a small study has several."""
    monkeypatch.setattr(chunks, "BUDGET", 1_000)
