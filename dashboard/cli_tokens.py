"""`coupling-health token …`: who may use the HTTP API."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.table import Table

from core.assembly import open_state
from core.clock import utc_now
from core.errors import TokenProblem
from core.model import Scope
from core.settings import load_settings
from core.state import audit, tokens
from core.state.audit import Deed
from core.state.tokens import Token, TokenState
from dashboard.console import AsJson, errors_in_words, eyes, plain, put, typist, whoami

app = typer.Typer(no_args_is_help=True, help="Who may use the HTTP API.")

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_STYLES = {TokenState.ACTIVE: "green", TokenState.EXPIRED: "yellow", TokenState.REVOKED: "dim"}


@app.command("create")
def create(
    name: Annotated[str, typer.Option(help="What the token is for; how it is listed and revoked.")],
    scope: Annotated[Scope, typer.Option(help="What it may do: read, check (and read), or admin (everything).")] = Scope.READ,
    expires: Annotated[str | None, typer.Option(help="After how long it ends: 12h, 90d, 52w. Default: never.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it: the only time that it is shown."""
    with errors_in_words(as_json=as_json):
        lifetime = None if expires is None else lifetime_of(expires)
        settings, now = load_settings(), utc_now()
        with open_state(settings).write() as connection:
            secret = tokens.create(connection, name, scope, now, lifetime=lifetime, created_by=whoami())
            audit.note(connection, now, typist(), Deed.TOKEN_CREATED, tokens.in_words(name, scope, lifetime))
        ends = None if lifetime is None else now + lifetime
        if as_json:
            put({"token": secret, "name": name.strip(), "scope": scope.value, "expires_at": _iso(ends)})
            return
        until = "until it is revoked" if ends is None else f"until {ends:%Y-%m-%d %H:%M} UTC"
        eyes.print(f"Made {plain(name.strip())}, which may {scope.value}, {until}. It is shown this once:", soft_wrap=True)
        print(secret)  # noqa: T201 - alone on stdout, for scripts
        if settings.demo:
            eyes.print("[yellow]Demo:[/yellow] no watched database is configured, so this token is one of the demo's.")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List all tokens, also expired and revoked ones. The tokens themselves are not kept."""
    with errors_in_words(as_json=as_json):
        with open_state(load_settings()).read() as connection:
            everyone = tokens.everyone(connection)
        now = utc_now()
        if as_json:
            put([_as_json(token, token.state(now)) for token in everyone])
            return
        table = Table("Name", "Token", "Scope", "State", "Made", "By", "Ends", "Last used (UTC)")
        for token in everyone:
            state = token.state(now)
            ends = f"{token.expires_at:%Y-%m-%d}" if token.expires_at else "never"
            used = f"{token.used_at:%Y-%m-%d %H:%M}" if token.used_at else "never"
            made, who = f"{token.created_at:%Y-%m-%d}", plain(token.created_by or "—")
            style = _STYLES[state]
            table.add_row(plain(token.name), f"{token.start}…", token.scope, f"[{style}]{state}[/]", made, who, ends, used)
        eyes.print(table if everyone else "None yet. `coupling-health token create --name ci --scope read` makes one.")


@app.command("revoke")
def revoke(name: str) -> None:
    """End a token at once; running servers notice within a second."""
    with errors_in_words(), open_state(load_settings()).write() as connection:
        tokens.revoke(connection, name, utc_now())
        audit.note(connection, utc_now(), typist(), Deed.TOKEN_REVOKED, name)
        eyes.print(f"Revoked {plain(name.strip())}.")


def lifetime_of(text: str) -> timedelta:
    """A length of time as people type it: 30m, 12h, 90d, 52w. Raises TokenProblem."""
    found = re.fullmatch(r"\s*(\d{1,6})\s*([mhdw])\s*", text.lower())
    if found is None or int(found[1]) == 0:
        raise TokenProblem(f"{text!r} is no length of time.", hint="Write a number and a unit, for example 12h, 90d or 52w.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _as_json(token: Token, state: TokenState) -> dict[str, str | None]:
    return {
        "name": token.name,
        "start": token.start,
        "scope": token.scope.value,
        "state": state.value,
        "created_at": _iso(token.created_at),
        "created_by": token.created_by,
        "expires_at": _iso(token.expires_at),
        "revoked_at": _iso(token.revoked_at),
        "used_at": _iso(token.used_at),
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
