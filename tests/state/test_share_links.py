"""Share links as they are kept: hashed, ended by time or by revocation."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from core.errors import ShareLinkProblem
from core.shares import ShareLinks
from core.state import schema
from core.state.database import StateDatabase
from core.state.share_links import LinkState
from core.state.tokens import digest
from tests.frozen_clock import NOON, FrozenClock

WEEK = timedelta(days=7)


@pytest.fixture
def links(fresh_state: StateDatabase, clock: FrozenClock) -> ShareLinks:
    return ShareLinks(fresh_state, clock)


def states(links: ShareLinks, clock: FrozenClock) -> list[tuple[str, LinkState]]:
    return [(link.name, link.state(clock.now)) for link in links.everyone()]


def test_a_link_is_kept_as_a_hash_alone(links: ShareLinks, fresh_state: StateDatabase) -> None:
    secret = links.create(" board ", WEEK, "ada")
    assert len(secret) == 43, "256 random bits"
    with fresh_state.read() as connection:
        (row,) = connection.execute(sa.select(schema.share_links))
    assert secret[:8] not in str(row)
    assert (row.name, row.created_by, row.token_hash) == ("board", "ada", digest(secret))
    assert (row.created_at, row.expires_at, row.revoked_at) == (NOON, NOON + WEEK, None)


def test_no_two_links_are_alike(links: ShareLinks) -> None:
    assert len({links.create("board", WEEK, "ada") for _ in range(20)}) == 20


def test_a_link_opens_until_its_very_end(links: ShareLinks, clock: FrozenClock) -> None:
    secret = links.create("board", WEEK, "ada")
    assert links.opens(secret)
    clock.advance(WEEK - timedelta(microseconds=1))
    assert links.opens(secret)
    clock.advance(microseconds=1)
    assert not links.opens(secret)
    assert states(links, clock) == [("board", LinkState.EXPIRED)]


def test_a_revoked_link_opens_nothing_and_the_others_go_on(links: ShareLinks, clock: FrozenClock) -> None:
    first, second = links.create("board", WEEK, "ada"), links.create("board", WEEK, "ada")
    (newer, older) = links.everyone()
    links.revoke(older.id, "ada")
    assert (links.opens(first), links.opens(second)) == (False, True)
    clock.advance(days=1)
    links.revoke(older.id, "ada")
    (still, gone) = links.everyone()
    assert (still.id, gone.id, gone.revoked_at) == (newer.id, older.id, NOON), "what has ended is not ended again"


@pytest.mark.parametrize("secret", ["", "x", "é" * 43, "a" * 60_000, "\0"])
def test_what_is_no_link_opens_nothing(links: ShareLinks, secret: str) -> None:
    made = links.create("board", WEEK, "ada")
    assert not links.opens(secret)
    assert not links.opens(made[:-1])
    assert not links.opens(made.swapcase())


def test_links_that_still_open_come_first(links: ShareLinks, clock: FrozenClock) -> None:
    for name, days in (("a", 30), ("b", 1), ("c", 30), ("d", 30)):
        links.create(name, timedelta(days=days), "ada")
    links.revoke(links.everyone()[0].id, "ada")
    clock.advance(days=2)
    assert states(links, clock) == [
        ("c", LinkState.ACTIVE),
        ("a", LinkState.ACTIVE),
        ("d", LinkState.REVOKED),
        ("b", LinkState.EXPIRED),
    ]


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "line\nbreak", "nul\0"])
def test_a_name_that_could_not_be_told_is_refused(links: ShareLinks, name: str) -> None:
    with pytest.raises(ShareLinkProblem, match="1 to 100 printable"):
        links.create(name, WEEK, "ada")
    assert links.everyone() == []


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(seconds=-1), timedelta(days=91)])
def test_every_link_has_an_end_that_comes(links: ShareLinks, lifetime: timedelta) -> None:
    with pytest.raises(ShareLinkProblem, match="at most 90 days"):
        links.create("board", lifetime, "ada")
