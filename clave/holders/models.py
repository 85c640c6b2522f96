"""Holders of a Clave."""

import uuid

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from clave.holders.comunas import comunas
from clave.lib.crypto import EncryptedTextField
from clave.lib.rut import dotted


class Profile(models.TextChoices):
    """The four kinds of holder (mission.md, section 1)."""

    PERSONA_NATURAL = "PN", "Persona Natural"
    PERSONA_JURIDICA = "PJ", "Persona Jurídica"
    MIGRANTE = "MI", "Migrante"
    FACILITADOR = "FE", "Facilitador extranjero"


class Kind(models.TextChoices):
    """Kind of company of a Persona Jurídica (guide PJ, section 2)."""

    EMPRESA = "EM", _("Empresa")
    OTEC = "OT", _("OTEC (organismo técnico de capacitación)")
    OTIC = "OI", _("OTIC (organismo técnico intermedio)")


class Verification(models.TextChoices):
    """How far a registry vouches for the identity; DECLARED for people who are in no registry."""

    VERIFIED = "verified", "verificada"
    UNVERIFIED = "unverified", "por verificar"
    REFUSED = "refused", "rechazada"
    DECLARED = "declared", "declarada"


# Foreign identity documents of facilitators: stored code and display name.
DOCUMENTS = {
    "PAS": _("Pasaporte"),
    "DNI": _("Documento nacional de identidad (DNI)"),
    "CED": _("Cédula de identidad extranjera"),
    "OTR": _("Otro documento"),
}


def account_name(profile: str, identifier: str) -> str:
    """Return the name under which attempts are counted: one RUT may be both a person's and a company's."""
    return identifier if profile == Profile.PERSONA_NATURAL else f"{profile} {identifier}"


class Holder(models.Model):
    """A person or company with a Clave.

    `identifier` is the stored RUT (`12345678-5`), NIE, or a facilitator's foreign document (`PAS AB123456`). A
    company's name (razón social) is in `names`, its telephone in `work_phone`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    profile = models.CharField(max_length=2, choices=Profile.choices)
    identifier = models.CharField(max_length=24)
    kind = models.CharField(max_length=2, choices=Kind.choices, blank=True)
    names = models.CharField(max_length=120, blank=True)
    surnames = models.CharField(max_length=120, blank=True)
    sex = models.CharField(max_length=1, blank=True)
    birth_date = models.DateField(null=True, blank=True)
    # ISO 3166-1 alpha-2; set for holders who are in no Chilean registry.
    country = models.CharField(max_length=2, blank=True)
    children = models.PositiveSmallIntegerField(null=True, blank=True)
    email = models.EmailField(max_length=120, blank=True)
    home_phone = EncryptedTextField(blank=True)
    work_phone = EncryptedTextField(blank=True)
    mobile = EncryptedTextField(blank=True)
    no_mobile = models.BooleanField(default=False)
    street = models.CharField(max_length=120, blank=True)
    street_number = models.CharField(max_length=20, blank=True)
    block = models.CharField(max_length=20, blank=True)
    apartment = models.CharField(max_length=20, blank=True)
    comuna = models.CharField(max_length=5, blank=True)
    language = models.CharField(max_length=5, default="es")
    verification = models.CharField(max_length=10, choices=Verification.choices, default=Verification.UNVERIFIED)
    # Migrated from the old system: its key is unknown here, so the holder must register again.
    legacy = models.BooleanField(default=False)
    # A contact was changed on the strength of a card serial alone; the back office must review it.
    review_contact = models.BooleanField(default=False)
    # Incremented to invalidate earlier proofs: sessions, wizards and proofs carry it (abuse case 50).
    version = models.PositiveIntegerField(default=1)
    # When the serial number of the holder's (a company's representative's) identity card was last confirmed.
    card_checked_at = models.DateTimeField(null=True, blank=True)
    # When the owner recovered the account by a stronger proof: earlier pending requests are void.
    recovered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["profile", "identifier"], name="holder_identity")]
        indexes = [
            models.Index(
                fields=["created_at"],
                name="holder_to_verify",
                condition=models.Q(verification="unverified", legacy=False),
            ),
            models.Index(Lower("email"), name="holder_by_email"),
        ]

    def __str__(self) -> str:
        return f"{self.profile} {self.identifier}"

    @property
    def full_name(self) -> str:
        return f"{self.names} {self.surnames}".strip()

    @property
    def account(self) -> str:
        """Return the name under which attempts at this account are counted."""
        return account_name(self.profile, self.identifier)

    @property
    def identifier_label(self) -> str:
        """Return what kind of identifier it is: RUT, NIE, or the name of the document."""
        if self.profile == Profile.FACILITADOR:
            return str(DOCUMENTS[self.identifier[:3]])
        return "NIE" if self.profile == Profile.MIGRANTE else "RUT"

    @property
    def pretty_identifier(self) -> str:
        """Return the identifier formatted for display, without its label."""
        if self.profile == Profile.FACILITADOR:
            return self.identifier[4:]
        return self.identifier if self.profile == Profile.MIGRANTE else dotted(self.identifier)

    @property
    def display_name(self) -> str:
        """Return the account's name in messages: `RUT 12.345.678-5`, `NIE 900123456`."""
        return f"{self.identifier_label} {self.pretty_identifier}"

    @property
    def address_line(self) -> str:
        comuna = comunas().get(self.comuna)
        parts = [f"{self.street} {self.street_number}".strip()]
        if self.block:
            parts.append(f"block {self.block}")
        if self.apartment:
            parts.append(f"depto. {self.apartment}")
        if comuna:
            parts += [comuna.name, comuna.region_name]
        return ", ".join(part for part in parts if part)


class Representative(models.Model):
    """A person who legally represents a company (Persona Jurídica), by RUN. A company may have several.

    `mobile` and `email` are that person's own; the company's keys go to the company's e-mail and that mobile.
    """

    company = models.ForeignKey(Holder, on_delete=models.CASCADE, related_name="representatives")
    run = models.CharField(max_length=12)
    name = models.CharField(max_length=120, blank=True)
    mobile = EncryptedTextField(blank=True)
    email = models.EmailField(max_length=120, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company", "run"], name="represents_once")]

    @property
    def pretty_run(self) -> str:
        return dotted(self.run)
