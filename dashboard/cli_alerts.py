"""`coupling-health alert …`: the rules, what they would have said, and whether a channel works."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from core.alerts.channels import Channel
from core.alerts.delivery import Delivery
from core.alerts.desk import AlertDesk, RuleState
from core.alerts.drill import drill
from core.alerts.messages import trial_message
from core.alerts.phases import Phase
from core.alerts.replay import Replayed, replayed
from core.alerts.wording import described, title
from core.assembly import build_coupler, open_state
from core.clock import utc_now
from core.durations import in_words
from core.errors import AlertProblem
from core.health_monitor import HealthMonitor
from core.settings import Settings, load_settings
from dashboard.console import AsJson, errors_in_words, eyes, plain, put
from dashboard.wording import NONE

app = typer.Typer(no_args_is_help=True, help="Who is told what, and whether it arrives.")

_STYLES = {Phase.FIRING: "red", Phase.PENDING: "yellow", Phase.RESOLVED: "green", Phase.INACTIVE: "dim"}


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show every rule and where it stands. Needs only the state database."""
    with errors_in_words(as_json=as_json):
        states = AlertDesk(_monitor(load_settings()), utc_now).states()
        if as_json:
            put([_state_as_json(state) for state in states])
            return
        table = Table("Rule", "Severity", "State", "Since", "What it watches for")
        for state in states:
            phase = state.standing.phase
            since = f"{state.standing.since:%Y-%m-%d %H:%M} UTC" if state.standing.since else NONE
            quiet = ", silenced" if state.silenced else ""
            told = f"[{_STYLES[phase]}]{phase.value}{quiet}[/{_STYLES[phase]}]"
            table.add_row(plain(state.rule.name), state.rule.severity.value, told, since, plain(described(state.rule)))
        eyes.print(table)


@app.command("test")
def test(
    channel: Annotated[str, typer.Argument(help="The channel's name in the settings.")],
    as_json: AsJson = False,
) -> None:
    """Send a real test message through a channel and show the answer. Exits 0 when it was accepted, 1 when not."""
    with errors_in_words(as_json=as_json):
        settings = load_settings()
        tried = _channel(settings, channel).send(trial_message(channel, utc_now(), settings.alerts.link), uuid.uuid4().hex)
        if as_json:
            put({"channel": channel, "sent": tried.sent, "answer": tried.answer})
        else:
            verdict = "[green]Sent[/green]" if tried.sent else "[bold red]Not sent[/bold red]"
            eyes.print(f"{verdict} through {plain(channel)}: {plain(tried.answer)}", soft_wrap=True)
    raise typer.Exit(0 if tried.sent else 1)


@app.command("replay")
def replay(
    start: Annotated[str, typer.Option("--from", help="First day or moment, in UTC: 2026-10-01, 2026-10-01T08:00.")],
    end: Annotated[str | None, typer.Option("--to", help="Day or moment at which it ends, not included. Default: now.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run the rules over stored history and show what would have fired. Sends nothing; needs only the state database."""
    with errors_in_words(as_json=as_json):
        now = utc_now()
        first, last = _moment(start), min(_moment(end), now) if end else now
        if first >= last:
            raise AlertProblem(f"{start} is not before {end or 'now'}.", hint="Give a --from that lies before --to.")
        monitor = _monitor(load_settings())
        found = replayed(monitor.record, AlertDesk(monitor, utc_now).rules, first, last)
        if as_json:
            put([_replayed_as_json(one) for one in found])
            return
        if not found:
            eyes.print(f"Nothing would have fired between {first:%Y-%m-%d %H:%M} and {last:%Y-%m-%d %H:%M} UTC.")
            return
        table = Table("Fired (UTC)", "Rule", "Resolved (UTC)", "Lasted", "Most")
        for column in table.columns:
            column.no_wrap = True
        for one in found:
            table.add_row(
                f"{one.fired_at:%Y-%m-%d %H:%M}",
                plain(one.rule.name),
                NONE if one.resolved_at is None else f"{one.resolved_at:%Y-%m-%d %H:%M}",
                in_words((one.resolved_at or last) - one.began_at),
                NONE if one.most_violations is None else f"{one.most_violations:,}",
            )
        eyes.print(table)
        per_day = len(found) / max((last - first) / timedelta(days=1), 1)
        eyes.print(f"{len(found)} incidents would have fired, {per_day:.1f} a day. Most: the most violations while it lasted.")
        if quiet := sum(one.in_maintenance for one in found):
            eyes.print(f"{quiet} of them in planned maintenance, in which nobody is told.")


def run_drill(
    channel: Annotated[str, typer.Argument(help="The channel that the alert goes through.")],
    as_json: AsJson = False,
) -> None:
    """Plant a mismatch in a throw-away copy of the schema and see it arrive. Exits 0 when it did, 1 when not."""
    with errors_in_words(as_json=as_json):
        settings = load_settings()
        done = drill(settings, _channel(settings, channel))
        if as_json:
            put({**asdict(done), "passed": done.passed})
        elif done.passed:
            eyes.print(
                f"[green]Arrived[/green] through {plain(channel)} {done.delivered:.1f} s after planting "
                f"(found after {done.detected:.1f} s, fired after {done.fired:.1f} s): {plain(done.answer)}",
                soft_wrap=True,
            )
        else:
            eyes.print(f"[bold red]Did not arrive[/bold red] through {plain(channel)}: {plain(done.answer)}", soft_wrap=True)
    raise typer.Exit(0 if done.passed else 1)


def _channel(settings: Settings, name: str) -> Channel:
    channels = settings.alerts.built_channels()
    if name not in channels:
        known = f"There are: {', '.join(channels)}." if channels else "None is set up."
        raise AlertProblem(
            f"There is no channel {name!r}. {known}", hint="Set its URL: alerts.channels.NAME.url; see docs/alerts.md."
        )
    return channels[name]


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise AlertProblem(f"{text!r} is no day and no moment.", hint="Write 2026-10-01 or 2026-10-01T08:00.") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _monitor(settings: Settings) -> HealthMonitor:
    coupler = None if settings.demo else build_coupler(settings)  # tells whose history it is; connects to nothing
    return HealthMonitor(settings, open_state(settings), coupler)


def _state_as_json(state: RuleState) -> dict[str, Any]:
    since = state.standing.since
    return {
        "rule": state.rule.name,
        "title": title(state.rule),
        "severity": state.rule.severity.value,
        "state": state.standing.phase.value,
        "since": None if since is None else since.isoformat(),
        "flapping": state.standing.flapping,
        "silenced": state.silenced,
        "description": described(state.rule),
    }


def _replayed_as_json(one: Replayed) -> dict[str, Any]:
    return {
        "rule": one.rule.name,
        "severity": one.rule.severity.value,
        "began_at": one.began_at.isoformat(),
        "fired_at": one.fired_at.isoformat(),
        "resolved_at": None if one.resolved_at is None else one.resolved_at.isoformat(),
        "most_violations": one.most_violations,
        "in_maintenance": one.in_maintenance,
    }


@contextmanager
def telling(monitor: HealthMonitor) -> Iterator[None]:
    """Where checks run from cron and no server runs, alerts are evaluated and sent with them."""
    desk = AlertDesk(monitor, utc_now)
    if not desk.channels:
        yield
        return
    monitor.after_check = desk.evaluate_quietly
    try:
        yield
    finally:
        Delivery(monitor.state, desk.channels, utc_now).run_quietly()
