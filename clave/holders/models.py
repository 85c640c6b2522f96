"""Who holds a Clave."""

import uuid

from django.db import models

from clave.core.rut import Rut
from clave.core.secrets import EncryptedTextField
from clave.holders.comunas import comunas


class Profile(models.TextChoices):
    """The four kinds of holder (flows.md, section 1)."""

    PERSONA_NATURAL = "PN", "Persona Natural"
    PERSONA_JURIDICA = "PJ", "Persona Jurídica"
    MIGRANTE = "MI", "Migrante"
    FACILITADOR = "FE", "Facilitador extranjero"


class Verification(models.TextChoices):
    """How far the registry vouches for the identity."""

    VERIFIED = "verified", "verificada"
    UNVERIFIED = "unverified", "por verificar"
    REFUSED = "refused", "rechazada"


class Holder(models.Model):
    """A person or company with a Clave. `identifier` is the stored RUT (`12345678-5`) or NIE."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    profile = models.CharField(max_length=2, choices=Profile.choices)
    identifier = models.CharField(max_length=12)
    names = models.CharField(max_length=120, blank=True)
    surnames = models.CharField(max_length=120, blank=True)
    sex = models.CharField(max_length=1, blank=True)
    birth_date = models.DateField(null=True, blank=True)
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
    # An account of the old system: its key is not known here, so it must be registered again.
    legacy = models.BooleanField(default=False)
    # A contact changed on the strength of a card serial alone; the back office looks at it.
    review_contact = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["profile", "identifier"], name="holder_identity")]
        indexes = [
            models.Index(
                fields=["created_at"],
                name="holder_to_verify",
                condition=models.Q(verification="unverified", legacy=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.profile} {self.identifier}"

    @property
    def full_name(self) -> str:
        return f"{self.names} {self.surnames}".strip()

    @property
    def pretty_identifier(self) -> str:
        return self.identifier if self.profile == Profile.MIGRANTE else Rut.parse(self.identifier).pretty

    @property
    def address_line(self) -> str:
        place = comunas().get(self.comuna)
        parts = [f"{self.street} {self.street_number}".strip()]
        if self.block:
            parts.append(f"block {self.block}")
        if self.apartment:
            parts.append(f"depto. {self.apartment}")
        if place:
            parts += [place.name, place.region_name]
        return ", ".join(part for part in parts if part)


class Representative(models.Model):
    """A person who legally represents a company (Persona Jurídica), by RUN. A company may have several."""

    company = models.ForeignKey(Holder, on_delete=models.CASCADE, related_name="representatives")
    run = models.CharField(max_length=12)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company", "run"], name="represents_once")]
