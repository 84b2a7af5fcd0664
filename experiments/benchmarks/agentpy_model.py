"""The model as a user of AgentPy would write it: agents with methods, lists of agents, recorded variables.

It calls the rules of `sim.rules` and draws from the streams of `sim.streams`, so it gives the same bits as this
package's engines; all else is AgentPy's. It needs no workaround with today's NumPy and pandas. Rules read parameters
from a plain namespace, because `self.p` finds a name only after an ordinary lookup has failed, which would cost more
than the rules do.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import agentpy as ap
import numpy as np
import pandas as pd

from sim import recording, rules
from sim.outcomes import OUTCOMES
from sim.parameters import LEVERS, resolve
from sim.streams import APPOINTMENT, PERSON, Streams, normal

# The rules take many arguments; one a line would hide the shape of a month.
# fmt: off

OF_MANAGERS = frozenset((
    "fear", "trust", "confidence", "skill", "integrity", "distress", "motivation", "cooperation", "fearful",
    "fearful_40", "fearful_60", "toxic", "toxic_40", "toxic_60", "record_share"))
"""What the month's record asks of whoever holds a post after the month's careers; it asks the unit for the rest."""


def parameters(seed: int, regime: str = "baseline", **settings: Any) -> dict[str, Any]:
    """AgentPy's parameters of a run with these settings (those of `sim.simulate`)."""
    p = resolve(regime, **settings)
    return {**p.model_dump(), "steps": p.months, "seed": seed}


def simulate(seed: int, regime: str = "baseline", **settings: Any) -> pd.DataFrame:
    """Run the model once: a row for each month, a column for each outcome; the settings are those of `sim.simulate`."""
    found = LeadershipModel(parameters(seed, regime, **settings)).run(display=False)
    return found.variables["LeadershipModel"].rename_axis("month")


class Manager(ap.Agent):
    """A director or senior leader."""

    def setup(self, traits: tuple[float, ...], fear: float) -> None:
        (self.motivation_at_start, self.integrity, self.skill, self.boldness, self.crowding, self.anxiety) = traits
        self.fear = fear
        self.record_of_dismissals = 0

    def begin(self, unit: Unit, trust: float) -> None:
        """Start in a post."""
        self.unit = unit
        self.motivation, self.trust, self.confidence = self.motivation_at_start, trust, rules.START_CONFIDENCE
        self.distress, self.cooperation = 0.0, rules.START_COOPERATION

    def decide(self) -> None:  # noqa: PLR0915 (a month is one long function, in the order of the specification)
        """Steps 2 to 10, from the state at the end of the month before."""
        model, unit = self.model, self.unit
        p, lever, u, k = model.values, model.lever, model.luck, model.stakes
        organisation, system, i = unit.organisation, unit.organisation.system, unit.index
        m, b, overload = organisation.felt, organisation.assurance, system.overload
        fear, trust, skill, integrity = self.fear, self.trust, self.skill, self.integrity
        need = model.common + unit.need
        # 2 and 3
        relationship = rules.relationship_received(lever.relationship, unit.uniqueness, p.relationship_sd)
        w = rules.time_left(b, relationship, self.cooperation, p.relationship_time, p.cooperation_cost)
        self.motivation = rules.motivation_after_climate(
            self.motivation, self.motivation_at_start, self.crowding, m, trust, lever.targets, p.reciprocity,
            p.complacency, p.motivation_speed)
        effort = rules.effort(self.motivation, fear, m, k, lever.punitiveness, p.deterrence)
        # 4
        pressure = rules.pressure(lever.targets, fear)
        attention = rules.attention(pressure, p.focus_own, p.focus_pull)
        balance = rules.balance(attention, p.focus_ideal)
        service = rules.service(w, effort, skill, overload, p.skill_floor)
        honest = rules.honest_indicator(service, attention, p.focus_ideal)
        shortfall = rules.shortfall(honest, p.target_level)
        gaming = rules.gaming(shortfall, integrity, pressure, organisation.monitoring, p.gaming_max, p.audit)
        reported = honest + gaming
        # 5
        distance = abs(need - unit.practice)
        change = rules.change_needed(distance, p.step)
        value = rules.value_of_initiative(
            self.confidence, trust, fear, skill, change, k, shortfall, lever.targets, p.gain, p.loss_aversion,
            p.initiative_cost, p.aspiration, p.target_level)
        tried = u["initiative"][i] < rules.chance_of_initiative(
            value, self.boldness, w, overload, p.opportunity, p.sensitivity)
        succeeded = tried and u["success"][i] < rules.chance_of_success(
            skill, system.cooperation, change, p.success_base, p.success_skill, p.success_cooperation)
        needless = tried and rules.unneeded(distance, p.step)
        if succeeded:
            unit.practice = rules.practice_after_initiative(unit.practice, need, succeeded, p.step)
            distance = abs(need - unit.practice)
        # 6
        negligent = u["negligence"][i] < rules.chance_of_negligence(
            effort, overload, p.slip_negligence, p.overload_slip)
        mishap = u["mishap"][i] < rules.chance_of_mishap(
            skill, overload, organisation.safety, lever.standardisation, p.slip_mishap, p.slip_unskilled,
            p.overload_slip, p.safety_effect, p.standard_safety)
        slipped = negligent or (tried and not succeeded) or mishap
        # 7 and 8
        spoken = known = sanctioned = unfair = False
        harm = 0.0
        if slipped:
            spoken = u["speaking_up"][i] < rules.chance_of_speaking_up(
                trust, fear, negligent, m, lever.punitiveness, lever.leniency, p.speak_base, p.speak_sensitivity,
                p.speak_prudence, p.speak_negligence)
            known = spoken or u["discovery"][i] < m
            harm = rules.harm_of_slip(known, p.harm_known, p.harm_hidden_factor)
            sanctioned = known and u["sanction"][i] < rules.chance_of_sanction(
                negligent, spoken, m, lever.punitiveness, lever.discernment, lever.leniency, p.exoneration)
            unfair = sanctioned and not negligent
        called = not sanctioned and u["account"][i] < rules.chance_of_account(
            reported, lever.targets, p.account_rate, p.target_level)
        if called:
            sanctioned = u["account_sanction"][i] < rules.chance_of_account_sanction(
                effort, lever.punitiveness, lever.discernment)
            unfair = sanctioned and effort >= organisation.mean_effort
        # 9 and 10
        fit = rules.fit(distance, p.niche_width)
        strain = rules.moral_strain(integrity, balance, gaming, p.strain_gaming)
        self.distress = rules.distress_after_month(
            self.distress, strain, b, overload, fear, trust, relationship, p.distress_gain, p.distress_recovery,
            p.distress_moral, p.distress_paperwork, p.distress_overload, p.distress_fear)
        unit.monitoring, unit.relationship, unit.effort = organisation.monitoring, relationship, effort
        unit.assurance, unit.time_left, unit.overload = b, w, overload
        unit.quality = rules.quality(service, gaming, balance, fit, harm, p.gaming_cost)
        unit.reported, unit.honest_indicator, unit.gaming = reported, honest, gaming
        unit.harm, unit.moral_strain, unit.misfit = harm, strain, distance
        unit.initiative_rate, unit.successes, unit.needless = tried, succeeded, needless
        unit.slips, unit.negligence, unit.spoken = slipped, negligent, spoken
        unit.sanctions, unit.unfair, unit.spared = sanctioned, unfair, (known or called) and not sanctioned
        unit.got_away = negligent and not sanctioned
        unit.deviation = unit.practice - model.standard
        unit.deviation_squared = unit.deviation * unit.deviation

    def learn(self) -> None:
        """Step 12. A stock's rule sees the other stocks as the month began."""
        p, lever, unit, organisation = self.model.values, self.model.lever, self.unit, self.unit.organisation
        system, m, relationship, fear, trust = (
            organisation.system, organisation.felt, unit.relationship, self.fear, self.trust)
        tried, succeeded, sanctioned = unit.initiative_rate, unit.successes, unit.sanctions
        self.fear = rules.clip(rules.fear_after_month(
            fear, trust, organisation.fear, self.anxiety, m, self.model.stakes, sanctioned, unit.spared,
            organisation.sanctioned - sanctioned, organisation.spared - unit.spared,
            system.sanctioned - organisation.sanctioned, lever.punitiveness, lever.publicity, p.fear_extinction,
            p.fear_ambient, p.fear_conformity, p.fear_peer_blamed, p.fear_system, p.fear_peer_spared, p.fear_blamed,
            p.fear_spared))
        self.trust = rules.clip(rules.trust_after_month(
            trust, organisation.trust, relationship, m, sanctioned, unit.unfair, unit.spared, p.trust_invest,
            p.trust_control, p.trust_decay, p.trust_conformity, p.trust_unfair, p.trust_fair, p.trust_spared))
        self.confidence = rules.clip(rules.confidence_after_month(
            self.confidence, fear, trust, relationship, m, succeeded, tried and not succeeded, sanctioned,
            lever.recognition, p.confidence_invest, p.confidence_feedback, p.confidence_idle, p.confidence_success,
            p.confidence_failure, p.confidence_blamed))
        skill = rules.skill_after_training(
            self.skill, fear, relationship, m, p.skill_invest, p.skill_feedback, p.skill_decay)
        unit.practice_gain = rules.practice_gain(skill, p.skill_practice) if tried else 0.0
        self.skill = rules.clip(skill + unit.practice_gain)
        self.integrity = rules.clip(rules.integrity_after_month(self.integrity, relationship, p.integrity_invest))
        self.motivation = rules.clip(rules.motivation_after_impunity(
            self.motivation, organisation.got_away - unit.got_away, p.managers, p.impunity))
        self.cooperation = rules.clip(rules.cooperation_after_month(
            self.cooperation, trust, fear, system.cooperation, m, lever.targets, lever.cooperation_incentive,
            p.cooperation_speed, p.cooperation_sensitivity, p.cooperation_reciprocity, p.cooperation_rivalry,
            p.cooperation_oversight))
        self.distress = rules.clip(self.distress)

    def look_back(self) -> None:
        """What is counted of whoever holds a post when the month is over."""
        fear, trust = self.fear, self.trust
        self.fearful, self.fearful_40, self.fearful_60 = fear > 0.5, fear > 0.4, fear > 0.6
        self.toxic, self.toxic_40 = rules.toxic(fear, trust, 0.5), rules.toxic(fear, trust, 0.4)
        self.toxic_60, self.record_share = rules.toxic(fear, trust, 0.6), self.record_of_dismissals > 0


class Unit(ap.Agent):
    """A unit, which stays when its manager leaves."""

    def setup(self, index: int) -> None:
        uniqueness, need = self.model.streams.keyed("post", index)[:2]
        self.index, self.appointments, self.uniqueness = index, 0, normal(uniqueness)
        self.need, self.practice = self.model.local_sd * normal(need), self.model.standard

    def move(self) -> None:
        """Step 11."""
        p, model = self.model.values, self.model
        drift = normal(model.luck["need_drift"][self.index])
        self.need = rules.need_after_month(self.need, drift, p.need_turnover, model.local_sd)
        self.practice = rules.practice_after_standard(
            self.practice, model.standard, model.lever.standardisation, p.standard_pull)

    def career(self) -> None:
        """Step 13."""
        p, model, leaver = self.model.values, self.model, self.model.managers[self.index]
        self.dismissals = self.sanctions and model.luck["dismissal"][self.index] < p.dismissal
        self.exits = self.dismissals or model.luck["exit"][self.index] < rules.chance_of_leaving(
            leaver.distress, leaver.fear, leaver.trust, p.exit_base, p.exit_distress, p.exit_fear)
        self.recycled = False
        if self.exits:
            leaver.record_of_dismissals += self.dismissals
            leaver.left = model.t
            self.appointments += 1
            numbers = model.streams.keyed("appointment", self.index, self.appointments)
            chance = SimpleNamespace(**dict(zip(APPOINTMENT, numbers, strict=False)))
            model.managers[self.index] = self.appoint(chance)
            model.managers[self.index].begin(self, rules.appointed_trust(self.organisation.trust))
            if not (self.dismissals and chance.striking_off < model.lever.disbarring):
                model.market.append(leaver)

    def appoint(self, chance: SimpleNamespace) -> Manager:
        """Who gets the vacated post: someone from the market, a newcomer, or a rival."""
        p, lever, market = self.model.values, self.model.lever, self.model.market
        chosen = None
        if chance.recycling < p.recycling and market:
            chosen = int(chance.pick * len(market))
            if market[chosen].record_of_dismissals > 0 and chance.register < lever.register:
                chosen = None
        best = self.outsider("newcomer") if chosen is None else market[chosen]
        if chance.competition < lever.competency_standard:
            rival = self.outsider("rival")
            to_beat = rules.assessed(best.skill, chance.candidate_error, p.assessment_noise)
            if rules.assessed(rival.skill, chance.rival_error, p.assessment_noise) > to_beat:
                return rival
        if chosen is not None:
            self.recycled = True
            market[chosen] = market[-1]
            market.pop()
        return best

    def outsider(self, stream: str) -> Manager:
        """Someone new for the post that is vacant now."""
        boldness_mean = -self.p.deterred_entry * self.model.fear
        traits = self.model.traits(stream, self.index, self.appointments, boldness_mean)
        return Manager(self.model, traits=traits, fear=rules.newcomer_fear(self.organisation.fear))


class Organisation(ap.Agent):
    """An NHS trust; its first unit is the chief executive's."""

    def setup(self, index: int) -> None:
        first, last = index * self.p.managers, (index + 1) * self.p.managers
        self.posts, self.units = slice(first, last), ap.AgentList(self.model, self.model.units[first:last])
        self.units.organisation = self
        self.deviation = self.p.monitoring_sd * normal(self.model.streams.keyed("organisation", index)[0])
        self.mean_effort, self.safety, self.reputation = (
            self.p.motivation_mean, rules.START_SAFETY, rules.START_REPUTATION)

    def feel(self) -> None:
        """Step 1."""
        p, lever = self.model.values, self.model.lever
        managers = ap.AgentList(self.model, self.model.managers[self.posts])
        self.fear, self.trust = mean(managers.fear), mean(managers.trust)
        self.monitoring = rules.monitoring_of_organisation(
            lever.monitoring, self.deviation, self.model.reputation, self.reputation, lever.risk_based)
        self.felt = rules.felt_monitoring(self.monitoring, managers[0].fear, p.cascade)
        self.assurance = rules.assurance(self.felt, p.burden, p.burden_power)

    def tally(self) -> None:
        """What its managers see of each other's month."""
        self.sanctioned, self.spared = sum(self.units.sanctions), sum(self.units.spared)
        self.got_away = sum(self.units.got_away)

    def move(self) -> None:
        """Steps 11 and 12 for the organisation."""
        self.reputation = rules.reputation_after_month(self.reputation, mean(self.units.reported))
        self.mean_effort = mean(self.units.effort)
        self.safety = rules.safety_after_month(
            self.safety, sum(self.units.spoken), self.p.safety_learning, self.p.safety_decay)


class System(ap.Agent):
    """An integrated care system: some organisations that share patients."""

    def setup(self, index: int) -> None:
        first, last = index * self.p.organisations, (index + 1) * self.p.organisations
        self.organisations = ap.AgentList(self.model, self.model.organisations[first:last])
        self.organisations.system = self
        self.posts = slice(first * self.p.managers, last * self.p.managers)

    def feel(self) -> None:
        """Step 1 and the load of step 2."""
        p, lever = self.model.values, self.model.lever
        self.cooperation = mean(ap.AgentList(self.model, self.model.managers[self.posts]).cooperation)
        self.overload = rules.overload(rules.load(
            self.cooperation, lever.acute_budget, lever.social_care_budget, p.demand, p.bed_blocking,
            p.cooperation_gain))

    def tally(self) -> None:
        """How many were sanctioned in the system."""
        self.sanctioned = sum(self.organisations.sanctioned)


class LeadershipModel(ap.Model):
    """Leadership culture under monitoring; takes what `parameters` gives. A step is a month.

    Its variables are the outcomes by month (`sim.outcomes.OUTCOMES`), its reporters their means over the last
    `window` months. In an experiment the parameter "seed" varies, and ``randomize=False``, so that it is the seed used.
    """

    def setup(self) -> None:
        p = self.p
        organisations = p.systems * p.organisations
        posts = organisations * p.managers
        self.streams = Streams(p.seed, posts)
        self.common_sd = rules.spread_of_need(p.need_sd, p.common_need)
        self.local_sd = rules.spread_of_need(p.need_sd, 1.0 - p.common_need)
        self.common = self.standard = self.common_sd * normal(self.streams.keyed("nation", 0)[0])
        self.values = SimpleNamespace(**p)
        self.lever = SimpleNamespace(**{name: p[name] for name in LEVERS})
        self.units = ap.AgentList(self, posts, Unit, index=numbered(posts))
        traits = ap.AttrIter([self.traits("newcomer", index, 0, 0.0) for index in range(posts)])
        self.managers = ap.AgentList(self, posts, Manager, traits=traits, fear=rules.START_FEAR)
        for manager, unit in zip(self.managers, self.units, strict=True):
            manager.begin(unit, rules.START_TRUST)
        self.organisations = ap.AgentList(self, organisations, Organisation, index=numbered(organisations))
        self.systems = ap.AgentList(self, p.systems, System, index=numbered(p.systems))
        self.market = ap.AgentList(self)

    def traits(self, stream: str, index: int, count: int, boldness_mean: float) -> tuple[float, ...]:
        """Someone from outside for the `count`-th appointment to a post."""
        p, numbers = self.values, self.streams.keyed(stream, index, count)[: len(PERSON)]
        return rules.person(
            *numbers, boldness_mean, p.motivation_mean, p.motivation_sd, p.integrity_mean, p.integrity_sd,
            p.skill_mean, p.skill_sd, p.boldness_sd, p.crowding_mean, p.crowding_sd, p.anxiety_sd, p.poor_share,
            p.poor_factor)

    def step(self) -> None:
        p = self.values
        for name, changes in p.schedule.items():
            setattr(self.lever, name, changes.get(self.t, getattr(self.lever, name)))
        self.luck = self.streams.month()
        self.market = self.market.select([self.t - person.left <= p.market_months for person in self.market])
        self.reputation = mean(self.organisations.reputation)
        self.stakes = rules.stakes(self.lever.register, self.lever.disbarring, p.career_stakes)
        self.organisations.feel()
        self.systems.feel()
        self.fear = mean(self.organisations.fear)
        self.managers.decide()
        self.organisations.tally()
        self.systems.tally()
        self.units.move()
        self.managers.learn()
        self.organisations.move()
        self.units.career()
        self.managers.look_back()
        shock = normal(self.streams.keyed("nation", 0, self.t)[0])
        self.common = rules.need_after_month(self.common, shock, p.need_turnover, self.common_sd)
        self.standard = rules.standard_after_month(self.standard, self.common, p.standard_lag)

    def update(self) -> None:
        if self.t == 0:
            return
        sums = [total(getattr(self.managers if name in OF_MANAGERS else self.units, name)) for name in recording.FIELDS]
        for name, values in recording.outcomes(np.array([sums]), len(self.units)).items():
            self.record(name, float(values[0]))

    def end(self) -> None:
        for name in OUTCOMES:
            self.report(name, float(np.mean(self.log[name][-self.p.window :])))


def numbered(count: int) -> ap.AttrIter:
    """0, 1, 2 ..., one for each agent of a list that is being made."""
    return ap.AttrIter(range(count))


def total(values: Iterable[float]) -> float:
    """A sum from left to right: the built-in `sum` rounds differently from one Python to the next."""
    result = 0.0
    for value in values:
        result += value
    return result


def mean(values: ap.AttrIter) -> float:
    """The mean over a list of agents, summed from left to right."""
    return total(values) / len(values)
