"""The table of parameters: every value that a run needs, once, with its range, unit, meaning and source.

One long table, because each value stands beside what is known about it; its meaning stands below it. `null` is the
value that switches the mechanism off, `bounds` is what the software accepts, from 0 to 1 where nothing is said. A last
line, "Source: ...", names the finding that informs a default or a range, with the figure as published. Unless it says
something else, figures are those of abstracts, and the tables behind them were not checked. What no finding informs is
an assumption, and so is, throughout, that managers respond as the people in these studies did.
"""

from __future__ import annotations

import math
import warnings
from functools import partial

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from sim.model.declaration import Declaration, Schedule, checked, lever, parameter, plain, size
from sim.model.local import LocalRule
from sim.model.local import checked as local_rules
from sim.model.tables import Table

_LOGITS = (-50.0, 50.0)
_WEIGHT = (0.0, 10.0)

people = partial(parameter, group="people")
motivation = partial(parameter, group="motivation and effort")
indicator = partial(parameter, group="indicator")
initiative = partial(parameter, group="initiative")
units = partial(parameter, group="units and need")
slips = partial(parameter, group="slips")
voice = partial(parameter, group="voice and harm")
fear = partial(parameter, group="fear")
trust = partial(parameter, group="trust")
confidence = partial(parameter, group="confidence")
skill = partial(parameter, group="skill and integrity")
distress = partial(parameter, group="distress")
careers = partial(parameter, group="careers")
cooperation = partial(parameter, group="cooperation and resources")


_quiet = warnings.catch_warnings(action="ignore", category=UserWarning)
_quiet.__enter__()  # the lever is called register; the method of abstract base classes that it shadows is not used here


class Levers(BaseModel):
    """The levers of policy, which may follow a schedule: in a rule, their values of the month."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    monitoring: float = lever(0.45, unit="probability a month")
    """How closely managers are watched: the basic chance that a slip nobody reported is discovered in its month. At
    0.45 nearly half of them come to light; closer watching also means more assurance work."""

    targets: float = lever(0.5)
    """How much judgement rests on the reported indicator reaching the target. At 0 nobody asks for the number, at 1
    everything depends on it."""

    punitiveness: float = lever(0.5, low=0.1, high=0.9, unit="probability")
    """How readily oversight punishes: the chance that a known slip which a manager answers for ends in a sanction.
    At 0.5 it is one in two."""

    discernment: float = lever(0.5, low=0.1, high=0.9)
    """How well oversight tells an honest failure or a mishap from negligence. At 0 it punishes them alike, at 1
    nobody is sanctioned for a slip without negligence."""

    leniency: float = lever(0.4, low=0.0, high=0.8)
    """How far reporting one's own slip lowers the chance of a sanction. At 0.4 whoever owns up is sanctioned four
    tenths less often than somebody found out."""

    relationship: float = lever(0.3)
    """How much is invested in relationships with managers: coaching, listening, development. 0 is none and 1 the
    most that is conceivable; it takes some of their time."""

    recognition: float = lever(0.3)
    """How far success is noticed and celebrated. The more it is, the more confidence a success gives."""

    risk_based: float = lever(0.0, unit="monitoring for each point of the indicator")
    """How strongly monitoring follows poor reported performance. At 0.5, an organisation whose reported indicator is
    0.2 below the average is monitored 0.1 more."""

    publicity: float = lever(0.5)
    """How far news of a sanction travels beyond the organisation. At 0 nobody elsewhere hears of it."""

    standardisation: float = lever(0.0)
    """How strongly every practice is held to the national standard. At 0 each unit finds its own way."""

    competency_standard: float = lever(0.0, unit="probability")
    """The chance that an appointment is a competitive assessment, in which a rival is compared with the candidate.
    Source: Kark review 2019: recommendation 1; the default of 0 is the state before it"""

    register: float = lever(0.0, unit="probability")
    """The chance that a candidate's earlier dismissal is seen and bars the appointment. At 0.8, four of five such
    candidates are turned away.
    Source: Kark review 2019: recommendation 2; the default of 0 is the state before it"""

    disbarring: float = lever(0.0, unit="probability")
    """The chance that a dismissed manager is struck off and never holds such a post again.
    Source: Kark review 2019: recommendation 5, not adopted then and announced since; the default of 0 is the state
    before it"""

    cooperation_incentive: float = lever(0.2)
    """How far managers are judged on the whole system rather than on their own institution. At 0.2 the judgement is
    mostly about one's own."""

    acute_budget: float = lever(1.0, bounds=(0.5, 1.5), unit="multiple of today's budget")
    """The budget of acute care. 0.95 is a cut of 5 %, which raises the load on every unit."""

    social_care_budget: float = lever(1.0, bounds=(0.5, 1.5), unit="multiple of today's budget")
    """The budget of social care. 1.14 is an increase of 14 %, which lets patients leave hospital sooner."""


_quiet.__exit__(None, None, None)
Levers.register = Levers.model_fields["register"]  # type: ignore[assignment]
"""So that pydantic does not take `ABCMeta.register` for the default of the inherited field."""


class Parameters(Levers):
    """The complete, frozen parameters of one run; `sim.model.parameters.resolve` is the way to make them.

    Values are strict: a truth value or a text is no number, sizes are whole numbers, and nothing is infinite.
    Whatever is wrong with them is one error of pydantic; `resolve` puts it into plain words.
    """

    # Levers that are fixed for a run

    monitoring_sd: float = lever(0.0, unit="standard deviation of monitoring")
    """How much monitoring differs between organisations, fixed for a run. At 0 all are watched alike; virtual
    surveys need differences to find correlations."""

    relationship_sd: float = lever(0.0, unit="standard deviation of relationship")
    """How much investment in relationships differs between posts, fixed for a run. At 0 all receive the same;
    virtual surveys need differences to find correlations."""

    # Sizes of the run

    systems: int = size(42, unit="systems")
    """The number of integrated care systems in the nation.
    Source: Integrated care systems in England, April 2021: 42 (secondary page, confidence 2)"""

    organisations: int = size(5, unit="organisations in a system")
    """The number of trusts in each system; with 42 systems, the default makes 210.
    Source: NHS Staff Survey 2018: 230 trusts, in what are now 42 systems (secondary page, confidence 2)"""

    managers: int = size(12, unit="managers in an organisation")
    """The number of managers in each organisation, each with a unit; the first is its chief executive."""

    months: int = size(120, unit="months")
    """The length of a run; 120 months are ten years."""

    window: int = size(24, unit="months")
    """The last months of a run that summaries average over; all of them where the run is shorter."""

    motivation_mean: float = people(0.65, low=0.4, high=0.9, unit="stock from 0 to 1")
    """The average will to work that people bring with them. At 0.65, a typical newcomer whom nobody watches makes
    about two thirds of the possible effort."""

    motivation_sd: float = people(0.15, low=0.05, high=0.25, unit="standard deviation")
    """How much people differ in the motivation they bring. At 0.15 and a mean of 0.65, two thirds of them lie
    between 0.5 and 0.8."""

    integrity_mean: float = people(0.75, low=0.4, high=0.95, unit="stock from 0 to 1")
    """The average integrity that people bring with them: how much doing right matters to them. At 0.75 most would
    rather miss a target than bend the numbers."""

    integrity_sd: float = people(0.15, low=0.05, high=0.25, unit="standard deviation")
    """How much people differ in integrity. A larger value means more saints and more cheats."""

    skill_mean: float = people(0.5, low=0.35, high=0.65, unit="stock from 0 to 1")
    """The average skill that people bring with them. At 0.5 a typical newcomer is half-way to mastery."""

    skill_sd: float = people(0.15, low=0.05, high=0.25, unit="standard deviation")
    """How much newcomers differ in skill. The larger it is, the more a good choice between them is worth."""

    boldness_sd: float = people(0.5, low=0.0, high=1.0, bounds=_WEIGHT, unit="logit units")
    """How much people differ in boldness, the liking for new things that they are born with. At 0.5 a bold person in
    a toss-up tries something new with a chance of about 0.62 instead of 0.5."""

    poor_share: float = people(0.05, low=0.0, high=0.15, null=0.0, unit="share of newcomers")
    """The share of people who are unfit to lead, with little motivation and integrity. The default is one in twenty."""

    poor_factor: float = people(0.4, low=0.2, high=0.7, null=1.0, unit="factor")
    """How unfit the unfit are: their motivation and integrity are multiplied by it. At 0.4 they have less than half
    of what others have, at 1 they are like everyone."""

    crowding_mean: float = people(
        0.05, low=-0.3, high=0.6, null=0.0, bounds=(-5.0, 5.0), unit="share of motivation lost under full control"
    )
    """How much motivation the average person loses when fully monitored and not trusted at all. At 0.05 the loss is
    5 %; below 0 the average person works better when controlled.
    Source: Falk & Kosfeld 2006, with Ziegelmeyer et al. 2012 and Burdin et al. 2018: with real stakes control
    changed transfers by -2.2 [-3.7, -0.6] of 120 (recomputed, confidence D); informs the default"""

    crowding_sd: float = people(
        0.35, low=0.1, high=0.6, null=0.0, bounds=(0.0, 5.0), unit="standard deviation of crowding"
    )
    """How differently people respond to control. At 0.35 a majority loses motivation and a large minority gains some.
    Source: Falk & Kosfeld 2006, with Ziegelmeyer et al. 2012 and Burdin et al. 2018: 42 % gave less under control,
    40 % more (recomputed, confidence D); informs the range"""

    anxiety_sd: float = people(
        0.4, low=0.0, high=0.8, null=0.0, bounds=(0.0, 3.0), unit="standard deviation on the log scale"
    )
    """How differently strongly threats register with people. At 0.4 an anxious person feels a threat about one and a
    half times as strongly as the median person; at 0 all feel it alike."""

    reciprocity: float = motivation(
        0.5, low=0.0, high=1.0, null=0.0, bounds=_WEIGHT, unit="motivation for each point of trust"
    )
    """How far people repay trust with motivation. At 0.5, trusting those above by 0.2 more than halfway raises
    motivation by 0.1 in the long run; distrust costs as much.
    Source: Martin et al. 2016: relationship with the leader and objective performance correlate 0.24, with trust the
    largest mediator; gives the sign only"""

    complacency: float = motivation(
        0.1, low=0.0, high=0.5, null=0.0, bounds=_WEIGHT, unit="motivation for each point of trust"
    )
    """How far people ease off when they trust much and nobody looks or asks. At 0.1, full trust without monitoring
    and targets costs 0.05 of motivation."""

    impunity: float = motivation(0.1, low=0.0, high=0.4, null=0.0, unit="share of motivation")
    """How much it saps motivation when colleagues neglect their work and go unpunished. At 0.1, if six of eleven
    colleagues did so in a month and everybody knew, 5 % of motivation would be lost."""

    motivation_speed: float = motivation(0.1, low=0.03, high=0.3, unit="share a month")
    """How fast motivation adapts to circumstances. At 0.1 a tenth of the gap closes each month, so half of a change
    is there after some seven months."""

    deterrence: float = motivation(0.5, low=0.0, high=1.2, null=0.0, bounds=_WEIGHT, unit="factor")
    """How strongly the threat of discovery and punishment makes people work harder. At 0.5, with monitoring 0.45,
    punitiveness 0.5 and fear 0.3, about 9 % of the missing effort is made.
    Source: Boly 2011: monitoring raised effort both in the laboratory and in the field; gives the sign only"""

    burden: float = motivation(0.13, low=0.0, high=0.3, null=0.0, unit="share of working time")
    """The share of working time that assurance would take under full monitoring. At 0.13 that is more than half a
    day of a five-day week.
    Source: NHS Providers 2023 and 2024: the regulatory burden rose for 52 % and 53 % of trusts; gives the sign only"""

    burden_power: float = motivation(
        1.5, low=1.0, high=2.0, bounds=(0.0, 10.0), exclusive_minimum=True, unit="exponent"
    )
    """How the paperwork grows with monitoring. At 1 it grows in proportion; at 1.5 light monitoring costs little and
    close monitoring disproportionately much."""

    relationship_time: float = motivation(0.07, low=0.0, high=0.15, null=0.0, unit="share of working time")
    """The share of working time that full investment in relationships takes. At 0.07 it is a third of a day in a
    five-day week."""

    relationship_power: float = motivation(
        0.8, low=0.5, high=1.0, bounds=(0.0, 10.0), exclusive_minimum=True, unit="exponent"
    )
    """How what is achieved by investment in relationships grows with the investment. At 1 it grows in proportion; at
    0.8, the first half of the full investment achieves 57 % of what all of it would. What it costs in time grows in
    proportion whatever this is."""

    focus_own: float = indicator(
        0.42, low=0.3, high=0.6, bounds=(0.0, 0.95), exclusive_minimum=True, unit="share of attention"
    )
    """The share of attention that managers give, without targets, to the part of the work that is measured. At 0.42
    it is somewhat less than would be best."""

    focus_pull: float = indicator(
        0.4, low=0.1, high=0.9, null=0.0, exclusive_maximum=True, unit="share of the remaining attention"
    )
    """How strongly pressure from targets draws attention to what is measured. At 0.4, full pressure draws four tenths
    of the attention that can still be moved.
    Source: Mason et al. 2012: seen within four hours rose from 83.9 % to 96.3 % in three years of targets; gives the
    sign only"""

    target_level: float = indicator(0.57, low=0.45, high=0.7, bounds=(0.001, 10.0), unit="points of the indicator")
    """The target that the reported indicator must reach. The higher it is, the more units fall short."""

    gaming_max: float = indicator(0.35, low=0.0, high=1.0, null=0.0, bounds=_WEIGHT, unit="points of the indicator")
    """The most that somebody without any integrity would add to the honest indicator under full pressure. People of
    integrity add less, and nobody more than the shortfall.
    Source: Kelman & Friedman 2009 found no sign of dysfunctional effects and Mason et al. 2012 a rise from 4.7 % to
    8.4 % leaving just before the limit; informs a range that starts at none"""

    gaming_cost: float = indicator(
        0.5, low=0.0, high=1.0, null=0.0, bounds=_WEIGHT, unit="share of the service for each point of the indicator"
    )
    """What gaming costs patients. At 0.5, gaming by 0.1 takes away 5 % of the service."""

    audit: float = indicator(0.4, low=0.0, high=0.8, null=0.0, unit="share of gaming prevented")
    """How much gaming full monitoring of the organisation prevents. At 0.4 it prevents four tenths."""

    opportunity: float = initiative(0.3, low=0.1, high=0.5, unit="probability a month")
    """The chance that a month offers an occasion to try something new. At 0.3 there is one in about three months,
    for those who have the time."""

    loss_aversion: float = initiative(
        2.0, low=1.0, high=5.0, null=1.0, bounds=(0.0, 100.0), unit="ratio of losses to gains"
    )
    """How much more a feared loss weighs than an equal gain. At 2 it weighs twice as much, at 1 both weigh the same.
    Source: Brown et al. 2024: loss aversion 1.955 [1.820, 2.102]; informs the default. Miner et al. 2005: negative
    events about 5 times as strong on mood (41 employees); informs the top of the range"""

    initiative_cost: float = initiative(0.28, low=0.1, high=0.5, bounds=_WEIGHT, unit="units of subjective value")
    """The trouble that trying something new takes, in units in which a sure success is worth 1. The larger it is,
    the fewer try."""

    aspiration: float = initiative(0.7, low=0.0, high=1.5, null=0.0, bounds=_WEIGHT, unit="units of subjective value")
    """How strongly falling short of a target spurs people to try something new. At 0.7, missing a full target
    altogether adds seven tenths of the value of a sure success."""

    sensitivity: float = initiative(
        4.0, low=2.0, high=6.0, bounds=(0.0, 50.0), unit="logit units for each unit of value"
    )
    """How sharply the decision to try follows its value. At 4, a value of 0.25 above the toss-up raises the chance
    from 0.5 to 0.73; at 0 value plays no part."""

    success_base: float = initiative(0.25, low=0.15, high=0.35, unit="probability")
    """The chance of success of a needed change led by somebody without skill or partners: one in four."""

    success_skill: float = initiative(0.5, low=0.3, high=0.7, unit="probability")
    """What full skill adds to the chance that a needed change succeeds. At 0.5, a master succeeds in about three of
    four."""

    success_cooperation: float = initiative(0.15, low=0.0, high=0.3, null=0.0, unit="probability")
    """What full cooperation in the system adds to the chance that a needed change succeeds."""

    step: float = initiative(0.3, low=0.1, high=0.5, bounds=(0.001, 10.0), unit="distance in practice")
    """How far one successful initiative moves the practice of a unit towards what is needed. Needs differ by about 1
    between units, so at 0.3 several successes make up for a typical distance."""

    innovation: float = initiative(0.01, low=0.0, high=0.02, null=0.0, unit="share of the gap to twice the service")
    """How much better a unit's method becomes by a successful initiative, whatever it was needed for. At 0.01 the first
    success lets the unit do 1 % more with the same effort."""

    innovation_decay: float = initiative(0.015, low=0.005, high=0.03, unit="share a month")
    """How fast what a unit has found out is lost again, as people move on and the world changes. At 0.015 half of it is
    gone in just under four years."""

    career_stakes: float = initiative(
        0.5, low=0.0, high=1.5, null=0.0, bounds=_WEIGHT, unit="share added to the threat"
    )
    """How much more threatening a sanction becomes when registers and disbarring can end a career. At 0.5, with both
    in full force, a threat weighs half as much again."""

    unit_sd: float = units(
        0.15, low=0.0, high=0.3, null=0.0, bounds=(0.0, 3.0), unit="standard deviation on the log scale"
    )
    """How much units differ in what no manager can change: buildings, case mix, staff. At 0.15, a unit in good
    circumstances does about a sixth more than the median unit with the same effort; at 0 all are alike.
    Source: Janke et al. 2019: chief executives explain little of how English hospitals do; prompted the mechanism and
    gives the sign only"""

    chance_sd: float = units(0.05, low=0.0, high=0.1, null=0.0, bounds=_WEIGHT, unit="points of the indicator")
    """How much chance alone moves the indicator of a unit from month to month. At 0.05, two months of three lie within
    0.05 points of what the work deserved."""

    need_sd: float = units(1.0, low=0.2, high=1.5, bounds=_WEIGHT, unit="distance in practice")
    """How much the local needs that care must fit differ, across units and over time. The larger it is, the worse
    one way of working fits all."""

    common_need: float = units(0.3, low=0.0, high=0.8, unit="share of variance")
    """How much of the variation in need is common to the whole nation. At 0.3, most of what a unit needs is its own;
    at 0.8, one standard comes close."""

    need_turnover: float = units(0.015, low=0.0, high=0.05, null=0.0, unit="share a month")
    """How fast needs change. At 0.015, the likeness between the needs of now and then has halved after some four
    years; at 0 needs never change."""

    standard_pull: float = units(0.1, low=0.05, high=0.2, unit="share a month")
    """How fast full standardisation pulls practice to the national standard. At 0.1 a tenth of the distance goes
    each month."""

    standard_lag: float = units(12.0, low=6.0, high=36.0, bounds=(1.0, 10_000.0), unit="months")
    """How far the national standard lags behind common need. At 12 it follows with a delay of about a year."""

    standard_safety: float = units(0.3, low=0.0, high=0.6, null=0.0, unit="share of mishaps prevented")
    """The share of mishaps that full standardisation prevents: three in ten."""

    slip_negligence: float = slips(0.24, low=0.05, high=0.4, unit="probability a month")
    """The chance of a negligent slip in a month for somebody who makes no effort at all. At 0.24, somebody with an
    effort of 0.7 has one in about fourteen months."""

    slip_mishap: float = slips(0.03, low=0.0, high=0.06, unit="probability a month")
    """The chance of a mishap in a month that is nobody's fault, even for a master: about one in three years, before
    safety knowledge and standards lower it."""

    slip_unskilled: float = slips(0.07, low=0.0, high=0.15, unit="probability a month")
    """What a complete lack of skill adds to the chance of a mishap in a month."""

    overload_slip: float = slips(
        2.0, low=0.0, high=4.0, null=0.0, bounds=(0.0, 100.0), unit="share added for each point of overload"
    )
    """How much overload breeds slips. At 2, an overload of 0.1 makes them a fifth more frequent."""

    account_rate: float = slips(0.14, low=0.0, high=0.3, null=0.0, unit="probability a month")
    """The chance in a month of being called to account for a reported indicator of zero under full targets. Falling
    short by a tenth of the target makes it a tenth of that."""

    safety_learning: float = slips(0.025, low=0.0, high=0.05, null=0.0, unit="share for each slip reported")
    """How much an organisation of twelve managers learns from a slip that somebody in it reports. At 0.025, each closes
    a fortieth of the gap to full safety knowledge."""

    safety_decay: float = slips(0.02, low=0.01, high=0.04, unit="share a month")
    """How fast safety knowledge is forgotten. At 0.02, half of it would be gone in just under three years."""

    safety_effect: float = slips(0.6, low=0.2, high=0.9, null=0.0, unit="share of mishaps prevented")
    """The share of mishaps that full safety knowledge prevents: six in ten."""

    exoneration: float = slips(0.3, low=0.0, high=0.8, null=0.0, unit="share of sanctions avoided")
    """How far full monitoring clears those who were not negligent. At 0.3 it spares them three of ten sanctions that
    they would otherwise get."""

    speak_base: float = voice(0.7, low=-1.0, high=1.5, bounds=_LOGITS, unit="logit units")
    """How ready people are to report their own slip when trust and fear balance and they have nothing to gain. At 0.7,
    two of three do; at 0, one of two.
    Source: NHS Staff Survey 2014 and 2019: 68 % and 71.7 % feel secure raising concerns (secondary page, confidence
    2); informs the default, taking the feeling for the act, which is an assumption"""

    speak_sensitivity: float = voice(4.5, low=2.0, high=7.0, bounds=(0.0, 50.0), unit="logit units for each point")
    """How strongly trust and fear decide whether people speak up. At 4.5, when fear exceeds trust by 0.3, the share
    who speak up falls from two thirds to about a third."""

    speak_negligence: float = voice(0.6, low=0.3, high=1.0, unit="factor")
    """How much less likely people are to report a slip that was their own neglect. At 0.6 they are six tenths as
    likely; at 1 there is no difference."""

    speak_prudence: float = voice(2.0, low=0.0, high=6.0, null=0.0, bounds=(0.0, 50.0), unit="logit units")
    """How far people own up because they would be found out and owning up earns leniency. The larger it is, the more
    monitoring and punishment make people report themselves."""

    harm_known: float = voice(0.3, low=0.05, high=0.6, bounds=_WEIGHT, unit="points of quality")
    """The harm to patients of a slip that is reported in its month. An average month at the baseline has a quality of
    about a third, so 0.3 undoes nearly all of it."""

    harm_hidden_factor: float = voice(2.0, low=1.0, high=3.0, null=1.0, bounds=(0.0, 100.0), unit="factor")
    """How much worse a slip becomes when it stays hidden. At 2 it does twice the harm, at 1 no more. See rescue for a
    slip that nobody reported but oversight discovered."""

    rescue: float = voice(0.5, low=0.0, high=1.0, unit="share of the further harm averted")
    """How much of the harm that was still to come is averted when oversight discovers a slip. At 0.5 half of it is: at
    a harm of 0.3 that hiding would double, a slip that was discovered does 0.45. At 1 a slip that was discovered does
    no more harm than one that was reported."""

    peers_see: float = voice(0.5, low=0.0, high=1.0, unit="share of colleagues")
    """How far colleagues see negligence that was neither reported nor discovered. At 0.5 it weighs half as much with
    them as negligence that came to light and went unpunished."""

    found_reassures: float = voice(0.5, low=0.0, high=1.0, unit="factor")
    """How far it reassures to be found out, or called to account, and let go. At 0.5 it is half as comforting as to
    report one's own slip and not be punished; at 0 an inquiry is no comfort, whatever comes of it."""

    fear_blamed: float = fear(0.35, low=0.05, high=0.6, null=0.0, unit="share of the gap to full fear")
    """How much fear a sanction teaches the one who gets it. At 0.35 somebody with a fear of 0.2 goes to 0.48 at
    once."""

    fear_spared: float = fear(0.2, low=0.03, high=0.4, null=0.0, unit="share of fear")
    """How much fear goes when somebody reports a slip and is not punished. At 0.2 a fifth of it goes; for being found
    out and let go see found_reassures."""

    fear_peer_blamed: float = fear(
        0.05, low=0.0, high=0.12, null=0.0, unit="share of the gap to full fear, for each colleague"
    )
    """How much fear it teaches to see one of eleven colleagues in the organisation punished. At 0.05 somebody with a
    fear of 0.2 goes to 0.24. In a larger organisation people hear of a smaller share of what happens."""

    fear_peer_spared: float = fear(0.03, low=0.0, high=0.06, null=0.0, unit="share of fear, for each colleague")
    """How much fear goes when one of eleven colleagues reports a slip and is not punished: 3 % of it."""

    fear_system: float = fear(
        0.004, low=0.0, high=0.01, null=0.0, unit="share of the gap to full fear, for each manager"
    )
    """How much fear it teaches to hear of a sanction of one of 48 managers elsewhere in the system, at publicity 0.5.
    One alone hardly matters at 0.004; ten in a month close 4 % of the gap to full fear."""

    fear_conformity: float = fear(0.08, low=0.0, high=0.15, null=0.0, unit="share a month")
    """How fast a person's fear drifts to the average of the organisation. At 0.08, a twelfth of the difference goes
    each month.
    Source: Hill et al. 2010: discontent spreads at 0.04 a year for each discontented contact among family and
    friends; gives the sign, and about 0.04 a month for eleven colleagues lies within the range"""

    fear_extinction: float = fear(0.05, low=0.01, high=0.1, unit="share a month")
    """How fast learned fear fades to what the surroundings warrant. At 0.05, half of a fright is gone after about a
    year and a month.
    Source: Hill et al. 2010: discontent lasts 5 years on average, which is 0.017 a month; informs the low end of the
    range. No estimate of fear at work was found"""

    fear_ambient: float = fear(0.4, low=0.0, high=0.8, null=0.0, bounds=_WEIGHT, unit="stock from 0 to 1")
    """The fear that settles in somebody who is never punished but fully monitored under full punitiveness without any
    trust. At 0.4 that person ends up with a fear of 0.4.
    Source: Siegel et al. 2022: monitoring and stress correlate 0.11 in 70 samples; gives the sign only"""

    fear_targets: float = fear(0.3, low=0.0, high=0.6, null=0.0, unit="share of full monitoring")
    """How far targets are felt as watching. At 0.3, full targets without monitoring frighten as much as monitoring of
    0.3 does; under full monitoring they add nothing."""

    cascade: float = fear(0.35, low=0.0, high=0.8, null=0.0, unit="factor")
    """How much a frightened chief executive tightens scrutiny over everyone in the organisation. At 0.35, with a
    fear of 0.6, monitoring of 0.5 becomes 0.55."""

    trust_invest: float = trust(0.07, low=0.02, high=0.12, null=0.0, unit="share a month")
    """How fast full investment in relationships builds trust. At 0.07, it closes 7 % of the gap to full trust each
    month."""

    trust_control: float = trust(0.025, low=-0.02, high=0.06, null=0.0, bounds=(-1.0, 1.0), unit="share a month")
    """How fast full monitoring wears trust down. At 0.025 it takes 2.5 % of it each month; below 0, monitoring builds
    trust.
    Source: Wu & Wang 2020: monitoring by watching lowers trust, monitoring by talking raises it; informs a range
    with both signs"""

    trust_decay: float = trust(0.01, low=0.005, high=0.02, unit="share a month")
    """How fast trust fades by itself where nothing renews it. At 0.01 half is gone in under six years."""

    trust_unfair: float = trust(0.3, low=0.05, high=0.6, null=0.0, unit="share of trust")
    """How much trust an unfair sanction destroys, one for something that was not negligence. At 0.3, three tenths of
    it."""

    trust_fair: float = trust(0.15, low=0.0, high=0.3, null=0.0, unit="share of trust")
    """How much trust even a fair sanction destroys. At 0.15, about a seventh of it."""

    trust_spared: float = trust(0.06, low=0.0, high=0.12, null=0.0, unit="share of the gap to full trust")
    """How much trust it builds to report a slip and not be punished. At 0.06, it closes 6 % of the gap to full trust;
    for being found out and let go see found_reassures."""

    trust_conformity: float = trust(0.05, low=0.0, high=0.1, null=0.0, unit="share a month")
    """How fast a person's trust drifts to the average of the organisation. At 0.05, a twentieth of the difference
    goes each month."""

    confidence_success: float = confidence(
        0.15, low=0.05, high=0.3, null=0.0, unit="share of the gap to full confidence"
    )
    """How much confidence a success gives when recognition is at one half. More recognition gives more, none gives
    half as much."""

    confidence_failure: float = confidence(0.1, low=0.0, high=0.2, null=0.0, unit="share of confidence")
    """How much confidence a failed initiative costs somebody without any trust in those above. At 0.1, a tenth of
    it; full trust halves that."""

    confidence_blamed: float = confidence(0.2, low=0.0, high=0.4, null=0.0, unit="share of confidence")
    """How much confidence a sanction costs. At 0.2, a fifth of it."""

    confidence_invest: float = confidence(0.02, low=0.0, high=0.05, null=0.0, unit="share a month")
    """How fast full investment in relationships builds confidence. At 0.02 it closes 2 % of the gap to full
    confidence each month."""

    confidence_feedback: float = confidence(
        0.015, low=-0.02, high=0.04, null=0.0, bounds=(-1.0, 1.0), unit="share a month"
    )
    """How fast the feedback that comes with full monitoring builds the confidence of somebody without fear; below 0 it
    wears confidence down. Those in full fear gain and lose nothing by it.
    Source: Kluger & DeNisi 1996: feedback raises performance by 0.41 standard deviations on average, and over a
    third of interventions lower it; informs a range with both signs"""

    confidence_idle: float = confidence(0.01, low=0.005, high=0.03, unit="share a month")
    """How fast confidence drifts back to one half when nothing happens. At 0.01 it takes almost six years for half
    of the way."""

    skill_practice: float = skill(0.03, low=0.0, high=0.06, null=0.0, unit="share of the gap to full skill")
    """How much skill is learned by trying something new, whether or not it works. At 0.03 each attempt closes 3 % of
    the gap to mastery."""

    skill_invest: float = skill(0.01, low=0.0, high=0.03, null=0.0, unit="share a month")
    """How fast full investment in leaders builds skill. At 0.01 it closes 1 % of the gap to mastery each month.
    Source: Lacerenza et al. 2017: leadership training raises learning by 0.73 standard deviations, an upper bound;
    Seidman et al. 2020: limited evidence in healthcare; informs a range that starts at none"""

    skill_feedback: float = skill(0.02, low=-0.025, high=0.05, null=0.0, bounds=(-1.0, 1.0), unit="share a month")
    """How fast the feedback that comes with full monitoring builds the skill of somebody without fear; below 0 it
    wears skill down. Those in full fear gain and lose nothing by it.
    Source: Kluger & DeNisi 1996: feedback raises performance by 0.41 standard deviations on average, and over a
    third of interventions lower it; informs a range with both signs"""

    skill_decay: float = skill(0.003, low=0.001, high=0.006, unit="share a month")
    """How fast unused skill fades. At 0.003 it is 3.5 % a year."""

    skill_floor: float = skill(0.6, low=0.4, high=0.8, unit="share of full ability")
    """What somebody without any skill achieves, compared with a master: six tenths."""

    integrity_invest: float = skill(0.003, low=0.0, high=0.01, null=0.0, unit="share a month")
    """How fast full investment in relationships builds integrity. At 0.003 it closes 3.5 % of the gap to full
    integrity in a year."""

    distress_gain: float = distress(
        0.12, low=0.03, high=0.25, null=0.0, unit="share of the gap to full distress a month, for each point of strain"
    )
    """How fast strain turns into distress. At 0.12, somebody calm under a strain of 0.2 gains 0.024 in the first
    month."""

    distress_recovery: float = distress(0.06, low=0.03, high=0.12, unit="share a month")
    """How fast distress heals. At 0.06 without any support, 3 % of it goes each month; with full support and trust
    three times as much."""

    distress_moral: float = distress(
        1.0, low=0.0, high=2.0, null=0.0, bounds=_WEIGHT, unit="strain for each point of moral strain"
    )
    """How heavily it weighs to do what is counted rather than what is right."""

    strain_gaming: float = distress(
        2.0, low=0.0, high=4.0, null=0.0, bounds=_WEIGHT, unit="moral strain for each point of gaming"
    )
    """How heavily one's own gaming weighs on somebody of full integrity. At 2, gaming by 0.05 is a moral strain of
    0.1."""

    distress_paperwork: float = distress(
        0.3, low=0.0, high=0.6, null=0.0, bounds=_WEIGHT, unit="strain for each share of working time"
    )
    """How heavily assurance work weighs. At 0.3, paperwork for a tenth of the time is a strain of 0.03."""

    distress_overload: float = distress(
        0.3, low=0.0, high=0.6, null=0.0, bounds=_WEIGHT, unit="strain for each point of overload"
    )
    """How heavily overload weighs. At 0.3, an overload of 0.1 is a strain of 0.03."""

    distress_fear: float = distress(
        0.2, low=0.0, high=0.5, null=0.0, bounds=_WEIGHT, unit="strain for each point of fear"
    )
    """How heavily fear weighs. At 0.2, a fear of 0.3 is a strain of 0.06."""

    exit_base: float = careers(0.014, low=0.005, high=0.02, unit="probability a month")
    """The chance in a month that a manager leaves for reasons outside the model, such as retirement. At 0.014 it is
    16 % in a year.
    Source: The King's Fund and NHS Providers 2018: 54 % of directors appointed in the past three years, median
    tenure of chief executives three years (opening page); informs the default, as all exits together should come to
    0.21 to 0.26 a year"""

    exit_distress: float = careers(0.04, low=0.0, high=0.08, null=0.0, unit="probability a month")
    """What full distress adds to the chance of leaving in a month. It grows with the square: a distress of 0.5 adds
    a quarter of it."""

    exit_fear: float = careers(0.01, low=0.0, high=0.03, null=0.0, unit="probability a month")
    """What full fear without any trust adds to the chance of leaving in a month."""

    dismissal: float = careers(0.15, low=0.02, high=0.3, null=0.0, unit="probability")
    """The chance that a sanction costs the post: about one in seven."""

    recycling: float = careers(0.5, low=0.0, high=0.9, null=0.0, unit="probability")
    """The chance that a vacant post is first offered to a former manager from elsewhere rather than to a newcomer.
    At 0.5, every second vacancy."""

    assessment_noise: float = careers(0.15, low=0.05, high=0.3, bounds=_WEIGHT, unit="standard deviation of skill")
    """How far an assessment of a candidate's skill errs. People differ by about 0.15, so at 0.15 the better one of
    two is often missed."""

    deterred_entry: float = careers(
        0.5, low=0.0, high=1.0, null=0.0, bounds=(0.0, 50.0), unit="logit units for each point of fear"
    )
    """How far a fearful service deters bold people from applying. At 0.5 and a national fear of 0.3, newcomers are
    less bold by 0.15."""

    market_months: float = careers(12.0, low=3.0, high=24.0, bounds=(0.0, 10_000.0), unit="months")
    """How long somebody who left remains open to another post. At 12 it is a year."""

    cooperation_gain: float = cooperation(0.2, low=0.0, high=0.4, null=0.0, bounds=_WEIGHT, unit="share of the load")
    """How far full cooperation in the system relieves everyone's load. At 0.2, the system can carry a fifth more
    with the same money."""

    cooperation_cost: float = cooperation(0.05, low=0.0, high=0.1, null=0.0, unit="share of working time")
    """The share of working time that full cooperation takes. At 0.05 it is a quarter of a day in a five-day week."""

    cooperation_speed: float = cooperation(0.15, low=0.05, high=0.3, unit="share a month")
    """How fast cooperation follows what circumstances suggest. At 0.15, half of a change is there after some four
    months."""

    cooperation_sensitivity: float = cooperation(
        4.0, low=2.0, high=6.0, bounds=(0.0, 50.0), unit="logit units for each point"
    )
    """How sharply cooperation responds to trust, fear, incentives and rivalry. At 4, trust higher by 0.1 raises a
    cooperation of 0.5 to about 0.6."""

    cooperation_reciprocity: float = cooperation(
        0.3, low=0.0, high=0.6, null=0.0, bounds=_WEIGHT, unit="points for each point of cooperation"
    )
    """How far people cooperate because others in the system do. The larger it is, the more a system tips into
    cooperation or out of it."""

    cooperation_rivalry: float = cooperation(
        0.5, low=0.0, high=1.0, null=0.0, bounds=_WEIGHT, unit="points for each point of targets"
    )
    """How far targets for one's own institution turn partners into rivals. At 0.5, full targets judged on one's own
    weigh as much against cooperating as half a point of trust weighs for it."""

    cooperation_oversight: float = cooperation(0.4, low=0.0, high=1.0, null=0.0, bounds=_WEIGHT, unit="points")
    """How far monitoring makes people cooperate where they are judged on the system. At 0.4, full monitoring and a full
    incentive weigh as much as four tenths of a point of trust.
    Source: Balliet et al. 2011: punishment raises cooperation by 0.70 standard deviations and reward by 0.51 in
    social dilemmas; gives the sign only"""

    demand: float = cooperation(1.12, low=0.95, high=1.3, bounds=(0.0, 5.0), unit="multiple of capacity")
    """The work that arrives, compared with what today's budget can carry without cooperation. At 1.12 it is 12 % too
    much."""

    bed_blocking: float = cooperation(
        0.3,
        low=0.0,
        high=0.7,
        null=0.0,
        bounds=(0.0, 2.0),
        unit="share of the load for each share of the social care budget",
    )
    """How far cuts in social care fill hospital beds. At 0.3, a cut of a tenth in social care adds 3 % to the load.
    Source: Martin et al. 2021: mortality falls by 0.532 % for each 1 % of health care spending and by 0.336 % for each
    1 % of social care, a ratio of 0.63; Crawford et al. 2021 and Seamer et al. 2019 find no effect of social care on
    hospitals; informs a range from none to 0.7"""

    social_care_size: float = cooperation(0.28, low=0.28, high=0.28, bounds=_WEIGHT, unit="ratio of budgets")
    """The size of the social care budget compared with the acute budget, used only for the cost of a regime. At
    0.28, 4 % of the acute budget buys 14 % of social care."""

    # Declared last, because their months must lie within the run

    schedule: Schedule = Field(default_factory=dict)
    """Levers that change during the run: for each, the month from whose start on a value holds."""

    local: tuple[LocalRule, ...] = ()
    """Levers that have values of their own in some organisations; the later rule goes over the earlier, and all over
    the schedule."""

    @field_validator("*", mode="before")
    @classmethod
    def _check(cls, value: object, info: ValidationInfo) -> object:
        """Hold each value against its declaration; defaults need no check."""
        if info.field_name is None or info.field_name not in PARAMETERS:
            months, sizes = info.data.get("months"), [info.data.get(name, 0) for name in ("systems", "organisations")]
            if info.field_name == "local":
                return local_rules(value, months, math.prod(sizes), PARAMETERS)
            return checked(value, months, LEVERS, PARAMETERS)
        declared, value = PARAMETERS[info.field_name], plain(value)
        if not declared.allows(value):
            raise ValueError(f"must be {declared.allowed}")
        return value

    @property
    def cost(self) -> float:
        """What the regime costs, as a multiple of today's budgets; a schedule is not counted.

        >>> round(Parameters(acute_budget=0.9).cost, 6)
        0.921875
        """
        size_of_both = 1.0 + self.social_care_size
        return (self.acute_budget + self.social_care_size * self.social_care_budget) / size_of_both


CHANGES = ("schedule", "local")
"""What makes levers differ by month and by organisation."""

PARAMETERS: Table[Declaration] = Table(
    *(Declaration.of(name, field) for name, field in Parameters.model_fields.items() if name not in CHANGES)
)
"""Every parameter, lever and size by name: levers, then sizes, then parameters in the order of the groups."""

SPREADS: tuple[str, ...] = ("monitoring_sd", "relationship_sd")
"""The levers that are fixed for a run, and so follow no schedule."""


LEVERS: tuple[str, ...] = tuple(Levers.model_fields)
SIZES: tuple[str, ...] = tuple(name for name, declared in PARAMETERS.items() if declared.kind == "size")
COEFFICIENTS: tuple[str, ...] = tuple(name for name, declared in PARAMETERS.items() if declared.kind == "parameter")
