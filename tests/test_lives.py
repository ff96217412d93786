"""Lives, told from listings that tell all that they list, or only what changed."""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import timedelta
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from core.lives import Key, Levels, Life, Listing, Row, Rows, Told, retold
from tests.frozen_clock import NOON

NOTHING = Told(lives=[], readings=[], before=None, after=None)


class Said(NamedTuple):
    """A listing, by levels of users."""

    levels: dict[int, int]
    by_changes: bool
    read: bool


listings = st.lists(
    st.builds(Said, st.dictionaries(st.integers(1, 5), st.integers(2, 3), max_size=5), st.booleans(), st.booleans()),
    min_size=1,
    max_size=12,
)


def places(rows: Rows, levels: dict[int, int]) -> Set[int]:
    listed = [Row(str(user), "PLAYER", user, Levels("level_mismatch", level, 1)) for user, level in levels.items()]
    return {rows.place_of(row) for row in listed}


def told_by_changes(rows: Rows, told: Sequence[Said]) -> list[Listing]:
    found: list[Listing] = []
    before: Set[int] = set()
    for one in told:
        now = places(rows, one.levels)
        found.append(Listing(now - before, before - now, found[-1]) if found and one.by_changes else Listing(now))
        before = now
    return found


def lives(told: Sequence[Said], listings: Sequence[Listing], rows: Rows) -> list[Life]:
    read = {
        Key(NOON + at * timedelta(minutes=5), at): listing
        for at, (one, listing) in enumerate(zip(told, listings, strict=True))
        if one.read or at == 0
    }
    return sorted(retold(NOTHING, read, rows), key=lambda life: (life.pair, life.opened))


@given(told=listings)
def test_lives_are_the_same_however_listings_are_told_and_whichever_are_read(told: list[Said]) -> None:
    rows = Rows()
    whole = [Listing(places(rows, one.levels)) for one in told]
    assert lives(told, told_by_changes(rows, told), rows) == lives(told, whole, rows)


@given(told=listings)
def test_a_listing_knows_all_its_places_in_whatever_order_it_is_asked(told: list[Said]) -> None:
    rows = Rows()
    found = told_by_changes(rows, told)
    for at in reversed(range(len(told))):
        assert found[at].places() == places(rows, told[at].levels)
        if told[at].read:
            found[at].forget()
    assert [listing.places() for listing in found] == [places(rows, one.levels) for one in told]


def test_very_many_listings_told_one_by_another_are_no_matter() -> None:
    listing = Listing([0])
    for place in range(1, 50_000):
        listing = Listing([place], [place - 1], listing)
    assert listing.places() == {49_999}
