"""What a manager does: one small pure function for each rule of the model, in the order of a month.

A rule reads what it acts on by name: the state first (`post`, `place`, `month`, or plain numbers), then the month's
levers as they are in the organisation, then the parameters. So a new parameter of a rule changes no call, and mypy
finds a misspelt one. The Mesa model calls these functions as they stand, agents in the place of the states, and a
debugger steps into them; the compiled engine calls the same functions as machine code, over records with the same
fields. No rule may leave its domain, because plain Python raises where compiled code does not.

"A month" is the step; chances are for one month. A condition counts as 1 or 0: multiplying by it costs less than a
jump that the processor cannot foresee. In the equations, stocks, levers and parameters have their own names, and

m  is the chance that a slip nobody reported is discovered, as felt in the organisation (`place.felt`);
M  the same before a frightened chief executive tightens it (`place.monitoring`);
k  stakes, what a sanction would do to a career;
support  what the investment in relationships that a post receives achieves;
x, z  a unit's practice and the practice that its patients need; distance = |z - x|.

Sources stand with the parameters; a docstring names one where the shape of the rule itself comes from it, and says
"assumption" where it is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from sim.model.arithmetic import exp, log, logistic, power, softplus, sqrt
from sim.model.catalogue import Levers, Parameters
from sim.model.compiling import rule
from sim.model.streams import normal

START_FEAR, START_TRUST, START_CONFIDENCE, START_COOPERATION = 0.2, 0.5, 0.5, 0.3
"""Stocks of the managers whom the first month finds in post; confidence and cooperation also of whoever comes later."""
START_SAFETY, START_REPUTATION = 0.3, 0.5
"""Stocks of an organisation at the start. Source of all six: assumption."""


class Post(Protocol):
    """Whoever holds a post: what they brought with them, and their stocks, which are in [0, 1]."""

    motivation_at_start: float
    boldness: float
    crowding: float
    anxiety: float
    fear: float
    trust: float
    confidence: float
    skill: float
    integrity: float
    distress: float
    motivation: float
    cooperation: float


class Unit(Protocol):
    """What a post leads: what no manager can change, and what its people have found out."""

    circumstances: float
    """What no manager can change, as a factor of the service: mean 1."""
    method: float
    """What the unit has found out by trying, as a factor of the service: 1 or more."""


class Place(Protocol):
    """An organisation: its deviation Δ from national monitoring, its stocks, and the climate of the month."""

    deviation: float
    safety: float
    reputation: float
    fear: float
    """F, the mean over its managers as the month began."""
    trust: float
    """T, the mean over its managers as the month began."""
    monitoring: float
    """M, before a frightened chief executive tightens it."""
    felt: float
    """m, as managers feel it."""
    assurance: float
    """b, the share of time that goes into assurance."""


class Month(NamedTuple):
    """What a month brought a manager, and what they saw and heard of others."""

    support: float
    """What the investment in relationships that the post received achieves."""
    tried: bool
    succeeded: bool
    sanctioned: bool
    unfair: bool
    spared: float
    """The weight of having been spared (`weight_of_mercy`), 0 where one was not."""
    unmoved: float
    """What sanctions of others left of calm, see `unmoved`."""
    unrelieved: float
    """What mercy to others left of fear, see `unrelieved`."""
    colleagues_unpunished: float
    """n_x, colleagues who got away with negligence, per `COLLEAGUES`."""


@rule
def clip(x: float) -> float:
    """`x` kept to [0, 1]."""
    return min(1.0, max(0.0, x))


# 1. Climate


@rule
def monitoring_of_organisation(place: Place, mean_reputation: float, lever: Levers) -> float:
    """M = clip(monitoring + Δ + risk_based·(R̄ - reputation)): poor reporters are watched more.

    Source: that poor performance attracts oversight is undisputed, in what measure is assumption.
    """
    return clip(lever.monitoring + place.deviation + lever.risk_based * (mean_reputation - place.reputation))


@rule
def felt_monitoring(place: Place, chief_fear: float, p: Parameters) -> float:
    """m = M + (1 - M)·cascade·f₁·M: a frightened chief executive tightens scrutiny. Source: assumption."""
    return place.monitoring + (1.0 - place.monitoring) * p.cascade * chief_fear * place.monitoring


@rule
def stakes(lever: Levers, p: Parameters) -> float:
    """k = 1 + career_stakes·½·(register + disbarring). Source: assumption, after the Kark review's proposals."""
    return 1.0 + p.career_stakes * 0.5 * (lever.register + lever.disbarring)


# 2. Time and load


@rule
def assurance(m: float, p: Parameters) -> float:
    """b = burden·m^burden_power, the share of time that goes into assurance.

    Source: 52 and 53 % of trusts said that the burden of regulation rose (NHS Providers 2023, 2024); the shape is
    assumption.
    """
    return p.burden * power(m, p.burden_power)


@rule
def relationship_received(uniqueness: float, lever: Levers, p: Parameters) -> float:
    """relationship_i = clip(relationship + relationship_sd·ξ), the investment that a post receives. Assumption."""
    return clip(lever.relationship + p.relationship_sd * uniqueness)


@rule
def support(relationship_i: float, p: Parameters) -> float:
    """relationship_i^relationship_power: what an investment achieves, with diminishing returns. Source: assumption."""
    return power(relationship_i, p.relationship_power)


@rule
def time_left(post: Post, place: Place, relationship_i: float, p: Parameters) -> float:
    """w = max(0.05, 1 - b - relationship_time·relationship_i - cooperation_cost·cooperation). Assumption."""
    invested = p.relationship_time * relationship_i
    return max(0.05, 1.0 - place.assurance - invested - p.cooperation_cost * post.cooperation)


@rule
def load(system_cooperation: float, lever: Levers, p: Parameters) -> float:
    """L = demand·(1 + bed_blocking·(1 - social_care_budget))/(acute_budget·(1 + cooperation_gain·H)).

    Source: relational coordination goes with shorter stays (Gittell et al. 2000); the form is assumption.
    """
    blocked = p.demand * (1.0 + p.bed_blocking * (1.0 - lever.social_care_budget))
    return blocked / (lever.acute_budget * (1.0 + p.cooperation_gain * system_cooperation))


@rule
def overload(load_: float) -> float:
    """V = ln(1 + e^(10(L - 1)))/10, a smooth max(0, L - 1). Source: assumption."""
    return softplus(10.0 * (load_ - 1.0)) / 10.0


# 3. Effort


@rule
def motivation_after_climate(post: Post, place: Place, lever: Levers, p: Parameters) -> float:
    """Motivation moves towards what the climate supports; control crowds out where trust is low.

    motivation += motivation_speed·(clip(motivation₀·(1 - crowding·m·(1 - trust) + reciprocity·(trust - ½)
    - complacency·max(0, trust - ½)·(1 - max(m, targets)))) - motivation).
    Source: mixed response to control, pooled data of the control game, n = 230 (Falk & Kosfeld 2006, Ziegelmeyer
    et al. 2012, Burdin et al. 2018); leader-member exchange and performance (Martin et al. 2016).
    """
    supported = 1.0 - post.crowding * place.felt * (1.0 - post.trust) + p.reciprocity * (post.trust - 0.5)
    supported -= p.complacency * max(0.0, post.trust - 0.5) * (1.0 - max(place.felt, lever.targets))
    return post.motivation + p.motivation_speed * (clip(post.motivation_at_start * supported) - post.motivation)


@rule
def effort(post: Post, place: Place, k: float, lever: Levers, p: Parameters) -> float:
    """e = motivation + (1 - motivation)·min(1, deterrence·m·(½·punitiveness + ½·fear)·k).

    Source: monitoring raises effort in the field (Boly 2011; Nagin et al. 2002); the form is assumption.
    """
    pull = min(1.0, p.deterrence * place.felt * (0.5 * lever.punitiveness + 0.5 * post.fear) * k)
    return post.motivation + (1.0 - post.motivation) * pull


# 4. The indicator


@rule
def pressure(post: Post, lever: Levers) -> float:
    """π = targets·(½ + ½·fear): fear makes a target press harder. Source: assumption."""
    return lever.targets * (0.5 + 0.5 * post.fear)


@rule
def attention(pressure_: float, p: Parameters) -> float:
    """a = focus_own + (0.95 - focus_own)·focus_pull·π, the share of attention on what is measured.

    Source: measure fixation, Mannion & Braithwaite 2012; targets met, Propper et al. 2010.
    """
    return p.focus_own + (0.95 - p.focus_own) * p.focus_pull * pressure_


@rule
def balance(attention_: float) -> float:
    """B = 2·√(a·(1 - a)): 1 at a = ½, less on either side. Source: assumption."""
    return 2.0 * sqrt(attention_ * (1.0 - attention_))


@rule
def service(post: Post, unit: Unit, time_left_: float, effort_: float, overload_: float, p: Parameters) -> float:
    """S = w·e·A·circumstances·method/(1 + V) with ability A = skill_floor + (1 - skill_floor)·skill. Assumption."""
    ability = p.skill_floor + (1.0 - p.skill_floor) * post.skill
    return time_left_ * effort_ * ability * unit.circumstances * unit.method / (1.0 + overload_)


@rule
def honest_indicator(service_: float, attention_: float, chance: float, p: Parameters) -> float:
    """y = 2·S·a + chance_sd·ε: what the indicator would show without gaming, from a standard normal number ε for what
    the month happened to bring. It can be negative. Source: assumption."""
    return 2.0 * service_ * attention_ + p.chance_sd * chance


@rule
def shortfall(indicator: float, p: Parameters) -> float:
    """s = max(0, target_level - indicator). Source: assumption."""
    return max(0.0, p.target_level - indicator)


@rule
def gaming(post: Post, place: Place, shortfall_: float, pressure_: float, p: Parameters) -> float:
    """g = min(s, gaming_max·(1 - integrity)·π·(1 - audit·M)), added to the honest indicator.

    Source: bunching before the four-hour target, Mason et al. 2012; monitoring and deviance, Siegel et al. 2022.
    """
    return min(shortfall_, p.gaming_max * (1.0 - post.integrity) * pressure_ * (1.0 - p.audit * place.monitoring))


# 5. Initiative


@rule
def change_needed(distance: float, p: Parameters) -> float:
    """min(1, |z - x|/step): how much of one step the unit could still usefully move. Assumption."""
    return min(1.0, distance / p.step)


@rule
def value_of_initiative(
    post: Post, fear: float, change_needed_: float, shortfall_: float, k: float, lever: Levers, p: Parameters
) -> float:
    """U, the subjective value of trying something new: hoped-for gain, feared loss, cost, and a missed target.

    U = c·(½ + ½·trust) - loss_aversion·(1 - c)·fear·k - initiative_cost + aspiration·targets·s/target_level, where
    c = confidence·ν is how likely success looks, and ν = 1 - skill + skill·min(1, |z - x|/step): a skilled leader
    senses whether change is needed.
    Source: loss aversion, Brown et al. 2024; trust and red tape in risk culture, Bozeman & Kingsley 1998.
    """
    likely = post.confidence * (1.0 - post.skill + post.skill * change_needed_)
    hope = likely * (0.5 + 0.5 * post.trust)
    dread = p.loss_aversion * (1.0 - likely) * fear * k
    return hope - dread - p.initiative_cost + p.aspiration * lever.targets * shortfall_ / p.target_level


@rule
def chance_of_occasion(time_left_: float, overload_: float, p: Parameters) -> float:
    """opportunity·max(0, 1 - V)·w, for an initiative and the time for it; none is likelier than that. Assumption."""
    return p.opportunity * max(0.0, 1.0 - overload_) * time_left_


@rule
def chance_of_initiative(post: Post, value: float, time_left_: float, overload_: float, p: Parameters) -> float:
    """opportunity·max(0, 1 - V)·w·σ(sensitivity·U + boldness). Source: assumption."""
    return chance_of_occasion(time_left_, overload_, p) * logistic(p.sensitivity * value + post.boldness)


@rule
def chance_of_success(post: Post, system_cooperation: float, change_needed_: float, p: Parameters) -> float:
    """min(0.95, success_base + success_skill·skill + success_cooperation·H)·min(1, |z - x|/step). Assumption."""
    able = min(0.95, p.success_base + p.success_skill * post.skill + p.success_cooperation * system_cooperation)
    return able * change_needed_


@rule
def unneeded(distance: float, p: Parameters) -> bool:
    """|z - x| < ½·step: the unit was as good as where it should be, and trying is needless. Assumption."""
    return distance < 0.5 * p.step


@rule
def practice_after_initiative(practice: float, need: float, succeeded: bool, p: Parameters) -> float:
    """After a success practice moves towards what is needed, by min(step, |z - x|). Source: assumption."""
    return practice + succeeded * max(-p.step, min(p.step, need - practice))


# 6. Slips


@rule
def chance_of_negligence(effort_: float, overload_: float, p: Parameters) -> float:
    """min(1, slip_negligence·(1 - e)·(1 + overload_slip·V)). Source: assumption."""
    return min(1.0, p.slip_negligence * (1.0 - effort_) * (1.0 + p.overload_slip * overload_))


@rule
def chance_of_mishap(post: Post, place: Place, overload_: float, lever: Levers, p: Parameters) -> float:
    """min(1, (slip_mishap + slip_unskilled·(1 - skill))·(1 + overload_slip·V)·(1 - safety_effect·safety)·(1 -
    standard_safety·standardisation)).

    Source: psychological safety and learning, Frazier et al. 2017 (sign); the form is assumption.
    """
    base = (p.slip_mishap + p.slip_unskilled * (1.0 - post.skill)) * (1.0 + p.overload_slip * overload_)
    return min(1.0, base * (1.0 - p.safety_effect * place.safety) * (1.0 - p.standard_safety * lever.standardisation))


# 7. Speaking up and discovery


@rule
def chance_of_speaking_up(post: Post, place: Place, negligent: bool, lever: Levers, p: Parameters) -> float:
    """σ(speak_sensitivity·(trust - fear) + speak_base + speak_prudence·m·punitiveness·leniency), times
    speak_negligence for negligence: one reports out of trust, or because it would come out anyway.

    Source: level from the NHS Staff Survey 2014-2019; psychological safety and voice, Frazier et al. 2017.
    """
    prudence = p.speak_prudence * place.felt * lever.punitiveness * lever.leniency
    chance = logistic(p.speak_sensitivity * (post.trust - post.fear) + p.speak_base + prudence)
    return chance * p.speak_negligence if negligent else chance


@rule
def harm_of_slip(reported: bool, discovered: bool, p: Parameters) -> float:
    """harm_known for a slip that was reported, harm_known·harm_hidden_factor for a hidden one, and harm_known·(1 +
    (harm_hidden_factor - 1)·(1 - rescue)) for one that nobody reported and oversight discovered, because part of the
    harm is done by then. Source: assumption.
    """
    late = 1.0 + (p.harm_hidden_factor - 1.0) * (1.0 - p.rescue) if discovered else p.harm_hidden_factor
    return p.harm_known if reported else p.harm_known * late


# 8. Being held to account


@rule
def chance_of_sanction(place: Place, negligent: bool, reported: bool, lever: Levers, p: Parameters) -> float:
    """punitiveness·q·(1 - leniency if reported): q = 1 for negligence, else (1 - discernment)·(1 -
    exoneration·m), because whoever sees more can clear more.

    Source: incentives work where the monitor is good, Bandiera et al. 2021 (sign); the form is assumption.
    """
    blame = 1.0 if negligent else (1.0 - lever.discernment) * (1.0 - p.exoneration * place.felt)
    mercy = 1.0 - lever.leniency if reported else 1.0
    return lever.punitiveness * blame * mercy


@rule
def chance_of_account(reported_indicator: float, lever: Levers, p: Parameters) -> float:
    """min(1, targets·account_rate·max(0, target_level - Y)/target_level): called to account for the indicator.

    Source: sanctions behind the English targets, Bevan & Wilson 2013; the form is assumption.
    """
    return min(1.0, lever.targets * p.account_rate * shortfall(reported_indicator, p) / p.target_level)


@rule
def chance_of_account_sanction(effort_: float, lever: Levers) -> float:
    """punitiveness·(1 - discernment·e): a discerning overseer sees effort behind a poor figure. Assumption."""
    return lever.punitiveness * (1.0 - lever.discernment * effort_)


@rule
def weight_of_mercy(reported: bool, p: Parameters) -> float:
    """How much it means to be spared: 1 to whoever reported the slip, found_reassures to whoever was found out, or
    called to account for the indicator alone. Source: assumption."""
    return 1.0 if reported else p.found_reassures


@rule
def weight_of_impunity(known: bool, p: Parameters) -> float:
    """How much unpunished negligence counts with colleagues: 1 if it was known, peers_see if it was neither reported
    nor discovered. Source: assumption."""
    return 1.0 if known else p.peers_see


# 9. Result


@rule
def fit(distance: float) -> float:
    """φ = exp(-½·(z - x)²): care fits where practice meets need. Source: assumption."""
    return exp(-0.5 * (distance * distance))


@rule
def quality(service_: float, gaming_: float, balance_: float, fit_: float, harm: float, p: Parameters) -> float:
    """Q = S·(1 - gaming_cost·g)·B·φ - harm. It can be negative. Source: assumption."""
    return service_ * (1.0 - p.gaming_cost * gaming_) * balance_ * fit_ - harm


# 10. Distress


@rule
def moral_strain(post: Post, balance_: float, gaming_: float, p: Parameters) -> float:
    """ψ = integrity·(1 - B) + strain_gaming·integrity·g: doing what one thinks wrong. Source: assumption."""
    return post.integrity * (1.0 - balance_) + p.strain_gaming * post.integrity * gaming_


@rule
def distress_after_month(
    post: Post, place: Place, support_: float, strain: float, overload_: float, p: Parameters
) -> float:
    """distress += distress_gain·(1 - distress)·(distress_moral·ψ + distress_paperwork·b + distress_overload·V +
    distress_fear·fear) - distress_recovery·distress·(½ + support·trust).

    Source: monitoring and stress, Siegel et al. 2022; safety protects under constraint, Bahadurzada et al. 2024.
    """
    burden = p.distress_moral * strain + p.distress_paperwork * place.assurance
    burden += p.distress_overload * overload_ + p.distress_fear * post.fear
    recovery = p.distress_recovery * post.distress * (0.5 + support_ * post.trust)
    return post.distress + p.distress_gain * (1.0 - post.distress) * burden - recovery


# 11. The world moves


@rule
def spread_of_need(share: float, p: Parameters) -> float:
    """need_sd·√share, the standard deviation of the common (or local) part of need, which has this share of its
    variance. Source: assumption."""
    return p.need_sd * sqrt(share)


@rule
def method_after_month(method: float, succeeded: bool, p: Parameters) -> float:
    """After a success method += innovation·(2 - method); then method -= innovation_decay·(method - 1). Assumption."""
    method += succeeded * p.innovation * (2.0 - method)
    return method - p.innovation_decay * (method - 1.0)


@rule
def need_after_month(need: float, shock: float, spread: float, p: Parameters) -> float:
    """ρ·need + s·√(1 - ρ²)·shock, ρ = 1 - need_turnover: need wanders and keeps its spread s. Assumption."""
    kept = 1.0 - p.need_turnover
    return kept * need + spread * sqrt(1.0 - kept * kept) * shock


@rule
def practice_after_standard(practice: float, standard: float, lever: Levers, p: Parameters) -> float:
    """practice += standard_pull·standardisation·(standard - practice). Source: assumption."""
    return practice + p.standard_pull * lever.standardisation * (standard - practice)


@rule
def standard_after_month(standard: float, common_need: float, p: Parameters) -> float:
    """standard += (C - standard)/standard_lag, with the new C. Source: assumption."""
    return standard + (common_need - standard) / p.standard_lag


@rule
def reputation_after_month(reputation: float, mean_reported: float) -> float:
    """reputation += (mean reported indicator - reputation)/6: what an organisation has lately reported. Assumption."""
    return reputation + (mean_reported - reputation) / 6.0


# 12. Learning

COLLEAGUES, STRANGERS, TEAM = 11.0, 48.0, 12.0
"""People hear of a share of what happens near them, so what happened is counted per 11 colleagues, per 48 managers in
the system's other organisations, and per 12 managers of an organisation, whatever the sizes. Source: assumption."""


@rule
def share_of_colleagues(managers: int) -> float:
    """11/(K - 1), the weight of a colleague in an organisation of K managers; 0 where there is none."""
    return COLLEAGUES / (managers - 1) if managers > 1 else 0.0


@rule
def share_of_strangers(organisations: int, managers: int) -> float:
    """48/((J - 1)·K), the weight of a manager in one of the system's other organisations; 0 where there is none."""
    return STRANGERS / ((organisations - 1) * managers) if organisations > 1 else 0.0


@rule
def decline(lost: float, times: float) -> float:
    """times·ln(1 - lost), the logarithm of what is left when a share, at most 1, is lost so many times; 0 for none."""
    return times * log(1.0 - lost) if times > 0.0 else 0.0


@rule
def unmoved(post: Post, colleagues: float, strangers: float, lever: Levers, p: Parameters) -> float:
    """(1 - min(1, anxiety·fear_peer_blamed))^n₊·(1 - min(1, 2·anxiety·publicity·fear_system))^n_s: the share of calm
    that is left when n₊ colleagues and n_s managers elsewhere in the system were sanctioned.

    Source: negative events weigh more, Miner et al. 2005, Slovic 1993; that news travels is assumption.
    """
    by_colleagues = decline(min(1.0, post.anxiety * p.fear_peer_blamed), colleagues)
    return exp(by_colleagues + decline(min(1.0, 2.0 * post.anxiety * lever.publicity * p.fear_system), strangers))


@rule
def unrelieved(colleagues: float, p: Parameters) -> float:
    """(1 - fear_peer_spared)^n₀: the share of fear that is left when n₀ colleagues were spared. Source: assumption."""
    return exp(decline(p.fear_peer_spared, colleagues))


@rule
def fear_after_month(post: Post, place: Place, month: Month, k: float, lever: Levers, p: Parameters) -> float:
    """Fear fades towards what the climate warrants, spreads, jumps at a sanction seen or suffered, and falls when
    someone is spared. In this order, each on what the one before left:

    += fear_extinction·(min(1, anxiety·fear_ambient·(m + (1 - m)·fear_targets·targets)·punitiveness·k·(1 - trust)) -
    fear) + fear_conformity·(F - fear);
    += (1 - fear)·(1 - unmoved); -= fear·(1 - unrelieved);
    if sanctioned += min(1, anxiety·fear_blamed)·(1 - fear); if spared -= weight·fear_spared·fear.

    Source: negative events weigh more, Miner et al. 2005, Slovic 1993; contagion, Hill et al. 2010.
    """
    fear = post.fear
    watched = place.felt + (1.0 - place.felt) * p.fear_targets * lever.targets
    ambient = post.anxiety * p.fear_ambient * watched * lever.punitiveness * k * (1.0 - post.trust)
    fear += p.fear_extinction * (min(1.0, ambient) - fear) + p.fear_conformity * (place.fear - fear)
    fear += (1.0 - fear) * (1.0 - month.unmoved)
    fear -= fear * (1.0 - month.unrelieved)
    fear += month.sanctioned * min(1.0, post.anxiety * p.fear_blamed) * (1.0 - fear)
    return fear - month.spared * p.fear_spared * fear


@rule
def trust_after_month(post: Post, place: Place, month: Month, p: Parameters) -> float:
    """Trust grows by investment, wears off under control, spreads, and breaks at a sanction, most at an unfair one.

    += trust_invest·support·(1 - trust) - (trust_control·m + trust_decay)·trust + trust_conformity·(T - trust);
    if sanctioned -= (trust_unfair or trust_fair)·trust; if spared += weight·trust_spared·(1 - trust).
    Source: leader relations and safety, Frazier et al. 2017; observational monitoring lowers trust, interactional
    monitoring raises it, Wu & Wang 2020 (signs).
    """
    trust = post.trust
    wear = (p.trust_control * place.felt + p.trust_decay) * trust
    trust += p.trust_invest * month.support * (1.0 - trust) - wear + p.trust_conformity * (place.trust - trust)
    trust -= month.sanctioned * (p.trust_unfair if month.unfair else p.trust_fair) * trust
    return trust + month.spared * p.trust_spared * (1.0 - trust)


@rule
def confidence_after_month(post: Post, place: Place, month: Month, lever: Levers, p: Parameters) -> float:
    """Confidence grows by investment, feedback and success that is noticed, and falls by failure and blame.

    += (confidence_invest·support + confidence_feedback·m·(1 - fear))·(1 - confidence) + confidence_idle·(½ -
    confidence); success += confidence_success·(½ + recognition)·(1 - confidence); failed initiative -=
    confidence_failure·confidence·(1 - ½·trust); sanctioned -= confidence_blamed·confidence.
    Source: feedback helps on average, Kluger & DeNisi 1996; training, Lacerenza et al. 2017 (an upper bound).
    """
    confidence, failed = post.confidence, month.tried & (not month.succeeded)
    growth = p.confidence_invest * month.support + p.confidence_feedback * place.felt * (1.0 - post.fear)
    confidence += growth * (1.0 - confidence) + p.confidence_idle * (0.5 - confidence)
    confidence += month.succeeded * p.confidence_success * (0.5 + lever.recognition) * (1.0 - confidence)
    confidence -= failed * p.confidence_failure * confidence * (1.0 - 0.5 * post.trust)
    return confidence - month.sanctioned * p.confidence_blamed * confidence


@rule
def practice_gain(skill: float, p: Parameters) -> float:
    """skill_practice·(1 - skill): what an initiative tried teaches, whatever comes of it. Source: assumption."""
    return p.skill_practice * (1.0 - skill)


@rule
def skill_after_training(post: Post, place: Place, month: Month, p: Parameters) -> float:
    """skill += (skill_invest·support + skill_feedback·m·(1 - fear))·(1 - skill) - skill_decay·skill.

    Source: training, Lacerenza et al. 2017 (an upper bound); limited evidence in health care, Seidman et al. 2020.
    """
    growth = p.skill_invest * month.support + p.skill_feedback * place.felt * (1.0 - post.fear)
    return post.skill + growth * (1.0 - post.skill) - p.skill_decay * post.skill


@rule
def integrity_after_month(post: Post, month: Month, p: Parameters) -> float:
    """integrity += integrity_invest·support·(1 - integrity). Source: assumption."""
    return post.integrity + p.integrity_invest * month.support * (1.0 - post.integrity)


@rule
def motivation_after_impunity(post: Post, month: Month, p: Parameters) -> float:
    """motivation -= impunity·motivation·n_x/12: colleagues who got away with negligence sour the diligent.

    Source: punishment and cooperation, Balliet et al. 2011 (sign); the form is assumption.
    """
    return post.motivation - p.impunity * post.motivation * month.colleagues_unpunished / TEAM


@rule
def cooperation_after_month(post: Post, place: Place, system_cooperation: float, lever: Levers, p: Parameters) -> float:
    """cooperation += cooperation_speed·(σ(cooperation_sensitivity·(trust - fear - 0.2 + cooperation_reciprocity·(H -
    ½) + cooperation_incentive - cooperation_rivalry·targets·(1 - cooperation_incentive) + cooperation_oversight·
    m·cooperation_incentive)) - cooperation).

    Source: rewards and punishments raise cooperation alike, Balliet et al. 2011; the form is assumption.
    """
    partners, own = p.cooperation_reciprocity * (system_cooperation - 0.5), 1.0 - lever.cooperation_incentive
    inclination = post.trust - post.fear - 0.2 + partners + lever.cooperation_incentive
    inclination -= p.cooperation_rivalry * lever.targets * own
    inclination += p.cooperation_oversight * place.felt * lever.cooperation_incentive
    willing = logistic(p.cooperation_sensitivity * inclination)
    return post.cooperation + p.cooperation_speed * (willing - post.cooperation)


@rule
def safety_after_month(safety: float, slips_reported: float, managers: int, p: Parameters) -> float:
    """safety += safety_learning·(12/K times the slips that its K managers reported themselves)·(1 - safety) -
    safety_decay·safety, kept to [0, 1]: an organisation learns from what it is told.

    Source: psychological safety and learning, Frazier et al. 2017; Nembhard & Edmondson 2006 (signs).
    """
    learned = p.safety_learning * (TEAM / managers * slips_reported) * (1.0 - safety)
    return clip(safety + learned - p.safety_decay * safety)


# 13. Careers


@rule
def chance_of_leaving(post: Post, p: Parameters) -> float:
    """min(1, exit_base + exit_distress·distress² + exit_fear·fear·(1 - trust)).

    Source: director turnover, The King's Fund and NHS Providers 2018; the form is assumption.
    """
    pushed_out = p.exit_distress * post.distress * post.distress
    return min(1.0, p.exit_base + pushed_out + p.exit_fear * post.fear * (1.0 - post.trust))


@rule
def drawn_factor(drawn: float, sd: float) -> float:
    """A factor with mean 1: exp(sd·N - ½·sd²), from a standard normal number. Source: assumption."""
    return exp(sd * drawn - 0.5 * sd * sd)


@rule
def drawn_share(drawn: float, mean: float, sd: float) -> float:
    """A trait that is a share: N(mean, sd) kept to [0.01, 0.99], from a standard normal number. Assumption."""
    return min(0.99, max(0.01, mean + sd * drawn))


@rule
def person(
    unfit: float, z: Sequence[float], boldness_mean: float, p: Parameters
) -> tuple[float, float, float, float, float, float]:
    """Someone new, from a uniform number and standard normal numbers z in the order of `sim.model.streams.PERSON`, the
    first of which is not used: (motivation₀, integrity, skill, boldness, crowding, anxiety).

    Motivation₀, integrity and skill are N(mean, sd) kept to [0.01, 0.99]; with probability poor_share the person is
    unfit, and motivation₀ and integrity are multiplied by poor_factor. Boldness ~ N(boldness_mean, boldness_sd),
    crowding ~ N(crowding_mean, crowding_sd), anxiety = exp(N(0, anxiety_sd) - ½·anxiety_sd²), which has mean 1.
    Source: heterogeneous response to control (Falk & Kosfeld 2006 and replications); the rest is assumption.
    """
    factor = p.poor_factor if unfit < p.poor_share else 1.0
    return (
        drawn_share(z[1], p.motivation_mean, p.motivation_sd) * factor,
        drawn_share(z[2], p.integrity_mean, p.integrity_sd) * factor,
        drawn_share(z[3], p.skill_mean, p.skill_sd),
        boldness_mean + p.boldness_sd * z[4],
        p.crowding_mean + p.crowding_sd * z[5],
        drawn_factor(z[6], p.anxiety_sd),
    )


@rule
def assessed(skill: float, error: float, p: Parameters) -> float:
    """Skill as an assessment sees it: skill + N(0, assessment_noise), from a uniform number. Assumption."""
    return skill + p.assessment_noise * normal(error)


@rule
def newcomer_fear(organisation_fear: float) -> float:
    """0.1 + ½·F: a newcomer senses the climate. Source: newcomers feel safer, Bransby et al. 2024 (sign)."""
    return 0.1 + 0.5 * organisation_fear


@rule
def appointed_trust(organisation_trust: float) -> float:
    """0.35 + 0.3·T: trust with which anyone starts in a post. Source: assumption."""
    return 0.35 + 0.3 * organisation_trust


# What is counted afterwards


@rule
def toxic(fear: float, trust: float) -> bool:
    """fear > ½ and trust < ½: afraid, and with nobody above to rely on. Source: assumption."""
    return fear > 0.5 and trust < 0.5
