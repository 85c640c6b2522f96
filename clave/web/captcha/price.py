"""Price of a captcha in letters: higher for networks with heavy recent use, falling again over time.

Nobody is ever refused: a mobile operator's address is shared by thousands of people. The counter is a leaky bucket,
stored as the time when it will be empty (GCRA, as in ITU-T I.371), so a single UPDATE counts without a lock.
"""

from dataclasses import dataclass

from django.db.models import F, FloatField, Value
from django.db.models.functions import Greatest, Least

from clave.lib import clock
from clave.lib.crypto import keyed_hash
from clave.lib.networks import address_block
from clave.web.captcha.models import CaptchaLoad
from clave.web.captcha.tickets import Ticket

# Seconds for one answer to leak, and the highest count: from there the bucket takes 100 minutes to empty.
LEAK_SECONDS = 20.0
HIGHEST = 300
# Weight of an answer: a solution without a proof of work counts double, because it costs a machine less.
WEIGHT, WEIGHT_WITHOUT_PROOF = 1, 2


@dataclass(frozen=True)
class Price:
    """Price from `count` on: letters without and with a proof of work; its hexadecimal prefix and PBKDF2 rounds."""

    count: float
    letters: int
    letters_proved: int
    prefix: str
    rounds: int


# A proof takes 16 attempts on average per digit of the prefix.
PRICES = [
    Price(0, 4, 4, "0", 2000),
    Price(20, 5, 4, "00", 500),
    Price(60, 6, 5, "00", 2000),
    Price(200, 6, 6, "00", 8000),
]


def network_of(address: str) -> str:
    """Return the keyed hash of a network, which does not reveal it."""
    return keyed_hash("captcha-network", address_block(address))[:32]


def price_for(network: str) -> Price:
    """Return the current price for a network."""
    load = CaptchaLoad.objects.filter(pk=network).first()
    count = (load.empty_at - clock.now().timestamp()) / LEAK_SECONDS if load else 0.0
    return next(price for price in reversed(PRICES) if count >= price.count or not price.count)


def letters_needed(ticket: Ticket, network: str) -> int:
    """Return how many letters a ticket costs in this network: its quote, or the current price if higher.

    Otherwise tickets could be hoarded while they are cheap.
    """
    current = price_for(network)
    return max(ticket.quote, current.letters_proved if ticket.proved else current.letters)


def count_answer(network: str, *, weight: int) -> None:
    """Count an answer from a network."""
    now = clock.now().timestamp()
    CaptchaLoad.objects.get_or_create(pk=network, defaults={"empty_at": now})
    raised = Greatest(F("empty_at"), Value(now), output_field=FloatField()) + weight * LEAK_SECONDS
    ceiling = Value(now + HIGHEST * LEAK_SECONDS)
    CaptchaLoad.objects.filter(pk=network).update(empty_at=Least(raised, ceiling, output_field=FloatField()))
