"""Random databases with the whole schema and random policies, against an oracle: what is mended, what stays, what comes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.assembly import build_monitor, build_sync
from core.state.database import StateDatabase
from core.state.sync_runs import RunStatus
from core.sync.policy import PLANNABLE, Policies, Policy
from tests.conftest import ENGINES, NewDatabase
from tests.examples import examples
from tests.frozen_clock import FrozenClock
from tests.sync.application import LICENSES, LIST, PROGRESS, USERS, Contents, Schema, Whole, WholePostgresql, WholeSqlite
from tests.sync.conftest import ANNA, Repairs, nothing, settings_for
from tests.sync.oracle import Mended, differences, mended

NAMES = ["PLAYER", "player", " Player ", "COACH", "coach\n", "INTERNSHIP", "GANCUJU_PLAYER", "LFA_FOOTBALL_PLAYER", "játékos",
         "quo'te%s:x", "A_NAME_THAT_IS_TOO_LONG_TO_BE_A_LICENCE"]  # fmt: skip
LEVELS = [1, 2, 3, 4, 8, 1, 2, 3, 1, 2, 3, 9, 0, -1, 10**6]
INTEGERS = [1, 2, 3, 4, 5, 0, -7, 2**31 - 1]
TEXTS = ["1", "2", "a", "A", "é", "u-101", " x", "quo'te", "%s", "😀", ""]
UUIDS = [str(UUID(int=number << 96 | number)) for number in (0, 1, 9, 255, 2**32 - 1)]
MIXED = [str(number) for number in INTEGERS] + ["007", "x", "1.0"]


@dataclass(frozen=True)
class Variant:
    schema: Schema
    progress_users: list[Any]
    license_users: list[Any]


_FULL = Schema()
VARIANTS = {
    "full": Variant(_FULL, INTEGERS, INTEGERS),
    "loose": Variant(replace(_FULL, strict=False), INTEGERS, INTEGERS),
    "bare": Variant(replace(_FULL, optional=False, progressions=False, users=False), INTEGERS, INTEGERS),
    "keyless": Variant(replace(_FULL, keys=False, strict=False), INTEGERS, INTEGERS),
    "text": Variant(replace(_FULL, user="varchar(40)"), TEXTS, TEXTS),
    "uuid": Variant(replace(_FULL, user="uuid"), UUIDS, UUIDS),
    "mixed": Variant(replace(_FULL, user=("integer", "varchar(40)"), users=False), INTEGERS, MIXED),
}


@st.composite
def databases(draw: st.DrawFn, variant: Variant) -> Contents:
    """Rows of every table; most licences belong to a pair that has progress. A seed makes the rows, for drawing takes time."""
    schema, chance = variant.schema, Random(draw(st.integers(0, 2**32 - 1)))  # noqa: S311 - no secret
    few = draw(st.sampled_from([12, 8, 4, 2]))
    names = draw(st.sampled_from([NAMES, NAMES[:3], NAMES[3:8]]))
    progress = [
        {"id": number * 3, **_progress(chance, variant.progress_users[:few], names, schema)}
        for number in range(1, 1 + draw(st.sampled_from([20, 12, 6, 0])))
    ]
    licenses = [
        _license(chance, row["student_id"], row["specialization_id"], schema) for row in progress if chance.random() < 0.6
    ]
    for _ in range(draw(st.sampled_from([8, 4, 0]))):
        user, name = _often(chance, chance.choice(variant.license_users), schema), _often(chance, chance.choice(names), schema)
        licenses.append(_license(chance, user, name, schema))
    licenses = [{"id": number * 2, **row} for number, row in enumerate(licenses, 1)]
    contents: Contents = {PROGRESS: progress, LICENSES: licenses, "specializations": [{"id": "PLAYER", "is_active": True}]}
    if schema.users:
        unknown = draw(st.sampled_from([0, 0, 1]))
        contents[USERS] = [{"id": user} for user in variant.progress_users[unknown:]]
    if schema.progressions:
        contents[LIST] = [
            {"id": 5 + number, "user_license_id": row["id"], "from_level": None, "to_level": 1, "advancement_reason": "by hand"}
            for number, row in enumerate(licenses[:2])
        ]
    if not schema.keys:
        contents |= {table: [_without_id(row) for row in contents[table]] for table in (PROGRESS, LICENSES)}
    return contents


def _progress(chance: Random, users: list[Any], names: list[str], schema: Schema) -> dict[str, Any]:
    return {
        "student_id": _often(chance, chance.choice(users), schema),
        "specialization_id": _often(chance, chance.choice(names), schema),
        "current_level": None if chance.random() < 0.08 else chance.choice(LEVELS),
        "total_xp": chance.randrange(1_000),
        "last_activity": chance.choice(["2025-10-01 08:00:00", None]),
        "created_at": "2025-09-01 00:00:00.250",
    }


def _license(chance: Random, user: Any, name: str | None, schema: Schema) -> dict[str, Any]:
    row = {
        "user_id": str(user) if user is not None and schema.user_types[1] != "integer" else user,
        "specialization_type": name if name is None or len(name) <= 20 else "COACH",
        "current_level": None if chance.random() < 0.08 and not schema.strict else chance.choice(LEVELS),
    }
    if schema.optional:
        row |= {
            "max_achieved_level": chance.choice([None, 1, 3, 5, 8, 9]),
            "is_active": chance.random() > 0.08,
            "last_advanced_at": chance.choice(["2025-10-02 10:00:00", None]),
            "expires_at": "2030-01-01 00:00:00",
        }
    return row


def _often(chance: Random, value: Any, schema: Schema) -> Any:
    """The value; now and then NULL, where a schema lets that through."""
    return None if chance.random() < 0.06 and not schema.strict else value


def _without_id(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "id"}


POLICIES = st.fixed_dictionaries({kind: st.sampled_from([*Policy, Policy.HIGHER_LEVEL]) for kind in PLANNABLE}).map(Policies)


@dataclass(frozen=True)
class Subject:
    repairs: Repairs
    variant: Variant
    clock: FrozenClock

    @property
    def application(self) -> Whole:
        return self.repairs.application


@pytest.fixture(scope="module", params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> Variant:
    return VARIANTS[request.param]


@pytest.fixture(scope="module", params=ENGINES)
def subject(
    request: pytest.FixtureRequest, variant: Variant, migrated: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Subject]:
    folder = tmp_path_factory.mktemp("properties")
    if request.param == "sqlite":
        application: Whole = WholeSqlite(folder / "app.db", variant.schema)
    else:
        new: NewDatabase = request.getfixturevalue("new_postgresql_database")
        application = WholePostgresql(new(), variant.schema)
    (folder / "state.db").write_bytes(migrated.read_bytes())
    configured = settings_for(application, folder / "logs", f"sqlite:///{folder}/state.db")
    state, clock = StateDatabase(configured.state_database_url), FrozenClock()
    service = build_sync(build_monitor(configured, state, clock, nothing), clock, nothing)
    yield Subject(Repairs(service, application, clock, configured.scheduler_log_dir), variant, clock)
    state.dispose()
    application.close()


def test_a_run_mends_what_it_may_and_nothing_else_and_can_be_taken_back(subject: Subject) -> None:
    on_sqlite = isinstance(subject.application, WholeSqlite)
    mends = 0

    @settings(max_examples=examples(10 if on_sqlite else 8))
    @given(databases(subject.variant), POLICIES)
    def holds(contents: Contents, policies: Policies) -> None:
        nonlocal mends
        mends += _mends_and_takes_back(subject, contents, policies)

    holds()
    assert mends > 15, "too few examples had something to mend"


def _mends_and_takes_back(subject: Subject, contents: Contents, policies: Policies) -> int:
    application, repairs = subject.application, subject.repairs
    application.fill(contents)
    before, exactly = application.contents(), application.bytes()
    right = mended(before, policies.as_json(), subject.variant.schema)
    subject.clock.advance(minutes=1)

    plan = repairs.plan(policies)
    _is_planned(plan.changes, right)
    assert application.bytes() == exactly, "a plan writes nothing"
    kept = repairs.service.keep(plan, ANNA)
    run = repairs.service.apply(kept.id, ANNA, seen=kept.planned)
    assert run.status is RunStatus.DONE
    assert repairs.outcomes(run) == _counted(applied=len(right.written), left_alone=len(right.left_alone)), [
        change.reason for change in repairs.service.changes(run.id) if change.outcome not in ("applied", "left_alone")
    ]
    now = application.moment(subject.clock())
    assert not differences(right, before, application.contents(), now, subject.variant.schema)
    assert run.mended == len(right.written), "the check that follows says so"

    if right.written:
        after = application.bytes()
        again = repairs.apply(policies)
        assert again.planned == 0, "nothing that could be mended is left"
        assert application.bytes() == after, "and a second run changes nothing"
        undone = repairs.undo(run)
        assert repairs.outcomes(undone) == _counted(applied=len(right.written))
        assert repairs.outcomes(run) == _counted(undone=len(right.written), left_alone=len(right.left_alone))
    assert application.bytes() == exactly, "everything is as it was"
    return len(right.written)


def _is_planned(changes: Any, right: Mended) -> None:
    planned = {(str(change.user_id), change.specialization): change for change in changes}
    assert {pair for pair, change in planned.items() if change.step is not None} == right.written.keys()
    assert {pair for pair, change in planned.items() if change.step is None} == right.left_alone.keys()
    for pair, words in right.left_alone.items():
        assert any(word in planned[pair].reason for word in words), (planned[pair].reason, words)


def _counted(**outcomes: int) -> dict[str, int]:
    return {outcome: count for outcome, count in outcomes.items() if count}
