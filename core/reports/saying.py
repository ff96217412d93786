"""Putting a report into words: the first page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from core.analysis.period import PeriodFigures
from core.analysis.sums import TimeClass
from core.model import Status
from core.reports import tables
from core.reports.content import ReportContent, Step, Verdict
from core.reports.said import Legend, Said, Tile, Tone
from core.reports.statement import Cover, Statement
from core.reports.texts import Texts
from core.reports.words import Words
from core.status import Thresholds, status_of

_TONES = {Verdict.KEPT: Tone.GOOD, Verdict.BROKEN: Tone.BAD}
_STATUS_TONES = {Status.HEALTHY: Tone.GOOD, Status.DEGRADED: Tone.FAIR, Status.CRITICAL: Tone.BAD, Status.UNKNOWN: Tone.NEUTRAL}


def say(statement: Statement, texts: Texts) -> Said:
    """The report in the language of the texts."""
    content, cover = statement.content, statement.cover
    words = Words(texts, content.period.zone)
    sentence = _sentence(content, words)
    return Said(
        language=texts.language,
        company=cover.company,
        kind=texts("cover.kind"),
        subject=texts("cover.subject"),
        title=words.period(content.period),
        days=texts("period.days_of", range=words.days(content.period.first, content.period.last), zone=content.period.zone),
        made=_made(content, cover, words),
        tone=_TONES.get(content.verdict, Tone.NEUTRAL),
        verdict=_verdict(content, words),
        sentence=sentence,
        tiles=_tiles(content, words),
        legend=_legend(content, words, sentence),
        trouble_title=texts("trouble.title"),
        trouble=_trouble(content, words),
        details_title=texts("details.title"),
        compare=tables.compare(content, words),
        time=tables.time(content, words),
        budget=tables.budget(content, words),
        stretches=tables.stretches(content, words),
        kinds=tables.kinds(content, words),
        specializations=tables.specializations(content, words),
        oldest=tables.oldest(content, words),
        returning=tables.returning(content, words),
        method_title=texts("method.title"),
        method=_method(content, words),
        facts=tables.facts(content, words),
        page=texts("cover.page"),
    )


def _made(content: ReportContent, cover: Cover, words: Words) -> str:
    return words.text("period.made", moment=words.moment(cover.made_at))


def _verdict(content: ReportContent, words: Words) -> str:
    only = "_maintenance" if content.verdict is Verdict.NOTHING and content.figures.sums.in_maintenance else ""
    return words.text(f"verdict.{_key(content)}{only}")


def _key(content: ReportContent) -> str:
    """A promise can still be saved, or broken, while its period runs."""
    so_far = {Verdict.KEPT: "on_course", Verdict.BROKEN: "off_course"}
    return so_far.get(content.verdict, content.verdict.value) if content.running else content.verdict.value


def _why(content: ReportContent) -> str:
    """Maintenance is not unknown, and as silent."""
    planned = content.verdict in (Verdict.TOO_LITTLE, Verdict.NOTHING) and content.figures.sums.in_maintenance
    return "_maintenance" if planned else ""


def _sentence(content: ReportContent, words: Words) -> str:
    figures, sums = content.figures, content.figures.sums
    return words.text(
        f"verdict.{_key(content)}{_why(content)}_sentence",
        in_period=words.in_period(content.period, content.end),
        rate=words.percent(sums.mean_rate(figures.thresholds)),
        share=words.percent(sums.healthy_share),
        promised=words.bound(content.terms.promised),
        unknown=words.share(sums.uncounted_time, figures.end - figures.start),
        attempts=words.counted("checks", sums.attempts),
    )


def _tiles(content: ReportContent, words: Words) -> Sequence[Tile]:
    now, before, thresholds, say = content.figures, content.before, content.figures.thresholds, words.text
    sums, earlier = now.sums, before.sums
    worst = "tile.worst" if sums.worst is None else "tile.worst_at"
    kept = {Verdict.KEPT: Tone.GOOD, Verdict.BROKEN: Tone.BAD}.get(content.verdict, Tone.NEUTRAL)
    return [
        Tile(
            "rate",
            words.percent(sums.mean_rate(thresholds)),
            say("tile.rate"),
            _before_percent(sums.mean_rate(thresholds), earlier.mean_rate(thresholds), words),
            _tone(sums.agreeing, sums.compared, thresholds),
        ),
        Tile(
            "share",
            words.percent(sums.healthy_share),
            say("tile.share"),
            _before_percent(sums.healthy_share, earlier.healthy_share, words),
            kept,
        ),
        Tile(
            "worst",
            words.percent(sums.worst_rate(thresholds)),
            say(worst, moment=words.moment_short(sums.worst.at) if sums.worst else ""),
            _before_percent(sums.worst_rate(thresholds), earlier.worst_rate(thresholds), words),
            _tone(sums.worst.consistent, sums.worst.total, thresholds) if sums.worst else Tone.NEUTRAL,
        ),
        Tile(
            "below",
            words.length(now.time_below_healthy if now.known else None),
            say("tile.below", healthy=words.bound(thresholds.healthy)),
            _before(words.length(before.time_below_healthy) if before.known else None, words),
            Tone.NEUTRAL,
        ),
        Tile(
            "repair",
            words.length(now.episodes.mean_time_to_repair),
            say("tile.repair"),
            _before(words.length(before.episodes.mean_time_to_repair) if before.episodes.healed else None, words),
            Tone.NEUTRAL,
        ),
        Tile(
            "ran",
            words.number(now.ran_of_expected),
            say("tile.ran", expected=words.number(now.expected)),
            _before(words.number(before.ran_of_expected) if before.sums.ran else None, words),
            Tone.NEUTRAL,
        ),
    ]


def _tone(consistent: int, total: int, thresholds: Thresholds) -> Tone:
    return _STATUS_TONES[status_of(consistent, total, thresholds)]


def _before(value: str | None, words: Words) -> str:
    return words.text("tile.no_before") if value is None else words.text("tile.before", value=value)


def _before_percent(now: Decimal | None, before: Decimal | None, words: Words) -> str:
    if now is None or before is None:
        return _before(None if before is None else words.percent(before), words)
    return words.text("tile.before_change", value=words.percent(before), change=words.points(now - before))


def _legend(content: ReportContent, words: Words, sentence: str) -> Legend:
    say, terms = words.text, content.terms
    return Legend(
        title=say("trend.title" if content.step is Step.DAY else "trend.title_hour"),
        mean=say("trend.mean"),
        lowest=say("trend.lowest"),
        violations=say("trend.violations"),
        no_data=say("trend.no_data"),
        logs=say("trend.logs") if content.figures.sums.imported else "",
        healthy=say("trend.healthy_from", percent=words.bound(terms.healthy)),
        degraded=say("trend.degraded_from", percent=words.bound(terms.degraded)),
        alternative=say("trend.alternative", sentence=sentence),
    )


def _trouble(content: ReportContent, words: Words) -> Sequence[str]:
    """What went wrong and how fast it healed, gravest first; something is said also when nothing did."""
    figures, sums, say = content.figures, content.figures.sums, words.text
    if not sums.ran:
        return []
    healthy = words.bound(figures.thresholds.healthy)
    said = []
    if figures.stretches:
        times = words.counted("times", figures.stretch_count)
        said.append(say("trouble.below", healthy=healthy, times=times, length=words.length(figures.time_below_healthy)))
        longest = figures.stretches[0]
        said.append(
            say(
                "trouble.longest" if longest.healed else "trouble.longest_open",
                length=words.length(longest.length),
                start=words.moment_short(longest.start),
                end=words.moment_short(longest.end),
                rate=words.percent(tables.rate(longest.worst, figures.thresholds)),
            )
        )
    elif figures.known and not sums.failed:
        said.append(say("trouble.none_outside" if sums.in_maintenance else "trouble.none", healthy=healthy))
    said += _healing(figures, words)
    said += [say(f"trouble.{kind}", checks=words.counted("checks", count)) for kind, count in _lost(figures) if count]
    if sums.in_maintenance:
        checks, length = words.counted("checks", sums.in_maintenance), words.length(sums.time(TimeClass.MAINTENANCE))
        said.append(say("trouble.maintenance", checks=checks, length=length))
    unknown = sums.time(TimeClass.NO_DATA)
    if unknown > content.terms.schedule.freshness:
        share = words.share(unknown, figures.end - figures.start)
        said.append(say("trouble.unknown", length=words.length(unknown), percent=share))
    return said


def _lost(figures: PeriodFigures) -> Sequence[tuple[str, int]]:
    return [("failed", figures.sums.failed), ("empty", figures.sums.empty)]


def _healing(figures: PeriodFigures, words: Words) -> Sequence[str]:
    lives, say = figures.episodes, words.text
    if not figures.known:
        return []
    said = []
    values = {
        "opened": words.counted("pairs", lives.opened),
        "healed": words.number(lives.healed) if lives.opened else words.counted("pairs", lives.healed),
        "mean": words.length(lives.mean_time_to_repair),
        "longest": words.length(lives.longest_time_to_repair),
        "quick": words.number(lives.healed_within_hour),
    }
    kind = ("healed" if lives.healed else "opened") if lives.opened else ("only_healed" if lives.healed else "no_episode")
    said.append(say(f"trouble.{kind}", **values))
    if lives.returned:
        said.append(say("trouble.returned", pairs=words.counted("pairs", lives.returned)))
    if lives.open_at_end and lives.oldest_open is not None:
        pairs = words.counted("pairs", lives.open_at_end)
        said.append(say("trouble.open", pairs=pairs, oldest=words.moment(lives.oldest_open)))
    return said


def _method(content: ReportContent, words: Words) -> Sequence[tuple[str, str]]:
    terms, sums, say, gone = content.terms, content.figures.sums, words.text, content.figures.dropped_days
    healthy, planned = words.bound(terms.healthy), words.counted("checks", sums.in_maintenance)
    before = words.days(
        words.local(content.before.start).date(), words.local(content.before.end - timedelta(microseconds=1)).date()
    )
    if content.running:
        before = say("format.range", first=words.moment(content.before.start), last=words.moment(content.before.end))
    said = {
        "scope": say("method.scope", interval=words.length(terms.interval)),
        "rate": say("method.rate"),
        "status": say("method.status", healthy=healthy, degraded=words.bound(terms.degraded)),
        "promise": say("method.promise", promised=words.bound(terms.promised)),
        "unknown": say("method.unknown"),
        "logs": say("method.logs", logs=words.counted("logs", sums.imported)) if sums.imported else "",
        "maintenance": say("method.maintenance", checks=planned) if sums.in_maintenance else "",
        "budget": say("method.budget", days=words.number(terms.window.days), allowed=words.bound(100 - terms.promised)),
        "stretches": say("method.stretches", healthy=healthy),
        "repair": say("method.repair"),
        "dropped": say("method.dropped", days=words.counted("days", gone)) if gone else "",
        "comparison": say("method.comparison", range=before),
        "extra": say("method.extra"),
        "verify": say("method.verify"),
        "users": say("method.users_named" if content.user_ids else "method.users_hidden"),
    }
    return [(say(f"method_name.{name}"), sentence) for name, sentence in said.items() if sentence]
