"""The participant's own pages: courses and marks, closing a session without the platform."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views import View

from clave.attendance import record, service, sessions
from clave.attendance.models import Ended, Opening, Unwarned
from clave.attendance.views import ExchangeForm, SeeOther
from clave.core.pages import show
from clave.core.rut import Rut
from clave.core.visit import Visit
from clave.holders.models import Holder, Profile
from clave.holders.present import current_holder, to_sign_in
from clave.keys.service import Proof
from clave.signin.views import SignIn


def participant(request: HttpRequest) -> Holder | None:
    """Return the Persona Natural signed in in this browser."""
    holder = current_holder(request)
    return holder if holder and holder.profile == Profile.PERSONA_NATURAL else None


def courses(request: HttpRequest) -> HttpResponse:
    """Show a participant's courses with accredited time, percentage and every session."""
    holder = participant(request)
    if holder is None:
        return to_sign_in(request)
    context = {
        "courses": record.courses_of(holder.identifier),
        "warned": not Unwarned.objects.filter(run=holder.identifier).exists(),
    }
    return show(request, "attendance/courses.html", context)


class Warnings(View):
    """Turn the warnings before a session's limit on or off."""

    def post(self, request: HttpRequest) -> HttpResponse:
        holder = participant(request)
        if holder is None:
            return HttpResponseRedirect(reverse("signin"))
        if request.POST.get("avisos") == "no":
            Unwarned.objects.get_or_create(run=holder.identifier)
        else:
            Unwarned.objects.filter(run=holder.identifier).delete()
        return HttpResponseRedirect(reverse("my_courses"))

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("my_courses"))


class CloseHere(SignIn):
    """Close a session without going through the platform: the page that the warning leads to."""

    form_class = ExchangeForm
    title = _("Cerrar sesión en SENCE")
    intro = _("Escriba su Clave SENCE para cerrar su sesión y no perder su tiempo.")
    button = _("Cerrar sesión")
    template_name = "attendance/close_here.html"
    opening: Opening

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        found = Opening.objects.select_related("enrolment__action", "ending").filter(public=kwargs["public"]).first()
        if found is None:
            return show(request, "attendance/gone.html", status=404)
        self.opening = found
        self.session = record.Session.of(found)
        if self.session.state != record.OPEN:
            return self._ended()
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.page(self.make_form(initial={"rut": Rut.parse(self.opening.enrolment.run).pretty}))

    @property
    def back_after_change(self) -> str:  # type: ignore[override]
        return self.request.path

    def context(self) -> dict[str, Any]:
        return {"session": self.session, "course": self.opening.enrolment.action.name}

    def proved(self, proof: Proof, visit: Visit) -> HttpResponse:
        service.close_here(self.opening, proof, visit)
        return SeeOther(self.request.path)

    def refusal_context(self) -> dict[str, Any]:
        return {"return_to": self.request.path}

    def _ended(self) -> HttpResponse:
        context = {**self.context(), "closed": self.session.state == Ended.CLOSED}
        total = sessions.credited(self.opening.enrolment)
        return show(self.request, "attendance/ended.html", {**context, "total": total})
