"""Proof of work for a ticket, computed by the page's script: ALTCHA's protocol, version 2 (PBKDF2/SHA-256).

A challenge is bound to its ticket, and thus to a browser and to five minutes. Paying twice for a ticket yields the same
ticket, which can be spent once. Source: https://altcha.org/docs/v2/proof-of-work/.
"""

from dataclasses import replace

import altcha

from clave.lib.crypto import keyed_hash
from clave.web.captcha.price import Price
from clave.web.captcha.tickets import Ticket

_ALGORITHM = "PBKDF2/SHA-256"


def _secret() -> str:
    return keyed_hash("captcha-proof")


def challenge_for(ticket: Ticket, price: Price) -> dict[str, object]:
    """Return a challenge in the format ALTCHA's clients expect."""
    challenge = altcha.create_challenge(
        _ALGORITHM,
        price.rounds,
        key_prefix=price.prefix,
        data={"ticket": ticket.key},
        hmac_secret=_secret(),
    )
    return challenge.to_dict()


def exchanged(ticket: Ticket, payload: str, price: Price) -> Ticket | None:
    """Return the ticket at the reduced price, or None if the payload does not prove the work."""
    try:
        solved = altcha.Payload.from_base64(payload)
        parameters = solved.challenge.parameters
        about, paid = parameters.data, (len(parameters.key_prefix), int(parameters.cost))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        return None
    # A challenge issued before the price rose is not enough; checked before the expensive verification.
    if about != {"ticket": ticket.key} or paid < (len(price.prefix), price.rounds):
        return None
    if not altcha.verify_solution(solved, _secret()).verified:
        return None
    return replace(ticket, quote=price.letters_proved, proved=True)
