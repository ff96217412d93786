"""Ways to reach somebody: whatever Apprise reaches, and a signed JSON webhook of our own."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import logging
import mimetypes
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import unquote, urlsplit

SIGNATURE, KEY = "X-Coupling-Health-Signature", "Idempotency-Key"

_TIMEOUT_SECONDS = 15.0
_SHORT = 200  # characters: what takes no more wants the message for phones
_LONGEST_ANSWER = 300
_REFUSED_FOR_GOOD = {400, 401, 403, 404, 405, 410, 413, 415, 422}  # the same message will fare no better
_CODE = re.compile(r"error[=:]\s*(\d{3})")
_LEVEL_AND_TIME = re.compile(r"^.*?(?:ERROR|WARNING)\s*[-:]\s*")


class Shape(StrEnum):
    """How a channel likes its messages."""

    SHORT = "short"  # at most 160 characters
    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"  # with plain text beside it


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of sending: `answer` is fit to be shown, without any secret of the channel."""

    sent: bool
    answer: str
    for_good: bool = False  # refused in a way that no further try can change


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message, where a channel takes files."""

    name: str
    content: bytes


Send = Callable[[Mapping[str, Any], str, Attachment | None], Tried]


@dataclass(frozen=True, slots=True)
class Channel:
    """A name, and how to send a composed message there. See `core.alerts.messages` for the message's keys."""

    name: str
    kind: str  # mailto, slack, https, …
    _send: Send

    def send(self, message: Mapping[str, Any], key: str, attachment: Attachment | None = None) -> Tried:
        """Try once; raises nothing but what nobody foresaw. Takes at most about half a minute."""
        return self._send(message, key, attachment)


def problem_with(url: str) -> str | None:
    """Why a channel's URL is none, in words that repeat nothing of it; None when it can be used."""
    scheme = urlsplit(url).scheme.lower()
    if not scheme:
        return "not a channel URL; write one as mailtos://user:password@host?to=you@example.org or https://host/path"
    if scheme in ("http", "https"):
        return None if urlsplit(url).hostname else "not an address to call; write https://host/path"
    import apprise  # takes half a second to load: for those who have channels

    if apprise.Apprise.instantiate(url, suppress_exceptions=True) is None:
        return f"not a URL that {scheme}:// channels understand, or no such kind of channel; see the Apprise wiki for its form"
    return None


def channel(name: str, url: str, secret: str | None = None) -> Channel:
    """A channel by its URL: http and https are webhooks of ours, signed when there is a secret; the rest is Apprise's."""
    scheme = urlsplit(url).scheme.lower()
    if scheme in ("http", "https"):
        return Channel(name, scheme, lambda message, key, _attachment: _call(url, secret, message, key))
    return Channel(name, scheme, lambda message, key, attachment: _through_apprise(url, message, key, attachment))


def signature(secret: str, body: bytes) -> str:
    """By which a receiver knows that a webhook is ours: HMAC-SHA256 of the body, hexadecimal, behind "sha256="."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _call(url: str, secret: str | None, message: Mapping[str, Any], key: str) -> Tried:
    body = json.dumps({"key": key, **message["document"]}, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "coupling-health", KEY: key}
    if secret:
        headers[SIGNATURE] = signature(secret, body)
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - http or https: see problem_with
    try:
        with _unfollowing.open(request, timeout=_TIMEOUT_SECONDS) as response:
            return Tried(sent=True, answer=f"HTTP {response.status}")
    except urllib.error.HTTPError as refused:
        with refused:
            return Tried(sent=False, answer=f"HTTP {refused.code}", for_good=refused.code in _REFUSED_FOR_GOOD)
    except (OSError, ValueError, http.client.HTTPException) as failed:
        reason = getattr(failed, "reason", failed)
        return Tried(sent=False, answer=_in_words(reason))


class _Unfollowing(urllib.request.HTTPRedirectHandler):
    """A message goes where it was sent, or nowhere."""

    def redirect_request(self, *_arguments: Any) -> None:
        return None


_unfollowing = urllib.request.build_opener(_Unfollowing)


def _in_words(reason: object) -> str:
    if isinstance(reason, TimeoutError):
        return f"no answer within {_TIMEOUT_SECONDS:.0f} s"
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {reason.verify_message}"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return type(reason).__name__


def _through_apprise(url: str, message: Mapping[str, Any], key: str, attachment: Attachment | None) -> Tried:
    import apprise
    from apprise.attachment.memory import AttachMemory

    service = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    if service is not None and hasattr(service, "use_blocks"):
        service.use_blocks = True  # Slack: blocks hold more than one attachment's text
    if service is None:
        return Tried(sent=False, answer="its URL is not understood", for_good=True)
    shape = shape_of(service)
    bodies = {
        Shape.SHORT: (message["short"], apprise.NotifyFormat.TEXT),
        Shape.TEXT: (message["text"], apprise.NotifyFormat.TEXT),
        Shape.MARKDOWN: (message["markdown"], apprise.NotifyFormat.MARKDOWN),
        Shape.HTML: (message["html"], apprise.NotifyFormat.HTML),
    }
    body, its_format = bodies[shape]
    if shape is not Shape.SHORT:
        body = body.replace("{key}", key)
    kinds = {"page": apprise.NotifyType.FAILURE, "warning": apprise.NotifyType.WARNING, "good": apprise.NotifyType.SUCCESS}
    with apprise.LogCapture(level=logging.WARNING, fmt="%(message)s") as said:  # type: ignore[no-untyped-call] # it has no types
        sent = apprise.Apprise([service]).notify(
            body=body,
            title="" if shape is Shape.SHORT else message["subject"],
            body_format=its_format,
            notify_type=kinds.get(message["tone"], apprise.NotifyType.INFO),
            attach=AttachMemory(attachment.content, attachment.name, mimetypes.guess_type(attachment.name)[0])  # type: ignore[no-untyped-call] # it has no types
            if attachment and service.attachment_support
            else None,
        )
        answer = said.getvalue()
    if sent:
        return Tried(sent=True, answer="accepted")
    code = _CODE.search(answer)
    return Tried(sent=False, answer=_without_secrets(answer, url), for_good=bool(code and int(code[1]) in _REFUSED_FOR_GOOD))


def shape_of(service: Any) -> Shape:
    """What an Apprise service takes."""
    if 0 < service.body_maxlen <= _SHORT:
        return Shape.SHORT
    formats = service.notify_format if isinstance(service.notify_format, tuple) else (service.notify_format,)
    preferred = str(getattr(formats[0], "value", formats[0]))
    return Shape(preferred) if preferred in Shape.__members__.values() else Shape.TEXT


def _without_secrets(answer: str, url: str) -> str:
    """The last thing that Apprise complained about, with every longer part of the URL blotted out."""
    lines = [line.strip() for line in answer.splitlines() if line.strip()]
    said = " ".join(lines[-2:]) or "it was not accepted, and no reason was given"
    parts = sorted({part for text in (url, unquote(url)) for part in re.split(r"[/:@?&=]+", text) if len(part) > 3}, key=len)
    for part in reversed(parts):
        said = said.replace(part, "…")
    return said[:_LONGEST_ANSWER]
