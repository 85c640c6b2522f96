"""Pages of the upstream doors: go there, come back, link, register, see and remove links."""

from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.middleware.csrf import rotate_token
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clave.audit import service as audit
from clave.credentials.service import Proof
from clave.holders.models import Holder, Profile
from clave.holders.profiles import ProfileConfig, ProfileForm
from clave.lib.outcome import Flash, Outcome, Refused
from clave.lib.request_context import RequestContext
from clave.lib.rut import dotted
from clave.selfservice.register.views import Register
from clave.signin.login_required import HolderPage, account_url, enter_by_door, for_holder, return_path
from clave.signin.reauthentication import KeyPage, LockedRutForm
from clave.signin.service import SIGNED_IN
from clave.signin.sessions import SessionStore
from clave.sso.models import UpstreamIdentity
from clave.sso.upstream import doors, service
from clave.sso.upstream.doors import UpstreamDoor
from clave.sso.upstream.service import Arrival, DoorRefused, ProvedIdentity
from clave.web.errors import error_page, refusal_page
from clave.web.form_pages import FormT, StepPage
from clave.web.forms import ClaveForm, CleanedData, Initial, SecretField, Typed
from clave.web.middleware import context_of
from clave.web.rendering import show
from clave.web.wizard import StepRefused, Wizard


def start(request: HttpRequest, slug: str) -> HttpResponse:
    """Send the browser to a door."""
    door = doors.find(slug)
    if door is None:
        return error_page(request, 404)
    try:
        return HttpResponseRedirect(service.begin(door, return_path(request), context_of(request)))
    except DoorRefused as refused:
        return _refused(request, door, refused, return_path(request))


def answer(request: HttpRequest, slug: str) -> HttpResponse:
    """Receive a browser that comes back from a door: sign in, or go on to linking or to registering."""
    door = doors.find(slug)
    if door is None:
        return error_page(request, 404)
    try:
        arrival = service.arrive(door, request.GET.dict(), context_of(request))
    except DoorRefused as refused:
        return _refused(request, door, refused)
    if arrival.linked is not None:
        return _sign_in(request, door, arrival.linked, arrival.back)
    return _go_on(request, door, arrival)


def _sign_in(request: HttpRequest, door: UpstreamDoor, holder: Holder, back: str) -> HttpResponse:
    context = context_of(request)
    try:
        enter_by_door(request, holder, door.slug, context)
    except Refused as refused:
        audit.record(SIGNED_IN, context, holder=holder, outcome=refused.code, door=door.slug)
        return refusal_page(request, refused)
    return HttpResponseRedirect(back)


def _go_on(request: HttpRequest, door: UpstreamDoor, arrival: Arrival) -> HttpResponse:
    step = "link" if arrival.registered else "register"
    wizard = Wizard.begin(request, door.config.page("signin"), step, **arrival.identity.facts(), back=arrival.back)
    return HttpResponseRedirect(reverse(f"door_{step}", args=[door.slug, wizard.run]))


def _refused(request: HttpRequest, door: UpstreamDoor, refused: DoorRefused, back: str = "") -> HttpResponse:
    query = "" if back in ("", account_url()) else "?" + urlencode({"volver": back})
    context = {
        "door": door,
        "refused": refused,
        "code": refused.code,
        "signin": door.config.url("signin") + query,
        "again": reverse("door", args=[door.slug]) + query,
    }
    return show(request, "sso/upstream_refused.html", context, refused.status)


class DoorStep(StepPage[FormT]):
    """A step for somebody whom a door has just identified, in this browser only."""

    door: UpstreamDoor
    config: ProfileConfig
    identity: ProvedIdentity

    @property
    def flow_name(self) -> str:
        return self.door.config.page("signin")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        door = doors.find(kwargs["slug"])
        if door is None:
            return error_page(request, 404)
        self.door, self.config = door, door.config
        return super().dispatch(request, *args, **kwargs)

    def prepare(self) -> None:
        data = dict(self.wizard.data)
        self.destination = str(data.pop("back"))
        self.identity = ProvedIdentity(**data)
        if self.identity.door != self.door.slug:
            raise StepRefused


class Link(DoorStep[LockedRutForm], KeyPage[LockedRutForm]):
    """Asks once for the key of the holder whom the door has identified, then links both and signs in."""

    name = "link"
    form_class = LockedRutForm
    template_name = "sso/upstream_link.html"
    button = _("Vincular e ingresar")

    def context(self) -> dict[str, object]:
        title = gettext("Vincular {door}").format(door=self.door.title)
        return {"title": title, "door": self.door, "rut": dotted(self.identity.rut)}

    def make_form(self, data: Typed = None, initial: Initial = None) -> LockedRutForm:
        return super().make_form(data, initial or {"rut": dotted(self.identity.rut)})

    def prepare(self) -> None:
        super().prepare()
        self.back_after_change = reverse("door", args=[self.door.slug])

    def perform(self, form: LockedRutForm, context: RequestContext) -> HttpResponse:
        if form.claim.identifier != self.identity.rut:
            raise service.another_rut()
        return super().perform(form, context)

    def proved(self, proof: Proof, typed: CleanedData, context: RequestContext) -> HttpResponse:
        service.link_and_admit(self.identity, proof, cast(SessionStore, self.request.session), context)
        rotate_token(self.request)
        return HttpResponseRedirect(self.destination)


class RegisterByDoor(DoorStep[ProfileForm], Register):
    """The registration of somebody whom the door has identified and who has no account; then links both."""

    name = "register"
    cached_blank = False

    def prepare(self) -> None:
        super().prepare()
        # The card that would be asked for is the person's own; at the other door, a company's representative's.
        self.identity_proved = self.door.profile == Profile.PERSONA_NATURAL

    def context(self) -> dict[str, object]:
        intro = gettext("{door} confirmó su RUT. Todavía no tiene Clave SENCE: créela aquí y quedará vinculada.")
        return {**super().context(), "intro": intro.format(door=self.door.title)}

    def make_form(self, data: Typed = None, initial: Initial = None) -> ProfileForm:
        form = super().make_form(data, initial or {"rut": dotted(self.identity.rut)})
        form.fields["rut"].help_text = ""
        form.fields["rut"].widget.attrs |= {"readonly": "", "aria-readonly": "true"}
        if self.identity_proved:
            form.fields.pop("serial", None)
        return form

    def check(self, form: ProfileForm, context: RequestContext) -> Holder | HttpResponse:
        if form.claim.identifier != self.identity.rut:
            raise service.another_rut()
        return super().check(form, context)

    def complete(self, form: ProfileForm, checked: Holder, context: RequestContext) -> Outcome:
        outcome = super().complete(form, checked, context)
        service.link(self.identity, checked, context)
        return outcome


@for_holder()
def linked_doors(request: HttpRequest, holder: Holder) -> HttpResponse:
    """Show the doors for this holder's profile and which of them are linked."""
    links = {link.door: link for link in UpstreamIdentity.objects.filter(holder=holder)}
    rows = [(door, links.get(door.slug)) for door in doors.of_profile(holder.profile)]
    return show(request, "sso/upstream_doors.html", {"rows": rows, "here_path": request.path})


class UnlinkForm(ClaveForm):
    """The key, so that a browser left open unlinks nothing."""

    key = SecretField(label=_("Clave SENCE"), autocomplete="current-password")


class Unlink(HolderPage[UnlinkForm]):
    """Removes a link, after the key."""

    form_class = UnlinkForm
    intro = _("Escriba su Clave SENCE. Después ingresará solo con ella, y podrá vincular otra vez cuando quiera.")
    button = _("Quitar el vínculo")
    changes = True

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("doors")

    @property
    def door(self) -> UpstreamDoor:
        found = doors.find(self.kwargs["slug"])
        if found is None:
            raise Http404
        return found

    def context(self) -> dict[str, object]:
        return {"title": gettext("Quitar el vínculo con {door}").format(door=self.door.title)}

    def check(self, form: UnlinkForm, context: RequestContext) -> None:
        service.check_key(self.holder, form.cleaned_data["key"], context)

    def complete(self, form: UnlinkForm, checked: None, context: RequestContext) -> Outcome:
        service.unlink(self.holder, self.door, context)
        return Flash(gettext("{door} ya no está vinculada.").format(door=self.door.title), self.back)
