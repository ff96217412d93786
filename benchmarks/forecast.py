"""`python -m benchmarks.forecast`: how often a forecast is shown, whether its interval holds, and what it costs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import process_time

import numpy as np

from benchmarks.series import KINDS, PAIRS, Floats
from core.forecast.making import make_forecast
from core.forecast.model import Forecast, Horizon
from core.forecast.series import HourlySeries, moment_of
from core.status import DEFAULT_THRESHOLDS

_FIRST_HOUR = 480_000


@dataclass(slots=True)
class Shown:
    """What became of one horizon over all seeds."""

    times: int = 0
    measured: list[float] = field(default_factory=list)  # coverage in percent, as the backtest tells it
    true: list[float] = field(default_factory=list)  # and in the hours that came, which nothing had seen


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line for each kind of series. 1 when structure is not shown, or noise not refused, in 95 % of the seeds."""
    parser = argparse.ArgumentParser("python -m benchmarks.forecast", description=__doc__)
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--seeds", type=int, default=100, help="series of each kind; default: %(default)s")
    parser.add_argument("--days", type=int, default=56, help="of history; default: %(default)s")
    options = parser.parse_args(arguments)
    print(f"{options.days} days of history, {options.seeds} seeds.")
    print("Cells: shown · coverage as the backtest tells it · coverage of the hours that came.\n")
    print(f"| series | {Horizon.DAY:d} h | {Horizon.WEEK:d} h | CPU, median | CPU, longest |\n| --- | --- | --- | --- | --- |")
    right = [_measure(name, options.seeds, options.days) for name in options.kinds]
    return 0 if all(right) else 1


def _measure(name: str, seeds: int, days: int) -> bool:
    kind = KINDS[name]
    shown = {horizon: Shown() for horizon in Horizon}
    seconds = []
    for values in (kind.of(days + 7, seed) for seed in range(seeds)):
        begun = process_time()
        forecast = _forecast(values[: days * 24])
        seconds.append(process_time() - begun)
        for horizon in Horizon:
            _note(shown[horizon], forecast, horizon, values[days * 24 :])
    cells = " | ".join(_cell(shown[horizon], seeds) for horizon in Horizon)
    print(f"| {kind.words} | {cells} | {np.median(seconds):.2f} s | {max(seconds):.2f} s |", flush=True)
    if kind.structured:
        return shown[Horizon.DAY].times >= 0.95 * seeds
    return all(one.times <= 0.05 * seeds for one in shown.values())


def _forecast(values: Floats) -> Forecast:
    hours = np.arange(_FIRST_HOUR, _FIRST_HOUR + values.size)
    return make_forecast(HourlySeries(hours, values, np.full(values.size, PAIRS)), DEFAULT_THRESHOLDS, moment_of(int(hours[-1])))


def _note(shown: Shown, forecast: Forecast, horizon: Horizon, came: Floats) -> None:
    outlook = forecast.outlook(horizon)
    if outlook.useful and outlook.backtest is not None:
        shown.times += 1
        shown.measured.append(outlook.backtest.coverage_percent)
        inside = [hour.lower <= value <= hour.upper for hour, value in zip(outlook.hours, came, strict=False)]
        shown.true.append(100 * float(np.mean(inside)))


def _cell(shown: Shown, seeds: int) -> str:
    share = f"{100 * shown.times / seeds:.0f} %"
    return share if not shown.times else f"{share} · {np.mean(shown.measured):.1f} % · {np.mean(shown.true):.1f} %"


if __name__ == "__main__":
    sys.exit(main())
