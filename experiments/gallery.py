"""The tables of studies in the README beside this file, made from the studies; `docs/generate.py` writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from sim.claims import statements as claims
from sim.study import Study

HERE = Path(__file__).resolve().parent
README = HERE / "README.md"
CLAIMS = [claim.id for claim in claims.CLAIMS]
"""The studies that are about a claim, in the order of the claims."""

_QUESTION = re.compile(r"# The question: (.*?)\n(?:#\n|\n)", re.S)
_TABLE = re.compile(r"(<!-- generated: (claims|others) -->\n).*?(<!-- end -->)", re.S)


def question(text: str) -> str:
    """The question that a study's first comment asks, on one line; "" where it asks none."""
    found = _QUESTION.match(text)
    words = " ".join(found[1].replace("\n# ", " ").split()) if found else ""
    return words[:1].upper() + words[1:]


def table(names: Iterable[str]) -> str:
    """A row for each study: its name, its question, and how many runs it takes."""
    rows = ["| study | question | runs |", "| --- | --- | ---: |"]
    for name in names:
        path = HERE / f"{name}.toml"
        runs = f"{Study.load(path).size:,}"
        cells = (f"[`{name}`]({name}.toml)", question(path.read_text(encoding="utf-8")), runs)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def filled(text: str) -> str:
    """The README with its tables as the studies are now."""
    others = sorted({path.stem for path in HERE.glob("*.toml")} - set(CLAIMS))
    names = {"claims": CLAIMS, "others": others}
    return _TABLE.sub(lambda found: f"{found[1]}\n{table(names[found[2]])}\n\n{found[3]}", text)
