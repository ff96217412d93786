"""Writing one pair, or taking it back: locked, read again, and only where nothing changed meanwhile."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import sqlalchemy as sa

from core.pair_rows import is_user
from core.settings import Settings
from core.sync.change import Change, ChangeOutcome, Part, Row, Rows, Value, rows_as_json
from core.sync.policy import Policy
from core.sync.referrers import referrers, referring_to
from core.sync.statements import as_number, by_key, new_values, only, progression, same, write_side, written_part
from core.sync.tables import Tables
from core.sync.writable import PairRefused, WritableDatabase

_SIDES = (Part.PROGRESS, Part.LICENSE)
_PARTS = (*_SIDES, Part.PROGRESSION)
_NAMES = {Part.PROGRESS: "progress", Part.LICENSE: "licence", Part.PROGRESSION: "list of licence changes"}
_LONGEST_COMMIT = 30.0  # seconds for which the server may still be at a commit that we did not hear the end of


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in a transaction that is about to be committed."""

    before: Rows
    after: Rows
    transaction: str  # by which it is known later whether it was committed


BeforeCommit = Callable[[Written], None]


class RowChanged(Exception):
    """A pair's rows are not as they were planned, or left, any more. Says in a sentence what is different."""


class PairWriter:
    """Writes pairs of the watched database, each in a transaction of its own.

    Every method raises PairBusy (try again), PairRefused, SyncWriteDenied or SyncDatabaseLost. The pair is untouched then, unless
    `before_commit` was called.
    """

    def __init__(self, database: WritableDatabase, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._known: Tables | None = None

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Keep one connection for what follows, and look afresh at what the tables are like: an application migrates."""
        self._known = None
        try:
            yield
        finally:
            self._database.close()

    def mend(self, change: Change, reason: str, now: datetime, before_commit: BeforeCommit) -> None:
        """Write what a change plans. Raises RowChanged when the rows are not as planned any more, and writes nothing then.

        `before_commit` is given the exact rows right before they are committed: what it raises undoes all.
        """
        if change.step is None or change.before is None:
            raise ValueError("nothing is written to a pair that is left alone")
        part = written_part(change.step)
        with self._database.transaction() as connection:
            tables = self._tables(connection)
            if change.step.creates:
                self._keep_others_from_creating(connection, tables, part)
            old = self._locked(connection, tables, change)
            _require_same(old, change.before)
            self._require_known(connection, tables, change)
            values = new_values(tables, change, now)
            if isinstance(values, str):
                raise PairRefused(values)
            written = connection.execute(write_side(tables, change, values))
            if not change.step.creates:  # of a new row no driver tells for sure; it is looked for at once
                _require_one(written.rowcount)
            new = self._mended(connection, tables, change, old)
            row = new[part] or {}
            columns = list(row) if change.step.creates else [*tables.targets[part].key, *values]
            after: dict[Part, Row | None] = {part: {name: row[name] for name in columns}}
            before: dict[Part, Row | None] = {part: _these(old[part], columns)}
            listed = self._list(connection, tables, change, after, reason, now)
            if listed is not None:
                before[Part.PROGRESSION], after[Part.PROGRESSION] = None, listed
            mark = self._mark(connection, {**old, **_listed(before)}, {**new, **_listed(after)})
            before_commit(Written(before, after, mark))

    def undo(self, change: Change, before_commit: BeforeCommit) -> None:
        """Put back what an applied change wrote. Raises RowChanged, and writes nothing, when somebody has changed it since.

        A row that was made is left when anything refers to it: the database might remove that as well.
        """
        if change.before is None or change.after is None:
            raise ValueError("a change that was not applied cannot be taken back")
        with self._database.transaction() as connection:
            tables = self._tables(connection)
            made = [part for part in _SIDES if change.after.get(part) and not change.before.get(part)]
            known = {part: referrers(connection, tables, part) for part in made}
            left: dict[Part, Row | None] = {**self._locked(connection, tables, change)}
            ours = change.after.get(Part.PROGRESSION)
            if ours is not None:
                left[Part.PROGRESSION] = self._progression(connection, tables, ours)
            parts = [part for part in _PARTS if part in change.after]
            changed = same(left, change.after, parts)
            if changed is not None:
                raise RowChanged(f"The {_NAMES[changed]} was changed since.")
            for part in made:
                table = referring_to(connection, tables, known[part], left[part] or {}, ours)
                if table is not None:
                    raise RowChanged(f"Rows of {table} refer to the {_NAMES[part]} row that was made.")
            for part in reversed(parts):
                self._put_back(connection, tables, part, change, left[part])
            back: dict[Part, Row | None] = {**self._locked(connection, tables, change), **_listed(change.before)}
            before_commit(Written(change.after, change.before, self._mark(connection, left, back)))

    def what_became(self, change: Change) -> ChangeOutcome:
        """Whether a change that was about to be committed was: APPLIED, PLANNED (nothing was written) or UNCLEAR.

        Waits for a server that is still at it. Exact on PostgreSQL, which remembers its transactions. Elsewhere the whole rows
        tell: UNCLEAR is said where somebody changed them before they were looked at.
        """
        if change.transaction is None or change.before is None or change.after is None:
            return ChangeOutcome.UNCLEAR
        if self._database.dialect == "postgresql":
            return self._outcome_of(change.transaction)
        with self._database.look() as connection:
            tables = self._tables(connection)
            try:
                now: dict[Part, Row | None] = {**self._locked(connection, tables, change)}
            except RowChanged:
                return ChangeOutcome.UNCLEAR
            listed = change.after.get(Part.PROGRESSION) or change.before.get(Part.PROGRESSION)
            if listed is not None:
                now[Part.PROGRESSION] = self._progression(connection, tables, listed)
        untouched, _, written = change.transaction.partition("-")
        if _digest(now) == written:
            return ChangeOutcome.APPLIED
        return ChangeOutcome.PLANNED if _digest(now) == untouched else ChangeOutcome.UNCLEAR

    # --- the steps of a transaction -----------------------------------------------------------------------------------

    def _tables(self, connection: sa.Connection) -> Tables:
        if self._known is None:
            self._known = Tables.of(connection, self._settings)
        return self._known

    def _keep_others_from_creating(self, connection: sa.Connection, tables: Tables, part: Part) -> None:
        """Nothing forbids a second row of a pair, so nobody else may add rows until ours is committed. Readers do not wait."""
        if tables.dialect == "postgresql":
            self._database.be_quick(connection)  # while we wait for a whole table, everybody who writes to it waits behind us
            name = connection.dialect.identifier_preparer.format_table(tables.targets[part].table)
            connection.exec_driver_sql(f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE")

    def _locked(self, connection: sa.Connection, tables: Tables, change: Change) -> Mapping[Part, Row | None]:
        """Both rows of a pair, whole, first the progress then the licence, locked to the end. Raises RowChanged for a second."""
        found: dict[Part, Row | None] = {}
        for part in _SIDES:
            names = [column.name for column in tables.targets[part].table.c]
            statement = sa.select(*tables.read(part, names)).where(
                tables.rows_of_pair(part, change.user_id, change.specialization)
            )
            rows = connection.execute(statement.with_for_update()).all()
            if len(rows) > 1:
                raise RowChanged(f"The {_NAMES[part]} side has {len(rows)} rows now.")
            found[part] = dict(zip(names, rows[0], strict=True)) if rows else None
            if part is Part.PROGRESS:
                self._database.be_quick(connection)
        return found

    def _require_known(self, connection: sa.Connection, tables: Tables, change: Change) -> None:
        """See that the application still knows the user. Raises RowChanged."""
        if tables.users is None:
            return
        known = sa.select(sa.exists().where(is_user(tables.dialect, tables.users, change.user_id)))
        if not connection.execute(known).scalar():
            raise RowChanged(f"The user is not in {tables.users.table.fullname} any more.")

    def _mended(
        self, connection: sa.Connection, tables: Tables, change: Change, before: Mapping[Part, Row | None]
    ) -> Mapping[Part, Row | None]:
        """Both rows as they are written: the pair agrees now, and only one side was changed. A trigger may do what it likes."""
        try:
            now = self._locked(connection, tables, change)
        except RowChanged as several:
            raise PairRefused(f"Once written: {several} A trigger or a rule of the database did that.") from several
        for part in _SIDES:
            row = now[part]
            level = None if row is None else as_number(row[tables.targets[part].side.level_column])
            if level is None or level != change.level:
                raise PairRefused(f"Once written, the {_NAMES[part]} level was {level}, not {change.level}: a trigger or a rule.")
        if change.step is not None:
            other = Part.PROGRESS if change.step.of_license else Part.LICENSE
            if now[other] != before[other]:
                raise PairRefused(f"Writing one side also changed the {_NAMES[other]} row: a trigger or a rule of the database.")
        return now

    def _list(
        self,
        connection: sa.Connection,
        tables: Tables,
        change: Change,
        after: Mapping[Part, Row | None],
        reason: str,
        now: datetime,
    ) -> Row | None:
        license_row = after.get(Part.LICENSE)
        if license_row is None or Part.PROGRESSION not in tables.targets:
            return None
        license_id: Value = license_row[tables.targets[Part.LICENSE].key[0]]
        insert = progression(tables, change, license_id, reason, now)
        if insert is None:
            return None
        target = tables.targets[Part.PROGRESSION]
        names = list(target.key) or [column.name for column in target.table.c]
        made = connection.execute(insert.returning(*tables.read(Part.PROGRESSION, names))).one()
        row: Row = dict(zip(names, made, strict=True))
        return self._progression(connection, tables, row) or row

    def _progression(self, connection: sa.Connection, tables: Tables, row: Row) -> Row | None:
        """A row of the application's list as it is now; None when it is gone."""
        if Part.PROGRESSION not in tables.targets:
            return None
        names = [column.name for column in tables.targets[Part.PROGRESSION].table.c]
        columns = tables.read(Part.PROGRESSION, names)
        found = connection.execute(sa.select(*columns).where(by_key(tables, Part.PROGRESSION, row))).first()
        return None if found is None else dict(zip(names, found, strict=True))

    def _put_back(self, connection: sa.Connection, tables: Tables, part: Part, change: Change, now: Row | None) -> None:
        old = (change.before or {}).get(part)
        if now is None:
            raise PairRefused("A row that was removed cannot be put back.")  # we never remove one
        where = by_key(tables, part, now) if part is Part.PROGRESSION else only(tables, part, now, change)
        table = tables.targets[part].table
        if old is None:
            _require_one(connection.execute(sa.delete(table).where(where)).rowcount)
        else:
            key = tables.targets[part].key
            values = {name: value for name, value in old.items() if name not in key}
            _require_one(connection.execute(sa.update(table).where(where).values(tables.bound(values))).rowcount)

    def _mark(self, connection: sa.Connection, before: Mapping[Part, Row | None], after: Mapping[Part, Row | None]) -> str:
        """By what it is known later whether this was committed: the transaction's number, or else what the rows are like."""
        if connection.dialect.name == "postgresql":
            return str(connection.execute(sa.select(sa.cast(sa.func.txid_current(), sa.Text))).scalar_one())
        return f"{_digest(before)}-{_digest(after)}"

    def _outcome_of(self, transaction: str) -> ChangeOutcome:
        last = time.monotonic() + _LONGEST_COMMIT
        number = sa.cast(sa.literal(transaction, sa.Text), sa.BigInteger)
        while True:
            with self._database.transaction() as connection:
                status = connection.execute(sa.select(sa.func.txid_status(number))).scalar()
            if status == "committed":
                return ChangeOutcome.APPLIED
            if status == "aborted":
                return ChangeOutcome.PLANNED
            if status is None or time.monotonic() > last:  # it is long over, or never ends
                return ChangeOutcome.UNCLEAR
            time.sleep(0.05)


def reason_in_words(run: int, change: Change, policy: Policy) -> str:
    """What the application's own list says about a change of ours."""
    return f"Coupling Health sync {run}: level {change.level} of the other side, by the policy {policy}"


def _digest(rows: Mapping[Part, Row | None]) -> str:
    return sha256(json.dumps(rows_as_json(rows), sort_keys=True).encode()).hexdigest()[:15]


def _these(row: Row | None, columns: Sequence[str]) -> Row | None:
    return None if row is None else {name: row[name] for name in columns if name in row}


def _listed(rows: Rows) -> Rows:
    """What stands in the list of licence changes, if it is about that."""
    return {part: row for part, row in rows.items() if part is Part.PROGRESSION}


def _require_same(now: Rows, planned: Rows) -> None:
    changed = same(now, planned, _SIDES)
    if changed is None:
        return
    row, was = now.get(changed), planned.get(changed)
    if row is None or was is None:
        raise RowChanged(f"There is {'no' if row is None else 'a'} {_NAMES[changed]} row now.")
    names = ", ".join(name for name, value in was.items() if row.get(name) != value)
    raise RowChanged(f"The {_NAMES[changed]} row has another {names} now.")


def _require_one(rows: int) -> None:
    if rows != 1:
        raise PairRefused(f"{rows} rows would have been written in place of one.")
