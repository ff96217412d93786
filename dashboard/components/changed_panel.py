"""What changed in a stretch of time: what its violations are made of, when they began, what happened near."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import escape

import streamlit as st

from core.analysis.period import PeriodFigures
from core.analysis.stretches import Stretch
from core.durations import in_words
from core.over_time import WhatChanged
from dashboard.components.opening import address_of
from dashboard.runtime import Runtime
from dashboard.viewer import Viewer
from dashboard.wording import moment, number, timed
from dashboard.wording_analysis import MARKER_LABELS, changed_sentence, part_in_words, shares_largest, stretch_in_words

Span = tuple[datetime, datetime]

_SHOWN = 6
_OWN = "Two times …"
_LIST, _FROM, _TO = "stretch", "stretch-from", "stretch-to"


def changed_panel(runtime: Runtime, viewer: Viewer, figures: PeriodFigures) -> None:
    """The choice of a stretch, kept in the address, and what is known of it."""
    st.html('<h2 class="card">What changed</h2>')
    if not figures.known:
        st.html('<p class="empty">No check compared anything in this time.</p>')
        return
    span = _choose(viewer, figures, runtime.monitor.record.present_stretch(figures.start, figures.end))
    if span is None:
        st.html('<p class="empty">Nothing was below healthy in this time. Drag over the violations to look closer.</p>')
        return
    changed = runtime.monitor.record.what_changed(*span)
    st.html(f'<p class="sentence wrap" data-testid="changed-sentence">{changed_sentence(changed)}</p>')
    if not changed.shares:
        _circumstances(viewer, changed)
        return
    left, right = st.columns([1, 1], gap="medium")
    with left:
        _parts(changed)
    with right:
        _circumstances(viewer, changed)


def remember(since: datetime, until: datetime) -> None:
    """Choose a stretch."""
    for name, at in (("since", since), ("until", until)):
        st.query_params[name] = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def chosen_span() -> Span | None:
    """The stretch that the address names; None when it names none, or not in words that can be read."""
    try:
        since, until = (datetime.fromisoformat(st.query_params[name]) for name in ("since", "until"))
    except (KeyError, ValueError):
        return None
    if since.tzinfo is None or until.tzinfo is None:
        return None
    return min(since, until).astimezone(UTC), max(since, until).astimezone(UTC)


def _choose(viewer: Viewer, figures: PeriodFigures, present: Stretch | None) -> Span | None:
    """The stretch that the address names, else the one that the newest check belongs to, else the longest."""
    stretches = {
        stretch_in_words(stretch, figures.thresholds, viewer.zone, viewer.now): (stretch.start, stretch.end)
        for stretch in ([] if present is None else [present]) + list(figures.stretches)
    }
    span = chosen_span()
    named = next((words for words, times in stretches.items() if times == span), None)
    if span is None and stretches:
        named, span = next(iter(stretches.items()))
    st.session_state[_LIST] = named or _OWN

    def choose() -> None:
        words = st.session_state[_LIST]
        remember(*(stretches.get(words) or span or (figures.end - timedelta(hours=1), figures.end)))

    more = figures.stretch_count - len(figures.stretches)
    note = f"the longest {len(figures.stretches)} of {number(figures.stretch_count)}" if more else "longest first"
    if present is not None:
        note = f"the present one, then {note}"
    st.selectbox(f"Stretch below healthy, {note}", [*stretches, _OWN], key=_LIST, on_change=choose)
    if named is None and (span is not None or st.query_params.get("since")):
        span = _own_times(viewer, span or (figures.end - timedelta(hours=1), figures.end))
    return span


def _own_times(viewer: Viewer, span: Span) -> Span:
    def choose() -> None:
        times = [st.session_state[key] for key in (_FROM, _TO)]
        if all(times):
            since, until = sorted(at.replace(tzinfo=viewer.zone).astimezone(UTC) for at in times)
            remember(since, until)

    for key, at in zip((_FROM, _TO), span, strict=True):
        st.session_state[key] = at.astimezone(viewer.zone).replace(tzinfo=None, second=0, microsecond=0)
    with st.container(horizontal=True, gap="small", key="stretch-times"):
        st.datetime_input("From", key=_FROM, on_change=choose, step=timedelta(minutes=5))
        st.datetime_input("To", key=_TO, on_change=choose, step=timedelta(minutes=5))
    return span


def _parts(changed: WhatChanged) -> None:
    shown, others = shares_largest(changed.shares, _SHOWN)
    largest = max(part.count for part in shown)
    rows = "".join(
        f'<tr><td class="number">{number(part.count)}</td><td>{escape(part_in_words(part))}'
        f'<i style="width: {100 * part.count / largest:.1f}%"></i></td></tr>'
        for part in shown
    )
    rest = f'<tr><td class="number">{number(others)}</td><td>others</td></tr>' if others else ""
    st.html(f'<table class="parts">{rows}{rest}</table>')


def _circumstances(viewer: Viewer, changed: WhatChanged) -> None:
    lines = []
    if changed.began_at is not None and changed.began_in is not None:
        at = timed(moment(changed.began_at, viewer.zone, viewer.now), changed.began_at, viewer.zone)
        lines.append(f"It rose most at <b>{at}</b>: {_link(changed.began_in, 'the report of that check')}.")
    if changed.worst_in is not None:
        lines.append(f"{_link(changed.worst_in, 'The report of its worst check')}.")
    if not changed.markers:
        lines.append("No marker lies in it, nor in the hour before it.")
    for marker in changed.markers:
        apart = changed.start - marker.at
        when = f"{in_words(apart)} before it" if apart > timedelta(0) else f"{in_words(-apart)} into it"
        at = timed(when, marker.at, viewer.zone)
        lines.append(f"{MARKER_LABELS[marker.kind]} <b>{escape(marker.title)}</b>, {at}.")
    st.html("".join(f'<p class="detail">{line}</p>' for line in lines))


def _link(check: int, words: str) -> str:
    return f'<a href="{address_of(check)}" target="_self">{words}</a>'
