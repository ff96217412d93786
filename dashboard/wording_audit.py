"""What admins did, in words."""

from __future__ import annotations

from collections.abc import Mapping

from core.state.audit import Deed, Entry

DEED_LABELS: Mapping[Deed, str] = {
    Deed.LOGGED_IN: "Logged in",
    Deed.LOGGED_OUT: "Logged out",
    Deed.LOGIN_FAILED: "Log-in with a wrong password",
    Deed.CHECK_RUN: "Ran a check",
    Deed.CHECK_TRIED: "Ran a check as a dry run",
    Deed.SYNC_PLANNED: "Planned a sync",
    Deed.SYNC_CONFIRMED: "Confirmed a sync",
    Deed.SYNC_APPROVED: "Approved a sync",
    Deed.SYNC_REFUSED: "Gave a sync up",
    Deed.SYNC_UNDONE: "Took a sync back",
    Deed.INCIDENT_ACKNOWLEDGED: "Acknowledged an incident",
    Deed.INCIDENT_SNOOZED: "Snoozed an incident",
    Deed.SILENCE_ADDED: "Silenced alerts",
    Deed.SILENCE_ENDED: "Ended a silence",
    Deed.MESSAGE_SENT_AGAIN: "Sent a message again",
    Deed.CHANNEL_TRIED: "Sent a test message",
    Deed.MAINTENANCE_PLANNED: "Planned maintenance",
    Deed.MAINTENANCE_CUT: "Ended maintenance this time",
    Deed.MAINTENANCE_ENDED: "Took maintenance back",
    Deed.MARKER_ADDED: "Added a marker",
    Deed.MARKER_REMOVED: "Deleted a marker",
    Deed.REPORT_MADE: "Made a report",
    Deed.LINK_CREATED: "Made a share link",
    Deed.LINK_REVOKED: "Revoked a share link",
    Deed.TOKEN_CREATED: "Made an API token",
    Deed.TOKEN_REVOKED: "Revoked an API token",
    Deed.ACCOUNT_ADDED: "Added a user",
    Deed.PASSWORD_CHANGED: "Changed a password",
    Deed.ACCOUNT_REMOVED: "Removed a user",
    Deed.LOGS_IMPORTED: "Imported logs",
    Deed.LOGS_ARCHIVED: "Archived logs",
    Deed.VIOLATIONS_EXPORTED: "Downloaded violations",
    Deed.AUDIT_EXPORTED: "Downloaded the audit trail",
}


def deed_in_words(entry: Entry) -> str:
    """What was done; of a newer version's deed its name, for this one has no words for it."""
    return DEED_LABELS[Deed(entry.deed)] if entry.deed in list(Deed) else entry.deed
