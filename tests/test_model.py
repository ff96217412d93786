"""The words of the contract."""

from __future__ import annotations

from core.model import Action, Kind, Outcome, Totals, Violation
from tests.engines.oracle import ACTIONS


def test_every_kind_has_the_action_of_the_contract() -> None:
    assert {kind.value: kind.action.value for kind in Kind} == ACTIONS


def test_every_action_mends_a_kind() -> None:
    assert {kind.action for kind in Kind} == set(Action)


def test_totals_tell_how_a_check_ended() -> None:
    assert Totals(0, 0, 5, 5).outcome is Outcome.EMPTY
    assert Totals(3, 0, 5, 0).outcome is Outcome.HEALTHY
    assert Totals(3, 1).outcome is Outcome.UNHEALTHY
    assert Totals(3, 1).consistent == 2


def test_a_missing_level_is_null_in_json() -> None:
    assert Violation("u-1", "PLAYER", 3, None, Kind.MISSING_LICENSE).as_json() == {
        "user_id": "u-1",
        "specialization": "PLAYER",
        "progress_level": 3,
        "license_level": None,
        "recommended_action": "create_license_from_progress",
        "kind": "missing_license",
    }
