"""`coupling-health report …`: a file for people who never log in, and whether one is true."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from core.assembly import open_state
from core.settings import Settings
from tests.cli.commands import Commands
from tests.state import records


@pytest.fixture
def checked(commands: Commands) -> Commands:
    """Some checks of the last days; the watched database is away, which reports do without."""
    commands.settings["database_url"] = "postgresql://reader@127.0.0.1:1/away"
    state = open_state(Settings(state_url=f"sqlite:///{commands.folder / 'var' / 'coupling-health.db'}"))
    from core.assembly import build_coupler

    label = build_coupler(Settings(database_url="postgresql://reader@127.0.0.1:1/away")).label
    for hours in range(0, 24 * 9, 6):
        records.completed(state, datetime.now(UTC) - timedelta(hours=hours, minutes=1), 1_000, hours % 4, watched=label)
    state.dispose()
    return commands


def test_a_report_is_a_file_named_by_its_period(checked: Commands) -> None:
    done = checked("report", "--period", "last-week", "--format", "csv")
    assert (done.code, done.out) == (0, "")
    assert "of all comparisons agreed" in done.err or "too little" in done.err
    (name,) = [name for name in checked.files() if name.startswith("coupling-health-")]
    assert name.endswith(".csv")
    assert f"Wrote {name}" in done.err
    assert checked("report", "--period", "last-week", "--format", "csv").code == 0, "an earlier report is replaced"
    true = checked("report", "verify", name)
    assert (true.code, true.out) == (0, "")
    assert "figures come out as stated" in true.err


def test_json_tells_what_was_made_and_what_was_found(checked: Commands) -> None:
    made = checked(
        "report", "--period", "this-week", "--format", "html", "--output", "r.html", "--language", "hu", "--json"
    ).document
    assert (made["output"], made["format"], made["language"], made["demo"]) == ("r.html", "html", "hu", False)
    assert made["verdict"] in ("kept", "too_little", "broken")
    assert made["checks_ran"] >= 1
    found = checked("report", "verify", "r.html", "--json")
    assert found.code == 0
    assert (found.document["holds"], found.document["differences"], found.document["pages"]) == (True, [], "same")


def test_a_report_goes_to_stdout_when_asked(checked: Commands) -> None:
    done = checked("report", "--period", "last-week", "--format", "csv", "--output", "-")
    assert done.out.startswith("start,end,checks_expected")
    refused = checked("report", "--period", "last-week", "--output", "-", "--json")
    assert refused.code == 2
    assert "cannot both go to stdout" in refused.document["error"]


def test_what_was_changed_is_named_and_exits_1(checked: Commands) -> None:
    checked("report", "--period", "last-week", "--format", "html", "--output", "r.html")
    page = (checked.folder / "r.html").read_text("utf-8")
    healthy = json.loads(page.split('id="coupling-health-report">')[1].split("</script>")[0])["content"]["figures"]["sums"][
        "healthy"
    ]
    (checked.folder / "r.html").write_text(
        page.replace(f'"healthy": {healthy}, "degraded"', '"healthy": 9999, "degraded"', 1), "utf-8"
    )
    done = checked("report", "verify", "r.html")
    assert done.code == 1
    assert f"figures.sums.healthy: stated 9999, recomputed {healthy}" in done.err
    assert "its digest does not fit" in done.err
    listed = checked("report", "verify", "r.html", "--json").document
    assert listed["embedded_whole"] is False
    assert listed["differences"][0] == {"figure": "figures.sums.healthy", "stated": 9999, "recomputed": healthy}


def test_checks_that_came_since_are_counted(checked: Commands) -> None:
    checked("report", "--period", "last-week", "--format", "csv", "--output", "r.csv")
    document = checked("report", "verify", "r.csv", "--json").document
    start = datetime.fromisoformat(document["start"])
    state = open_state(Settings(state_url=f"sqlite:///{checked.folder / 'var' / 'coupling-health.db'}"))
    with state.read() as connection:
        label = connection.exec_driver_sql("SELECT watched FROM health_check_history").scalar()
    records.completed(state, start + timedelta(hours=50), 10, 5, watched=str(label))
    state.dispose()
    done = checked("report", "verify", "r.csv")
    assert done.code == 1
    assert "1 reading was added to the period since." in done.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "It is not said what the report is about"),
        (("--period", "someday"), "is no period"),
        (("--period", "2199"), "has not begun yet"),
        (("--period", "last-week", "--language", "xx"), "there are: en, hu"),
        (("--period", "last-week", "--format", "docx"), "docx"),
        (("--period", "last-week", "--output", "nowhere/r.pdf"), "No such file"),
        (("--period", "last-week", "--output", "var"), "is a folder"),
        (("verify", "missing.pdf"), "No such file"),
        (("verify", "notes.txt"), "is no report"),
    ],
)
def test_mistakes_are_named(checked: Commands, arguments: tuple[str, ...], told: str) -> None:
    (checked.folder / "notes.txt").write_text("my notes")
    done = checked("report", *arguments)
    assert (done.code, done.out) == (2, "")
    assert told in done.err


def test_another_file_is_never_replaced(checked: Commands) -> None:
    (checked.folder / "notes.txt").write_text("my notes")
    done = checked("report", "--period", "last-week", "--output", "notes.txt")
    assert done.code == 2
    assert "already that is no report" in done.err
    assert (checked.folder / "notes.txt").read_text() == "my notes"


def test_a_time_without_checks_says_so(checked: Commands) -> None:
    done = checked("report", "--period", "2001-05", "--format", "csv", "--json").document
    assert (done["verdict"], done["consistency_rate"], done["healthy_percent"]) == ("nothing", None, None)


def test_settings_decide_what_is_not_asked_for(checked: Commands) -> None:
    done = checked(
        "report", "--period", "last-week", "--format", "csv", "--json", report__language="hu", report__time_zone="Asia/Tokyo"
    )
    assert done.document["language"] == "hu"
    assert done.document["start"].endswith("15:00:00+00:00")
