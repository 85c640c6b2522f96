"""Lookup of holders, and the minimum data required to operate."""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from clave.db.hot_queries import Lookup
from clave.holders.models import Holder, Profile, account_name
from clave.lib.outcome import Refused
from clave.lib.rut import Rut
from clave.web.forms import CleanedData
from clave.web.wizard import StepRefused


class MinimumDataMissing(Refused):
    """The holder lacks data without which the system does not operate (guide PN, section 6)."""

    status = 403

    def __init__(self, missing: list[str], profile: str) -> None:
        super().__init__("minimum_data")
        self.missing = missing
        self.profile = profile

    @property
    def labels(self) -> list[object]:
        """Return what is missing, in the user's words."""
        return [MISSING_LABELS[name] for name in self.missing]


class AccountChanged(Refused):
    """The account's version has changed since this flow began: its proof is void."""

    status = 409

    def __init__(self) -> None:
        super().__init__("account_changed")


def lock(holder: Holder) -> Holder:
    """Reload the account and lock its row until the transaction ends. Raises `AccountChanged`."""
    current = Holder.objects.select_for_update().filter(pk=holder.pk, version=holder.version).first()
    if current is None:
        raise AccountChanged
    return current


def proof_data(holder: Holder) -> dict[str, object]:
    """Return the wizard data that records a holder's proof."""
    return {"holder": str(holder.pk), "account_version": holder.version}


def holder_from_proof(data: CleanedData) -> Holder:
    """Return the holder whose proof a wizard holds. Raises `StepRefused` once the account's version has changed."""
    matching = Holder.objects.select_related("credential", "secret_answer").filter(
        pk=data.get("holder", ""), version=data.get("account_version", 0)
    )
    holder = matching.first()
    if holder is None:
        raise StepRefused
    return holder


SECRETS = ("credential", "secret_answer", "temporary_key")


_BY_IDENTIFIER: Lookup[Holder] = Lookup(
    lambda profile, name: Holder.objects.filter(profile=profile, identifier=name).select_related(*SECRETS),
    "profile",
    "identifier",
)


def find(profile: str, identifier: str) -> Holder | None:
    """Return the holder with this profile and stored identifier. One query, with its secrets joined."""
    return _BY_IDENTIFIER.one(str(profile), identifier)


def find_person(rut: Rut) -> Holder | None:
    """Return the Persona Natural with this RUT, if registered."""
    return find(Profile.PERSONA_NATURAL, str(rut))


@dataclass(frozen=True)
class ClaimedIdentity:
    """The identity somebody claims; for a company it may include the representative (RUN) acting for it."""

    profile: str
    identifier: str
    representative: str = ""

    @property
    def account(self) -> str:
        return account_name(self.profile, self.identifier)

    @property
    def display_name(self) -> str:
        return Holder(profile=self.profile, identifier=self.identifier).display_name

    def holder(self) -> Holder | None:
        """Return the holder, if registered and, where a representative is named, represented by that person."""
        if self.representative:
            return _BY_REPRESENTATIVE.one(self.profile, self.identifier, self.representative)
        return find(self.profile, self.identifier)


def stored_row(*instances: Model) -> list[object]:
    """Return the row that the database would give for a holder with what is joined to it."""
    return _BY_IDENTIFIER.stored(*instances)


def simulate_lookup(row: list[object]) -> None:
    """Do the work of loading a holder from a fetched row, although none was."""
    _BY_IDENTIFIER.hydrate(row)


def claim_of(holder: Holder) -> ClaimedIdentity:
    """Return the claim for a holder who is already signed in from this browser."""
    return ClaimedIdentity(holder.profile, holder.identifier)


_BY_REPRESENTATIVE: Lookup[Holder] = Lookup(
    lambda profile, name, run: Holder.objects.filter(
        profile=profile, identifier=name, representatives__run=run
    ).select_related(*SECRETS),
    "profile",
    "identifier",
    "representative",
)


def sms_number(holder: Holder) -> str:
    """Return the mobile for text messages: the holder's own, or a company's first representative's that has one."""
    if holder.profile != Profile.PERSONA_JURIDICA:
        return holder.mobile
    return next(
        (representative.mobile for representative in holder.representatives.order_by("pk") if representative.mobile), ""
    )


Needed = list[tuple[str, Callable[[Holder], object]]]


def _address(holder: Holder) -> object:
    return holder.street and holder.street_number and holder.comuna


_PERSON_REQUIRED: Needed = [
    ("names", lambda holder: holder.names),
    ("birth_date", lambda holder: holder.birth_date),
    ("email", lambda holder: holder.email),
    ("phone", lambda holder: holder.mobile or holder.no_mobile),
    ("address", _address),
]
# A facilitator is reached through the company that requested the key; a company may lack a question (guide PJ, 3.1).
_REQUIRED: dict[str, Needed] = {
    Profile.PERSONA_NATURAL: _PERSON_REQUIRED,
    Profile.PERSONA_JURIDICA: [
        ("company_name", lambda holder: holder.names),
        ("email", lambda holder: holder.email),
        ("company_phone", lambda holder: holder.work_phone),
        ("address", _address),
    ],
    Profile.MIGRANTE: [*_PERSON_REQUIRED, ("country", lambda holder: holder.country)],
    Profile.FACILITADOR: [*_PERSON_REQUIRED[:3], ("country", lambda holder: holder.country)],
}
_WITH_QUESTION = (Profile.PERSONA_NATURAL, Profile.MIGRANTE)
MISSING_LABELS = {
    "names": _("sus nombres"),
    "company_name": _("la razón social"),
    "birth_date": _("su fecha de nacimiento"),
    "email": _("su correo electrónico"),
    "phone": _("su celular (o marcar «Sin celular»)"),
    "company_phone": _("el teléfono de la empresa"),
    "address": _("su dirección"),
    "country": _("su país de origen"),
    "question": _("su pregunta y respuesta secreta"),
}


def missing_data(holder: Holder) -> list[str]:
    """List the minimum data this holder lacks, in the order of the form.

    Data supplied by a registry does not count as missing while the account is awaiting verification.
    """
    waiting = holder.verification == "unverified"
    from_registry = ("names", "birth_date", "company_name") if waiting else ()
    missing = [
        name for name, is_present in _REQUIRED[holder.profile] if not is_present(holder) and name not in from_registry
    ]
    if holder.profile in _WITH_QUESTION and settings.SECRET_QUESTIONS and not hasattr(holder, "secret_answer"):
        missing.append("question")
    return missing


def require_minimum_data(holder: Holder) -> None:
    """Raise `MinimumDataMissing` if any is missing."""
    if missing := missing_data(holder):
        raise MinimumDataMissing(missing, holder.profile)
