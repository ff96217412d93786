"""What was measured of the HTTP API as Markdown tables, and the aims beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import median

from benchmarks.api import CLIENTS, CONNECTIONS, ROUNDS, LongReport, Refreshed, Round, Served, cpu_seconds_each
from benchmarks.http_clients import Answers
from benchmarks.tables import table

AIM_SHARE = 0.60  # of the bare route's requests a second
AIM_P95 = 0.050  # seconds, while a check runs
AIM_REPORT_GROWTH = 32_000_000  # bytes of the server's memory while a report of any length is read


def api_tables(served: Served) -> Iterator[str]:
    """A table for each of the three measurements."""
    contest = served.contest
    yield f"\n### The HTTP API: status beside a bare Starlette route ({CONNECTIONS} connections, {ROUNDS} rounds in turns)\n"
    heads = ["server", "requests/s, best", "requests/s, median", "server's time on a core", "failures"]
    yield from table(heads, [_contestant("status", contest.ours), _contestant("bare route", contest.bare)])
    yield (
        f"\n- status ÷ bare route: {contest.ratio:.0%} in neighbouring rounds (median), {contest.ratio_of_medians:.0%} of the "
        f"medians, {contest.ratio_by_cpu:.0%} for the same time on a core"
    )
    for words in dict.fromkeys(one.words.partition(",")[0] for one in served.refreshed):
        same = [one for one in served.refreshed if one.words.startswith(f"{words},")]
        yield f"\n### The HTTP API: {CLIENTS} clients refresh once a second over {same[0].pairs:,} pairs, {words}\n"
        heads = ["meanwhile", "request", "requests", "failures", "p50", "p95", "p99", "max"]
        yield from table(heads, (row for one in same for row in _latencies(one)))
        yield ""
        yield from (_beside(one) for one in same)
    report = served.report
    yield f"\n### The HTTP API: a report of {report.violations:,} violations\n"
    yield from table(["time", "size", "resident before", "highest", "growth"], [_long(report)])


def api_aims(served: Served) -> Iterator[str]:
    """Each aim, what this run measured for it, and whether that meets it."""
    contest, report = served.contest, served.report
    yield "\n### Aims of the HTTP API\n"
    yield from _aim(
        f"status ≥ {AIM_SHARE:.0%} of a bare Starlette route's requests/s",
        contest.ratio >= AIM_SHARE,
        f"{contest.ratio:.0%}; for the same time on a core {contest.ratio_by_cpu:.0%}",
    )
    for one in served.refreshed:
        if one.has_aim:
            together = _together(one)
            yield from _aim(
                f"{CLIENTS} clients refreshing while a check over {one.pairs:,} pairs runs: no failure, p95 < {_ms(AIM_P95)}",
                not together.failures and not one.seen.checks.failures and _share(together.seconds, 0.95) < AIM_P95,
                f"{len(together.failures)} failures, p95 {_ms(_share(together.seconds, 0.95))}",
            )
    growth = report.peak_bytes - report.before_bytes
    yield from _aim(
        f"a report of {report.violations:,} violations grows the server's memory by at most {AIM_REPORT_GROWTH / 1e6:.0f} MB",
        not report.answers.failures and growth <= AIM_REPORT_GROWTH,
        "; ".join([f"{growth / 1e6:.0f} MB", *report.answers.failures]),
    )


def _aim(words: str, met: bool, measured: str) -> Iterator[str]:
    yield f"- **{words}: {'met' if met else 'MISSED'}**"
    yield f"  - {measured}"


def _contestant(name: str, rounds: Sequence[Round]) -> list[str]:
    rates = [one.throughput.rate for one in rounds]
    failed = sum(one.throughput.failed for one in rounds)
    return [name, f"{max(rates):,.0f}", f"{median(rates):,.0f}", f"{cpu_seconds_each(rounds) * 1e6:.0f} µs each", str(failed)]


def _latencies(one: Refreshed) -> Iterator[list[str]]:
    meanwhile = one.words.partition(", ")[2]
    for path, answers in one.seen.answers.items():
        yield _latency(meanwhile, path.rpartition("/")[2], answers)
    yield _latency(meanwhile, "all", _together(one))


def _latency(meanwhile: str, name: str, answers: Answers) -> list[str]:
    number = len(answers.seconds) + len(answers.failures)
    shares = (_ms(_share(answers.seconds, share)) for share in (0.5, 0.95, 0.99, 1))
    return [meanwhile, name, f"{number:,}", str(len(answers.failures)), *shares]


def _together(one: Refreshed) -> Answers:
    every = one.seen.answers.values()
    return Answers(
        [seconds for answers in every for seconds in answers.seconds], [words for answers in every for words in answers.failures]
    )


def _beside(one: Refreshed) -> str:
    """How long that took, and what else went on in the server."""
    checks, meanwhile = one.seen.checks, one.words.partition(", ")[2]
    words = [f"{one.seen.seconds:.0f} s", f"the server's time on a core {one.cpu_seconds / one.seen.seconds:.0%}"]
    if checks.seconds:
        words.append(f"{len(checks.seconds)} checks of {median(checks.seconds):.1f} s (median)")
    words += [f"a check failed: {failure}" for failure in checks.failures]
    failures = _together(one).failures
    words += [f"{failures.count(failure)} × {failure}" for failure in dict.fromkeys(failures)]
    received = sum(answers.received for answers in one.seen.answers.values())
    return f"- {meanwhile}: {', '.join([*words, f'{received / 1e6:,.0f} MB received'])}"


def _long(report: LongReport) -> list[str]:
    seconds = f"{report.answers.seconds[0]:.1f} s" if report.answers.seconds else report.answers.failures[0]
    growth = report.peak_bytes - report.before_bytes
    memory = (f"{number / 1e6:.0f} MB" for number in (report.before_bytes, report.peak_bytes, growth))
    return [seconds, f"{report.answers.received / 1e6:.0f} MB", *memory]


def _share(seconds: Sequence[float], share: float) -> float:
    """What that share of the answers took at most."""
    return sorted(seconds)[math.ceil(len(seconds) * share) - 1] if seconds else math.nan


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"
