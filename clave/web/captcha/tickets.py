"""Tickets: the part of a captcha that a page carries, and the letters derived from it."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.http import HttpRequest

from clave.lib import clock
from clave.lib.crypto import keyed_hash
from clave.web.middleware import browser_id

# Letters that do not look alike and that begin everyday words with an unambiguous spelling.
LETTERS = "ACEFJLMNPRT"
FEWEST, MOST = 4, 6
LIFE = timedelta(minutes=5)
# Placeholder for the page's ticket in rendered forms; random, so that no user input can contain it.
PLACEHOLDER = f"ticket{secrets.token_hex(8)}"
_QUOTES = {"0": (0, False), **{f"{n}": (n, False) for n in range(FEWEST, MOST + 1)}}
_QUOTES |= {f"{n}p": (n, True) for n in range(FEWEST, MOST + 1)}


@dataclass(frozen=True)
class Ticket:
    """A valid ticket of this browser.

    `quote` is how many letters it costs, 0 if that is decided when it is viewed; `proved` means that a proof of work
    was provided for it.
    """

    key: str
    issued_at: int
    quote: int = 0
    proved: bool = False

    @property
    def letters(self) -> str:
        """The ticket's letters, up to the maximum ever required."""
        return letters_of(self.key)

    @property
    def expires_at(self) -> datetime:
        return datetime.fromtimestamp(self.issued_at, UTC) + LIFE


def letters_of(key: str) -> str:
    """Return the letters derived from a ticket's key."""
    number, letters = int(keyed_hash("captcha-letters", key), 16), ""
    for _ in range(MOST):
        number, index = divmod(number, len(LETTERS))
        letters += LETTERS[index]
    return letters


def _seal(key: str, stamp: str, quote: str, browser: str) -> str:
    return keyed_hash("captcha", key, stamp, quote, browser)[:24]


def written(request: HttpRequest, given: Ticket) -> str:
    """Return a ticket in the form in which a page carries it."""
    quote, stamp = f"{given.quote}{'p' if given.proved else ''}", str(given.issued_at)
    return f"{given.key}-{stamp}-{quote}-{_seal(given.key, stamp, quote, browser_id(request))}"


def ticket(request: HttpRequest) -> str:
    """Return a new ticket for this browser."""
    quote = getattr(request, "_captcha_quote", 0)
    return written(request, Ticket(secrets.token_hex(16), int(clock.now().timestamp()), quote))


def quote_next(request: HttpRequest, letters: int) -> None:
    """Set the price, in letters, of the ticket on the page that responds to this request."""
    request._captcha_quote = letters  # type: ignore[attr-defined]


def read(request: HttpRequest, text: str) -> Ticket | None:
    """Return the ticket if it is genuine, this browser's and not expired."""
    parts = text.split("-")
    if len(parts) != 4 or not text.isascii() or not parts[1].isdecimal() or parts[2] not in _QUOTES:
        return None
    key, stamp, quote, seal = parts
    if not secrets.compare_digest(seal, _seal(key, stamp, quote, browser_id(request))):
        return None
    age = clock.now().timestamp() - int(stamp)
    return Ticket(key, int(stamp), *_QUOTES[quote]) if age <= LIFE.total_seconds() else None
