"""Findings in sentences that can be read aloud; every number in them comes from the findings."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import pandas as pd

from sim.inference.contrast import Difference
from sim.inference.statements import Finding

LABELS = {
    "fear": "fear",
    "toxic": "toxic climate",
    "toxic_40": "toxic, more widely",
    "toxic_60": "toxic, more narrowly",
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
}
"""Outcomes in few words, for pictures."""

_PHRASES = {
    "toxic": "the share of managers in a toxic climate",
    "toxic_40": "the share of managers in a toxic climate (drawn widely)",
    "toxic_60": "the share of managers in a toxic climate (drawn narrowly)",
    "time_left": "the share of time left for running the unit",
    "quality": "the quality of care",
    "reported": "the reported results",
    "gap": "the gap between reports and quality",
    "initiative_rate": "the share of managers who try something new in a month",
    "successes": "the share of managers who succeed with something new in a month",
    "needless": "the share of managers who try something new without need",
    "practice_gain": "the skill learned in a month by trying something new",
    "exits": "the share of managers who leave in a month",
    "satisfaction": "how good managers feel about their work",
}

_HEADLINE = {
    ("fear", "fear"): "leaders' fear",
    ("risk", "initiative_rate"): "initiative",
    ("pays", "harm"): "harm to patients",
    ("pays", "quality"): "the quality of care",
}
"""The outcomes that the headline names, and what it calls them: both sides' strongest case."""

_NAMES = {"Berwick": "Berwick", "government": "the government"}


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
    text = shown_numbers(number)[0]
    return f"+{text}" if number > 0 else text


def percent(difference: Difference) -> str:
    """The difference as a percentage of the arm after the minus, or "" where that is zero."""
    return f"{100 * difference.estimate / abs(difference.minus):+.0f} %" if difference.minus else ""


def sentence(finding: Finding) -> str:
    """One finding, with its interval and its verdict."""
    remark = f" ({finding.measure.remark})" if finding.measure.remark else ""
    return f"{finding.comparison.subject} {_effect(finding)}: {_ruling(finding)}{remark}."


def headline(findings: Sequence[Finding]) -> str:
    """The main finding in one sentence: fear, readiness to try something new, harm, and quality of care."""
    said = {(f.claim.id, f.measure.outcome): f for f in findings}
    parts = [_part(what, said[key]) for key, what in _HEADLINE.items() if key in said]
    return f"Heavy surveillance {joined(parts)}." if parts else tally(findings)


def tally(findings: Iterable[Finding]) -> str:
    """How many verdicts each side won and lost, in one sentence."""
    found = list(findings)
    parts = [part for side in _NAMES if (part := _tally_of(side, found))]
    return ". ".join(parts) + "." if parts else "No side claims anything here."


def levels_sentence(levels: pd.DataFrame) -> str:
    """How many leaders are fearful under each dose of surveillance, by each limit, from the table of levels."""
    sentences = []
    for outcome, limit in (("fearful", 0.5), ("fearful_40", 0.4), ("fearful_60", 0.6)):
        parts = [
            f"{100 * row['mean']:.1f} % under {row['arm']} surveillance "
            f"(95 % interval {100 * row['low']:.1f} to {100 * row['high']:.1f})"
            for row in levels[levels["outcome"] == outcome].to_dict("records")
        ]
        sentences.append(f"Managers with a fear above {limit}: {joined(parts)}.")
    return "\n".join(sentences)


def _effect(finding: Finding) -> str:
    """What the policy does to the outcome, as a predicate: "raises fear by 0.071 (95 % interval ...)"."""
    d = finding.difference
    phrase = _PHRASES.get(finding.measure.outcome, label(finding.measure.outcome))
    sizes = [d.estimate, d.low, d.high]
    if d.low > 0.0:
        verb = "raises"
    elif d.high < 0.0:
        verb, sizes = "lowers", [-d.estimate, -d.high, -d.low]
    else:
        verb = "changes"
    by, low, high = shown_numbers(*sizes, finest=(d.high - d.low) / 2)
    share = f" or {percent(d).lstrip('+-')}" if _is_relative(finding) and verb != "changes" else ""
    return f"{verb} {phrase} by {by}{share} (95 % interval {low} to {high})"


def _ruling(finding: Finding) -> str:
    verdict, side = finding.difference.verdict, finding.measure.side
    who = _NAMES.get(side, "")
    if verdict in ("supported", "opposed"):
        return f"{who} is {verdict}"
    if verdict in ("higher", "lower"):
        return f"it is {verdict}, and nobody had claimed a direction"
    if verdict == "estimate":
        return "an estimate without a verdict"
    threshold = finding.measure.sesoi.text.replace("rel", "of the level") if finding.measure.sesoi else ""
    if verdict == "negligible":
        return f"negligible, less than {threshold}" + (f", so {who} is not supported" if who else "")
    return f"undecided, because the interval is neither within nor beyond {threshold}"


def _part(what: str, finding: Finding) -> str:
    d = finding.difference
    threshold = d.sesoi or 0.0
    if d.low > threshold:
        verb = "raises"
    elif d.high < -threshold:
        verb = "lowers"
    else:
        verb = "hardly changes" if d.verdict == "negligible" else "may or may not change"
    amount = percent(d) if _is_relative(finding) else signed(d.estimate)
    return f"{verb} {what} ({amount})" if amount else f"{verb} {what}"


def _tally_of(side: str, findings: list[Finding]) -> str:
    count = Counter[str](f.difference.verdict for f in findings if f.measure.side == side)
    if not count:
        return ""
    rest = ", ".join(f"{count[verdict]} {verdict}" for verdict in ("opposed", "negligible", "undecided"))
    who = _NAMES[side]
    return f"{who[0].upper()}{who[1:]}: {count['supported']} of {count.total()} verdicts supported, {rest}"


def joined(parts: Sequence[str]) -> str:
    """Parts with commas and an "and" before the last."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _is_relative(finding: Finding) -> bool:
    return finding.measure.sesoi is not None and finding.measure.sesoi.relative


def _magnitude(number: float) -> int:
    return math.floor(math.log10(abs(number)))


def _without_minus_zero(text: str) -> str:
    return text.replace("-", "") if text.startswith("-") and not text.strip("-0.") else text
