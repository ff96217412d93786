"""Every path, key and type of the contract: what other people's programs already rely on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.errors import CouplingHealthError
from dashboard.api import models
from tests.api.served import Api
from tests.application import SqliteApplication
from tests.frozen_clock import NOON, FrozenClock

NUMBER, TEXT, ID = (int, float), str, (int, str)
STATUS = {
    "status": TEXT,
    "last_check": TEXT,
    "consistency_rate": NUMBER,
    "total_violations": int,
    "requires_attention": bool,
    "violations": list,
}
METRICS = {
    "consistency_rate": NUMBER,
    "violations_count": int,
    "status": TEXT,
    "last_check": TEXT,
    "requires_attention": bool,
    "total_users_monitored": int,
}
REPORT = {
    "timestamp": TEXT,
    "total_checked": int,
    "consistent": int,
    "inconsistent": int,
    "consistency_rate": NUMBER,
    "violations": list,
    "check_id": TEXT,
    "duration_ms": int,
    "trigger": TEXT,
    "requested_by": (str, type(None)),
}
VIOLATION = {
    "user_id": ID,
    "specialization": TEXT,
    "progress_level": (int, type(None)),
    "license_level": (int, type(None)),
    "recommended_action": TEXT,
    "kind": TEXT,
}
GETS = ["status", "latest-report", "violations", "metrics"]
NO_REPORT = "No health reports available yet. The first check runs in 5 minutes."


def assert_holds(document: dict[str, Any], keys: dict[str, Any]) -> None:
    assert set(keys) <= set(document)
    wrong = {key: document[key] for key, kinds in keys.items() if not isinstance(document[key], kinds)}
    assert not wrong
    assert not [key for key, kinds in keys.items() if kinds is int and isinstance(document[key], bool)]


@pytest.mark.parametrize(("path", "keys"), [("status", STATUS), ("metrics", METRICS), ("latest-report", REPORT)])
def test_an_answer_has_every_key_of_the_contract(checked: Api, path: str, keys: dict[str, Any]) -> None:
    answer = checked.get(path)
    assert (answer.code, answer.headers["Content-Type"]) == (200, "application/json")
    assert_holds(answer.document, keys)
    for violation in answer.document.get("violations", []):
        assert_holds(violation, VIOLATION)


def test_figures_and_violations_are_those_of_the_check(checked: Api) -> None:
    status, report = checked.get("status").document, checked.get("latest-report").document
    violations, metrics = checked.get("violations").document, checked.get("metrics").document
    assert (status["status"], status["consistency_rate"], status["total_violations"]) == ("degraded", 98.67, 2)
    assert (metrics["status"], metrics["consistency_rate"], metrics["violations_count"]) == ("degraded", 98.67, 2)
    assert (report["total_checked"], report["consistent"], report["inconsistent"]) == (150, 148, 2)
    assert metrics["total_users_monitored"] == status["total_checked"] == 150
    assert status["requires_attention"] is metrics["requires_attention"] is True
    expected = [
        {
            "user_id": 500,
            "specialization": "PLAYER",
            "progress_level": 3,
            "license_level": 2,
            "recommended_action": "sync_required",
            "kind": "level_mismatch",
        },
        {
            "user_id": 501,
            "specialization": "COACH",
            "progress_level": 4,
            "license_level": None,
            "recommended_action": "create_license_from_progress",
            "kind": "missing_license",
        },
    ]
    for found in (status["violations"], report["violations"], violations):
        assert [{key: violation[key] for key in VIOLATION} for violation in found] == expected
    moments = {status["last_check"], metrics["last_check"], report["timestamp"]}
    assert {datetime.fromisoformat(moment) for moment in moments} == {NOON}


def test_before_the_first_check_nothing_is_claimed(api: Api) -> None:
    status, metrics = api.get("status").document, api.get("metrics").document
    for document in (status, metrics):
        assert (document["status"], document["last_check"], document["consistency_rate"]) == ("unknown", None, None)
        assert document["requires_attention"] is False
    assert (status["total_violations"], status["violations"], status["reason"]) == (0, [], "no check has run yet")
    assert (metrics["violations_count"], metrics["total_users_monitored"]) == (0, 0)
    assert api.get("violations").document == []
    missing = api.get("latest-report")
    assert (missing.code, missing.document) == (404, {"detail": NO_REPORT})


def test_check_now_answers_the_report_of_the_check(api: Api, sqlite_app: SqliteApplication) -> None:
    sqlite_app.agreeing(range(99)).disagreeing([200])
    answer = api.post("check-now?dry_run=false")
    assert answer.code == 200
    assert_holds(answer.document, REPORT)
    assert (answer.document["trigger"], answer.document["requested_by"]) == ("api", "token test check")
    assert answer.document["consistency_rate"] == 99.0
    assert api.get("latest-report").document == answer.document
    assert api.get("status").document["status"] == "healthy"


def test_the_latest_check_counts_healthy_or_not(checked: Api, sqlite_app: SqliteApplication, clock: FrozenClock) -> None:
    """A healthy check writes no log; yesterday's violations are not shown for it."""
    sqlite_app.set_license_level(500, 3).license(501, "COACH", 4)
    clock.advance(minutes=5)
    checked.monitor.check_all_users()
    report = checked.get("latest-report").document
    assert (report["violations"], report["consistency_rate"]) == ([], 100.0)
    assert checked.get("violations").document == []
    assert checked.get("status").document["status"] == "healthy"


@pytest.mark.parametrize("wrong", ["status", "metrics"])
def test_an_old_green_becomes_unknown(api: Api, sqlite_app: SqliteApplication, clock: FrozenClock, wrong: str) -> None:
    sqlite_app.agreeing(range(10))
    api.monitor.check_all_users()
    clock.advance(minutes=11)
    assert api.get(wrong).document["status"] == "healthy", "two intervals and the grace"
    clock.advance(microseconds=1)
    stale = api.get(wrong).document
    assert (stale["status"], stale["last_known"], stale["requires_attention"]) == ("unknown", True, True)
    assert stale["consistency_rate"] == 100.0
    assert datetime.fromisoformat(stale["last_check"]) == NOON
    assert api.get("status").document["reason"] == "last completed check 11 min ago"


def test_one_failed_check_makes_the_status_unknown_at_once(checked: Api, sqlite_app: SqliteApplication) -> None:
    sqlite_app.execute("DROP TABLE user_licenses")
    with pytest.raises(CouplingHealthError):
        checked.monitor.check_all_users()
    status = checked.get("status")
    assert status.code == 200
    assert status.document["status"] == "unknown"
    assert "the last attempt failed: " in status.document["reason"]
    assert "user_licenses" in status.document["reason"]
    refused = checked.post("check-now")
    assert refused.code == 503
    assert "user_licenses" in refused.detail


def test_nothing_to_compare_is_unknown_and_has_no_rate(api: Api) -> None:
    report = api.post("check-now").document
    assert (report["total_checked"], report["consistency_rate"], report["violations"]) == (0, None, [])
    status = api.get("status").document
    assert (status["status"], status["consistency_rate"], status["last_known"]) == ("unknown", None, False)


def test_a_dry_run_leaves_no_trace(checked: Api, sqlite_app: SqliteApplication, clock: FrozenClock) -> None:
    before = {path: checked.get(path).body for path in GETS}
    files = sorted(path.name for path in checked.monitor.settings.violation_log_dir.iterdir())
    sqlite_app.disagreeing(range(600, 640))
    clock.advance(minutes=1)
    report = checked.post("check-now?dry_run=true").document
    assert report["inconsistent"] == len(report["violations"]) == 42
    assert {path: checked.get(path).body for path in GETS} == before
    assert sorted(path.name for path in checked.monitor.settings.violation_log_dir.iterdir()) == files
    assert checked.get(f"checks/{report['check_id']}").code == 404
    clock.advance(minutes=20)
    assert checked.get("status").document["status"] == "unknown", "a dry run makes nothing fresh"


def test_a_mistyped_path_is_missing_in_json(checked: Api) -> None:
    for method, path in [
        ("GET", "/api"),
        ("GET", "/api/"),
        ("GET", "/api/v1/helth/status"),
        ("POST", "/api/v2"),
        ("GET", "status/"),
    ]:
        answer = checked.ask(method, path)
        assert (answer.code, answer.detail) == (404, "There is no such API path."), path
        assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(("method", "path"), [("GET", "check-now"), ("POST", "status"), ("DELETE", "violations")])
def test_a_wrong_method_is_named(checked: Api, method: str, path: str) -> None:
    answer = checked.ask(method, path)
    assert answer.code == 405
    assert answer.detail


WRONG_PARAMETERS = [
    ("violations?limit=0", "limit"),
    ("violations?limit=ten", "limit"),
    ("violations?kind=mismatch", "kind"),
    ("violations?kinds=level_mismatch", "kinds"),
    ("violations?cursor=abc", "cursor"),
    ("violations?user_id=%00", "user_id"),
    ("violations?specialization=%00", "specialization"),
    ("status?limit=-1", "limit"),
    ("status?offset=1", "offset"),
    ("history?points=0", "points"),
    ("history?points=2001", "points"),
    ("history?from=yesterday", "from"),
    ("history?from=1795579302", "from"),
    ("history?to=0.5", "to"),
    ("checks/%20", "check_id"),
]


def test_a_wrong_parameter_is_named(checked: Api) -> None:
    for path, named in WRONG_PARAMETERS:
        answer = checked.get(path)
        assert (answer.code, answer.detail.split(": ")[0]) == (422, named), path


def test_a_wrong_parameter_of_check_now_is_named_and_no_check_runs(checked: Api) -> None:
    answer = checked.post("check-now?dry_run=perhaps")
    assert (answer.code, answer.detail.split(":")[0]) == (422, "dry_run")
    assert len(checked.monitor.trend(NOON - timedelta(days=1)).points) == 1


def test_the_models_of_the_documentation_hold_the_contract() -> None:
    for model, keys in [
        (models.HealthStatus, STATUS),
        (models.Metrics, METRICS),
        (models.Report, REPORT),
        (models.Violation, VIOLATION),
    ]:
        assert set(keys) <= set(model.model_fields)


def test_the_demo_says_so(new_api: Callable[..., Api]) -> None:
    assert new_api(database_url=None, api={}).get("status").document["demo"] is True
