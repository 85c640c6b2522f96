"""Messages leave once they are committed: late, again, but never lost."""

import smtplib
import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client

from clave.holders.models import Holder
from clave.lib import clock as clock_module
from clave.lib.clock import Stopped
from clave.notifications import channels, outbox, pauses, sending
from clave.notifications.models import Message
from clave.sandbox import services
from tests.installation import until
from tests.story import Mailbox

MAIL, PHONE = "camila.rojas@example.cl", "+56987650001"


@pytest.fixture(autouse=True)
def no_pause() -> Iterator[None]:
    pauses.forget()
    yield
    pauses.forget()


@pytest.fixture
def camila(demo: None) -> Holder:
    return Holder.objects.get(identifier="11111111-1")


def send(camila: Holder) -> None:
    outbox.send(
        camila, "temporary_key", {"key": "ABCD123450", "until": "14:35", "seconds": "3600"}, email=MAIL, mobile=PHONE
    )


def test_a_message_is_delivered_by_the_workers_senders(committed: None) -> None:
    camila = Holder.objects.get(identifier="11111111-1")
    send(camila)
    stopping = threading.Event()
    senders = sending.start_senders(stopping)
    try:
        until(lambda: len(services.messages()) == 2)
    finally:
        stopping.set()
        for sender in senders:
            sender.join(10)
    assert sorted(message["kind"] for message in services.messages()) == ["email", "sms"]
    assert set(Message.objects.values_list("state", "destination", "context")) == {("sent", "", "")}


@pytest.mark.abuse(79)
def test_a_mail_server_that_hangs_holds_up_neither_sms_nor_the_other_mails(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of three mail senders hang; the third sends the rest, and the SMS goes at once."""
    camila, hanging, free, order = Holder.objects.get(identifier="11111111-1"), threading.Event(), [], []

    def mail(message: Message, *_: object) -> None:
        if message.destination.startswith("hangs"):
            hanging.wait(30)
        order.append(message.destination)

    monkeypatch.setattr(channels, "_send_email", mail)
    monkeypatch.setattr(channels, "_send_sms", lambda message, _text: free.append(message.destination))
    for name in ("hangs1", "hangs2", "third", "fourth"):
        outbox.send(camila, "welcome", {"identifier": "1"}, email=f"{name}@example.cl")
    outbox.send(camila, "welcome", {"identifier": "1"}, mobile=PHONE)
    stopping = threading.Event()
    senders = sending.start_senders(stopping)
    try:
        until(lambda: len(order) >= 2 and free)
        assert (free, sorted(order)) == ([PHONE], ["fourth@example.cl", "third@example.cl"])
    finally:
        hanging.set()
        stopping.set()
        for sender in senders:
            sender.join(10)
    assert Message.objects.filter(state="sent").count() == 5


@pytest.mark.abuse(45)
def test_a_message_of_a_transaction_that_fails_is_never_sent(camila: Holder, mailbox: Mailbox) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        send(camila)
        raise ZeroDivisionError
    assert mailbox.all() == []


@pytest.mark.abuse(45)
def test_a_worker_killed_while_sending_leaves_the_message_to_the_next(
    camila: Holder, mailbox: Mailbox, clock: Stopped
) -> None:
    send(camila)
    for message in Message.objects.all():
        assert sending._claim(message.pk), "the worker takes the message, and dies here"
    assert mailbox.all() == [], "until its lease is over nobody else sends it"
    clock.move(seconds=61)
    assert len(mailbox.all()) == 2


def test_a_gateway_that_refuses_is_tried_again_with_growing_pauses_and_one_id(
    camila: Holder, mailbox: Mailbox, clock: Stopped
) -> None:
    services.set_behaviour("smtp", "down")
    services.set_behaviour("sms", "down")
    send(camila)
    pauses = []
    for _ in range(4):
        sending.send_due()
        rows = Message.objects.order_by("channel")
        pauses.append((rows[0].next_try_at - clock_module.now()).total_seconds())
        clock.set(max(row.next_try_at for row in rows))
    assert all(4 * 2**n <= pause <= 6 * 2**n for n, pause in enumerate(pauses)), pauses
    services.set_behaviour("smtp", "ok")
    services.set_behaviour("sms", "ok")
    ids = {message["id"].strip("<>").split("@")[0] for message in mailbox.all()}
    assert ids == {str(pk) for pk in Message.objects.values_list("pk", flat=True)}
    assert {row.tries for row in Message.objects.all()} == {5}


def test_a_temporary_key_that_has_expired_is_not_sent_any_more(
    camila: Holder, mailbox: Mailbox, clock: Stopped
) -> None:
    send(camila)
    clock.move(hours=1, seconds=1)
    assert mailbox.all() == []
    assert set(Message.objects.values_list("state", "context")) == {("dead", "")}


def test_the_mail_has_text_and_html_a_stable_id_and_one_recipient(camila: Holder, mailbox: Mailbox) -> None:
    send(camila)
    mail = mailbox.last(MAIL)
    assert mail["to"] == MAIL
    assert uuid.UUID(mail["id"].strip("<>").split("@")[0])
    assert "ABCD123450" in mail["text"] and ">ABCD123450<" in mail["html"]
    assert "http://localhost:8000/Account/CambiarClave" in mail["text"]


def test_messages_speak_the_holders_language(camila: Holder, mailbox: Mailbox) -> None:
    camila.language = "en"
    send(camila)
    assert mailbox.last(MAIL)["subject"] == "Your temporary SENCE key"


@pytest.mark.abuse(9)
def test_the_outbox_keeps_destination_and_contents_encrypted(camila: Holder) -> None:
    send(camila)
    with connection.cursor() as cursor:
        cursor.execute("SELECT destination, context FROM notifications_message")
        stored = str(cursor.fetchall())
    assert "ABCD123450" not in stored and "example.cl" not in stored and "98765" not in stored


@pytest.mark.abuse(6)
def test_one_destination_gets_only_its_share_of_a_day(camila: Holder, clock: Stopped) -> None:
    def welcome() -> list[str]:
        told = {"identifier": "1"}
        return outbox.send(camila, "welcome", told, email=MAIL, mobile=PHONE, quota="registration")

    assert [len(welcome()) for _ in range(20)] == [2] * 8 + [1] * 12, "an SMS too many is left out, the e-mail goes"
    with pytest.raises(outbox.TooManyMessages):
        welcome()
    assert Message.objects.count() == 28, "all or nothing"
    clock.move(hours=25)
    assert welcome() == ["email", "sms"]


def test_a_message_that_waits_ten_minutes_shows_in_readyz_and_metrics(
    camila: Holder, client: Client, clock: Stopped
) -> None:
    from clave.operations.models import Heartbeat

    send(camila)
    clock.move(minutes=9)
    Heartbeat.objects.create(name="w", at=clock_module.now())
    assert client.get("/readyz").status_code == 200
    clock.move(minutes=2)
    Heartbeat.objects.update(at=clock_module.now())
    answer = client.get("/readyz")
    assert answer.status_code == 503 and answer.json()["messages"] is False
    assert "clave_messages_late 2" in client.get("/metrics").content.decode()


def test_without_a_worker_readyz_says_so(demo: None, client: Client) -> None:
    assert client.get("/readyz").json()["worker"] is False
    assert client.get("/healthz").status_code == 200


def test_life_is_longer_than_the_longest_pause() -> None:
    assert timedelta(seconds=sending.LONGEST_PAUSE) < outbox.LIFE


@pytest.mark.abuse(79)
def test_a_channel_that_keeps_failing_pauses_and_does_not_hold_up_the_other(
    camila: Holder, mailbox: Mailbox, clock: Stopped, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt: list[str] = []

    def hang(message: Message, *_: object) -> None:
        attempt.append(str(message.pk))
        raise TimeoutError

    monkeypatch.setattr(channels, "_send_email", hang)
    for number in range(12):
        outbox.send(camila, "welcome", {"identifier": "1"}, email=f"somebody{number}@example.cl")
    outbox.send(camila, "temporary_key", {"key": "ABCD123450", "until": "14:35", "seconds": "3600"}, mobile=PHONE)
    sending.send_due()
    assert len(attempt) == pauses.FAILURES and [each["to"] for each in mailbox.all()] == [PHONE]
    assert Message.objects.filter(channel="email", tries=0).count() == 12 - pauses.FAILURES, "untouched meanwhile"
    clock.move(seconds=31)
    sending.send_due()
    assert len(attempt) == pauses.FAILURES + 1, "one probe, then the next pause"
    monkeypatch.undo()
    clock.move(minutes=16)
    assert len([each for each in mailbox.all() if each["kind"] == "email"]) == 12


@pytest.mark.abuse(79)
def test_messages_that_carry_keys_go_before_notices(
    camila: Holder, clock: Stopped, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    monkeypatch.setattr(channels, "send", lambda message: order.append(message.template))
    for _ in range(3):
        outbox.send(camila, "welcome", {"identifier": "1"}, email=MAIL)
    clock.move(seconds=5)
    send(camila)
    sending.send_due()
    assert order == ["temporary_key", "welcome", "welcome", "welcome", "temporary_key"], "in each channel"


@pytest.mark.abuse(79)
def test_an_address_that_a_mail_server_refuses_pauses_nothing() -> None:
    refused = smtplib.SMTPRecipientsRefused({"x@example.cl": (550, b"no")})
    assert not channels.is_fault_of_channel(refused) and not channels.is_fault_of_channel(channels.GatewayRefused(422))
    for fault in (
        TimeoutError(),
        ConnectionRefusedError(),
        smtplib.SMTPServerDisconnected(),
        channels.GatewayRefused(503),
    ):
        assert channels.is_fault_of_channel(fault)
