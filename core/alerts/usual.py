"""How many pairs there usually are."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from core.timeline import Timeline

_BASE = timedelta(days=1)


def usual_pairs(timeline: Timeline, before: datetime) -> int | None:
    """The median of the pairs that this product's own checks compared in the day before a moment; None without one.

    What maintenance emptied for a while is not usual.
    """
    day = timeline.between(before - _BASE, before).counted
    totals = day.total[day.compared & ~day.imported]
    return int(np.median(totals)) if len(totals) else None
