"""What a message says: what changed, since when, which pairs, and what to do; for mail, chat, telephones and programs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from html import escape
from typing import Any

from core.alerts.links import Deed, address
from core.alerts.phases import FLAPPING
from core.alerts.rules import Rule, Severity
from core.alerts.wording import advice, described, title
from core.durations import in_words
from core.model import Status, Totals, Violation
from core.state.incidents import Incident
from core.words import KIND_WORDS

SHORTEST = 160  # characters of a message for telephones
FIRST = 5  # violations that a message names
_KEY = "{key}"  # put in as the message is sent
_CALLS = re.compile(r"\](?=\()|<(?=[@!#])|@(?=everyone\b|here\b|channel\b|all\b)", re.IGNORECASE)
_FORMATTING = re.compile(r"[\\`*\[\]<>]")  # of Markdown; what it does within words, as in A_B, is nothing


class News(StrEnum):
    """What happened to an incident."""

    FIRED = "fired"
    STILL = "still"  # told again while it lasts
    RESOLVED = "resolved"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Item:
    """One incident in a message."""

    news: News
    rule: Rule
    incident: Incident
    detail: str = ""  # what else there is to know about it: a sentence


@dataclass(frozen=True, slots=True)
class Situation:
    """How things stand as the message is written."""

    now: datetime
    status: Status
    reason: str
    totals: Totals | None  # of the newest completed check
    rate: Decimal | None
    changes: str  # "4 new, 2 healed since the check before"; empty when nothing is known of that
    violations: Sequence[Violation]  # the first ones
    link: str | None  # where the dashboard is
    key: bytes  # signs the links of what can be done
    user_ids: bool  # whether users may be named


def composed(items: Sequence[Item], situation: Situation) -> dict[str, Any]:
    """A message about incidents that have news at the same time, in every shape. Its keys: subject, text, html, markdown,
    short, tone, document."""
    if not any(item.rule.condition.about_checks for item in items):
        situation = replace(situation, violations=())  # what is told has nothing to do with them
    lines = [_line(item, situation.now) for item in items]
    todo = list(dict.fromkeys(advice(item.rule) for item in items if item.news is not News.RESOLVED))
    pairs = [_pair(violation, user_ids=situation.user_ids) for violation in situation.violations[:FIRST]]
    subject = _subject(items, situation)
    links = _links(items, situation)
    listing = "Last known violations" if situation.status is Status.UNKNOWN else "First violations"
    parts = _Parts(subject, _standing(situation), lines, listing, pairs, _more(situation), todo, links)
    return {
        "subject": subject,
        "text": parts.as_text(),
        "html": parts.as_html(),
        "markdown": parts.as_markdown(),
        "short": _short(items, situation),
        "tone": _tone(items),
        "document": _document(items, situation),
    }


def trial_message(channel: str, now: datetime, link: str | None) -> dict[str, Any]:
    """A message that says nothing but that the channel works."""
    subject = "Test: Coupling Health can reach you"
    line = f"Somebody sent this through the channel {channel} at {_moment(now)}. Nothing has happened."
    parts = _Parts(subject, line, [], "", [], "", [], [("Open the dashboard", link)] if link else [])
    return {
        "subject": subject,
        "text": parts.as_text(),
        "html": parts.as_html(),
        "markdown": parts.as_markdown(),
        "short": subject,
        "tone": "info",
        "document": {"event": News.TEST.value, "at": now.isoformat(), "channel": channel, "subject": subject},
    }


def report_message(number: int, name: str, sentence: str, now: datetime, link: str | None) -> dict[str, Any]:
    """A report that was made on schedule; the file goes with it where the channel takes files."""
    subject = f"Coupling Health report {name.rsplit('.', 1)[0].removeprefix('coupling-health-')}"
    links = [("Download", f"{link.rstrip('/')}/reports")] if link else []
    parts = _Parts(subject, sentence, [], "", [], "", [], links)
    return {
        "subject": subject,
        "text": parts.as_text(),
        "html": parts.as_html(),
        "markdown": parts.as_markdown(),
        "short": f"{subject}{f' {links[0][1]}' if links else ''}"[:SHORTEST],
        "tone": "info",
        "report": number,
        "document": {
            "event": "report",
            "at": now.isoformat(),
            "name": name,
            "sentence": sentence,
            "link": links[0][1] if links else None,
        },
    }


@dataclass(frozen=True, slots=True)
class _Parts:
    subject: str
    standing: str
    lines: Sequence[str]
    listing: str  # what stands over the pairs
    pairs: Sequence[str]
    more: str
    todo: Sequence[str]
    links: Sequence[tuple[str, str]]  # words, address

    def as_text(self) -> str:
        blocks = [*self.lines, self.standing]
        if self.pairs:
            blocks.append("\n".join([f"{self.listing}:", *(f"  {pair}" for pair in self.pairs), *filter(None, [self.more])]))
        blocks += [f"What to do: {todo}" for todo in self.todo]
        blocks += [f"{words}: {address}" for words, address in self.links]
        return _harmless("\n\n".join([*blocks, f"Message {_KEY}"]))

    def as_markdown(self) -> str:
        blocks = [*(f"*{_unformatted(line)}*" for line in self.lines), _unformatted(self.standing)]
        if self.pairs:
            pairs = [f"• {_unformatted(pair)}" for pair in self.pairs]
            blocks.append("\n".join([f"{self.listing}:", *pairs, *([self.more] if self.more else [])]))
        blocks += [f"What to do: {todo}" for todo in self.todo]
        blocks += [" · ".join(f"[{words}]({address})" for words, address in self.links)] if self.links else []
        return "\n\n".join([*blocks, f"Message {_KEY}"])

    def as_html(self) -> str:
        paragraphs = [f"<p><b>{escape(line)}</b></p>" for line in self.lines]
        paragraphs.append(f"<p>{escape(self.standing)}</p>")
        if self.pairs:
            rows = "".join(f"<li>{escape(pair)}</li>" for pair in self.pairs)
            paragraphs.append(f"<p>{self.listing}:</p><ul>{rows}</ul>" + (f"<p>{escape(self.more)}</p>" if self.more else ""))
        paragraphs += [f"<p>What to do: {escape(todo)}</p>" for todo in self.todo]
        # the address is the text as well, for what is made of this as plain text has no links
        paragraphs += [f'<p>{words}: <a href="{escape(url)}">{escape(url)}</a></p>' for words, url in self.links]
        paragraphs.append(f'<p style="color:#697386;font-size:12px">Message {_KEY}</p>')
        style = "font-family:system-ui,sans-serif;font-size:15px;line-height:1.45;color:#1b2430"
        return f'<div style="{style}">{"".join(paragraphs)}</div>'


def _harmless(text: str) -> str:
    """The same to the eye, and neither a link nor a call to everybody in chats that format what they get as plain text."""
    return _CALLS.sub("\\g<0>\u200b", text)


def _unformatted(text: str) -> str:
    """Names and reasons of others, so that nothing in them is taken for a link or for formatting."""
    return _FORMATTING.sub(r"\\\g<0>", text)


def _subject(items: Sequence[Item], situation: Situation) -> str:
    first = items[0]
    more = f" (+{len(items) - 1})" if len(items) > 1 else ""
    status = situation.status.value.upper()
    rate = f", {situation.rate} %" if situation.rate is not None and situation.status is not Status.UNKNOWN else ""
    begins = {News.RESOLVED: "Resolved: ", News.STILL: "Still: "}.get(first.news, "")
    return f"{begins}{title(first.rule)}{more} [{status}{rate}]"


def _line(item: Item, now: datetime) -> str:
    incident = item.incident
    match item.news:
        case News.RESOLVED:
            return f"Resolved: {title(item.rule)}. It lasted {in_words(incident.duration(now))}{_worst(incident)}."
        case News.STILL:
            lasting = f"for {in_words(incident.duration(now))}{_flapping(incident)}"
            return f"Still firing: {title(item.rule)}, {lasting}.{_detail(item)}"
        case _:
            return f"{title(item.rule)}, since {_moment(incident.began_at)}.{_detail(item)} {described(item.rule)}"


def _detail(item: Item) -> str:
    return f" {item.detail}" if item.detail else ""


def _worst(incident: Incident) -> str:
    most = incident.most_violations
    worst = [] if most is None else [f"{most:,} violation{'' if most == 1 else 's'}"]
    worst += [] if incident.worst_rate is None else [f"{incident.worst_rate} %"]
    return f"; at the worst {', '.join(worst)}" if worst else ""


def _flapping(incident: Incident) -> str:
    return f"; it is flapping: it was gone {incident.returns} times and came back" if incident.returns >= FLAPPING else ""


def _standing(situation: Situation) -> str:
    changes = f" {situation.changes}." if situation.changes else ""
    return f"Now {situation.status.value}: {situation.reason}.{changes}"


def _pair(violation: Violation, *, user_ids: bool) -> str:
    def level(value: int | None) -> str:
        return "none" if value is None else str(value)

    who = f"user {violation.user_id}, " if user_ids else ""
    levels = f"progress {level(violation.progress_level)}, licence {level(violation.license_level)}"
    return f"{who}{violation.specialization}: {KIND_WORDS[violation.kind]} ({levels})"


def _more(situation: Situation) -> str:
    named = min(len(situation.violations), FIRST)
    left = (situation.totals.inconsistent if situation.totals else named) - named
    return f"and {left:,} more" if left > 0 else ""


def _links(items: Sequence[Item], situation: Situation) -> Sequence[tuple[str, str]]:
    """To the incident, and to what can be done about each that nobody has acknowledged."""
    if situation.link is None:
        return []
    found = [("Open", f"{situation.link.rstrip('/')}/incident?number={items[0].incident.id}")]
    for item in items:
        if item.news is not News.RESOLVED and item.incident.acknowledged_at is None:
            about = f" {title(item.rule)}" if len(items) > 1 else ""
            for words, deed in (("Acknowledge", Deed.ACKNOWLEDGE), ("Snooze for an hour", Deed.SNOOZE)):
                found.append((words + about, address(situation.link, situation.key, deed, item.incident.id, situation.now)))
    return found


def _tone(items: Sequence[Item]) -> str:
    going_on = [item for item in items if item.news is not News.RESOLVED]
    if not going_on:
        return "good"
    return max((item.rule.severity for item in going_on), key=list(Severity).index).value


def _short(items: Sequence[Item], situation: Situation) -> str:
    subject = _subject(items, situation)
    known = situation.totals is not None and situation.status is not Status.UNKNOWN  # a late check's 0 would read like good news
    count = f" {situation.totals.inconsistent:,} violations." if known and situation.totals else ""
    link = f" {situation.link}" if situation.link else ""
    text = f"{subject}.{count}"
    return text + link if len(text + link) <= SHORTEST else text[: SHORTEST - 1] + "…" if len(text) > SHORTEST else text


def _document(items: Sequence[Item], situation: Situation) -> dict[str, Any]:
    totals = situation.totals
    return {
        "event": items[0].news.value,
        "at": situation.now.isoformat(),
        "status": situation.status.value,
        "reason": situation.reason,
        "last_known": situation.status is Status.UNKNOWN,  # the figures below are those of an earlier check
        "consistency_rate": None if situation.rate is None else float(situation.rate),
        "total_checked": None if totals is None else totals.total_checked,
        "inconsistent": None if totals is None else totals.inconsistent,
        "link": situation.link,
        "alerts": [_alert(item, situation.now) for item in items],
        "violations": [_without_user(violation, user_ids=situation.user_ids) for violation in situation.violations[:FIRST]],
    }


def _alert(item: Item, now: datetime) -> dict[str, Any]:
    incident = item.incident
    return {
        "event": item.news.value,
        "incident": incident.id,
        "rule": item.rule.name,
        "title": title(item.rule),
        "severity": item.rule.severity.value,
        "began_at": incident.began_at.isoformat(),
        "resolved_at": None if incident.resolved_at is None else incident.resolved_at.isoformat(),
        "seconds": int(incident.duration(now).total_seconds()),
        "most_violations": incident.most_violations,
        "worst_rate": None if incident.worst_rate is None else float(incident.worst_rate),
        "what_to_do": advice(item.rule),
    }


def _without_user(violation: Violation, *, user_ids: bool) -> Mapping[str, object]:
    document = violation.as_json()
    return document if user_ids else {key: value for key, value in document.items() if key != "user_id"}


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
