"""The alert book: what pages, programs and people ask about incidents, silences and messages, and what they do about them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from core.alerts.channels import Tried
from core.alerts.desk import LINKS, AlertDesk, RuleState
from core.alerts.links import Link, opened
from core.alerts.messages import trial_message
from core.alerts.story import Story, story_of
from core.clock import Clock
from core.errors import AlertProblem, NoSuchAlert
from core.maintenance import holding, of_all
from core.record import HealthRecord
from core.state import alert_version, audit, drills, incidents, maintenance, outbox, signing, silences
from core.state.audit import Deed
from core.state.drills import Drill
from core.state.incidents import Incident
from core.state.outbox import Letter, LetterState
from core.state.silences import LONGEST_REASON, Silence
from core.words import one_line

LONGEST_NOTE = 500
LONGEST_SILENCE = timedelta(days=366)
SNOOZE = timedelta(hours=1)
FIGURES_OVER = timedelta(days=30)
_LETTERS_AFTER = timedelta(hours=1)  # its end: the message about that is written with it
_VERSION_HOLDS = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class AlertFigures:
    """How quick everything was; each is the mean from the moment at which the condition began to hold, or None without any."""

    count: int  # incidents
    detected: timedelta | None  # until the rule fired (MTTD)
    told: timedelta | None  # until the first message had arrived; of those that nothing kept quiet as they fired
    repaired: timedelta | None  # until it was over (MTTR)
    delivered: Mapping[int, datetime]  # when the first message about an incident had arrived
    letters: Mapping[int, Sequence[Letter]]  # the messages about each incident, oldest first


def _about(incident: Incident, said: str) -> str:
    return f"incident {incident.id}, {incident.rule}{f': {said}' if said else ''}"


def _mean(lengths: Sequence[timedelta]) -> timedelta | None:
    return sum(lengths, timedelta(0)) / len(lengths) if lengths else None


class AlertBook:
    """Every method raises StateDatabaseUnavailable when that is away, and those that change something AlertProblem."""

    def __init__(self, record: HealthRecord, desk: AlertDesk, clock: Clock) -> None:
        self._record = record
        self._state = record.state
        self._desk = desk
        self._clock = clock
        self._version: tuple[float, str] | None = None

    # --- asking -------------------------------------------------------------------------------------------------------

    def states(self) -> Sequence[RuleState]:
        """Every rule that is on, and where it stands."""
        return self._desk.states()

    def channels(self) -> Sequence[str]:
        """The names of the channels."""
        return list(self._desk.channels)

    def open_incidents(self) -> Sequence[Incident]:
        """Those that go on, oldest first."""
        with self._state.read() as connection:
            return incidents.still_open(connection, self._record.scope(connection))

    def incidents(self, limit: int = 100) -> Sequence[Incident]:
        """The newest, newest first."""
        with self._state.read() as connection:
            return incidents.newest(connection, self._record.scope(connection), limit)

    def incidents_between(self, start: datetime, end: datetime) -> Sequence[Incident]:
        """Those that were open at some time of a stretch, newest first."""
        with self._state.read() as connection:
            return incidents.between(connection, self._record.scope(connection), start, end)

    def story(self, number: int) -> Story | None:
        """All that happened to an incident; None when there is none of that number, or it is another database's."""
        now = self._clock()
        with self._state.read() as connection:
            incident = incidents.find(connection, number)
            if incident is None or incident.watched != self._record.scope(connection):
                return None
            end = incident.resolved_at or now
            letters = outbox.about(connection, incident.began_at, end + _LETTERS_AFTER).get(number, ())
            quiet = [silence for silence in silences.between(connection, incident.began_at, end) if silence.covers(incident.rule)]
            windows = of_all(maintenance.windows(connection, incident.began_at), incident.began_at, end)
        return story_of(incident, letters, quiet, windows)

    def version(self) -> str:
        """Changes with what the alerts page shows of rules, incidents, messages and quiet. At most a second old."""
        kept = self._version
        if kept is None or not 0 <= time.monotonic() - kept[0] < _VERSION_HOLDS:
            with self._state.read() as connection:
                kept = self._version = time.monotonic(), self._version_now(connection)
        return kept[1]

    def _version_now(self, connection: sa.Connection) -> str:
        now = self._clock()
        silenced = [silence.id for silence in silences.holding(connection, now)]
        windows = holding(maintenance.windows(connection, now), now)
        kept = alert_version.read(connection, self._record.scope(connection))
        return f"{kept} {silenced} {[window.window.id for window in windows]} {self._desk.problem}"

    def figures(self) -> AlertFigures:
        """How quick everything was, over the last 30 days."""
        start, now = self._clock() - FIGURES_OVER, self._clock()
        with self._state.read() as connection:
            found = incidents.between(connection, self._record.scope(connection), start, now)
            letters = outbox.about(connection, start, now)
            hushed = silences.between(connection, start, now)
            windows = of_all(maintenance.windows(connection, start), start, now)
        heard = [
            one
            for one in found
            if not any(silence.covers(one.rule) and silence.created_at <= one.opened_at < silence.until for silence in hushed)
            and not any(window.holds(one.opened_at) for window in windows)
        ]
        delivered = {
            number: min(arrived)
            for number, written in letters.items()
            if (arrived := [letter.arrived_at for letter in written if letter.arrived_at is not None])
        }
        return AlertFigures(
            count=len(found),
            detected=_mean([one.opened_at - one.began_at for one in found]),
            told=_mean([delivered[one.id] - one.began_at for one in heard if one.id in delivered]),
            repaired=_mean([one.resolved_at - one.began_at for one in found if one.resolved_at]),
            delivered=delivered,
            letters=letters,
        )

    def silences(self) -> Sequence[Silence]:
        """Those that hold, oldest first."""
        with self._state.read() as connection:
            return silences.holding(connection, self._clock())

    def last_drill(self) -> Drill | None:
        """What came of the last daily drill; None before the first."""
        with self._state.read() as connection:
            return drills.newest(connection, self._record.scope(connection))

    def letters(self, limit: int = 50, state: LetterState | None = None) -> Sequence[Letter]:
        """The newest messages, newest first."""
        with self._state.read() as connection:
            return outbox.newest(connection, limit, state)

    def opened(self, asked: Mapping[str, str]) -> tuple[Link, Incident]:
        """What the link of a message asks for, by the parts of its address, and about which incident."""
        with self._state.write() as connection:
            key = signing.key_for(connection, LINKS)
        deed, number, expires, signature = (asked.get(name, "") for name in ("do", "incident", "expires", "signature"))
        link = opened(key, deed, number, expires, signature, self._clock())
        with self._state.read() as connection:
            incident = incidents.find(connection, link.incident)
        if incident is None:
            raise NoSuchAlert(f"There is no incident {link.incident}.", hint="It may belong to another installation.")
        return link, incident

    # --- doing --------------------------------------------------------------------------------------------------------

    def acknowledge(self, number: int, by: str, note: str = "") -> Incident:
        """Somebody cares for an incident: it is not told again until it is over."""
        note = one_line(note)
        if len(note) > LONGEST_NOTE:
            raise AlertProblem(f"The note has {len(note):,} characters.", hint=f"Write at most {LONGEST_NOTE}.")
        with self._state.write() as connection:
            now = self._clock()
            done = incidents.acknowledge(connection, number, by, note, now)
            incident = incidents.find(connection, number)
            if done and incident is not None:
                audit.note(connection, now, by, Deed.INCIDENT_ACKNOWLEDGED, _about(incident, note))
        if incident is None:
            raise NoSuchAlert(f"There is no incident {number}.", hint="See the alerts page for those that there are.")
        if not done:
            how = "is over" if incident.resolved_at else f"was acknowledged by {incident.acknowledged_by} already"
            raise AlertProblem(f"Incident {number} {how}.", hint="Nothing is left to acknowledge.")
        return incident

    def silence(
        self, rule: str | None, reason: str, by: str, until: datetime | timedelta, *, until_resolved: bool = False
    ) -> Silence:
        """Tell nobody of a rule, or of any, for a time. What still fires at its end is told then."""
        return self._silence(rule, reason, by, until, until_resolved=until_resolved)

    def _silence(
        self,
        rule: str | None,
        reason: str,
        by: str,
        until: datetime | timedelta,
        *,
        until_resolved: bool,
        snoozed: Incident | None = None,
    ) -> Silence:
        now, reason = self._clock(), one_line(reason)
        end = now + until if isinstance(until, timedelta) else until
        if rule is not None and rule not in {one.name for one in self._desk.rules}:
            raise NoSuchAlert(f"There is no rule {rule!r}.", hint="`coupling-health alert list` names those that there are.")
        if not 1 <= len(reason) <= LONGEST_REASON:
            raise AlertProblem("A silence needs a reason.", hint=f"Say in 1 to {LONGEST_REASON} characters why nobody is told.")
        if not now < end <= now + LONGEST_SILENCE:
            raise AlertProblem("A silence ends in the future, within a year.", hint="Turn a rule off in the settings instead.")
        with self._state.write() as connection:
            if snoozed is not None:
                audit.note(connection, now, by, Deed.INCIDENT_SNOOZED, _about(snoozed, reason))
            else:
                subject = f"{rule or 'all rules'} until {end.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {reason}"
                audit.note(connection, now, by, Deed.SILENCE_ADDED, subject)
            return silences.add(connection, rule, reason, by, end, now, until_resolved=until_resolved)

    def snooze(self, incident: Incident, by: str, reason: str) -> Silence:
        """Tell nobody of an incident's rule for an hour, or until it is over."""
        reason = one_line(reason) or "snoozed for an hour"
        return self._silence(incident.rule, reason, by, SNOOZE, until_resolved=True, snoozed=incident)

    def end_silence(self, number: int, by: str) -> None:
        """Tell people again."""
        now = self._clock()
        with self._state.write() as connection:
            found = [silence for silence in silences.holding(connection, now) if silence.id == number]
            ended = bool(found) and silences.end(connection, number, now)
            if ended:
                audit.note(connection, now, by, Deed.SILENCE_ENDED, f"{found[0].rule or 'all rules'}: {found[0].reason}")
        if not ended:
            raise NoSuchAlert(f"There is no silence {number} that holds.", hint="It may have ended by itself.")

    def keep_drill(self, channel: str, delivered_seconds: float | None, answer: str) -> None:
        """Keep what came of a daily drill: a rule watches it."""
        with self._state.write() as connection:
            drilled = Drill(self._clock(), channel, delivered_seconds, answer)
            drills.keep(connection, self._record.scope(connection), drilled)

    def send_again(self, number: int, by: str) -> None:
        """Try a message once more that was given up."""
        now = self._clock()
        with self._state.write() as connection:
            again = outbox.send_again(connection, number, now)
            if again is not None:
                audit.note(connection, now, by, Deed.MESSAGE_SENT_AGAIN, f"{again.channel}: {again.subject}")
        if again is None:
            raise AlertProblem("This message is not given up.", hint="It was sent, or is being tried, meanwhile.")

    def try_channel(self, name: str, by: str) -> Tried:
        """Send a real test message, now; it is written down before, for what was sent cannot be taken back."""
        channel = self._desk.channels.get(name)
        if channel is None:
            raise NoSuchAlert(f"There is no channel {name!r}.", hint="Set its URL: alerts.channels.NAME.url.")
        with self._state.write() as connection:
            audit.note(connection, self._clock(), by, Deed.CHANNEL_TRIED, name)
        return channel.send(trial_message(name, self._clock(), self._record.settings.alerts.link), uuid.uuid4().hex)
