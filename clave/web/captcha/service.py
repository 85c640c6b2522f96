"""Verification of captcha answers: every ticket is spent by its first answer, right or wrong."""

import unicodedata

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from clave.lib import clock
from clave.web.captcha import price, tickets
from clave.web.captcha.models import CaptchaLoad, SpentTicket
from clave.web.captcha.tickets import MOST, Ticket
from clave.web.middleware import address_of

# How many wrong answers to keep per network; beyond that the oldest are deleted, never a right one.
REMEMBERED = 60


def passes(request: HttpRequest, text: str, answer: str) -> bool:
    """Return whether `answer` solves the ticket. Either way the ticket is spent and the network's price rises."""
    if settings.CLAVE_CAPTCHA == "off":
        return True
    ticket = tickets.read(request, text)
    if ticket is None:
        return False
    network = price.network_of(address_of(request))
    needed = price.letters_needed(ticket, network)
    right = needed <= len(plain(answer)) <= MOST and ticket.letters.startswith(plain(answer))
    if spend(ticket, network, right=right):
        return True
    # The picture may have been loaded from another network, or before the price rose.
    tickets.quote_next(request, max(needed, price.price_for(network).letters))
    return False


def plain(answer: str) -> str:
    """Return the letters of an answer without case, accents and spaces."""
    return "".join(char for char in unicodedata.normalize("NFD", answer.upper()) if char.isalnum())


@transaction.atomic
def spend(ticket: Ticket, network: str, *, right: bool) -> bool:
    """Spend a ticket; return whether the answer was right and the ticket unspent."""
    row = {"network": network, "solved": right, "expires_at": ticket.expires_at}
    _, created = SpentTicket.objects.get_or_create(pk=ticket.key, defaults=row)
    solved = right and created
    price.count_answer(network, weight=price.WEIGHT_WITHOUT_PROOF if solved and not ticket.proved else price.WEIGHT)
    if not right:
        wrong = SpentTicket.objects.filter(network=network, solved=False).order_by("-expires_at", "pk")
        SpentTicket.objects.filter(pk__in=list(wrong.values_list("pk", flat=True)[REMEMBERED:])).delete()
    return solved


def purge_expired() -> None:
    """Delete spent tickets that have expired anyway, and empty buckets."""
    now = clock.now()
    SpentTicket.objects.filter(expires_at__lt=now).delete()
    CaptchaLoad.objects.filter(empty_at__lt=now.timestamp()).delete()
