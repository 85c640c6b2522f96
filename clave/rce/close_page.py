"""Page to close a session without the platform, linked from the warning message."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from clave.attendance import record, sessions
from clave.attendance.models import EndKind, SessionStart
from clave.credentials.service import Proof
from clave.lib.request_context import RequestContext
from clave.lib.rut import Rut
from clave.rce import service
from clave.signin.reauthentication import KeyPage, LockedRutForm
from clave.web.rendering import SeeOther, show


class CloseHere(KeyPage[LockedRutForm]):
    """The page where participants close a session without going through the platform."""

    form_class = LockedRutForm
    title = _("Cerrar sesión en SENCE")
    intro = _("Escriba su Clave SENCE para cerrar su sesión y no perder su tiempo.")
    button = _("Cerrar sesión")
    template_name = "rce/close_here.html"
    opening: SessionStart

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        opening = (
            SessionStart.objects.select_related("enrolment__action", "ending").filter(public=kwargs["public"]).first()
        )
        if opening is None:
            return show(request, "rce/gone.html", status=404)
        self.opening = opening
        self.session = record.Session.of(opening)
        if self.session.state != record.OPEN:
            return self._ended()
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        return self.page(self.make_form(initial={"rut": Rut.parse(self.opening.enrolment.run).pretty}))

    @property
    def back_after_change(self) -> str:  # type: ignore[override]
        return self.request.path

    def context(self) -> dict[str, object]:
        return {"session": self.session, "course": self.opening.enrolment.action.name}

    def proved(self, proof: Proof, typed: dict[str, object], context: RequestContext) -> HttpResponse:
        service.close_own_session(self.opening, proof, context)
        return SeeOther(self.request.path)

    def refusal_context(self) -> dict[str, object]:
        return {"return_to": self.request.path}

    def _ended(self) -> HttpResponse:
        context = {**self.context(), "closed": self.session.state == EndKind.CLOSED}
        total = sessions.credited(self.opening.enrolment)
        return show(self.request, "rce/ended.html", {**context, "total": total})
