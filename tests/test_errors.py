"""Every error is a sentence and a next step."""

from __future__ import annotations

import pytest

from core import errors
from core.errors import CouplingHealthError

CLASSES = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, CouplingHealthError)]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_is_a_sentence_with_a_next_step(kind: type[CouplingHealthError]) -> None:
    assert kind.__doc__
    assert kind.__doc__.splitlines()[0].endswith(".")
    error = kind(["port: no such setting"]) if kind is errors.SettingsInvalid else kind()
    assert str(error)
    assert error.hint.endswith(".")
    assert error.advice == f"{error} {error.hint}"


def test_a_hint_can_be_given_for_one_case() -> None:
    assert CouplingHealthError("It is broken.", hint="Mend it.").advice == "It is broken. Mend it."
    assert CouplingHealthError.hint != "Mend it."
