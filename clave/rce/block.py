"""The block *Asistencia SENCE* that a platform embeds in its course page, as a frame or a link.

Source: mission.md, section 8.

The platform's server requests its URL (`POST /api/v1/blocks`). The URL's payload is encrypted and valid for twelve
hours. Anybody who has the URL can see a percentage and start a sign-in, but no more.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import wraps

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
from clave.web.rendering import show

LIFE = timedelta(hours=12)


def address(token: Token, sent: dict[str, str]) -> str:
    """Return the URL of a participant's block; `sent` are the protocol's parameters without the token."""
    packed = box().encrypt(json.dumps({"token": token.pk, "sent": sent}).encode()).decode()
    return settings.CLAVE_URL + reverse("attendance_block", settings.ROOT_URLCONF, args=[packed])


def _unpacked(packed: str, closing: bool) -> RceRequest | None:
    try:
        payload = json.loads(box().decrypt(packed.encode(), ttl=int(LIFE.total_seconds())))
    except (InvalidToken, UnicodeEncodeError):
        return None
    token = Token.objects.select_related("otec").filter(pk=payload["token"]).first()
    if token is None or not tokens.is_live(token):
        return None
    return RceRequest(Environment.PRODUCTION, closing, {**payload["sent"], "Token": token.hint}, token)


def _framed(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Allow the response to be framed by the platform's own pages only."""

    @wraps(view)
    def wrapped(request: HttpRequest, packed: str) -> HttpResponse:
        rce_request = _unpacked(packed, closing=False)
        if rce_request is None:
            return show(request, "rce/gone.html", status=404)
        response = view(request, rce_request, packed)
        parts = split_url(rce_request["UrlRetoma"])
        frames = f"{parts.scheme}://{parts.netloc}" if parts else "'none'"
        response.headers["Content-Security-Policy"] = POLICY.replace(
            "frame-ancestors 'none'", f"frame-ancestors {frames}"
        )
        response.headers["X-Frame-Options"] = ""
        return response

    return wrapped


@_framed
def block(request: HttpRequest, rce_request: RceRequest, packed: str) -> HttpResponse:
    """Show progress, the previous mark, the button that opens or closes, and the timer of an open session."""
    # Own courses only: the OTEC's platform could put another OTEC's code and any RUN into the payload.
    enrolments = Enrolment.objects.filter(
        run=str(rce_request.run),
        action__code=rce_request["CodigoCurso"],
        action__otec__rut=rce_request["RutOtec"],
        removed_at=None,
    )
    records = record.records(enrolments)
    course = records[0] if records else None
    now = clock.now()
    session = course.open_session if course else None
    context: dict[str, object] = {"course": course, "session": session, "packed": packed, "now": now}
    if session:
        seconds_left = int((session.limit_at - now).total_seconds())
        context |= {
            "gone": int((now - session.opened_at).total_seconds()),
            "left": seconds_left,
            "colour": _colour(seconds_left),
        }
    response = show(request, "rce/block.html", context)
    if session:
        response.headers["Refresh"] = "60"
    return response


def _colour(seconds_left: int) -> str:
    return "verde" if seconds_left > 1800 else "ambar" if seconds_left > 600 else "rojo"


@csrf_exempt
def begin(request: HttpRequest, packed: str) -> HttpResponse:
    """Start the sign-in for the block's button. Frames get no cookies, so the encrypted URL is the proof."""
    session_id = request.POST.get("IdSesionSence", "")
    rce_request = _unpacked(packed, bool(session_id))
    if rce_request is None or request.method != "POST":
        return show(request, "rce/gone.html", status=404)
    if session_id:
        rce_request.fields["IdSesionSence"] = session_id
    return received(request, rce_request)
