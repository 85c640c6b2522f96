"""Control page of the demo: mailbox, demo holders, behaviour of simulated services. Never installed in production."""

import pyotp
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse

from clave.lib import clock
from clave.lib.rut import Rut
from clave.rce.codes import GLOSAS
from clave.sandbox import inspector, reset, services
from clave.sandbox.courses import CAMILA, OTEC, TOKEN
from clave.sandbox.demo import COMPANIES, MIGRANTS, OPERATORS, PERSONS
from clave.sandbox.people import OPERATOR_PASSWORD, PEOPLE, TOTP_SECRET
from clave.web.errors import error_page
from clave.web.rendering import show

# Parameters of the code snippets.
GOOD = {
    "RutOtec": OTEC,
    "Token": TOKEN,
    "CodSence": "1238000001",
    "CodigoCurso": "6700001",
    "LineaCapacitacion": "3",
    "RunAlumno": CAMILA,
    "IdSesionAlumno": "mi-sesion-1",
}


def _holders() -> list[dict[str, str]]:
    loaded = {person.rut: person for person in PERSONS}
    return [
        {
            "rut": Rut.parse(rut).pretty,
            "name": f"{registered['nombres']} {registered['apellido_paterno']} {registered['apellido_materno']}",
            "born": "-".join(reversed(registered["fecha_nacimiento"].split("-"))),
            "serial": registered["serie"],
            "key": loaded[rut].key if rut in loaded else "",
            "email": loaded[rut].email if rut in loaded else "",
            "answer": loaded[rut].answer[1] if rut in loaded else "",
        }
        for rut, registered in PEOPLE.items()
    ]


def home(request: HttpRequest) -> HttpResponse:
    context = {
        "mails": services.messages()[:50],
        "holders": _holders(),
        "companies": COMPANIES,
        "token": TOKEN,
        "operators": OPERATORS,
        "operator_password": OPERATOR_PASSWORD,
        "operator_code": pyotp.TOTP(TOTP_SECRET).at(clock.now()),
        "migrants": MIGRANTS,
        "behaviours": services.behaviours().items(),
        "choices": services.BEHAVIOURS,
    }
    return show(request, "sandbox/home.html", context)


def messages_json(request: HttpRequest) -> JsonResponse:
    """Return the mailbox as JSON: newest first, `limite` messages (50 by default)."""
    limit = request.GET.get("limite", "50")
    return JsonResponse({"messages": services.messages()[: int(limit) if limit.isdecimal() else 50]})


def inspect(request: HttpRequest) -> HttpResponse:
    """Show the last exchanges; on POST force a code, shift the clock or reset the demo."""
    if request.method == "POST":
        _apply(request.POST.dict())
        return HttpResponseRedirect(request.path)
    context = {
        "exchanges": inspector.exchanges(),
        "moved": int(inspector.moved()),
        "now": clock.now(),
        "url": settings.CLAVE_URL,
        "good": GOOD,
        "codes": sorted(GLOSAS),
    }
    return show(request, "sandbox/inspector.html", context)


def _apply(form: dict[str, str]) -> None:
    code, times, minutes = (form.get(name, "") for name in ("codigo", "veces", "minutos"))
    if code.isdecimal() and int(code) in GLOSAS and times.isdecimal():
        inspector.wish(form.get("token", ""), int(code), min(int(times), 100))
    elif minutes.lstrip("-").isdecimal() and abs(int(minutes)) <= 60 * 24 * 365:
        inspector.move_clock(inspector.moved() + int(minutes) * 60 if int(minutes) else 0)
    elif "de-nuevo" in form:
        reset.reset_demo()


def set_behaviour(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        try:
            services.set_behaviour(request.POST.get("servicio", ""), request.POST.get("como", ""))
        except ValueError:
            return error_page(request, 400)
    return HttpResponseRedirect(reverse("sandbox"))
