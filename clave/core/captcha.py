"""Validación de seguridad anti-Robots: four letters, seen or heard, used once, within five minutes.

The page carries only a signed ticket bound to the browser, so that showing a form writes nothing; the
letters are drawn when the picture or the sound is first asked for. django-simple-captcha keeps the
challenge and paints it. Source: guide "Clave SENCE - Persona Jurídica", section 2, step 6.
"""

import array
import random
import secrets
import wave
from datetime import timedelta
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from captcha.models import CaptchaStore
from captcha.views import captcha_image
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse

from clave.core import clock
from clave.core.middleware import browser_id
from clave.core.secrets import keyed_hash

# Letters that neither look nor, in Spanish, sound too much alike.
LETTERS = "ACEFHJKLMNPRTXYZ"
LENGTH = 4
LIFE = timedelta(minutes=5)
_SOUNDS = Path(__file__).parent / "sounds"
_USED = "*"
# What a form prints where a page's ticket goes; random, so that nobody can type it.
STAND_IN = f"ticket{secrets.token_hex(8)}"
_random = random.SystemRandom()


def challenge() -> tuple[str, str]:
    """Return the letters to paint and the answer (django-simple-captcha's challenge function)."""
    text = "".join(_random.choice(LETTERS) for _ in range(LENGTH))
    return text, text.lower()


def _seal(key: str, stamp: str, browser: str) -> str:
    return keyed_hash("captcha", key, stamp, browser)[:24]


def ticket(request: HttpRequest) -> str:
    """Return a new ticket for this browser."""
    key = secrets.token_hex(16)
    stamp = str(int(clock.now().timestamp()))
    return f"{key}-{stamp}-{_seal(key, stamp, browser_id(request))}"


def _key_of(request: HttpRequest, text: str) -> str | None:
    """Return the ticket's key if it is ours, this browser's and still alive."""
    parts = text.split("-")
    if len(parts) != 3 or not parts[1].isdecimal() or not text.isascii():
        return None
    key, stamp, seal = parts
    if not secrets.compare_digest(seal, _seal(key, stamp, browser_id(request))):
        return None
    age = clock.now().timestamp() - int(stamp)
    return key if age <= LIFE.total_seconds() else None


def passes(request: HttpRequest, text: str, answer: str) -> bool:
    """Say whether `answer` solves the ticket. Either way the ticket is spent."""
    if settings.CLAVE_CAPTCHA == "off":
        return True
    key = _key_of(request, text)
    if key is None:
        return False
    row = CaptchaStore.objects.filter(hashkey=key, expiration__gt=clock.now()).exclude(response=_USED)
    solved = row.filter(response=answer.strip().lower()).update(response=_USED)
    if not solved:
        row.update(response=_USED)
    return bool(solved)


def _challenge_of(request: HttpRequest, text: str) -> CaptchaStore:
    key = _key_of(request, text)
    if key is None:
        raise Http404
    letters, answer = challenge()
    row, _ = CaptchaStore.objects.get_or_create(
        hashkey=key, defaults={"challenge": letters, "response": answer, "expiration": clock.now() + LIFE}
    )
    if row.response == _USED:
        raise Http404
    return row


def image(request: HttpRequest, text: str) -> HttpResponse:
    """Answer with the picture of a ticket's letters."""
    row = _challenge_of(request, text)
    response: HttpResponse = captcha_image(request, row.hashkey)  # type: ignore[no-untyped-call]
    del response.headers["Cache-Control"]
    return response


@lru_cache
def _clip(letter: str) -> "array.array[int]":
    with wave.open(str(_SOUNDS / f"{letter}.wav")) as clip:
        return array.array("B", clip.readframes(clip.getnframes()))


def audio(request: HttpRequest, text: str) -> HttpResponse:
    """Answer with a ticket's letters spoken in Spanish over noise, as WAV (8 kHz, 8 bit, mono)."""
    row = _challenge_of(request, text)
    samples = array.array("B")
    for letter in row.challenge:
        samples.extend([128] * _random.randint(3000, 6000))
        samples.extend(_clip(letter))
    samples.extend([128] * 3000)
    noise = random.randbytes(len(samples))
    mixed = bytes(max(0, min(255, sample + (grain >> 4) - 8)) for sample, grain in zip(samples, noise, strict=True))
    file = BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(1)
        out.setframerate(8000)
        out.writeframes(mixed)
    return HttpResponse(file.getvalue(), content_type="audio/wav")


def refresh(request: HttpRequest) -> JsonResponse:
    """Answer with a new ticket, for the page's script."""
    return JsonResponse({"ticket": ticket(request)})
