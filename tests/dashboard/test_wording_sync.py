"""Every word about syncs has its label, and what is written is said in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import pytest

from core.model import Kind
from core.state.sync_runs import RunStatus
from core.sync.change import Change, ChangeOutcome
from core.sync.policy import Policy, Step
from dashboard import wording_sync as wording


@pytest.mark.parametrize(
    ("words", "members"),
    [
        (wording.POLICY_LABELS, Policy),
        (wording.POLICY_ADVICE, Policy),
        (wording.STEP_LABELS, Step),
        (wording.RUN_LABELS, RunStatus),
        (wording.OUTCOME_LABELS, ChangeOutcome),
        (wording.OUTCOME_ADVICE, ChangeOutcome),
    ],
)
def test_every_member_has_its_own_words(words: Mapping[StrEnum, str], members: type[StrEnum]) -> None:
    assert set(words) == set(members)
    assert len(set(words.values())) == len(words), "no two members are called the same"
    assert not [word for word in words.values() if "_" in word or not word[0].isupper()], "no raw names of the code"


def test_a_step_is_a_sentence_forwards_and_backwards() -> None:
    change = Change(1, 42, "PLAYER", Kind.LEVEL_MISMATCH, 3, 2, Step.SET_LICENSE_LEVEL, 3)
    assert wording.step_in_words(change) == "Set licence to level 3"
    back = Change(1, 42, "PLAYER", Kind.LEVEL_MISMATCH, 3, 2, Step.SET_LICENSE_LEVEL, 3, undoes=1)
    assert wording.step_in_words(back) == "Set licence back to level 2"
    made = Change(1, 42, "PLAYER", Kind.MISSING_PROGRESS, None, 2, Step.CREATE_PROGRESS, 2, undoes=1)
    assert wording.step_in_words(made) == "Remove the progress that was made"


def test_what_became_of_pairs_is_counted_in_order() -> None:
    counts = {ChangeOutcome.LEFT_ALONE: 3, ChangeOutcome.APPLIED: 1_200, ChangeOutcome.CHANGED: 1}
    assert wording.counts_in_words(counts) == "1\u202f200 written, 1 changed meanwhile, 3 left alone"
    assert wording.counts_in_words({ChangeOutcome.APPLIED: 2}, undoing=True) == "2 put back"
    assert wording.counts_in_words({}) == "no pair"


def test_what_can_be_synced_is_told_apart_from_what_needs_people() -> None:
    assert wording.can_be_synced({Kind.LEVEL_MISMATCH: 1}) == "1 violation may be mended by a sync."
    both = wording.can_be_synced({Kind.MISSING_LICENSE: 4, Kind.DUPLICATE_ROWS: 1, Kind.LEVEL_NOT_SET: 1})
    assert both == "4 violations may be mended by a sync. 2 are for people to decide."
