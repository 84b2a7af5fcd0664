"""Questions beside the claims: is there a tipping point, how long does fear last, how far does one sanction reach, and
is there a best amount of monitoring?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sim import files
from sim.errors import InputError, nearest, shown
from sim.questions.half_life import heavy_spell
from sim.questions.hysteresis import hysteresis
from sim.questions.optimum import optimum
from sim.questions.sanction import sanction_reach
from sim.worlds.draws import Weighted
from sim.worlds.runs import Progress


@dataclass(frozen=True)
class Reply:
    """What the worlds reply to a question: sentences to be read aloud, and the tables behind them, by name."""

    question: str
    sentences: tuple[str, ...]
    tables: Mapping[str, pd.DataFrame]

    def save(self, folder: str | Path) -> list[Path]:
        """Write the tables as CSV, and return their paths; raises `InputError` as `sim.files.Folder.fill`."""
        contents = {f"{name}.csv": files.csv(table) for name, table in self.tables.items()}
        return files.Folder(folder, reply_to(self.question)).fill(contents)


def reply_to(question: str) -> str:
    """What a folder with a reply holds: nothing else is written over it, nor it over anything else."""
    return f'the reply to "{question}"'


@dataclass(frozen=True)
class Question:
    """A question to an ensemble of worlds; `ask` takes worlds and what `ask` below does."""

    id: str
    text: str
    ask: Callable[..., Any]
    tables: tuple[str, ...]


_QUESTIONS = (
    Question(
        "tipping",
        "Surveillance is raised slowly and lowered again: does fear come back down?",
        hysteresis,
        ("curve", "shares", "worlds"),
    ),
    Question(
        "memory",
        "How long does the fear of a heavy spell last?",
        heavy_spell,
        ("path", "shares", "half_life", "worlds"),
    ),
    Question("reach", "How far and how long does one publicised sanction reach?", sanction_reach, ("path", "summary")),
    Question(
        "optimum",
        "Is there a best amount of monitoring for quality, and what moves it?",
        optimum,
        ("shares", "locations", "shifts", "curves", "worlds"),
    ),
)
QUESTIONS: dict[str, Question] = {question.id: question for question in _QUESTIONS}
"""By id."""


def ask(
    question: str,
    source: Weighted,
    draws: int = 100,
    seed: int = 0,
    progress: Progress | None = None,
    workers: int | None = None,
    **sizes: Any,
) -> Reply:
    """Put a question of `QUESTIONS` to weighted worlds.

    `draws` worlds are drawn by weight; `sizes` are those of the runs, where they differ from the question's own.
    Raises `InputError` with one line for an unknown question or bad numbers.
    """
    if question not in QUESTIONS:
        hint = nearest(question, QUESTIONS) or f"; there are {', '.join(QUESTIONS)}"
        raise InputError([f"{shown(question)}: no such question{hint}"])
    asked = QUESTIONS[question]
    found = asked.ask(source, draws, seed, progress, workers, **sizes)
    sentences: Sequence[str] = (found.sentence,) if hasattr(found, "sentence") else found.sentences
    tables = {f"{question}_{name}": getattr(found, name) for name in asked.tables}
    return Reply(asked.text, tuple(sentences), tables)
