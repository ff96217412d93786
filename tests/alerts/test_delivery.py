"""Messages on their way: to a real SMTP server and a real HTTP server."""

from __future__ import annotations

import hashlib
import hmac
import socket
import ssl
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from core.alerts.channels import KEY, SIGNATURE, channel, problem_with
from core.alerts.delivery import MOST_TRIES, Delivery, pause_after
from core.alerts.messages import SHORTEST, trial_message
from core.state import outbox
from core.state.outbox import LetterState
from tests.alerts.conftest import NewWatch
from tests.alerts.receivers import Mailbox, Receiver
from tests.alerts.test_desk import break_pairs, heal
from tests.alerts.watch import MINUTE, Watch, channels
from tests.application import SqliteApplication
from tests.browser.patience import eventually
from tests.frozen_clock import NOON

NOWHERE = "http://127.0.0.1:9/hook"  # nobody listens there


def _plain(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_a_mail_tells_in_text_and_in_html_what_happened_and_what_to_do(
    new_watch: NewWatch, app: SqliteApplication, mailbox: Mailbox
) -> None:
    watch = new_watch(**channels(mail=mailbox.url), link="https://health.example.org/")
    break_pairs(app, 11)
    watch.look()
    (mail,) = mailbox.mails
    assert mail["Subject"] == "More than 10 violations [DEGRADED, 98.90 %]"
    assert mail["To"] == "admin@example.org"
    bodies = {part.get_content_type(): str(part.get_content()) for part in mail.walk() if not part.is_multipart()}
    key = watch.letters()[0].key
    for kind in ("text/plain", "text/html"):
        body = bodies[kind]
        assert "PLAYER: level mismatch" in body
        assert "What to do: Look at the violations" in body
        assert key in body
        assert "https://health.example.org/incident?number=1" in body
    heal(app)
    watch.pass_by(minutes=15)
    assert mailbox.subjects[1:] == ["Resolved: More than 10 violations [HEALTHY, 100.00 %]"]
    assert "It lasted 15 min; at the worst 11 violations, 98.90 %." in _plain(mailbox.mails[1])


def test_a_webhook_is_signed_and_carries_its_key(new_watch: NewWatch, app: SqliteApplication, receiver: Receiver) -> None:
    watch = new_watch(channels={"hook": {"url": receiver.url, "secret": "s3cret"}})
    break_pairs(app, 11)
    watch.look()
    (request,) = receiver.received
    assert request.headers[SIGNATURE] == "sha256=" + hmac.new(b"s3cret", request.body, hashlib.sha256).hexdigest()
    assert request.headers[KEY] == request.document["key"] == watch.letters()[0].key
    assert (request.document["event"], request.document["inconsistent"]) == ("fired", 11)


def test_one_channel_s_failure_holds_no_other_back(
    new_watch: NewWatch, app: SqliteApplication, receiver: Receiver, mailbox: Mailbox
) -> None:
    watch = new_watch(**channels(dead=NOWHERE, hook=receiver.url, mail=mailbox.url))
    break_pairs(app, 11)
    watch.look()
    assert (len(receiver.received), len(mailbox.mails)) == (1, 1)
    states = {letter.channel: (letter.state, letter.answer) for letter in watch.letters()}
    assert states["dead"] == (LetterState.WAITING, "Connection refused")
    assert states["hook"] == (LetterState.SENT, "HTTP 200")


def test_what_could_not_be_sent_is_tried_again_in_order_with_the_same_key(
    new_watch: NewWatch, app: SqliteApplication, receiver: Receiver
) -> None:
    watch = new_watch(**channels(hook=receiver.url))
    receiver.answers = [500, 503, 429]
    break_pairs(app, 11)
    watch.look()
    watch.clock.advance(pause_after(1))
    watch.delivery.run()
    heal(app)
    watch.pass_by(minutes=20)
    assert [one.document["event"] for one in receiver.received] == ["fired", "fired", "fired", "fired", "resolved"]
    assert len({one.headers[KEY] for one in receiver.received[:4]}) == 1
    assert [letter.state for letter in watch.letters()] == [LetterState.SENT] * 2


def test_a_mail_that_is_refused_for_now_comes_later(new_watch: NewWatch, app: SqliteApplication, mailbox: Mailbox) -> None:
    watch = new_watch(**channels(mail=mailbox.url))
    mailbox.refuses = "451 try later"
    break_pairs(app, 11)
    watch.look()
    assert (mailbox.mails, watch.letters()[0].state) == ([], LetterState.WAITING)
    mailbox.refuses = None
    watch.pass_by(minutes=1)
    assert len(mailbox.mails) == 1


def test_what_is_refused_for_good_is_given_up_and_can_be_sent_again_by_hand(
    new_watch: NewWatch, app: SqliteApplication, receiver: Receiver
) -> None:
    watch = new_watch(**channels(hook=receiver.url))
    receiver.answers = [403]
    break_pairs(app, 11)
    watch.look()
    (letter,) = watch.letters()
    assert (letter.state, letter.answer) == (LetterState.GIVEN_UP, "HTTP 403")
    with watch.monitor.state.write() as connection:
        assert outbox.send_again(connection, letter.id, watch.clock.now)
    watch.delivery.run()
    assert [one.headers[KEY] for one in receiver.received] == [letter.key] * 2


def test_a_dead_channel_is_given_up_after_hours_and_checks_go_on(new_watch: NewWatch, app: SqliteApplication) -> None:
    watch = new_watch(interval=3_600, **channels(dead=NOWHERE))
    break_pairs(app, 11)
    watch.look()
    for number in range(1, MOST_TRIES):
        watch.clock.advance(pause_after(number))
        watch.delivery.run()
    (letter,) = watch.letters()
    assert (letter.state, letter.tries) == (LetterState.GIVEN_UP, MOST_TRIES)
    assert timedelta(hours=5) < watch.clock.now - NOON < timedelta(hours=9)


def test_a_message_whose_sender_died_in_the_middle_goes_out_again_with_its_key(
    watch: Watch, app: SqliteApplication, receiver: Receiver
) -> None:
    watch.delivering = False
    break_pairs(app, 11)
    watch.pass_by(minutes=5)
    with watch.monitor.state.write() as connection:  # a worker claims it, and is no more
        claimed = outbox.claim(connection, "hook", watch.clock.now)
        assert claimed is not None
    Delivery(watch.monitor.state, watch.desk.channels, watch.clock).run()
    assert receiver.received == [], "somebody else may be sending it"
    watch.clock.advance(3 * MINUTE)
    watch.delivery.run()
    assert [one.headers[KEY] for one in receiver.received] == [claimed.key]


def test_messages_for_a_channel_that_was_taken_away_are_given_up(
    watch: Watch, new_watch: NewWatch, app: SqliteApplication, receiver: Receiver
) -> None:
    watch.delivering = False
    break_pairs(app, 11)
    watch.pass_by(minutes=5)
    other = new_watch(**channels(elsewhere=NOWHERE))
    other.delivery.run()
    assert other.letters()[0].state is LetterState.WAITING, "another replica may know it"
    other.clock.advance(timedelta(hours=2))
    other.delivery.run()
    assert (other.letters()[0].state, other.letters()[0].answer) == (LetterState.GIVEN_UP, "no channel of that name is set up")


def test_telephones_get_a_hundred_and_sixty_characters_at_most(
    new_watch: NewWatch, app: SqliteApplication, receiver: Receiver
) -> None:
    watch = new_watch(**channels(hook=receiver.url), link="https://health.example.org/" + "long" * 40)
    break_pairs(app, 60)
    watch.pass_by(minutes=40)
    assert len(watch.letters()) == 3
    for message in watch.messages():
        assert len(message["short"]) <= SHORTEST
    assert watch.messages()[0]["short"] == "More than 10 violations [CRITICAL, 94.00 %]. 60 violations."


def test_figures_of_an_earlier_check_never_read_like_news(
    new_watch: NewWatch, app: SqliteApplication, receiver: Receiver
) -> None:
    watch = new_watch(**channels(hook=receiver.url))
    break_pairs(app, 3)
    watch.look()
    watch.checking = False
    watch.pass_by(minutes=16)
    message = watch.messages()[-1]
    assert message["short"] == "The checker is late [UNKNOWN]."
    assert "Last known violations:" in message["text"]
    assert "Last known violations:" in message["html"]
    assert receiver.received[-1].document["last_known"] is True


@pytest.mark.parametrize(
    "url", ["foo://bar", "nothing", "", "https://", "mailto://", "slack://only-one-part", "twilio://short"], ids=str
)
def test_a_url_that_is_no_channel_is_told_without_repeating_it(url: str) -> None:
    problem = problem_with(url)
    assert problem is not None
    assert "only-one-part" not in problem


def test_what_a_service_complains_about_names_no_secret(mailbox: Mailbox) -> None:
    mailbox.refuses = "550 no such user"
    url = mailbox.url.replace("mailto://", "mailto://somebody:pa55%40word-of-mine@")
    tried = channel("mail", url).send(trial_message("mail", NOON, None), "k")
    assert not tried.sent
    assert tried.answer
    assert "word-of-mine" not in tried.answer


def test_a_slow_channel_holds_no_other_back(new_watch: NewWatch, app: SqliteApplication, receiver: Receiver) -> None:
    """A server that takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        watch = new_watch(**channels(hook=receiver.url, slow=f"http://127.0.0.1:{silent.getsockname()[1]}/"))
        watch.delivering = False
        break_pairs(app, 11)
        watch.look()
        watch.delivery.begin_quietly()
        eventually(lambda: len(receiver.received) == 1, "the other channel's first message arrives")
        heal(app)
        watch.pass_by(minutes=15)
        watch.delivery.begin_quietly()
        eventually(lambda: len(receiver.received) == 2, "the other channel's second message arrives")
        assert {letter.tries for letter in watch.letters() if letter.channel == "slow"} == {0, 1}, "it is still at its first"


def test_a_server_whose_certificate_nobody_trusts_is_named(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with Receiver().open(context) as receiver:
        tried = channel("hook", receiver.url).send(trial_message("hook", NOON, None), "k")
    assert (tried.sent, tried.for_good) == (False, False)
    assert tried.answer == "its certificate is not trusted: self-signed certificate"


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 and its key, made by nobody in particular."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(private, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "certificate.pem", folder / "key.pem"


def test_a_plain_text_makes_no_link_and_calls_nobody_in_chats_that_format_it(new_watch: NewWatch, app: SqliteApplication) -> None:
    watch = new_watch(**channels(hook="http://127.0.0.1:9/"), rules={"any": {"when": "violations_above"}})
    app.progress(1, "[WIN](HTTP://EVIL) @EVERYONE <!CHANNEL>", 3)
    watch.look()
    text = watch.messages()[0]["text"]
    for harmful in ("](", "@EVERYONE", "<!"):
        assert harmful not in text
    assert "[WIN]\u200b(HTTP://EVIL) @\u200bEVERYONE <\u200b!CHANNEL>" in text
