"""What the letters cost: more for a network that has lately asked much, and less again as time goes by.

Nobody is ever refused: behind the address of a mobile operator are thousands of people. The count is a leaky bucket,
kept as the moment at which it will be empty (GCRA, as in ITU-T I.371), so that one UPDATE counts without a lock.
"""

from dataclasses import dataclass

from django.db.models import F, FloatField, Value
from django.db.models.functions import Greatest, Least

from clave.lib import clock
from clave.lib.crypto import keyed_hash
from clave.lib.networks import address_block
from clave.web.captcha.models import CaptchaLoad
from clave.web.captcha.tickets import Ticket

# Seconds until one answer is forgotten, and the highest count: from there it takes 100 minutes to rest.
LEAK_SECONDS = 20.0
HIGHEST = 300
# What an answer adds: letters read without a proof of work count double, for they cost a machine less.
WEIGHT, WEIGHT_WITHOUT_PROOF = 1, 2


@dataclass(frozen=True)
class Price:
    """From `count` on: letters without and with a proof of work; the proof's hexadecimal prefix and PBKDF2 rounds."""

    count: float
    letters: int
    letters_proved: int
    prefix: str
    rounds: int


# A proof takes 16 tries on average for each digit of the prefix.
PRICES = [
    Price(0, 4, 4, "0", 2000),
    Price(20, 5, 4, "00", 500),
    Price(60, 6, 5, "00", 2000),
    Price(200, 6, 6, "00", 8000),
]


def network_of(address: str) -> str:
    """Return the keyed hash of a network, which tells nobody whose it is."""
    return keyed_hash("captcha-network", address_block(address))[:32]


def price_for(network: str) -> Price:
    """Return what a network pays now."""
    load = CaptchaLoad.objects.filter(pk=network).first()
    count = (load.empty_at - clock.now().timestamp()) / LEAK_SECONDS if load else 0.0
    return next(price for price in reversed(PRICES) if count >= price.count or not price.count)


def letters_needed(ticket: Ticket, network: str) -> int:
    """Return how many letters a ticket costs in this network: what it quotes, or what they cost now if that is more.

    Otherwise tickets could be hoarded while they are cheap.
    """
    now = price_for(network)
    return max(ticket.quote, now.letters_proved if ticket.proved else now.letters)


def count_answer(network: str, *, weight: int) -> None:
    """Count an answer of a network."""
    now = clock.now().timestamp()
    CaptchaLoad.objects.get_or_create(pk=network, defaults={"empty_at": now})
    fuller = Greatest(F("empty_at"), Value(now), output_field=FloatField()) + weight * LEAK_SECONDS
    highest = Value(now + HIGHEST * LEAK_SECONDS)
    CaptchaLoad.objects.filter(pk=network).update(empty_at=Least(fuller, highest, output_field=FloatField()))
