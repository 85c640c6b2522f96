"""E-mail over SMTP, SMS over an HTTP gateway. A channel raises any error; the outbox retries."""

import json
import smtplib
from email.utils import parseaddr

import httpx
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation

from clave.lib import trust
from clave.notifications.models import Message

SECONDS = 5
# Rejections of a single message, not failures of the server: anybody can enter an address that is refused.
_MESSAGE_ERRORS = (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError)


class GatewayRefused(Exception):
    """The SMS gateway responded with an error."""


def is_fault_of_channel(error: Exception) -> bool:
    """Return whether the error concerns the channel itself, so that the next message would fail as well."""
    if isinstance(error, GatewayRefused):
        return error.args[0] >= 500 or error.args[0] in (401, 403, 429)
    return isinstance(error, (OSError, httpx.TransportError)) and not isinstance(error, _MESSAGE_ERRORS)


def send(message: Message) -> None:
    """Send `message` through its channel, in its language."""
    context = {**json.loads(message.context), "site": settings.CLAVE_URL, "help_line": settings.CLAVE_HELP_LINE}
    with translation.override(message.language):
        if message.channel == "sms":
            _send_sms(message, _render(f"notifications/{message.template}.sms.txt", context))
        else:
            _send_email(message, _render(f"notifications/{message.template}.txt", context), context)


def _render(name: str, context: dict[str, str]) -> str:
    return render_to_string(name, context).strip()


def _send_email(message: Message, text: str, context: dict[str, str]) -> None:
    """Send an e-mail: the first line of the rendered template is the subject, its paragraphs become the HTML part."""
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
    response = httpx.post(
        settings.SMS_GATEWAY_URL, json=content, headers=headers, timeout=SECONDS, verify=trust.authorities()
    )
    if not response.is_success:
        raise GatewayRefused(response.status_code)
