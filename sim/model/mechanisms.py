"""Names for bundles: mechanisms that can be switched off, and regimes of oversight."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from sim.model.tables import Table

Case = Literal["for", "against"]


@dataclass(frozen=True)
class Mechanism:
    """Parameters that go to their null together, and whose argument they carry.

    `case` is "for" where the mechanism was put in for Berwick's warning against surveillance, "against" where
    it was put in for those who disagree.
    """

    name: str
    case: Case
    parameters: tuple[str, ...]
    meaning: str


@dataclass(frozen=True)
class Regime:
    """A named way of overseeing: the levers it sets; the rest stay at their defaults."""

    name: str
    levers: dict[str, float] = field(hash=False)
    meaning: str


MECHANISMS: Table[Mechanism] = Table(
    Mechanism(
        "paperwork",
        "for",
        ("burden",),
        "Monitoring asks for assurance work, which takes time from running the unit. Berwick's point that "
        "measuring makes the work harder.",
    ),
    Mechanism(
        "crowding_out",
        "for",
        ("crowding_mean", "crowding_sd"),
        "Being controlled without being trusted changes the will to work: most lose some of it, and some "
        "gain. The critics' argument; switching it off also removes the people who respond well to control.",
    ),
    Mechanism(
        "social_exchange",
        "for",
        ("reciprocity",),
        "People who trust those above them repay it with motivation. The argument of those who put "
        "relationships before control.",
    ),
    Mechanism(
        "complacency",
        "against",
        ("complacency",),
        "Much trust with nobody looking and nothing asked makes people ease off. The overseers' warning "
        "against trust alone.",
    ),
    Mechanism(
        "impunity",
        "against",
        ("impunity",),
        "Colleagues who neglect their work and go unpunished sap the motivation of the others. The case for "
        "holding people to account.",
    ),
    Mechanism(
        "deterrence",
        "against",
        ("deterrence",),
        "The prospect of being found out and punished makes people work harder. The oldest argument for oversight.",
    ),
    Mechanism(
        "attention",
        "against",
        ("focus_pull",),
        "Targets draw attention to what is measured, which helps as long as it got too little. The "
        "government's case for targets.",
    ),
    Mechanism(
        "gaming",
        "for",
        ("gaming_max",),
        "Managers under pressure who fall short of the target report more than they achieved. The critics' "
        "case against targets.",
    ),
    Mechanism(
        "aspiration",
        "against",
        ("aspiration",),
        "Missing the target makes a manager more willing to try something new. The case that targets drive change.",
    ),
    Mechanism(
        "loss_aversion",
        "for",
        ("loss_aversion",),
        "A feared loss weighs more than an equal gain, so the frightened try less. Switched off, both weigh "
        "the same. Berwick's argument about risk-taking.",
    ),
    Mechanism(
        "learned_fear",
        "for",
        ("fear_blamed", "fear_peer_blamed", "fear_system", "fear_ambient", "fear_targets", "confidence_blamed"),
        "Being punished, seeing others punished, hearing of it and living under watch and targets teach fear, and "
        "punishment costs confidence. Berwick's core argument.",
    ),
    Mechanism(
        "contagion",
        "for",
        ("fear_conformity", "trust_conformity"),
        "Fear and trust drift towards what colleagues feel, so both become a climate. The argument that "
        "fear is catching.",
    ),
    Mechanism(
        "reassurance",
        "against",
        ("fear_spared", "fear_peer_spared", "trust_spared"),
        "Being cleared after a slip, or seeing a colleague cleared, lowers fear and builds trust. The "
        "argument that fair accountability reassures.",
    ),
    Mechanism(
        "cascade",
        "for",
        ("cascade",),
        "A frightened chief executive tightens scrutiny over the whole organisation. The argument that "
        "pressure is passed down.",
    ),
    Mechanism(
        "distrust",
        "for",
        ("trust_control", "trust_unfair", "trust_fair"),
        "Monitoring and sanctions wear trust down, unfair ones most. The critics' argument; switching it "
        "off also removes control that builds trust.",
    ),
    Mechanism(
        "exoneration",
        "against",
        ("exoneration",),
        "Those who see more can clear more: monitoring lowers the chance that an honest failure or a mishap "
        "is punished. The case that good records protect the innocent.",
    ),
    Mechanism(
        "prudence",
        "against",
        ("speak_prudence",),
        "Where discovery and punishment are likely and owning up earns leniency, it pays to report one's "
        "own slip. The overseers' case for pressure to report.",
    ),
    Mechanism(
        "feedback",
        "against",
        ("skill_feedback", "confidence_feedback"),
        "Being monitored tells people how they are doing, which builds skill and confidence unless they are "
        "afraid. The case that measurement teaches.",
    ),
    Mechanism(
        "practice",
        "for",
        ("skill_practice",),
        "Trying something new builds skill, whether or not it works. Berwick's argument that leaders mature "
        "by taking risks.",
    ),
    Mechanism(
        "development",
        "for",
        ("skill_invest", "confidence_invest", "integrity_invest"),
        "Coaching, listening and training raise skill, confidence and integrity. Berwick's remedy.",
    ),
    Mechanism(
        "organisational_learning",
        "for",
        ("safety_effect",),
        "Slips that people report themselves teach the organisation how to prevent mishaps. The case that "
        "speaking up makes care safer.",
    ),
    Mechanism(
        "early_discovery",
        "against",
        ("harm_hidden_factor",),
        "A slip that comes to light does less harm than a hidden one, so finding slips protects patients. The "
        "government's case for surveillance.",
    ),
    Mechanism(
        "moral_distress",
        "for",
        ("distress_moral",),
        "Doing what is counted instead of what is right distresses people of integrity. Berwick's point "
        "about the moral problems of box-ticking.",
    ),
    Mechanism(
        "strain_of_work",
        "for",
        ("distress_paperwork", "distress_overload", "distress_fear"),
        "Paperwork, overload and fear wear people down. The argument that the work has become harder to bear.",
    ),
    Mechanism(
        "careers",
        "for",
        ("dismissal", "exit_distress", "exit_fear", "career_stakes", "deterred_entry"),
        "Sanctions cost posts, distress and fear drive people out, high stakes make a sanction more "
        "frightening, and a fearful service attracts less bold newcomers. The critics' argument about who "
        "stays and who comes.",
    ),
    Mechanism(
        "unfit_leaders",
        "against",
        ("poor_share",),
        "Some of those appointed lack motivation and integrity. The case for regulating managers.",
    ),
    Mechanism(
        "cooperation",
        "for",
        ("cooperation_gain", "success_cooperation", "cooperation_cost"),
        "Working together relieves the load on the whole system and helps new ideas to succeed, and it "
        "takes time. Berwick's argument that efficiency comes from cooperating.",
    ),
    Mechanism(
        "rivalry",
        "for",
        ("cooperation_rivalry",),
        "Targets for one's own institution make partners into rivals. The argument against judging "
        "institutions one by one.",
    ),
    Mechanism(
        "safe_standards",
        "against",
        ("standard_safety",),
        "Doing things the same way everywhere prevents mishaps. The case for standardising care.",
    ),
    Mechanism(
        "audit",
        "against",
        ("audit",),
        "Close monitoring of an organisation makes it harder to report more than was achieved. The "
        "overseers' answer to gaming.",
    ),
    Mechanism(
        "called_to_account",
        "for",
        ("account_rate",),
        "Managers whose reported indicator falls short of the target are called to account and may be "
        "punished. Part of the case that metrics frighten.",
    ),
    Mechanism(
        "trust_building",
        "for",
        ("trust_invest",),
        "Investment in relationships builds trust. The heart of Berwick's remedy.",
    ),
    Mechanism(
        "oversight_of_cooperation",
        "against",
        ("cooperation_oversight",),
        "Where managers are judged on the system, monitoring makes sure that they do cooperate. The case "
        "that oversight supports cooperation.",
    ),
    Mechanism(
        "bed_blocking",
        "for",
        ("bed_blocking",),
        "Cuts in social care leave patients in hospital who could go home, which adds to the load. The "
        "argument that integration needs social care.",
    ),
    Mechanism(
        "circumstances",
        "for",
        ("unit_sd", "chance_sd"),
        "What a unit achieves also hangs on what no manager can change, and on the luck of the month, so people "
        "answer for what they did not do. Berwick's and Deming's argument against judging people by figures.",
    ),
    Mechanism(
        "innovation",
        "for",
        ("innovation",),
        "A success leaves a better way of working behind, which lasts for years. The argument that taking "
        "risks finds things out.",
    ),
)

_HEAVY = {"monitoring": 0.8, "targets": 0.8}
_KARK_ADOPTED = {"competency_standard": 0.7, "register": 0.8}

REGIMES: Table[Regime] = Table(
    Regime(
        "hands_off",
        {"monitoring": 0.0, "targets": 0.0, "punitiveness": 0.1, "relationship": 0.1},
        "Nobody looks and nothing is asked, but nobody invests in leaders either.",
    ),
    Regime("light", {"monitoring": 0.2, "targets": 0.2}, "Little monitoring and modest targets."),
    Regime("baseline", {}, "Oversight of middling strength: every lever at its default."),
    Regime("heavy", {**_HEAVY}, "Close monitoring and strong targets."),
    Regime(
        "punitive",
        {**_HEAVY, "punitiveness": 0.8},
        "Heavy oversight in which most known slips that one answers for end in a sanction.",
    ),
    Regime(
        "targets_and_terror",
        {"monitoring": 0.6, "targets": 1.0, "punitiveness": 0.9, "relationship": 0.1},
        "Everything rests on the target, failure is punished, and relationships are neglected.",
    ),
    Regime(
        "supportive",
        {
            "monitoring": 0.3,
            "targets": 0.3,
            "punitiveness": 0.3,
            "discernment": 0.8,
            "leniency": 0.7,
            "relationship": 0.8,
        },
        "Modest oversight that tells honest failure from neglect, and much investment in relationships.",
    ),
    Regime(
        "just_culture",
        {**_HEAVY, "discernment": 0.9, "leniency": 0.8},
        "Heavy oversight that judges fairly and rewards owning up.",
    ),
    Regime(
        "kark_adopted",
        {**_KARK_ADOPTED},
        "The two recommendations of the Kark review that were accepted: competency standards and a register.",
    ),
    Regime(
        "kark_full",
        {**_KARK_ADOPTED, "disbarring": 0.8},
        "The accepted recommendations together with the power to strike managers off.",
    ),
    Regime(
        "barring",
        {"disbarring": 0.8, "competency_standard": 0.3},
        "The scheme announced in July 2025: striking off and a leadership standard, without a register.",
    ),
    Regime(
        "heavy_supportive",
        {**_HEAVY, "relationship": 0.8},
        "Heavy oversight together with much investment in relationships.",
    ),
    Regime("one_size", {"standardisation": 0.7}, "Every unit is held strongly to the same national practice."),
    Regime(
        "integrated",
        {"cooperation_incentive": 0.8, "social_care_budget": 1.14, "acute_budget": 0.96},
        "Managers are judged on the whole system, and 4 % of the acute budget moves to social care.",
    ),
)
