"""Sample learning platform: what a training body's developer would write, using only the public protocol and API.

It keeps its state in the browser's session and decides by the fields of a response alone, as plugins do.
"""

from typing import TypedDict

import httpx
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from clave.sandbox.courses import ACTIONS, CAMILA, DIEGO, OTEC, TOKEN
from clave.sandbox.people import PEOPLE
from clave.web.errors import error_page
from clave.web.middleware import POLICY
from clave.web.rendering import show

STUDENTS = (CAMILA, DIEGO)


class Course(TypedDict):
    """A course as the platform lists it."""

    code: str
    cod_sence: str
    line: int
    name: str
    hours: int


def _student(request: HttpRequest) -> str:
    run = request.session.get("aula", {}).get("run", CAMILA)
    return str(run) if run in STUDENTS else CAMILA


def _courses(run: str) -> list[Course]:
    return [
        {"code": code, "cod_sence": cod_sence, "line": line, "name": name, "hours": hours}
        for otec, code, cod_sence, line, name, hours, _first, _last, people, _differs in ACTIONS
        if otec == OTEC and run in people
    ]


def _remember(request: HttpRequest, **state: object) -> None:
    request.session["aula"] = {**request.session.get("aula", {}), **state}
    request.session.setdefault("agent", "")


def home(request: HttpRequest) -> HttpResponse:
    """Show the course list of one of the demo's participants."""
    if request.method == "POST" and request.POST.get("run") in STUDENTS:
        _remember(request, run=request.POST["run"])
        return HttpResponseRedirect(request.path)
    run = _student(request)
    students = [
        (student, f"{PEOPLE[student]['nombres']} {PEOPLE[student]['apellido_paterno']}") for student in STUDENTS
    ]
    return show(request, "sandbox/lms.html", {"courses": _courses(run), "students": students, "run": run})


def _parameters(request: HttpRequest, course: Course) -> dict[str, str]:
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
    """Show a course with the block in a frame, and below it the form a plugin would render."""
    selected = next((listed for listed in _courses(_student(request)) if listed["code"] == code), None)
    if selected is None:
        return error_page(request, 404)
    sent = _parameters(request, selected)
    memory = request.session.get("aula", {}).get(code, {})
    if memory.get("session"):
        sent["IdSesionSence"] = memory["session"]
    context = {"course": selected, "sent": {**sent, "Token": TOKEN}, "memory": memory, "frame": _block(sent)}
    page = show(request, "sandbox/lms_course.html", context)
    page.headers["Content-Security-Policy"] = POLICY + "; frame-src 'self'"
    return page


def _block(sent: dict[str, str]) -> str:
    """Request the block's URL from Clave's API, as a platform's server does."""
    payload = {name: text for name, text in sent.items() if name not in ("RutOtec", "IdSesionSence")}
    headers = {"Authorization": f"Bearer {TOKEN}"}
    try:
        endpoint = f"http://127.0.0.1:{settings.CLAVE_PORT}/api/v1/blocks"
        response = httpx.post(endpoint, json=payload, headers=headers, timeout=5)
        return str(response.raise_for_status().json()["url"])
    except httpx.HTTPError:
        return ""


@csrf_exempt
def back(request: HttpRequest, code: str) -> HttpResponse:
    """Receive a response: check for GlosaError first, then IdSesionSence, by mere presence."""
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
