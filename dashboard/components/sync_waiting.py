"""Syncs that need somebody: those that are held or wait for a second admin, in a few lines on the overview."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.state.sync_runs import Run, RunStatus
from dashboard.components.sync_opening import address_of
from dashboard.runtime import Runtime
from dashboard.wording import counted
from dashboard.wording_sync import RUN_LABELS

_MOST = 3


def strip(runtime: Runtime) -> None:
    """What waits for a person, and what is at work; nothing when there is none."""
    lines = [_line(run) for run in runtime.sync.open_runs(_MOST)]
    if lines:
        st.html(f'<div class="alerts-strip" data-testid="sync-strip"><ul>{"".join(lines)}</ul></div>')


def _line(run: Run) -> str:
    look = "unknown" if run.status is RunStatus.RUNNING else "degraded"
    why = "" if run.status is RunStatus.RUNNING else f": {escape(run.reason or '')}"
    return (
        f'<li><span class="pill {look}">Sync</span> <a href="{address_of(run.id)}" target="_self">Run {run.id}</a>, '
        f"{counted(run.planned, 'change', 'changes')}. {RUN_LABELS[run.status]}{why}</li>"
    )
