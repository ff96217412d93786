"""Sync: what can be mended, a plan before anything is written, how far a run is, and what it did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from html import escape

import streamlit as st

from core.durations import in_words
from core.errors import NoSuchRun
from core.health_monitor import HealthSummary
from core.model import Kind, Status
from core.state.sync_runs import BEFORE_ITS_FIRST_WRITE, Run, RunStatus
from core.sync.change import UNTOUCHED, ChangeOutcome
from core.sync.policy import PLANNABLE, Policies, Policy
from dashboard.components.sync_changes import changes_table, reasons_list, rows_before_and_after, statements
from dashboard.components.sync_deciding import decide, take_back
from dashboard.components.sync_opening import READ_ONLY, SYNC_PATH, address_of, plan_and_open
from dashboard.runtime import Runtime
from dashboard.viewer import Viewer
from dashboard.wording import KIND_LABELS, ago, counted, moment, number, timed
from dashboard.wording_sync import POLICY_ADVICE, POLICY_LABELS, RUN_LABELS, can_be_synced, counts_in_words

_PAGE = 50
_LONGEST_CHECK = timedelta(minutes=5)
_LOOKS = {
    RunStatus.DONE: "healthy",
    RunStatus.HELD: "degraded",
    RunStatus.WAITING: "degraded",
    RunStatus.STOPPED: "critical",
    RunStatus.INTERRUPTED: "critical",
}
_WRITTEN = (ChangeOutcome.APPLIED, ChangeOutcome.UNDONE)
_TRIED = (*_WRITTEN, ChangeOutcome.CHANGED, ChangeOutcome.FAILED, ChangeOutcome.UNCLEAR)


def view(runtime: Runtime, viewer: Viewer, summary: HealthSummary) -> None:
    """A run where the address names one, else what can be done and what was."""
    wanted = st.query_params.get("run")
    if wanted is None:
        _start(runtime, viewer, summary)
        return
    st.html(f'<a class="more" href="/{SYNC_PATH}" target="_self">← All syncs</a>')
    try:
        run = runtime.sync.run(int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 else 0)
    except NoSuchRun:
        st.html('<h1 class="page">Sync</h1>')
        st.warning(
            f"There is no run {wanted[:20]!r}. Plans that nobody confirmed are forgotten after a day.", icon=":material/link_off:"
        )
        return
    _run(runtime, viewer, run)


# --- before a plan ------------------------------------------------------------------------------------------------------


def _start(runtime: Runtime, viewer: Viewer, summary: HealthSummary) -> None:
    st.html('<h1 class="page">Sync <span class="note">mend what disagrees: planned, confirmed, recorded, reversible</span></h1>')
    with st.container(border=True, key="sync-plan-card"):
        st.html(f'<p class="answer-line" data-testid="can-be-synced">{_answer(summary)}</p>')
        if not runtime.sync.may_write:
            st.info(f"A plan can be made and looked at; it cannot be written. {READ_ONLY}", icon=":material/lock:")
        policies = _choose_policies(runtime)
        if st.button("Make a plan", key="plan-sync", type="primary", icon=":material/checklist:"):
            plan_and_open(runtime, viewer, policies=policies)
        st.html(f'<p class="detail quiet">A plan checks first and writes nothing. {_by_itself(runtime, viewer)}</p>')
    _runs(runtime, viewer)


def _answer(summary: HealthSummary) -> str:
    last = summary.last
    if last is None or summary.totals is None:
        return "No check has completed yet; a plan begins with one."
    said = can_be_synced(last.by_kind) if summary.totals.inconsistent else "The last check found nothing to mend."
    return f"Last known: {said} A plan checks anew." if summary.status is Status.UNKNOWN else said


def _choose_policies(runtime: Runtime) -> Policies:
    usual = runtime.settings.sync.policies
    chosen: dict[Kind, Policy] = {}
    with st.container(key="choices", horizontal=True, gap="small"):
        for kind in PLANNABLE:
            choice = st.selectbox(
                KIND_LABELS[kind],
                list(Policy),
                index=list(Policy).index(usual.of(kind)),
                format_func=lambda policy: POLICY_LABELS[Policy(policy)],
                key=f"policy-{kind}",
                width=230,
                help="  \n".join(f"**{POLICY_LABELS[policy]}**: {POLICY_ADVICE[policy]}" for policy in Policy),
            )
            chosen[kind] = choice or usual.of(kind)
    return Policies(chosen)


def _by_itself(runtime: Runtime, viewer: Viewer) -> str:
    settings = runtime.settings.sync
    if not settings.scheduled:
        return "Nothing is mended by itself: <code>sync.scheduled</code> is off."
    if not runtime.sync.may_write:
        return "<code>sync.scheduled</code> is on, and does nothing without write access."
    coming = runtime.next_runs().get("progress_license_sync")
    when = f", the next time at {timed(moment(coming, viewer.zone, viewer.now), coming, viewer.zone)}" if coming else ""
    return f"By itself it mends every {settings.interval_hours:g} h{when}."


def _runs(runtime: Runtime, viewer: Viewer) -> None:
    runs = runtime.sync.runs(_PAGE)
    st.html('<h2 class="card">Runs</h2>')
    if not runs:
        st.html('<p class="empty">Nothing was written yet. Every run will be listed here, with what it did to each pair.</p>')
        return
    lines = "".join(_line(viewer, run, counts) for run, counts in runs)
    st.html(f'<div class="runs">{lines}</div>')


def _line(viewer: Viewer, run: Run, counts: Mapping[ChangeOutcome, int]) -> str:
    at = run.finished_at or run.started_at or run.planned_at
    when = timed(moment(at, viewer.zone, viewer.now), at, viewer.zone)
    pairs = counts_in_words(counts, undoing=run.undoes is not None)
    what = f"takes back run {run.undoes}" if run.undoes else f"by {escape(run.confirmed_by or run.planned_by)}"
    return (
        f'<a class="run" href="{address_of(run.id)}" target="_self" data-run="{run.id}" data-status="{run.status}">'
        f"<b>Run {run.id}</b> {_pill(run, counts)} <span>{pairs}</span>"
        f'<span class="note">{when} · {what}</span></a>'
    )


def _pill(run: Run, counts: Mapping[ChangeOutcome, int]) -> str:
    look = _LOOKS.get(run.status, "unknown")
    if run.status is RunStatus.DONE:
        look = _look_of_done(run, counts)
    return f'<span class="pill {look}">{RUN_LABELS[run.status]}</span>'


def _look_of_done(run: Run, counts: Mapping[ChangeOutcome, int]) -> str:
    """Green when all that was planned is written and agreed when it was looked at; never before anybody looked."""
    written = sum(counts.get(outcome, 0) for outcome in _WRITTEN)
    if written != run.planned or run.check_problem:
        return "degraded"
    if run.undoes is not None or not written or run.mended == written:
        return "healthy"
    return "unknown" if run.mended is None else "degraded"


# --- a run --------------------------------------------------------------------------------------------------------------


def _run(runtime: Runtime, viewer: Viewer, run: Run) -> None:
    counts = runtime.sync.counts(run.id)
    what = f"takes back run {run.undoes}" if run.undoes else "sync"
    stands = f'data-run="{run.id}" data-status="{run.status}"'
    st.html(f'<h1 class="page" {stands}>Run {run.id} <span class="note">{what}</span> {_pill(run, counts)}</h1>')
    with st.container(border=True, key="sync-answer-card"):
        st.html(f'<p class="answer-line" data-testid="run-answer">{_outcome(run, counts)}</p>')
        st.html(f'<p class="detail quiet">{_who(viewer, run)}</p>')
        if run.status in BEFORE_ITS_FIRST_WRITE:
            decide(runtime, viewer, run)
        elif run.status is RunStatus.RUNNING:
            _progress(run, counts)
        else:
            _result(runtime, viewer, run, counts)
    _changes(runtime, run, counts)
    if run.status in (*BEFORE_ITS_FIRST_WRITE, RunStatus.RUNNING) or _check_runs(viewer, run):
        _follow(runtime, run)


def _outcome(run: Run, counts: Mapping[ChangeOutcome, int]) -> str:
    left = f" {counted(run.left_alone, 'pair is', 'pairs are')} left alone." if run.left_alone else ""
    if run.status in BEFORE_ITS_FIRST_WRITE:
        return f"<b>{counted(run.planned, 'change', 'changes')}</b> would be {'put back' if run.undoes else 'written'}.{left}"
    written = sum(counts.get(outcome, 0) for outcome in _WRITTEN)
    verb = "put back" if run.undoes else "written"
    if run.status is RunStatus.RUNNING:
        return f"<b>{number(sum(counts.get(outcome, 0) for outcome in _TRIED))} of {number(run.planned)}</b> tried so far."
    if run.status is RunStatus.REFUSED:
        return "Nothing was written."
    others = ", ".join(
        counts_in_words({outcome: counts[outcome]}) for outcome in (*UNTOUCHED, ChangeOutcome.UNCLEAR) if counts.get(outcome)
    )
    return (
        f"<b>{number(written)} of {counted(run.planned, 'change', 'changes')}</b> {verb}"
        + (f"; {others}." if others else ".")
        + left
    )


def _who(viewer: Viewer, run: Run) -> str:
    parts = [
        f"planned {timed(ago(run.planned_at, viewer.now), run.planned_at, viewer.zone, role='ago')} by {escape(run.planned_by)}"
    ]
    if run.confirmed_by:
        parts.append(f"confirmed by {escape(run.confirmed_by)}")
    if run.approved_by:
        parts.append(f"approved by {escape(run.approved_by)}")
    if run.started_at and run.finished_at:
        parts.append(f"took {in_words(run.finished_at - run.started_at)}")
    if run.record_file:
        parts.append(f"recorded in {escape(run.record_file)}")
    if not run.undoes:
        policy = {POLICY_LABELS[run.policies.of(kind)].lower() for kind in PLANNABLE}
        parts.append(f"policy: {', '.join(sorted(policy))}")
    text = " · ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _progress(run: Run, counts: Mapping[ChangeOutcome, int]) -> None:
    tried = sum(counts.get(outcome, 0) for outcome in _TRIED)
    st.progress(min(tried / max(run.planned, 1), 1.0), text=f"{number(tried)} of {number(run.planned)}")
    st.html('<p class="detail quiet">This page may be closed; the run goes on, and its result stays here.</p>')


def _result(runtime: Runtime, viewer: Viewer, run: Run, counts: Mapping[ChangeOutcome, int]) -> None:
    if run.reason:
        say = st.info if run.status is RunStatus.REFUSED else st.warning
        say(run.reason, icon=":material/info:")
    written = counts.get(ChangeOutcome.APPLIED, 0)
    if run.check_problem:
        st.warning(f"The check after it failed, so nobody knows yet what it mended: {run.check_problem}", icon=":material/help:")
    elif run.mended is not None and run.undoes is None:
        _say_mended(run, counts)
    elif _check_runs(viewer, run):
        st.html('<p class="detail quiet">A check runs, to tell what agrees now …</p>')
    take_back(runtime, viewer, run, written)


def _say_mended(run: Run, counts: Mapping[ChangeOutcome, int]) -> None:
    total, undone = sum(counts.get(outcome, 0) for outcome in _WRITTEN), counts.get(ChangeOutcome.UNDONE, 0)
    if not total:
        return
    agree = "all of them agreed" if run.mended == total else f"{number(run.mended)} of {number(total)} agreed"
    since = f" {number(undone)} of them {'was' if undone == 1 else 'were'} taken back since." if undone else ""
    st.html(f'<p class="detail" data-testid="mended">The check after it: {agree}.{since}</p>')
    if run.mended is not None and run.mended < total:
        st.warning("Not all that was written agrees: something else writes these pairs. Look at them.", icon=":material/warning:")


def _check_runs(viewer: Viewer, run: Run) -> bool:
    """Whether the check that follows a run is still to be expected: it never comes where the process ended."""
    open_ = run.started_at is not None and run.check_id is None and run.check_problem is None
    return open_ and run.finished_at is not None and viewer.now - run.finished_at < _LONGEST_CHECK


def _changes(runtime: Runtime, run: Run, counts: Mapping[ChangeOutcome, int]) -> None:
    written = sum(count for outcome, count in counts.items() if outcome is not ChangeOutcome.LEFT_ALONE)
    if written:
        shown = [outcome for outcome in ChangeOutcome if outcome is not ChangeOutcome.LEFT_ALONE]
        after = _position("after")
        changes = runtime.sync.changes(run.id, shown, after=after, limit=_PAGE)
        if run.status in BEFORE_ITS_FIRST_WRITE:
            rows_before_and_after(run, changes)
            if run.undoes is None:
                statements(runtime, run, changes)
        with st.container(border=True, key="sync-changes-card"):
            st.html(f'<h2 class="card">{"What is put back" if run.undoes else "Changes"} ({number(written)})</h2>')
            changes_table(changes, with_outcome=run.status not in BEFORE_ITS_FIRST_WRITE)
            _pager(run, after, changes[-1].position if len(changes) == _PAGE and written > _PAGE else None)
    if counts.get(ChangeOutcome.LEFT_ALONE):
        with st.container(border=True, key="sync-left-card"):
            st.html(f'<h2 class="card">Left alone ({number(run.left_alone)})</h2>')
            reasons_list(runtime.sync.reasons(run.id, ChangeOutcome.LEFT_ALONE), ChangeOutcome.LEFT_ALONE)
            changes_table(runtime.sync.changes(run.id, [ChangeOutcome.LEFT_ALONE], limit=_PAGE), with_outcome=True)
            if run.left_alone > _PAGE:
                st.html(f'<p class="detail quiet">The first {_PAGE} are shown; the record and the API list more of them.</p>')
    if run.not_looked_at:
        st.info(
            f"{number(run.not_looked_at)} more violations do not fit into one plan; a next run takes them.",
            icon=":material/info:",
        )


def _pager(run: Run, after: int, last: int | None) -> None:
    links = [f'<a class="button" href="{address_of(run.id)}" target="_self">First</a>'] if after else []
    if last is not None:
        links.append(f'<a class="button" href="{address_of(run.id)}&after={last}" target="_self">Next {_PAGE}</a>')
    if links:
        st.html(f'<p class="detail">{" ".join(links)}</p>')


def _position(name: str) -> int:
    text = st.query_params.get(name, "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _follow(runtime: Runtime, drawn: Run) -> None:
    """Draw the page again when the run goes on."""
    seen = runtime.sync.counts(drawn.id)

    @st.fragment(run_every=1, key="follow-run")
    def look() -> None:
        try:
            changed = runtime.sync.run(drawn.id) != drawn or runtime.sync.counts(drawn.id) != seen
        except NoSuchRun:
            changed = True
        if changed:
            st.rerun()

    look()
