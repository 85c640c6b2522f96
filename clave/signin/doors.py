"""Upstream doors as the sign-in pages offer them. Going through them is `clave.sso.upstream`."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.http import urlencode

from clave.holders.models import Profile


@dataclass(frozen=True)
class OfferedDoor:
    """An identity provider at which holders of one profile may sign in. `prefix` begins the names of its settings."""

    slug: str
    title: str
    profile: Profile
    prefix: str

    def setting(self, name: str) -> str:
        return str(getattr(settings, f"{self.prefix}_{name}"))

    @property
    def logout_url(self) -> str:
        """Return the address that ends the session at the provider and comes back to this site; empty if unknown."""
        url = self.setting("LOGOUT_URL")
        return f"{url}?{urlencode({'redirect': settings.CLAVE_URL})}" if url else ""


CLAVEUNICA = OfferedDoor("claveunica", "ClaveÚnica", Profile.PERSONA_NATURAL, "CLAVEUNICA")
# For entities only: Decreto 9/2023 forbids it for persons, who have ClaveÚnica.
CLAVE_TRIBUTARIA = OfferedDoor("tributaria", "Clave Tributaria", Profile.PERSONA_JURIDICA, "CLAVE_TRIBUTARIA")


def offered() -> list[OfferedDoor]:
    """Return the configured doors."""
    return [door for door in (CLAVEUNICA, CLAVE_TRIBUTARIA) if door.setting("ISSUER")]


def offered_to(profile: str) -> list[OfferedDoor]:
    """Return the configured doors for this profile."""
    return [door for door in offered() if door.profile == profile]
