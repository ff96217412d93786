"""From what is known to the words of the slides. Nothing in them tells who disagrees, or where and how the check runs."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from core.analysis.period import PeriodFigures
from core.analysis.stretches import Stretch
from core.analysis.sums import TimeClass
from core.analysis.trend import Trend
from core.durations import in_words
from core.health_monitor import HealthSummary, Known
from core.model import Status
from core.settings import Settings
from dashboard.presentation.document import Facts, Figure, Line, Live, Slide, Verdict
from dashboard.presentation.picture import picture_of
from dashboard.wording import STATUS_LOOKS, counted, moment, number, rate

_NO_CHECKS = "No checks in this period."
_ALL_PLANNED = "Every check of this time ran in planned maintenance: nothing is claimed."
_NO_RESULT = "No check gave a result in this period."


def facts_of(settings: Settings, summary: HealthSummary, figures: PeriodFigures, trend: Trend, zone: ZoneInfo) -> Facts:
    """The document: health now, and the slides about the period of the objective, dated in a zone."""
    known = summary.known
    doubtful = known.status is Status.UNKNOWN
    return Facts(
        company=settings.report.company,
        logo=settings.report.logo is not None,
        demo=settings.demo,
        slide_seconds=settings.presentation.slide_seconds,
        holds_until=None if doubtful else known.holds_until.timestamp(),
        verdict=_unknown(known, reason(known, settings)) if doubtful else _verdict(summary, zone),
        stale=_unknown(known, "The last check is too old to tell."),
        lost=_unknown(known, "No contact with the server."),
        slides=(
            _proof(settings, figures, trend, zone),
            _healing(figures, summary),
            _method(settings, figures),
        ),
    )


def reason(known: Known, settings: Settings) -> str:
    """Why the status is unknown, without the error's own words: those name hosts and tables."""
    failed = known.facts.evidence.failed_attempts + len(known.unrecorded)
    if not known.readable:
        return "The results cannot be read at the moment."
    if failed:
        never = "No check has completed yet: t" if known.last is None else "T"
        return f"{never}he newest check failed." if failed == 1 else f"{never}he last {number(failed)} checks failed."
    if known.last is None:
        return "No check has run yet."
    if known.last.totals is not None and not known.last.totals.total_checked:
        return "There was nothing to compare."
    if known.last.timestamp - known.holds_from > settings.schedule.misfire_grace:
        return "The server's clock was set back."
    return "The last check is too old to tell."


# --- now --------------------------------------------------------------------------------------------------------------


def _verdict(summary: HealthSummary, zone: ZoneInfo) -> Verdict:
    lines = []
    if summary.totals is not None:
        pairs = counted(summary.totals.total_checked, "pair agrees", "pairs agree")
        lines.append(Line(f"of {pairs}"))
    since = summary.assessment.since
    if since is not None:
        lines.append(Line(f"since {moment(since, zone, summary.at)} · {{}}", Live.FOR, since.timestamp()))
    if summary.last is not None:
        planned = ", in planned maintenance" if summary.last.in_maintenance else ""
        lines.append(Line(f"Last check {{}}{planned}", Live.AGO, summary.last.timestamp.timestamp()))
    return Verdict(summary.status, STATUS_LOOKS[summary.status].label, rate(summary.consistency_rate), tuple(lines))


def _unknown(known: Known, why: str) -> Verdict:
    lines = [Line(why)]
    last = known.last
    if last is not None and last.totals is not None and last.totals.total_checked:
        pairs = counted(last.totals.total_checked, "pair", "pairs")
        lines.append(Line(f"Last known: {rate(last.consistency_rate)} of {pairs}, {{}}", Live.AGO, last.timestamp.timestamp()))
    return Verdict(Status.UNKNOWN, STATUS_LOOKS[Status.UNKNOWN].label, None, tuple(lines))


# --- the period -------------------------------------------------------------------------------------------------------


def _proof(settings: Settings, figures: PeriodFigures, trend: Trend, zone: ZoneInfo) -> Slide:
    title = f"The last {_days(figures)}"
    sums = figures.sums
    if not sums.attempts:
        return Slide("proof", title, lines=(Line(_ALL_PLANNED if sums.in_maintenance else _NO_CHECKS),))
    shown = []
    if figures.known:
        shown.append(Figure(rate(sums.mean_rate(figures.thresholds)), Line("of all comparisons agreed")))
    promised, silent = settings.promised, sums.time(TimeClass.NO_DATA)
    kept = promised.kept(sums.attempts, sums.unhealthy, sums.uncounted_time, figures.end - figures.start)
    checks = counted(sums.attempts, "check was", "checks were")
    shown.append(
        Figure(rate(sums.healthy_share), Line(f"of {checks} healthy; {_percent(promised.percent)} is promised"), kept=kept)
    )
    if figures.known:
        shown.append(_longest(figures, zone))
    unknown = silent > settings.schedule.freshness
    notes = (Line(f"Nothing is known about {in_words(silent)} of this time."),) if unknown else ()
    return Slide("proof", title, tuple(shown), notes, picture_of(trend, figures.thresholds, zone))


def _longest(figures: PeriodFigures, zone: ZoneInfo) -> Figure:
    bound = _percent(figures.thresholds.healthy)
    if figures.dropped_days and figures.sums.worst is not None:  # of those days no stretches are left
        when = f"{figures.sums.worst.at.astimezone(zone):%d %b}".lstrip("0")
        return Figure(rate(figures.sums.worst_rate(figures.thresholds)), Line(f"at the worst check, on {when}"))
    if not figures.stretches:
        return Figure("Never", Line(f"below {bound} at any check"))
    longest: Stretch = figures.stretches[0]
    when = f"{longest.start.astimezone(zone):%d %b}".lstrip("0")
    if not longest.length:
        return Figure("1 check", Line(f"was below {bound}, on {when}"))
    least = "" if longest.healed else "≥ "
    return Figure(f"{least}{in_words(longest.length)}", Line(f"longest below {bound}, from {when}"))


def _healing(figures: PeriodFigures, summary: HealthSummary) -> Slide:
    title = "How fast desyncs heal"
    episodes, found = figures.episodes, summary.totals.inconsistent if summary.totals else 0
    mean, longest = episodes.mean_time_to_repair, episodes.longest_time_to_repair
    if mean is not None and longest is not None:
        shown = [
            Figure(in_words(mean), Line(f"mean time to repair, over {number(episodes.healed)} that healed")),
            Figure(f"{100 * episodes.healed_within_hour // episodes.healed} %", Line("of these within an hour")),
            Figure(in_words(longest), Line("the longest took")),
        ]
    elif not figures.known:
        return Slide("healing", title, lines=(Line(_NO_RESULT if figures.sums.ran else _NO_CHECKS),))
    elif not found and not figures.sums.most_violations:
        return Slide("healing", title, lines=(Line(f"No desync in the last {_days(figures)}."),))
    else:
        shown = [Figure("None", Line(f"has healed in the last {_days(figures)}"))]
    return Slide("healing", title, (*shown, _open_now(summary, found)))


def _open_now(summary: HealthSummary, found: int) -> Figure:
    when = "open now" if summary.status is not Status.UNKNOWN else "open when last known"
    oldest = summary.oldest_violation
    if not found or oldest is None:
        return Figure(number(found), Line(when))
    return Figure(number(found), Line(f"{when}, the oldest for {{}}", Live.FOR, oldest.timestamp()))


def _method(settings: Settings, figures: PeriodFigures) -> Slide:
    sums = figures.sums
    ran, due, days = number(sums.ran), number(figures.expected), _days(figures)
    if sums.ran <= figures.expected:
        shown = [Figure(f"{ran} of {due}", Line(f"checks that were due in {days} ran"))]
    else:  # some were asked for by hand
        shown = [Figure(ran, Line(f"checks ran; {due} were due in {days}"))]
    if sums.failed:
        shown.append(Figure(number(sums.failed), Line("of them failed; they count as not healthy")))
    if sums.in_maintenance:
        shown.append(Figure(number(sums.in_maintenance), Line("of them ran in planned maintenance: they count neither way")))
    if sums.imported:
        shown.append(Figure(_share(sums.imported, sums.ran), Line("of them were read from logs of an earlier system")))
    every = _interval(settings.schedule.interval)
    method = f"Every {every}, progress and licence of every user are compared in one read\u2011only snapshot."
    return Slide("method", "How we know", tuple(shown) if sums.ran else (), (Line(method), *_no_checks(sums.ran)))


def _no_checks(attempts: int) -> tuple[Line, ...]:
    return () if attempts else (Line(_NO_CHECKS),)


def _share(part: int, whole: int) -> str:
    """A share in whole percent; some is never 0, and not all is never 100."""
    if part == whole:
        return "100 %"
    return f"{100 * part // whole} %" if 100 * part >= whole else "< 1 %"


def _percent(bound: Decimal) -> str:
    """A percentage that no line break parts from its sign."""
    return f"{bound:f}\u00a0%"


def _days(figures: PeriodFigures) -> str:
    days = max(round((figures.end - figures.start) / timedelta(days=1)), 1)
    return "24 hours" if days == 1 else f"{days} days"


def _interval(length: timedelta) -> str:
    for unit, seconds in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        if not length.total_seconds() % seconds:
            count = round(length.total_seconds() / seconds)
            return unit if count == 1 else f"{count} {unit}s"
    return in_words(length)
