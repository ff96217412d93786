"""The shape that nearly all logs have, however they are indented. Each pattern matches JSON only, and nothing that is escaped."""

from __future__ import annotations

import re

BLANKS = b" \t\n\r"  # of JSON

_BLANK = rb"[ \t\n\r]*+"
_COUNT = rb"(0|[1-9][0-9]{0,17})"  # one that every database holds
_LEVEL = rb"(0|[1-9][0-9]{0,17}|null)"
_RATE = rb"(?:null|(?:0|[1-9][0-9]{0,2})(?:\.[0-9]{1,15})?)"

FIGURES = ("total_checked", "consistent", "inconsistent")
IN_HEAD = ("timestamp", *FIGURES, "consistency_rate", "violations")


def _member(name: str, value: bytes) -> bytes:
    return rb'"%b"%b:%b%b' % (name.encode(), _BLANK, _BLANK, value)


def _members(*members: bytes) -> bytes:
    return (_BLANK + rb"," + _BLANK).join(members)


# From a log's first character to the bracket that opens its list. Groups: the timestamp, then FIGURES.
HEAD = re.compile(
    _BLANK
    + rb"\{"
    + _BLANK
    + _members(
        _member("timestamp", rb'"([0-9T:.+Z -]{10,40})"'),
        *(_member(name, _COUNT) for name in FIGURES),
    )
    + rb"(?:%b,%b%b)?" % (_BLANK, _BLANK, _member("consistency_rate", _RATE))
    + rb"%b,%b%b" % (_BLANK, _BLANK, _member("violations", rb"\["))
)

# A violation without its last brace, in two parts. Groups: the user; then the specialization, both levels, the action, and the
# kind where it is said.
USER = re.compile(_BLANK + rb"\{" + _BLANK + _member("user_id", _COUNT) + _BLANK + rb",")
REST_OF_VIOLATION = re.compile(
    _BLANK
    + _members(
        _member("specialization", rb'"([A-Za-z0-9_ .-]{1,200})"'),
        _member("progress_level", _LEVEL),
        _member("license_level", _LEVEL),
        _member("recommended_action", rb'"([a-z_]{1,40})"'),
    )
    + rb"(?:%b,%b%b)?" % (_BLANK, _BLANK, _member("kind", rb'"([a-z_]{1,40})"'))
    + _BLANK
)
