"""The reference: the model in Mesa, one manager at a time, to read, step through and examine.

It draws from NumPy's own generators (`sim.model.streams.Streams`), calls the same rules as the compiled engine, in the
same order, and gives the same bits. Means are added up in lanes, as the compiled engine does (`record.lane_sum`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import compress
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

import mesa
import numpy as np

from sim.errors import InputError, Mistake, truth
from sim.model import record as recording
from sim.model import rules
from sim.model.catalogue import Levers
from sim.model.interventions import BEFORE, LEARNED, NONE, Interventions
from sim.model.local import LocalRule
from sim.model.outcomes import OUTCOMES
from sim.model.parameters import BYTES_FOR_AN_AGENT, LEVERS, Parameters, check_memory, resolve, seed_of
from sim.model.streams import APPOINTMENT, Streams, normal

# One argument a line would hide the shape of a month.
# fmt: off

Uniforms = Mapping[str, Sequence[float]]
"""The month's uniform numbers by stream, one for each post."""
_row_values = attrgetter(*recording.FIELDS)

EVENTS = {"tried": "initiative_rate", "succeeded": "successes", "slipped": "slips", "negligent": "negligence",
          "spoke_up": "spoken", "sanctioned": "sanctions"}
AMOUNTS = {"effort": "effort", "gaming": "gaming", "quality": "quality", "harm": "harm"}
"""What a manager did in the month, by the name of the agent's attribute, and the outcome that it is a part of."""
_deeds = attrgetter(*EVENTS.values(), *AMOUNTS.values())
_NOTHING_DONE = {**dict.fromkeys(EVENTS, False), **dict.fromkeys(AMOUNTS, math.nan)}


class _Numbers:
    """The next agent's number, counted by the model. Mesa 3.3 has a dictionary that never lets a model go."""

    def __getitem__(self, model: LeadershipModel) -> Iterator[int]:
        model.people += 1
        return iter([model.people])


class Manager(mesa.Agent):  # type: ignore[misc]
    """A director or senior leader, who holds one post.

    Attributes
    ----------
    fear, trust, confidence, skill, integrity, distress, motivation, cooperation : stocks in [0, 1], see `OUTCOMES`.
    post, organisation : where the manager works; None for whoever left.
    tried, succeeded, slipped, negligent, spoke_up, sanctioned : what happened in the month that ended, true or false.
    effort, gaming, quality, harm : how much of it; not a number for whoever was appointed at its end.
    record : dismissals so far.
    """

    _ids = _Numbers()
    tried: bool
    succeeded: bool
    slipped: bool
    negligent: bool
    spoke_up: bool
    sanctioned: bool
    effort: float
    gaming: float
    quality: float
    harm: float

    def __init__(self, model: LeadershipModel, person: Sequence[float], fear: float) -> None:
        super().__init__(model)
        (self.motivation_at_start, self.integrity, self.skill, self.boldness, self.crowding,
         self.anxiety) = person
        self.fear = fear
        self.record = self.left = 0
        self.post: Post | None = None

    @property
    def organisation(self) -> Organisation | None:
        """The organisation of the post."""
        return None if self.post is None else self.post.organisation

    def __repr__(self) -> str:
        stocks = ("fear", "trust", "confidence", "skill", "integrity", "distress", "motivation", "cooperation")
        values = vars(self)
        place = "not in post" if self.post is None else f"post {self.post.index}"
        stocks_now = (f"{s} {values[s]:.2f}" for s in stocks if s in values)
        return f"<Manager {self.unique_id}, {', '.join([place, *stocks_now])}>"

    def begin(self, post: Post, trust: float) -> None:
        """Start in a post."""
        self.post = post
        self.__dict__.update(_NOTHING_DONE)
        self.motivation = self.motivation_at_start
        self.trust = trust
        self.confidence, self.distress, self.cooperation = rules.START_CONFIDENCE, 0.0, rules.START_COOPERATION

    def note(self, row: SimpleNamespace) -> None:
        """Keep what was done in the month."""
        self.__dict__.update(zip(_NOTHING_DONE, _deeds(row), strict=True))


class Post:
    """A unit and whoever leads it: `practice`, local `need`, ξ (`uniqueness`), `circumstances` and `method` stay when
    the manager leaves."""

    organisation: Organisation

    def __init__(
        self, index: int, uniqueness: float, need: float, practice: float, circumstances: float, manager: Manager
    ) -> None:
        self.index, self.uniqueness, self.need, self.practice = index, uniqueness, need, practice
        self.circumstances, self.method = circumstances, 1.0
        self.manager = manager
        self.appointments = 0
        self.row = SimpleNamespace()

    def __repr__(self) -> str:
        return f"<Post {self.index} of organisation {self.organisation.index}, manager {self.manager.unique_id}>"


class Organisation:
    """An NHS trust; its first post is the chief executive's."""

    def __init__(self, index: int, first: int, deviation: float, mean_effort: float, posts: list[Post]) -> None:
        self.index, self.deviation, self.mean_effort, self.posts = index, deviation, mean_effort, posts
        self.first = first
        """Number of its first post within the system."""
        self.safety, self.reputation = rules.START_SAFETY, rules.START_REPUTATION
        self.rules: list[LocalRule] = []
        """Those of the local policy that may reach it, in their order."""
        for post in posts:
            post.organisation = self

    def __repr__(self) -> str:
        safety, reputation = f"safety {self.safety:.2f}", f"reputation {self.reputation:.2f}"
        return f"<Organisation {self.index}: {len(self.posts)} posts, {safety}, {reputation}>"

    def mean(self, values: Sequence[float]) -> float:
        """The mean of a value of its posts, added up as the compiled engine does."""
        return self.sum(values) / len(values)

    def sum(self, values: Sequence[float]) -> float:
        """The sum of a value of its posts, likewise."""
        return recording.lane_sum(values, self.first)

    def feel(self, month: int, mean_reputation: float, nation: Levers, p: Parameters) -> None:
        """Step 1: the month's levers inside the organisation, the nation's or its own, and its climate."""
        self.fear = self.mean([post.manager.fear for post in self.posts])
        self.trust = self.mean([post.manager.trust for post in self.posts])
        own = {name: value for rule in self.rules if rule.holds(month, self) for name, value in rule.levers}
        self.lever = nation.model_copy(update=own) if own else nation
        self.monitoring = rules.monitoring_of_organisation(self, mean_reputation, self.lever)
        self.felt = rules.felt_monitoring(self, self.posts[0].manager.fear, p)
        self.assurance = rules.assurance(self.felt, p)

    def move(self, p: Parameters) -> None:
        """Steps 11 and 12 for the organisation."""
        rows = [post.row for post in self.posts]
        self.reputation = rules.reputation_after_month(self.reputation, self.mean([row.reported for row in rows]))
        self.mean_effort = self.mean([row.effort for row in rows])
        spoken = sum(row.spoken for row in rows)
        self.safety = rules.safety_after_month(self.safety, spoken, len(rows), p)


class System:
    """An integrated care system: some organisations that share patients."""

    def __init__(self, organisations: list[Organisation]) -> None:
        self.organisations = organisations
        self.posts = [post for organisation in organisations for post in organisation.posts]

    def feel(self, lever: Levers, p: Parameters) -> None:
        """Step 1 and the load of step 2: H, and the overload V that everyone in the system shares."""
        self.cooperation = recording.lane_sum([post.manager.cooperation for post in self.posts]) / len(self.posts)
        self.overload = rules.overload(rules.load(self.cooperation, lever, p))


class _Month(Parameters):
    """The nation's levers of a month, which say how they are changed."""

    def __setattr__(self, name: str, value: Any) -> None:
        raise InputError([Mistake((name,), value, f"levers are changed by set_levers({name}=...)")])


class LeadershipModel(mesa.Model):  # type: ignore[misc]
    """Leadership culture under monitoring, as a Mesa model; a step is a month.

    Random numbers come from the run's own streams, never from Mesa's `random` and `rng`, so these cannot be reset; who
    leaves a post is decided by the rules, so a manager in post cannot be removed. Both are refused in one line.

    Parameters
    ----------
    regime : str
        A named bundle of levers (`sim.model.parameters.REGIMES`).
    rng, seed : int, optional
        The run's seed; `seed` is the older name of the same. Without one a fresh seed is drawn; it stands in
        ``model.seed``, as does the one given.
    scenario : Mesa's `Scenario`, optional
        What SolaraViz resets a model with: its seed, where it has one, and settings.
    schedule : mapping, optional
        Lever to month to value: ``{"monitoring": {36: 0.9}}``.
    local : list of rules, optional
        Levers with values of their own in some organisations: ``[{"relationship": 0.8, "where": "fear > 0.3"}]``; see
        `sim.simulate`.
    mechanisms_off : iterable of str
        Mechanisms switched off (`sim.model.parameters.MECHANISMS`).
    agent_reporters : mapping, optional
        What Mesa's `DataCollector` shall keep of each manager, say ``{"fear": "fear"}``; nothing by default.
    record_organisations : bool
        Whether the record holds organisations by month.
    interventions : Interventions
        What is done to the run beside its policy.
    **settings
        Any parameter, lever or size by name.

    Attributes
    ----------
    agents : Mesa's `AgentSet` of the managers in post, each a `Manager`.
    lever : the nation's levers of the month; `set_levers` changes them on the way.
    posts, organisations, systems : lists, in the order of the posts.
    market : list of former managers open to a new post.
    datacollector : Mesa's `DataCollector`, a model variable for each outcome, a row for each month.
    record : `sim.model.record.Record`
    parameters : `Parameters`, as resolved.

    Raises
    ------
    InputError
        With a line for each mistake in the settings.

    >>> model = LeadershipModel(rng=1, monitoring=0.8, systems=1, months=3)
    >>> model.run_model()
    >>> len(model.agents), len(model.datacollector.get_model_vars_dataframe())
    (60, 3)
    """

    streams_class = Streams

    def __init__(
        self,
        regime: str = "baseline",
        *,
        rng: Any = None,
        seed: Any = None,
        scenario: Any = None,
        schedule: Mapping[str, Mapping[int, float]] | None = None,
        local: Iterable[LocalRule | Mapping[str, Any]] = (),
        mechanisms_off: Iterable[str] = (),
        agent_reporters: Mapping[str, Any] | None = None,
        record_organisations: bool = False,
        interventions: Interventions = NONE,
        **settings: Any,
    ) -> None:
        held = {} if scenario is None else dict(scenario)
        seeds = [given for given in (rng, seed, held.pop("rng", None)) if given is not None]
        if len(seeds) > 1:
            raise InputError(["rng, seed and the scenario's rng: names of the same; give one of them"])
        self.seed = seed_of(*seeds or [getattr(scenario, "rng", None)])  # of Mesa 4 a generator, which always is there
        super().__init__(**{"rng": self.seed} if scenario is None else {"scenario": scenario})
        schedule = {} if schedule is None else schedule
        parameters = resolve(regime, mechanisms_off=mechanisms_off, schedule=schedule, local=local, **held | settings)
        record_organisations = truth("record_organisations", record_organisations)
        check_memory(parameters, BYTES_FOR_AN_AGENT, record_organisations)
        self.parameters: Parameters = parameters
        interventions.check(parameters)
        self.interventions = interventions
        self.record = recording.Record.empty(parameters, record_organisations, interventions.record_fear)
        self._lever: Levers = _Month.model_construct(**dict(parameters))
        self.month = 0
        self.market: list[Manager] = []
        self.people = 0
        self._build()
        self.outcomes: dict[str, float] = {}
        self.datacollector = mesa.DataCollector(
            model_reporters={name: partial(_outcome, name) for name in OUTCOMES},
            agent_reporters=dict(agent_reporters) if agent_reporters else None,
        )

    def __repr__(self) -> str:
        months, managers = self.parameters.months, len(self.posts)
        fear = f", fear {self.outcomes['fear']:.2f}" if self.outcomes else ""
        return f"<LeadershipModel: seed {self.seed}, {managers:,} managers, month {self.month} of {months}{fear}>"

    @property
    def lever(self) -> Levers:
        """The nation's levers, as they are this month."""
        return self._lever

    def set_levers(self, **values: float) -> None:
        """Change levers of the nation from the next month on, as a schedule would have.

        Raises `InputError` with a line for each value that is not allowed, and for each name that is no such lever.

        >>> model = LeadershipModel(rng=1, systems=1, months=3)
        >>> model.set_levers(monitoring=0.9)
        >>> model.lever.monitoring
        0.9
        """
        settings = {name: {self.month + 1: value} for name, value in values.items()}
        changes = resolve(months=self.month + 1, window=1, schedule=settings).schedule
        self._lever = self._lever.model_copy(update={name: change[self.month + 1] for name, change in changes.items()})

    def __setattr__(self, name: str, value: Any) -> None:
        if name in LEVERS:
            raise InputError([Mistake((name,), value, f"levers are changed by set_levers({name}=...)")])
        super().__setattr__(name, value)

    def deregister_agent(self, agent: Any) -> None:
        """Let Mesa forget an agent. Raises `InputError` for a manager in post."""
        if isinstance(agent, Manager) and agent.post is not None:
            raise InputError([f"{agent!r}: who leaves a post is decided by the rules, and nobody else can be removed"])
        super().deregister_agent(agent)

    def remove_all_agents(self) -> None:
        """Refused with an `InputError`: posts are never empty."""
        raise InputError(["remove_all_agents: posts are never empty; let go of the model itself"])

    def reset_rng(self, rng: Any = None) -> None:
        """Refused with an `InputError`: a run's random numbers follow from its seed."""
        raise InputError([f"reset_rng: random numbers follow from the run's seed; make a LeadershipModel(rng={rng})"])

    def reset_randomizer(self, seed: int | None = None) -> None:
        """Refused, as `reset_rng` is."""
        self.reset_rng(seed)

    def _build(self) -> None:
        """Everyone and everything as the first month finds them."""
        p = self.parameters
        posts = p.systems * p.organisations * p.managers
        self.streams = self.streams_class(self.seed, posts)
        self.common_sd = rules.spread_of_need(p.common_need, p)
        self.local_sd = rules.spread_of_need(1.0 - p.common_need, p)
        self.common = self.common_sd * normal(self.streams.keyed("nation", 0)[0])
        self.standard = self.common
        self.posts = [self._new_post(index) for index in range(posts)]
        self.organisations = [
            Organisation(o, o % p.organisations * p.managers,
                         p.monitoring_sd * normal(self.streams.keyed("organisation", o)[0]), p.motivation_mean,
                         self.posts[o * p.managers : (o + 1) * p.managers])
            for o in range(p.systems * p.organisations)]
        for rule in p.local:
            for organisation in compress(self.organisations, rule.members(self.seed, len(self.organisations))):
                organisation.rules.append(rule)
        self.systems = [
            System(self.organisations[s * p.organisations : (s + 1) * p.organisations]) for s in range(p.systems)]

    def _new_post(self, index: int) -> Post:
        numbers = self.streams.keyed("post", index)
        manager = self._person("newcomer", index, 0, boldness_mean=0.0, fear=rules.START_FEAR)
        drawn = normal(self.streams.keyed("circumstances", index)[0])
        post = Post(index, normal(numbers[0]), self.local_sd * normal(numbers[1]), self.standard,
                    rules.drawn_factor(drawn, self.parameters.unit_sd), manager)
        manager.begin(post, trust=rules.START_TRUST)
        return post

    def _person(self, stream: str, index: int, count: int, boldness_mean: float, fear: float) -> Manager:
        """Someone from outside for the `count`-th appointment to a post."""
        numbers = self.streams.keyed(stream, index, count)
        traits = rules.person(numbers[0], [normal(number) for number in numbers], boldness_mean, self.parameters)
        return Manager(self, traits, fear)

    def step(self) -> None:
        """Simulate a month. Raises `InputError` when all months are over."""
        if self.month >= self.parameters.months:
            raise InputError(
                [f"step: month {self.month} was the last of this run; a longer one is made with a larger months"])
        self.month += 1
        for name, changes in self.parameters.schedule.items():
            if self.month in changes:
                self._lever = self._lever.model_copy(update={name: changes[self.month]})
        lever, p = self._lever, self.parameters
        u = self.streams.month()
        self.market = [person for person in self.market if self.month - person.left <= p.market_months]
        if self.interventions.everywhere:
            self._set_fear(BEFORE)
        self._keep_fear(BEFORE)
        mean_reputation = _mean([organisation.reputation for organisation in self.organisations])
        for organisation in self.organisations:
            organisation.feel(self.month, mean_reputation, lever, p)
        nation_fear = _mean([organisation.fear for organisation in self.organisations])
        k = rules.stakes(lever, p)
        for system in self.systems:
            system.feel(lever, p)
            for organisation in system.organisations:
                for post in organisation.posts:
                    self._decide(post, organisation, system, k, u)
        if (sanction := self.interventions.sanction) is not None and self.month == sanction.month:
            for system in self.systems:
                _sanction(system.posts[sanction.post].row)
        for system in self.systems:
            self._learn_in(system, k, u)
        if self.interventions.everywhere:
            self._set_fear(LEARNED)
        self._keep_fear(LEARNED)
        for organisation in self.organisations:
            for post in organisation.posts:
                self._career(post, organisation, nation_fear, lever, u)
        self._record_month()
        shock = normal(self.streams.keyed("nation", 0, self.month)[0])
        self.common = rules.need_after_month(self.common, shock, self.common_sd, p)
        self.standard = rules.standard_after_month(self.standard, self.common, p)
        self.running = self.month < self.parameters.months

    def _set_fear(self, when: int) -> None:
        for post in self.posts:
            post.manager.fear = float(self.interventions.given_path[self.month - 1, post.index, when])

    def _keep_fear(self, when: int) -> None:
        if len(self.record.fear):
            self.record.fear[self.month - 1, :, when] = [post.manager.fear for post in self.posts]

    def _decide(
        self, post: Post, organisation: Organisation, system: System, k: float, u: Uniforms
    ) -> None:
        """Steps 2 to 10 for one manager, from the state at the end of the month before."""
        p, manager, row, i, overload = self.parameters, post.manager, post.row, post.index, system.overload
        lever = organisation.lever
        need = self.common + post.need
        # 2 and 3
        relationship = rules.relationship_received(post.uniqueness, lever, p)
        w = rules.time_left(manager, organisation, relationship, p)
        manager.motivation = rules.motivation_after_climate(manager, organisation, lever, p)
        effort = rules.effort(manager, organisation, k, lever, p)
        # 4
        pressure = rules.pressure(manager, lever)
        attention = rules.attention(pressure, p)
        balance = rules.balance(attention)
        service = rules.service(manager, post, w, effort, overload, p)
        honest = rules.honest_indicator(service, attention, normal(u["chance"][i]), p)
        shortfall = rules.shortfall(honest, p)
        gaming = rules.gaming(manager, organisation, shortfall, pressure, p)
        reported = honest + gaming
        # 5
        distance = abs(need - post.practice)
        change = rules.change_needed(distance, p)
        given = self.interventions.fear
        fear = manager.fear if given is None else float(given.path[self.month - 1, i, BEFORE])
        value = rules.value_of_initiative(manager, fear, change, shortfall, k, lever, p)
        tried = u["initiative"][i] < rules.chance_of_initiative(manager, value, w, overload, p)
        succeeded = tried and u["success"][i] < rules.chance_of_success(manager, system.cooperation, change, p)
        needless = tried and rules.unneeded(distance, p)
        if succeeded:
            post.practice = rules.practice_after_initiative(post.practice, need, succeeded, p)
            distance = abs(need - post.practice)
        # 6
        negligent = u["negligence"][i] < rules.chance_of_negligence(effort, overload, p)
        slipped = (
            negligent
            or (tried and not succeeded)
            or u["mishap"][i] < rules.chance_of_mishap(manager, organisation, overload, lever, p)
        )
        # 7 and 8
        spoken = known = sanctioned = unfair = False
        harm = 0.0
        if slipped:
            spoken = u["speaking_up"][i] < rules.chance_of_speaking_up(manager, organisation, negligent, lever, p)
            known = spoken or u["discovery"][i] < organisation.felt
            harm = rules.harm_of_slip(spoken, known, p)
            to_punish = rules.chance_of_sanction(organisation, negligent, spoken, lever, p)
            sanctioned = known and u["sanction"][i] < to_punish
            unfair = sanctioned and not negligent
        called = not sanctioned and u["account"][i] < rules.chance_of_account(reported, lever, p)
        if called:
            sanctioned = u["account_sanction"][i] < rules.chance_of_account_sanction(effort, lever)
            unfair = sanctioned and effort >= organisation.mean_effort
        # 9 and 10
        fit = rules.fit(distance)
        support = rules.support(relationship, p)
        strain = rules.moral_strain(manager, balance, gaming, p)
        manager.distress = rules.distress_after_month(manager, organisation, support, strain, overload, p)
        row.monitoring, row.relationship, row.targets_level = organisation.monitoring, relationship, lever.targets
        row.support = support
        row.effort, row.assurance, row.time_left, row.overload = effort, organisation.assurance, w, overload
        row.quality = rules.quality(service, gaming, balance, fit, harm, p)
        row.reported, row.honest_indicator, row.gaming = reported, honest, gaming
        row.harm, row.moral_strain = harm, strain
        row.initiative_rate, row.successes, row.needless = tried, succeeded, needless
        row.slips, row.negligence, row.spoken = slipped, negligent, spoken
        row.sanctions, row.unfair = sanctioned, unfair
        row.spared = rules.weight_of_mercy(spoken, p) if (known or called) and not sanctioned else 0.0
        row.unpunished = rules.weight_of_impunity(known, p) if negligent and not sanctioned else 0.0
        row.misfit = distance
        row.deviation = post.practice - self.standard
        row.deviation_squared = row.deviation * row.deviation

    def _learn_in(self, system: System, k: float, u: Uniforms) -> None:
        """Steps 11 and 12 in one system: the world moves, and everyone learns from what happened around them."""
        p = self.parameters
        colleague = rules.share_of_colleagues(p.managers)
        stranger = rules.share_of_strangers(p.organisations, p.managers)
        sanctioned_in_system = sum(post.row.sanctions for post in system.posts)
        for organisation in system.organisations:
            rows, lever = [post.row for post in organisation.posts], organisation.lever
            sanctioned = sum(row.sanctions for row in rows)
            spared = organisation.sum([row.spared for row in rows])
            unpunished = organisation.sum([row.unpunished for row in rows])
            for post in organisation.posts:
                drift = normal(u["need_drift"][post.index])
                post.need = rules.need_after_month(post.need, drift, self.local_sd, p)
                post.practice = rules.practice_after_standard(post.practice, self.standard, lever, p)
                row = post.row
                post.method = rules.method_after_month(post.method, row.successes, p)
                near, far = colleague * (sanctioned - row.sanctions), stranger * (sanctioned_in_system - sanctioned)
                self._learn(post, organisation, system, k, rules.Month(
                    row.support, row.initiative_rate, row.successes, row.sanctions, row.unfair, row.spared,
                    rules.unmoved(post.manager, near, far, lever, p),
                    rules.unrelieved(colleague * (spared - row.spared), p),
                    colleague * (unpunished - row.unpunished)))
            organisation.move(p)

    def _learn(
        self, post: Post, organisation: Organisation, system: System, k: float, month: rules.Month
    ) -> None:
        """Step 12 for one manager. A stock's rule sees the other stocks as the month began."""
        p, manager, lever = self.parameters, post.manager, organisation.lever
        fear = rules.fear_after_month(manager, organisation, month, k, lever, p)
        trust = rules.trust_after_month(manager, organisation, month, p)
        confidence = rules.confidence_after_month(manager, organisation, month, lever, p)
        skill = rules.skill_after_training(manager, organisation, month, p)
        cooperation = rules.cooperation_after_month(manager, organisation, system.cooperation, lever, p)
        post.row.practice_gain = rules.practice_gain(skill, p) if month.tried else 0.0
        manager.fear, manager.trust, manager.confidence = rules.clip(fear), rules.clip(trust), rules.clip(confidence)
        manager.skill, manager.cooperation = rules.clip(skill + post.row.practice_gain), rules.clip(cooperation)
        manager.integrity = rules.clip(rules.integrity_after_month(manager, month, p))
        manager.motivation = rules.clip(rules.motivation_after_impunity(manager, month, p))
        manager.distress = rules.clip(manager.distress)

    def _career(
        self, post: Post, organisation: Organisation, nation_fear: float, lever: Levers, u: Uniforms
    ) -> None:
        """Step 13 for one post."""
        p, leaver, row, i = self.parameters, post.manager, post.row, post.index
        leaver.note(row)
        dismissed = row.sanctions and u["dismissal"][i] < p.dismissal
        left = dismissed or u["exit"][i] < rules.chance_of_leaving(leaver, p)
        row.dismissals, row.exits, row.recycled = dismissed, left, False
        if not left:
            return
        leaver.post = None
        leaver.remove()
        leaver.record += dismissed
        leaver.left = self.month
        post.appointments += 1
        drawn = self.streams.keyed("appointment", i, post.appointments)
        numbers = dict(zip(APPOINTMENT, drawn, strict=False))
        post.manager = self._appointed(post, organisation, nation_fear, lever, numbers)
        post.manager.begin(post, trust=rules.appointed_trust(organisation.trust))
        if not (dismissed and numbers["striking_off"] < lever.disbarring):
            self.market.append(leaver)

    def _appointed(
        self, post: Post, organisation: Organisation, nation_fear: float, lever: Levers, numbers: Mapping[str, float]
    ) -> Manager:
        """Who gets the vacated post: someone from the market, a newcomer, or a rival."""
        p, outside = self.parameters, (post.index, post.appointments)
        boldness_mean, fear = -p.deterred_entry * nation_fear, rules.newcomer_fear(organisation.fear)
        chosen = None
        if numbers["recycling"] < p.recycling and self.market:
            chosen = int(numbers["pick"] * len(self.market))
            if self.market[chosen].record > 0 and numbers["register"] < lever.register:
                chosen = None
        best = self._person("newcomer", *outside, boldness_mean, fear) if chosen is None else self.market[chosen]
        if numbers["competition"] < lever.competency_standard:
            rival = self._person("rival", *outside, boldness_mean, fear)
            to_beat = rules.assessed(best.skill, numbers["candidate_error"], p)
            if rules.assessed(rival.skill, numbers["rival_error"], p) > to_beat:
                if chosen is None:
                    best.remove()
                return rival
            rival.remove()
        if chosen is not None:
            post.row.recycled = True
            number = best.unique_id
            self.register_agent(best)
            best.unique_id = number  # Mesa would give a new one
            self.market[chosen] = self.market[-1]  # the last one takes the place that is free
            self.market.pop()
        return best

    def _record_month(self) -> None:
        """Write the month down: rows for the posts, their sums, and Mesa's own data collector."""
        for post in self.posts:
            row, manager = post.row, post.manager
            fear, trust = manager.fear, manager.trust
            row.fear, row.trust, row.confidence, row.skill = fear, trust, manager.confidence, manager.skill
            row.integrity, row.distress, row.motivation = manager.integrity, manager.distress, manager.motivation
            row.cooperation = manager.cooperation
            row.fearful, row.toxic = fear > 0.5, rules.toxic(fear, trust)
            row.record_share = manager.record > 0
        rows = np.array([_row_values(post.row) for post in self.posts], dtype=np.float64)
        sizes, record, month = self.parameters, self.record, self.month - 1
        record.sums[month] = recording.national_sums(rows, sizes.systems)
        kept = rows[:, : record.totals.shape[1]]
        if month >= sizes.months - sizes.window:
            record.totals[:] += kept
        if len(record.organisations):
            record.organisations[month] = [
                [recording.lane_sum(column, place.first) for column in rows.T.tolist()]
                for place, rows in zip(self.organisations, np.split(kept, len(self.organisations)), strict=True)]
        if month == sizes.months - 1:
            record.last[:] = [(post.row.reported, post.row.honest_indicator) for post in self.posts]
        month_sums = record.sums[month : month + 1]
        self.outcomes = {name: float(v[0]) for name, v in recording.outcomes(month_sums, len(rows)).items()}
        self.datacollector.collect(self)


def _sanction(row: SimpleNamespace) -> None:
    """Sanction a manager out of the blue, where the month has not done so already."""
    if not row.sanctions:
        row.sanctions, row.spared, row.unpunished, row.unfair = True, 0.0, 0.0, False


def _mean(values: Sequence[float]) -> float:
    total = 0.0
    for value in values:
        total += value
    return total / len(values)


def _outcome(name: str, model: LeadershipModel) -> float:
    return model.outcomes[name]
