"""The report on the claims: one file that tells a story in seven parts, with what else there is folded away.

It can be read without scripts. Where they run, a reader says how much matters, and which weights count, and follows one
world through every row; for that the page holds the effects of every world. Nothing is drawn by Matplotlib here, so the
page is there in a second; pictures that have been drawn are folded in where they belong.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim import files
from sim.claims import choices
from sim.claims.answer import ClaimReport, places_of
from sim.claims.construction import BY_CONSTRUCTION
from sim.claims.multiverse import COLUMNS, DIFFERS, NO_FINDING
from sim.claims.outline import (
    effects_of,
    groups,
    in_worlds,
    primary_rows,
    ranked,
    remedies,
    rows_of,
    side_by_side,
    side_of,
)
from sim.claims.screen import method
from sim.claims.statements import CHOSEN_BY, HEADLINE, LIMITS, SURVEILLANCE, Claim, Key
from sim.claims.text import (
    CAVEATS,
    STANDS_OUT,
    Row,
    carried,
    carriers_sentence,
    changes,
    missed,
    who,
    with_interval,
    worlds_in,
)
from sim.claims.verdict import CLASSES, TOLD, TOO_SMALL, UNKNOWN, words_of
from sim.model import words
from sim.model.glossary import joined
from sim.report import marks
from sim.report.html import Code, Part, Picture, Table, data_of, in_base64, origin, rendered

TITLE = "Does close surveillance of managers help or harm?"
LEAD = (
    "A simulation was run in {worlds} plausible versions of the NHS, each with other answers to what research leaves "
    "open, and weighted by agreement with published findings. Each row of squares is 100 of them: in how many does "
    "something get better, or worse, by enough to matter?"
)
REPORT, LIVE = "report.html", "page.html"
PAGE = "the report of sim claim"
"""What a folder holds in which `sim claim` leaves the report of a stored answer."""
READERS = {"board": "For a board", "sceptic": "For a sceptic", "researcher": "For a researcher"}
"""Whose folds are opened together."""
MARKS = {"●": "holds under every choice that was tried", "◐": "one choice says otherwise, or some cannot tell",
         "○": "two or more choices say otherwise"}  # fmt: skip
_STEPS, _MOST = 5, 32767
UNKNOWN_STEP = -32768
"""Where a world's effect is not stored."""
VIEWS = ("prior", "all_on")
"""The other worlds that can be shown: without any finding, and with no mechanism off."""
Floats = NDArray[np.float64]
Steps = NDArray[np.int16]
_FIRST = ("harm", "fear", "quality", "initiative_rate")
"""The order of reasons: what each side points to first."""
_REASONS, _CHOICES = 3, 10


def of_claims(found: ClaimReport, pictures: Mapping[str, Picture] | None = None, live: str = "") -> str:
    """The report as HTML; `pictures` are those that have been drawn, by name, and are folded in; `live` is the file of
    the live page beside it, if there is one."""
    told = _Told(found, pictures or {})
    style, script = (Path(__file__).with_name(name).read_text(encoding="utf-8") for name in ("story.css", "story.js"))
    shared = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    ours = {"style": shared + style, "script": script, "data": data_of(told.data())}
    provenance = json.dumps(found.provenance)
    return rendered("story.html.j2", ours, title=TITLE, told=told, found=found, provenance=provenance,
                    readers=READERS, marks=MARKS, live=live)  # fmt: skip


def save_page(found: ClaimReport, folder: str | Path) -> list[Path]:
    """Write the report of a stored answer and the same in plain text, without pictures; return the paths.

    Raises `InputError` as `sim.files.Folder.fill`.
    """
    contents = {REPORT: of_claims(found).encode(), "claims.txt": found.whole().encode()}
    files.Folder(folder, PAGE).fill(contents)
    return [Path(folder) / name for name in contents]


class _Told:
    """What the page says of an answer, part by part; rows are numbered as they are asked for."""

    def __init__(self, found: ClaimReport, pictures: Mapping[str, Picture]) -> None:
        self.found, self.pictures = found, pictures
        self._rows: list[Row] = []
        self.number = count(1).__next__
        self._held = {(r["contrast"], r["outcome"], r["column"]): r for r in found.rows("holds")}
        self._primary = primary_rows(found)
        self.surveyed = rows_of(found, SURVEILLANCE.name)
        self.lead = LEAD.format(worlds=f"{found.provenance['worlds']['main']:,}")
        frames = {"main": found.effects, **{n: found.tables.get(f"effects_{n}", pd.DataFrame()) for n in VIEWS}}
        self._views = {
            name: by_key(frame, found.places if name == "main" else places_of(frame))
            for name, frame in frames.items() if len(frame)
        }  # fmt: skip
        self._weights = {name: weights_of(frames[name]) for name in self._views}
        self.shown = tuple(self._views)
        self.hero = [(group.heading, [self.row(row) for row in group.rows]) for group in groups(found)]
        self.findings = list(self._findings()) if self.surveyed and len(found.claims) > 3 else []
        self.instead = self._instead()
        self.why = list(self._why())
        self.cards = [self._card(claim) for claim in found.claims]
        told = [row for row in self._primary.values() if "delta" in row]
        self.sure = [*CAVEATS, method(told, found.rows("holds"))]
        self.short = list(missed(found.rows("standards")))
        patterns = [(words.finding(row["pattern"]), row["reached"]) for row in found.rows("patterns")]
        self.evidence = [
            f"{words.capital(one.text)}{f' ({one.whom})' if one.whom else ''}: {'matched' if reached else 'missed'}."
            for one, reached in patterns
        ]
        self.sliders = self._sliders()

    # Rows of squares

    def row(self, row: Row) -> dict[str, Any]:
        """A row of the page: its number, its words, and where its squares stand."""
        self._rows.append(row)
        numbers = worlds_in(row)
        names = words_of(0, row["direction"])
        flip = row["direction"] < 0
        left, right, grey = names[1] if flip else names[-1], names[-1] if flip else names[1], TOO_SMALL
        counts = {"left": numbers[left], "right": numbers[right], "grey": numbers[grey]}
        label = side_by_side(row)
        said = ", ".join(f"{name} in {numbers[name]}" for name in sorted(numbers, key=lambda name: -numbers[name]))
        places = marks.beside(**counts)
        return {
            "number": len(self._rows) - 1,
            "label": label,
            "kind": "" if row["direction"] else " either",
            "counts": counts,
            "paths": marks.squares(**counts),
            "places": places,
            "alt": f"{label}: of 100 worlds, {said}.",
            "size": words.change(row["outcome"], row["mean"]),
            "hover": f"Mean over worlds {with_interval(row)}; what matters: "
            f"{words.change(row['outcome'], row['delta']).removeprefix('+')}. "
            f"{words.capital(str(row.get('holds') or 'not tried'))}.",
            "who": who(row),
            "strong": carried(row) not in (None, 0)
            and bool(row.get("side"))
            and row.get("share_error", 0.0) <= UNKNOWN,
        }

    def data(self) -> dict[str, Any]:
        """What the script needs: of every world that can be shown its weight, and its effects in steps."""
        packed: dict[str, list[Steps]] = {name: [] for name in self._views}
        rows = []
        for row in self._rows:
            effects = [view.get((row["contrast"], row["outcome"])) for view in self._views.values()]
            steps, found = in_steps([np.zeros(0) if x is None else x for x in effects], row["delta"])
            for name, x, values in zip(self._views, effects, found, strict=True):
                packed[name].append(np.full(len(self._weights[name]), UNKNOWN_STEP, "<i2") if x is None else values)
            rows.append({
                "outcome": row["outcome"], "direction": row["direction"], "steps": steps,
                "matters": words.natural(row["outcome"], row["delta"]),
                "unit": [words.unit(row["outcome"], 1.0), words.unit(row["outcome"])],
            })  # fmt: skip
        views = {
            name: {"weights": in_base64(self._weights[name].astype("<f4")),
                   "effects": in_base64(np.concatenate(some) if some else np.zeros(0, "<i2"))}
            for name, some in packed.items()
        }  # fmt: skip
        return {"rows": rows, "views": views}

    def _sliders(self) -> list[dict[str, Any]]:
        """How much matters, for each outcome of the main picture."""
        shown = dict.fromkeys(row["outcome"] for group in groups(self.found) for row in group.rows)
        sizes = self.found.sizes
        return [
            {"outcome": name, "label": words.capital(words.label(name)), "why": LIMITS[name].words,
             "text": words.change(name, sizes[name]).removeprefix("+")} for name in shown
        ]  # fmt: skip

    # The parts

    def _findings(self) -> Iterable[dict[str, Any]]:
        """Three findings on surveillance: what gets better, what gets worse, and what reports say of it."""
        rows = self.surveyed
        for heading, way in (("What gets better", 1), ("What gets worse", -1)):
            told = (row for row in rows.values() if row["direction"] and row["outcome"] in CHOSEN_BY
                    and row["verdict"] != BY_CONSTRUCTION)  # fmt: skip
            moved = sorted(told, key=lambda row: -row[side_of(row, way)])
            sure = [row for row in moved if (carried(row) or 0) * row["direction"] * way > 0][:3]
            lead = (sure or moved)[0]
            if sure:
                did = joined([words.does(row["outcome"], way * row["direction"]) for row in sure])
                text = words.once(f"Heavy surveillance {did}.")
            else:
                name, label = ("better", "worse")[way < 0], words.label(lead["outcome"])
                text = f"Nothing for sure. Closest comes {label}: {name} in {worlds_in(lead)[name]} of 100 worlds."
            yield {"heading": heading, "text": text, **self._around(lead, way)}
        if (reported := rows.get("reported")) and (quality := rows.get("quality")):
            other = words.uncapital(in_worlds(quality)).removesuffix(" of 100 plausible worlds")
            text = f"{in_worlds(reported)}; {other}."
            yield {"heading": "What the reports say", "text": text, **self._around(rows.get("gap", reported), 1)}

    def _around(self, row: Row, way: int) -> dict[str, Any]:
        """The dots of a row, why it is so, and what speaks against it."""
        name, numbers = words_of(0, row["direction"])[-way * (row["direction"] or 1)], worlds_in(row)
        other = f"{name} in {numbers[name] or 'none'}"
        holds = {"robust": "This holds under every choice of method", "": "Other choices of method were not tried"}
        told = str(row.get("holds", "")).replace("columns", "checks")
        return {
            "dots": self.dots(row),
            "why": carriers_sentence(self._carriers(row), 2),
            "but": f"in {numbers[TOO_SMALL]} of 100 worlds that is too small to matter; it is {other}. "
            f"{holds.get(told, f'This {told}')}.",
        }

    def dots(self, row: Row) -> dict[str, Any]:
        """A row as a hundred dots along an axis."""
        x, _, weight = effects_of(self.found, row)
        factor = words.natural(row["outcome"], 1.0)
        if not len(x):
            return {}
        shown = marks.dots(factor * x, weight, factor * row["delta"])
        label = words.capital(words.label(row["outcome"]))
        return {**shown, "label": label, "unit": words.measured_in(row["outcome"]), "direction": row["direction"],
                "alt": f"{label}: a dot for each of 100 worlds. {in_worlds(row)}."}  # fmt: skip

    def _carriers(self, row: Row) -> list[Row]:
        """The contributions of mechanisms to an effect, of the first claim that asks for it."""
        mine = [r for r in self.found.rows("carriers")
                if (r["contrast"], r["outcome"]) == (row["contrast"], row["outcome"])]  # fmt: skip
        return [r for r in mine if r["claim"] == mine[0]["claim"]]

    def _instead(self) -> dict[str, Any]:
        """What can be chosen: a row for each policy, the best first, and a cell for each outcome."""
        table = self.found.rows("against_baseline")
        names, outcomes = ranked(table)
        cells = {(row["choice"], row["outcome"]): _cell(row) for row in table}
        return {
            "head": [words.capital(words.label(name)) for name in outcomes],
            "rows": [
                (words.capital(words.policy(name)), [cells[name, o] for o in outcomes]) for name in names[:_CHOICES]
            ],
            "remedies": remedies(self.found),
            "sentences": list(choices.sentences(self.found.rows("regrets"), table)),
        }

    def _why(self) -> Iterable[dict[str, Any]]:
        """What carries the first outcomes of surveillance."""
        for outcome in sorted((outcome for _, outcome in HEADLINE), key=_FIRST.index):
            if (row := self.surveyed.get(outcome)) is None:
                continue
            clear = [r for r in self._carriers(row)
                     if abs(r["contribution"]) > STANDS_OUT * r.get("standard_error", np.inf)
                     and words.change(outcome, r["contribution"]) != "no change"]  # fmt: skip
            some = sorted(clear, key=lambda r: -abs(r["contribution"]))[:_REASONS]
            sizes = [r["contribution"] for r in some]
            whole, *told = changes(outcome, [row["mean"], *sizes])
            if some:
                yield {
                    "heading": f"{words.capital(words.label(outcome))}: {whole}",
                    "bars": [
                        {**bar, "clause": words.capital(words.clause(r["mechanism"])),
                         "text": text,
                         "good": bool(r["contribution"] * row["direction"] > 0)}
                        for bar, text, r in zip(marks.bars(sizes), told, some, strict=True)
                    ],
                }  # fmt: skip

    def _card(self, claim: Claim) -> dict[str, Any]:
        """A claim: its words, its squares, who was right, and whether it holds; and in the fold everything else."""
        rows = [row for row in self.found.rows("claims") if row["claim"] == claim.id and "delta" in row]
        lines, why = self.found.about(claim, in_depth=True)
        first = self._primary.get(claim.id)
        card = {"id": claim.id, "statement": claim.statement, "heading": claim.heading, "lines": [*lines, *why],
                "rows": [self.row(row) for row in rows if row is not first], "first": None, "mark": "", "rank": 9,
                "side": "", "share": 0.0}  # fmt: skip
        if first is None or "delta" not in first or first["verdict"] == BY_CONSTRUCTION:
            known = f"Decided by construction: {words.phrase(first['decided_by'])}." if first is not None else ""
            none = "Not stored." if claim.cases else "A level, not a policy: no verdict."
            return {**card, "without": known or none}
        held = [self._held.get((first["contrast"], first["outcome"], column)) for column in COLUMNS]
        differing = sum(one is not None and one["status"] == DIFFERS for one in held)
        mark = "●" if first.get("holds") == "robust" else "○" if differing > 1 else "◐"
        claimed = first["above" if (first["sign"] or 1) > 0 else "below"]
        return {
            **card, "first": self.row(first), "mark": mark, "holds": MARKS[mark], "dots": self.dots(first),
            "rank": [*MARKS].index(mark), "side": first["side"], "share": claimed, "without": "",
        }  # fmt: skip

    # The folds

    @property
    def folded(self) -> list[tuple[str, Sequence[Part]]]:
        """Everything that can be checked: tables, sentences, provenance."""
        found = self.found
        replies = [line for reply in found.replies for line in (reply.question, *reply.sentences)]
        return [
            ("The numbers", list(_numbers(found))),
            *([("Questions beside the claims", [Table("Replies", ("What worlds reply",), [[t] for t in replies])])]
              if replies else []),
            ("How it was done", [Table("Method", ("What was done",), [[line] for line in _methods(found)])]),
            ("How to reproduce it", [Code("The command", command(found))]),
            ("Where the numbers come from", [origin(found.provenance)]),
        ]  # fmt: skip

    @property
    def drawn(self) -> list[Picture]:
        """The pictures that say what no other part of the page does."""
        return [picture for name, picture in self.pictures.items() if name not in ("claims", "worlds", "choices")]


def by_key(effects: pd.DataFrame, places: Mapping[Key, NDArray[np.int64]]) -> dict[Key, Floats]:
    """The effects of every world by contrast and outcome; `places` is where they stand in the table."""
    values = effects["estimate"].to_numpy(np.float64)
    return {key: values[at] for key, at in places.items()}


def weights_of(effects: pd.DataFrame) -> Floats:
    """The weights of the worlds, which add up to 1."""
    weights = effects.drop_duplicates("world")["weight"].to_numpy(np.float64)
    return np.asarray(weights / weights.sum())


def in_steps(effects: Sequence[Floats], delta: float) -> tuple[int, list[Steps]]:
    """Effects as whole numbers of steps, away from 0, and how many steps δ is: a multiple of 5, as many as fit.

    So an effect is beyond a fifth of δ, or any multiple of that, exactly where its steps are.

    >>> in_steps([np.array([0.021, -0.02, 0.0])], 0.02)[1][0].tolist()
    [32766, -31205, 0]
    """
    most = max(delta, *(float(np.abs(x).max(initial=0.0)) for x in effects))
    steps = max(_STEPS, int((_MOST - 1) * delta / most) // _STEPS * _STEPS)
    sizes = (np.minimum(np.ceil(np.round(np.abs(x) * steps / delta, 6)), _MOST) for x in effects)
    return steps, [(np.sign(x) * size).astype("<i2") for x, size in zip(effects, sizes, strict=True)]


def _cell(row: Row) -> dict[str, Any]:
    """A policy on one outcome: how many worlds get better and worse, as two bars of at most 48 of 100."""
    names, shares = words_of(0, row["direction"]), worlds_in(row)
    good, bad = (names[way * (row["direction"] or 1)] for way in (1, -1))
    most = good if shares[good] >= shares[bad] else bad
    text = f"{shares[most]} {most}" if shares[most] >= 100 * TOLD else "little"
    return {"right": round(0.48 * shares[good], 1), "left": round(0.48 * shares[bad], 1), "text": text,
            "kind": "" if row["direction"] else "either",
            "alt": f"{words.capital(good)} in {shares[good]}, {bad} in {shares[bad]} of 100 worlds"}  # fmt: skip


def _numbers(found: ClaimReport) -> Iterable[Table]:
    """The shares of worlds, whether each verdict holds, and the effects over worlds."""
    subjects = {case.contrast.name: case.heading or case.subject.rstrip(",")
                for claim in found.claims for case in claim.cases}  # fmt: skip
    shares, effects, holds = [], [], []
    claimed = {(row["contrast"], row["outcome"]) for row in found.rows("claims")}
    rest = [{"claim": "", **row} for row in found.rows("vector") if (row["contrast"], row["outcome"]) not in claimed]
    for row in [*found.rows("claims"), *rest]:
        named = [subjects.get(row["contrast"], row["contrast"]), words.label(row["outcome"])]
        if "delta" in row:
            told = [_share(row, name) for name in CLASSES.values()]
            shares.append([*named, row["claim"], row.get("side", ""), *told, row["verdict"], row["holds"]])
        ends = [words.number(words.natural(row["outcome"], row[name])) for name in ("q05", "q95")]
        limit = words.number(words.natural(row["outcome"], row["delta"])) if "delta" in row else ""
        effects.append([*named, words.unit(row["outcome"]), with_interval(row), *ends, limit])
    again: dict[tuple[str, str], dict[str, str]] = {}
    for row in found.rows("holds"):
        told = {NO_FINDING: "–", DIFFERS: f"differs: {row['verdict']}"}.get(row["status"], row["status"])
        again.setdefault((row["contrast"], row["outcome"]), {})[row["column"]] = told
    for (contrast, outcome), by in again.items():
        holds.append([subjects.get(contrast, contrast), words.label(outcome), *(by.get(name, "") for name in COLUMNS)])
    columns = ["policy", "outcome", "claim", "who says so", "higher", "too small", "lower", "verdict", "does it hold?"]
    yield Table("In how many of 100 plausible worlds an effect lies beyond what matters", columns, shares,
                "±: one standard error. From claims.csv and vector.csv.")  # fmt: skip
    columns = ["policy", "outcome", "unit", "mean (95% interval)", "5 of 100 below", "5 of 100 above", "what matters"]
    yield Table("How large the effects are over worlds", columns, effects)
    yield Table("Does it hold? The verdict formed again", ["policy", "outcome", *_AGAIN], holds,
                "–: no finding is on this outcome. From holds.csv, with every share.")  # fmt: skip


_AGAIN = ("without findings", "no mechanism off", "without findings on it", "other half", "4 managers", "40 managers",
          "5 years", "20 years")  # fmt: skip
"""`COLUMNS` in few words."""


def _share(row: Row, name: str) -> str:
    """A share of 100 worlds with its error, where that is known."""
    share, error = 100 * row[name], 100 * row.get(f"{name}_error", np.nan)
    told = "below 1" if 0 < share < 0.5 else f"{share:.0f}"
    return f"{told} ± {error:.0f}" if error >= 0.5 else told


def _methods(found: ClaimReport) -> list[str]:
    ensemble = found.provenance["ensemble"]
    return [
        found.scale(),
        f"The worlds were drawn from the plausible ranges of all parameters, each mechanism off with chance "
        f"{ensemble['chance_off']:g}, and weighted by agreement with {len(found.rows('patterns'))} published "
        f"findings, in {ensemble['calibrations']} independent calibrations by tempered sequential Monte Carlo.",
        "In each world every policy runs under the same seeds, so two policies differ only by what they do; pairs are "
        "run until an effect is known to a third of what matters. A verdict needs the interval of the mean effect and "
        "more than half of the worlds, by two errors, on one side of what matters. Errors delete one calibration at a "
        "time.",
    ]  # fmt: skip


def command(found: ClaimReport) -> str:
    """The commands that compute the answer again."""
    p, asked = found.provenance, found.provenance["effort"]
    commit = f"git checkout {p['commit'].rstrip('+')}\n" if p.get("commit") else ""
    name = f" {found.claims[0].id}" if len(found.claims) == 1 else ""
    full = " --run --full" if asked["draws"] else " --run"
    worlds = "" if asked["worlds"] is None else f" --worlds {asked['worlds']}"
    return (
        f"{commit}pip install -c constraints.txt .\nsim claim{name}{full}{worlds} "
        f"--systems {asked['systems']} --seed {p['seed']} "
        f"--months {p['sizes']['months']}"
    )
