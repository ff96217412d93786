"""What an operator can set: typed, validated at start, all mistakes named at once.

Read from `coupling-health.toml` in the working directory; every key can be overridden by an environment variable with the
prefix COUPLING_HEALTH_ and __ between levels, for example COUPLING_HEALTH_CHECK__INTERVAL_SECONDS.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from core.alerts.configured import AlertSettings
from core.analysis.objective import Objective
from core.errors import SettingsInvalid
from core.logs.sources import Limits
from core.passwords import problem_with
from core.setting_groups import (
    ApiSettings,
    CheckSettings,
    ImportSettings,
    LicenseSettings,
    LoginSettings,
    LogSettings,
    ObjectiveSettings,
    PresentationSettings,
    ProgressSettings,
    ReportSettings,
    RetentionSettings,
    ThresholdSettings,
)
from core.status import Schedule, Thresholds
from core.sync.configured import SyncSettings

PREFIX = "COUPLING_HEALTH_"
FILE_NAME = "coupling-health.toml"
DEMO_DIR = Path("var/demo")

_ENGINES = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}

OPEN_GROUPS = ("alerts.channels", "alerts.rules", "sync.highest_levels")  # whose keys the operator names


class Settings(BaseSettings):
    """All settings. Build with `load_settings`, which names every mistake at once."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", env_ignore_empty=True, extra="forbid", frozen=True, toml_file=FILE_NAME
    )

    database_url: SecretStr | None = Field(None, description="the watched database; read only. Without it the demo is served")
    sync_database_url: SecretStr | None = Field(
        None, description="the watched database with the right to write, for repairs alone. Without it nothing is ever written"
    )
    state_url: SecretStr | None = Field(None, description="the state database; default: a SQLite file under var/")
    log_dir: Path | None = Field(None, description="violation logs; default: logs/integrity_checks")
    job_log_dir: Path | None = Field(None, description="logs of the scheduler; default: logs/sync_jobs")
    admin_password: SecretStr | None = Field(None, description="the first admin's password; used at the first start only")
    host: str = Field("127.0.0.1", min_length=1, description="address that serve listens on")
    port: int = Field(8501, ge=1, le=65_535, description="port that serve listens on")
    progress: ProgressSettings = ProgressSettings()
    license: LicenseSettings = LicenseSettings()
    check: CheckSettings = CheckSettings()
    thresholds: ThresholdSettings = ThresholdSettings()
    login: LoginSettings = LoginSettings()
    api: ApiSettings = ApiSettings()
    imports: ImportSettings = ImportSettings()
    logs: LogSettings = LogSettings()
    objective: ObjectiveSettings = ObjectiveSettings()
    retention: RetentionSettings = RetentionSettings()
    report: ReportSettings = ReportSettings()
    presentation: PresentationSettings = PresentationSettings()
    alerts: AlertSettings = AlertSettings()
    sync: SyncSettings = SyncSettings()

    @model_validator(mode="after")
    def _channels_there(self) -> Self:
        missing = [name for name in self.report.channels if name not in self.alerts.channels]
        if missing:
            raise ValueError(f"report.channels: there is no channel {missing[0]!r} in alerts.channels")
        return self

    @model_validator(mode="after")
    def _same_engine(self) -> Self:
        if self.sync_database_url is not None and self.database_url is not None:
            reads, writes = self.watched_url.get_backend_name(), parse_database_url(self.sync_database_url.get_secret_value())
            if reads != writes.get_backend_name():
                raise ValueError(f"sync_database_url: it must lead to the same database as database_url, which is {reads}")
        return self

    @field_validator("database_url", "sync_database_url", "state_url")
    @classmethod
    def _supported(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_database_url(value.get_secret_value())
        return value

    @field_validator("admin_password")
    @classmethod
    def _acceptable(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and (problem := problem_with(value.get_secret_value())):
            raise ValueError(problem)
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def demo(self) -> bool:
        """Whether nothing is watched, so that the demo is what is shown. The demo keeps apart from real data in every path."""
        return self.database_url is None

    def as_demo(self) -> Settings:
        """The same address, port and login, but the demo's data, state and logs."""
        elsewhere = {"database_url": None, "sync_database_url": None, "state_url": None, "log_dir": None, "job_log_dir": None}
        return self.model_copy(update=elsewhere)

    @property
    def heartbeat_url(self) -> str | None:
        """Who is called after a completed check; nobody in the demo, whose checks say nothing about the real data."""
        url = self.check.heartbeat_url
        return None if url is None or self.demo else url.get_secret_value()

    @property
    def watched_url(self) -> URL:
        """The watched database, or the demo's."""
        if self.database_url is None:
            return URL.create("sqlite", database=str(DEMO_DIR / "app.db"))
        return parse_database_url(self.database_url.get_secret_value())

    @property
    def writable_url(self) -> URL | None:
        """The watched database with the right to write; None: nothing may be written. The demo's own may always be."""
        if self.demo:
            return self.watched_url
        return None if self.sync_database_url is None else parse_database_url(self.sync_database_url.get_secret_value())

    @property
    def state_database_url(self) -> URL:
        if self.state_url is not None:
            return parse_database_url(self.state_url.get_secret_value())
        return URL.create("sqlite", database=str(DEMO_DIR / "state.db" if self.demo else Path("var/coupling-health.db")))

    @property
    def violation_log_dir(self) -> Path:
        return self.log_dir or (DEMO_DIR / "logs" if self.demo else Path("logs")) / "integrity_checks"

    @property
    def scheduler_log_dir(self) -> Path:
        return self.job_log_dir or (DEMO_DIR / "logs" if self.demo else Path("logs")) / "sync_jobs"

    @property
    def status_thresholds(self) -> Thresholds:
        return Thresholds(self.thresholds.healthy, self.thresholds.degraded)

    @property
    def log_limits(self) -> Limits:
        return Limits(self.imports.max_file_megabytes * 1_000_000, self.imports.max_archive_megabytes * 1_000_000)

    @property
    def promised(self) -> Objective:
        return Objective(self.objective.healthy_percent, timedelta(days=self.objective.window_days))

    @property
    def schedule(self) -> Schedule:
        return Schedule(timedelta(seconds=self.check.interval_seconds), timedelta(seconds=self.check.misfire_grace_seconds))


def load_settings(**overrides: Any) -> Settings:
    """Read file and environment. Raises SettingsInvalid with every mistake: the key, what it holds, what it may hold."""
    mistakes = list(_unknown_variables(os.environ))
    try:
        settings = Settings(**overrides)
    except ValidationError as invalid:
        found = (dict(mistake) for mistake in invalid.errors(include_url=False))
        mistakes += [_in_words(mistake) for mistake in found if not _names_unknown_variable(mistake)]
    except tomllib.TOMLDecodeError as broken:
        mistakes.append(f"{FILE_NAME} is not valid TOML: {broken}")
    except OSError as unreadable:
        mistakes.append(f"{FILE_NAME} cannot be read: {unreadable}")
    except UnicodeDecodeError as foreign:
        mistakes.append(f"{FILE_NAME} is not UTF-8 text: {foreign}")
    except ValueError as broken:  # a nested environment variable that is not what its group needs
        mistakes.append(str(broken))
    if mistakes:
        raise SettingsInvalid(mistakes)
    return settings


def parse_database_url(text: str) -> URL:
    """The URL with the driver that we ship for its engine. Raises ValueError in words, without repeating a password."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError("not a database URL; write sqlite:///path/to/file.db or postgresql://user:password@host/name") from None
    engine = url.get_backend_name()
    if engine not in _ENGINES:
        raise ValueError(f"{engine!r} databases are not supported; use sqlite:///… or postgresql://…")
    if engine == "sqlite" and url.database in (None, "", ":memory:"):
        raise ValueError("an in-memory SQLite database cannot be shared; name a file: sqlite:///path/to/file.db")
    return url.set(drivername=_ENGINES[engine])


def known_keys() -> dict[str, str]:
    """Every key, dotted, with its description (empty where its name says all)."""
    return dict(_keys(Settings, ""))


def _keys(group: type[BaseModel], prefix: str) -> list[tuple[str, str]]:
    keys: list[tuple[str, str]] = []
    for name, field in group.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            keys += _keys(field.annotation, f"{prefix}{name}.")
        else:
            keys.append((f"{prefix}{name}", field.description or ""))
    return keys


def variable_of(key: str) -> str:
    """The environment variable that overrides a dotted key."""
    return PREFIX + key.upper().replace(".", "__")


def _unknown_variables(environment: Mapping[str, str]) -> list[str]:
    known = [variable_of(key) for key in known_keys()]
    groups = {variable.rsplit("__", 1)[0] for variable in known if "__" in variable}
    mistakes = []
    for name in sorted(environment):
        named = name.upper().startswith(tuple(f"{variable_of(group)}__" for group in OPEN_GROUPS))
        if name.upper().startswith(PREFIX) and name.upper() not in known and name.upper() not in groups and not named:
            near = difflib.get_close_matches(name.upper(), known, n=1)
            mistakes.append(f"{name}: no such setting" + (f"; did you mean {near[0]}?" if near else ""))
    return mistakes


def _names_unknown_variable(mistake: Mapping[str, Any]) -> bool:
    """Whether the mistake is a variable that `_unknown_variables` has named already."""
    key = ".".join(str(part) for part in mistake["loc"])
    return mistake["type"] == "extra_forbidden" and variable_of(key) in map(str.upper, os.environ)


def _in_words(mistake: Mapping[str, Any]) -> str:
    key = ".".join(str(part) for part in mistake["loc"]) or FILE_NAME
    if mistake["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, known_keys(), n=1)
        return f"{key}: no such setting" + (f"; did you mean {near[0]}?" if near else "")
    message = str(mistake["msg"]).removeprefix("Value error, ")
    held = mistake.get("input")
    # a URL that slipped into the wrong key holds a password as well
    secret = (
        key in ("database_url", "sync_database_url", "state_url", "admin_password", "check.heartbeat_url")
        or not isinstance(held, int | float | str)
        or "://" in str(held)
    )
    return f"{key} ({variable_of(key)}): {message}" + ("" if secret else f"; it holds {held!r}")
