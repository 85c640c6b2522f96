"""E-mail by SMTP, SMS by an HTTP gateway. A channel raises whatever went wrong; the outbox tries again."""

import json
import smtplib
from email.utils import parseaddr

import httpx
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation

from clave.notifications.models import Message

SECONDS = 5
# What a mail server says of one message, not of itself. Any stranger can give an address that is refused.
_OF_ONE_MESSAGE = (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError)


class GatewayRefused(Exception):
    """The SMS gateway answered, and it was not a yes."""


def is_fault_of_channel(error: Exception) -> bool:
    """Say whether an error is about the channel, so that the next message would fail as well."""
    if isinstance(error, GatewayRefused):
        return error.args[0] >= 500 or error.args[0] in (401, 403, 429)
    return isinstance(error, (OSError, httpx.TransportError)) and not isinstance(error, _OF_ONE_MESSAGE)


def send(message: Message) -> None:
    """Send `message` through its channel, in its language."""
    context = {**json.loads(message.context), "site": settings.CLAVE_URL, "help_line": settings.CLAVE_HELP_LINE}
    with translation.override(message.language):
        if message.channel == "sms":
            _send_sms(message, _rendered(f"notifications/{message.template}.sms.txt", context))
        else:
            _send_email(message, _rendered(f"notifications/{message.template}.txt", context), context)


def _rendered(name: str, context: dict[str, str]) -> str:
    return render_to_string(name, context).strip()


def _send_email(message: Message, text: str, context: dict[str, str]) -> None:
    """The first line of the template is the subject; paragraphs become the HTML part."""
    subject, _, body = text.partition("\n")
    body = body.strip() + "\n"
    paragraphs = [part.strip() for part in body.split("\n\n")]
    html = render_to_string(
        "notifications/wrapper.html",
        {**context, "paragraphs": paragraphs, "subject": subject, "language": message.language},
    )
    host = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")[2]
    mail = EmailMultiAlternatives(
        subject.strip(),
        body,
        to=[message.destination],
        headers={"Message-ID": f"<{message.pk}@{host}>", "Auto-Submitted": "auto-generated"},
    )
    mail.attach_alternative(html, "text/html")
    mail.send()


def _send_sms(message: Message, text: str) -> None:
    headers = {"Idempotency-Key": str(message.pk)}
    if settings.SMS_GATEWAY_TOKEN:
        headers["Authorization"] = f"Bearer {settings.SMS_GATEWAY_TOKEN}"
    content = {"to": message.destination, "text": " ".join(text.split())}
    answer = httpx.post(settings.SMS_GATEWAY_URL, json=content, headers=headers, timeout=SECONDS)
    if not answer.is_success:
        raise GatewayRefused(answer.status_code)
