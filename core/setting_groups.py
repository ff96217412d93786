"""The groups of settings: one class for each table of `coupling-health.toml`, but those of alerts and of repairs."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from core.model import ReportFormat

Percentage = Annotated[Decimal, Field(gt=0, le=100, decimal_places=6)]  # finer ones would overflow a 64-bit product


class Group(BaseModel):
    """What every group has in common: no unknown keys, and nothing changes after the start."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SideSettings(Group):
    """Where one side of the coupling stands in the watched database."""

    table: str = Field(min_length=1, description="table or view, optionally with its schema: app.user_licenses")
    user_column: str = Field(min_length=1)
    specialization_column: str = Field(min_length=1)
    level_column: str = Field(min_length=1)


class ProgressSettings(SideSettings):
    """The progress side: what the user did."""

    table: str = Field("specialization_progress", min_length=1)
    user_column: str = Field("student_id", min_length=1)
    specialization_column: str = Field("specialization_id", min_length=1)
    level_column: str = Field("current_level", min_length=1)


class LicenseSettings(SideSettings):
    """The licence side: what the user is certified for."""

    table: str = Field("user_licenses", min_length=1)
    user_column: str = Field("user_id", min_length=1)
    specialization_column: str = Field("specialization_type", min_length=1)
    level_column: str = Field("current_level", min_length=1)
    highest_level_column: str = Field("max_achieved_level", min_length=1, description="raised by repairs, where there is one")
    advanced_at_column: str = Field("last_advanced_at", min_length=1, description="set by repairs, where there is one")
    active_column: str = Field("is_active", min_length=1, description="repairs leave inactive licences alone, where there is one")


class CheckSettings(Group):
    """When and how the check runs."""

    interval_seconds: int = Field(300, ge=1, le=86_400, description="seconds between two scheduled checks")
    misfire_grace_seconds: int = Field(60, ge=1, le=3_600, description="how late a scheduled check may start, in seconds")
    statement_timeout_seconds: int = Field(
        120, ge=1, le=86_400, description="the longest that the comparison may take, in seconds"
    )
    connect_timeout_seconds: int = Field(10, ge=1, le=300, description="the longest that connecting may take, in seconds")

    settle_seconds: float = Field(
        2, ge=0, le=30, description="seconds after which pairs that were never apart before are read once more; 0 never does"
    )
    heartbeat_url: SecretStr | None = Field(
        None, description="called after every completed check, so that somebody notices its end"
    )

    @field_validator("heartbeat_url")
    @classmethod
    def _callable(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            address = urlsplit(value.get_secret_value())
            if address.scheme not in ("http", "https") or not address.hostname:
                raise ValueError("not an address to call; write https://host/path")
        return value


class ThresholdSettings(Group):
    """The lowest percentage of agreeing pairs that is still healthy, and still degraded."""

    healthy: Percentage = Decimal(99)
    degraded: Percentage = Decimal(95)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.degraded >= self.healthy:
            raise ValueError(f"degraded ({self.degraded}) must be lower than healthy ({self.healthy})")
        return self


class LoginSettings(Group):
    """How long a login lasts."""

    idle_hours: float = Field(8, gt=0, le=720, description="hours without a click after which a session ends")


class ApiSettings(Group):
    """What programs may ask, and how often."""

    checks_per_minute: int = Field(30, ge=1, le=6_000, description="how many checks a token may ask for in a minute")
    wrong_tokens_per_minute: int = Field(10, ge=1, le=6_000, description="how many wrong tokens an address may send in a minute")
    public_metrics: bool = Field(False, description="/metrics without a token")
    public_badge: bool = Field(False, description="/badge.svg, which never needs a token, is there at all")


class ImportSettings(Group):
    """What is read from other people's violation logs."""

    max_file_megabytes: int = Field(64, ge=1, le=4_096, description="a larger log is named and skipped")
    max_archive_megabytes: int = Field(
        8_000, ge=1, le=1_000_000, description="an archive of logs that unpacks to more is left there, and named"
    )


class LogSettings(Group):
    """What becomes of old violation logs."""

    compact_after_months: int | None = Field(
        None, ge=1, le=1_200, description="whole months that stay as single files before a .zip keeps them; unset leaves all"
    )


class ObjectiveSettings(Group):
    """What is promised: this share of the checks is healthy."""

    healthy_percent: Percentage = Field(Decimal(99), lt=100, description="percentage of the checks that must be healthy")
    window_days: int = Field(30, ge=1, le=366, description="days over which that is counted")


class RetentionSettings(Group):
    """How long what is kept; what is dropped was added to the daily figures before."""

    checks_days: int = Field(730, ge=31, le=36_500, description="days for single checks and healed episodes")
    daily_days: int | None = Field(None, ge=366, le=365_000, description="days for daily figures; unset keeps them for ever")


class ReportSettings(Group):
    """Reports for people who never log in."""

    company: str = Field("", max_length=100, description="name on reports and presentation")
    logo: Path | None = Field(None, description="PNG, JPEG or SVG on reports and presentation")
    color: str = Field("#1F4E79", pattern=r"^#[0-9A-Fa-f]{6}$", description="accent colour of reports, as #RRGGBB")
    language: str = Field("en", pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$", description="en, hu, or one of your own texts")
    texts_dir: Path | None = Field(None, description="folder with more texts: de.toml beside en.toml's keys")
    time_zone: str = Field("UTC", description="in which days, weeks and months begin, for example Europe/Budapest")
    formats: tuple[ReportFormat, ...] = Field((ReportFormat.PDF,), description="of scheduled reports: pdf, pptx, html, csv")
    weekly: bool = Field(True, description="make a report every Monday about the week before")
    monthly: bool = Field(True, description="make a report on the first of every month about the month before")
    user_ids: bool = Field(False, description="name users in reports")
    channels: tuple[str, ...] = Field((), description="names of channels that get scheduled reports")

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("no such time zone; write one as Europe/Budapest") from None
        return value


class PresentationSettings(Group):
    """The slides for a big screen."""

    slide_seconds: int = Field(12, ge=3, le=600, description="how long a slide stays")
