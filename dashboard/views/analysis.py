"""Analysis: is the promise kept, and what was wrong when it was not?"""

from __future__ import annotations

from datetime import datetime, timedelta

import streamlit as st

from core.analysis.budget import Budget
from core.analysis.heat import standout
from core.analysis.period import PeriodFigures
from core.analysis.sums import TimeClass
from core.durations import in_words
from core.health_monitor import HealthSummary
from core.model import Status
from core.status import consistency_rate
from dashboard.components import analysed, charts
from dashboard.components.changed_panel import changed_panel, remember
from dashboard.components.markers_card import markers_card
from dashboard.components.opening import address_of
from dashboard.components.pair_tables import most_returning, oldest_open
from dashboard.components.tiles import Tile, tiles
from dashboard.components.time_range import bounds, choose_range, in_the_last
from dashboard.components.uptime_bar import uptime_bar
from dashboard.components.violations_over_time import Measure
from dashboard.runtime import Runtime
from dashboard.viewer import Viewer
from dashboard.wording import NONE, STATUS_LOOKS, UNBROKEN, counted, moment, number, rate, timed, until
from dashboard.wording_analysis import budget_in_words, burn, heat_sentence, overdrawn, percentage, verdict

_RANGES = {
    "7 d": timedelta(days=7),
    "30 d": timedelta(days=30),
    "90 d": timedelta(days=90),
    "1 y": timedelta(days=365),
}
_USUAL = "30 d"
_LISTED = 10


def view(runtime: Runtime, viewer: Viewer, summary: HealthSummary) -> None:
    """The range, the verdict and its figures; then where trouble was, what it was made of, and what happened near it."""
    st.html('<h1 class="page">Analysis</h1>')
    _say_what_is_now(summary)
    chosen = choose_range(_RANGES, _USUAL, "analysis-range")
    beginning, end = bounds(_RANGES, chosen, viewer, "analysis-days")
    start = beginning or end - _RANGES[_USUAL]
    found = analysed.read(runtime, start, end, summary.version)
    markers = runtime.monitor.record.markers(start, end)
    _verdict(viewer, summary, found.figures, in_the_last(chosen))
    if found.figures.sums.ran:
        tiles(_tiles(viewer, found.figures))
        if in_full := budget_in_words(found.figures.budget):
            st.html(f'<p class="detail quiet" data-testid="budget-in-words">{in_full}</p>')
        with st.container(border=True, key="uptime-card"):
            st.html('<h2 class="card">Time by status</h2>')
            uptime_bar(found.figures.sums)
        with st.container(border=True, key="trend-card"):
            st.html('<h2 class="card">Rate <span class="note">click a point to open its check, drag to zoom</span></h2>')
            charts.rates(runtime, viewer, found.trend, markers)
        _made_of(viewer, found)
        with st.container(border=True, key="changed-card"):
            changed_panel(runtime, viewer, found.figures)
        with st.container(border=True, key="heat-card"):
            st.html('<h2 class="card">Hours of the week <span class="note">share of checks that were not healthy</span></h2>')
            heat = analysed.heat(runtime, start, end, viewer.zone, summary.version)
            st.html(f'<p class="sentence" data-testid="heat-sentence">{heat_sentence(standout(heat))}</p>')
            charts.heat(viewer, heat)
        _pairs(runtime, viewer, start, end)
    with st.container(border=True, key="markers-card"):
        markers_card(runtime, viewer, markers)


def _say_what_is_now(summary: HealthSummary) -> None:
    """A good month does not make a bad moment good."""
    if summary.status is Status.HEALTHY or summary.last is None:
        return
    look = STATUS_LOOKS[summary.status]
    say = st.error if summary.status is Status.CRITICAL else st.warning
    say(f"The status is {look.label.lower()} now: {summary.assessment.reason}.", icon=f":material/{look.icon}:")


def _verdict(viewer: Viewer, summary: HealthSummary, figures: PeriodFigures, stretch: str) -> None:
    st.html(f'<p class="sentence answer-line" data-testid="verdict">{verdict(figures, stretch)}</p>')
    sums = figures.sums
    if not sums.ran and summary.last is None:
        first = (
            f"The next check starts in {until(summary.next_check, viewer.now, viewer.zone)}."
            if summary.next_check
            else "Press Run now on the overview."
        )
        st.html(f'<p class="empty">No check has completed yet. {first}</p>')
    if sums.imported:
        st.html(
            f'<p class="detail quiet">{number(sums.imported)} of {number(sums.attempts)} readings are logs of the earlier '
            "system, which wrote none while all pairs agreed: what is said of that time is worse than it was.</p>"
        )
    if sums.in_maintenance:
        st.html(
            f'<p class="detail quiet" data-testid="maintenance-note">{counted(sums.in_maintenance, "check", "checks")} ran in '
            f"planned maintenance ({in_words(sums.time(TimeClass.MAINTENANCE))}): neither healthy nor bad. They have no part in "
            "rates, shares, budget, stretches and times to heal; charts show them.</p>"
        )
    if figures.dropped_days:
        st.html(
            f'<p class="detail quiet">Of {number(figures.dropped_days)} days only sums are kept: they have a part in the rates, '
            "the shares and the times by status, and none in stretches, parts and hours.</p>"
        )


def _tiles(viewer: Viewer, figures: PeriodFigures) -> list[Tile]:
    sums, budget, lives = figures.sums, figures.budget, figures.episodes
    worst = NONE
    if sums.worst is not None:
        lowest = rate(consistency_rate(sums.worst.consistent, sums.worst.total, figures.thresholds))
        worst = f'<a href="{address_of(sums.worst.number)}" target="_self">{lowest}</a>'
    when = ""
    if sums.worst is not None:
        when = f", {timed(moment(sums.worst.at, viewer.zone, viewer.now), sums.worst.at, viewer.zone)}"
    mean = sums.mean_rate(figures.thresholds)
    share = NONE if sums.healthy_share is None else f"{sums.healthy_share:.2f} %"
    longest = figures.stretches[0].length if figures.stretches else None
    repair = lives.mean_time_to_repair
    day = next(pace for pace in budget.paces if pace.length == timedelta(days=1))
    return [
        Tile(NONE if mean is None else rate(mean), "mean rate of all comparisons", "mean"),
        Tile(worst, f"lowest rate{when}", "worst"),
        Tile(share, f"healthy: {number(sums.healthy)} of {number(sums.attempts)} checks", "healthy"),
        _budget_tile(budget),
        Tile(burn(day.burn_rate), f"burn rate, last day; at 1{UNBROKEN}× the budget lasts the window", "burn"),
        Tile(
            NONE if longest is None else in_words(longest) if longest else "one check",
            f"longest time below {percentage(figures.thresholds.healthy).replace(' ', UNBROKEN)}",
            "longest",
        ),
        Tile(NONE if repair is None else in_words(repair), f"mean time to heal (MTTR), {number(lives.healed)} healed", "repair"),
        Tile(number(figures.ran_of_expected), f"checks ran of {number(figures.expected)} expected", "ran"),
    ]


def _budget_tile(budget: Budget) -> Tile:
    window, left = in_words(budget.objective.window), budget.left_percent
    if left is None:
        return Tile(NONE, f"error budget left ({window})", "budget")
    if left < 0:
        return Tile("0 %", f"error budget left ({window}); {overdrawn(left)}", "budget")
    ran = "" if budget.kept else ", by the checks that ran"
    return Tile(f"{left} %", f"error budget left ({window}{ran})", "budget")


def _made_of(viewer: Viewer, found: analysed.Analysed) -> None:
    with st.container(border=True, key="made-of-card"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            hint = "the worst check of each stretch; drag over some to see what changed"
            st.html(f'<h2 class="card">Violations over time <span class="note">{hint}</span></h2>')
            measure = st.segmented_control(
                "Parts", list(Measure), default=Measure.KIND, key="made-of", required=True, label_visibility="collapsed"
            )
        charts.made_of(viewer, found.buckets, Measure(measure or Measure.KIND), remember)


def _pairs(runtime: Runtime, viewer: Viewer, start: datetime, end: datetime) -> None:
    left, right = st.columns([1, 1], gap="small")
    with left, st.container(border=True, key="oldest-card"):
        oldest_open(runtime.monitor.record.oldest_open(_LISTED), viewer)
    with right, st.container(border=True, key="returning-card"):
        most_returning(runtime.monitor.record.most_returning(start, end, _LISTED), viewer)
