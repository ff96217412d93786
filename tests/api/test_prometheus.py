"""/metrics, as a real Prometheus reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from core.errors import CouplingHealthError
from core.model import Kind, Status
from tests.api.served import Api
from tests.application import SqliteApplication
from tests.frozen_clock import NOON, FrozenClock
from tests.subprocesses import ROOT

INTEGRATIONS = ROOT / "docs" / "integrations"
PREFIX = "coupling_health_"


def scraped(api: Api) -> dict[str, Metric]:
    answer = api.get("/metrics")
    assert answer.code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    return {family.name: family for family in text_string_to_metric_families(answer.body.decode())}


def value(families: dict[str, Metric], name: str, **labels: str) -> float:
    (found,) = [
        sample.value
        for family in families.values()
        for sample in family.samples
        if sample.name == PREFIX + name and labels.items() <= sample.labels.items()
    ]
    return float(found)


def test_what_the_newest_check_found_is_there(checked: Api) -> None:
    found = scraped(checked)
    assert value(found, "consistency_ratio") == pytest.approx(148 / 150)
    assert value(found, "pairs") == 150
    by_kind = {kind: value(found, "violations", kind=kind) for kind in Kind}
    assert by_kind == {kind: {Kind.LEVEL_MISMATCH: 1, Kind.MISSING_LICENSE: 1}.get(kind, 0) for kind in Kind}
    assert value(found, "last_completed_check_timestamp_seconds") == NOON.timestamp()
    assert (value(found, "check_running"), value(found, "check_failures_total")) == (0, 0)
    assert {value(found, "log_write_errors_total", log=log) for log in ("violations", "scheduler")} == {0}


def states(api: Api) -> dict[str, float]:
    return {status: value(scraped(api), "status", coupling_health_status=status) for status in Status}


def test_exactly_one_status_holds(api: Api, sqlite_app: SqliteApplication, clock: FrozenClock) -> None:
    assert states(api) == {"healthy": 0, "degraded": 0, "critical": 0, "unknown": 1}
    assert PREFIX + "consistency_ratio" not in scraped(api), "nothing is claimed before the first check"
    sqlite_app.agreeing(range(10))
    api.monitor.check_all_users()
    assert states(api) == {"healthy": 1, "degraded": 0, "critical": 0, "unknown": 0}
    clock.advance(minutes=11, seconds=1)
    assert states(api) == {"healthy": 0, "degraded": 0, "critical": 0, "unknown": 1}
    assert value(scraped(api), "consistency_ratio") == 1.0, "an alert on it does not end because nothing is known"


def test_durations_and_failures_count_since_the_first_check(
    checked: Api, sqlite_app: SqliteApplication, new_api: Callable[..., Api], clock: FrozenClock
) -> None:
    for _ in range(3):
        checked.monitor.check_all_users()
    sqlite_app.execute("ALTER TABLE user_licenses RENAME TO elsewhere")
    for _ in range(2):
        with pytest.raises(CouplingHealthError):
            checked.monitor.check_all_users()
    sqlite_app.execute("ALTER TABLE elsewhere RENAME TO user_licenses")
    logs = checked.monitor.settings.violation_log_dir
    logs.rename(logs.with_name("before"))
    logs.write_text("a file where the folder should be")
    with pytest.raises(CouplingHealthError):
        checked.monitor.check_all_users()
    another = new_api()  # another process, or the same one after a restart
    for api in (checked, another):
        found = scraped(api)
        assert value(found, "check_failures_total") == 3
        assert value(found, "log_write_errors_total", log="violations") == 1
        assert value(found, "check_duration_seconds_count") == 4
        assert value(found, "check_duration_seconds_bucket", le="+Inf") == 4
        buckets = [sample.value for sample in found[PREFIX + "check_duration_seconds"].samples if "le" in sample.labels]
        assert buckets == sorted(buckets)
    assert value(scraped(another), "check_duration_seconds_sum") == value(scraped(checked), "check_duration_seconds_sum")


def test_prometheus_own_rules_for_names_hold(checked: Api) -> None:
    """Those of `promtool check metrics`: prefix, base units, _total for counters alone, help for everything."""
    with_unit = {"ratio", "seconds"}
    for family in scraped(checked).values():
        assert re.fullmatch(r"coupling_health(_[a-z]+)+", family.name)
        assert family.documentation.endswith(".")
        assert not set(family.name.split("_")) & {
            "gauge",
            "counter",
            "histogram",
            "milliseconds",
            "ms",
            "minutes",
            "percent",
            "info2",
        }
        if family.type == "counter":
            assert all(sample.name.endswith("_total") for sample in family.samples)
        else:
            assert not family.name.endswith(("_total", "_count", "_sum", "_bucket"))
        if {"duration", "timestamp", "ratio"} & set(family.name.split("_")):
            assert family.name.split("_")[-1] in with_unit
        for sample in family.samples:
            assert "le" not in sample.labels or family.type == "histogram"
            assert not {"job", "instance"} & set(sample.labels), "those are Prometheus' own"


def test_open_metrics_are_given_to_who_asks_for_them(checked: Api) -> None:
    answer = checked.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    families = {family.name: family for family in openmetrics(answer.body.decode())}
    assert families["coupling_health_status"].type == "stateset"


def test_a_setting_opens_the_metrics_and_nothing_else(new_api: Callable[..., Api]) -> None:
    public = new_api(api={"public_metrics": True})
    assert public.get("/metrics", token=None).code == 200
    assert public.get("metrics", token=None).code == 401


def test_metrics_of_the_jobs_name_them(new_api: Callable[..., Api], sqlite_app: SqliteApplication) -> None:
    api = new_api()
    api.runtime._announce = lambda _login, _password: None
    api.runtime.start()
    try:
        assert value(scraped(api), "job_next_run_timestamp_seconds", job_id="coupling_health_check") > 1e9
    finally:
        api.runtime.stop()


@pytest.mark.parametrize("name", ["grafana-dashboard.json", "prometheus-rules.yml"])
def test_what_we_ship_for_prometheus_uses_metrics_that_are_there(checked: Api, name: str) -> None:
    text = (INTEGRATIONS / name).read_text("utf-8")
    if name.endswith("json"):
        json.loads(text)
    families = scraped(checked)
    known = set(families) | {sample.name for family in families.values() for sample in family.samples}
    used = set(re.findall(r"\bcoupling_health_[a-z_]+", text)) - {"coupling_health_check"}
    recorded = set(re.findall(r"record: (\S+)", text))
    assert used - {name.split(":")[0] for name in recorded} <= known
    assert len(used) >= 5


def test_a_job_that_runs_while_scraped_is_said_to_run(checked: Api, clock: FrozenClock) -> None:
    from core.state import lease

    with checked.runtime.state.write() as connection:
        lease.acquire(connection, lease.Name.CHECK, "elsewhere|1|x", "c0ffee", clock())
    checked.monitor._facts.forget()
    assert value(scraped(checked), "check_running") == 1
    clock.advance(timedelta(minutes=2))
    assert value(scraped(checked), "check_running") == 0


def test_the_folder_of_integrations_is_whole() -> None:
    for name in ("README.md", "grafana-dashboard.json", "prometheus-rules.yml", "prometheus-rules.test.yml", "prometheus.yml"):
        assert (INTEGRATIONS / name).stat().st_size > 200, Path(name)
