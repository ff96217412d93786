"""Putting a report into words: the tables of its details."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import ROUND_FLOOR, Decimal

from core.analysis.sums import TimeClass, Worst
from core.reports.content import Counted, ReportContent
from core.reports.said import Table, Tone
from core.reports.words import Words
from core.status import Thresholds, consistency_rate

_TIME_TONES = {
    TimeClass.HEALTHY: Tone.GOOD,
    TimeClass.DEGRADED: Tone.FAIR,
    TimeClass.CRITICAL: Tone.BAD,
    TimeClass.MAINTENANCE: Tone.NEUTRAL,
    TimeClass.LOGS_ONLY: Tone.ACCENT,
    TimeClass.NO_DATA: Tone.NEUTRAL,
}


def rate(worst: Worst | None, thresholds: Thresholds) -> Decimal | None:
    """The rate of a reading, rounded as every rate is."""
    return None if worst is None else consistency_rate(worst.consistent, worst.total, thresholds)


def compare(content: ReportContent, words: Words) -> Table:
    """This period beside the one before."""
    now, before, say, thresholds = content.figures, content.before, words.text, content.figures.thresholds
    healthy = words.bound(thresholds.healthy)

    def percents(label: str, value: Decimal | None, earlier: Decimal | None) -> Sequence[str]:
        change = words.missing if value is None or earlier is None else words.points(value - earlier)
        return [label, words.percent(value), words.percent(earlier), change]

    def counts(label: str, value: int, earlier: int, *, known: bool = before.known) -> Sequence[str]:
        change = words.points(Decimal(value - earlier)) if known and now.known else words.missing
        return [label, words.number(value), words.number(earlier) if known else words.missing, change]

    def lengths(label: str, value: timedelta | None, earlier: timedelta | None) -> Sequence[str]:
        change = words.missing
        if value is not None and earlier is not None:
            sign = "+" if value > earlier else "±" if value == earlier else "−"
            change = say("format.signed_points", sign=sign, number=words.length(abs(value - earlier)))
        return [label, words.length(value), words.length(earlier), change]

    sums, earlier = now.sums, before.sums
    return Table(
        "compare",
        say("compare.title", before=say("period.before_part" if content.running else "period.before")),
        [say("details.figure"), say("details.value"), say("details.value_before"), say("details.change")],
        [
            percents(say("compare.rate"), sums.mean_rate(thresholds), earlier.mean_rate(thresholds)),
            percents(say("compare.share"), sums.healthy_share, earlier.healthy_share),
            percents(say("compare.worst"), sums.worst_rate(thresholds), earlier.worst_rate(thresholds)),
            lengths(
                say("compare.below", healthy=healthy),
                now.time_below_healthy if now.known else None,
                before.time_below_healthy if before.known else None,
            ),
            counts(say("compare.stretches", healthy=healthy), now.stretch_count, before.stretch_count),
            counts(say("compare.opened"), now.episodes.opened, before.episodes.opened),
            counts(say("compare.healed"), now.episodes.healed, before.episodes.healed),
            lengths(say("compare.repair"), now.episodes.mean_time_to_repair, before.episodes.mean_time_to_repair),
            counts(say("compare.ran"), sums.ran, earlier.ran, known=bool(earlier.ran)),
            lengths(say("compare.unknown"), sums.time(TimeClass.NO_DATA), earlier.time(TimeClass.NO_DATA)),
        ],
    )


def time(content: ReportContent, words: Words) -> Table:
    """Where the time went."""
    figures, say = content.figures, words.text
    whole = figures.end - figures.start
    sometimes = TimeClass.MAINTENANCE, TimeClass.LOGS_ONLY
    shown = [kind for kind in TimeClass if kind not in sometimes or figures.sums.time(kind)]
    lengths = [figures.sums.time(kind) for kind in shown]
    return Table(
        "time",
        say("time.title"),
        [say("time.state"), say("details.length"), say("details.share_of_time")],
        [
            [say(f"time.{kind.value}"), words.length(length), words.share(length, whole)]
            for kind, length in zip(shown, lengths, strict=True)
        ],
        note=say("time.note", freshness=words.length(content.terms.schedule.freshness)),
        shares=[length / whole if whole else 0.0 for length in lengths],
        tones=[_TIME_TONES[kind] for kind in shown],
    )


def budget(content: ReportContent, words: Words) -> Table:
    """The error budget of the window that ends with the period."""
    found, say = content.figures.budget, words.text
    window = say("format.range", first=words.moment_short(found.start), last=words.moment_short(found.end))
    promise = say(
        "budget.promise_value", percent=words.bound(found.objective.percent), days=words.number(found.objective.window.days)
    )
    rows = [[say("budget.promise"), promise], [say("budget.window"), window]]
    if found.attempts:
        rows += [
            [say("budget.attempts"), words.number(found.attempts)],
            [say("budget.allowed"), words.number(found.allowed.to_integral_value(ROUND_FLOOR))],
            [say("budget.bad"), words.number(found.bad)],
            [say("budget.left"), words.missing if found.left_percent is None else words.bound(found.left_percent)],
        ]
    return Table("budget", say("budget.title"), [], rows, note="" if found.attempts else say("budget.none"))


def stretches(content: ReportContent, words: Words) -> Table:
    """The longest times below healthy, each with the check that was its worst."""
    figures, say = content.figures, words.text
    shown, every = len(figures.stretches), figures.stretch_count
    note = say("stretches.more", shown=words.number(shown), all=words.number(every)) if every > shown else ""
    return Table(
        "stretches",
        say("stretches.title", healthy=words.bound(figures.thresholds.healthy)),
        [say(f"stretches.{column}") for column in ("from", "until", "end", "length", "worst", "row")],
        [
            [
                words.moment_short(stretch.start),
                words.moment_short(stretch.end),
                say("stretches.healed" if stretch.healed else "stretches.not_healed"),
                words.length(stretch.length),
                words.percent(rate(stretch.worst, figures.thresholds)),
                f"№ {stretch.worst.number}",
            ]
            for stretch in figures.stretches
        ],
        note=note if figures.stretches else say("stretches.none"),
        numeric=3,
    )


def kinds(content: ReportContent, words: Words) -> Table:
    """What disagreed, by kind."""
    named = [Counted(words.text(f"kinds.{entry.name}"), entry.count) for entry in content.by_kind]
    return _bars("kinds", "kinds.kind", named, words)


def specializations(content: ReportContent, words: Words) -> Table:
    """What disagreed, by specialization."""
    others = content.other_specializations
    named = [*content.by_specialization, *([Counted(words.text("kinds.others"), others)] if others else [])]
    return _bars("specializations", "kinds.specialization", named, words)


def _bars(key: str, column: str, entries: Sequence[Counted], words: Words) -> Table:
    most = max((entry.count for entry in entries), default=0)
    return Table(
        key,
        words.text("kinds.title"),
        [words.text(column), words.text("details.number")],
        [[entry.name, words.number(entry.count)] for entry in entries],
        note="" if entries else words.text("kinds.none"),
        shares=[entry.count / most for entry in entries],
        tones=[Tone.ACCENT] * len(entries),
    )


def oldest(content: ReportContent, words: Words) -> Table:
    """The pairs that were apart for longest at the end."""
    say = words.text
    return Table(
        "oldest",
        say("oldest.title"),
        [say(f"oldest.{column}") for column in ("pair", "kind", "since", "age")],
        [
            [
                _pair(pair.specialization, pair.user_id, words),
                say(f"kinds.{pair.kind.value}"),
                words.moment_short(pair.since),
                words.length(content.end - pair.since),
            ]
            for pair in content.oldest
        ],
        note="" if content.oldest else say("oldest.none"),
        numeric=2,
    )


def returning(content: ReportContent, words: Words) -> Table:
    """The pairs that came apart most often."""
    say = words.text
    return Table(
        "returning",
        say("returning.title"),
        [say("oldest.pair"), say("returning.times")],
        [[_pair(pair.specialization, pair.user_id, words), words.number(pair.times)] for pair in content.returning],
        note="" if content.returning else say("returning.none"),
    )


def facts(content: ReportContent, words: Words) -> Table:
    """What the report was made from."""
    sums, readings, say = content.figures.sums, content.readings, words.text
    rows = say("method.no_rows")
    if readings.first is not None and readings.last is not None:
        rows = say(
            "method.rows_value", first=f"№ {readings.first}", last=f"№ {readings.last}", count=words.number(readings.count)
        )
    counts = {
        "expected": content.figures.expected,
        "ran": sums.ran,
        **({"in_maintenance": sums.in_maintenance} if sums.in_maintenance else {}),
        "completed": sums.completed,
        "failed": sums.failed,
        "empty": sums.empty,
        "imported": sums.imported,
    }
    return Table(
        "facts",
        say("method.facts"),
        [],
        [
            *([say(f"method.{name}"), words.number(count)] for name, count in counts.items()),
            [say("method.rows"), rows],
            [say("method.digest"), readings.sha256],
            [say("method.watched"), content.watched or words.missing],
        ],
    )


def _pair(specialization: str, user_id: int | str | None, words: Words) -> str:
    if user_id is None:
        return words.text("oldest.anonymous", specialization=specialization)
    return words.text("oldest.named", user=user_id, specialization=specialization)
