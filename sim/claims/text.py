"""Findings in sentences that can be read aloud; every number in them comes from the tables of a report."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = Mapping[Any, Any]

LABELS = {
    "fear": "fear",
    "toxic": "toxic climate",
    "toxic_40": "toxic, more widely",
    "toxic_60": "toxic, more narrowly",
    "fearful": "fearful leaders",
    "fearful_40": "fearful, more widely",
    "fearful_60": "fearful, more narrowly",
    "moral_strain": "moral strain",
    "distress": "distress",
    "time_left": "time for the unit",
    "overload": "overload",
    "quality": "quality of care",
    "harm": "harm to patients",
    "reported": "reported results",
    "gap": "reports less quality",
    "initiative_rate": "trying new things",
    "successes": "succeeding with it",
    "needless": "trying needlessly",
    "practice_gain": "learning by trying",
    "confidence": "confidence",
    "integrity": "integrity",
    "exits": "leaving the post",
    "skill": "skill",
    "satisfaction": "feeling good",
    "negligence": "negligence",
    "record_share": "leaders with a record",
    "quality_per_cost": "quality for the money",
    "misfit": "misfit to local need",
}
"""Outcomes in few words, for pictures and lists."""

_HEADLINE = {
    ("fear", "fear"): ("raises", "lowers", "leaders' fear"),
    ("risk", "initiative_rate"): ("lowers", "raises", "readiness to try something new"),
    ("pays", "harm"): ("lowers", "raises", "harm to patients"),
    ("pays", "quality"): ("raises", "lowers", "the quality of care"),
}
"""The outcomes that the headline names, what the claim says happens to them, what its opposite is, and what to call
them: both sides' strongest case."""

_NAMES = {"Berwick": "Berwick", "government": "the government"}
VERDICTS = ("supported", "opposed", "higher", "lower", "negligible", "undecided")
ALTERNATIVES = {
    "unweighted": "without weighting by evidence",
    "second_prior": "with every mechanism on",
    "left_out": "with the findings on this outcome left out",
}
"""What stands beside a verdict, by the beginning of its columns."""


def label(outcome: str) -> str:
    """An outcome in few words."""
    return LABELS.get(outcome, outcome.replace("_", " "))


def shown_numbers(*numbers: float, finest: float = 0.0) -> list[str]:
    """Numbers with equally many decimals: two digits of the largest, and a third where `finest` is that small.

    >>> shown_numbers(0.0714, 0.0682, finest=0.003)
    ['0.071', '0.068']
    """
    largest = max((abs(number) for number in numbers), default=0.0)
    digits = [1 - _magnitude(largest)] if largest else [0]
    digits += [min(-_magnitude(finest), digits[0] + 1)] if finest else []
    places = min(max(0, *digits), 7)
    return [_without_minus_zero(f"{number:.{places}f}") for number in numbers]


def signed(number: float) -> str:
    """A number with its sign and two digits; zero without a sign.

    >>> signed(0.0731), signed(-0.0064), signed(0.0)
    ('+0.073', '-0.0064', '0')
    """
    return signed_numbers(number)[0]


def signed_numbers(*numbers: float) -> list[str]:
    """Numbers with their signs and equally many decimals; zero without a sign.

    >>> signed_numbers(0.0731, -0.0064, 0.0)
    ['+0.073', '-0.006', '0.000']
    """
    texts = shown_numbers(*numbers)
    return [
        f"+{text}" if number > 0 and text.strip("0.") else text for number, text in zip(numbers, texts, strict=True)
    ]


def percent(share: float) -> str:
    """A share in whole per cent; what is neither none nor all is never shown as such.

    >>> percent(0.003), percent(0.997), percent(1.0)
    ('below 1 %', 'above 99 %', '100 %')
    """
    if 0.0 < share < 0.005:
        return "below 1 %"
    return "above 99 %" if 0.995 <= share < 1.0 else f"{100 * share:.0f} %"


def joined(parts: Sequence[str]) -> str:
    """Parts with commas and an "and" before the last."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def headline(rows: Iterable[Row]) -> str:
    """The main finding in one sentence: fear, readiness to try something new, harm, and quality of care."""
    found = list(rows)
    said: dict[tuple[str, str], Row] = {}
    for row in found:  # the first comparison of a claim is the one that decides
        said.setdefault((row["claim"], row["outcome"]), row)
    parts = [_part(said[key], *what) for key, what in _HEADLINE.items() if key in said and has_shares(said[key])]
    if not parts:
        return tally(found)
    return f"Heavy surveillance instead of light {joined(parts)} of plausible worlds, by weight."


def _part(row: Row, claimed: str, opposite: str, what: str) -> str:
    """The direction with more weight; or that hardly anything changes, where that is the verdict."""
    if row["verdict"] == "negligible":
        return f"hardly changes {what} in {percent(row['negligible'])}"
    verb, share = (claimed, "supported") if row["supported"] >= row["opposed"] else (opposite, "opposed")
    return f"{verb} {what} in {percent(row[share])}"


def tally(rows: Iterable[Row]) -> str:
    """How many verdicts each side won and lost, in one sentence."""
    found = list(rows)
    parts = [part for side in _NAMES if (part := _tally_of(side, found))]
    return ". ".join(parts) + "." if parts else "No side claims anything here."


def _tally_of(side: str, rows: Iterable[Row]) -> str:
    count = Counter[str](row["verdict"] for row in rows if row["side"] == side)
    if not count:
        return ""
    rest = ", ".join(f"{n} {verdict}" for verdict, n in count.most_common() if verdict != "supported")
    who = _NAMES[side]
    return f"{who[0].upper()}{who[1:]}: {count['supported']} of {count.total()} verdicts supported" + (
        f", {rest}" if rest else ""
    )


def winners(rows: Iterable[Row]) -> list[str]:
    """Who wins what: for each side, the outcomes that got each verdict, by claim."""
    lines = []
    found = list(rows)
    for side, who in _NAMES.items():
        for verdict, says in (("supported", "is supported on"), ("opposed", "is opposed on")):
            won = [f"{row['claim']} ({label(row['outcome'])})" for row in found
                   if row["side"] == side and row["verdict"] == verdict]  # fmt: skip
            if won:
                lines.append(f"{who[0].upper()}{who[1:]} {says} {joined(list(dict.fromkeys(won)))}.")
    return lines


def sentence(row: Row) -> str:
    """One finding: who is how often supported, the effect over worlds, and what the alternatives say if they differ."""
    parts = [f"{label(row['outcome'])}: {_ruling(row)}"]
    parts += [text for text in (_shares(row), _effect(row), _differing(row), row["remark"]) if text]
    return "; ".join(parts) + "."


def brief(row: Row) -> str:
    """One finding in a few words: the overall verdict, the shares, and the alternatives that say something else."""
    what, verdict = label(row["outcome"]), str(row["verdict"])
    if not has_shares(row):
        effect = _effect(row)
        return f"{what} {effect}" if effect else f"{what} {verdict}"
    numbers = [f"{percent(row[v])} {v}" for v in _ranked(row) if row[v] > 0.0]
    if verdict in VERDICTS:
        who = f"{_NAMES[row['side']]} " if verdict in ("supported", "opposed") else ""
        numbers[0], verdict = percent(row[verdict]), who + verdict
    others = [f"{name.replace('_', ' ')} {said}" for name in ALTERNATIVES if (said := _otherwise(row, name))]
    return f"{what} {verdict} ({', '.join(numbers)}{'; ' if others else ''}{', '.join(others)})"


def _ruling(row: Row) -> str:
    verdict, who = row["verdict"], _NAMES.get(row["side"], "")
    if verdict in ("supported", "opposed"):
        return f"{who} is {verdict}"
    return "an estimate without a verdict" if verdict == "estimate" else str(verdict)


def _shares(row: Row) -> str:
    if not has_shares(row):
        return ""
    ranked = _ranked(row)
    first, *rest = (f"{verdict} in {percent(row[verdict])}" for verdict in ranked if row[verdict] > 0.0)
    error = shown_numbers(100 * row[f"{ranked[0]}_error"])[0]
    return ", ".join([f"{first} of plausible worlds (Monte Carlo error {error} points)", *rest])


def _ranked(row: Row) -> list[str]:
    """The verdicts that the row has shares of, the largest first."""
    return sorted((v for v in VERDICTS if is_number(row.get(v))), key=lambda v: -row[v])


def _effect(row: Row) -> str:
    if not is_number(row.get("median")):
        return ""
    level = row["contrast"].startswith("level")
    numbers = (row["median"], row["q05"], row["q95"])
    median, low, high = shown_numbers(*numbers) if level else signed_numbers(*numbers)
    limit = f", where {row['sesoi_rule'].replace('rel', 'of the level')} matters" if row["sesoi_rule"] else ""
    return f"{'level' if level else 'effect'} {median} in the median world, {low} to {high} in 90 % of them{limit}"


def _differing(row: Row) -> str:
    """The alternatives whose verdict is another one."""
    return ", ".join(f"{what}: {said}" for name, what in ALTERNATIVES.items() if (said := _otherwise(row, name)))


def _otherwise(row: Row, alternative: str) -> str:
    """The verdict of an alternative if it is another one."""
    verdict = row.get(f"{alternative}_verdict") or ""
    return "" if verdict == row["verdict"] else str(verdict)


def has_shares(row: Row) -> bool:
    """Whether a row has verdicts, and so shares of worlds."""
    return any(is_number(row.get(verdict)) for verdict in VERDICTS)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not math.isnan(value)


def _magnitude(number: float) -> int:
    return math.floor(math.log10(abs(number)))


def _without_minus_zero(text: str) -> str:
    return text.replace("-", "") if text.startswith("-") and not text.strip("-0.") else text
