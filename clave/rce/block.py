"""The block *Asistencia SENCE* that a platform places in its course page, as a frame or a link.

Source: mission.md, section 8.

The platform's server asks for its address (`POST /api/v1/blocks`); what the address carries is encrypted and good for
twelve hours. Whoever has it sees a percentage and can begin a sign-in, no more.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from clave.attendance import record
from clave.lib import clock
from clave.lib.crypto import box
from clave.rce.models import Environment
from clave.rce.request import RceRequest, split_url
from clave.rce.views import received
from clave.training import tokens
from clave.training.models import Enrolment, Token
from clave.web.middleware import POLICY
from clave.web.pages import show

LIFE = timedelta(hours=12)


def address(token: Token, sent: dict[str, str]) -> str:
    """Return the address of a participant's block; `sent` are the protocol's parameters but the token."""
    packed = box().encrypt(json.dumps({"token": token.pk, "sent": sent}).encode()).decode()
    return settings.CLAVE_URL + reverse("attendance_block", settings.ROOT_URLCONF, args=[packed])


def _unpacked(packed: str, closing: bool) -> RceRequest | None:
    try:
        opened = json.loads(box().decrypt(packed.encode(), ttl=int(LIFE.total_seconds())))
    except (InvalidToken, UnicodeEncodeError):
        return None
    token = Token.objects.select_related("otec").filter(pk=opened["token"]).first()
    if token is None or not tokens.is_live(token):
        return None
    return RceRequest(Environment.PRODUCTION, closing, {**opened["sent"], "Token": token.hint}, token)


def _framed(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let the platform's own pages frame the answer, and nobody else's."""

    @wraps(view)
    def wrapped(request: HttpRequest, packed: str) -> HttpResponse:
        asked = _unpacked(packed, closing=False)
        if asked is None:
            return show(request, "rce/gone.html", status=404)
        answer = view(request, asked, packed)
        parts = split_url(asked["UrlRetoma"])
        frames = f"{parts.scheme}://{parts.netloc}" if parts else "'none'"
        answer.headers["Content-Security-Policy"] = POLICY.replace(
            "frame-ancestors 'none'", f"frame-ancestors {frames}"
        )
        answer.headers["X-Frame-Options"] = ""
        return answer

    return wrapped


@_framed
def block(request: HttpRequest, asked: RceRequest, packed: str) -> HttpResponse:
    """Show progress, the mark before, the button that opens or closes, and the clock of an open session."""
    # Only of the OTEC's own courses: its platform may write any other OTEC's code and any RUN into an address.
    enrolled = Enrolment.objects.filter(
        run=str(asked.run),
        action__code=asked["CodigoCurso"],
        action__otec__rut=asked["RutOtec"],
        removed_at=None,
    )
    found = record.records(enrolled)
    course = found[0] if found else None
    now = clock.now()
    session = course.open_session if course else None
    context: dict[str, Any] = {"course": course, "session": session, "packed": packed, "now": now}
    if session:
        left = int((session.limit_at - now).total_seconds())
        context |= {"gone": int((now - session.opened_at).total_seconds()), "left": left, "colour": _colour(left)}
    answer = show(request, "rce/block.html", context)
    if session:
        answer.headers["Refresh"] = "60"
    return answer


def _colour(left: int) -> str:
    return "verde" if left > 1800 else "ambar" if left > 600 else "rojo"


@csrf_exempt
def begin(request: HttpRequest, packed: str) -> HttpResponse:
    """Begin the sign-in for the block's button. In a frame no cookie comes along: the address is the proof."""
    closing = request.POST.get("IdSesionSence", "")
    asked = _unpacked(packed, bool(closing))
    if asked is None or request.method != "POST":
        return show(request, "rce/gone.html", status=404)
    if closing:
        asked.fields["IdSesionSence"] = closing
    return received(request, asked)
