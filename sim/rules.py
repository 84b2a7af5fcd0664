"""What a manager does: one small pure function for each rule of the model, in the order of a month.

Both engines call these functions, so a change of behaviour is a change in one place. Arguments are plain numbers:
first the state (stocks and shares in [0, 1]), then levers, then parameters under the names of `sim.parameters`.
"A month" is the step; chances are for one month. A condition counts as 1 or 0: multiplying by it costs less than a
jump that the processor cannot foresee. Names used throughout:

m  chance that a slip nobody reported is discovered, as felt in the organisation (`felt_monitoring`);
M  the same before a frightened chief executive tightens it (`monitoring_of_organisation`);
k  stakes, what a sanction would do to a career;
x, z  a unit's practice and the practice that its patients need; distance = |z - x|.

Sources stand with the parameters; a docstring names one where the shape of the rule itself comes from it, and says
"assumption" where it is ours.
"""

from __future__ import annotations

import math

from sim.compiled import compiled
from sim.streams import normal

START_FEAR, START_TRUST, START_CONFIDENCE, START_COOPERATION = 0.2, 0.5, 0.5, 0.3
"""Stocks of the managers whom the first month finds in post; confidence and cooperation also of whoever comes later."""
START_SAFETY, START_REPUTATION = 0.3, 0.5
"""Stocks of an organisation at the start. Source of all six: assumption."""


@compiled
def clip(x: float) -> float:
    """`x` kept to [0, 1]."""
    return min(1.0, max(0.0, x))


@compiled
def logistic(x: float) -> float:
    """1/(1 + e^-x); far below zero it stays a tiny number, because e^x has no room above 709."""
    return 1.0 / (1.0 + math.exp(min(700.0, -x)))


@compiled
def power(base: float, times: int) -> float:
    """`base` multiplied by itself `times` times (1 for none), by squaring."""
    result = 1.0
    while times > 0:
        if times & 1:
            result *= base
        base *= base
        times >>= 1
    return result


# 1. Climate


@compiled
def monitoring_of_organisation(
    monitoring: float, deviation: float, mean_reputation: float, reputation: float, risk_based: float
) -> float:
    """M = clip(monitoring + Δ + risk_based·(R̄ - reputation)): poor reporters are watched more.

    Source: that poor performance attracts oversight is undisputed, in what measure is assumption.
    """
    return clip(monitoring + deviation + risk_based * (mean_reputation - reputation))


@compiled
def felt_monitoring(monitoring: float, chief_fear: float, cascade: float) -> float:
    """m = M + (1 - M)·cascade·f₁·M: a frightened chief executive tightens scrutiny. Source: assumption."""
    return monitoring + (1.0 - monitoring) * cascade * chief_fear * monitoring


@compiled
def stakes(register: float, disbarring: float, career_stakes: float) -> float:
    """k = 1 + career_stakes·½·(register + disbarring). Source: assumption, after the Kark review's proposals."""
    return 1.0 + career_stakes * 0.5 * (register + disbarring)


# 2. Time and load


@compiled
def assurance(m: float, burden: float, burden_power: float) -> float:
    """b = burden·m^burden_power, the share of time that goes into assurance.

    Source: most providers said that the burden of regulation rose (NHS Providers 2017); the shape is assumption.
    """
    return burden * math.pow(m, burden_power)


@compiled
def relationship_received(relationship: float, uniqueness: float, relationship_sd: float) -> float:
    """relationship_i = clip(relationship + relationship_sd·ξ), the investment that a post receives. Assumption."""
    return clip(relationship + relationship_sd * uniqueness)


@compiled
def time_left(
    assurance_share: float,
    relationship_i: float,
    cooperation: float,
    relationship_time: float,
    cooperation_cost: float,
) -> float:
    """w = max(0.05, 1 - b - relationship_time·relationship_i - cooperation_cost·cooperation). Assumption."""
    return max(0.05, 1.0 - assurance_share - relationship_time * relationship_i - cooperation_cost * cooperation)


@compiled
def load(
    system_cooperation: float,
    acute_budget: float,
    social_care_budget: float,
    demand: float,
    bed_blocking: float,
    cooperation_gain: float,
) -> float:
    """L = demand·(1 + bed_blocking·(1 - social_care_budget))/(acute_budget·(1 + cooperation_gain·H)).

    Source: relational coordination goes with shorter stays (Gittell et al. 2000); the form is assumption.
    """
    blocked = demand * (1.0 + bed_blocking * (1.0 - social_care_budget))
    return blocked / (acute_budget * (1.0 + cooperation_gain * system_cooperation))


@compiled
def overload(load_: float) -> float:
    """V = ln(1 + e^(10(L - 1)))/10, a smooth max(0, L - 1). Source: assumption."""
    excess = 10.0 * (load_ - 1.0)
    if excess > 40.0:
        return excess / 10.0  # the same to the last digit, and no overflow
    return math.log(1.0 + math.exp(excess)) / 10.0


# 3. Effort


@compiled
def motivation_after_climate(
    motivation: float,
    motivation_at_start: float,
    crowding_i: float,
    m: float,
    trust: float,
    targets: float,
    reciprocity: float,
    complacency: float,
    motivation_speed: float,
) -> float:
    """Motivation moves towards what the climate supports; control crowds out where trust is low.

    motivation += motivation_speed·(clip(motivation₀·(1 - crowding·m·(1 - trust) + reciprocity·(trust - ½)
    - complacency·max(0, trust - ½)·(1 - max(m, targets)))) - motivation).
    Source: mixed response to control, pooled data of the control game, n = 230 (Falk & Kosfeld 2006, Ziegelmeyer
    et al. 2012, Burdin et al. 2018); leader-member exchange and performance (Martin et al. 2016).
    """
    supported = 1.0 - crowding_i * m * (1.0 - trust) + reciprocity * (trust - 0.5)
    supported -= complacency * max(0.0, trust - 0.5) * (1.0 - max(m, targets))
    return motivation + motivation_speed * (clip(motivation_at_start * supported) - motivation)


@compiled
def effort(motivation: float, fear: float, m: float, k: float, punitiveness: float, deterrence: float) -> float:
    """e = motivation + (1 - motivation)·min(1, deterrence·m·(½·punitiveness + ½·fear)·k).

    Source: monitoring raises effort in the field (Boly 2011; Nagin et al. 2002); the form is assumption.
    """
    pull = min(1.0, deterrence * m * (0.5 * punitiveness + 0.5 * fear) * k)
    return motivation + (1.0 - motivation) * pull


# 4. The indicator


@compiled
def pressure(targets: float, fear: float) -> float:
    """π = targets·(½ + ½·fear): fear makes a target press harder. Source: assumption."""
    return targets * (0.5 + 0.5 * fear)


@compiled
def attention(pressure_: float, focus_own: float, focus_pull: float) -> float:
    """a = focus_own + (0.95 - focus_own)·focus_pull·π, the share of attention on what is measured.

    Source: measure fixation, Mannion & Braithwaite 2012; targets met, Propper et al. 2010.
    """
    return focus_own + (0.95 - focus_own) * focus_pull * pressure_


@compiled
def balance(attention_: float, focus_ideal: float) -> float:
    """B = (a/η)^η·((1 - a)/(1 - η))^(1 - η), η = focus_ideal: 1 at a = η, less on either side. Assumption."""
    if focus_ideal == 0.5:
        return 2.0 * math.sqrt(attention_ * (1.0 - attention_))  # the same without logarithms
    measured = focus_ideal * math.log(attention_ / focus_ideal)
    rest = (1.0 - focus_ideal) * math.log((1.0 - attention_) / (1.0 - focus_ideal))
    return math.exp(measured + rest)


@compiled
def service(time_left_: float, effort_: float, skill: float, overload_: float, skill_floor: float) -> float:
    """S = w·e·A/(1 + V) with ability A = skill_floor + (1 - skill_floor)·skill. Source: assumption."""
    ability = skill_floor + (1.0 - skill_floor) * skill
    return time_left_ * effort_ * ability / (1.0 + overload_)


@compiled
def honest_indicator(service_: float, attention_: float, focus_ideal: float) -> float:
    """y = S·a/η: what the indicator would show without gaming. Source: assumption."""
    return service_ * attention_ / focus_ideal


@compiled
def shortfall(indicator: float, target_level: float) -> float:
    """s = max(0, target_level - indicator). Source: assumption."""
    return max(0.0, target_level - indicator)


@compiled
def gaming(
    shortfall_: float,
    integrity: float,
    pressure_: float,
    monitoring: float,
    gaming_max: float,
    audit: float,
) -> float:
    """g = min(s, gaming_max·(1 - integrity)·π·(1 - audit·M)), added to the honest indicator.

    Source: bunching before the four-hour target, Mason et al. 2012; monitoring and deviance, Siegel et al. 2022.
    """
    return min(shortfall_, gaming_max * (1.0 - integrity) * pressure_ * (1.0 - audit * monitoring))


# 5. Initiative


@compiled
def change_needed(distance: float, step: float) -> float:
    """min(1, |z - x|/step): how much of one step the unit could still usefully move. Assumption."""
    return min(1.0, distance / step)


@compiled
def value_of_initiative(
    confidence: float,
    trust: float,
    fear: float,
    skill: float,
    change_needed_: float,
    k: float,
    shortfall_: float,
    targets: float,
    gain: float,
    loss_aversion: float,
    initiative_cost: float,
    aspiration: float,
    target_level: float,
) -> float:
    """U, the subjective value of trying something new: hoped-for gain, feared loss, cost, and a missed target.

    U = confidence·gain·ν·(½ + ½·trust) - loss_aversion·(1 - confidence)·fear·k - initiative_cost
    + aspiration·targets·s/target_level, where ν = 1 - skill + skill·min(1, |z - x|/step): a skilled leader senses
    whether change is needed.
    Source: loss aversion, Brown et al. 2024; trust and red tape in risk culture, Bozeman & Kingsley 1998.
    """
    sensed = 1.0 - skill + skill * change_needed_
    hope = confidence * gain * sensed * (0.5 + 0.5 * trust)
    dread = loss_aversion * (1.0 - confidence) * fear * k
    return hope - dread - initiative_cost + aspiration * targets * shortfall_ / target_level


@compiled
def chance_of_occasion(time_left_: float, overload_: float, opportunity: float) -> float:
    """opportunity·max(0, 1 - V)·w, for an initiative and the time for it; none is likelier than that. Assumption."""
    return opportunity * max(0.0, 1.0 - overload_) * time_left_


@compiled
def chance_of_initiative(
    value: float,
    boldness: float,
    time_left_: float,
    overload_: float,
    opportunity: float,
    sensitivity: float,
) -> float:
    """opportunity·max(0, 1 - V)·w·σ(sensitivity·U + boldness). Source: assumption."""
    return chance_of_occasion(time_left_, overload_, opportunity) * logistic(sensitivity * value + boldness)


@compiled
def chance_of_success(
    skill: float,
    system_cooperation: float,
    change_needed_: float,
    success_base: float,
    success_skill: float,
    success_cooperation: float,
) -> float:
    """min(0.95, success_base + success_skill·skill + success_cooperation·H)·min(1, |z - x|/step). Assumption."""
    able = min(0.95, success_base + success_skill * skill + success_cooperation * system_cooperation)
    return able * change_needed_


@compiled
def unneeded(distance: float, step: float) -> bool:
    """|z - x| < ½·step: the unit was as good as where it should be, and trying is needless. Assumption."""
    return distance < 0.5 * step


@compiled
def practice_after_initiative(practice: float, need: float, succeeded: bool, step: float) -> float:
    """After a success practice moves towards what is needed, by min(step, |z - x|). Source: assumption."""
    return practice + succeeded * max(-step, min(step, need - practice))


# 6. Slips


@compiled
def chance_of_negligence(effort_: float, overload_: float, slip_negligence: float, overload_slip: float) -> float:
    """min(1, slip_negligence·(1 - e)·(1 + overload_slip·V)). Source: assumption."""
    return min(1.0, slip_negligence * (1.0 - effort_) * (1.0 + overload_slip * overload_))


@compiled
def chance_of_mishap(
    skill: float,
    overload_: float,
    safety: float,
    standardisation: float,
    slip_mishap: float,
    slip_unskilled: float,
    overload_slip: float,
    safety_effect: float,
    standard_safety: float,
) -> float:
    """min(1, (slip_mishap + slip_unskilled·(1 - skill))·(1 + overload_slip·V)·(1 - safety_effect·safety)·(1 -
    standard_safety·standardisation)).

    Source: psychological safety and learning, Frazier et al. 2017 (sign); the form is assumption.
    """
    base = (slip_mishap + slip_unskilled * (1.0 - skill)) * (1.0 + overload_slip * overload_)
    return min(1.0, base * (1.0 - safety_effect * safety) * (1.0 - standard_safety * standardisation))


# 7. Speaking up and discovery


@compiled
def chance_of_speaking_up(
    trust: float,
    fear: float,
    negligent: bool,
    m: float,
    punitiveness: float,
    leniency: float,
    speak_base: float,
    speak_sensitivity: float,
    speak_prudence: float,
    speak_negligence: float,
) -> float:
    """σ(speak_sensitivity·(trust - fear) + speak_base + speak_prudence·m·punitiveness·leniency), times
    speak_negligence for negligence: one reports out of trust, or because it would come out anyway.

    Source: level from the NHS Staff Survey 2014-2019; psychological safety and voice, Frazier et al. 2017.
    """
    prudence = speak_prudence * m * punitiveness * leniency
    chance = logistic(speak_sensitivity * (trust - fear) + speak_base + prudence)
    return chance * speak_negligence if negligent else chance


@compiled
def harm_of_slip(known: bool, harm_known: float, harm_hidden_factor: float) -> float:
    """harm_known for a slip that is reported or discovered, harm_known·harm_hidden_factor for a hidden one.

    Source: assumption.
    """
    return harm_known if known else harm_known * harm_hidden_factor


# 8. Being held to account


@compiled
def chance_of_sanction(
    negligent: bool,
    reported: bool,
    m: float,
    punitiveness: float,
    discernment: float,
    leniency: float,
    exoneration: float,
) -> float:
    """punitiveness·q·(1 - leniency if reported): q = 1 for negligence, else (1 - discernment)·(1 -
    exoneration·m), because whoever sees more can clear more.

    Source: incentives work where the monitor is good, Bandiera et al. 2021 (sign); the form is assumption.
    """
    blame = 1.0 if negligent else (1.0 - discernment) * (1.0 - exoneration * m)
    mercy = 1.0 - leniency if reported else 1.0
    return punitiveness * blame * mercy


@compiled
def chance_of_account(reported_indicator: float, targets: float, account_rate: float, target_level: float) -> float:
    """targets·account_rate·max(0, target_level - Y)/target_level: called to account for the indicator.

    Source: sanctions behind the English targets, Bevan & Wilson 2013; the form is assumption.
    """
    return targets * account_rate * shortfall(reported_indicator, target_level) / target_level


@compiled
def chance_of_account_sanction(effort_: float, punitiveness: float, discernment: float) -> float:
    """punitiveness·(1 - discernment·e): a discerning overseer sees effort behind a poor figure. Assumption."""
    return punitiveness * (1.0 - discernment * effort_)


# 9. Result


@compiled
def fit(distance: float, niche_width: float) -> float:
    """φ = exp(-(z - x)²/(2·niche_width²)): care fits where practice meets need. Source: assumption."""
    return math.exp(-(distance * distance) / (2.0 * niche_width * niche_width))


@compiled
def quality(service_: float, gaming_: float, balance_: float, fit_: float, harm: float, gaming_cost: float) -> float:
    """Q = S·(1 - gaming_cost·g)·B·φ - harm. It can be negative. Source: assumption."""
    return service_ * (1.0 - gaming_cost * gaming_) * balance_ * fit_ - harm


# 10. Distress


@compiled
def moral_strain(integrity: float, balance_: float, gaming_: float, strain_gaming: float) -> float:
    """ψ = integrity·(1 - B) + strain_gaming·integrity·g: doing what one thinks wrong. Source: assumption."""
    return integrity * (1.0 - balance_) + strain_gaming * integrity * gaming_


@compiled
def distress_after_month(
    distress: float,
    strain: float,
    assurance_share: float,
    overload_: float,
    fear: float,
    trust: float,
    relationship_i: float,
    distress_gain: float,
    distress_recovery: float,
    distress_moral: float,
    distress_paperwork: float,
    distress_overload: float,
    distress_fear: float,
) -> float:
    """distress += distress_gain·(1 - distress)·(distress_moral·ψ + distress_paperwork·b + distress_overload·V +
    distress_fear·fear) - distress_recovery·distress·(½ + relationship_i·trust).

    Source: monitoring and stress, Siegel et al. 2022; safety protects under constraint, Bahadurzada et al. 2024.
    """
    burden = distress_moral * strain + distress_paperwork * assurance_share
    burden += distress_overload * overload_ + distress_fear * fear
    recovery = distress_recovery * distress * (0.5 + relationship_i * trust)
    return distress + distress_gain * (1.0 - distress) * burden - recovery


# 11. The world moves


@compiled
def spread_of_need(need_sd: float, share: float) -> float:
    """need_sd·√share, the standard deviation of the common (or local) part of need, which has this share of its
    variance. Source: assumption."""
    return need_sd * math.sqrt(share)


@compiled
def need_after_month(need: float, shock: float, need_turnover: float, spread: float) -> float:
    """ρ·need + s·√(1 - ρ²)·shock, ρ = 1 - need_turnover: need wanders and keeps its spread s. Assumption."""
    kept = 1.0 - need_turnover
    return kept * need + spread * math.sqrt(1.0 - kept * kept) * shock


@compiled
def practice_after_standard(practice: float, standard: float, standardisation: float, standard_pull: float) -> float:
    """practice += standard_pull·standardisation·(standard - practice). Source: assumption."""
    return practice + standard_pull * standardisation * (standard - practice)


@compiled
def standard_after_month(standard: float, common_need: float, standard_lag: float) -> float:
    """standard += (C - standard)/standard_lag, with the new C. Source: assumption."""
    return standard + (common_need - standard) / standard_lag


@compiled
def reputation_after_month(reputation: float, mean_reported: float) -> float:
    """reputation += (mean reported indicator - reputation)/6: what an organisation has lately reported.

    Source: assumption.
    """
    return reputation + (mean_reported - reputation) / 6.0


# 12. Learning


@compiled
def fear_after_month(
    fear: float,
    trust: float,
    organisation_fear: float,
    anxiety: float,
    m: float,
    k: float,
    sanctioned: bool,
    spared: bool,
    colleagues_sanctioned: int,
    colleagues_spared: int,
    others_sanctioned: int,
    punitiveness: float,
    publicity: float,
    fear_extinction: float,
    fear_ambient: float,
    fear_conformity: float,
    fear_peer_blamed: float,
    fear_system: float,
    fear_peer_spared: float,
    fear_blamed: float,
    fear_spared: float,
) -> float:
    """Fear fades towards what the climate warrants, spreads, jumps at a sanction seen or suffered, and falls when
    someone is spared. In this order, each on what the one before left:

    += fear_extinction·(anxiety·fear_ambient·m·punitiveness·k·(1 - trust) - fear) + fear_conformity·(F - fear);
    += (1 - fear)·(1 - (1 - min(1, anxiety·fear_peer_blamed))^n₊·(1 - min(1, 2·anxiety·publicity·fear_system))^n_s);
    -= fear·(1 - (1 - fear_peer_spared)^n₀);
    if sanctioned += min(1, anxiety·fear_blamed)·(1 - fear); if spared -= fear_spared·fear.

    Source: negative events weigh more, Miner et al. 2005, Slovic 1993; contagion, Hill et al. 2010.
    """
    ambient = anxiety * fear_ambient * m * punitiveness * k * (1.0 - trust)
    fear += fear_extinction * (ambient - fear) + fear_conformity * (organisation_fear - fear)
    if colleagues_sanctioned + others_sanctioned > 0:
        unmoved_near = power(1.0 - min(1.0, anxiety * fear_peer_blamed), colleagues_sanctioned)
        unmoved_far = power(1.0 - min(1.0, 2.0 * anxiety * publicity * fear_system), others_sanctioned)
        fear += (1.0 - fear) * (1.0 - unmoved_near * unmoved_far)
    if colleagues_spared > 0:
        fear -= fear * (1.0 - power(1.0 - fear_peer_spared, colleagues_spared))
    fear += sanctioned * min(1.0, anxiety * fear_blamed) * (1.0 - fear)
    return fear - spared * fear_spared * fear


@compiled
def trust_after_month(
    trust: float,
    organisation_trust: float,
    relationship_i: float,
    m: float,
    sanctioned: bool,
    unfair: bool,
    spared: bool,
    trust_invest: float,
    trust_control: float,
    trust_decay: float,
    trust_conformity: float,
    trust_unfair: float,
    trust_fair: float,
    trust_spared: float,
) -> float:
    """Trust grows by investment, wears off under control, spreads, and breaks at a sanction, most at an unfair one.

    += trust_invest·relationship_i·(1 - trust) - (trust_control·m + trust_decay)·trust + trust_conformity·(T -
    trust); if sanctioned -= (trust_unfair or trust_fair)·trust; if spared += trust_spared·(1 - trust).
    Source: leader relations and safety, Frazier et al. 2017; observational monitoring lowers trust, interactional
    monitoring raises it, Wu & Wang 2020 (signs).
    """
    wear = (trust_control * m + trust_decay) * trust
    trust += trust_invest * relationship_i * (1.0 - trust) - wear + trust_conformity * (organisation_trust - trust)
    trust -= sanctioned * (trust_unfair if unfair else trust_fair) * trust
    return trust + spared * trust_spared * (1.0 - trust)


@compiled
def confidence_after_month(
    confidence: float,
    fear: float,
    trust: float,
    relationship_i: float,
    m: float,
    succeeded: bool,
    failed: bool,
    sanctioned: bool,
    recognition: float,
    confidence_invest: float,
    confidence_feedback: float,
    confidence_idle: float,
    confidence_success: float,
    confidence_failure: float,
    confidence_blamed: float,
) -> float:
    """Confidence grows by investment, feedback and success that is noticed, and falls by failure and blame.

    += (confidence_invest·relationship_i + confidence_feedback·m·(1 - fear))·(1 - confidence) + confidence_idle·(½ -
    confidence); success += confidence_success·(½ + recognition)·(1 - confidence); failed initiative -=
    confidence_failure·confidence·(1 - ½·trust); sanctioned -= confidence_blamed·confidence.
    Source: feedback helps on average, Kluger & DeNisi 1996; training, Lacerenza et al. 2017 (an upper bound).
    """
    growth = confidence_invest * relationship_i + confidence_feedback * m * (1.0 - fear)
    confidence += growth * (1.0 - confidence) + confidence_idle * (0.5 - confidence)
    confidence += succeeded * confidence_success * (0.5 + recognition) * (1.0 - confidence)
    confidence -= failed * confidence_failure * confidence * (1.0 - 0.5 * trust)
    return confidence - sanctioned * confidence_blamed * confidence


@compiled
def practice_gain(skill: float, skill_practice: float) -> float:
    """skill_practice·(1 - skill): what an initiative tried teaches, whatever comes of it. Source: assumption."""
    return skill_practice * (1.0 - skill)


@compiled
def skill_after_training(
    skill: float,
    fear: float,
    relationship_i: float,
    m: float,
    skill_invest: float,
    skill_feedback: float,
    skill_decay: float,
) -> float:
    """skill += (skill_invest·relationship_i + skill_feedback·m·(1 - fear))·(1 - skill) - skill_decay·skill.

    Source: training, Lacerenza et al. 2017 (an upper bound); limited evidence in health care, Seidman et al. 2020.
    """
    growth = skill_invest * relationship_i + skill_feedback * m * (1.0 - fear)
    return skill + growth * (1.0 - skill) - skill_decay * skill


@compiled
def integrity_after_month(integrity: float, relationship_i: float, integrity_invest: float) -> float:
    """integrity += integrity_invest·relationship_i·(1 - integrity). Source: assumption."""
    return integrity + integrity_invest * relationship_i * (1.0 - integrity)


@compiled
def motivation_after_impunity(motivation: float, unpunished: int, managers: int, impunity: float) -> float:
    """motivation -= impunity·motivation·n_x/K: colleagues who got away with negligence sour the diligent.

    Source: punishment and cooperation, Balliet et al. 2011 (sign); the form is assumption.
    """
    return motivation - impunity * motivation * unpunished / managers


@compiled
def cooperation_after_month(
    cooperation: float,
    trust: float,
    fear: float,
    system_cooperation: float,
    m: float,
    targets: float,
    cooperation_incentive: float,
    cooperation_speed: float,
    cooperation_sensitivity: float,
    cooperation_reciprocity: float,
    cooperation_rivalry: float,
    cooperation_oversight: float,
) -> float:
    """cooperation += cooperation_speed·(σ(cooperation_sensitivity·(trust - fear - 0.2 + cooperation_reciprocity·(H -
    ½) + cooperation_incentive - cooperation_rivalry·targets·(1 - cooperation_incentive) + cooperation_oversight·
    m·cooperation_incentive)) - cooperation).

    Source: rewards and punishments raise cooperation alike, Balliet et al. 2011; the form is assumption.
    """
    inclination = trust - fear - 0.2 + cooperation_reciprocity * (system_cooperation - 0.5) + cooperation_incentive
    inclination -= cooperation_rivalry * targets * (1.0 - cooperation_incentive)
    inclination += cooperation_oversight * m * cooperation_incentive
    return cooperation + cooperation_speed * (logistic(cooperation_sensitivity * inclination) - cooperation)


@compiled
def safety_after_month(safety: float, slips_reported: int, safety_learning: float, safety_decay: float) -> float:
    """safety += safety_learning·(slips that managers reported themselves)·(1 - safety) - safety_decay·safety,
    kept to [0, 1]: an organisation learns from what it is told.

    Source: psychological safety and learning, Frazier et al. 2017; Nembhard & Edmondson 2006 (signs).
    """
    return clip(safety + safety_learning * slips_reported * (1.0 - safety) - safety_decay * safety)


# 13. Careers


@compiled
def chance_of_leaving(
    distress: float, fear: float, trust: float, exit_base: float, exit_distress: float, exit_fear: float
) -> float:
    """min(1, exit_base + exit_distress·distress² + exit_fear·fear·(1 - trust)).

    Source: director turnover, The King's Fund and NHS Providers 2018; the form is assumption.
    """
    return min(1.0, exit_base + exit_distress * distress * distress + exit_fear * fear * (1.0 - trust))


@compiled
def drawn_share(drawn: float, mean: float, sd: float) -> float:
    """A trait that is a share: N(mean, sd) kept to [0.01, 0.99], from a standard normal number. Assumption."""
    return min(0.99, max(0.01, mean + sd * drawn))


@compiled
def person(
    unfit: float,
    motivation: float,
    integrity: float,
    skill: float,
    boldness: float,
    crowding: float,
    anxiety: float,
    boldness_mean: float,
    motivation_mean: float,
    motivation_sd: float,
    integrity_mean: float,
    integrity_sd: float,
    skill_mean: float,
    skill_sd: float,
    boldness_sd: float,
    crowding_mean: float,
    crowding_sd: float,
    anxiety_sd: float,
    poor_share: float,
    poor_factor: float,
) -> tuple[float, float, float, float, float, float]:
    """Someone new, from seven uniform numbers in [0, 1): (motivation₀, integrity, skill, boldness, crowding, anxiety).

    Motivation₀, integrity and skill are N(mean, sd) kept to [0.01, 0.99]; with probability poor_share the person is
    unfit, and motivation₀ and integrity are multiplied by poor_factor. Boldness ~ N(boldness_mean, boldness_sd),
    crowding ~ N(crowding_mean, crowding_sd), anxiety = exp(N(0, anxiety_sd) - ½·anxiety_sd²), which has mean 1.
    Source: heterogeneous response to control (Falk & Kosfeld 2006 and replications); the rest is assumption.
    """
    factor = poor_factor if unfit < poor_share else 1.0
    return (
        drawn_share(normal(motivation), motivation_mean, motivation_sd) * factor,
        drawn_share(normal(integrity), integrity_mean, integrity_sd) * factor,
        drawn_share(normal(skill), skill_mean, skill_sd),
        boldness_mean + boldness_sd * normal(boldness),
        crowding_mean + crowding_sd * normal(crowding),
        math.exp(anxiety_sd * normal(anxiety) - 0.5 * anxiety_sd * anxiety_sd),
    )


@compiled
def assessed(skill: float, error: float, assessment_noise: float) -> float:
    """Skill as an assessment sees it: skill + N(0, assessment_noise), from a uniform number. Assumption."""
    return skill + assessment_noise * normal(error)


@compiled
def newcomer_fear(organisation_fear: float) -> float:
    """0.1 + ½·F: a newcomer senses the climate. Source: newcomers feel safer, Bransby et al. 2024 (sign)."""
    return 0.1 + 0.5 * organisation_fear


@compiled
def appointed_trust(organisation_trust: float) -> float:
    """0.35 + 0.3·T: trust with which anyone starts in a post. Source: assumption."""
    return 0.35 + 0.3 * organisation_trust


# What is counted afterwards


@compiled
def toxic(fear: float, trust: float, limit: float) -> bool:
    """fear > limit and trust < 1 - limit: afraid, and with nobody above to rely on. Source: assumption."""
    return fear > limit and trust < 1.0 - limit
