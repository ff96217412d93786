"""The guide is one path, and none of its links leads nowhere."""

from __future__ import annotations

import re

import pytest

from tests.guide.pages import DOCS, PAGES, Page, page

LAST = "dependencies.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_their_anchors_lead_somewhere(page: Page) -> None:
    for link in page.links:
        target, _, anchor = link.partition("#")
        if "://" in target:
            continue
        path = (page.path.parent / target).resolve() if target else page.path
        assert path.exists(), f"{page.name} links to {link}"
        if anchor:
            assert anchor in Page(path).anchors, f"{page.name} links to {link}; there are {sorted(Page(path).anchors)}"


def test_each_page_ends_with_the_next_one_until_all_were_read() -> None:
    read = ["README.md"]
    while read[-1] != LAST:
        step = re.fullmatch(r"Next: \[[^\]]+\]\(([\w-]+\.md)\)\.", page(read[-1]).last_line)
        assert step, f"docs/{read[-1]} ends with {page(read[-1]).last_line!r}"
        assert step[1] not in read, f"the path goes in a circle: {read}, {step[1]}"
        read.append(step[1])
    assert sorted(read) == sorted(path.name for path in DOCS.glob("*.md"))


def test_the_index_names_every_page() -> None:
    index = page("README.md")
    others = {path.name for path in DOCS.glob("*.md")} - {"README.md"}
    assert others <= set(index.links)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_begins_with_its_one_title(page: Page) -> None:
    assert page.text.startswith("# ")
    assert len(re.findall(r"^# ", page.prose, re.MULTILINE)) == 1
