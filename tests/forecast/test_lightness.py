"""The libraries of the forecast take seconds to load: only who makes one pays."""

from __future__ import annotations

import subprocess
import sys

from tests.subprocesses import ROOT

_HEAVY = ("pandas", "scipy", "statsmodels", "typst", "pptx")


def test_commands_pages_words_and_the_state_database_load_nothing_for_a_forecast() -> None:
    code = (
        "import sys, dashboard.cli, core.state.forecasts, core.forecast.promise, dashboard.wording_forecast;"
        f"print([name for name in {_HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_importing_the_making_does_not_load_the_models() -> None:
    code = "import sys, core.forecast.making; print('statsmodels' in sys.modules, 'scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"
