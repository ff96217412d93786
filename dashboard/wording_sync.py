"""Words for syncs: what is written, where a run stands, what became of a pair."""

from __future__ import annotations

from collections.abc import Mapping

from core.model import Kind
from core.state.sync_runs import RunStatus
from core.sync.change import Change, ChangeOutcome
from core.sync.policy import Policy, Step
from dashboard.wording import counted, number

POLICY_LABELS: Mapping[Policy, str] = {
    Policy.HIGHER_LEVEL: "Higher level wins",
    Policy.PROGRESS_WINS: "Progress wins",
    Policy.LICENSE_WINS: "Licence wins",
    Policy.NEVER: "Leave alone",
}

POLICY_ADVICE: Mapping[Policy, str] = {
    Policy.HIGHER_LEVEL: "The side that is further is right; a missing row is made from the other side.",
    Policy.PROGRESS_WINS: "The progress side is right, also where that lowers a licence.",
    Policy.LICENSE_WINS: "The licence side is right, also where that lowers progress.",
    Policy.NEVER: "Nothing is written.",
}

STEP_LABELS: Mapping[Step, str] = {
    Step.SET_LICENSE_LEVEL: "Set licence to level {level}",
    Step.SET_PROGRESS_LEVEL: "Set progress to level {level}",
    Step.CREATE_LICENSE: "Create licence at level {level}",
    Step.CREATE_PROGRESS: "Create progress at level {level}",
}

RUN_LABELS: Mapping[RunStatus, str] = {
    RunStatus.PLANNED: "Planned",
    RunStatus.HELD: "Held: a person must look",
    RunStatus.WAITING: "Waits for a second admin",
    RunStatus.RUNNING: "At work",
    RunStatus.DONE: "Done",
    RunStatus.STOPPED: "Stopped",
    RunStatus.INTERRUPTED: "Interrupted",
    RunStatus.REFUSED: "Given up",
}

OUTCOME_LABELS: Mapping[ChangeOutcome, str] = {
    ChangeOutcome.PLANNED: "Planned",
    ChangeOutcome.LEFT_ALONE: "Left alone",
    ChangeOutcome.APPLYING: "Being written",
    ChangeOutcome.APPLIED: "Written",
    ChangeOutcome.CHANGED: "Changed meanwhile",
    ChangeOutcome.FAILED: "Failed",
    ChangeOutcome.NOT_TRIED: "Not tried",
    ChangeOutcome.UNDONE: "Taken back",
    ChangeOutcome.UNCLEAR: "Unclear",
}

OUTCOME_ADVICE: Mapping[ChangeOutcome, str] = {
    ChangeOutcome.PLANNED: "It is next, or waits for you.",
    ChangeOutcome.LEFT_ALONE: "A person must decide: the reason says what about.",
    ChangeOutcome.APPLYING: "It is being committed at this moment.",
    ChangeOutcome.APPLIED: "Both rows are as planned.",
    ChangeOutcome.CHANGED: "The application changed it since the plan; nothing was written. A new plan looks at it anew.",
    ChangeOutcome.FAILED: "Nothing was written; the reason says why. A new plan tries again.",
    ChangeOutcome.NOT_TRIED: "The run ended before; nothing was written.",
    ChangeOutcome.UNDONE: "A later run put the old values back.",
    ChangeOutcome.UNCLEAR: "Look at the pair: nobody can say whether it was written.",
}

_TAKEN_BACK: Mapping[Step, str] = {
    Step.SET_LICENSE_LEVEL: "Set licence back to level {level}",
    Step.SET_PROGRESS_LEVEL: "Set progress back to level {level}",
    Step.CREATE_LICENSE: "Remove the licence that was made",
    Step.CREATE_PROGRESS: "Remove the progress that was made",
}

_PUT_BACK = "Put back"

_IN_ORDER = (
    ChangeOutcome.APPLIED,
    ChangeOutcome.UNDONE,
    ChangeOutcome.PLANNED,
    ChangeOutcome.APPLYING,
    ChangeOutcome.CHANGED,
    ChangeOutcome.FAILED,
    ChangeOutcome.NOT_TRIED,
    ChangeOutcome.UNCLEAR,
    ChangeOutcome.LEFT_ALONE,
)


def step_in_words(change: Change) -> str:
    """What is written to a pair, or taken back."""
    if change.step is None:
        return OUTCOME_LABELS[ChangeOutcome.LEFT_ALONE]
    if change.undoes is None:
        return STEP_LABELS[change.step].format(level=change.level)
    old = change.license_level if change.step.of_license else change.progress_level
    return _TAKEN_BACK[change.step].format(level=old)


def outcome_label(outcome: ChangeOutcome, *, undoing: bool = False) -> str:
    """What became of a pair; `undoing`: in a run that takes another back."""
    return _PUT_BACK if undoing and outcome is ChangeOutcome.APPLIED else OUTCOME_LABELS[outcome]


def counts_in_words(counts: Mapping[ChangeOutcome, int], *, undoing: bool = False) -> str:
    """How many pairs stand where: "12 written, 1 changed meanwhile, 3 left alone"."""
    parts = [f"{number(counts[one])} {outcome_label(one, undoing=undoing).lower()}" for one in _IN_ORDER if counts.get(one)]
    return ", ".join(parts) or "no pair"


def can_be_synced(by_kind: Mapping[Kind, int]) -> str:
    """How many violations of a check a plan would look at, and how many it would leave to people, in a sentence."""
    people = sum(by_kind.get(kind, 0) for kind in (Kind.DUPLICATE_ROWS, Kind.LEVEL_NOT_SET))
    others = sum(by_kind.values()) - people
    left = f" {counted(people, 'one is', 'are')} for people to decide." if people else ""
    return f"{counted(others, 'violation', 'violations')} may be mended by a sync.{left}"
