"""What an operator can set, and how mistakes are told."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import SettingsInvalid
from core.settings import Settings, known_keys, load_settings, parse_database_url, variable_of
from core.status import Thresholds


def write(text: str) -> None:
    Path("coupling-health.toml").write_text(text, "utf-8")


def mistakes(**overrides: object) -> list[str]:
    with pytest.raises(SettingsInvalid) as invalid:
        load_settings(**overrides)
    assert all(mistake in str(invalid.value) for mistake in invalid.value.mistakes)
    return list(invalid.value.mistakes)


def test_without_any_setting_the_demo_is_served_apart_from_real_data() -> None:
    settings = load_settings()
    assert settings.demo
    assert (settings.host, settings.port) == ("127.0.0.1", 8501)
    assert settings.watched_url.database == str(Path("var/demo/app.db"))
    assert settings.state_database_url.database == str(Path("var/demo/state.db"))
    assert settings.violation_log_dir == Path("var/demo/logs/integrity_checks")
    assert settings.scheduler_log_dir == Path("var/demo/logs/sync_jobs")


def test_the_defaults_are_those_of_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUPLING_HEALTH_DATABASE_URL", "sqlite:///app.db")
    settings = load_settings()
    assert not settings.demo
    assert settings.state_database_url.database == str(Path("var/coupling-health.db"))
    assert settings.violation_log_dir == Path("logs/integrity_checks")
    assert settings.scheduler_log_dir == Path("logs/sync_jobs")
    assert settings.schedule.interval == timedelta(minutes=5)
    assert settings.schedule.freshness == timedelta(minutes=11)
    assert settings.status_thresholds == Thresholds(Decimal(99), Decimal(95))
    assert (settings.progress.table, settings.progress.user_column) == ("specialization_progress", "student_id")
    assert (settings.progress.specialization_column, settings.progress.level_column) == ("specialization_id", "current_level")
    assert (settings.license.table, settings.license.user_column) == ("user_licenses", "user_id")
    assert (settings.license.specialization_column, settings.license.level_column) == ("specialization_type", "current_level")


def test_the_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    write("""
        database_url = "postgresql://reader:word@db.example/app"
        port = 9000
        [check]
        interval_seconds = 60
        misfire_grace_seconds = 30
        [license]
        table = "app.licences"
        [thresholds]
        healthy = 99.9
    """)
    monkeypatch.setenv("COUPLING_HEALTH_PORT", "9001")
    monkeypatch.setenv("COUPLING_HEALTH_CHECK__INTERVAL_SECONDS", "120")
    monkeypatch.setenv("COUPLING_HEALTH_LICENSE__USER_COLUMN", "owner")
    monkeypatch.setenv("COUPLING_HEALTH_HOST", "")  # an empty variable is none
    settings = load_settings()
    assert (settings.port, settings.host) == (9001, "127.0.0.1")
    assert (settings.check.interval_seconds, settings.check.misfire_grace_seconds) == (120, 30)
    assert (settings.license.table, settings.license.user_column) == ("app.licences", "owner")
    assert settings.thresholds.healthy == Decimal("99.9"), "a decimal, not the float beside it"
    assert settings.watched_url.drivername == "postgresql+psycopg"
    assert settings.watched_url.password == "word"


def test_every_mistake_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    write("""
        prot = 8501
        [check]
        interval_seconds = 0
        interval_secods = 5
        [thresholds]
        healthy = 101
        [progress]
        table = ""
    """)
    monkeypatch.setenv("COUPLING_HEALTH_PORT", "70000")
    monkeypatch.setenv("COUPLING_HEALTH_DATABASE_URL", "mysql://u:p@h/d")
    monkeypatch.setenv("COUPLING_HEALTH_DATABSE_URL", "sqlite:///x.db")
    monkeypatch.setenv("COUPLING_HEALTH_LOGIN__IDLE_HOURS", "soon")
    told = "\n".join(mistakes())
    for expected in (
        "prot: no such setting; did you mean port?",
        "check.interval_secods: no such setting; did you mean check.interval_seconds?",
        "check.interval_seconds (COUPLING_HEALTH_CHECK__INTERVAL_SECONDS): Input should be greater than or equal to 1; "
        "it holds 0",
        "thresholds.healthy (COUPLING_HEALTH_THRESHOLDS__HEALTHY): Input should be less than or equal to 100",
        "port (COUPLING_HEALTH_PORT): Input should be less than or equal to 65535; it holds '70000'",
        "'mysql' databases are not supported; use sqlite:///… or postgresql://…",
        "COUPLING_HEALTH_DATABSE_URL: no such setting; did you mean COUPLING_HEALTH_DATABASE_URL?",
        "login.idle_hours (COUPLING_HEALTH_LOGIN__IDLE_HOURS)",
        "progress.table (COUPLING_HEALTH_PROGRESS__TABLE)",
    ):
        assert expected in told


def test_a_mistake_in_the_environment_is_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUPLING_HEALTH_CHECK__INTERVAL", "5")
    monkeypatch.setenv("COUPLING_HEALTH_NONSENSE", "5")
    told = mistakes()
    assert sum("INTERVAL" in mistake.upper() for mistake in told) == 1, told
    assert sum("NONSENSE" in mistake.upper() for mistake in told) == 1, told


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("COUPLING_HEALTH_DATABASEURL", "COUPLING_HEALTH_DATABASE_URL"),
        ("COUPLING_HEALTH_CHECK_INTERVAL_SECONDS", "COUPLING_HEALTH_CHECK__INTERVAL_SECONDS"),
        ("coupling_health_statt_url", "COUPLING_HEALTH_STATE_URL"),
        ("COUPLING_HEALTH_ADMIN_PASWORD", "COUPLING_HEALTH_ADMIN_PASSWORD"),
    ],
)
def test_an_unknown_variable_is_named_with_a_suggestion(monkeypatch: pytest.MonkeyPatch, name: str, suggestion: str) -> None:
    monkeypatch.setenv(name, "s3cret-word")
    (mistake,) = mistakes()
    assert mistake == f"{name}: no such setting; did you mean {suggestion}?"


def test_variables_of_other_programs_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUPLING", "x")
    monkeypatch.setenv("DATABASE_URL", "mysql://x")
    load_settings()


@pytest.mark.parametrize(
    ("healthy", "degraded"), [("95", "95"), ("90", "95"), ("99", "0"), ("100.01", "95"), ("NaN", "95"), ("x", "95")]
)
def test_thresholds_must_be_in_order(monkeypatch: pytest.MonkeyPatch, healthy: str, degraded: str) -> None:
    monkeypatch.setenv("COUPLING_HEALTH_THRESHOLDS__HEALTHY", healthy)
    monkeypatch.setenv("COUPLING_HEALTH_THRESHOLDS__DEGRADED", degraded)
    assert "thresholds" in "\n".join(mistakes())


def test_a_file_that_is_no_toml_is_named_beside_the_other_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    write("port = = 5")
    monkeypatch.setenv("COUPLING_HEALTH_NONSENSE", "1")
    told = "\n".join(mistakes())
    assert "coupling-health.toml is not valid TOML" in told
    assert "COUPLING_HEALTH_NONSENSE" in told


def test_a_file_that_is_not_utf_8_is_a_mistake_in_words() -> None:
    Path("coupling-health.toml").write_bytes(b"host = '\xff'")
    assert "coupling-health.toml" in "\n".join(mistakes())


def test_a_folder_in_the_place_of_the_file_is_a_mistake_in_words() -> None:
    Path("coupling-health.toml").mkdir()
    try:
        load_settings()
    except SettingsInvalid as invalid:
        assert "coupling-health.toml" in str(invalid)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://watcher:s3cret-word@db/app",
        "postgresql://watcher:s3cret-word@db:port/app",
        "postgresql//watcher:s3cret-word@db/app",
        "oracle+cx://watcher:s3cret-word@db/app",
        "s3cret-word",
        "sqlite://",
        "sqlite:///:memory:",
        "",
        " ",
    ],
)
@pytest.mark.parametrize("key", ["database_url", "state_url"])
def test_a_wrong_url_is_refused_without_repeating_it(key: str, url: str) -> None:
    told = "\n".join(mistakes(**{key: url}))
    assert key in told
    assert "s3cret-word" not in told


def test_a_password_is_in_no_message_and_no_picture_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUPLING_HEALTH_DATABASE_URL", "postgresql://watcher:s3cret-word@db/app")
    monkeypatch.setenv("COUPLING_HEALTH_STATE_URL", "postgresql://state:s3cret-word@db/state")
    monkeypatch.setenv("COUPLING_HEALTH_ADMIN_PASSWORD", "s3cret-word")
    settings = load_settings()
    pictures = [repr(settings), str(settings), f"{settings.model_dump()}", settings.model_dump_json(), str(settings.watched_url)]
    assert not [picture for picture in pictures if "s3cret-word" in picture]


@pytest.mark.parametrize(
    "text",
    [
        'database_url = ["postgresql://u:s3cret-word@db/app"]',
        'admin_password = ["s3cret-word"]',
        '[admin_password]\nvalue = "s3cret-word"',
        '[database_url]\nurl = "postgresql://u:s3cret-word@db/app"',
        'database_url = "mysql://u:s3cret-word@db/app"\nadmin_password = 5',
        'admin_pasword = "s3cret-word"',
        'host = "postgresql://u:s3cret-word@db/app"\nport = "postgresql://u:s3cret-word@db/app"',
    ],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(text: str) -> None:
    write(text)
    assert "s3cret-word" not in "\n".join(mistakes())


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("postgres://u:p@h/d", "postgresql+psycopg"),
        ("postgresql://u:p@h/d", "postgresql+psycopg"),
        ("postgresql+psycopg2://u:p@h/d", "postgresql+psycopg"),
        ("postgresql+asyncpg://u:p@h/d?sslmode=require", "postgresql+psycopg"),
        ("sqlite:///app.db", "sqlite"),
        ("sqlite+pysqlite:////srv/app.db", "sqlite"),
    ],
)
def test_a_url_gets_the_driver_that_we_ship(url: str, driver: str) -> None:
    assert parse_database_url(url).drivername == driver


def test_every_key_has_a_variable_and_a_description_or_a_plain_name() -> None:
    keys = known_keys()
    assert {"database_url", "check.interval_seconds", "progress.table", "thresholds.healthy"} <= set(keys)
    assert variable_of("check.interval_seconds") == "COUPLING_HEALTH_CHECK__INTERVAL_SECONDS"
    assert not any("\n" in description for description in keys.values())


def test_settings_do_not_change() -> None:
    with pytest.raises(Exception, match="frozen"):
        Settings().port = 5  # type: ignore[misc]


def test_a_first_password_that_cannot_be_taken_is_named_with_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUPLING_HEALTH_ADMIN_PASSWORD", "long-" * 20)
    with pytest.raises(SettingsInvalid) as refused:
        load_settings()
    assert "COUPLING_HEALTH_ADMIN_PASSWORD" in str(refused.value)
    assert "at most 72 bytes" in str(refused.value)
    assert "long-" not in str(refused.value)
