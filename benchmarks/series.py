"""Synthetic hours of violations, with structure and without: what a forecast must be shown for, and refused for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

PAIRS = 10_000.0


@dataclass(frozen=True, slots=True)
class Kind:
    """A way in which violations may come and go, and whether a forecast of it is worth anything."""

    words: str
    structured: bool
    values: Callable[[int, np.random.Generator], Floats]

    def of(self, days: int, seed: int) -> Floats:
        """So many days of hours."""
        return np.maximum(self.values(days * 24, np.random.default_rng(seed)), 0.0)


def _white_noise(hours: int, rng: np.random.Generator) -> Floats:
    return 50 + rng.normal(0, 5, hours)


def _rare_spikes(hours: int, rng: np.random.Generator) -> Floats:
    return rng.poisson(0.05, hours) * rng.exponential(20, hours)


def _few_at_random(hours: int, rng: np.random.Generator) -> Floats:
    return rng.poisson(3, hours).astype(np.float64)


def _random_walk(hours: int, rng: np.random.Generator) -> Floats:
    return 500 + np.cumsum(rng.normal(0, 2, hours))


def _daily(hours: int, rng: np.random.Generator) -> Floats:
    return 20 + 10 * np.sin(2 * np.pi * np.arange(hours) / 24) + rng.normal(0, 3, hours)


def _nightly_batch(hours: int, rng: np.random.Generator) -> Floats:
    return np.where(np.arange(hours) % 24 < 3, 40, 2) + rng.poisson(3, hours).astype(np.float64)


def _daily_and_drifting(hours: int, rng: np.random.Generator) -> Floats:
    return 80 + 10 * np.sin(2 * np.pi * np.arange(hours) / 24) + np.cumsum(rng.normal(0, 0.3, hours)) + rng.normal(0, 2, hours)


def _working_days(hours: int, rng: np.random.Generator) -> Floats:
    at = np.arange(hours)
    return 20 + 10 * np.sin(2 * np.pi * at / 24) * (at // 24 % 7 < 5) + rng.normal(0, 3, hours)


def _noisy_walk(hours: int, rng: np.random.Generator) -> Floats:
    return 200 + np.cumsum(rng.normal(0, 0.5, hours)) + rng.normal(0, 5, hours)


KINDS: Mapping[str, Kind] = {
    "white": Kind("white noise", structured=False, values=_white_noise),
    "walk": Kind("random walk", structured=False, values=_random_walk),
    "few": Kind("few, at random", structured=False, values=_few_at_random),
    "spikes": Kind("rare spikes", structured=False, values=_rare_spikes),
    "daily": Kind("daily pattern and noise", structured=True, values=_daily),
    "nightly": Kind("nightly batch", structured=True, values=_nightly_batch),
    "drifting": Kind("daily pattern on a drifting level", structured=True, values=_daily_and_drifting),
    "noisy": Kind("drifting level under noise", structured=True, values=_noisy_walk),
    "working": Kind("daily pattern on working days", structured=True, values=_working_days),
}
