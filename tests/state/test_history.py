"""What history says about now."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.model import Kind, Outcome, Request, Source, Totals, Trigger
from core.state import history, schema
from core.state.database import StateDatabase
from core.state.history import Attempt, FailedAttempt
from core.status import DEFAULT_THRESHOLDS, Evidence, Thresholds, status_of
from tests.examples import examples
from tests.frozen_clock import NOON
from tests.state.records import HERE, completed, failed, imported, report

FRESH_FOR = timedelta(minutes=11)
MINUTE = timedelta(minutes=1)
ELSEWHERE = "sqlite:////srv/other.db progress = license"


def evidence(state: StateDatabase, watched: str | None = HERE, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> Evidence:
    with state.read() as connection:
        newest = history.newest_completed(connection, watched)
        return history.evidence(connection, watched, newest, FRESH_FOR, thresholds)


def test_an_empty_history_says_nothing(fresh_state: StateDatabase) -> None:
    assert evidence(fresh_state) == Evidence()
    with fresh_state.read() as connection:
        assert history.latest_id(connection) == 0
        assert history.newest_watched(connection) is None


def test_a_completed_check_is_read_as_it_was_recorded(fresh_state: StateDatabase) -> None:
    totals = Totals(2**40, 2**33, 3, 4)
    made = report(NOON + timedelta(microseconds=123_456), totals, "c0ffee")
    with fresh_state.write() as connection:
        history.record_completed(connection, made, HERE)
    with fresh_state.read() as connection:
        attempt = history.find(connection, "c0ffee")
    assert attempt is not None
    assert (attempt.timestamp, attempt.totals, attempt.outcome) == (made.timestamp, totals, Outcome.UNHEALTHY)
    assert (attempt.source, attempt.trigger, attempt.duration_ms) == (Source.CHECK, Trigger.SCHEDULED, 5)
    assert attempt.consistency_rate == made.consistency_rate
    assert attempt.by_kind == {Kind.LEVEL_MISMATCH: 2**33}
    assert isinstance(attempt.consistency_rate, Decimal)


def test_a_failed_attempt_has_its_error_and_no_figures(fresh_state: StateDatabase) -> None:
    attempt = FailedAttempt("c0ffee", NOON, Request(Trigger.API, "token of Éva"), "x" * 5_000, 7)
    with fresh_state.write() as connection:
        history.record_failed(connection, attempt, HERE)
    with fresh_state.read() as connection:
        (row,) = connection.execute(schema.history.select()).all()
        (read,) = history.numbered(connection, [1])
    assert (row.total_checked, row.consistent, row.inconsistent, row.consistency_rate) == (None, None, None, None)
    assert (read.outcome, read.totals, read.requested_by) == (Outcome.FAILED, None, "token of Éva")
    assert read.error is not None
    assert 1_000 <= len(read.error) <= 2_000


def test_failures_after_the_newest_completed_check_count(fresh_state: StateDatabase) -> None:
    failed(fresh_state, NOON, "long ago")
    completed(fresh_state, NOON + 5 * MINUTE)
    for number in range(3):
        failed(fresh_state, NOON + (10 + 5 * number) * MINUTE, f"refused {number}")
    imported(fresh_state, NOON + 30 * MINUTE)
    found = evidence(fresh_state)
    assert (found.failed_attempts, found.failing_since, found.last_error) == (3, NOON + 10 * MINUTE, "refused 2")
    assert found.completed_at == NOON + 5 * MINUTE
    completed(fresh_state, NOON + 40 * MINUTE)
    assert evidence(fresh_state).failed_attempts == 0


def test_newest_goes_by_the_order_of_recording_when_the_clock_was_set_back(fresh_state: StateDatabase) -> None:
    completed(fresh_state, NOON, bad=0)
    newest = completed(fresh_state, NOON - timedelta(days=1), bad=50)
    with fresh_state.read() as connection:
        attempt = history.newest_completed(connection, HERE)
    assert attempt is not None
    assert attempt.check_id == newest


def test_another_database_s_history_is_somebody_else_s(fresh_state: StateDatabase) -> None:
    completed(fresh_state, NOON, bad=3)
    completed(fresh_state, NOON + MINUTE, bad=0, watched=ELSEWHERE)
    failed(fresh_state, NOON + 2 * MINUTE, watched=ELSEWHERE)
    here = evidence(fresh_state)
    assert (here.totals, here.failed_attempts, here.status_since) == (Totals(100, 3, 0, 0), 0, NOON)
    assert evidence(fresh_state, ELSEWHERE).failed_attempts == 1
    with fresh_state.read() as connection:
        assert history.newest_watched(connection) == ELSEWHERE


def test_a_status_holds_since_the_first_check_of_its_unbroken_run(fresh_state: StateDatabase) -> None:
    moment = NOON
    for bad in (0, 0, 2, 2, 3):
        completed(fresh_state, moment, bad=bad)
        moment += 5 * MINUTE
    assert evidence(fresh_state).status_since == NOON + 10 * MINUTE


@pytest.mark.parametrize("break_", ["failure", "silence", "nothing"])
def test_a_failure_a_silence_or_nothing_to_check_ends_a_run(fresh_state: StateDatabase, break_: str) -> None:
    completed(fresh_state, NOON)
    if break_ == "failure":
        failed(fresh_state, NOON + 5 * MINUTE)
    elif break_ == "nothing":
        completed(fresh_state, NOON + 5 * MINUTE, total=0)
    later = NOON + (12 if break_ == "silence" else 10) * MINUTE
    completed(fresh_state, later)
    assert evidence(fresh_state).status_since == later


def test_an_import_does_not_end_a_run(fresh_state: StateDatabase) -> None:
    completed(fresh_state, NOON)
    imported(fresh_state, NOON + 2 * MINUTE, bad=90)
    completed(fresh_state, NOON + 5 * MINUTE)
    assert evidence(fresh_state).status_since == NOON


@settings(max_examples=examples(40))
@given(st.lists(st.tuples(st.sampled_from([0, 1, 2, 5, 6, None]), st.integers(1, 15)), min_size=1, max_size=10))
def test_since_agrees_with_a_walk_through_history(sqlite_state: StateDatabase, steps: list[tuple[int | None, int]]) -> None:
    with sqlite_state.write() as connection:
        connection.execute(schema.history.delete())
    moment, since, before = NOON, None, None
    earlier: tuple[Attempt, datetime] | None = None
    for bad, minutes in steps:
        moment += minutes * MINUTE
        if bad is None:
            failed(sqlite_state, moment)
            before = None
            continue
        completed(sqlite_state, moment, bad=bad)
        status = status_of(100 - bad, 100)
        if before is None or before[0] is not status or moment - before[1] > FRESH_FOR:
            since = moment
        before = (status, moment)
        with sqlite_state.read() as connection:
            newest = history.newest_completed(connection, HERE)
            known = history.evidence(connection, HERE, newest, FRESH_FOR, DEFAULT_THRESHOLDS, earlier)
        assert known.status_since == since, "the same when only what came after an earlier check is read"
        if newest is not None and known.status_since is not None and minutes % 2:
            earlier = newest, known.status_since
    found = evidence(sqlite_state)
    if any(bad is not None for bad, _ in steps):
        assert found.status_since == since
    assert found.failed_attempts == next(
        (number for number, (bad, _) in enumerate(reversed(steps)) if bad is not None), len(steps)
    )


@pytest.mark.parametrize("changes", [(0,), (0, 40), (0, 40, 5_500), (0, 40, 8_999), (0, 40, 7_000)])
def test_since_is_found_however_long_ago_it_was(sqlite_state: StateDatabase, changes: tuple[int, ...]) -> None:
    rows = []
    for number in range(9_000):
        bad = 50 * (sum(change <= number for change in changes) % 2)
        figures = {"total_checked": 100, "consistent": 100 - bad, "inconsistent": bad, "outcome": "unhealthy"}
        rows.append({"timestamp": NOON + number * 5 * MINUTE, "source": "check", "watched": HERE, **figures})
    with sqlite_state.write() as connection:
        connection.execute(schema.history.insert(), rows)
    assert evidence(sqlite_state).status_since == NOON + changes[-1] * 5 * MINUTE


@pytest.mark.parametrize("healthy", ["99.9", "99.999999", "99.123457"])
def test_a_threshold_may_have_six_decimals(fresh_state: StateDatabase, healthy: str) -> None:
    """The settings take no more; the integers must not overflow over them."""
    completed(fresh_state, NOON, total=10**9, bad=1)
    completed(fresh_state, NOON + 5 * MINUTE, total=10**9, bad=0)
    thresholds = Thresholds(healthy=Decimal(healthy))
    found = evidence(fresh_state, thresholds=thresholds)
    same = status_of(10**9 - 1, 10**9, thresholds) is status_of(10**9, 10**9, thresholds)
    assert found.status_since == (NOON if same else NOON + 5 * MINUTE)


def test_a_long_name_of_who_asked_is_kept_or_cut(fresh_state: StateDatabase) -> None:
    """A name is no reason to lose a check: nothing else of it could be recorded either."""
    attempt = FailedAttempt("c0ffee", NOON, Request(Trigger.CLI, "n" * 300), "refused", 7)
    with fresh_state.write() as connection:
        history.record_failed(connection, attempt, HERE)
    with fresh_state.read() as connection:
        (read,) = history.numbered(connection, [1])
    assert str(read.requested_by).startswith("nnn")
