"""What the guide tells a reader to type works, and nothing is left out silently."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from core.settings import FILE_NAME, load_settings
from tests.guide.pages import NOTES, PAGES, Block, Page
from tests.guide.terminal import Terminal

TYPED = ("sh", "python", "sql")
SHOWN = ("", "text", "ini", "nginx", "yaml", "dockerfile")  # what a reader sees, and excerpts of files; not to be typed

# How many blocks of a page cannot run here. Each says why, in the comment above it.
NOT_RUN = {
    "docs/getting-started.md": 3,
    "docs/connecting.md": 1,
    "docs/deployment.md": 10,
    "docs/jobs.md": 1,
    "docs/troubleshooting.md": 2,
    "docs/upgrading.md": 3,
}

BLOCKS = [block for page in PAGES for block in page.blocks]
TYPED_PAGES = [page for page in PAGES if any(block.tested and block.language in TYPED for block in page.blocks)]


def of(*languages: str) -> list[Block]:
    return [block for block in BLOCKS if block.tested and block.language in languages]


@pytest.mark.parametrize("page", TYPED_PAGES, ids=lambda page: page.name)
def test_a_page_can_be_typed_from_its_first_block_to_its_last(page: Page, terminal_for: Callable[[Page], Terminal]) -> None:
    terminal = terminal_for(page)
    for block in page.blocks:
        if not block.tested:
            continue
        if "serves" in block.notes:
            assert block.text == "coupling-health serve\n", f"{block.place}: the tests' server was started with another command"
        elif block.language in TYPED or "saved as" in block.notes:
            terminal.run(block)
    if terminal.missing:
        pytest.skip(f"all but what needs {', '.join(sorted(set(terminal.missing)))}")


@pytest.mark.parametrize("block", of("toml"), ids=lambda block: block.place)
def test_settings_of_the_guide_are_settings_of_the_product(block: Block, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text(block.text, "utf-8")  # the working directory is this folder
    load_settings()


@pytest.mark.parametrize("block", of("json"), ids=lambda block: block.place)
def test_documents_of_the_guide_are_whole(block: Block) -> None:
    json.loads(block.text)


def test_every_block_runs_or_says_why_not() -> None:
    skipped = Counter(block.page.name for block in BLOCKS if "not run" in block.notes)
    assert dict(skipped) == NOT_RUN
    assert all(len(block.notes["not run"]) > 10 for block in BLOCKS if "not run" in block.notes)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_a_block_says_what_it_is(block: Block) -> None:
    assert block.language in (*of_the_tested(), *SHOWN)
    if block.language in of_the_tested():
        assert set(block.notes) <= NOTES, f"these tests do not know {set(block.notes) - NOTES}"


def of_the_tested() -> tuple[str, ...]:
    return ("sh", "python", "toml", "sql", "json")
