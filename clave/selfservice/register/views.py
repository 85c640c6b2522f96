"""Regístrese aquí: one page, three forms."""

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from clave.credentials.policy import PolicyViolation
from clave.holders.models import Holder, Kind, Profile
from clave.holders.profiles import CHOOSE, COMPANY, MIGRANT, PERSON, ProfileForm
from clave.lib.outcome import Outcome, Refused
from clave.lib.request_context import RequestContext
from clave.lib.text import Text
from clave.selfservice.common import ProfilePage, key_rules
from clave.selfservice.fields import (
    COMPANY_CONTACT_GROUPS,
    CONTACT_GROUPS,
    IDENTITY,
    REPRESENTATIVE_GROUP,
    CompanyContactMixin,
    ContactMixin,
    IdentityMixin,
    NewKeyMixin,
    QuestionMixin,
    RepresentativeMixin,
)
from clave.selfservice.register import service
from clave.web.forms import TextField
from clave.web.middleware import context_of

_ABOUT = _("Información de registro")
_LAST: list[tuple[Text, list[str]]] = [
    (_("Clave SENCE"), ["new_key", "new_key_again"]),
    (_("Validación de seguridad anti-Robots"), ["captcha"]),
]


class SerialMixin(ProfileForm):
    """The card's serial number, if the settings require it."""

    serial = TextField(
        label=_("Número de serie de la cédula"),
        max_length=12,
        width="w-corto",
        help_text=_("Está en su cédula, también como «número de documento»."),
    )

    def adapt(self) -> None:
        super().adapt()
        if settings.REGISTRATION_PROOF != "id_card":
            del self.fields["serial"]


class PersonForm(NewKeyMixin, ContactMixin, QuestionMixin, SerialMixin):
    groups = [(_ABOUT, ["rut", "serial", "question", "answer"]), *CONTACT_GROUPS, *_LAST]


class CompanyForm(NewKeyMixin, RepresentativeMixin, CompanyContactMixin, QuestionMixin, SerialMixin):
    company_name = TextField(
        label=_("Razón social"), max_length=120, autocomplete="organization", help_text=_("Como está en el SII.")
    )
    kind = forms.ChoiceField(
        label=_("Tipo"),
        choices=[CHOOSE, *Kind.choices],
        error_messages={"invalid_choice": _("Elija un tipo de la lista.")},
    )
    groups = [
        (_("Información de registro de la empresa"), ["rut", "company_name", "kind", "question", "answer"]),
        *COMPANY_CONTACT_GROUPS,
        (REPRESENTATIVE_GROUP[0], [*REPRESENTATIVE_GROUP[1], "serial"]),
        *_LAST,
    ]


class MigrantForm(NewKeyMixin, ContactMixin, IdentityMixin, QuestionMixin, ProfileForm):
    groups = [(_ABOUT, ["nie", *IDENTITY, "question", "answer"]), *CONTACT_GROUPS, *_LAST]


FORMS: dict[Profile, type[ProfileForm]] = {
    PERSON.profile: PersonForm,
    COMPANY.profile: CompanyForm,
    MIGRANT.profile: MigrantForm,
}
TITLES = {
    PERSON.profile: _("Registrarse como Persona Natural"),
    COMPANY.profile: _("Registrar una Persona Jurídica"),
    MIGRANT.profile: _("Registrarse como Migrante"),
}
INTROS = {
    PERSON.profile: _("Tenga a mano su RUT, su correo electrónico y su celular. Toma unos 5 minutos."),
    COMPANY.profile: _("Tenga a mano el RUT de la empresa y los datos de su representante legal. Toma unos 8 minutos."),
    MIGRANT.profile: _("Tenga a mano su NIE, su correo electrónico y su celular. Toma unos 7 minutos."),
}


class Register(ProfilePage[ProfileForm]):
    cached_blank = True
    template_name = "selfservice/register.html"
    button = _("Crear Cuenta")
    changes = True

    @property
    def form_class(self) -> type[ProfileForm]:  # type: ignore[override]
        return FORMS[self.config.profile]

    def context(self) -> dict[str, object]:
        profile: Profile = self.config.profile
        return {"rules": key_rules(), "title": TITLES[profile], "intro": INTROS[profile]}

    def check(self, form: ProfileForm, context: RequestContext) -> Holder | HttpResponse:
        data = form.cleaned_data
        try:
            typed = service.describe(form.claim, data)
        except PolicyViolation as violation:
            return super().refused(form, violation)
        return service.check(form.claim, typed, data, context)

    def complete(self, form: ProfileForm, checked: Holder, context: RequestContext) -> Outcome:
        return service.create(checked, form.cleaned_data, context)

    def refused(self, form: ProfileForm, refused: Refused) -> HttpResponse:
        refusal = service.refusal(form.claim, refused, context_of(self.request))
        if refusal.field == "identifier":
            refusal.field = next(iter(self.config.fields()))
        return super().refused(form, refusal)
