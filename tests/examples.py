"""How many examples a property is tried with: enough for every change, more when asked."""

from __future__ import annotations

import os

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE", "quick") == "thorough"


def examples(quick: int) -> int:
    """`quick`, or ten times as many under HYPOTHESIS_PROFILE=thorough."""
    return quick * 10 if THOROUGH else quick
