"""Small facts side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True, slots=True)
class Tile:
    """A value and what it is; both HTML."""

    value: str
    label: str
    key: str


def tiles(row: Sequence[Tile], *, last_known: bool = False) -> None:
    """A row of facts that wraps on narrow screens; grey when they are only the last known ones."""
    cells = "".join(
        f'<div class="tile" data-testid="tile-{tile.key}">'
        f'<div class="value">{tile.value}</div><div class="label">{tile.label}</div></div>'
        for tile in row
    )
    st.html(f'<div class="tiles{" last-known" if last_known else ""}">{cells}</div>')
