"""The newest forecasts of each watched database, as JSON documents."""

from __future__ import annotations

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError

from core.forecast.model import Forecast
from core.state.schema import forecasts

KEPT = 10  # of each watched database, so that one can look back at what was said

_DOCUMENT = TypeAdapter(Forecast)


def keep(connection: sa.Connection, watched: str, forecast: Forecast) -> None:
    """Add a forecast, and drop those that are not among the `KEPT` newest. `watched` is the short name of database and tables."""
    document = _DOCUMENT.dump_python(forecast, mode="json")
    connection.execute(sa.insert(forecasts).values(watched=watched, made_at=forecast.made_at, document=document))
    oldest_kept = (
        sa.select(forecasts.c.id)
        .where(forecasts.c.watched == watched)
        .order_by(forecasts.c.id.desc())
        .offset(KEPT - 1)
        .limit(1)
        .scalar_subquery()
    )
    connection.execute(sa.delete(forecasts).where(forecasts.c.watched == watched, forecasts.c.id < oldest_kept))


def newest(connection: sa.Connection, watched: str) -> Forecast | None:
    """The newest forecast; None before the first, and for a document of another version, which the next one replaces."""
    document = connection.execute(
        sa.select(forecasts.c.document).where(forecasts.c.watched == watched).order_by(forecasts.c.id.desc()).limit(1)
    ).scalar()
    if document is None:
        return None
    try:
        return _DOCUMENT.validate_python(document)
    except ValidationError:
        return None
