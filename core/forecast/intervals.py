"""How wrong it may be: intervals and probabilities from the errors of the backtest, without any assumption about their shape.

Split conformal prediction: the errors of tries, hours ahead that are alike taken together, give the quantiles, with the
correction for few of them that makes the promised share hold for exchangeable errors.
"""

from __future__ import annotations

from itertools import pairwise
from math import ceil

import numpy as np

from core.forecast.model import INTERVAL_PERCENT, Crossing
from core.forecast.series import Floats
from core.status import Thresholds

_FOLDS = 4
_FIRST_DAY = (0, 3, 6, 12, 24)  # hours ahead whose errors are taken together; after that, each day is


def bounds(errors: Floats, steps: int) -> tuple[Floats, Floats]:
    """What to add to the forecast for the lower and the upper end, for each hour ahead."""
    lower, upper = np.empty(steps), np.empty(steps)
    for begin, end in _groups(steps):
        below, above = _ends(errors[:, begin:end])
        lower[begin:end], upper[begin:end] = below, above
    return lower, upper


def coverage(errors: Floats) -> float:
    """The share of values, 0 to 1, that lay between the ends which the other tries give.

    Tries are left out a quarter at a time, neighbours together, so that no try is judged by those that share its hours.
    """
    inside = read = 0
    for left_out in np.array_split(np.arange(len(errors)), min(_FOLDS, len(errors))):
        others = np.delete(errors, left_out, axis=0)
        if not len(others):
            continue
        lower, upper = bounds(others, errors.shape[1])
        judged = errors[left_out]
        inside += int(((judged >= lower) & (judged <= upper)).sum())
        read += int((~np.isnan(judged)).sum())
    return inside / read if read else 0.0


def crossing(expected: Floats, errors: Floats, pairs: float, thresholds: Thresholds) -> Crossing:
    """How probable it is that an hour falls below the thresholds: each try's errors, hour by hour, are one way it may go.

    Never quite 0 or 1: some dozens of tries cannot prove that.
    """
    ways = np.maximum(expected + np.nan_to_num(errors), 0.0)

    def probability(threshold: float) -> float:
        most = pairs * (100.0 - threshold) / 100.0
        return float(((ways > most).any(axis=1).sum() + 0.5) / (len(ways) + 1))

    return Crossing(probability(float(thresholds.healthy)), probability(float(thresholds.degraded)))


def _groups(steps: int) -> list[tuple[int, int]]:
    edges = [edge for edge in (*_FIRST_DAY, *range(48, steps + 24, 24)) if edge <= steps]
    return list(pairwise(edges))


def _ends(errors: Floats) -> tuple[float, float]:
    ordered = np.sort(errors[~np.isnan(errors)])
    if not ordered.size:
        return -np.inf, np.inf
    tail = (100 - INTERVAL_PERCENT) / 200
    rank = min(ceil((ordered.size + 1) * (1 - tail)), ordered.size)
    return float(ordered[ordered.size - rank]), float(ordered[rank - 1])
