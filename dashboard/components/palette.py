"""The neutral colours of charts, for each theme; a test holds them to those of the theme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from dashboard.wording import Theme

_LIGHT_SERIES = ("#1F4E79", "#7FB0DD", "#4C7BA8", "#B9D3EA", "#98A3AE", "#C9D0D7")
_DARK_SERIES = ("#6FA8DC", "#2F6598", "#B9D6F2", "#27496D", "#8B99A7", "#3A4652")


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours that say nothing about a status."""

    text: str
    quiet: str  # labels and ticks
    line: str  # grids and borders
    accent: str
    bar: str
    unknown: str  # stretches about which nothing is known
    series: tuple[str, ...]  # of parts that stand on each other; told apart by lightness alone, also without colour vision
    font: str = '"Source Sans", "Source Sans 3", sans-serif'

    @classmethod
    def of(cls, theme: Theme) -> Self:
        """The palette of a theme."""
        if theme is Theme.DARK:
            return cls("#E6ECF2", "#9DAAB7", "#2E3945", "#6FA8DC", "#5B6B7B", "rgba(36,44,53,0.9)", _DARK_SERIES)
        return cls("#17212B", "#5B6875", "#DDE3E9", "#1F4E79", "#9AA8B5", "rgba(238,241,244,0.92)", _LIGHT_SERIES)
