"""What a viewer chose stands in the address, whole, and what an address holds wrongly does no harm."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.model import Action, Kind
from core.state.current_violations import Life, SortKey, ViolationFilter
from dashboard.violation_query import PAGE_SIZE, Tab, ViolationQuery, mistakes
from tests.examples import examples

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
filters = st.builds(
    ViolationFilter,
    kind=st.none() | st.sampled_from(Kind),
    specialization=st.none() | texts,
    user=st.none() | texts.map(str.strip).filter(bool),
    action=st.none() | st.sampled_from(Action),
    life=st.none() | st.sampled_from(Life),
)
queries = st.builds(
    ViolationQuery,
    filter=filters,
    sort=st.sampled_from(SortKey),
    descending=st.booleans(),
    page=st.integers(1, 10**7),
    tab=st.sampled_from(Tab),
    selected=st.none() | st.tuples(texts, texts),
)


@settings(max_examples=examples(300))
@given(queries)
@example(ViolationQuery(selected=("left|right", "PLAYER")))
@example(ViolationQuery(selected=("42", "A|B")))
@example(ViolationQuery(selected=("=1+1&page=2", "Ü %/?#")))
def test_a_query_survives_the_address(query: ViolationQuery) -> None:
    address = urlencode(query.to_params())
    assert ViolationQuery.from_params(dict(parse_qsl(address, keep_blank_values=True))) == query


@given(
    st.dictionaries(st.sampled_from(["kind", "specialization", "user", "action", "sort", "order", "page", "selected"]), st.text())
)
def test_any_address_gives_a_query_that_can_be_asked(params: dict[str, str]) -> None:
    query = ViolationQuery.from_params(params)
    assert query.page >= 1
    assert 0 <= query.offset < 2**63
    assert ViolationQuery.from_params(query.to_params()).filter == query.filter


@pytest.mark.parametrize("page", ["0", "-1", "1.5", "٣", "", "x", "9" * 30, " 2"])
def test_a_page_that_is_no_page_is_the_first(page: str) -> None:
    assert ViolationQuery.from_params({"page": page}).page == 1


def test_what_is_as_usual_is_left_out_of_the_address() -> None:
    assert ViolationQuery().to_params() == {}
    assert ViolationQuery(filter=ViolationFilter(kind=Kind.LEVEL_NOT_SET), page=2).to_params() == {
        "kind": "level_not_set",
        "page": "2",
    }


def test_what_an_address_asks_for_in_vain_is_named() -> None:
    assert mistakes({"kind": "typo", "action": "", "user": "typo"}) == [
        "There is no kind 'typo'; it is one of " + ", ".join(Kind) + "."
    ]
    assert mistakes(ViolationQuery(ViolationFilter(Kind.LEVEL_NOT_SET), SortKey.KIND).to_params()) == []


def test_a_misspelt_kind_filters_nothing() -> None:
    assert ViolationQuery.from_params({"kind": "level_mismatched", "action": "x", "sort": "y", "order": "z"}) == ViolationQuery()


def test_the_download_is_of_all_pages_and_of_the_same_rows() -> None:
    wanted = ViolationFilter(specialization="A&B=C", user="=1")
    address = ViolationQuery(filter=wanted, sort=SortKey.KIND, page=7, selected=("=1", "A&B=C")).csv_address
    parts = urlsplit(address)
    assert parts.path == "/export/violations.csv"
    downloaded = ViolationQuery.from_params(dict(parse_qsl(parts.query)))
    assert (downloaded.filter, downloaded.page, downloaded.selected) == (wanted, 1, None)
    assert ViolationQuery().csv_address == "/export/violations.csv"


def test_a_header_sorts_then_turns_round_and_goes_back_to_the_first_page() -> None:
    query = ViolationQuery(page=5)
    once = query.sorted_by(SortKey.KIND)
    assert (once.sort, once.descending, once.page) == (SortKey.KIND, False, 1)
    twice = once.sorted_by(SortKey.KIND)
    assert (twice.sort, twice.descending) == (SortKey.KIND, True)
    assert twice.sorted_by(SortKey.KIND).descending is False
    assert twice.sorted_by(SortKey.USER).descending is False


def test_pages_follow_each_other_without_a_gap() -> None:
    assert [ViolationQuery(page=page).offset for page in (1, 2, 3)] == [0, PAGE_SIZE, 2 * PAGE_SIZE]
