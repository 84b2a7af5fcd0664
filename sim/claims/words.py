"""What the tables beside the verdicts say, in sentences that can be read aloud."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sim.claims.attribution import STANDS_OUT
from sim.claims.statements import Claim
from sim.claims.text import Row, is_number, joined, label, percent, shown_numbers, signed_numbers


def besides(claim: Claim, tables: Mapping[str, Sequence[Row]], every: bool) -> Iterator[str]:
    """What the tables of `sim.claims.tables` say about a claim, a sentence or a few each; by dose for `every`
    outcome or for the first alone."""
    doses = [row for row in tables["doses"] if row["claim"] == claim.id]
    for measure in claim.measures if every else claim.measures[:1]:
        if text := dose_sentence(row for row in doses if row["outcome"] == measure.outcome):
            yield text
    if claim.id == "fearful":
        yield from filter(None, [levels_sentence(tables["levels"])])
    if claim.id == "risk":
        yield from filter(None, [atmosphere_sentence(tables["atmosphere"], tables["fear_slope"])])
    if claim.id == "relationship":
        yield from optimum_sentences(tables["optimum"])
    if claim.id == "cuts":
        yield from filter(None, [made_up_sentence(tables["made_up"])])
    yield from (break_even_sentence(row) for row in tables["break_evens"] if row["claim"] == claim.id)


def dose_sentence(rows: Iterable[Row]) -> str:
    """What each dose and each lever adds to one outcome, in the median world."""
    found = [row for row in rows if is_number(row.get("median"))]
    if not found:
        return ""
    texts = signed_numbers(*(row["median"] for row in found))
    parts = [f"{row['step']} {text}" for row, text in zip(found, texts, strict=True)]
    return f"By dose, {label(found[0]['outcome'])} in the median world: {', '.join(parts)}."


def levels_sentence(rows: Iterable[Row]) -> str:
    """How many leaders are fearful under each dose of surveillance, by each limit."""
    found = list(rows)
    lines = []
    for outcome, limit in (("fearful", 0.5), ("fearful_40", 0.4), ("fearful_60", 0.6)):
        parts = [
            f"{percent(row['median'])} under {row['arm']} surveillance ({percent(row['low'])} to "
            f"{percent(row['high'])} in 90 % of worlds)"
            for row in found
            if row["outcome"] == outcome
        ]
        if parts:
            lines.append(f"Managers with a fear above {limit}: {joined(parts)}.")
    return "\n".join(lines)


def optimum_sentences(rows: Iterable[Row]) -> list[str]:
    """Where on the oversight budget quality is highest, for each price of relationship."""
    by_price: dict[float, list[Row]] = {}
    for row in rows:
        by_price.setdefault(row["price"], []).append(row)
    return [_optimum(price, points) for price, points in by_price.items()]


def _optimum(price: float, points: Sequence[Row]) -> str:
    first, *between, last = points
    inside = sum(row["share"] for row in between)
    middle, low, high = shown_numbers(first["optimum_median"], first["optimum_low"], first["optimum_high"])
    return (
        f"At a price of {price:g}, quality is highest with all of the budget on relationships in "
        f"{percent(last['share'])} of worlds, with none in {percent(first['share'])}, in between in {percent(inside)}; "
        f"the best relationship is {middle} in the median world ({low} to {high} in 90 %)."
    )


def made_up_sentence(rows: Iterable[Row]) -> str:
    """How much more cooperation makes up for a cut."""
    found = {row["case"]: row for row in rows}
    if not found:
        return ""
    enough = [
        f"{case.removesuffix(' is enough')} in {percent(row['share'])}"
        for case, row in found.items()
        if case.startswith("incentive")
    ]
    text = (
        f"Cooperation makes up for the whole loss with {joined(enough)} of worlds; none that was tried does in "
        f"{percent(found['no incentive tried is enough']['share'])}, and in "
        f"{percent(found['nothing was lost']['share'])} nothing was lost"
    )
    needed = found.get("needed")
    return text + (f"; where one is enough and something was lost, it takes {needed['median']:.2f} in the median "
                   f"world ({needed['low']:.2f} to {needed['high']:.2f} in 90 %)." if needed else ".")  # fmt: skip


def break_even_sentence(row: Row) -> str:
    """A sign that one parameter decides."""
    verb = "rises" if row["sign"] > 0 else "falls"
    value = shown_numbers(row["break_even"])[0] if row["break_even"] else "0"
    return (
        f"By construction: {label(row['outcome'])} {verb} where {row['parameter']} is above {value} ({row['why']}); it "
        f"is in {percent(row['share_above'])} of worlds. Simulated, this holds in {percent(row['as_it_should'])}."
    )


def atmosphere_sentence(rows: Iterable[Row], slopes: Iterable[Row]) -> str:
    """How readiness to try something new goes with fear, across worlds and within them."""
    found = list(rows)
    if not found:
        return ""
    parts = [f"{100 * row['mean']:.1f} % at a fear of {row['fear_from']:.1f} to {row['fear_to']:.1f}" for row in found]
    text = f"Whatever the surveillance, managers who try something new in a month: {', '.join(parts)}."
    for slope in slopes:
        middle, low, high = signed_numbers(*(10 * slope[name] for name in ("median", "low", "high")))
        text += (
            f" Within a world, across regimes, the rate falls as fear rises in {percent(slope['share_falling'])} of "
            f"worlds; a tenth more fear goes with {middle} points of it ({low} to {high} in 90 %)."
        )
    return text


def carriers_sentence(rows: Iterable[Row]) -> str:
    """Which mechanisms carry an effect: those that stand out from chance, the three largest first."""
    clear = [row for row in rows if abs(row["contribution"]) > STANDS_OUT * row["standard_error"]]
    if not clear:
        return ""
    clear = sorted(clear, key=lambda row: -abs(row["contribution"]))[:3]
    texts = signed_numbers(*(row["contribution"] for row in clear))
    parts = [f"{row['mechanism'].replace('_', ' ')} ({text}, {row['case']})"
             for row, text in zip(clear, texts, strict=True)]  # fmt: skip
    return f"Carried by {joined(parts)}."
