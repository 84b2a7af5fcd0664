"""Settings for all tests."""

from __future__ import annotations

import io
import os
import sys
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from sim import cli

ROOT = Path(__file__).resolve().parent.parent
# What tests start runs this checkout as well: `pythonpath` in pyproject.toml holds for the test's own process alone.
os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])

# Matrices are small here: threads of the linear algebra would wait for each other longer than they compute.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile("model", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("model")


@cache
def _a_picture():
    from sim.plots import theme  # noqa: PLC0415 - most tests need no Matplotlib

    with theme.slide("Nothing differs.") as (figure, (axes,)):
        axes.plot([0.0, 1.0])
    return figure


@pytest.fixture
def undrawn(monkeypatch):
    """Every study has one picture, the same for all: to draw its own takes longer than all else that a small one does.
    What is written of pictures has one point."""
    monkeypatch.setattr("sim.report.study.pictures", lambda results: {"figure": lambda results: _a_picture()})
    monkeypatch.setattr("sim.plots.theme.encoded", lambda figure, ending, *_: _one_point(ending))


def _one_point(ending):
    """A picture of ours with one point, which slides can read."""
    if ending != ".png":
        return b"<svg><!-- leadership-sim --></svg>"
    mark, content = PngInfo(), io.BytesIO()
    mark.add_text("Software", "leadership-sim")
    Image.new("RGB", (1, 1)).save(content, "png", pnginfo=mark)
    return content.getvalue()


@pytest.fixture
def sim(monkeypatch, capsys, tmp_path):
    """A function that calls the command line in an empty folder: (exit code, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["sim", *arguments])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        out, err = capsys.readouterr()
        return stop.value.code or 0, out, err

    return call
