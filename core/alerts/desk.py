"""The alert desk: evaluates the rules, keeps incidents, and puts what somebody must hear into the outbox."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

import sqlalchemy as sa

from core.alerts.messages import FIRST, Item, News, Situation, composed
from core.alerts.phases import Phase, Standing, step
from core.alerts.rules import DEFAULT_RULES, Condition, Rule, Seen, Severity, judge
from core.alerts.usual import usual_pairs
from core.clock import Clock
from core.errors import StateDatabaseUnavailable
from core.health_monitor import HealthMonitor, Known
from core.maintenance import of_all
from core.model import Status
from core.state import drills, incidents, maintenance, outbox, signing, silences, sync_runs
from core.state.drills import Drill
from core.state.incidents import Incident
from core.state.sync_runs import Run
from core.status import Schedule, speaks_for

log = logging.getLogger(__name__)

LINKS = "alert links"
_LATE = timedelta(minutes=2)
EVERY = timedelta(seconds=15)  # that the watchdog looks, whether checks run or not


@dataclass(frozen=True, slots=True)
class RuleState:
    """A rule and where it stands."""

    rule: Rule
    standing: Standing
    incident: Incident | None  # the open one
    silenced: bool


class AlertDesk:
    """Evaluates all rules after every check and on a watchdog's ticks. Safe to call from any thread, process or replica."""

    def __init__(self, monitor: HealthMonitor, clock: Clock) -> None:
        self._monitor = monitor
        self._clock = clock
        settings = monitor.settings.alerts
        self.rules = settings.built_rules()
        self.channels = settings.built_channels()
        if monitor.settings.demo:  # it says nothing about real data: nobody is told of it
            self.channels = {}
            self.rules = [_for_the_demo(rule) for rule in self.rules]
        self.evaluated_at: datetime | None = None  # here, and without a problem
        self._problem: str | None = None  # why the last evaluation did not come through
        self._begun = clock()

    def evaluate(self) -> None:
        """Step every rule, and put messages about what changed into the outbox, in one transaction.

        Raises StateDatabaseUnavailable.
        """
        with self._monitor.state.write() as connection:
            incidents.lock(connection)
            known = self._monitor.known_afresh()  # read while nobody else evaluates: nobody steps back to an older view
            if known.readable:
                _Evaluation(self, self._monitor, connection, known, self._clock()).run()
        if known.readable:
            self.evaluated_at, self._problem = self._clock(), None
        else:
            self._problem = known.assessment.reason

    def evaluate_quietly(self) -> None:
        """As a job, and after a check, whose result must not depend on it: the next tick comes anyway."""
        try:
            self.evaluate()
        except StateDatabaseUnavailable as away:
            self._problem = str(away)
            log.warning("Alert rules could not be evaluated: %s", away)
        except Exception as unforeseen:  # the border of a job
            self._problem = f"{type(unforeseen).__name__}: {unforeseen}"
            log.exception("Alert rules could not be evaluated")

    @property
    def problem(self) -> str | None:
        """Why nothing can be said about now: the last evaluation failed, or nobody evaluates any more. None when all is well."""
        late = self._clock() - (self.evaluated_at or self._begun) > _LATE
        return self._problem or ("nobody has evaluated them for minutes" if late else None)

    def states(self) -> Sequence[RuleState]:
        """Every rule that is on, and where it stands."""
        now = self._clock()
        with self._monitor.state.read() as connection:
            scope = self._monitor.record.scope(connection)
            standings = incidents.standings(connection, scope)
            is_open = {incident.rule: incident for incident in incidents.still_open(connection, scope)}
            quiet = silences.holding(connection, now)
        return [
            RuleState(
                rule,
                standings.get(rule.name, Standing()),
                is_open.get(rule.name),
                any(silence.covers(rule.name) for silence in quiet),
            )
            for rule in self.rules
        ]


def _for_the_demo(rule: Rule) -> Rule:
    """Its eight thousand pairs hold some dozen violations on a good day."""
    usual = next((one for one in DEFAULT_RULES if one.condition is Condition.VIOLATIONS_ABOVE), None)
    return replace(rule, than=Decimal(100)) if rule == usual else rule


def seen_at(
    known: Known, now: datetime, schedule: Schedule, usual_pairs: int | None, drilled: Drill | None, waiting: Run | None
) -> Seen:
    """What rules see of what is known; `waiting` is the oldest sync that waits for somebody."""
    evidence = known.facts.evidence
    failed = evidence.failed_attempts + len(known.unrecorded)
    first_unrecorded = known.unrecorded[0].timestamp if known.unrecorded else None
    return Seen(
        at=now,
        interval=schedule.interval,
        status=known.status,
        fresh=not failed and speaks_for(evidence.completed_at, now, schedule),
        completed_at=evidence.completed_at,
        totals=evidence.totals,
        failed_attempts=failed,
        failing_since=evidence.failing_since or first_unrecorded,
        unknown_since=known.assessment.since if known.status is Status.UNKNOWN else None,
        oldest_violation=known.facts.oldest_violation,
        usual_pairs=usual_pairs,
        in_maintenance=known.last is not None and known.last.in_maintenance,
        drilled_at=drilled.at if drilled else None,
        drill_arrived=drilled is not None and drilled.arrived,
        syncs_known=True,
        sync_waits_since=None if waiting is None else waiting.confirmed_at or waiting.planned_at,
    )


class _Evaluation:
    """One evaluation, in one transaction."""

    def __init__(self, desk: AlertDesk, monitor: HealthMonitor, connection: sa.Connection, known: Known, now: datetime) -> None:
        self._desk = desk
        self._monitor = monitor
        self._connection = connection
        self._known = known
        self._now = now
        self._scope = monitor.record.scope(connection)
        self._drilled = drills.newest(connection, self._scope)
        self._waiting = sync_runs.oldest_waiting(connection, self._scope)
        self._standings = incidents.standings(connection, self._scope)
        self._open = {incident.rule: incident for incident in incidents.still_open(connection, self._scope)}

    def run(self) -> None:
        resolved = [item for rule in self._desk.rules if (item := self._step(rule)) is not None]
        self._close_what_nobody_watches()
        news = [*self._to_be_told(), *resolved]
        if news and self._desk.channels:
            self._tell(news)

    def _step(self, rule: Rule) -> Item | None:
        """Move a rule on; what is to be told when it resolved."""
        before = self._standings.get(rule.name, Standing())
        seen = self._seen(rule, before)
        after = step(rule, before, judge(rule, seen), self._now)
        if after != before:
            incidents.keep_standing(self._connection, self._scope, rule.name, after)
        incident = self._open.get(rule.name)
        if after.phase is Phase.FIRING and incident is None:
            totals = seen.totals if seen.fresh else None
            rate = self._known.last.consistency_rate if self._known.last and totals else None
            count = totals.inconsistent if totals else None
            began = after.since or self._now
            incidents.open_incident(self._connection, self._scope, rule.name, rule.severity, began, self._now, count, rate)
        elif incident is not None:
            self._follow(incident, seen, after)
        if before.phase is Phase.FIRING and after.phase is Phase.RESOLVED and incident is not None:
            return self._resolve(rule, incident)
        return None

    def _seen(self, rule: Rule, standing: Standing) -> Seen:
        usual = None
        if rule.condition is Condition.PAIRS_DROPPED and self._known.facts.evidence.completed_at:
            begun = standing.since if standing.phase in (Phase.PENDING, Phase.FIRING) else None
            usual = usual_pairs(self._monitor.record.timeline(), begun or self._known.facts.evidence.completed_at)
        seen = seen_at(self._known, self._now, self._monitor.settings.schedule, usual, self._drilled, self._waiting)
        return seen if rule.condition.about_checks else replace(seen, fresh=False, totals=None)

    def _follow(self, incident: Incident, seen: Seen, standing: Standing) -> None:
        """The worst that was seen while it was open, outside of maintenance."""
        most, worst = incident.most_violations, incident.worst_rate
        if seen.fresh and seen.totals is not None and not seen.in_maintenance:
            most = max(most or 0, seen.totals.inconsistent)
            rate = self._known.last.consistency_rate if self._known.last else None
            worst = min((one for one in (worst, rate) if one is not None), default=None)
        if (most, worst, standing.returns) != (incident.most_violations, incident.worst_rate, incident.returns):
            values = {"most_violations": most, "worst_rate": worst, "returns": standing.returns}
            incidents.change(self._connection, incident.id, **values)

    def _resolve(self, rule: Rule, incident: Incident) -> Item | None:
        incidents.change(self._connection, incident.id, resolved_at=self._now)
        for silence in silences.holding(self._connection, self._now):
            if silence.until_resolved and silence.covers(rule.name):
                silences.end(self._connection, silence.id, self._now)
        over = incidents.find(self._connection, incident.id)
        return Item(News.RESOLVED, rule, over) if over is not None and over.told_at is not None else None

    def _close_what_nobody_watches(self) -> None:
        """Incidents of rules that were turned off or taken away end without a word."""
        names = {rule.name for rule in self._desk.rules}
        for incident in self._open.values():
            if incident.rule not in names:
                incidents.change(self._connection, incident.id, resolved_at=self._now, closed="the rule was turned off")
                incidents.keep_standing(self._connection, self._scope, incident.rule, Standing())

    def _to_be_told(self) -> Sequence[Item]:
        """Open incidents of which nobody has heard, or not for long. During a silence and in maintenance they wait.

        One whose condition is gone, and that only waits to be resolved, is no news.
        """
        still_open = incidents.still_open(self._connection, self._scope)
        if not still_open or self._in_maintenance():
            return []
        rules = {rule.name: rule for rule in self._desk.rules}
        quiet = silences.holding(self._connection, self._now)
        standings = incidents.standings(self._connection, self._scope)
        items = []
        for incident in still_open:
            rule = rules.get(incident.rule)
            if rule is None or any(silence.covers(rule.name) for silence in quiet):
                continue
            if standings.get(rule.name, Standing()).clear_since is not None:
                continue
            if incident.told_at is None:
                items.append(Item(News.FIRED, rule, incident, self._detail(rule)))
            elif rule.repeat and incident.acknowledged_at is None and self._now - incident.told_at >= rule.repeat:
                items.append(Item(News.STILL, rule, incident, self._detail(rule)))
        return items

    def _detail(self, rule: Rule) -> str:
        if rule.condition is Condition.SYNC_WAITS and self._waiting is not None:
            run = self._waiting
            return f"Sync run {run.id} would write {run.planned:,} changes. {run.reason or ''}".rstrip()
        if rule.condition is not Condition.DRILL_FAILED or self._drilled is None:
            return ""
        return f"A planted mismatch did not arrive through {self._drilled.channel}: {self._drilled.answer.rstrip('.')}."

    def _in_maintenance(self) -> bool:
        """Whether a planned window holds, or has ended and no check has shown since what it left behind.

        That check is waited for as long as a status stays fresh.
        """
        completed = self._known.facts.evidence.completed_at
        since, until = self._now - self._monitor.settings.schedule.freshness, self._now + timedelta(microseconds=1)
        recent = of_all(maintenance.windows(self._connection, since), since, until)
        return any(window.holds(self._now) or completed is None or completed < window.end for window in recent)

    def _tell(self, news: Sequence[Item]) -> None:
        """One message a channel for what goes on, and one for what is over."""
        situation = self._situation()
        letters: Mapping[tuple[str, bool], list[Item]] = defaultdict(list)
        for item in sorted(news, key=lambda item: -list(Severity).index(item.rule.severity)):
            for name in item.rule.channels if item.rule.channels is not None else self._desk.channels:
                letters[name, item.news is News.RESOLVED].append(item)
        for (name, _), items in sorted(letters.items()):
            numbers = [item.incident.id for item in items]
            outbox.put(self._connection, name, numbers, composed(items, situation), self._now)
        for item in news:
            if item.news is not News.RESOLVED:
                incidents.change(self._connection, item.incident.id, told_at=self._now)

    def _situation(self) -> Situation:
        settings, known = self._monitor.settings.alerts, self._known
        violations, _ = self._monitor.violations_page(limit=FIRST)
        changes = known.facts.changes
        return Situation(
            now=self._now,
            status=known.status,
            reason=known.assessment.reason,
            totals=known.last.totals if known.last else None,
            rate=known.last.consistency_rate if known.last else None,
            changes=f"Since the check before: {changes.new} new, {changes.healed} healed" if changes else "",
            violations=violations,
            link=settings.link,
            key=signing.key_for(self._connection, LINKS),
            user_ids=settings.user_ids,
        )
