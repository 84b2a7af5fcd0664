"""The equations of the specification, written down a second time, as literally as Python allows.

Each function has the name and the arguments of the rule in `sim.rules` that it checks. Nothing here comes from
the package: a power is a power, a quantile is SciPy's, a condition is an `if`.
"""

from __future__ import annotations

from math import exp, log, sqrt

from scipy.special import ndtri

START = {"START_FEAR": 0.2, "START_TRUST": 0.5, "START_CONFIDENCE": 0.5, "START_COOPERATION": 0.3, "START_SAFETY": 0.3,
         "START_REPUTATION": 0.5}  # fmt: skip


def clip(x):
    return 0.0 if x < 0 else 1.0 if x > 1 else x


def logistic(x):
    return 1 / (1 + exp(-x))


def power(base, times):
    return base**times


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


def balance(attention_, focus_ideal):
    rest = (1 - attention_) / (1 - focus_ideal)
    return (attention_ / focus_ideal) ** focus_ideal * rest ** (1 - focus_ideal)


def service(time_left_, effort_, skill, overload_, skill_floor):
    return time_left_ * effort_ * (skill_floor + (1 - skill_floor) * skill) / (1 + overload_)


def honest_indicator(service_, attention_, focus_ideal):
    return service_ * attention_ / focus_ideal


def shortfall(indicator, target_level):
    return target_level - indicator if indicator < target_level else 0.0


def gaming(shortfall_, integrity, pressure_, monitoring, gaming_max, audit):
    return min(shortfall_, gaming_max * (1 - integrity) * pressure_ * (1 - audit * monitoring))


def unneeded(distance, step):
    return distance < step / 2


def spread_of_need(need_sd, share):
    return need_sd * sqrt(share)


def toxic(fear, trust, limit):
    return fear > limit and trust < 1 - limit


def change_needed(distance, step):
    return 1.0 if distance > step else distance / step


def value_of_initiative(
    confidence, trust, fear, skill, change_needed_, k, shortfall_, targets, gain, loss_aversion, initiative_cost,
    aspiration, target_level,
):  # fmt: skip
    sensed = 1 - skill + skill * change_needed_
    hoped_for = confidence * gain * sensed * (1 + trust) / 2
    feared = loss_aversion * (1 - confidence) * fear * k
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


def harm_of_slip(known, harm_known, harm_hidden_factor):
    return harm_known if known else harm_known * harm_hidden_factor


def chance_of_sanction(negligent, reported, m, punitiveness, discernment, leniency, exoneration):
    q = 1 if negligent else (1 - discernment) * (1 - exoneration * m)
    return punitiveness * q * (1 - (leniency if reported else 0))


def chance_of_account(reported_indicator, targets, account_rate, target_level):
    return targets * account_rate * max(0, target_level - reported_indicator) / target_level


def chance_of_account_sanction(effort_, punitiveness, discernment):
    return punitiveness * (1 - discernment * effort_)


def fit(distance, niche_width):
    return exp(-(distance**2) / (2 * niche_width**2))


def quality(service_, gaming_, balance_, fit_, harm, gaming_cost):
    return service_ * (1 - gaming_cost * gaming_) * balance_ * fit_ - harm


def moral_strain(integrity, balance_, gaming_, strain_gaming):
    return integrity * (1 - balance_) + strain_gaming * integrity * gaming_


def distress_after_month(
    distress, strain, assurance_share, overload_, fear, trust, relationship_i, distress_gain, distress_recovery,
    distress_moral, distress_paperwork, distress_overload, distress_fear,
):  # fmt: skip
    burdens = (distress_moral * strain, distress_paperwork * assurance_share, distress_overload * overload_,
               distress_fear * fear)  # fmt: skip
    gained = distress_gain * (1 - distress) * sum(burdens)
    return distress + gained - distress_recovery * distress * (0.5 + relationship_i * trust)


def need_after_month(need, shock, need_turnover, spread):
    rho = 1 - need_turnover
    return rho * need + spread * sqrt(1 - rho**2) * shock


def practice_after_standard(practice, standard, standardisation, standard_pull):
    return practice + standard_pull * standardisation * (standard - practice)


def standard_after_month(standard, common_need, standard_lag):
    return standard + (common_need - standard) / standard_lag


def reputation_after_month(reputation, mean_reported):
    return reputation + (mean_reported - reputation) / 6


def fear_after_month(
    fear, trust, organisation_fear, anxiety, m, k, sanctioned, spared, colleagues_sanctioned, colleagues_spared,
    others_sanctioned, punitiveness, publicity, fear_extinction, fear_ambient, fear_conformity, fear_peer_blamed,
    fear_system, fear_peer_spared, fear_blamed, fear_spared,
):  # fmt: skip
    warranted = anxiety * fear_ambient * m * punitiveness * k * (1 - trust)
    fear = fear + fear_extinction * (warranted - fear) + fear_conformity * (organisation_fear - fear)
    near = (1 - min(1, anxiety * fear_peer_blamed)) ** colleagues_sanctioned
    far = (1 - min(1, 2 * anxiety * publicity * fear_system)) ** others_sanctioned
    fear = fear + (1 - fear) * (1 - near * far)
    fear = fear - fear * (1 - (1 - fear_peer_spared) ** colleagues_spared)
    if sanctioned:
        fear = fear + min(1, anxiety * fear_blamed) * (1 - fear)
    if spared:
        fear = fear - fear_spared * fear
    return fear


def trust_after_month(
    trust, organisation_trust, relationship_i, m, sanctioned, unfair, spared, trust_invest, trust_control, trust_decay,
    trust_conformity, trust_unfair, trust_fair, trust_spared,
):  # fmt: skip
    built = trust_invest * relationship_i * (1 - trust)
    worn = (trust_control * m + trust_decay) * trust
    trust = trust + built - worn + trust_conformity * (organisation_trust - trust)
    if sanctioned:
        trust = trust - (trust_unfair if unfair else trust_fair) * trust
    if spared:
        trust = trust + trust_spared * (1 - trust)
    return trust


def confidence_after_month(
    confidence, fear, trust, relationship_i, m, succeeded, failed, sanctioned, recognition, confidence_invest,
    confidence_feedback, confidence_idle, confidence_success, confidence_failure, confidence_blamed,
):  # fmt: skip
    grown = (confidence_invest * relationship_i + confidence_feedback * m * (1 - fear)) * (1 - confidence)
    confidence = confidence + grown + confidence_idle * (0.5 - confidence)
    if succeeded:
        confidence = confidence + confidence_success * (0.5 + recognition) * (1 - confidence)
    if failed:
        confidence = confidence - confidence_failure * confidence * (1 - trust / 2)
    if sanctioned:
        confidence = confidence - confidence_blamed * confidence
    return confidence


def practice_gain(skill, skill_practice):
    return skill_practice * (1 - skill)


def skill_after_training(skill, fear, relationship_i, m, skill_invest, skill_feedback, skill_decay):
    return skill + (skill_invest * relationship_i + skill_feedback * m * (1 - fear)) * (1 - skill) - skill_decay * skill


def integrity_after_month(integrity, relationship_i, integrity_invest):
    return integrity + integrity_invest * relationship_i * (1 - integrity)


def motivation_after_impunity(motivation, unpunished, managers, impunity):
    return motivation - impunity * motivation * unpunished / managers


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


def safety_after_month(safety, slips_reported, safety_learning, safety_decay):
    return clip(safety + safety_learning * slips_reported * (1 - safety) - safety_decay * safety)


def chance_of_leaving(distress, fear, trust, exit_base, exit_distress, exit_fear):
    return min(1, exit_base + exit_distress * distress**2 + exit_fear * fear * (1 - trust))


def drawn_share(drawn, mean, sd):
    return sorted((0.01, mean + sd * drawn, 0.99))[1]


def person(
    unfit, motivation, integrity, skill, boldness, crowding, anxiety, boldness_mean, motivation_mean, motivation_sd,
    integrity_mean, integrity_sd, skill_mean, skill_sd, boldness_sd, crowding_mean, crowding_sd, anxiety_sd, poor_share,
    poor_factor,
):  # fmt: skip
    fitness = poor_factor if unfit < poor_share else 1
    return (
        drawn_share(ndtri(motivation), motivation_mean, motivation_sd) * fitness,
        drawn_share(ndtri(integrity), integrity_mean, integrity_sd) * fitness,
        drawn_share(ndtri(skill), skill_mean, skill_sd),
        boldness_mean + boldness_sd * ndtri(boldness),
        crowding_mean + crowding_sd * ndtri(crowding),
        exp(anxiety_sd * ndtri(anxiety) - anxiety_sd**2 / 2),
    )


def assessed(skill, error, assessment_noise):
    return skill + assessment_noise * ndtri(error)


def newcomer_fear(organisation_fear):
    return 0.1 + organisation_fear / 2


def appointed_trust(organisation_trust):
    return 0.35 + 0.3 * organisation_trust
