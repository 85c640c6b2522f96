"""The demo's back room: mailbox, demo holders, how the simulated services behave. Never installed in production."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse

from clave.core.errors import error_page
from clave.core.pages import show
from clave.core.rut import Rut
from clave.sandbox import services
from clave.sandbox.demo import PERSONS
from clave.sandbox.people import PEOPLE


def _holders() -> list[dict[str, Any]]:
    loaded = {person["rut"]: person for person in PERSONS}
    return [
        {
            "rut": Rut.parse(rut).pretty,
            "name": f"{known['nombres']} {known['apellido_paterno']} {known['apellido_materno']}",
            "born": "-".join(reversed(known["fecha_nacimiento"].split("-"))),
            "serial": known["serie"],
            "key": loaded.get(rut, {}).get("key", ""),
            "email": loaded.get(rut, {}).get("email", ""),
            "answer": loaded.get(rut, {}).get("answer", ("", ""))[1],
        }
        for rut, known in PEOPLE.items()
    ]


def home(request: HttpRequest) -> HttpResponse:
    context = {
        "mails": services.messages()[:50],
        "holders": _holders(),
        "behaviours": services.behaviours().items(),
        "choices": services.BEHAVIOURS,
    }
    return show(request, "sandbox/home.html", context)


def messages_json(request: HttpRequest) -> JsonResponse:
    """Return the mailbox for a program: newest first, as many as `limite` says (50)."""
    limit = request.GET.get("limite", "50")
    return JsonResponse({"messages": services.messages()[: int(limit) if limit.isdecimal() else 50]})


def set_behaviour(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        try:
            services.behave(request.POST.get("servicio", ""), request.POST.get("como", ""))
        except ValueError:
            return error_page(request, 400)
    return HttpResponseRedirect(reverse("sandbox"))
