"""Endpoints for a ticket's picture and sound, a new ticket, and the proof of work that makes one cheaper."""

import threading
from functools import lru_cache
from random import Random

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse

from clave.lib.crypto import keyed_hash
from clave.web.captcha import picture, price, proof, sound, tickets
from clave.web.captcha.tickets import Ticket
from clave.web.errors import error_page
from clave.web.middleware import address_of

# How many sounds a worker mixes concurrently, and how many it caches (60 kB each) for repeated playback.
_MAX_CONCURRENT_MIXES, _CACHED_SOUNDS = 2, 32
_mixing = threading.BoundedSemaphore(_MAX_CONCURRENT_MIXES)


def _ticket_or_404(request: HttpRequest, text: str) -> Ticket:
    ticket = tickets.read(request, text)
    if ticket is None:
        raise Http404
    return ticket


def _letters_shown(request: HttpRequest, ticket: Ticket) -> str:
    return ticket.letters[: price.letters_needed(ticket, price.network_of(address_of(request)))]


def _random(ticket: Ticket, kind: str, letters: str) -> Random:
    """Return the generator for a ticket's picture or sound: always the same, so that variants cannot be averaged."""
    return Random(keyed_hash("captcha-drawing", kind, ticket.key, str(len(letters))))


def image(request: HttpRequest, text: str) -> HttpResponse:
    """Serve the picture of a ticket's letters (PNG)."""
    ticket = _ticket_or_404(request, text)
    letters = _letters_shown(request, ticket)
    return HttpResponse(picture.painted(letters, _random(ticket, "picture", letters)), content_type="image/png")


def audio(request: HttpRequest, text: str) -> HttpResponse:
    """Serve a ticket's letters as spoken words (WAV, 8 kHz, 8 bits, mono).

    Mixing one takes as long as twenty pages, so concurrency is limited: heavy users must not keep everybody waiting.
    """
    ticket = _ticket_or_404(request, text)
    letters = _letters_shown(request, ticket)
    if not _mixing.acquire(blocking=False):
        return error_page(request, 503, "full")
    try:
        return HttpResponse(_spoken(ticket, letters), content_type="audio/wav")
    finally:
        _mixing.release()


@lru_cache(maxsize=_CACHED_SOUNDS)
def _spoken(ticket: Ticket, letters: str) -> bytes:
    return sound.spoken(letters, _random(ticket, "sound", letters))


def refresh(request: HttpRequest) -> JsonResponse:
    """Return a new ticket, for the page's script."""
    return JsonResponse({"ticket": tickets.ticket(request)})


def challenge(request: HttpRequest, text: str) -> JsonResponse:
    """Return the proof-of-work challenge for this ticket, for the page's script."""
    ticket = _ticket_or_404(request, text)
    return JsonResponse(proof.challenge_for(ticket, price.price_for(price.network_of(address_of(request)))))


def exchange(request: HttpRequest, text: str) -> JsonResponse:
    """Return the ticket the work has paid for, and whether its picture now shows fewer letters."""
    ticket = _ticket_or_404(request, text)
    network = price.network_of(address_of(request))
    paid = proof.exchanged(ticket, request.GET.get("prueba", ""), price.price_for(network))
    if paid is None:
        raise Http404
    fewer = paid.quote < price.letters_needed(ticket, network)
    return JsonResponse({"ticket": tickets.written(request, paid), "fewer": fewer})
