"""What the routes of the API share."""

from __future__ import annotations

from fastapi import Request

from dashboard.api.answers import Answers
from dashboard.api.check_now import CheckDesk
from dashboard.api.doorkeeper import Doorkeeper
from dashboard.api.newest import Newest
from dashboard.runtime import Runtime


class Desk:
    """The parts that answer requests, for one runtime."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.newest = Newest(runtime)
        self.doorkeeper = Doorkeeper(runtime.keys, runtime.settings.api)
        self.answers = Answers()
        self.checks = CheckDesk(runtime.monitor)

    def stop(self) -> None:
        """Begin nothing more."""
        self.newest.stop()
        self.checks.stop()


def desk_of(request: Request) -> Desk:
    """The desk of the application that a request came to."""
    desk: Desk = request.app.state.desk
    return desk
