"""What the documentation promises is kept, for every operation and whatever is sent: found out by schemathesis."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CHECKS

from core.model import Scope
from tests.api.served import Api
from tests.application import SqliteApplication
from tests.examples import examples

OPERATIONS = 24


@pytest.fixture
def schema_of(new_api: Callable[..., Api], sqlite_app: SqliteApplication) -> tuple[Api, schemathesis.BaseSchema]:
    sqlite_app.agreeing(range(1, 149)).pair(500, "PLAYER", 3, 2).progress(501, "COACH", 4)
    api = new_api(api={"public_badge": True, "checks_per_minute": 6_000, "wrong_tokens_per_minute": 6_000})
    api.monitor.check_all_users()
    return api, schemathesis.openapi.from_url(f"http://127.0.0.1:{api.port}/api/v1/openapi.json")


def test_every_operation_keeps_what_its_schema_promises(schema_of: tuple[Api, schemathesis.BaseSchema]) -> None:
    api, schema = schema_of
    header = {"Authorization": f"Bearer {api.token(Scope.ADMIN)}"}
    tried = []
    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(max_examples=examples(15), deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy())
        def keeps_it(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=header, checks=CHECKS.get_all())

        keeps_it()
        tried.append(operation.label)
    assert len(tried) == OPERATIONS
    assert api.get("status").code == 200
