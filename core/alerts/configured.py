"""What an operator sets about alerts: channels, and rules in place of or beside the usual ones."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from core.alerts.channels import Channel, channel, problem_with
from core.alerts.rules import DEFAULT_RULES, DRILL_RULE, Condition, Rule, Severity
from core.model import Status
from core.setting_groups import Group

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
_PERCENT = (Condition.RATE_BELOW, Condition.PAIRS_DROPPED)


class ChannelSettings(Group):
    """A way to reach somebody."""

    url: SecretStr = Field(description="an Apprise URL (mailtos://, slack://, …), or https:// for a JSON webhook")
    secret: SecretStr | None = Field(None, description="signs the JSON webhook")

    @field_validator("url")
    @classmethod
    def _usable(cls, value: SecretStr) -> SecretStr:
        problem = problem_with(value.get_secret_value())
        if problem:
            raise ValueError(problem)
        return value


class RuleSettings(Group):
    """A rule. What is not set is as in the usual rule of that name."""

    enabled: bool = Field(True, description="false turns the rule off")
    when: Condition | None = Field(None, description="what it watches for")
    than: Decimal | None = Field(None, ge=0, description="what it compares with: percent, pairs, checks, intervals or hours")
    status: Status | None = Field(None, description="for status_is")
    at_least: int | None = Field(None, ge=1, description="for rate_below: the fewest violations that count")
    for_minutes: float | None = Field(None, ge=0, le=100_000, description="how long it must hold before anybody hears")
    quiet_minutes: float | None = Field(None, ge=0, le=100_000, description="how long it must be gone before it is resolved")
    repeat_minutes: float | None = Field(None, ge=0, le=100_000, description="how often to tell again; 0 never does")
    severity: Severity | None = Field(None, description="info, warning or page")
    channels: tuple[str, ...] | None = Field(None, description="names of channels; unset means all")
    text: str | None = Field(None, max_length=500, description="what to do, in your own words")


class AlertSettings(Group):
    """Who is told what."""

    link: str | None = Field(
        None, description="where the dashboard is reached, for links in messages: https://health.example.org"
    )
    user_ids: bool = Field(True, description="name users in messages")
    drill_channel: str | None = Field(None, description="a channel that a drill goes through every day")
    channels: dict[str, ChannelSettings] = Field({}, description="ways to reach somebody, by names of your own")
    rules: dict[str, RuleSettings] = Field({}, description="changes to the usual rules, and rules of your own, by name")

    @field_validator("link")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
            raise ValueError("not an address; write https://health.example.org")
        return value

    @field_validator("channels", "rules")
    @classmethod
    def _named(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        for name in value:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name: use small letters, digits, - and _, at most 50")
        return value

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        for rule in self.built_rules():
            if rule.condition in _PERCENT and not 0 < rule.than <= 100:
                raise ValueError(f"rules.{rule.name}.than: a percentage above 0 and at most 100, not {rule.than}")
            if rule.condition is Condition.FAILED_CHECKS and rule.than < 1:
                raise ValueError(f"rules.{rule.name}.than: at least 1 check")
            for name in rule.channels or ():
                if name not in self.channels:
                    known = ", ".join(self.channels) or "none is set up"
                    raise ValueError(f"rules.{rule.name}.channels: there is no channel {name!r} ({known})")
        return self

    @model_validator(mode="after")
    def _drill_somewhere(self) -> Self:
        if self.drill_channel is not None and self.drill_channel not in self.channels:
            raise ValueError(f"drill_channel: there is no channel {self.drill_channel!r}")
        return self

    def built_rules(self) -> Sequence[Rule]:
        """The rules that are on: the usual ones as changed here, then those that were added. Raises ValueError."""
        usual = {rule.name: rule for rule in DEFAULT_RULES}
        names = [*usual, *(name for name in self.rules if name not in usual)]
        return [_built(name, usual.get(name), self.rules.get(name, RuleSettings())) for name in names if self._is_on(name)]

    def _is_on(self, name: str) -> bool:
        if name in self.rules:
            return self.rules[name].enabled
        return name != DRILL_RULE or self.drill_channel is not None

    def built_channels(self) -> Mapping[str, Channel]:
        """The channels, by name."""
        return {
            name: channel(name, given.url.get_secret_value(), given.secret.get_secret_value() if given.secret else None)
            for name, given in self.channels.items()
        }


def _built(name: str, usual: Rule | None, given: RuleSettings) -> Rule:
    if usual is None:
        if given.when is None:
            raise ValueError(f"rules.{name}.when: missing; one of {', '.join(Condition)}")
        usual = Rule(name, given.when, Severity.WARNING)
    elif given.when not in (None, usual.condition):
        raise ValueError(f"rules.{name}.when: the usual rule of that name watches for {usual.condition}; take another name")
    changes: dict[str, Any] = {
        "than": given.than,
        "status": given.status,
        "at_least": given.at_least,
        "lasting": None if given.for_minutes is None else timedelta(minutes=given.for_minutes),
        "quiet": None if given.quiet_minutes is None else timedelta(minutes=given.quiet_minutes),
        "severity": given.severity,
        "channels": given.channels,
        "text": given.text,
    }
    rule = replace(usual, **{key: value for key, value in changes.items() if value is not None})
    if given.repeat_minutes is None:
        return rule
    return replace(rule, repeat=timedelta(minutes=given.repeat_minutes) if given.repeat_minutes else None)
