"""The words of a forecast as frozen dataclasses and enums.

Free of numpy, so that pages and the state database load nothing for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

INTERVAL_PERCENT = 80  # of the values are meant to lie in the interval
LEAST_IMPROVEMENT = 5  # percent less error than the best simple guess, else nothing is shown


class Horizon(IntEnum):
    """How far ahead, in hours."""

    DAY = 24
    WEEK = 168


NEEDED_DAYS: Mapping[Horizon, int] = {Horizon.DAY: 10, Horizon.WEEK: 35}  # of history, before a forecast can prove itself


class Refusal(StrEnum):
    """Why there is no forecast, the first that applies."""

    TOO_LITTLE_HISTORY = "too_little_history"  # fewer than NEEDED_DAYS without a gap longer than a day
    OUTDATED = "outdated"  # nothing was read in the last hours: there is no "now" to start from
    TOO_MANY_GAPS = "too_many_gaps"  # too large a part of the hours was not read
    CONSTANT = "constant"  # every hour reads the same: the last value stays, but that is no forecast
    NO_MODEL = "no_model"  # no model could be fitted
    NOT_BETTER = "not_better"  # a simple guess is as good, or the difference may be luck


class Guess(StrEnum):
    """What anybody could say without a model."""

    SAME_AS_NOW = "same_as_now"  # the newest hour's value, for every hour to come
    SAME_AS_YESTERDAY = "same_as_yesterday"  # that of the same hour of the newest 24
    AS_USUAL = "as_usual"  # the median of all hours so far: what pure noise cannot be beaten by


class Model(StrEnum):
    """What is fitted: exponential smoothing with additive errors."""

    LEVEL = "level"  # a level that moves
    TREND = "trend"  # and a trend that fades
    DAY = "day"  # a level and a pattern over 24 hours
    DAY_AND_TREND = "day_and_trend"
    WEEK = "week"  # a level and a pattern over the 168 hours of a week


@dataclass(frozen=True, slots=True)
class HourRead:
    """One hour of the past: its mean number of violations; None where nothing was read."""

    start: datetime
    violations: float | None


@dataclass(frozen=True, slots=True)
class HourAhead:
    """One hour to come: the expected mean number of violations and its interval, 0 <= lower <= violations <= upper."""

    start: datetime
    violations: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class RateAhead:
    """The same as percentages of pairs that agree, unrounded; `lower` is the worse end."""

    start: datetime
    rate: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Backtest:
    """How the model did beside the simple guesses where the outcome is known.

    A try stands at an hour of the past, sees nothing after it, and forecasts. Errors are mean absolute differences, in
    violations, over all hours of the horizon that were read, and over all tries.
    """

    tries: int
    error: float
    guesses: Mapping[Guess, float]
    improvement_percent: float  # lower error than the best guess; negative when worse
    luck: float  # the probability that blind chance gives such an improvement over the best guess, 0 to 1
    coverage_percent: float  # of values that lay in the interval, which was made from other tries

    @property
    def best_guess(self) -> Guess:
        return min(self.guesses, key=lambda guess: self.guesses[guess])


@dataclass(frozen=True, slots=True)
class Crossing:
    """The probability, 0 to 1, that an hourly mean of the rate is below a threshold at least once in the horizon."""

    below_healthy: float
    below_degraded: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """One horizon: hours, or the reason why there are none."""

    horizon: Horizon
    refusal: Refusal | None
    model: Model | None = None  # the best one, also when it was refused
    backtest: Backtest | None = None
    hours: tuple[HourAhead, ...] = ()
    crossing: Crossing | None = None

    @property
    def useful(self) -> bool:
        """Whether it may be shown."""
        return self.refusal is None


@dataclass(frozen=True, slots=True)
class Known:
    """What the forecast was made from: the newest stretch of hours without a gap longer than a day, eight weeks at most."""

    first: datetime | None = None  # None: no hour was read
    last: datetime | None = None  # the beginning of the newest hour that was read
    hours: int = 0  # from the first to the last
    unread: int = 0  # of these
    after_gap: bool = False  # older hours were left out because of a gap
    last_violations: float = 0.0
    pairs: float = 0.0  # in the newest hour; the rates to come assume that they stay
    newest: tuple[HourRead, ...] = ()  # the last two days, so that a picture needs nothing else


@dataclass(frozen=True, slots=True)
class Forecast:
    """All that is said about the time to come, for one watched database."""

    made_at: datetime
    known: Known
    day: Outlook
    week: Outlook

    def outlook(self, horizon: Horizon) -> Outlook:
        """The outlook of a horizon."""
        return self.day if horizon is Horizon.DAY else self.week

    def rates(self, horizon: Horizon) -> Sequence[RateAhead]:
        """The hours of a horizon as percentages."""
        pairs = self.known.pairs
        return [
            RateAhead(
                hour.start,
                agreeing_percent(hour.violations, pairs),
                agreeing_percent(hour.upper, pairs),
                agreeing_percent(hour.lower, pairs),
            )
            for hour in self.outlook(horizon).hours
        ]


def agreeing_percent(violations: float, pairs: float) -> float:
    """The rate that a number of violations means, 0 to 100; 100 when there are no pairs."""
    return max(100.0 - 100.0 * violations / pairs, 0.0) if pairs > 0 else 100.0
