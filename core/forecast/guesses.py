"""What anybody could say without a model. A forecast that is not better than these is not worth a look."""

from __future__ import annotations

import numpy as np

from core.forecast.model import Guess
from core.forecast.series import Floats

_DAY = 24


def guess(kind: Guess, past: Floats, steps: int) -> Floats:
    """The values that a guess gives for the hours after `past`, which holds at least a day."""
    if kind is Guess.SAME_AS_NOW:
        return np.full(steps, past[-1])
    if kind is Guess.SAME_AS_YESTERDAY:
        return np.resize(past[-_DAY:], steps)
    return np.full(steps, np.median(past))
