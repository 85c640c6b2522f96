"""Shared code of the self-service flows: profile pages, storing form data, dates in messages."""

from typing import TypeVar

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from clave.credentials import service as credentials
from clave.holders.models import Holder, Representative, Verification
from clave.holders.profiles import PERSON, ProfileConfig, ProfileForm
from clave.holders.service import sms_number
from clave.lib import clock
from clave.lib.text import Text
from clave.notifications import outbox
from clave.web.form_pages import FormPage, FormT, StepPage
from clave.web.forms import CleanedData, Initial, Typed


def when() -> str:
    """Return the current time as shown in messages: `20-11-2026 a las 14:35`."""
    return clock.now().astimezone(clock.SANTIAGO).strftime("%d-%m-%Y a las %H:%M")


def key_rules() -> list[tuple[str, Text]]:
    """Return the rules shown beside the new key field as (name used by the script, text)."""
    if settings.KEY_POLICY == "nist":
        return [
            ("length_nist", _("De 15 a 64 caracteres. Una frase sirve.")),
            ("common", _("Que no sea una clave común.")),
        ]
    return [
        ("length", _("De 8 a 10 letras y números")),
        ("upper", _("Al menos 2 letras mayúsculas")),
        ("digits", _("Al menos 6 números")),
    ]


_CONTACT = (
    "street",
    "street_number",
    "block",
    "apartment",
    "comuna",
    "email",
    "home_phone",
    "work_phone",
    "mobile",
    "no_mobile",
)


def apply_contact(holder: Holder, data: CleanedData) -> None:
    """Copy address and contact from cleaned data to the holder, without saving; fields not in the form are kept."""
    for name in _CONTACT:
        if name in data:
            setattr(holder, name, data[name])
    holder.updated_at = clock.now()


def apply_identity(holder: Holder, data: CleanedData) -> None:
    """Copy the self-declared identity of a person in no registry to the holder, without saving."""
    holder.names, holder.surnames = data["names"], f"{data['paternal']} {data['maternal']}".strip()
    holder.sex, holder.birth_date, holder.country = data["sex"], data["birth_date"], data["country"]
    holder.verification = Verification.DECLARED


def store_representative(company: Holder, data: CleanedData) -> None:
    """Store the legal representative from cleaned data, or update a known one."""
    Representative.objects.update_or_create(
        company=company,
        run=str(data["representative"]),
        defaults={
            "name": data["representative_name"],
            "mobile": data["representative_mobile"],
            "email": data["representative_email"],
        },
    )


def send_temporary_key(holder: Holder, *, by_sms: bool = True, quota: str = "recovery") -> str:
    """Send a new temporary key to the contact on file and nowhere else; return when it expires, as `14:35`.

    `quota` names the daily quota it counts against (`outbox.send`). Raises `TooManyMessages`.
    """
    key, expires = credentials.issue_temporary(holder)
    until = expires.astimezone(clock.SANTIAGO).strftime("%H:%M")
    variables = {"key": key, "until": until, "seconds": str(settings.TEMPORARY_KEY_SECONDS)}
    mobile = sms_number(holder) if by_sms else ""
    outbox.send(holder, "temporary_key", variables, email=holder.email, mobile=mobile, quota=quota)
    return until


ProfileFormT = TypeVar("ProfileFormT", bound=ProfileForm)


class ProfilePage(FormPage[ProfileFormT]):
    """A form page that exists for each profile under its own URL; the URL configuration sets `config`."""

    config: ProfileConfig = PERSON
    # Whether the form has a captcha.
    letters = True

    def make_form(self, data: Typed = None, initial: Initial = None) -> ProfileFormT:
        return self.form_class(
            data=data, initial=initial, request=self.request, config=self.config, letters=self.letters
        )


class ProfileStep(StepPage[FormT]):
    """A step of a flow that exists for each profile."""

    config: ProfileConfig = PERSON

    @property
    def flow_name(self) -> str:
        return self.config.page(self.flow)
