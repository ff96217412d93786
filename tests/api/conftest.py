"""An API over an application in a known state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import chain, count

import pytest

from core.settings import Settings
from tests.api.served import Api
from tests.application import SqliteApplication
from tests.frozen_clock import FrozenClock


@pytest.fixture
def new_api(settings_of_test: Settings, clock: FrozenClock) -> Iterator[Callable[..., Api]]:
    """Call it with settings, as a file would hold them, for an API; all of them share one state database."""
    marks = chain([""], (f" {number}" for number in count(2)))
    with ExitStack() as stack:

        def new(**settings: object) -> Api:
            given = settings_of_test.model_dump(exclude_unset=True) | settings
            return stack.enter_context(Api(Settings(**given), clock, next(marks)))

        yield new


@pytest.fixture
def api(new_api: Callable[..., Api]) -> Api:
    """Before the first check, over an application without rows."""
    return new_api()


@pytest.fixture
def checked(api: Api, sqlite_app: SqliteApplication) -> Api:
    """After a check that found 2 of 150 pairs in violation."""
    sqlite_app.agreeing(range(1, 149)).pair(500, "PLAYER", 3, 2).progress(501, "COACH", 4)
    api.monitor.check_all_users()
    return api
