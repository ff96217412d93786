"""The audit page's words, its address and its CSV."""

from __future__ import annotations

import csv
import io

import pytest

from core.audit_trail import Choice
from core.state.audit import Deed, Entry
from dashboard.audit_query import AuditQuery, mistakes
from dashboard.export import audit_as_csv
from dashboard.wording_audit import DEED_LABELS, deed_in_words
from tests.frozen_clock import NOON


def test_every_deed_has_its_own_words() -> None:
    assert set(DEED_LABELS) == set(Deed)
    assert len(set(DEED_LABELS.values())) == len(Deed)
    assert not [words for words in DEED_LABELS.values() if "_" in words or not words[0].isupper()]


def test_a_deed_that_is_not_known_here_is_called_by_its_name() -> None:
    assert deed_in_words(Entry(1, NOON, "ada", Deed.TOKEN_REVOKED.value, "ci")) == "Revoked an API token"
    assert deed_in_words(Entry(1, NOON, "ada", "moon_painted", "green")) == "moon_painted"


@pytest.mark.parametrize(
    "query",
    [
        AuditQuery(),
        AuditQuery(Choice("token a&b=c", Deed.TOKEN_CREATED)),
        AuditQuery(Choice(deed=Deed.LOGGED_IN), before=17),
        AuditQuery(Choice("ada"), after=2**31 - 1),
    ],
    ids=str,
)
def test_an_address_gives_the_query_that_it_was_made_from(query: AuditQuery) -> None:
    assert AuditQuery.from_params(query.to_params()) == query
    assert mistakes(query.to_params()) == []


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"deed": "nonsense"}, "There is no deed 'nonsense'."),
        ({"deed": "TOKEN_CREATED"}, "There is no deed 'TOKEN_CREATED'."),
        ({"before": "x"}, "before is the number of an entry, not 'x'."),
        ({"after": "-1"}, "after is the number of an entry, not '-1'."),
        ({"before": "2147483648"}, "before is the number of an entry, not '2147483648'."),
        ({"before": "٣"}, "before is the number of an entry, not '٣'."),
    ],
)
def test_what_an_address_holds_wrongly_is_named_and_left_out(params: dict[str, str], named: str) -> None:
    assert mistakes(params) == [named]
    assert AuditQuery.from_params(params) == AuditQuery()


def test_what_is_downloaded_is_what_was_chosen_from_its_newest_entry_on() -> None:
    assert AuditQuery(before=17).csv_address == "/export/audit.csv"
    assert AuditQuery(Choice("a b", Deed.LOGGED_IN), after=3).csv_address == "/export/audit.csv?who=a+b&deed=logged_in"


def test_an_entry_is_a_line_and_nothing_in_it_runs_in_a_spreadsheet() -> None:
    entries = [Entry(2, NOON, "=cmd", Deed.MARKER_ADDED.value, '+1, "x"'), Entry(1, NOON, "ada", Deed.LOGGED_IN.value, "")]
    assert list(csv.reader(io.StringIO("".join(audit_as_csv(entries)), newline=""))) == [
        ["at_utc", "who", "deed", "what", "about"],
        ["2025-10-25T12:00:00+00:00", "'=cmd", "marker_added", "Added a marker", '\'+1, "x"'],
        ["2025-10-25T12:00:00+00:00", "ada", "logged_in", "Logged in", ""],
    ]
