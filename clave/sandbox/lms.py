"""The sample platform: what a training body's developer would write, speaking only the public wire and API.

It keeps what it learns in the browser's session and decides by the fields of an answer alone, as plugins do.
"""

from typing import Any

import httpx
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from clave.sandbox.courses import ACTIONS, CAMILA, DIEGO, OTEC, TOKEN
from clave.sandbox.people import PEOPLE
from clave.web.errors import error_page
from clave.web.middleware import POLICY
from clave.web.pages import show

STUDENTS = (CAMILA, DIEGO)


def _student(request: HttpRequest) -> str:
    run = request.session.get("aula", {}).get("run", CAMILA)
    return str(run) if run in STUDENTS else CAMILA


def _courses(run: str) -> list[dict[str, Any]]:
    return [
        {"code": code, "cod_sence": cod_sence, "line": line, "name": name, "hours": hours}
        for otec, code, cod_sence, line, name, hours, _first, _last, people, _differs in ACTIONS
        if otec == OTEC and run in people
    ]


def _remember(request: HttpRequest, **what: Any) -> None:
    request.session["aula"] = {**request.session.get("aula", {}), **what}
    request.session.setdefault("agent", "")


def home(request: HttpRequest) -> HttpResponse:
    """Show the course list of one of the demo's participants."""
    if request.method == "POST" and request.POST.get("run") in STUDENTS:
        _remember(request, run=request.POST["run"])
        return HttpResponseRedirect(request.path)
    run = _student(request)
    students = [(each, f"{PEOPLE[each]['nombres']} {PEOPLE[each]['apellido_paterno']}") for each in STUDENTS]
    return show(request, "sandbox/lms.html", {"courses": _courses(run), "students": students, "run": run})


def _parameters(request: HttpRequest, course: dict[str, Any]) -> dict[str, str]:
    back = settings.CLAVE_URL + reverse("sandbox_lms_back", args=[course["code"]])
    return {
        "RutOtec": OTEC,
        "CodSence": course["cod_sence"],
        "CodigoCurso": course["code"],
        "LineaCapacitacion": str(course["line"]),
        "RunAlumno": _student(request),
        "IdSesionAlumno": "aula-de-ejemplo",
        "UrlRetoma": back,
        "UrlError": back,
    }


def course(request: HttpRequest, code: str) -> HttpResponse:
    """Show a course with the block in a frame, and below it the form that a plugin would print."""
    found = next((each for each in _courses(_student(request)) if each["code"] == code), None)
    if found is None:
        return error_page(request, 404)
    sent = _parameters(request, found)
    memory = request.session.get("aula", {}).get(code, {})
    if memory.get("session"):
        sent["IdSesionSence"] = memory["session"]
    context = {"course": found, "sent": {**sent, "Token": TOKEN}, "memory": memory, "frame": _block(sent)}
    page = show(request, "sandbox/lms_course.html", context)
    page.headers["Content-Security-Policy"] = POLICY + "; frame-src 'self'"
    return page


def _block(sent: dict[str, str]) -> str:
    """Ask Clave's API for the address of the block, as a platform's server does."""
    about = {name: text for name, text in sent.items() if name not in ("RutOtec", "IdSesionSence")}
    headers = {"Authorization": f"Bearer {TOKEN}"}
    try:
        local = f"http://127.0.0.1:{settings.CLAVE_PORT}/api/v1/blocks"
        answer = httpx.post(local, json=about, headers=headers, timeout=5)
        return str(answer.raise_for_status().json()["url"])
    except httpx.HTTPError:
        return ""


@csrf_exempt
def back(request: HttpRequest, code: str) -> HttpResponse:
    """Take an answer: GlosaError first, then IdSesionSence, by their mere presence."""
    fields = request.POST.dict()
    if "GlosaError" in fields:
        memory = {"message": "error", "glosa": fields["GlosaError"]}
        memory["session"] = request.session.get("aula", {}).get(code, {}).get("session", "")
    elif "IdSesionSence" in fields:
        memory = {"message": "abierta", "session": fields["IdSesionSence"], "at": fields.get("FechaHora", "")}
    else:
        memory = {"message": "cerrada", "session": "", "at": fields.get("FechaHora", "")}
    _remember(request, **{code: memory})
    return HttpResponseRedirect(reverse("sandbox_lms_course", args=[code]))
