"""Violations that are over, pairs that were in flight, and the lives of one pair."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import streamlit as st

from core.durations import in_words
from core.state.episodes import Episode, Life, Seen
from core.state.settled import Settled
from dashboard.components.violations_table import Row, rows_table
from dashboard.viewer import Viewer
from dashboard.wording import KIND_LABELS, NONE, ago, counted, exact, moment, timed

_SHOWN_LIVES = 10

Choose = Callable[[tuple[str, str] | None], None]


@dataclass(frozen=True, slots=True)
class PastTable:
    """Labels of columns, and rows."""

    columns: Sequence[str]
    rows: Sequence[Row]


def healed_table(found: Sequence[Episode], viewer: Viewer) -> PastTable:
    """Violations that are over: what they were, when they healed, and how long they lasted."""
    columns = ("User", "Specialization", "Progress", "Licence", "Problem", "Healed", "Lasted", "First seen")
    return PastTable(columns, [_healed_row(episode, viewer) for episode in found])


def settled_table(found: Sequence[Settled], viewer: Viewer) -> PastTable:
    """Pairs that were caught in flight, as the first look saw them."""
    columns = ("User", "Specialization", "Progress", "Licence", "Looked like", "Seen")
    rows = []
    for pair in found:
        violation = pair.violation
        rows.append(
            Row(
                (str(violation.user_id), violation.specialization),
                (
                    str(violation.user_id),
                    violation.specialization,
                    _level(violation.progress_level),
                    _level(violation.license_level),
                    KIND_LABELS[violation.kind],
                    ago(pair.at, viewer.now),
                ),
                exact(pair.at, viewer.zone),
            )
        )
    return PastTable(columns, rows)


def past_table(table: PastTable, selected: tuple[str, str] | None, *, key: str, on_choose: Choose) -> None:
    """Draw a table whose rows can be chosen."""
    columns: list[dict[str, Any]] = [
        {"key": label, "label": label, "sortable": False, "number": label in ("Progress", "Licence")} for label in table.columns
    ]
    rows_table(columns, table.rows, key=key, selected=selected, on_choose=on_choose)


def timeline(lives: Sequence[Life], viewer: Viewer) -> None:
    """The lives of one pair, newest first: when each began, how it changed, when and after how long it healed."""
    if not lives:
        return
    before = len(lives) - 1
    note = f'<span class="note">{counted(before, "time", "times")} before</span>' if before else ""
    entries = "".join(_life(life, viewer) for life in lives[:_SHOWN_LIVES])
    more = f'<p class="detail quiet">… and {before + 1 - _SHOWN_LIVES} earlier ones.</p>' if before >= _SHOWN_LIVES else ""
    st.html(f'<h3 class="side">When it was apart {note}</h3><ol class="lives" data-testid="lives">{entries}</ol>{more}')


def _life(life: Life, viewer: Viewer) -> str:
    episode = life.episode
    steps = "".join(
        f"<li>{timed(moment(seen.at, viewer.zone, viewer.now), seen.at, viewer.zone)} {_how(seen)}</li>" for seen in life.seen
    )
    if episode.resolved_at is None:
        return (
            f'<li class="open"><ul>{steps}<li><b>still open</b>, for {in_words(viewer.now - episode.first_seen)}</li></ul></li>'
        )
    healed = timed(moment(episode.resolved_at, viewer.zone, viewer.now), episode.resolved_at, viewer.zone)
    return f"<li><ul>{steps}<li>{healed} healed, after {in_words(_lasted(episode))}</li></ul></li>"


def _how(seen: Seen) -> str:
    return f"{KIND_LABELS[seen.kind].lower()}: progress {_level(seen.progress_level)}, licence {_level(seen.license_level)}"


def _healed_row(episode: Episode, viewer: Viewer) -> Row:
    healed_at = episode.resolved_at
    return Row(
        (str(episode.user_id), episode.specialization),
        (
            str(episode.user_id),
            episode.specialization,
            _level(episode.progress_level),
            _level(episode.license_level),
            KIND_LABELS[episode.kind],
            NONE if healed_at is None else ago(healed_at, viewer.now),
            in_words(_lasted(episode)),
            moment(episode.first_seen, viewer.zone, viewer.now),
        ),
        f"{exact(episode.first_seen, viewer.zone)} to {exact(healed_at, viewer.zone)}" if healed_at else "",
        mark=f"returned ×{episode.earlier}" if episode.earlier else "",
    )


def _lasted(episode: Episode) -> timedelta:
    return timedelta(0) if episode.resolved_at is None else episode.resolved_at - episode.first_seen


def _level(level: int | None) -> str:
    return NONE if level is None else str(level)
