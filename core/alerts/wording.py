"""Rules and incidents in plain sentences, for messages, pages and the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from core.alerts.rules import Condition, Rule
from core.durations import in_words
from core.model import Status

Sentence = Callable[[Rule], str]

# What a rule watches for, to stand behind "when": "fewer than 95 % of all pairs agree".
_WHEN: Mapping[Condition, Sentence] = {
    Condition.RATE_BELOW: lambda rule: f"fewer than {plain(rule.than)} % of all pairs agree{_and_at_least(rule)}",
    Condition.STATUS_IS: lambda rule: f"the status is {rule.status.value}",
    Condition.VIOLATIONS_ABOVE: lambda rule: f"more than {plain(rule.than)} pairs disagree",
    Condition.FAILED_CHECKS: lambda rule: (
        f"the last {plain(rule.than)} checks failed, or more" if rule.than > 1 else "the last check failed"
    ),
    Condition.CHECKS_LATE: lambda rule: f"no check has completed for more than {plain(rule.than)} intervals",
    Condition.PAIRS_DROPPED: lambda rule: f"more than {plain(rule.than)} % of the pairs are gone, compared with the day before",
    Condition.VIOLATION_OLDER: lambda rule: f"a pair has disagreed for more than {plain(rule.than)} hours",
    Condition.DRILL_FAILED: lambda _rule: "the last daily drill did not arrive",
    Condition.SYNC_WAITS: lambda _rule: "a sync waits for a person, or for a second admin",
}

# The same as a title.
_TITLES: Mapping[Condition, Sentence] = {
    Condition.RATE_BELOW: lambda rule: f"Below {plain(rule.than)} %",
    Condition.STATUS_IS: lambda rule: {Status.UNKNOWN: "Health is unknown"}.get(rule.status, f"Health is {rule.status.value}"),
    Condition.VIOLATIONS_ABOVE: lambda rule: f"More than {plain(rule.than)} violations",
    Condition.FAILED_CHECKS: lambda _rule: "Checks fail",
    Condition.CHECKS_LATE: lambda _rule: "The checker is late",
    Condition.PAIRS_DROPPED: lambda _rule: "Pairs have vanished",
    Condition.VIOLATION_OLDER: lambda rule: f"A violation is older than {plain(rule.than)} h",
    Condition.DRILL_FAILED: lambda _rule: "The alert drill failed",
    Condition.SYNC_WAITS: lambda _rule: "A sync waits for somebody",
}

# What to do about it.
_ADVICE: Mapping[Condition, str] = {
    Condition.RATE_BELOW: "See on the analysis page what the violations have in common and when they began.",
    Condition.STATUS_IS: "See on the analysis page what the violations have in common and when they began.",
    Condition.VIOLATIONS_ABOVE: "Look at the violations: the kind of each says what mends it.",
    Condition.FAILED_CHECKS: "Nothing is known until a check completes. `coupling-health doctor` on the server names the cause.",
    Condition.CHECKS_LATE: "Nothing is known until a check completes. See whether the server's process still runs, and its log.",
    Condition.PAIRS_DROPPED: "An emptied or half-loaded table looks healthy. See whether a load or a migration is under way.",
    Condition.VIOLATION_OLDER: "Nobody mends it by itself any more. Look at the pair and set the right level.",
    Condition.DRILL_FAILED: "Alerts would not arrive there either. Mend the channel; `coupling-health alert test` tries it.",
    Condition.SYNC_WAITS: "Look at its plan on the page Sync; confirm it, approve it, or give it up. Nothing is written before.",
}


def title(rule: Rule) -> str:
    """A few words."""
    return _TITLES[rule.condition](rule)


def described(rule: Rule) -> str:
    """One sentence: what the rule watches for, how long, and when it counts as over."""
    lasting = f", for {in_words(rule.lasting)}," if rule.lasting else ""
    over = f"over when that has been gone for {in_words(rule.quiet)}" if rule.quiet else "over as soon as that is gone"
    return f"Fires when{lasting} {_WHEN[rule.condition](rule)}; {over}."


def advice(rule: Rule) -> str:
    """What to do: the rule's own text, or what usually helps."""
    return rule.text or _ADVICE[rule.condition]


def plain(value: Decimal) -> str:
    """A number as it was written: 95, 99.5."""
    return f"{value.normalize():f}"


def _and_at_least(rule: Rule) -> str:
    return f" and at least {rule.at_least} do not" if rule.at_least > 1 else ""
