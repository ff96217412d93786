"""Counts and times in, status and reason out."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.durations import in_words
from core.model import Status, Totals
from core.status import (
    Evidence,
    Schedule,
    Thresholds,
    assess,
    consistency_rate,
    holds_until,
    rate_of,
    reaches,
    shown_rate,
    status_of,
)
from tests.examples import examples
from tests.frozen_clock import NOON

MICROSECOND = timedelta(microseconds=1)
SCHEDULE = Schedule()
FRESH_FOR = timedelta(minutes=11)  # two intervals of five minutes and one of grace


# --- rate and status --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("consistent", "total", "rate", "status"),
    [
        (150, 150, "100.00", Status.HEALTHY),
        (149, 150, "99.33", Status.HEALTHY),
        (148, 150, "98.67", Status.DEGRADED),
        (99, 100, "99.00", Status.HEALTHY),
        (95, 100, "95.00", Status.DEGRADED),
        (94, 100, "94.00", Status.CRITICAL),
        (98_996, 100_000, "98.99", Status.DEGRADED),  # 99.00 would read as healthy
        (94_996, 100_000, "94.99", Status.CRITICAL),
        (999_999, 1_000_000, "99.99", Status.HEALTHY),  # 100.00 would read as if nothing were wrong
        (98_995, 100_000, "98.99", Status.DEGRADED),
        (50_005, 100_000, "50.00", Status.CRITICAL),  # half-even, both ways
        (50_015, 100_000, "50.02", Status.CRITICAL),
        (1, 1_000_000, "0.00", Status.CRITICAL),
        (0, 7, "0.00", Status.CRITICAL),
        (1, 1, "100.00", Status.HEALTHY),
        (2**62 - 1, 2**62, "99.99", Status.HEALTHY),
    ],
)
def test_rate_and_status_of_examples(consistent: int, total: int, rate: str, status: Status) -> None:
    assert str(consistency_rate(consistent, total)) == rate
    assert status_of(consistent, total) is status


def test_nothing_checked_has_no_rate_and_is_not_healthy() -> None:
    assert consistency_rate(0, 0) is None
    assert rate_of(Totals(0, 0)) is None
    assert status_of(0, 0) is Status.UNKNOWN


counts = st.integers(1, 10**9).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))
near_the_top = st.integers(1, 10**9).flatmap(lambda total: st.tuples(st.integers(total - total // 10, total), st.just(total)))
percentages = st.decimals("0.01", "100", places=3) | st.sampled_from([Decimal(99), Decimal(95), Decimal("99.9"), Decimal(100)])
thresholds = (
    st.tuples(percentages, percentages)
    .filter(lambda pair: pair[0] != pair[1])
    .map(lambda pair: Thresholds(healthy=max(pair), degraded=min(pair)))
) | st.just(Thresholds())


@settings(max_examples=examples(500))
@given(counts | near_the_top, thresholds)
def test_a_rate_never_reads_better_than_its_status(pair: tuple[int, int], bounds: Thresholds) -> None:
    consistent, total = pair
    rate, exact = consistency_rate(consistent, total, bounds), Fraction(consistent * 100, total)
    assert rate is not None
    assert rate.as_tuple().exponent == -2
    assert 0 <= rate <= 100
    for bound in (bounds.healthy, bounds.degraded, Decimal(100)):
        if rate >= bound:
            assert exact >= Fraction(bound)
    assert abs(Fraction(rate) - exact) <= Fraction(1, 100)
    if exact == Fraction(rate.quantize(Decimal("0.01"))):
        assert Fraction(rate) == exact


@settings(max_examples=examples(500))
@given(counts | near_the_top, thresholds)
def test_status_follows_from_the_integers_alone(pair: tuple[int, int], bounds: Thresholds) -> None:
    consistent, total = pair
    exact = Fraction(consistent * 100, total)
    expected = Status.CRITICAL
    if exact >= Fraction(bounds.degraded):
        expected = Status.DEGRADED
    if exact >= Fraction(bounds.healthy):
        expected = Status.HEALTHY
    assert status_of(consistent, total, bounds) is expected
    assert reaches(bounds.healthy, consistent, total) is (exact >= Fraction(bounds.healthy))


@settings(max_examples=examples(300))
@given(counts | near_the_top, st.integers(0, 10**6), thresholds)
def test_more_agreement_never_lowers_rate_or_status(pair: tuple[int, int], more: int, bounds: Thresholds) -> None:
    consistent, total = pair
    better = min(consistent + more, total)
    lower, higher = consistency_rate(consistent, total, bounds), consistency_rate(better, total, bounds)
    assert lower is not None
    assert higher is not None
    assert lower <= higher
    order = [Status.CRITICAL, Status.DEGRADED, Status.HEALTHY]
    assert order.index(status_of(consistent, total, bounds)) <= order.index(status_of(better, total, bounds))


# --- freshness --------------------------------------------------------------------------------------------------------


def healthy_at(moment: datetime, **facts: object) -> Evidence:
    return Evidence(completed_at=moment, totals=Totals(150, 0), status_since=moment, **facts)  # type: ignore[arg-type]


def test_before_the_first_check_nothing_is_known() -> None:
    assessment = assess(Evidence(), NOON)
    assert (assessment.status, assessment.reason, assessment.since) == (Status.UNKNOWN, "no check has run yet", None)


def test_a_first_check_that_failed_is_told_apart_from_none() -> None:
    assessment = assess(Evidence(failed_attempts=1, failing_since=NOON, last_error="connection refused"), NOON)
    assert assessment.status is Status.UNKNOWN
    assert assessment.reason == "no check has completed yet; the last attempt failed: connection refused"
    assert assessment.since == NOON


@pytest.mark.parametrize("age", [timedelta(0), timedelta(minutes=5), FRESH_FOR - MICROSECOND, FRESH_FOR])
def test_a_status_holds_up_to_two_intervals_and_the_grace(age: timedelta) -> None:
    assessment = assess(healthy_at(NOON), NOON + age)
    assert (assessment.status, assessment.reason, assessment.since) == (Status.HEALTHY, "all 150 pairs agree", NOON)


def test_a_microsecond_later_nothing_is_known() -> None:
    assessment = assess(healthy_at(NOON), NOON + FRESH_FOR + MICROSECOND)
    assert assessment.status is Status.UNKNOWN
    assert assessment.reason == "last completed check 11 min ago"
    assert assessment.since == NOON + FRESH_FOR


@given(st.integers(1, 86_400), st.integers(1, 3_600))
def test_freshness_follows_the_schedule(interval: int, grace: int) -> None:
    schedule = Schedule(timedelta(seconds=interval), timedelta(seconds=grace))
    limit = timedelta(seconds=2 * interval + grace)
    assert assess(healthy_at(NOON), NOON + limit, schedule).status is Status.HEALTHY
    assert assess(healthy_at(NOON), NOON + limit + MICROSECOND, schedule).status is Status.UNKNOWN


def test_one_failed_attempt_is_enough_not_to_know() -> None:
    evidence = healthy_at(NOON, failed_attempts=1, failing_since=NOON + timedelta(minutes=5), last_error="connection refused")
    assessment = assess(evidence, NOON + timedelta(minutes=6))
    assert assessment.status is Status.UNKNOWN
    assert assessment.reason == "last completed check 6 min ago; the last attempt failed: connection refused"
    assert assessment.since == NOON + timedelta(minutes=5)


def test_three_failed_attempts_are_counted() -> None:
    evidence = healthy_at(NOON, failed_attempts=3, failing_since=NOON + timedelta(minutes=13), last_error="connection refused")
    assessment = assess(evidence, NOON + timedelta(minutes=23))
    assert assessment.reason == "last completed check 23 min ago; the last 3 attempts failed: connection refused"
    assert assessment.since == NOON + FRESH_FOR, "it was stale before the first of them failed"


def test_a_clock_that_was_set_back_is_no_proof_of_freshness() -> None:
    within = assess(healthy_at(NOON), NOON - SCHEDULE.misfire_grace)
    assert within.status is Status.HEALTHY, "clocks of two machines may differ a little"
    assessment = assess(healthy_at(NOON), NOON - SCHEDULE.misfire_grace - MICROSECOND)
    assert assessment.status is Status.UNKNOWN
    assert "the clock was set back" in assessment.reason


@given(st.integers(-(10**6), 10**6), st.integers(0, 5))
def test_nothing_to_check_is_never_healthy(seconds: int, failed: int) -> None:
    evidence = Evidence(NOON, Totals(0, 0, 3, 4), NOON, failed, NOON if failed else None, "refused" if failed else None)
    assessment = assess(evidence, NOON + timedelta(seconds=seconds))
    assert assessment.status is Status.UNKNOWN
    assert assessment.reason


def test_nothing_to_check_says_so() -> None:
    assert assess(Evidence(NOON, Totals(0, 0), NOON), NOON).reason == "nothing to check: neither table holds a pair"


@pytest.mark.parametrize(
    ("totals", "status", "reason"),
    [
        (Totals(1_000, 1), Status.HEALTHY, "99.90 % of 1000 pairs agree"),
        (Totals(150, 2), Status.DEGRADED, "98.67 % of 150 pairs agree, below 99 %"),
        (Totals(100, 30), Status.CRITICAL, "70.00 % of 100 pairs agree, below 95 %"),
    ],
)
def test_a_reason_names_the_bound_that_was_missed(totals: Totals, status: Status, reason: str) -> None:
    assessment = assess(Evidence(NOON, totals, NOON), NOON)
    assert (assessment.status, assessment.reason) == (status, reason)


@given(st.integers(-(10**7), 10**7), st.integers(0, 100), st.integers(0, 3), thresholds)
def test_only_a_fresh_untroubled_check_is_believed(seconds: int, bad: int, failed: int, bounds: Thresholds) -> None:
    now = NOON + timedelta(seconds=seconds)
    evidence = Evidence(NOON, Totals(100, bad), NOON, failed, NOON if failed else None, "refused" if failed else None)
    assessment = assess(evidence, now, SCHEDULE, bounds)
    believed = failed == 0 and -SCHEDULE.misfire_grace <= now - NOON <= FRESH_FOR
    assert assessment.status is (status_of(100 - bad, 100, bounds) if believed else Status.UNKNOWN)


# --- durations --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(0), "0 s"),
        (timedelta(milliseconds=820), "820 ms"),
        (timedelta(seconds=12.9), "12 s"),
        (timedelta(seconds=59.999), "59 s"),
        (timedelta(minutes=23, seconds=59), "23 min"),
        (timedelta(hours=3, minutes=5), "3 h 5 min"),
        (timedelta(hours=3), "3 h"),
        (timedelta(days=3, hours=4), "3 d 4 h"),
        (timedelta(days=3), "3 d"),
        (timedelta(seconds=-5), "0 s"),
        (timedelta(milliseconds=999.9), "1 s"),
    ],
)
def test_a_length_of_time_is_said_as_a_person_says_it(length: timedelta, words: str) -> None:
    assert in_words(length) == words


@given(total=st.integers(1, 10**7), share=st.floats(0, 1))
@example(total=20_000, share=1 / 20_000)
def test_a_rate_reads_the_same_in_a_trend(total: int, share: float) -> None:
    consistent = round(total * share)
    assert shown_rate(consistent * 100.0 / total) == consistency_rate(consistent, total)


evidences = st.builds(
    lambda age, total, failed: Evidence(
        completed_at=None if age is None else NOON - timedelta(seconds=age),
        totals=None if age is None else Totals(total, total // 50),
        status_since=None if age is None else NOON - timedelta(days=2),
        failed_attempts=failed,
        failing_since=NOON if failed else None,
        last_error="refused" if failed else None,
    ),
    st.none() | st.floats(-120, 900),
    st.integers(0, 200),
    st.integers(0, 2),
)


@settings(max_examples=examples(300))
@given(evidences, st.floats(0, 1))
def test_an_assessment_says_the_same_until_it_is_said_to_hold_no_longer(evidence: Evidence, part: float) -> None:
    now = assess(evidence, NOON)
    end = holds_until(evidence, now, NOON, SCHEDULE)
    assert end >= NOON
    then = NOON + min(end - NOON, timedelta(days=400)) * part
    assert assess(evidence, then) == now
    if now.status is not Status.UNKNOWN:
        assert assess(evidence, end).status is now.status
        assert assess(evidence, end + MICROSECOND).status is Status.UNKNOWN
