"""The audit trail as it is kept: who did what, newest first, and nothing that was not done."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.audit_trail import AuditTrail, Choice
from core.model import Request, Trigger
from core.state import audit
from core.state.audit import Deed, Entry
from core.state.database import StateDatabase
from tests.frozen_clock import NOON, FrozenClock


@pytest.fixture
def trail(fresh_state: StateDatabase, clock: FrozenClock) -> AuditTrail:
    return AuditTrail(fresh_state, clock)


def subjects(entries: list[Entry] | tuple[Entry, ...]) -> list[str]:
    return [entry.subject for entry in entries]


def test_a_deed_is_kept_with_its_time_who_did_it_and_to_what(fresh_state: StateDatabase) -> None:
    with fresh_state.write() as connection:
        audit.note(connection, NOON, "ada", Deed.TOKEN_REVOKED, "ci")
        audit.note(connection, NOON + timedelta(seconds=1), "bea", Deed.LOGGED_OUT)
    with fresh_state.read() as connection:
        newer, older = audit.page(connection)
        assert (older.at, older.who, older.deed, older.subject) == (NOON, "ada", Deed.TOKEN_REVOKED, "ci")
        assert (newer.who, newer.deed, newer.subject) == ("bea", Deed.LOGGED_OUT, "")
        assert audit.everyone(connection) == ["ada", "bea"]


def test_a_deed_that_is_not_done_leaves_nothing(fresh_state: StateDatabase) -> None:
    with pytest.raises(ZeroDivisionError), fresh_state.write() as connection:
        audit.note(connection, NOON, "ada", Deed.TOKEN_REVOKED, "ci")
        raise ZeroDivisionError
    with fresh_state.read() as connection:
        assert (audit.page(connection), audit.count(connection), audit.everyone(connection)) == ([], 0, [])


def test_what_people_type_is_one_line_of_a_bounded_length(fresh_state: StateDatabase) -> None:
    with fresh_state.write() as connection:
        audit.note(connection, NOON, "a\0d\na" * 100, Deed.MARKER_ADDED, " two\nlines\0 \u202eand\tmore " + "x" * 2_000)
    with fresh_state.read() as connection:
        (entry,) = audit.page(connection)
    assert entry.subject.startswith("two lines and more xxx")
    assert (len(entry.subject), len(entry.who)) == (1_000, 200)
    assert entry.who.isprintable()


def test_pages_follow_each_other_without_a_gap_and_without_an_entry_twice(trail: AuditTrail) -> None:
    for number in range(25):
        trail.note("ada", Deed.MARKER_ADDED, str(number))
    seen, before, shapes = [], None, []
    while True:
        page = trail.page(Choice(), before=before, limit=10)
        seen += subjects(list(page.entries))
        shapes.append((len(page.entries), page.newer, page.older, page.count))
        if not page.older:
            break
        before = page.entries[-1].id
        trail.note("bea", Deed.LOGGED_IN)  # what comes meanwhile shifts nothing
    assert seen == [str(number) for number in reversed(range(25))]
    assert shapes == [(10, False, True, 25), (10, True, True, 26), (5, True, False, 27)]


def test_the_way_back_leads_over_the_same_entries(trail: AuditTrail) -> None:
    for number in range(25):
        trail.note("ada", Deed.MARKER_ADDED, str(number))
    newest = trail.page(Choice(), limit=10)
    middle = trail.page(Choice(), before=newest.entries[-1].id, limit=10)
    oldest = trail.page(Choice(), before=middle.entries[-1].id, limit=10)
    assert trail.page(Choice(), after=oldest.entries[0].id, limit=10) == middle
    assert trail.page(Choice(), after=middle.entries[0].id, limit=10) == newest
    assert trail.page(Choice(), after=newest.entries[3].id, limit=10) == newest, "the newest page is a full one"


@pytest.mark.parametrize("place", [0, 1, 2**31 - 1])
def test_a_place_where_nothing_is_still_leads_back(trail: AuditTrail, place: int) -> None:
    trail.note("ada", Deed.LOGGED_IN)
    before, after = trail.page(Choice(), before=place), trail.page(Choice(), after=place)
    assert (len(before.entries), before.newer, before.older) == ((1, False, False) if place > 1 else (0, True, False))
    assert len(after.entries) == 1


def test_entries_are_chosen_by_who_and_by_deed(trail: AuditTrail) -> None:
    for who in ("ada", "bea"):
        for deed in (Deed.LOGGED_IN, Deed.MARKER_ADDED, Deed.LOGGED_OUT):
            trail.note(who, deed, f"{who} {deed}")
    assert subjects(list(trail.page(Choice(who="ada")).entries)) == ["ada logged_out", "ada marker_added", "ada logged_in"]
    assert subjects(list(trail.page(Choice(deed=Deed.LOGGED_IN)).entries)) == ["bea logged_in", "ada logged_in"]
    both = trail.page(Choice("bea", Deed.MARKER_ADDED))
    assert (subjects(list(both.entries)), both.count) == (["bea marker_added"], 1)
    assert trail.page(Choice(who="Ada")).count == 0
    assert trail.everyone() == ["ada", "bea"]
    assert trail.done() == [Deed.LOGGED_IN, Deed.LOGGED_OUT, Deed.MARKER_ADDED]


def test_all_of_it_streams_in_batches(trail: AuditTrail, fresh_state: StateDatabase) -> None:
    with fresh_state.write() as connection:
        for number in range(2_500):
            audit.note(connection, NOON, "ada", Deed.MARKER_ADDED if number % 5 else Deed.MARKER_REMOVED, str(number))
    assert [entry.subject for entry in trail.stream(Choice())] == [str(number) for number in reversed(range(2_500))]
    assert sum(1 for _ in trail.stream(Choice(deed=Deed.MARKER_REMOVED))) == 500


def test_a_deed_of_a_newer_version_can_be_read(trail: AuditTrail, fresh_state: StateDatabase) -> None:
    with fresh_state.write() as connection:
        values = {"at": NOON, "who": "ada", "deed": "moon_painted", "subject": "green"}
        connection.execute(audit.audit.insert().values(**values))
    (entry,) = trail.page(Choice()).entries
    assert entry.deed == "moon_painted"


@pytest.mark.parametrize(
    ("request_", "who"),
    [
        (Request(Trigger.SCHEDULED), None),
        (Request(Trigger.MANUAL), None),
        (Request(Trigger.MANUAL, "ada"), "ada"),
        (Request(Trigger.API, "token ci"), "token ci"),
        (Request(Trigger.CLI, "ada"), "ada (command line)"),
        (Request(Trigger.CLI), "command line"),
    ],
    ids=str,
)
def test_only_checks_that_somebody_asked_for_are_deeds(
    trail: AuditTrail, fresh_state: StateDatabase, request_: Request, who: str | None
) -> None:
    with fresh_state.write() as connection:
        audit.note_check(connection, NOON, request_, "all agree")
    assert [entry.who for entry in trail.page(Choice()).entries] == ([] if who is None else [who])


def test_a_member_fits_its_column() -> None:
    assert max(len(deed) for deed in Deed) <= 40
