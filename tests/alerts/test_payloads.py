"""What services get over HTTP, with a server of ours in their place."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest

from core.alerts.channels import channel
from core.alerts.messages import SHORTEST
from tests.alerts.conftest import NewWatch
from tests.alerts.receivers import Receiver
from tests.alerts.test_desk import break_pairs
from tests.application import SqliteApplication

SID = "AC" + "0123456789abcdef" * 2
URLS = {
    "slack": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
    "sendgrid": "sendgrid://SG-a-secret-api-key:health@example.org/admin@example.org",
    "twilio": f"twilio://{SID}:{'b' * 32}@+15550001111/+15550002222",
}


@pytest.fixture
def services(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Receiver:
    """Our receiver at the addresses of the services."""
    from apprise.plugins.sendgrid import NotifySendGrid
    from apprise.plugins.slack import NotifySlack
    from apprise.plugins.twilio import NotifyTwilio

    monkeypatch.setattr(NotifySlack, "webhook_url", receiver.url)
    monkeypatch.setattr(NotifySendGrid, "notify_url", receiver.url)
    monkeypatch.setattr(NotifyTwilio, "notify_sms_url", f"{receiver.url}/{{sid}}")
    return receiver


@pytest.fixture
def fired(new_watch: NewWatch, app: SqliteApplication) -> dict[str, str]:
    """A message about eleven violations."""
    watch = new_watch(channels={"hook": {"url": "http://127.0.0.1:9/"}}, link="https://health.example.org")
    break_pairs(app, 11)
    watch.look()
    return dict(watch.messages()[0])


def test_slack_gets_blocks_with_what_happened_and_what_to_do(services: Receiver, fired: dict[str, str]) -> None:
    assert channel("slack", URLS["slack"]).send(fired, "k3y").sent
    (request,) = services.received
    assert request.path.endswith("/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ")
    blocks = request.document["attachments"][0]["blocks"]
    said = str(blocks)
    assert [block["type"] for block in blocks][:2] == ["header", "section"]
    for part in (
        "More than 10 violations [DEGRADED, 98.90 %]",
        "level mismatch",
        "What to do",
        "k3y",
        "health.example.org/alerts",
    ):
        assert part in said


def test_a_name_in_the_watched_tables_makes_no_link_and_calls_nobody_in_slack(
    services: Receiver, new_watch: NewWatch, app: SqliteApplication
) -> None:
    watch = new_watch(channels={"hook": {"url": "http://127.0.0.1:9/"}}, rules={"any": {"when": "violations_above"}})
    app.progress(1, "[WIN](HTTP://EVIL) <!CHANNEL> *B* `C`", 3)
    watch.look()
    assert channel("slack", URLS["slack"]).send(watch.messages()[0], "k3y").sent
    said = str(services.received[0].document)
    assert "<!CHANNEL>" not in said
    assert "<HTTP://EVIL" not in said
    assert "WIN" in said
    assert "EVIL" in said


def test_sendgrid_gets_a_mail_in_html(services: Receiver, fired: dict[str, str]) -> None:
    assert channel("sendgrid", URLS["sendgrid"]).send(fired, "k3y").sent
    (request,) = services.received
    assert request.headers["Authorization"] == "Bearer SG-a-secret-api-key"
    assert request.document["subject"] == "More than 10 violations [DEGRADED, 98.90 %]"
    html = next(one["value"] for one in request.document["content"] if one["type"] == "text/html")
    assert "<li>user 0, PLAYER: level mismatch (progress 1, licence 2)</li>" in html


def test_twilio_gets_one_short_message(services: Receiver, fired: dict[str, str]) -> None:
    assert channel("twilio", URLS["twilio"]).send(fired, "k3y").sent
    (request,) = services.received
    form = parse_qs(request.body.decode())
    assert form["To"] == ["+15550002222"]
    (body,) = form["Body"]
    assert body == "More than 10 violations [DEGRADED, 98.90 %]. 11 violations. https://health.example.org"
    assert len(body) <= SHORTEST


@pytest.mark.parametrize("service", URLS)
def test_a_refusal_is_told_without_the_secrets_of_the_url(service: str, services: Receiver, fired: dict[str, str]) -> None:
    services.answers = [401] * 5
    tried = channel(service, URLS[service]).send(fired, "k3y")
    assert (tried.sent, tried.for_good) == (False, True)
    assert "401" in tried.answer
    for secret in ("TIiajkdnlazkcOXrIdevi7FQ", "SG-a-secret-api-key", SID, "b" * 32):
        assert secret not in tried.answer
