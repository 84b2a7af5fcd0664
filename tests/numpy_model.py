"""The model as a user of plain NumPy would write it: a month is whole-array expressions over the posts of the nation.

Arrays have the shape (systems, organisations, managers), or 1 in the place of what they are the same for, so that
NumPy's broadcasting spreads the climate of an organisation over its managers. Only appointments, which are rare and
depend on the order of the posts, go through a loop. The formulas are written anew; nothing comes from `rules`.

Random numbers come from `Own`, NumPy's default generator, or from `Shared`, this package's streams: with them every
decision is the same as in this package's engines, and outcomes differ by the rounding of sums and of exponentials.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, ndtri

from sim.model.parameters import LEVERS, resolve
from sim.model.streams import MONTHLY, NUMBERS, Streams, trial

Array = NDArray[Any]
CARRIED = ("motivation_at_start", "integrity", "skill", "boldness", "crowding", "anxiety", "fear", "record")
"""What a manager takes from a post to the market and back: the columns of a table of people."""
SKILL, RECORD = CARRIED.index("skill"), CARRIED.index("record")


class Luck(Protocol):
    """Where uniform numbers come from."""

    def month(self) -> Mapping[str, Array]:
        """For each name in `MONTHLY` a number for each post of the nation."""

    def keyed(self, name: str, indices: Sequence[int] | Array, counts: Sequence[int] | Array) -> Array:
        """`NUMBERS` numbers for each pair of an index and a count, shape (pairs, `NUMBERS`)."""

    def trial(self, organisations: int) -> Array:
        """A number for each organisation."""


class Own:
    """NumPy's default generator, drawn in turn."""

    def __init__(self, seed: int, shape: tuple[int, int, int]) -> None:
        self.shape, self.rng = shape, np.random.default_rng(seed)

    def month(self) -> Mapping[str, Array]:
        """See `Luck`."""
        return dict(zip(MONTHLY, self.rng.random((len(MONTHLY), *self.shape)), strict=True))

    def keyed(self, name: str, indices: Sequence[int] | Array, counts: Sequence[int] | Array) -> Array:
        """See `Luck`; neither the name nor the numbers matter."""
        return self.rng.random((len(indices), NUMBERS))

    def trial(self, organisations: int) -> Array:
        """See `Luck`."""
        return self.rng.random(organisations)


class Shared:
    """This package's streams, the same numbers as its engines draw."""

    def __init__(self, seed: int, shape: tuple[int, int, int]) -> None:
        self.seed, self.shape, self.streams = seed, shape, Streams(seed, int(np.prod(shape)))

    def month(self) -> Mapping[str, Array]:
        """See `Luck`."""
        return {name: np.reshape(numbers, self.shape) for name, numbers in self.streams.month().items()}

    def keyed(self, name: str, indices: Sequence[int] | Array, counts: Sequence[int] | Array) -> Array:
        """See `Luck`."""
        keys = zip(indices, counts, strict=True)
        return np.reshape([self.streams.keyed(name, int(i), int(n)) for i, n in keys], (-1, NUMBERS))

    def trial(self, organisations: int) -> Array:
        """See `Luck`."""
        return trial(self.seed, organisations)


STOCKS = ("fear", "trust", "confidence", "skill", "integrity", "distress", "motivation", "cooperation")
OF_POSTS = (
    "monitoring", "relationship", *STOCKS, "effort", "quality", "reported", "honest_indicator", "gaming", "harm",
    "initiative_rate", "slips", "negligence", "spoken", "sanctions", "exits", "dismissals", "record_share",
)  # fmt: skip
"""What is averaged for each post and each organisation."""
MEANS = (
    *STOCKS, "effort", "assurance", "time_left", "overload", "quality", "reported", "honest_indicator", "gaming",
    "harm", "moral_strain", "initiative_rate", "successes", "needless", "practice_gain", "slips", "negligence",
    "sanctions", "exits", "dismissals", "recycled", "monitoring_level", "targets_level", "relationship_level", "misfit",
    "toxic", "fearful", "record_share",
)  # fmt: skip
"""Outcomes that are means over managers."""
LOCAL = (
    "monitoring", "targets", "punitiveness", "discernment", "leniency", "relationship", "recognition",
    "standardisation",
)  # fmt: skip
"""Levers of which an organisation may have a value of its own."""


class Tables(NamedTuple):
    """What a run leaves behind, as the tables of `sim.Run`."""

    series: pd.DataFrame
    posts: pd.DataFrame
    organisations: pd.DataFrame


def simulate(
    seed: int,
    regime: str = "baseline",
    luck: type[Own] | type[Shared] = Own,
    local: Sequence[Mapping[str, Any]] = (),
    **settings: Any,
) -> pd.DataFrame:
    """Run the model once: a row for each month, a column for each outcome; the settings are those of `sim.simulate`."""
    nation = start(resolve(regime, **settings), seed, luck, local)
    return series([outcomes(nation.step(month)) for month in range(1, nation.p.months + 1)])


def tables(
    seed: int,
    regime: str = "baseline",
    luck: type[Own] | type[Shared] = Own,
    local: Sequence[Mapping[str, Any]] = (),
    **settings: Any,
) -> Tables:
    """As `simulate`, with the table of posts and that of organisations by month."""
    p = resolve(regime, **settings)
    nation, national, posts = start(p, seed, luck, local), [], []
    for month in range(1, p.months + 1):
        row = nation.step(month)
        national.append(outcomes(row))
        posts.append([np.broadcast_to(row[name], nation.fear.shape).reshape(-1) for name in OF_POSTS])
    rows = np.array(posts, dtype=float)  # months, names, posts
    number = np.arange(nation.fear.size)
    place = {"organisation": number // p.managers, "system": number // (p.managers * p.organisations)}
    kept = dict(zip(OF_POSTS, rows[-p.window :].mean(axis=0), strict=True))
    last = {
        f"last_{name.partition('_')[0]}": rows[-1, OF_POSTS.index(name)] for name in ("reported", "honest_indicator")
    }
    means = rows.reshape(p.months, len(OF_POSTS), -1, p.managers).mean(axis=3)
    organisations = {"month": np.repeat(np.arange(1, p.months + 1), means.shape[2])}
    organisations |= {name: np.tile(values[:: p.managers], p.months) for name, values in place.items()}
    organisations |= {name: means[:, k].reshape(-1) for k, name in enumerate(OF_POSTS)}
    return Tables(series(national), pd.DataFrame({"post": number} | place | kept | last), pd.DataFrame(organisations))


def start(p: Any, seed: int, luck: type[Own] | type[Shared], local: Sequence[Mapping[str, Any]] = ()) -> Nation:
    """The nation before its first month, with these parameters."""
    return Nation(p, luck(seed, (p.systems, p.organisations, p.managers)), local)


def outcomes(row: Mapping[str, Array]) -> dict[str, float]:
    """The national outcomes of a month, from a value for each post."""
    found = {name: float(np.mean(row[name])) for name in MEANS}
    tried, slips, spoken = (row[name].sum() for name in ("initiative_rate", "slips", "spoken"))
    found["success_rate"] = row["successes"].sum() / tried if tried else 0.0
    found["silence"] = 1.0 - spoken / slips if slips else 0.0
    found["practice_variation"] = float(row["practice"].std()) if np.ptp(row["practice"]) else 0.0
    return found


def series(months: list[dict[str, float]]) -> pd.DataFrame:
    """The months' outcomes as a table."""
    return pd.DataFrame(months, index=pd.RangeIndex(1, len(months) + 1, name="month"))


def normal(uniform: Array) -> Array:
    """Standard normal quantiles of uniform numbers, each of which stands for the middle of its step."""
    return np.asarray(ndtri(uniform + 2.0**-54))


def clip(x: Array) -> Array:
    """`x` kept to [0, 1]."""
    return np.clip(x, 0.0, 1.0)


def per(number: float, count: Array, people: int) -> Array:
    """A count of events among some people, as it would be among a number of them; 0 where there is nobody."""
    return count * (number / people) if people else 0.0 * count


class Nation:
    """Everyone and everything, as arrays."""

    motivation_at_start: Array
    integrity: Array
    skill: Array
    boldness: Array
    crowding: Array
    anxiety: Array
    fear: Array
    record: Array

    def __init__(self, p: Any, luck: Luck, local: Sequence[Mapping[str, Any]]) -> None:
        self.p, self.luck, self.local = p, luck, local
        self.levers = {name: getattr(p, name) for name in LEVERS}
        shape = (p.systems, p.organisations, p.managers)
        places, posts = np.arange(p.systems * p.organisations), np.arange(np.prod(shape))
        self.common_sd, self.local_sd = p.need_sd * p.common_need**0.5, p.need_sd * (1.0 - p.common_need) ** 0.5
        self.common = self.standard = self.common_sd * normal(luck.keyed("nation", [0], [0])[0, 0])
        deviation = normal(luck.keyed("organisation", places, 0 * places)[:, 0])
        self.deviation = p.monitoring_sd * deviation.reshape(*shape[:2], 1)
        self.safety, self.reputation, self.mean_effort = (
            np.full((*shape[:2], 1), value) for value in (0.3, 0.5, p.motivation_mean)
        )
        self.trial = luck.trial(len(places)).reshape(*shape[:2], 1) if local else None
        units = normal(luck.keyed("post", posts, 0 * posts)[:, :2]).T.reshape(2, *shape)
        self.uniqueness, self.need = units[0], self.local_sd * units[1]
        apart = normal(luck.keyed("circumstances", posts, 0 * posts)[:, 0]).reshape(shape)
        self.circumstances = np.exp(p.unit_sd * apart - 0.5 * p.unit_sd**2)
        self.method = np.ones(shape)
        self.practice = np.full(shape, self.standard)
        self.appointments = np.zeros(len(posts), dtype=int)
        people = self._people("newcomer", posts, boldness_mean=0.0, fear=0.2)
        for name, column in zip(CARRIED, people.T, strict=True):
            setattr(self, name, column.reshape(shape).copy())
        self.motivation = self.motivation_at_start.copy()
        self.trust, self.confidence, self.distress, self.cooperation = (
            np.full(shape, value) for value in (0.5, 0.5, 0.0, 0.3)
        )
        self.market: list[tuple[int, Array]] = []

    def _people(self, stream: str, posts: Array, boldness_mean: float, fear: float | Array) -> Array:
        """Someone from outside for each of some posts, a row each, with `CARRIED` as columns."""
        p, u = self.p, self.luck.keyed(stream, posts, self.appointments[posts])
        z = normal(u[:, 1:7])
        factor = np.where(u[:, 0] < p.poor_share, p.poor_factor, 1.0)
        people = np.empty((len(posts), len(CARRIED)))
        people[:, 0] = np.clip(p.motivation_mean + p.motivation_sd * z[:, 0], 0.01, 0.99) * factor
        people[:, 1] = np.clip(p.integrity_mean + p.integrity_sd * z[:, 1], 0.01, 0.99) * factor
        people[:, 2] = np.clip(p.skill_mean + p.skill_sd * z[:, 2], 0.01, 0.99)
        people[:, 3] = boldness_mean + p.boldness_sd * z[:, 3]
        people[:, 4] = p.crowding_mean + p.crowding_sd * z[:, 4]
        people[:, 5] = np.exp(p.anxiety_sd * z[:, 5] - 0.5 * p.anxiety_sd**2)
        people[:, 6], people[:, 7] = fear, 0.0
        return people

    def step(self, month: int) -> dict[str, Array]:
        """Simulate a month; return what happened, for each post or organisation, by the names of outcomes."""
        for name, changes in self.p.schedule.items():
            self.levers[name] = changes.get(month, self.levers[name])
        lever, u = self._levers(month), self.luck.month()
        self.market = [(left, person) for left, person in self.market if month - left <= self.p.market_months]
        climate = self._climate(lever)
        row = self._decide(climate, lever, u)
        self._move(row, lever, u)
        self._learn(row, climate, lever)
        self._careers(row, climate, lever, u, month)
        self._count(row)
        shock = normal(self.luck.keyed("nation", [0], [month])[0, 0])
        self.common = self._drifted(self.common, shock, self.common_sd)
        self.standard = self.standard + (self.common - self.standard) / self.p.standard_lag
        return row

    def _levers(self, month: int) -> SimpleNamespace:
        """The month's levers: those of `LOCAL` an array of a value for each organisation, the others a number."""
        levers: dict[str, Any] = dict(self.levers)
        for name in LOCAL:
            levers[name] = np.full_like(self.safety, levers[name])
        for rule in self.local:
            if rule.get("from", 1) <= month <= rule.get("to", month):
                there = self._where(rule)
                for name in rule.keys() & set(LOCAL):
                    levers[name] = np.where(there, rule[name], levers[name])
        return SimpleNamespace(**levers)

    def _where(self, rule: Mapping[str, Any]) -> Array:
        """Which organisations a local rule is about now."""
        if "organisations" in rule:
            return np.isin(np.arange(self.safety.size), rule["organisations"]).reshape(self.safety.shape)
        if "share" in rule:
            assert self.trial is not None
            rank = self.trial.reshape(-1).argsort().argsort().reshape(self.trial.shape)
            return rank < np.floor(rule["share"] * rank.size + 0.5)
        name, sign, threshold = rule["where"].split()
        values: Array = getattr(self, name)
        means = values.mean(axis=2, keepdims=True)
        return means > float(threshold) if sign == ">" else means < float(threshold)

    def _climate(self, lever: SimpleNamespace) -> SimpleNamespace:
        """Step 1, and the load of step 2."""
        p = self.p
        fear, trust = self.fear.mean(axis=2, keepdims=True), self.trust.mean(axis=2, keepdims=True)
        help_ = self.cooperation.mean(axis=(1, 2), keepdims=True)
        risk = lever.risk_based * (self.reputation.mean() - self.reputation)
        monitoring = clip(lever.monitoring + self.deviation + risk)
        m = monitoring + (1.0 - monitoring) * p.cascade * self.fear[:, :, :1] * monitoring
        demand = p.demand * (1.0 + p.bed_blocking * (1.0 - lever.social_care_budget))
        load = demand / (lever.acute_budget * (1.0 + p.cooperation_gain * help_))
        return SimpleNamespace(
            fear=fear, trust=trust, nation_fear=fear.mean(), cooperation=help_, monitoring=monitoring, m=m,
            assurance=p.burden * m**p.burden_power, overload=np.logaddexp(0.0, 10.0 * (load - 1.0)) / 10.0,
            k=1.0 + p.career_stakes * 0.5 * (lever.register + lever.disbarring),
        )  # fmt: skip

    def _decide(self, now: SimpleNamespace, lever: SimpleNamespace, u: Mapping[str, Array]) -> dict[str, Array]:  # noqa: PLR0915
        """Steps 2 to 10, from the state at the end of the month before."""
        p, m, k, b, overload = self.p, now.m, now.k, now.assurance, now.overload
        fear, trust, skill, integrity = self.fear, self.trust, self.skill, self.integrity
        need = self.common + self.need
        # 2 and 3
        relationship = clip(lever.relationship + p.relationship_sd * self.uniqueness)
        support = relationship**p.relationship_power
        w = np.maximum(0.05, 1.0 - b - p.relationship_time * relationship - p.cooperation_cost * self.cooperation)
        supported = 1.0 - self.crowding * m * (1.0 - trust) + p.reciprocity * (trust - 0.5)
        supported -= p.complacency * np.maximum(0.0, trust - 0.5) * (1.0 - np.maximum(m, lever.targets))
        self.motivation = self.motivation + p.motivation_speed * (
            clip(self.motivation_at_start * supported) - self.motivation
        )
        pull = np.minimum(1.0, p.deterrence * m * (0.5 * lever.punitiveness + 0.5 * fear) * k)
        effort = self.motivation + (1.0 - self.motivation) * pull
        # 4
        pressure = lever.targets * (0.5 + 0.5 * fear)
        attention = p.focus_own + (0.95 - p.focus_own) * p.focus_pull * pressure
        balance = 2.0 * np.sqrt(attention * (1.0 - attention))
        ability = p.skill_floor + (1.0 - p.skill_floor) * skill
        service = w * effort * ability * self.circumstances * self.method / (1.0 + overload)
        honest = 2.0 * service * attention + p.chance_sd * normal(u["chance"])
        shortfall = np.maximum(0.0, p.target_level - honest)
        gaming = np.minimum(shortfall, p.gaming_max * (1.0 - integrity) * pressure * (1.0 - p.audit * now.monitoring))
        reported = honest + gaming
        # 5
        distance = np.abs(need - self.practice)
        change = np.minimum(1.0, distance / p.step)
        likely = self.confidence * (1.0 - skill + skill * change)
        value = likely * (0.5 + 0.5 * trust) - p.loss_aversion * (1.0 - likely) * fear * k - p.initiative_cost
        value += p.aspiration * lever.targets * shortfall / p.target_level
        willing = expit(p.sensitivity * value + self.boldness)
        tried = u["initiative"] < p.opportunity * np.maximum(0.0, 1.0 - overload) * w * willing
        able = np.minimum(0.95, p.success_base + p.success_skill * skill + p.success_cooperation * now.cooperation)
        succeeded = tried & (u["success"] < able * change)
        needless = tried & (distance < 0.5 * p.step)
        self.practice += succeeded * np.clip(need - self.practice, -p.step, p.step)
        distance = np.abs(need - self.practice)
        # 6
        strained = 1.0 + p.overload_slip * overload
        negligent = u["negligence"] < p.slip_negligence * (1.0 - effort) * strained
        safe = (1.0 - p.safety_effect * self.safety) * (1.0 - p.standard_safety * lever.standardisation)
        mishap = u["mishap"] < (p.slip_mishap + p.slip_unskilled * (1.0 - skill)) * strained * safe
        slipped = negligent | (tried & ~succeeded) | mishap
        # 7 and 8
        prudence = p.speak_prudence * m * lever.punitiveness * lever.leniency
        speaking = expit(p.speak_sensitivity * (trust - fear) + p.speak_base + prudence)
        spoken = slipped & (u["speaking_up"] < speaking * np.where(negligent, p.speak_negligence, 1.0))
        discovered = slipped & ~spoken & (u["discovery"] < m)
        known = spoken | discovered
        excess = (p.harm_hidden_factor - 1.0) * np.where(spoken, 0.0, np.where(discovered, 1.0 - p.rescue, 1.0))
        harm = slipped * p.harm_known * (1.0 + excess)
        blame = np.where(negligent, 1.0, (1.0 - lever.discernment) * (1.0 - p.exoneration * m))
        mercy = np.where(spoken, 1.0 - lever.leniency, 1.0)
        for_slip = known & (u["sanction"] < lever.punitiveness * blame * mercy)
        missed = np.maximum(0.0, p.target_level - reported) / p.target_level
        called = ~for_slip & (u["account"] < lever.targets * p.account_rate * missed)
        for_figure = called & (u["account_sanction"] < lever.punitiveness * (1.0 - lever.discernment * effort))
        sanctioned = for_slip | for_figure
        unfair = (for_slip & ~negligent) | (for_figure & (effort >= self.mean_effort))
        # 9 and 10
        fit = np.exp(-0.5 * distance**2)
        strain = integrity * (1.0 - balance) + p.strain_gaming * integrity * gaming
        strains = p.distress_moral * strain + p.distress_paperwork * b
        strains += p.distress_overload * overload + p.distress_fear * fear
        recovery = p.distress_recovery * self.distress * (0.5 + support * trust)
        self.distress = clip(self.distress + p.distress_gain * (1.0 - self.distress) * strains - recovery)
        return {
            "monitoring": now.monitoring, "monitoring_level": now.monitoring, "targets_level": lever.targets,
            "relationship": relationship, "relationship_level": relationship, "support": support, "effort": effort,
            "assurance": b, "time_left": w, "overload": overload, "reported": reported, "honest_indicator": honest,
            "gaming": gaming, "quality": service * (1.0 - p.gaming_cost * gaming) * balance * fit - harm, "harm": harm,
            "moral_strain": strain, "initiative_rate": tried, "successes": succeeded, "needless": needless,
            "slips": slipped, "negligence": negligent, "spoken": spoken, "sanctions": sanctioned, "unfair": unfair,
            "spared": ((known | called) & ~sanctioned) * np.where(spoken, 1.0, p.found_reassures),
            "got_away": (negligent & ~sanctioned) * np.where(known, 1.0, p.peers_see),
            "misfit": distance, "practice": self.practice.copy(),
        }  # fmt: skip

    def _drifted(self, need: Array, shock: Array, spread: float) -> Array:
        kept: float = 1.0 - self.p.need_turnover
        return kept * need + spread * (1.0 - kept**2) ** 0.5 * shock

    def _move(self, row: Mapping[str, Array], lever: SimpleNamespace, u: Mapping[str, Array]) -> None:
        """Step 11, except for what is common to the nation, and the organisations' part of step 12."""
        p = self.p
        self.method += row["successes"] * p.innovation * (2.0 - self.method)
        self.method -= p.innovation_decay * (self.method - 1.0)
        self.need = self._drifted(self.need, normal(u["need_drift"]), self.local_sd)
        self.practice += p.standard_pull * lever.standardisation * (self.standard - self.practice)
        self.reputation = self.reputation + (row["reported"].mean(axis=2, keepdims=True) - self.reputation) / 6.0
        self.mean_effort = row["effort"].mean(axis=2, keepdims=True)
        spoken = row["spoken"].sum(axis=2, keepdims=True)
        learned = p.safety_learning * 12.0 / p.managers * spoken * (1.0 - self.safety)
        self.safety = clip(self.safety + learned - p.safety_decay * self.safety)

    def _learn(self, row: dict[str, Array], now: SimpleNamespace, lever: SimpleNamespace) -> None:
        """Step 12 for the managers. A stock's rule sees the other stocks as the month began."""
        p, m, support, anxiety = self.p, now.m, row["support"], self.anxiety
        fear, trust, confidence = self.fear, self.trust, self.confidence
        tried, succeeded, sanctioned, spared = (
            row[name] for name in ("initiative_rate", "successes", "sanctions", "spared")
        )
        colleagues, others = p.managers - 1, (p.organisations - 1) * p.managers
        here = sanctioned.sum(axis=2, keepdims=True)
        peers_blamed = per(11.0, here - sanctioned, colleagues)
        far = per(48.0, here.sum(axis=1, keepdims=True) - here, others)
        peers_spared = per(11.0, spared.sum(axis=2, keepdims=True) - spared, colleagues)
        peers_got_away = per(11.0, row["got_away"].sum(axis=2, keepdims=True) - row["got_away"], colleagues)

        watched = m + (1.0 - m) * p.fear_targets * lever.targets
        ambient = np.minimum(1.0, anxiety * p.fear_ambient * watched * lever.punitiveness * now.k * (1.0 - trust))
        self.fear = fear + p.fear_extinction * (ambient - fear) + p.fear_conformity * (now.fear - fear)
        unmoved = (1.0 - np.minimum(1.0, anxiety * p.fear_peer_blamed)) ** peers_blamed
        unmoved *= (1.0 - np.minimum(1.0, 2.0 * anxiety * lever.publicity * p.fear_system)) ** far
        self.fear += (1.0 - self.fear) * (1.0 - unmoved)
        self.fear -= self.fear * (1.0 - (1.0 - p.fear_peer_spared) ** peers_spared)
        self.fear += sanctioned * np.minimum(1.0, anxiety * p.fear_blamed) * (1.0 - self.fear)
        self.fear = clip(self.fear - spared * p.fear_spared * self.fear)

        wear = (p.trust_control * m + p.trust_decay) * trust
        self.trust = trust + p.trust_invest * support * (1.0 - trust) - wear
        self.trust += p.trust_conformity * (now.trust - trust)
        self.trust -= sanctioned * np.where(row["unfair"], p.trust_unfair, p.trust_fair) * self.trust
        self.trust = clip(self.trust + spared * p.trust_spared * (1.0 - self.trust))

        growth = p.confidence_invest * support + p.confidence_feedback * m * (1.0 - fear)
        self.confidence = confidence + growth * (1.0 - confidence) + p.confidence_idle * (0.5 - confidence)
        self.confidence += succeeded * p.confidence_success * (0.5 + lever.recognition) * (1.0 - self.confidence)
        self.confidence -= (tried & ~succeeded) * p.confidence_failure * self.confidence * (1.0 - 0.5 * trust)
        self.confidence = clip(self.confidence - sanctioned * p.confidence_blamed * self.confidence)

        growth = p.skill_invest * support + p.skill_feedback * m * (1.0 - fear)
        self.skill = self.skill + growth * (1.0 - self.skill) - p.skill_decay * self.skill
        row["practice_gain"] = tried * p.skill_practice * (1.0 - self.skill)
        self.skill = clip(self.skill + row["practice_gain"])
        self.integrity = clip(self.integrity + p.integrity_invest * support * (1.0 - self.integrity))
        self.motivation = clip(self.motivation - p.impunity * self.motivation * peers_got_away / 12.0)

        inclination = trust - fear - 0.2 + p.cooperation_reciprocity * (now.cooperation - 0.5)
        inclination += lever.cooperation_incentive - p.cooperation_rivalry * lever.targets * (
            1.0 - lever.cooperation_incentive
        )
        inclination += p.cooperation_oversight * m * lever.cooperation_incentive
        willing = expit(p.cooperation_sensitivity * inclination)
        self.cooperation = clip(self.cooperation + p.cooperation_speed * (willing - self.cooperation))

    def _careers(
        self, row: dict[str, Array], now: SimpleNamespace, lever: SimpleNamespace, u: Mapping[str, Array], month: int
    ) -> None:
        """Step 13."""
        p, places = self.p, self.fear.shape
        dismissed = row["sanctions"] & (u["dismissal"] < p.dismissal)
        pushed = p.exit_distress * self.distress**2 + p.exit_fear * self.fear * (1.0 - self.trust)
        left = dismissed | (u["exit"] < p.exit_base + pushed)
        row["dismissals"], row["exits"], row["recycled"] = dismissed, left, np.zeros(places, dtype=bool)
        posts = np.flatnonzero(left)
        leavers = np.stack([getattr(self, name).reshape(-1)[posts] for name in CARRIED], axis=1)
        leavers[:, RECORD] += dismissed.reshape(-1)[posts]
        self.appointments[posts] += 1
        fear, trust = (np.broadcast_to(x, places).reshape(-1)[posts] for x in (now.fear, now.trust))
        recycled, appointed = self._appointed(posts, leavers, dismissed.reshape(-1)[posts], now, lever, fear, month)
        row["recycled"].reshape(-1)[posts] = recycled
        for name, column in zip(CARRIED, appointed.T, strict=True):
            getattr(self, name).reshape(-1)[posts] = column
        self.motivation.reshape(-1)[posts] = self.motivation_at_start.reshape(-1)[posts]
        self.trust.reshape(-1)[posts] = 0.35 + 0.3 * trust
        for stock, start in ((self.confidence, 0.5), (self.distress, 0.0), (self.cooperation, 0.3)):
            stock.reshape(-1)[posts] = start

    def _appointed(
        self,
        posts: Array,
        leavers: Array,
        dismissed: Array,
        now: SimpleNamespace,
        lever: SimpleNamespace,
        fear: Array,
        month: int,
    ) -> tuple[Array, Array]:
        """For each vacated post, in order, whether someone of the market gets it, and who does."""
        p, market, counts = self.p, self.market, self.appointments[posts]
        u = self.luck.keyed("appointment", posts, counts)
        boldness_mean, fear = -p.deterred_entry * now.nation_fear, 0.1 + 0.5 * fear
        appointed = self._people("newcomer", posts, boldness_mean, fear)
        rivals = self._people("rival", posts, boldness_mean, fear)
        error, rival_error = p.assessment_noise * normal(u[:, 4:6]).T
        seeks, seen, competes = u[:, 0] < p.recycling, u[:, 2] < lever.register, u[:, 3] < lever.competency_standard
        struck_off, recycled = dismissed & (u[:, 6] < lever.disbarring), np.zeros(len(posts), dtype=bool)
        for j in range(len(posts)):
            chosen = -1
            if seeks[j] and market:
                chosen = int(u[j, 1] * len(market))
                if seen[j] and market[chosen][1][RECORD] > 0.0:
                    chosen = -1
            best = appointed[j] if chosen < 0 else market[chosen][1]
            if competes[j] and rivals[j, SKILL] + rival_error[j] > best[SKILL] + error[j]:
                best, chosen = rivals[j], -1
            appointed[j] = best
            if chosen >= 0:
                recycled[j] = True
                market[chosen] = market[-1]
                market.pop()
            if not struck_off[j]:
                market.append((month, leavers[j]))
        return recycled, appointed

    def _count(self, row: dict[str, Array]) -> None:
        """What is counted when the month is over."""
        for name in STOCKS:
            row[name] = getattr(self, name)
        row["fearful"] = self.fear > 0.5
        row["toxic"] = row["fearful"] & (self.trust < 0.5)
        row["record_share"] = self.record > 0.0
