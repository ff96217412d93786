"""What a repair makes of a violation: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.model import Kind


class Policy(StrEnum):
    """Which side is right. None of them removes a row or makes up a level."""

    HIGHER_LEVEL = "higher_level"  # the side that is further; a missing row is made from the other side
    PROGRESS_WINS = "progress_wins"  # the progress side, also where that lowers a licence
    LICENSE_WINS = "license_wins"  # the licence side, also where that lowers progress
    NEVER = "never"  # nobody but a person may say


class Step(StrEnum):
    """What is written to mend one pair."""

    SET_LICENSE_LEVEL = "set_license_level"
    SET_PROGRESS_LEVEL = "set_progress_level"
    CREATE_LICENSE = "create_license"
    CREATE_PROGRESS = "create_progress"

    @property
    def creates(self) -> bool:
        return self in (Step.CREATE_LICENSE, Step.CREATE_PROGRESS)

    @property
    def of_license(self) -> bool:
        """Whether it writes the licence side."""
        return self in (Step.SET_LICENSE_LEVEL, Step.CREATE_LICENSE)


PLANNABLE = (Kind.LEVEL_MISMATCH, Kind.MISSING_LICENSE, Kind.MISSING_PROGRESS)


@dataclass(frozen=True, slots=True)
class Policies:
    """Which policy holds for which kind; kinds that are never guessed have none."""

    by_kind: Mapping[Kind, Policy]

    @classmethod
    def all(cls, policy: Policy) -> Policies:
        """The same for every kind that can be planned."""
        return cls(dict.fromkeys(PLANNABLE, policy))

    def of(self, kind: Kind) -> Policy:
        return self.by_kind.get(kind, Policy.NEVER)

    def as_json(self) -> dict[str, str]:
        return {kind.value: policy.value for kind, policy in self.by_kind.items()}

    @classmethod
    def from_json(cls, document: Mapping[str, str]) -> Policies:
        return cls({Kind(kind): Policy(policy) for kind, policy in document.items()})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What should be written: a level, to one side."""

    step: Step
    level: int


NEVER_GUESSED = {
    Kind.DUPLICATE_ROWS: "A side has more than one row, and which one is right is never guessed.",
    Kind.LEVEL_NOT_SET: "A level is not set, and a missing level is never guessed.",
}


def decide(kind: Kind, progress: int | None, license_: int | None, policy: Policy) -> Wanted | str:
    """What to write for a violation with these levels, or in a sentence why nothing is written."""
    if kind in NEVER_GUESSED:
        return NEVER_GUESSED[kind]
    if policy is Policy.NEVER:
        return f"The policy for this kind is {policy}."
    match kind:
        case Kind.MISSING_LICENSE if policy is Policy.LICENSE_WINS:
            return f"The policy is {policy}, and the licence side has no row; rows are never removed."
        case Kind.MISSING_PROGRESS if policy is Policy.PROGRESS_WINS:
            return f"The policy is {policy}, and the progress side has no row; rows are never removed."
        case Kind.MISSING_LICENSE if progress is not None:
            return Wanted(Step.CREATE_LICENSE, progress)
        case Kind.MISSING_PROGRESS if license_ is not None:
            return Wanted(Step.CREATE_PROGRESS, license_)
        case Kind.LEVEL_MISMATCH if progress is not None and license_ is not None:
            from_progress = progress > license_ if policy is Policy.HIGHER_LEVEL else policy is Policy.PROGRESS_WINS
            return Wanted(Step.SET_LICENSE_LEVEL, progress) if from_progress else Wanted(Step.SET_PROGRESS_LEVEL, license_)
    return NEVER_GUESSED[Kind.LEVEL_NOT_SET]
