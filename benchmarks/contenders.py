"""What is measured: this product's check, the floor, and what one could use instead."""

from __future__ import annotations

import importlib.util
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy import orm
from sqlalchemy.engine import make_url

from benchmarks import raw_statement
from benchmarks.pairs import Variety
from core.assembly import build_coupler, build_monitor
from core.settings import Settings

LOOP_SAMPLE = 2_000  # pairs that the loop looks at; the rest is extrapolated


@dataclass(frozen=True)
class Scene:
    """A loaded database, and a folder for what a contender keeps."""

    engine: str
    url: str
    pairs: int
    variety: Variety
    folder: Path

    @property
    def settings(self) -> Settings:
        return Settings(
            database_url=SecretStr(self.url),
            state_url=SecretStr(f"sqlite:///{self.folder / 'state.db'}"),
            log_dir=self.folder / "logs",
        )


@dataclass(frozen=True)
class Answer:
    """What a contender found; `seconds` when it timed itself, because it looked at a sample only."""

    violations: int
    total: int | None = None
    seconds: float | None = None


class Contender(Protocol):
    """One way to compare. Made once, run several times; what is done when it is made is not timed."""

    def __init__(self, scene: Scene) -> None: ...

    def run(self) -> Answer: ...


class RawStatement:
    """The floor: the text in the driver, on an open connection, all rows fetched."""

    def __init__(self, scene: Scene) -> None:
        self._connection: Any
        if scene.engine == "SQLite":
            self._connection = sqlite3.connect(make_url(scene.url).database or "")
            self._statement: Any = raw_statement.SQLITE
        else:
            import psycopg

            self._connection = psycopg.connect(scene.url, autocommit=True)
            self._statement = raw_statement.POSTGRESQL.encode()

    def run(self) -> Answer:
        rows = self._connection.execute(self._statement).fetchall()
        return Answer(0 if rows[0][1] is None else len(rows), rows[0][0])


class Comparison:
    """`ProgressLicenseCoupler.compare()` with every chunk read: connecting and the snapshot included, columns known already."""

    careful: bool | None = None

    def __init__(self, scene: Scene) -> None:
        self._coupler = build_coupler(scene.settings)
        self._coupler.tables()

    def run(self) -> Answer:
        with self._coupler.compare(careful=self.careful) as comparison:
            violations = sum(len(chunk) for chunk in comparison.chunks())
        return Answer(violations, comparison.totals.total_checked)


class ComparisonForewarned(Comparison):
    """The same, told that the previous check found duplicates or very many violations, as each later check is."""

    careful = True


class WholeCheck:
    """`HealthMonitor.check_all_users()`: lease, comparison, violation log, history, state database."""

    def __init__(self, scene: Scene) -> None:
        self._monitor = build_monitor(scene.settings)

    def run(self) -> Answer:
        totals = self._monitor.check_all_users().totals
        return Answer(totals.inconsistent, totals.total_checked)


class PerPairLoop:
    """The earlier implementation's way: for each pair one ORM query on either side. Duplicates stay unseen."""

    def __init__(self, scene: Scene) -> None:
        url = make_url(scene.url)
        self._engine = sa.create_engine(url if scene.engine == "SQLite" else url.set(drivername="postgresql+psycopg"))

    def run(self) -> Answer:
        begun = perf_counter()
        with orm.Session(self._engine) as session:
            keys = sa.union(
                sa.select(_Progress.student_id, _Progress.specialization_id),
                sa.select(_License.user_id, _License.specialization_type),
            )
            pairs = session.execute(keys).all()
            sample = pairs[:: max(1, len(pairs) // LOOP_SAMPLE)]
            listed = perf_counter()
            found = sum(not self._agrees(session, user, specialization) for user, specialization in sample)
        scale = len(pairs) / len(sample)
        seconds = listed - begun + (perf_counter() - listed) * scale
        return Answer(round(found * scale), len(pairs), seconds)

    @staticmethod
    def _agrees(session: orm.Session, user: int, specialization: str) -> bool:
        progress = session.query(_Progress).filter_by(student_id=user, specialization_id=specialization).first()
        license_ = session.query(_License).filter_by(user_id=user, specialization_type=specialization).first()
        if progress is None or license_ is None:
            return False
        return progress.current_level is not None and progress.current_level == license_.current_level


class Joindiff:
    """reladiff's fastest algorithm, through views that give both tables the same column names."""

    def __init__(self, scene: Scene) -> None:
        from benchmarks.joindiff import Comparer

        self._comparer = Comparer(scene.url)

    def run(self) -> Answer:
        return Answer(self._comparer.differing_pairs())


class _Base(orm.DeclarativeBase):
    """The mapped classes of the earlier implementation."""


class _Progress(_Base):
    __tablename__ = "specialization_progress"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    student_id: orm.Mapped[int]
    specialization_id: orm.Mapped[str]
    current_level: orm.Mapped[int | None]
    total_xp: orm.Mapped[int | None]


class _License(_Base):
    __tablename__ = "user_licenses"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    user_id: orm.Mapped[int]
    specialization_type: orm.Mapped[str]
    current_level: orm.Mapped[int]
    max_achieved_level: orm.Mapped[int | None]


RAW, CHECK, FOREWARNED, WHOLE = "raw statement", "check", "check, forewarned", "whole check"
LOOP, JOINDIFF = "per-pair loop", "joindiff"

CONTENDERS: dict[str, type[Contender]] = {
    RAW: RawStatement,
    CHECK: Comparison,
    FOREWARNED: ComparisonForewarned,
    WHOLE: WholeCheck,
    LOOP: PerPairLoop,
    JOINDIFF: Joindiff,
}
EXACT = (RAW, CHECK, FOREWARNED, WHOLE)  # who must find every violation, or the run has failed


def excuse(name: str, engine: str, pairs: int, variety: Variety) -> str | None:
    """Why a contender does not take part; None when it does."""
    if name == LOOP and pairs > 10_000:
        return "only up to 10,000 pairs"
    if name == FOREWARNED and (engine == "SQLite" or variety in (Variety.HEALTHY, Variety.VIOLATING)):
        return "the same as the check here"
    if name == JOINDIFF:
        if engine == "SQLite":
            return "reladiff does not support SQLite"
        if importlib.util.find_spec("reladiff") is None:
            return "reladiff is not installed: pip install 'coupling-health-dashboard[bench]'"
        if importlib.util.find_spec("psycopg2") is None:
            return "reladiff's PostgreSQL driver is not installed: pip install 'reladiff[postgresql]'"
    return None
