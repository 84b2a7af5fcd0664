"""The study that ``sim new`` writes: small, ready to run, every section explained to whoever opens it first."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from sim import files
from sim.errors import InputError, shown

_NAME = re.compile(r"\w[\w .-]*")
_LONGEST = 100

TEXT = """\
# The question: what does closer monitoring do to leaders and to care, and do good relationships change that?
#
# This study runs as it is. In a shell:
#
#   sim check {file}      says how many runs it takes, and for how long
#   sim run {file}        does them and shows the results; again, and it goes on after an interruption
#
# A line that begins with # is for you; the program does not read it. Where there is no space after the #, it is a
# setting that is switched off: take the # away to switch it on. A mistake gets a line that says what is allowed.

title = "My first study"       # stands over the table and the figure
regime = "baseline"            # how leaders are overseen where nothing below says otherwise: sim parameters baseline
seeds = 10                     # runs of each cell, which differ by chance only; more make the intervals narrower
#mechanisms_off = ["gaming"]   # what if this did not exist? The mechanisms are listed by: sim parameters

# What is the same in every run: any name that "sim parameters" lists, with a value of your own.
[parameters]
systems = 6                    # a seventh of the nation, for speed; leave it out for all 42
months = 120                   # ten years
#fear_blamed = 0.5             # how much a sanction frightens the one who gets it: sim parameters fear_blamed

# What varies. A grid combines every value with every other: three times two cells here.
[design]
kind = "grid"
monitoring = [0.1, 0.5, 0.9]   # the chance that a slip nobody reported is discovered in its month
relationship = [0.1, 0.7]      # coaching, listening, development

# What changes on the way: a lever, the month from which a value holds (the first month is 1), and the value.
#[schedule]
#punitiveness = { 37 = 0.9, 85 = 0.3 }

# What is kept of each run.
[outcomes]
keep = ["fear", "trust", "initiative_rate", "quality", "harm"]
window = 24                    # averaged over so many months at the end
#series = true                 # keep every month as well, for a time path

# Instead of a fixed number of seeds: go on in each cell until its mean is as sure as this, plus or minus.
#[precision]
#outcome = "quality"
#half_width = 0.005
"""


def new(name: str) -> Path:
    """Write a commented study that runs to ``name.toml``, in the present folder or wherever `name` leads.

    Returns its path. Raises `InputError` with one line for a name that no study can have, a file that is there
    already, and a folder that is not.
    """
    path = Path(name) if name.lower().endswith(".toml") else Path(f"{name}.toml")
    if wrong := _wrong(name, path.stem):
        raise InputError([f"{shown(name)}: {wrong}"])
    files.write_new(path, TEXT.replace("{file}", shlex.quote(path.as_posix())).encode())
    return path


def _wrong(name: str, stem: str) -> str:
    """What speaks against a name; nothing where it can be used."""
    if len(stem) > _LONGEST:
        return f"too long for a name; at most {_LONGEST} characters"
    if not name.isprintable() or not _NAME.fullmatch(stem):
        return "no name for a study; use letters, digits, spaces, - and _, such as my_study"
    return ""
