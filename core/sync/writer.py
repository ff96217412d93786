"""Writing one pair, or taking it back: locked, read again, and only where nothing changed meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from core.settings import Settings
from core.sync.change import Change, ChangeOutcome, Part, Row, Rows, Value
from core.sync.policy import Policy
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
    transaction: str | None


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
            now_rows = self._locked(connection, tables, change)
            _require_same(now_rows, change.before)
            values = new_values(tables, change, now)
            if isinstance(values, str):
                raise PairRefused(values)
            written = connection.execute(write_side(tables, change, values))
            if not change.step.creates:  # of a new row no driver tells for sure; it is looked for at once
                _require_one(written.rowcount)
            after: dict[Part, Row | None] = {part: self._as_written(connection, tables, part, change, values)}
            self._require_mended(connection, tables, change, now_rows)
            listed = self._list(connection, tables, change, after, reason, now)
            if listed is not None:
                after[Part.PROGRESSION] = listed
            old = now_rows[part]
            before: Rows = {
                part: None if old is None else {name: old[name] for name in (after[part] or {}) if name in old},
                **({Part.PROGRESSION: None} if listed is not None else {}),
            }
            before_commit(Written(before, after, self._transaction(connection)))

    def undo(self, change: Change, before_commit: BeforeCommit) -> None:
        """Put back what an applied change wrote. Raises RowChanged, and writes nothing, when somebody has changed it since."""
        if change.before is None or change.after is None:
            raise ValueError("a change that was not applied cannot be taken back")
        with self._database.transaction() as connection:
            tables = self._tables(connection)
            left: dict[Part, Row | None] = dict(self._locked(connection, tables, change, every_column=True))
            listed = change.after.get(Part.PROGRESSION)
            if listed is not None:
                left[Part.PROGRESSION] = self._progression(connection, tables, listed)
            parts = [part for part in _PARTS if part in change.after]
            changed = same(left, change.after, parts)
            if changed is not None:
                raise RowChanged(f"The {_NAMES[changed]} was changed since.")
            for part in reversed(parts):
                self._put_back(connection, tables, part, change, left[part])
            before_commit(Written(change.after, change.before, self._transaction(connection)))

    def what_became(self, change: Change) -> ChangeOutcome:
        """Whether a change that was about to be committed was: APPLIED, PLANNED (nothing was written) or UNCLEAR.

        Waits for a server that is still at it. Exact on PostgreSQL, which remembers its transactions. Elsewhere the rows tell:
        UNCLEAR is said where somebody changed them before they were looked at.
        """
        if change.transaction is not None:
            return self._outcome_of(change.transaction)
        if change.before is None or change.after is None:
            return ChangeOutcome.UNCLEAR
        with self._database.look() as connection:
            tables = self._tables(connection)
            try:
                now: dict[Part, Row | None] = dict(self._locked(connection, tables, change, every_column=True))
            except RowChanged:
                return ChangeOutcome.UNCLEAR
            listed = change.after.get(Part.PROGRESSION) or change.before.get(Part.PROGRESSION)
            if listed is not None:
                now[Part.PROGRESSION] = self._progression(connection, tables, listed)
        parts = [part for part in _PARTS if part in change.after]
        if same(now, change.after, parts) is None:
            return ChangeOutcome.APPLIED
        return ChangeOutcome.PLANNED if same(now, change.before, parts) is None else ChangeOutcome.UNCLEAR

    # --- the steps of a transaction -----------------------------------------------------------------------------------

    def _tables(self, connection: sa.Connection) -> Tables:
        if self._known is None:
            self._known = Tables.of(connection, self._settings)
        return self._known

    def _keep_others_from_creating(self, connection: sa.Connection, tables: Tables, part: Part) -> None:
        """Nothing forbids a second row of a pair, so nobody else may add rows until ours is committed. Readers do not wait."""
        if tables.dialect == "postgresql":
            name = connection.dialect.identifier_preparer.format_table(tables.targets[part].table)
            connection.exec_driver_sql(f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE")
            self._database.be_quick(connection)

    def _locked(
        self, connection: sa.Connection, tables: Tables, change: Change, *, every_column: bool = False
    ) -> Mapping[Part, Row | None]:
        """Both rows of a pair, first the progress then the licence, locked until the end. Raises RowChanged for a second row."""
        found: dict[Part, Row | None] = {}
        for part in _SIDES:
            names = [column.name for column in tables.targets[part].table.c] if every_column else tables.targets[part].guarded
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

    def _as_written(self, connection: sa.Connection, tables: Tables, part: Part, change: Change, values: Row) -> Row:
        """The written columns as the database keeps them; of a new row all."""
        new = change.before is not None and change.before.get(part) is None
        names = [column.name for column in tables.targets[part].table.c] if new else [*tables.targets[part].key, *values]
        names = list(dict.fromkeys(names))
        where = tables.rows_of_pair(part, change.user_id, change.specialization)
        rows = connection.execute(sa.select(*tables.read(part, names)).where(where)).all()
        if len(rows) != 1:
            raise PairRefused(
                f"After writing, the {_NAMES[part]} side had {len(rows)} rows: a trigger or a rule of the database."
            )
        return dict(zip(names, rows[0], strict=True))

    def _require_mended(
        self, connection: sa.Connection, tables: Tables, change: Change, before: Mapping[Part, Row | None]
    ) -> None:
        """See that the pair agrees now, and that nothing but one side was changed: a trigger may do what it likes."""
        now = self._locked(connection, tables, change)
        for part in _SIDES:
            row = now[part]
            level = None if row is None else as_number(row[tables.targets[part].side.level_column])
            if level is None or level != change.level:
                raise PairRefused(
                    f"After writing, the {_NAMES[part]} level was {level}, not {change.level}: a trigger or a rule."
                )
        if change.step is not None:
            other = Part.PROGRESS if change.step.of_license else Part.LICENSE
            if now[other] != before[other]:
                raise PairRefused(f"Writing one side also changed the {_NAMES[other]} row: a trigger or a rule of the database.")

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

    def _transaction(self, connection: sa.Connection) -> str | None:
        if connection.dialect.name != "postgresql":
            return None
        return str(connection.execute(sa.select(sa.cast(sa.func.txid_current(), sa.Text))).scalar_one())

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
