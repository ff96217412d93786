"""How many examples a property is tried with: few while one works, many where it matters."""

from __future__ import annotations

import os

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE", "thorough" if os.environ.get("CI") else "quick") == "thorough"


def examples(quick: int) -> int:
    """`quick`, or ten times as many under the thorough profile (CI=1 or HYPOTHESIS_PROFILE=thorough)."""
    return quick * 10 if THOROUGH else quick
