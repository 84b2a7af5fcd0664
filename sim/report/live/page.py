"""The live page: one HTML file in which a reader oversees the NHS, in a hundred plausible versions of it.

The file holds the tested engine, the parameters of the versions, and what a stored answer says about them; opened from
disk it runs by itself and asks the network for nothing. What the page calls things comes from `sim.model.words` and
from the tables of the model; what it does stands in the scripts beside this.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim import files, statistics
from sim.claims.answer import ClaimReport
from sim.claims.statements import CHOICES, CHOSEN_BY, HEADLINE, LIMITS, SURVEILLANCE, primary
from sim.claims.text import CAVEATS
from sim.claims.verdict import classes
from sim.errors import InputError
from sim.model import engine, words
from sim.model.interventions import LEARNED, Interventions
from sim.model.local import LocalRule, encoded
from sim.model.outcomes import OUTCOMES, POST_COLUMNS
from sim.model.parameters import COEFFICIENTS, LEVERS, MECHANISMS, PARAMETERS, REGIMES, SPREADS, resolve
from sim.model.version import identity
from sim.report.html import data_of, in_base64, rendered
from sim.worlds.ensemble import Ensemble
from sim.worlds.evaluate import MOST_PAIRS, PAIRS, Arm, Contrast, seeds_of
from sim.worlds.prior import Worlds

HERE = Path(__file__).parent
SCRIPTS = ("statistics.js", "state.js", "draw.js", "people.js", "film.js", "hundred.js", "slip.js", "steps.js",
           "main.js")  # fmt: skip
"""What runs in the page, in the order in which it is read."""
WORKER = ("engine.js", "worker.js")
"""What runs beside the page."""
MARK = b"leadership-sim live page"

WORLDS = 100
HEADLINED = tuple(outcome for _, outcome in HEADLINE)
SHOWN = (*HEADLINED, *(name for name in CHOSEN_BY if name not in HEADLINED), "trust")
"""The outcomes that the page tells, those of the headline first."""
AXES = {"fear": (0, 80), "initiative_rate": (0, 40), "harm": (0, 200), "quality": (0, 80), "time_left": (25, 37.5),
        "distress": (0, 80), "reported": (0, 80), "trust": (0, 100)}  # fmt: skip
"""The ends of their axes, in the units of `sim.model.words`."""
_NATION = {"organisations": 5, "managers": 12, "months": 120, "window": 24}
SIZES = {"pairs": {"systems": 4, **_NATION}, "version": {"systems": 6, **_NATION}}
"""Of the runs that are compared in a hundred versions, as in `sim.claims.answer`, and of the one that is watched."""
PRESETS = ("baseline", *CHOICES)
FIRST = ("monitoring", "targets", "punitiveness", "discernment", "leniency", "relationship", "recognition", "publicity")
"""Levers whose controls are seen at once; the others are folded."""
TRIES = 20_000


def chosen(weights: ArrayLike, found: ArrayLike, number: int = WORLDS, seed: int = 0) -> NDArray[np.int64]:
    """The numbers of different worlds that stand for all of them, each with the same weight.

    `found` are the classes of effects (-1, 0, 1), shape (worlds, effects), perhaps without any. The worlds are taken by
    weight from an order in which those of like effects are neighbours; then single ones are exchanged for others, which
    are drawn by weight, as long as that brings the shares of the classes closer to those by weight in all worlds.
    Raises `InputError` where there are too few worlds.

    >>> chosen([0.2, 0.3, 0.5], np.empty((3, 0)), 2).tolist()
    [1, 2]
    """
    w, c, rng = np.asarray(weights, dtype=np.float64), np.asarray(found), np.random.default_rng(seed)
    if (w > 0).sum() < number:
        raise InputError([f"the live page needs {number} worlds; here are {(w > 0).sum()}"])
    order = np.lexsort(c.T) if c.shape[1] else np.arange(len(w))
    taken = list(dict.fromkeys(order[statistics.systematic(w[order], number, rng)].tolist()))
    drawn = rng.choice(len(w), size=TRIES, p=w / w.sum()).tolist()
    spare = iter(dict.fromkeys([*drawn, *np.argsort(-w).tolist()]))
    while len(taken) < number:
        if (other := next(spare)) not in taken:
            taken.append(other)
    if not c.shape[1]:
        return np.sort(taken)
    member = np.concatenate([c == one for one in (-1, 0, 1)], axis=1).astype(np.float64) / number
    apart = member[taken].sum(axis=0) - number * (w / w.sum()) @ member
    for new, place in zip(drawn, rng.integers(number, size=TRIES).tolist(), strict=True):
        after = apart + member[new] - member[taken[place]]
        if new not in taken and after @ after < apart @ apart:
            taken[place], apart = new, after
    return np.sort(taken)


def page(ensemble: Ensemble, stored: ClaimReport | None = None) -> str:
    """The page as HTML, about worlds and, where there is one, the stored answer about them.

    Raises `InputError` where the answer is about other worlds, or about too few.
    """
    numbers, effects = _taken(ensemble, stored)
    ours = {
        "script": "\n".join(_text(name) for name in SCRIPTS),
        "style": _text("page.css"),
        "data": data_of(_data(ensemble.take(numbers), numbers, effects)),
    }
    told = {"mark": MARK.decode(), "caveats": CAVEATS, "worlds": len(numbers), "steps": STEPS}
    return rendered("live/page.html.j2", ours, **told)


STEPS = ("One slip", "Your bet", "One NHS", "A hundred", "Figures and care", "Two cases", "Your oversight")
"""What the parts of the page are called."""


def save(path: str | Path, ensemble: Ensemble, stored: ClaimReport | None = None) -> Path:
    """Write the page, and return its path. Raises `InputError` where something else is there already, and as `page`."""
    path = Path(path)
    files.check_new(path, MARK)
    files.write_new(path, page(ensemble, stored).encode(), MARK)
    return path


def _taken(ensemble: Ensemble, stored: ClaimReport | None) -> tuple[NDArray[np.int64], Mapping[str, Any] | None]:
    """The numbers of the worlds, and what is known of them: contrasts, and estimates, errors and pairs by world."""
    if stored is None:
        return chosen(ensemble.weights, np.empty((len(ensemble), 0))), None
    frame = stored.effects_in(ensemble)
    contrasts = {SURVEILLANCE.name: SURVEILLANCE} | {contrast.name: contrast for contrast in CHOICES.values()}
    deciding = dict.fromkeys([*primary().values(), *((SURVEILLANCE.name, outcome) for outcome in SHOWN)])
    names = {*contrasts, *(contrast for contrast, _ in deciding)}
    frame = frame[frame["contrast"].isin(names) & frame["outcome"].isin([*SHOWN, *(o for _, o in deciding)])]
    wide = frame.pivot(index="world", columns=["contrast", "outcome"], values=["estimate", "error", "pairs"])
    sizes = stored.sizes
    known = [(contrast, o) for contrast, o in deciding if ("estimate", contrast, o) in wide.columns and o in sizes]
    found = [classes(wide["estimate"][key], sizes[key[1]]) for key in known]
    rows = chosen(ensemble.weights[wide.index], np.stack(found, axis=1))
    told = [contrast for name, contrast in contrasts.items() if ("estimate", name, SHOWN[0]) in wide.columns]
    columns = [(contrast.name, outcome) for contrast in told for outcome in SHOWN]
    kept = {part: wide[part][columns].to_numpy()[rows] for part in ("estimate", "error", "pairs")}
    return wide.index.to_numpy()[rows], {"contrasts": told, **kept}


def _data(worlds: Worlds, numbers: NDArray[np.int64], effects: Mapping[str, Any] | None) -> dict[str, Any]:
    """All that the scripts know, as JSON has it; arrays in base64."""
    about = json.loads(_text("engine.json"))
    names, each = (*COEFFICIENTS, *SPREADS), list(worlds)
    own = [[world.values.get(name, PARAMETERS[name].default) for name in (*names, *LEVERS)] for world in each]
    values, levers = np.split(np.array(own), [len(names)], axis=1)
    return {
        "identity": identity(),
        "about": about,
        "wasm": in_base64((HERE / "engine.wasm").read_bytes()),
        "worker": "\n".join(_text(name) for name in WORKER),
        "sizes": SIZES,
        "rule": {"block": PAIRS, "most": MOST_PAIRS},
        "numbers": numbers.tolist(),
        "seeds": [str(next(seeds_of(world))) for world in each],
        "values": in_base64(values),
        "leverValues": in_base64(levers),
        "off": in_base64(worlds.off.astype(np.uint8)),
        "nulls": {key: {name: PARAMETERS[name].null for name in m.parameters} for key, m in MECHANISMS.items()},
        "defaults": {name: PARAMETERS[name].default for name in (*names, *LEVERS)},
        "levers": [_lever(name) for name in sorted(LEVERS, key=[*FIRST, *LEVERS].index)],
        "mechanisms": [
            {"name": key, "case": m.case, "label": words.clause(key), "meaning": m.meaning}
            for key, m in MECHANISMS.items()
        ],
        "regimes": [
            {"name": name, "label": words.policy(name), "meaning": regime.meaning, "levers": regime.levers}
            for name, regime in ((name, REGIMES[name]) for name in PRESETS)
        ],
        "outcomes": [_outcome(name) for name in SHOWN],
        "story": {"plus": _levers(SURVEILLANCE.arms[0][1]), "minus": _levers(SURVEILLANCE.arms[1][1]),
                  "bet": list(HEADLINED)},
        "slip": slip(),
        "stored": None if effects is None else _stored(effects),
    }  # fmt: skip


def _lever(name: str) -> dict[str, Any]:
    declared, scale = PARAMETERS[name], words.scale(name)
    return {"name": name, "label": scale.label, "ends": [scale.low, scale.high], "meaning": declared.meaning,
            "low": declared.minimum, "high": declared.maximum, "default": declared.default, "first": name in FIRST,
            "differs": declared.low is not None}  # fmt: skip


def _outcome(name: str) -> dict[str, Any]:
    measure, limit = words.MEASURES[name], LIMITS[name]
    return {"name": name, "label": measure.label, "unit": measure.unit, "factor": measure.factor, "more": measure.more,
            "less": measure.less, "of": measure.of, "raises": measure.raises, "lowers": measure.lowers,
            "meaning": OUTCOMES[name].meaning, "direction": limit.direction, "delta": limit.size,
            "finer": limit.finer, "axis": AXES[name]}  # fmt: skip


def _levers(arm: Arm) -> dict[str, Any]:
    """The levers that an arm sets."""
    return {**REGIMES[arm.regime].levers, **dict(arm.settings)}


def _stored(effects: Mapping[str, Any]) -> dict[str, Any]:
    """Effects for the page: the levers of each contrast's two arms, and arrays, worlds by contrasts by `SHOWN`."""
    contrasts: list[Contrast] = effects["contrasts"]
    arms = [[_levers(arm) for _, arm in contrast.arms] for contrast in contrasts]
    arrays = {name: in_base64(effects[name].astype(np.float32)) for name in ("estimate", "error", "pairs")}
    return {"arms": arms, **arrays}


SLIP_MONTH, SLIP_MONTHS = 13, 25
ANSWERS = {
    "punish": {"punitiveness": 1.0, "discernment": 0.0, "leniency": 0.0},
    "look": {"discernment": 1.0},
    "let_go": {"monitoring": 0.0},
}
"""How one trust answers a slip in one month: whoever is found out is punished; it is looked into, so that who was not
negligent is cleared; nobody looks, so that it never comes to light."""
_FRIGHTENED, _FAR = 0.2, 0.05


def slip() -> dict[str, Any]:
    """A run of one system under baseline oversight and the three answers to an honest slip in its first trust.

    It is the first seed in which, in that month, the trust has this one slip, which its manager does not report: it is
    punished under the first answer, cleared under the second, and not found under the third. Nothing much happens
    elsewhere that would not have happened anyway, which two runs under one seed do not promise.
    """
    policies = [
        LocalRule(tuple(answer.items()), organisations=(0,), first=SLIP_MONTH, last=SLIP_MONTH)
        for answer in ANSWERS.values()
    ]
    sizes: dict[str, Any] = {**_NATION, "systems": 1, "months": SLIP_MONTHS}
    arms = [resolve(local=[rule.table], **sizes) for rule in policies]
    columns = [list(POST_COLUMNS).index(name) for name in ("slips", "negligence", "spoken", "sanctions")]
    for seed in range(100_000):
        fears = []
        for p, sanctioned in zip(arms, (1.0, 0.0, 0.0), strict=True):
            record = engine.run(p, seed, True, Interventions(record_fear=True))
            if record.organisations[SLIP_MONTH - 1, 0, columns].tolist() != [1.0, 0.0, 0.0, sanctioned]:
                break
            fears.append(record.fear[SLIP_MONTH - 1 :, :, LEARNED])
        if len(fears) < len(arms):
            continue
        punished, cleared = fears[0] - fears[2], fears[1] - fears[2]
        post = int(punished[0].argmax())
        known = 0 < post < p.managers and post == int(cleared[0].argmin()) and punished[0, post] > _FRIGHTENED
        elsewhere = max(float(np.abs(np.delete(rise, post, axis=1)[1:]).max()) for rise in (punished, cleared))
        if known and elsewhere < _FAR:
            break
    else:
        raise InputError(["the model has no slip as the live page wants to show it"])
    local = [encoded((rule,), seed, p.organisations) for rule in policies]
    return {
        "seed": str(seed), "post": post, "month": SLIP_MONTH, "names": list(ANSWERS), "sizes": sizes,
        "values": in_base64(np.array([getattr(p, name) for name in (*COEFFICIENTS, *SPREADS)])),
        "levers": in_base64(np.array([getattr(p, name) for name in LEVERS])),
        "arms": [in_base64(rules) for rules, _ in local], "members": in_base64(local[0][1]),
    }  # fmt: skip


def _text(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
