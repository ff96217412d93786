"""Every error that a person may meet: what happened, to what, and what to do."""

from __future__ import annotations

from collections.abc import Sequence


class CouplingHealthError(Exception):
    """Something went wrong that a person can understand and mend.

    `str(error)` is a sentence; `hint` is the next step; `permanent` tells that trying again without a change is of no use.
    """

    hint: str = "Run `coupling-health doctor` to see what is wrong."
    permanent: bool = False

    def __init__(self, sentence: str | None = None, *, hint: str | None = None) -> None:
        super().__init__(sentence or (type(self).__doc__ or "").splitlines()[0])
        if hint:
            self.hint = hint

    @property
    def advice(self) -> str:
        """The sentence and the next step."""
        return f"{self} {self.hint}"


def hint_of(error_type: str | None) -> str:
    """The next step for an error of this class, as it stands in history; a general one when there is no such class."""
    known = {kind.__name__: kind for kind in _with_subclasses(CouplingHealthError)}
    return known.get(error_type or "", CouplingHealthError).hint


def _with_subclasses(kind: type[CouplingHealthError]) -> list[type[CouplingHealthError]]:
    return [kind, *(below for direct in kind.__subclasses__() for below in _with_subclasses(direct))]


class SettingsInvalid(CouplingHealthError):
    """The settings are wrong."""

    permanent = True

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        lines = "\n".join(f"  - {mistake}" for mistake in mistakes)
        super().__init__(
            f"{len(mistakes)} setting{'s are' if len(mistakes) > 1 else ' is'} wrong:\n{lines}",
            hint="Mend them in coupling-health.toml or in the environment, then start again.",
        )


class NoWatchedDatabase(CouplingHealthError):
    """No watched database is configured."""

    hint = (
        "Set COUPLING_HEALTH_DATABASE_URL, for example postgresql://reader:secret@db.example/app or "
        "sqlite:///app.db, or run `coupling-health serve` to see the demo."
    )
    permanent = True


class CheckImpossible(CouplingHealthError):
    """The two sides could not be compared."""


class WatchedDatabaseUnreachable(CheckImpossible):
    """The watched database did not answer."""

    hint = "Check that it runs and that COUPLING_HEALTH_DATABASE_URL is right, then run `coupling-health doctor`."


class WatchedDatabaseTooSlow(CheckImpossible):
    """The watched database did not finish in time."""

    hint = "Raise check.statement_timeout_seconds, or ask for an index: `coupling-health doctor` tells which."


class WatchedSchemaUnsuitable(CheckImpossible):
    """The watched tables are not as the settings say."""

    hint = "Compare the [progress] and [license] settings with the database; `coupling-health doctor` lists what it finds."
    permanent = True


class WatchedPermissionDenied(CheckImpossible):
    """The watched database refuses to let us read."""

    hint = "Grant SELECT on both tables to the user in COUPLING_HEALTH_DATABASE_URL."
    permanent = True


class WatchedDatabaseFailed(CheckImpossible):
    """The watched database answered with an error."""


class ComparisonContradictory(CheckImpossible):
    """The database counted other violations than it listed."""

    hint = "The result was thrown away. The next check tries again; if it happens again, please report it as a bug."


class ViolationLogUnwritable(CheckImpossible):
    """The violation log could not be written."""

    hint = "Make COUPLING_HEALTH_LOG_DIR a folder that this process may write to, on a disk with free space."


class LogsNotCompacted(CouplingHealthError):
    """The logs could not be archived."""

    hint = "Nothing was lost: what is not in an archive is still in its folder. Mend the cause, then run it again."


class LogBroken(CouplingHealthError):
    """A violation log cannot be read."""

    hint = "The file was left as it is; it does not appear in the trend."
    permanent = True


class StateDatabaseUnavailable(CouplingHealthError):
    """The state database cannot be used."""

    hint = "Check COUPLING_HEALTH_STATE_URL, that the database runs, and that its disk has room."


class StateDatabaseLocked(StateDatabaseUnavailable):
    """The state database is locked by another program."""

    hint = "Close whatever holds a write transaction on it (a database browser, a backup); the next attempt goes on by itself."


class StateDatabaseTooNew(StateDatabaseUnavailable):
    """The state database was written by a newer version of this product."""

    hint = "Install that version again, or point COUPLING_HEALTH_STATE_URL to another database."
    permanent = True


class CheckInterrupted(CouplingHealthError):
    """The check lost its turn before it could keep its result."""

    hint = "Its result was thrown away; the next check tries again."


class CheckCrashed(CheckImpossible):
    """The check ended with an error that nobody foresaw."""

    hint = "The log holds the details; please report it as a bug. The next check tries again."


class JoinedCheckFailed(CheckImpossible):
    """The check that ran already, and was joined, failed."""

    hint = "The next check tries again; `coupling-health doctor` tells what is wrong."


class AccountProblem(CouplingHealthError):
    """The account cannot be changed in this way."""

    hint = "See `coupling-health user --help`."
    permanent = True


class TokenProblem(CouplingHealthError):
    """The token cannot be made or revoked in this way."""

    hint = "See `coupling-health token --help`."
    permanent = True


class ShareLinkProblem(CouplingHealthError):
    """The share link cannot be made in this way."""

    hint = "Give it another name or another end."
    permanent = True


class ViolationsSuperseded(CouplingHealthError):
    """The violations of this check are not kept any more."""

    hint = "Newer checks took their place; start again with the newest. Its own violations stand in its log."


class ReportProblem(CouplingHealthError):
    """The report cannot be made in this way."""

    hint = "See `coupling-health report --help`."
    permanent = True


class ReportUnreadable(CouplingHealthError):
    """This file is no report of this product, or too much of it was changed to read it."""

    hint = "Name a file that `coupling-health report` or the page Reports made, as it was made."
    permanent = True


class AlertProblem(CouplingHealthError):
    """What was asked about alerts cannot be done."""


class AlertsNotEvaluated(CouplingHealthError):
    """Nobody can say which alerts fire: the rules could not be evaluated."""

    hint = "The server's log holds the details; they are tried again every 15 seconds."


class NoSuchAlert(AlertProblem):
    """There is no such incident, rule, silence or channel."""


class SyncProblem(CouplingHealthError):
    """The repair cannot be made in this way."""

    hint = "See the page Sync, or `coupling-health sync --help`."


class NoWriteAccess(SyncProblem):
    """Nothing may be written: this installation only reads."""

    hint = "To let it repair, set COUPLING_HEALTH_SYNC_DATABASE_URL to the watched database with a user who may write."
    permanent = True


class NoSuchRun(SyncProblem):
    """There is no such repair."""

    hint = "`coupling-health sync --list` and the page Sync name those that there are."


class SyncWriteDenied(SyncProblem):
    """The database refuses to be written."""

    hint = (
        "Grant SELECT, INSERT, UPDATE and DELETE on both tables, and on license_progressions where there is one, to the user in "
        "COUPLING_HEALTH_SYNC_DATABASE_URL, and USAGE on their sequences; `coupling-health doctor` names what is missing."
    )


class SyncDatabaseLost(SyncProblem):
    """The watched database did not answer while it was written."""

    hint = "Check that it runs and that COUPLING_HEALTH_SYNC_DATABASE_URL is right, then make a new plan."


class WritesElsewhere(SyncProblem):
    """The address for writing leads to another database than the one that is watched."""

    hint = (
        "Let COUPLING_HEALTH_SYNC_DATABASE_URL lead to the database in COUPLING_HEALTH_DATABASE_URL, with a user who may write."
    )
    permanent = True


class UsersUnreadable(SyncProblem):
    """The list of users may not be read, so nobody can say which users there are."""

    hint = 'Grant SELECT on it to the user that reads, or, where users need not be known, write sync.users_table = "".'


class SyncRecordUnwritable(SyncProblem):
    """The record of the sync could not be written."""

    hint = "Make COUPLING_HEALTH_JOB_LOG_DIR a folder that this process may write to, on a disk with free space."
