"""The two users of the guide on PostgreSQL: what it tells to grant is enough, and what is missing is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from core.doctor import Verdict, examine
from core.errors import UsersUnreadable
from core.settings import Settings
from core.state.sync_runs import RunStatus
from core.sync.change import ChangeOutcome
from tests.conftest import NewDatabase
from tests.sync.application import WholePostgresql
from tests.sync.conftest import ANNA, NewRepairs, Repairs

pytestmark = pytest.mark.postgresql

READS = "GRANT SELECT ON specialization_progress, user_licenses TO {reader}"
READS_USERS = "GRANT SELECT (id) ON users TO {reader}"
WRITES = (
    "GRANT SELECT, INSERT, UPDATE, DELETE ON specialization_progress, user_licenses TO {writer}",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {writer}",
    "GRANT SELECT (id) ON users TO {writer}",
)
WRITES_LIST = "GRANT SELECT, INSERT, UPDATE, DELETE ON license_progressions TO {writer}"


class Roles:
    """A user that reads and one that writes, who may do nothing yet."""

    def __init__(self, application: WholePostgresql) -> None:
        self.application = application
        mark = uuid4().hex[:8]
        self.names = {"reader": f"reader_{mark}", "writer": f"writer_{mark}"}
        for name in self.names.values():
            application.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'hush-hush'")

    def grant(self, *statements: str) -> None:
        for statement in statements:
            self.application.execute(statement.format(**self.names))

    def urls(self) -> dict[str, str]:
        plain = self.application.url.set(drivername="postgresql", password="hush-hush")
        reader, writer = (plain.set(username=name).render_as_string(hide_password=False) for name in self.names.values())
        return {"database_url": reader, "sync_database_url": writer}

    def remove(self) -> None:
        for name in self.names.values():
            self.application.execute(f"DROP OWNED BY {name}")
            self.application.execute(f"DROP ROLE {name}")


@pytest.fixture
def application(new_postgresql_database: NewDatabase) -> Iterator[WholePostgresql]:
    """A licence that is behind, one that is missing, and progress that is missing; their users are known."""
    application = WholePostgresql(new_postgresql_database())
    for user in (1, 2, 3):
        application.execute("INSERT INTO users (id) VALUES (%s)", (user,))
    application.pair(1, "PLAYER", 3, 2).progress(2, "COACH", 4).license(3, "PLAYER", 5)
    yield application
    application.close()


@pytest.fixture
def roles(application: WholePostgresql) -> Iterator[Roles]:
    roles = Roles(application)
    yield roles
    roles.remove()


@pytest.fixture
def repairs(application: WholePostgresql, roles: Roles, new_repairs: NewRepairs) -> Callable[[], Repairs]:
    return lambda: new_repairs(application, **roles.urls())


def _doctor(roles: Roles, verdict: Verdict) -> str:
    found = [one for one in examine(Settings(**roles.urls())) if one.subject == "Sync"]
    assert [one.verdict for one in found] == [verdict]
    return found[0].sentence


def test_the_rights_of_the_guide_are_enough_to_mend_and_to_take_back(roles: Roles, repairs: Callable[[], Repairs]) -> None:
    roles.grant(READS, READS_USERS, *WRITES, WRITES_LIST)
    assert "Both tables can be written" in _doctor(roles, Verdict.GOOD)
    made = repairs()
    run = made.apply()
    assert (run.status, made.outcomes(run)) == (RunStatus.DONE, {"applied": 3})
    assert made.outcomes(made.undo(run)) == {"applied": 3}


def test_without_the_right_to_know_users_no_plan_is_made(roles: Roles, repairs: Callable[[], Repairs]) -> None:
    roles.grant(READS, *WRITES, WRITES_LIST)
    with pytest.raises(UsersUnreadable, match="users may not be read") as hindered:
        repairs().plan()
    assert "users_table" in hindered.value.hint


def test_a_right_that_is_missing_stops_the_run_and_is_named(
    application: WholePostgresql, roles: Roles, repairs: Callable[[], Repairs]
) -> None:
    roles.grant(READS, READS_USERS, *WRITES)
    assert "INSERT on license_progressions" in _doctor(roles, Verdict.BAD)
    before = application.execute("SELECT * FROM user_licenses ORDER BY id")
    made = repairs()
    run = made.apply()
    assert run.status is RunStatus.STOPPED
    assert "license_progressions" in (run.reason or "")
    assert "GRANT" in (run.reason or "").upper()
    assert set(made.service.counts(run.id)) <= {ChangeOutcome.NOT_TRIED, ChangeOutcome.APPLIED}
    assert application.execute("SELECT * FROM user_licenses ORDER BY id") == before, "no licence without its row in the list"
    assert "hush-hush" not in (run.reason or "")


def test_who_only_reads_writes_nothing(application: WholePostgresql, roles: Roles, repairs: Callable[[], Repairs]) -> None:
    roles.grant(READS, READS_USERS, READS.replace("reader", "writer"), READS_USERS.replace("reader", "writer"))
    assert "UPDATE on specialization_progress" in _doctor(roles, Verdict.BAD)
    made = repairs()
    run = made.service.apply(made.keep().id, ANNA, seen=3)
    assert run.status is RunStatus.STOPPED
    assert made.outcomes(run) == {"not_tried": 3}
    assert application.execute("SELECT count(*) FROM user_licenses WHERE current_level = 2") == [(1,)]
