"""From the record to a report's figures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce

from core.analysis.period import PeriodFigures, between_days, period_figures, within
from core.analysis.sums import Sums, sums_of
from core.record import HealthRecord, RecordView, lives_between
from core.reports.content import (
    Counted,
    OpenPair,
    Point,
    Readings,
    ReportContent,
    ReturningPair,
    Step,
    Terms,
    verdict_of,
)
from core.reports.period import Period, midnight
from core.state import daily, episodes
from core.timeline import Timeline, moment

LISTED_PAIRS = 10
LISTED_SPECIALIZATIONS = 10

_HOURLY_DAYS = 2  # the longest period that is shown by the hour
_DAY, _HOUR, _MICROSECOND = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)


def gather(record: HealthRecord, period: Period, terms: Terms, now: datetime, *, user_ids: bool) -> ReportContent:
    """Everything that a report about `period` says, as it was known at its end, or at `now` when it is not over.

    Readings that come later do not count, so that the same figures come out whenever they are computed again.
    """
    end = min(period.end, max(now, period.start))
    before_start = period.previous.start
    before_end = min(before_start + (end - period.start), period.start) if end < period.end else period.start
    with record.view() as view:
        figures = _figures(view, period.start, end, terms)
        begun = episodes.begun_between(view.connection, view.scope, period.start, end - _MICROSECOND, counted=True)
        by_specialization = _counted((share.specialization, share.count) for share in begun)
        step = Step.HOUR if period.days <= _HOURLY_DAYS else Step.DAY
        return ReportContent(
            period=period,
            end=end,
            terms=terms,
            watched=view.scope,
            user_ids=user_ids,
            verdict=verdict_of(figures, terms.promised),
            figures=figures,
            before=_figures(view, before_start, before_end, terms),
            step=step,
            points=list(_points(view, period, end, step, terms)),
            by_kind=_counted((share.kind.value, share.count) for share in begun),
            by_specialization=by_specialization[:LISTED_SPECIALIZATIONS],
            other_specializations=sum(entry.count for entry in by_specialization[LISTED_SPECIALIZATIONS:]),
            oldest=_oldest(view, end, user_ids=user_ids),
            returning=_returning(view, period.start, end, user_ids=user_ids),
            readings=readings_of(view.timeline.between(period.start, end)),
        )


def readings_of(part: Timeline) -> Readings:
    """The rows behind some readings. The digest is over a line for each, by time, then number: number,time,total,consistent.

    The time is ISO 8601 in UTC with microseconds and +00:00; an attempt that failed has nothing behind its time but the commas.
    A line ends with ",maintenance" when its check ran in maintenance.
    """
    digest = hashlib.sha256()
    columns = part.number, part.at, part.total, part.consistent, part.in_maintenance
    for number, at, total, consistent, in_maintenance in zip(*columns, strict=True):
        counts = f"{total},{consistent}" if total >= 0 else ","
        mark = ",maintenance" if in_maintenance else ""
        digest.update(f"{number},{moment(at).isoformat(timespec='microseconds')},{counts}{mark}\n".encode())
    some = len(part) > 0
    first, last = (int(part.number.min()), int(part.number.max())) if some else (None, None)
    return Readings(len(part), first, last, digest.hexdigest())


def _figures(view: RecordView, start: datetime, end: datetime, terms: Terms) -> PeriodFigures:
    dropped = daily.days(view.connection, view.scope, start, end)
    return period_figures(
        view.timeline[: view.timeline.position(end)],
        start,
        end,
        schedule=terms.schedule,
        thresholds=terms.thresholds,
        objective=terms.objective,
        episodes=lives_between(view.connection, view.scope, dropped, start, end),
        dropped=dropped,
    )


def _steps(period: Period, end: datetime, step: Step) -> Iterator[tuple[datetime, datetime]]:
    """The days or hours of a period up to `end`; a day has as many hours as the clocks give it."""
    start = period.start
    day = period.first
    while start < end:
        day += _DAY
        stop = start + _HOUR if step is Step.HOUR else midnight(day, period.zone)
        yield start, min(stop, end)
        start = stop


def _points(view: RecordView, period: Period, end: datetime, step: Step, terms: Terms) -> Iterator[Point]:
    dropped = daily.days(view.connection, view.scope, period.start, end)
    carried = reduce(Timeline.joined, (day.last for day in dropped.values()), view.timeline)
    for start, stop in _steps(period, end, step):
        days, known = within(dropped, start, stop), carried[: carried.position(stop)]
        rest = (
            sums_of(known, first, last, terms.schedule.freshness, terms.thresholds)
            for first, last in between_days(days, start, stop)
        )
        yield Point(start, stop, int((stop - start) / terms.interval), sum((*(day.sums for day in days.values()), *rest), Sums()))


def _counted(entries: Iterator[tuple[str, int]]) -> Sequence[Counted]:
    """Added up by name, most first."""
    counts: dict[str, int] = {}
    for name, count in entries:
        counts[name] = counts.get(name, 0) + count
    return [Counted(name, count) for name, count in sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))]


def _oldest(view: RecordView, end: datetime, *, user_ids: bool) -> Sequence[OpenPair]:
    return [
        OpenPair(
            episode.specialization, episode.first.kind, episode.first_seen.astimezone(UTC), episode.user_id if user_ids else None
        )
        for episode in episodes.open_at(view.connection, view.scope, end, LISTED_PAIRS)
    ]


def _returning(view: RecordView, start: datetime, end: datetime, *, user_ids: bool) -> Sequence[ReturningPair]:
    pairs = episodes.most_returning(view.connection, view.scope, start, end, LISTED_PAIRS)
    return [ReturningPair(pair.specialization, pair.times, pair.user_id if user_ids else None) for pair in pairs]
