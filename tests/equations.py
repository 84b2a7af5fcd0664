"""The equations of the specification, written down a second time, as literally as Python allows.

Each function has the name of the rule in `rules` that it checks, and an argument for each number that the rule
depends on; `DIRECTIONS` says where the result goes when one of them rises. Nothing here comes from the package: a
power is a power, a quantile is SciPy's, a condition is an `if`.
"""

from __future__ import annotations

from math import exp, inf, log, sqrt

from scipy.special import ndtri

START = {"START_FEAR": 0.2, "START_TRUST": 0.5, "START_CONFIDENCE": 0.5, "START_COOPERATION": 0.3, "START_SAFETY": 0.3,
         "START_REPUTATION": 0.5}  # fmt: skip


def clip(x):
    return 0.0 if x < 0 else 1.0 if x > 1 else x


def monitoring_of_organisation(monitoring, deviation, mean_reputation, reputation, risk_based):
    return clip(monitoring + deviation + risk_based * (mean_reputation - reputation))


def felt_monitoring(monitoring, chief_fear, cascade):
    return monitoring + (1 - monitoring) * cascade * chief_fear * monitoring


def stakes(register, disbarring, career_stakes):
    return 1 + career_stakes * (register + disbarring) / 2


def assurance(m, burden, burden_power):
    return burden * m**burden_power


def relationship_received(relationship, uniqueness, relationship_sd):
    return clip(relationship + relationship_sd * uniqueness)


def support(relationship_i, relationship_power):
    return relationship_i**relationship_power


def time_left(assurance_share, relationship_i, cooperation, relationship_time, cooperation_cost):
    return max(0.05, 1 - assurance_share - relationship_time * relationship_i - cooperation_cost * cooperation)


def load(system_cooperation, acute_budget, social_care_budget, demand, bed_blocking, cooperation_gain):
    arriving = demand * (1 + bed_blocking * (1 - social_care_budget))
    return arriving / (acute_budget * (1 + cooperation_gain * system_cooperation))


def overload(load_):
    return log(1 + exp(10 * (load_ - 1))) / 10


def motivation_after_climate(
    motivation, motivation_at_start, crowding_i, m, trust, targets, reciprocity, complacency, motivation_speed
):
    crowded = crowding_i * m * (1 - trust)
    repaid = reciprocity * (trust - 0.5)
    eased = complacency * max(0, trust - 0.5) * (1 - max(m, targets))
    return motivation + motivation_speed * (clip(motivation_at_start * (1 - crowded + repaid - eased)) - motivation)


def effort(motivation, fear, m, k, punitiveness, deterrence):
    return motivation + (1 - motivation) * min(1, deterrence * m * (punitiveness / 2 + fear / 2) * k)


def pressure(targets, fear):
    return targets * (1 + fear) / 2


def attention(pressure_, focus_own, focus_pull):
    return focus_own + (0.95 - focus_own) * focus_pull * pressure_


def balance(attention_):
    return 2 * sqrt(attention_ * (1 - attention_))


def service(time_left_, effort_, skill, circumstances, method, overload_, skill_floor):
    ability = skill_floor + (1 - skill_floor) * skill
    return time_left_ * effort_ * ability * circumstances * method / (1 + overload_)


def honest_indicator(service_, attention_, chance, chance_sd):
    return 2 * service_ * attention_ + chance_sd * chance


def shortfall(indicator, target_level):
    return target_level - indicator if indicator < target_level else 0.0


def gaming(shortfall_, integrity, pressure_, monitoring, gaming_max, audit):
    return min(shortfall_, gaming_max * (1 - integrity) * pressure_ * (1 - audit * monitoring))


def unneeded(distance, step):
    return distance < step / 2


def spread_of_need(need_sd, share):
    return need_sd * sqrt(share)


def toxic(fear, trust):
    return fear > 0.5 and trust < 0.5


def change_needed(distance, step):
    return 1.0 if distance > step else distance / step


def value_of_initiative(
    confidence, trust, fear, skill, change_needed_, k, shortfall_, targets, loss_aversion, initiative_cost, aspiration,
    target_level,
):  # fmt: skip
    c = confidence * (1 - skill + skill * change_needed_)
    hoped_for = c * (1 + trust) / 2
    feared = loss_aversion * (1 - c) * fear * k
    return hoped_for - feared - initiative_cost + aspiration * targets * shortfall_ / target_level


def chance_of_occasion(time_left_, overload_, opportunity):
    return 0 if overload_ > 1 else opportunity * (1 - overload_) * time_left_


def chance_of_initiative(value, boldness, time_left_, overload_, opportunity, sensitivity):
    return opportunity * max(0, 1 - overload_) * time_left_ / (1 + exp(-sensitivity * value - boldness))


def chance_of_success(skill, system_cooperation, change_needed_, success_base, success_skill, success_cooperation):
    able = success_base + success_skill * skill + success_cooperation * system_cooperation
    return min(0.95, able) * change_needed_


def practice_after_initiative(practice, need, succeeded, step):
    if not succeeded:
        return practice
    if abs(need - practice) <= step:
        return need
    return practice + step if need > practice else practice - step


def chance_of_negligence(effort_, overload_, slip_negligence, overload_slip):
    return min(1, slip_negligence * (1 - effort_) * (1 + overload_slip * overload_))


def chance_of_mishap(
    skill, overload_, safety, standardisation, slip_mishap, slip_unskilled, overload_slip, safety_effect,
    standard_safety,
):  # fmt: skip
    unprotected = (slip_mishap + slip_unskilled * (1 - skill)) * (1 + overload_slip * overload_)
    return min(1, unprotected * (1 - safety_effect * safety) * (1 - standard_safety * standardisation))


def chance_of_speaking_up(
    trust, fear, negligent, m, punitiveness, leniency, speak_base, speak_sensitivity, speak_prudence, speak_negligence
):  # fmt: skip
    readiness = speak_sensitivity * (trust - fear) + speak_base + speak_prudence * m * punitiveness * leniency
    return (speak_negligence if negligent else 1) / (1 + exp(-readiness))


def harm_of_slip(reported, discovered, harm_known, harm_hidden_factor, rescue):
    if reported:
        return harm_known
    if discovered:
        return harm_known * (1 + (harm_hidden_factor - 1) * (1 - rescue))
    return harm_known * harm_hidden_factor


def chance_of_sanction(negligent, reported, m, punitiveness, discernment, leniency, exoneration):
    q = 1 if negligent else (1 - discernment) * (1 - exoneration * m)
    return punitiveness * q * (1 - (leniency if reported else 0))


def chance_of_account(reported_indicator, targets, account_rate, target_level):
    return min(1, targets * account_rate * max(0, target_level - reported_indicator) / target_level)


def chance_of_account_sanction(effort_, punitiveness, discernment):
    return punitiveness * (1 - discernment * effort_)


def weight_of_mercy(reported, found_reassures):
    return 1 if reported else found_reassures


def weight_of_impunity(known, peers_see):
    return 1 if known else peers_see


def fit(distance):
    return exp(-(distance**2) / 2)


def quality(service_, gaming_, balance_, fit_, harm, gaming_cost):
    return service_ * (1 - gaming_cost * gaming_) * balance_ * fit_ - harm


def moral_strain(integrity, balance_, gaming_, strain_gaming):
    return integrity * (1 - balance_) + strain_gaming * integrity * gaming_


def distress_after_month(
    distress, strain, assurance_share, overload_, fear, trust, support_, distress_gain, distress_recovery,
    distress_moral, distress_paperwork, distress_overload, distress_fear,
):  # fmt: skip
    burdens = (distress_moral * strain, distress_paperwork * assurance_share, distress_overload * overload_,
               distress_fear * fear)  # fmt: skip
    gained = distress_gain * (1 - distress) * sum(burdens)
    return distress + gained - distress_recovery * distress * (0.5 + support_ * trust)


def method_after_month(method, succeeded, innovation, innovation_decay):
    if succeeded:
        method = method + innovation * (2 - method)
    return method - innovation_decay * (method - 1)


def need_after_month(need, shock, need_turnover, spread):
    rho = 1 - need_turnover
    return rho * need + spread * sqrt(1 - rho**2) * shock


def practice_after_standard(practice, standard, standardisation, standard_pull):
    return practice + standard_pull * standardisation * (standard - practice)


def standard_after_month(standard, common_need, standard_lag):
    return standard + (common_need - standard) / standard_lag


def reputation_after_month(reputation, mean_reported):
    return reputation + (mean_reported - reputation) / 6


def share_of_colleagues(managers):
    return 0 if managers == 1 else 11 / (managers - 1)


def share_of_strangers(organisations, managers):
    return 0 if organisations == 1 else 48 / ((organisations - 1) * managers)


def decline(lost, times):
    return 0 if times == 0 else -inf if lost == 1 else times * log(1 - lost)


def unmoved(anxiety, colleagues, strangers, publicity, fear_peer_blamed, fear_system):
    near = (1 - min(1, anxiety * fear_peer_blamed)) ** colleagues
    return near * (1 - min(1, 2 * anxiety * publicity * fear_system)) ** strangers


def unrelieved(colleagues, fear_peer_spared):
    return (1 - fear_peer_spared) ** colleagues


def fear_after_month(
    fear, trust, organisation_fear, anxiety, m, k, sanctioned, spared, unmoved_, unrelieved_, targets, punitiveness,
    fear_extinction, fear_ambient, fear_targets, fear_conformity, fear_blamed, fear_spared,
):  # fmt: skip
    watched = m + (1 - m) * fear_targets * targets
    warranted = min(1, anxiety * fear_ambient * watched * punitiveness * k * (1 - trust))
    fear = fear + fear_extinction * (warranted - fear) + fear_conformity * (organisation_fear - fear)
    fear = fear + (1 - fear) * (1 - unmoved_)
    fear = fear - fear * (1 - unrelieved_)
    if sanctioned:
        fear = fear + min(1, anxiety * fear_blamed) * (1 - fear)
    return fear - spared * fear_spared * fear


def trust_after_month(
    trust, organisation_trust, support_, m, sanctioned, unfair, spared, trust_invest, trust_control, trust_decay,
    trust_conformity, trust_unfair, trust_fair, trust_spared,
):  # fmt: skip
    built = trust_invest * support_ * (1 - trust)
    worn = (trust_control * m + trust_decay) * trust
    trust = trust + built - worn + trust_conformity * (organisation_trust - trust)
    if sanctioned:
        trust = trust - (trust_unfair if unfair else trust_fair) * trust
    return trust + spared * trust_spared * (1 - trust)


def confidence_after_month(
    confidence, fear, trust, support_, m, tried, succeeded, sanctioned, recognition, confidence_invest,
    confidence_feedback, confidence_idle, confidence_success, confidence_failure, confidence_blamed,
):  # fmt: skip
    grown = (confidence_invest * support_ + confidence_feedback * m * (1 - fear)) * (1 - confidence)
    confidence = confidence + grown + confidence_idle * (0.5 - confidence)
    if succeeded:
        confidence = confidence + confidence_success * (0.5 + recognition) * (1 - confidence)
    if tried and not succeeded:
        confidence = confidence - confidence_failure * confidence * (1 - trust / 2)
    if sanctioned:
        confidence = confidence - confidence_blamed * confidence
    return confidence


def practice_gain(skill, skill_practice):
    return skill_practice * (1 - skill)


def skill_after_training(skill, fear, support_, m, skill_invest, skill_feedback, skill_decay):
    return skill + (skill_invest * support_ + skill_feedback * m * (1 - fear)) * (1 - skill) - skill_decay * skill


def integrity_after_month(integrity, support_, integrity_invest):
    return integrity + integrity_invest * support_ * (1 - integrity)


def motivation_after_impunity(motivation, unpunished, impunity):
    return motivation - impunity * motivation * unpunished / 12


def cooperation_after_month(
    cooperation, trust, fear, system_cooperation, m, targets, cooperation_incentive, cooperation_speed,
    cooperation_sensitivity, cooperation_reciprocity, cooperation_rivalry, cooperation_oversight,
):  # fmt: skip
    inclination = (
        trust - fear - 0.2
        + cooperation_reciprocity * (system_cooperation - 0.5)
        + cooperation_incentive
        - cooperation_rivalry * targets * (1 - cooperation_incentive)
        + cooperation_oversight * m * cooperation_incentive
    )  # fmt: skip
    return cooperation + cooperation_speed * (1 / (1 + exp(-cooperation_sensitivity * inclination)) - cooperation)


def safety_after_month(safety, slips_reported, managers, safety_learning, safety_decay):
    return clip(safety + safety_learning * (12 / managers * slips_reported) * (1 - safety) - safety_decay * safety)


def chance_of_leaving(distress, fear, trust, exit_base, exit_distress, exit_fear):
    return min(1, exit_base + exit_distress * distress**2 + exit_fear * fear * (1 - trust))


def drawn_share(drawn, mean, sd):
    return sorted((0.01, mean + sd * drawn, 0.99))[1]


def drawn_factor(drawn, sd):
    return exp(sd * drawn - sd**2 / 2)


def person(
    unfit, motivation, integrity, skill, boldness, crowding, anxiety, boldness_mean, motivation_mean, motivation_sd,
    integrity_mean, integrity_sd, skill_mean, skill_sd, boldness_sd, crowding_mean, crowding_sd, anxiety_sd, poor_share,
    poor_factor,
):  # fmt: skip
    fitness = poor_factor if unfit < poor_share else 1
    return (
        drawn_share(motivation, motivation_mean, motivation_sd) * fitness,
        drawn_share(integrity, integrity_mean, integrity_sd) * fitness,
        drawn_share(skill, skill_mean, skill_sd),
        boldness_mean + boldness_sd * boldness,
        crowding_mean + crowding_sd * crowding,
        exp(anxiety_sd * anxiety - anxiety_sd**2 / 2),
    )


def assessed(skill, error, assessment_noise):
    return skill + assessment_noise * ndtri(error)


def newcomer_fear(organisation_fear):
    return 0.1 + organisation_fear / 2


def appointed_trust(organisation_trust):
    return 0.35 + 0.3 * organisation_trust


UP, DOWN = "up", "down"
TOWARDS = "moves faster towards where the stock is going, which may be above or below"
SPREAD = "spreads people apart, in both directions"
FEEDBACK = "feedback helps or, where its parameter is below 0, hurts, and fear shuts it out"

DIRECTIONS: dict[str, dict[str, str]] = {
    "clip": dict(x=UP),
    # 1. Climate
    "monitoring_of_organisation": dict(
        monitoring=UP, deviation=UP, mean_reputation=UP, reputation=DOWN,
        risk_based="more monitoring below the average reputation, less above it"),
    "felt_monitoring": dict(monitoring=UP, chief_fear=UP, cascade=UP),
    "stakes": dict(register=UP, disbarring=UP, career_stakes=UP),
    # 2. Time and load
    "assurance": dict(m=UP, burden=UP, burden_power=DOWN),
    "relationship_received": dict(relationship=UP, uniqueness=UP, relationship_sd=SPREAD),
    "support": dict(relationship_i=UP, relationship_power=DOWN),
    "time_left": dict(assurance_share=DOWN, relationship_i=DOWN, cooperation=DOWN, relationship_time=DOWN,
                      cooperation_cost=DOWN),
    "load": dict(system_cooperation=DOWN, acute_budget=DOWN, social_care_budget=DOWN, demand=UP, cooperation_gain=DOWN,
                 bed_blocking="a cut in social care adds to the load, more social care relieves it"),
    "overload": dict(load_=UP),
    # 3. Effort
    "motivation_after_climate": dict(
        motivation=UP, motivation_at_start=UP, crowding_i=DOWN, targets=UP, complacency=DOWN, motivation_speed=TOWARDS,
        m="crowds out or in, by the sign of crowding, and dispels complacency",
        trust="is repaid, but breeds complacency, and shields those who respond well to control",
        reciprocity="repays trust above one half and distrust below"),
    "effort": dict(motivation=UP, fear=UP, m=UP, k=UP, punitiveness=UP, deterrence=UP),
    # 4. The indicator
    "pressure": dict(targets=UP, fear=UP),
    "attention": dict(pressure_=UP, focus_own=UP, focus_pull=UP),
    "balance": dict(attention_="best at one half"),
    "service": dict(time_left_=UP, effort_=UP, skill=UP, circumstances=UP, method=UP, overload_=DOWN, skill_floor=UP),
    "honest_indicator": dict(service_=UP, attention_=UP, chance=UP, chance_sd=SPREAD),
    "shortfall": dict(indicator=DOWN, target_level=UP),
    "gaming": dict(shortfall_=UP, integrity=DOWN, pressure_=UP, monitoring=DOWN, gaming_max=UP, audit=DOWN),
    # 5. Initiative
    "change_needed": dict(distance=UP, step=DOWN),
    "unneeded": dict(distance=DOWN, step=UP),
    "spread_of_need": dict(need_sd=UP, share=UP),
    "toxic": dict(fear=UP, trust=DOWN),
    "value_of_initiative": dict(
        confidence=UP, trust=UP, fear=DOWN, skill=DOWN, change_needed_=UP, k=DOWN, shortfall_=UP, targets=UP,
        loss_aversion=DOWN, initiative_cost=DOWN, aspiration=UP, target_level=DOWN),
    "chance_of_occasion": dict(time_left_=UP, overload_=DOWN, opportunity=UP),
    "chance_of_initiative": dict(value=UP, boldness=UP, time_left_=UP, overload_=DOWN, opportunity=UP,
                                 sensitivity="follows the sign of the value"),
    "chance_of_success": dict(skill=UP, system_cooperation=UP, change_needed_=UP, success_base=UP, success_skill=UP,
                              success_cooperation=UP),
    "practice_after_initiative": dict(practice=UP, need=UP, succeeded="moves towards the need, from either side",
                                      step="moves further towards the need, from either side"),
    # 6. Slips
    "chance_of_negligence": dict(effort_=DOWN, overload_=UP, slip_negligence=UP, overload_slip=UP),
    "chance_of_mishap": dict(skill=DOWN, overload_=UP, safety=DOWN, standardisation=DOWN, slip_mishap=UP,
                             slip_unskilled=UP, overload_slip=UP, safety_effect=DOWN, standard_safety=DOWN),
    # 7 and 8. Speaking up, discovery, being held to account
    "chance_of_speaking_up": dict(
        trust=UP, fear=DOWN, negligent=DOWN, m=UP, punitiveness=UP, leniency=UP, speak_base=UP, speak_prudence=UP,
        speak_negligence=UP, speak_sensitivity="follows the sign of trust minus fear"),
    "harm_of_slip": dict(reported=DOWN, discovered=DOWN, harm_known=UP, harm_hidden_factor=UP, rescue=DOWN),
    "weight_of_mercy": dict(reported=UP, found_reassures=UP),
    "weight_of_impunity": dict(known=UP, peers_see=UP),
    "chance_of_sanction": dict(negligent=UP, reported=DOWN, m=DOWN, punitiveness=UP, discernment=DOWN, leniency=DOWN,
                               exoneration=DOWN),
    "chance_of_account": dict(
        reported_indicator=DOWN, targets=UP, account_rate=UP,
        target_level="more is missed of a higher target, but an indicator below 0 is further below a low one"),
    "chance_of_account_sanction": dict(effort_=DOWN, punitiveness=UP, discernment=DOWN),
    # 9 and 10. Result and distress
    "fit": dict(distance=DOWN),
    "quality": dict(service_=UP, gaming_=DOWN, balance_=UP, fit_=UP, harm=DOWN, gaming_cost=DOWN),
    "moral_strain": dict(integrity=UP, balance_=DOWN, gaming_=UP, strain_gaming=UP),
    "distress_after_month": dict(
        distress=UP, strain=UP, assurance_share=UP, overload_=UP, fear=UP, trust=DOWN, support_=DOWN,
        distress_gain=UP, distress_recovery=DOWN, distress_moral=UP, distress_paperwork=UP, distress_overload=UP,
        distress_fear=UP),
    # 11. The world moves
    "method_after_month": dict(method=UP, succeeded=UP, innovation=UP, innovation_decay=DOWN),
    "need_after_month": dict(need=UP, shock=UP, need_turnover="forgets the old need, whatever its sign",
                             spread="widens the shock, whatever its sign"),
    "practice_after_standard": dict(practice=UP, standard=UP, standardisation=TOWARDS, standard_pull=TOWARDS),
    "standard_after_month": dict(standard=UP, common_need=UP, standard_lag=TOWARDS),
    "reputation_after_month": dict(reputation=UP, mean_reported=UP),
    # 12. Learning
    "share_of_colleagues": dict(managers="there is nobody to hear of among one, and each counts for less among more"),
    "share_of_strangers": dict(organisations="as with managers, there may be no other", managers=DOWN),
    "decline": dict(lost=DOWN, times=DOWN),
    "unmoved": dict(anxiety=DOWN, colleagues=DOWN, strangers=DOWN, publicity=DOWN, fear_peer_blamed=DOWN,
                    fear_system=DOWN),
    "unrelieved": dict(colleagues=DOWN, fear_peer_spared=DOWN),
    "fear_after_month": dict(
        fear=UP, trust=DOWN, organisation_fear=UP, anxiety=UP, m=UP, k=UP, sanctioned=UP, spared=DOWN, unmoved_=DOWN,
        unrelieved_=UP, targets=UP, punitiveness=UP, fear_extinction=TOWARDS, fear_ambient=UP, fear_targets=UP,
        fear_conformity=TOWARDS, fear_blamed=UP, fear_spared=DOWN),
    "trust_after_month": dict(
        trust=UP, organisation_trust=UP, support_=UP, m="wears trust down, or builds it if trust_control < 0",
        sanctioned=DOWN, unfair="costs trust_unfair instead of trust_fair, either of which may be larger", spared=UP,
        trust_invest=UP, trust_control=DOWN, trust_decay=DOWN, trust_conformity=TOWARDS, trust_unfair=DOWN,
        trust_fair=DOWN, trust_spared=UP),
    "confidence_after_month": dict(
        confidence=UP, trust=UP, support_=UP, tried=DOWN,
        fear=FEEDBACK, m=FEEDBACK, succeeded=UP, sanctioned=DOWN,
        recognition=UP, confidence_invest=UP, confidence_feedback=UP, confidence_idle=TOWARDS, confidence_success=UP,
        confidence_failure=DOWN, confidence_blamed=DOWN),
    "practice_gain": dict(skill=DOWN, skill_practice=UP),
    "skill_after_training": dict(skill=UP, fear=FEEDBACK, support_=UP, m=FEEDBACK, skill_invest=UP, skill_feedback=UP,
                                 skill_decay=DOWN),
    "integrity_after_month": dict(integrity=UP, support_=UP, integrity_invest=UP),
    "motivation_after_impunity": dict(motivation=UP, unpunished=DOWN, impunity=DOWN),
    "cooperation_after_month": dict(
        cooperation=UP, trust=UP, fear=DOWN, system_cooperation=UP, m=UP, targets=DOWN, cooperation_incentive=UP,
        cooperation_speed=TOWARDS, cooperation_sensitivity="follows the sign of the inclination",
        cooperation_reciprocity="repays cooperation above one half and its lack below", cooperation_rivalry=DOWN,
        cooperation_oversight=UP),
    "safety_after_month": dict(safety=UP, slips_reported=UP, managers=DOWN, safety_learning=UP, safety_decay=DOWN),
    # 13. Careers
    "chance_of_leaving": dict(distress=UP, fear=UP, trust=DOWN, exit_base=UP, exit_distress=UP, exit_fear=UP),
    "drawn_factor": dict(drawn=UP, sd=SPREAD),
    "drawn_share": dict(drawn=UP, mean=UP, sd=SPREAD),
    "person": dict(
        unfit=UP, motivation=UP, integrity=UP, skill=UP, boldness=UP, crowding=UP, anxiety=UP, boldness_mean=UP,
        motivation_mean=UP, motivation_sd=SPREAD, integrity_mean=UP, integrity_sd=SPREAD, skill_mean=UP,
        skill_sd=SPREAD, boldness_sd=SPREAD, crowding_mean=UP, crowding_sd=SPREAD, anxiety_sd=SPREAD, poor_share=DOWN,
        poor_factor=UP),
    "assessed": dict(skill=UP, error=UP, assessment_noise=SPREAD),
    "newcomer_fear": dict(organisation_fear=UP),
    "appointed_trust": dict(organisation_trust=UP),
}  # fmt: skip
"""For every rule and argument, where the result goes when the argument rises: UP, DOWN, or else why either way."""
