"""Reports: making one for people who never log in, and all that are kept."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo

import streamlit as st

from core.errors import ReportProblem
from core.health_monitor import HealthSummary
from core.model import ReportFormat
from core.reports.period import Period, PeriodKind, around, parse
from core.setting_groups import ReportSettings
from core.state.reports import KeptReport
from dashboard.kept_reports import PATH
from dashboard.runtime import Runtime
from dashboard.viewer import Viewer
from dashboard.wording import moment, timed

_PERIODS = {
    "this-month": "This month so far",
    "last-month": "Last month",
    "last-week": "Last week",
    "this-week": "This week so far",
    "": "Days of my choice",
}
_FORMATS = {
    ReportFormat.PDF: "PDF",
    ReportFormat.PPTX: "PowerPoint",
    ReportFormat.HTML: "Web page (HTML)",
    ReportFormat.CSV: "Series (CSV)",
}
_LANGUAGES = {"en": "English", "hu": "Magyar"}
_MADE, _PROBLEM = "made-report", "report-problem"


def view(runtime: Runtime, viewer: Viewer, summary: HealthSummary) -> None:
    """What reports are for, a form to make one, and those that are kept."""
    st.html('<h1 class="page">Reports</h1>')
    st.html(
        '<p class="detail quiet">For people who never log in: one page with the verdict, then details and the method. '
        f"{_schedule(runtime.settings.report)}</p>"
    )
    with st.container(border=True, key="new-report"):
        _form(runtime, viewer)
    kept = runtime.reports.kept()
    if not kept:
        st.html('<p class="empty">No report is kept yet. Make the first one above.</p>')
    for report in kept:
        st.html(_in_html(report, runtime.reports.title_of(report), viewer, new=report.id == st.session_state.get(_MADE)))


def _schedule(wanted: ReportSettings) -> str:
    """When reports are made by themselves."""
    times = [said for asked, said in ((wanted.weekly, "every Monday"), (wanted.monthly, "on the first of the month")) if asked]
    if not times or not wanted.formats:
        return "None is made by itself: report.weekly and report.monthly are off."
    formats = ", ".join(_FORMATS[format_] for format_ in dict.fromkeys(wanted.formats))
    return f"One is made by itself {' and '.join(times)} ({escape(wanted.time_zone)}), as {formats}."


def _form(runtime: Runtime, viewer: Viewer) -> None:
    def make() -> None:
        state = st.session_state
        for key in (_PROBLEM, _MADE):
            state.pop(key, None)
        try:
            period = _chosen(state["report-period"], state.get("report-days"), wanted.time_zone, runtime.clock())
            state[_MADE] = runtime.reports.make(
                period,
                state["report-format"],
                viewer.username,
                language=state["report-language"],
                user_ids=bool(state["report-users"]),
            )
        except ReportProblem as problem:
            state[_PROBLEM] = problem.advice

    wanted = runtime.settings.report
    st.html('<h2 class="card">New report</h2>')
    with st.container(key="report-form", horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = st.selectbox("Period", list(_PERIODS), format_func=_PERIODS.__getitem__, key="report-period", width=190)
        if not chosen:
            today = viewer.now.astimezone(ZoneInfo(wanted.time_zone)).date()
            before = today - timedelta(days=7)
            st.date_input("From and to", value=(before, today), max_value=today, key="report-days", width=230)
        st.selectbox("As", list(_FORMATS), format_func=_FORMATS.__getitem__, key="report-format", width=170)
        st.selectbox("Language", runtime.reports.languages(), format_func=_language, key="report-language", width=130)
        st.checkbox("Name users", value=wanted.user_ids, key="report-users", help="Without it, pairs are counted, not named.")
        st.button("Make report", key="make-report", type="primary", on_click=make)
    if problem := st.session_state.get(_PROBLEM):
        st.error(problem, icon=":material/error:")


def _language(language: str) -> str:
    return _LANGUAGES.get(language, language)


def _chosen(name: str, days: object, zone: str, now: datetime) -> Period:
    """The period of the form. Raises ReportProblem."""
    if name:
        return parse(name, zone, now)
    chosen = [day for day in days if isinstance(day, date)] if isinstance(days, tuple) else []
    if not chosen:
        raise ReportProblem("No day is chosen.", hint="Choose the first and the last day.")
    first, last = chosen[0], chosen[-1]
    return parse(f"{first}..{last}" if first != last else around(first, PeriodKind.DAY, zone).name, zone, now)


def _in_html(report: KeptReport, title: str, viewer: Viewer, *, new: bool) -> str:
    made = timed(moment(report.made_at, viewer.zone, viewer.now), report.made_at, viewer.zone)
    who = "on schedule" if report.made_by is None else f"by {escape(report.made_by)}"
    mark = '<span class="pill healthy">New</span>' if new else ""
    until = "" if _over(report) else f" · until {report.period_end.astimezone(UTC):%d %b %Y %H:%M} UTC"
    return (
        f'<div class="kept-report" data-report="{report.id}"><div><b>{escape(title)}</b> '
        f'<span class="pill scope">{_FORMATS[report.format]}</span>{mark}'
        f'<p class="detail note">{escape(_language(report.language))} · made {made} {who} · {_size(report.size)}{until}</p></div>'
        f'<a class="button" href="{PATH}/{report.id}" download="{escape(report.name)}">Download</a></div>'
    )


def _over(report: KeptReport) -> bool:
    """Whether the period was over when its report was made; else it ends where that was."""
    return report.period_end < report.made_at


def _size(size: int) -> str:
    return f"{max(round(size / 1000), 1)} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"
