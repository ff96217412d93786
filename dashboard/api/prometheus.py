"""Metrics for Prometheus, made afresh for each scrape from what is known."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

from fastapi import APIRouter, HTTPException, Request, Response, Security
from fastapi.concurrency import run_in_threadpool
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    StateSetMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from core.alerts.phases import Phase
from core.errors import StateDatabaseUnavailable
from core.health_monitor import HealthSummary
from core.model import Kind, Scope, Status
from core.tally import BOUNDS, Tally
from dashboard.api.desk import desk_of
from dashboard.api.doorkeeper import Credentials, bearer, secret_of
from dashboard.api.health import errors
from dashboard.runtime import Runtime

PATH = "/metrics"

router = APIRouter(tags=["metrics and badge"])


@router.get(PATH, response_class=Response, responses={200: {"content": {"text/plain": {}}}, **errors()})
async def metrics(request: Request, credentials: Credentials = Security(bearer)) -> Response:
    """Prometheus' text format; needs a token with the scope read, unless the setting api.public_metrics opens it."""
    desk = desk_of(request)
    if not desk.runtime.settings.api.public_metrics:
        await desk.newest.keys()
        desk.doorkeeper.admit(request, secret_of(credentials), Scope.READ)
    if desk.runtime.problem is not None:
        raise HTTPException(503, desk.runtime.problem.advice)
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    body = await run_in_threadpool(lambda: encode(_registry(desk.runtime)))
    return Response(body, headers={"Content-Type": content_type, "Cache-Control": "no-store"})


def _registry(runtime: Runtime) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Snapshot(runtime))
    return registry


class _Snapshot(Collector):
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        summary = self._runtime.monitor.get_health_summary()
        yield from _newest_check(summary)
        yield from _process(self._runtime, summary)
        try:
            tally, alerts = self._runtime.monitor.tally(), list(_alerts(self._runtime))
        except StateDatabaseUnavailable:  # the status says so
            return
        yield from _attempts(tally, self._runtime.unwritten_scheduler_lines())
        yield from alerts


def _newest_check(summary: HealthSummary) -> Iterator[Metric]:
    states = {status.value: summary.status is status for status in Status}
    yield StateSetMetricFamily(
        "coupling_health_status", "Health at this moment; unknown when the newest check is too old or failed.", value=states
    )
    if summary.last is None or summary.totals is None:
        return
    totals, last = summary.totals, summary.last
    if totals.total_checked:
        yield GaugeMetricFamily(
            "coupling_health_consistency_ratio",
            "Consistent pairs among all, of the newest completed check, whatever its age: see coupling_health_status.",
            totals.consistent / totals.total_checked,
        )
    yield GaugeMetricFamily("coupling_health_pairs", "Pairs that the newest completed check compared.", totals.total_checked)
    violations = GaugeMetricFamily(
        "coupling_health_violations", "Violations that the newest completed check found, by kind.", labels=["kind"]
    )
    for kind in Kind:
        violations.add_metric([kind.value], last.by_kind.get(kind, 0))
    yield violations
    yield GaugeMetricFamily(
        "coupling_health_last_completed_check_timestamp_seconds",
        "When the newest completed check began.",
        last.timestamp.timestamp(),
    )


def _process(runtime: Runtime, summary: HealthSummary) -> Iterator[Metric]:
    yield GaugeMetricFamily("coupling_health_check_running", "Whether a check runs at this moment, anywhere.", summary.running)
    next_runs = GaugeMetricFamily(
        "coupling_health_job_next_run_timestamp_seconds", "When a job of this process starts next.", labels=["job_id"]
    )
    for job, moment in sorted(runtime.next_runs().items()):
        next_runs.add_metric([job], moment.timestamp())
    yield next_runs
    build = GaugeMetricFamily("coupling_health_build_info", "The version of this product.", labels=["version"])
    build.add_metric([version("coupling-health-dashboard")], 1)
    yield build


def _alerts(runtime: Runtime) -> Iterator[Metric]:
    firing = GaugeMetricFamily(
        "coupling_health_alert_firing", "Whether an alert rule fires, silenced or not.", labels=["rule", "severity"]
    )
    if runtime.alerts.problem is None:  # else nobody knows
        for state in runtime.alert_book.states():
            firing.add_metric([state.rule.name, state.rule.severity.value], state.standing.phase is Phase.FIRING)
        yield firing
    if runtime.alerts.evaluated_at is not None:
        yield GaugeMetricFamily(
            "coupling_health_alerts_evaluated_timestamp_seconds",
            "When this process last evaluated the alert rules.",
            runtime.alerts.evaluated_at.timestamp(),
        )
    holds = bool(runtime.maintenance.now())
    yield GaugeMetricFamily("coupling_health_in_maintenance", "Whether planned maintenance holds at this moment.", holds)


def _attempts(tally: Tally, unwritten_scheduler_lines: int) -> Iterator[Metric]:
    up_to, buckets = 0, []
    for bound, count in zip([*map(str, BOUNDS), "+Inf"], tally.durations, strict=True):
        up_to += count
        buckets.append((bound, float(up_to)))
    yield HistogramMetricFamily(
        "coupling_health_check_duration_seconds",
        "How long completed checks took, since the first one in the state database.",
        buckets=buckets,
        sum_value=tally.seconds,
    )
    yield CounterMetricFamily(
        "coupling_health_check_failures", "Checks that failed, since the first one in the state database.", tally.failed
    )
    unwritten = CounterMetricFamily(
        "coupling_health_log_write_errors",
        "Checks whose violation log could not be written, and lines of this process's scheduler log that could not.",
        labels=["log"],
    )
    unwritten.add_metric(["violations"], tally.unwritten_logs)
    unwritten.add_metric(["scheduler"], unwritten_scheduler_lines)
    yield unwritten
