"""The configured upstream doors: issuers of which Clave is an OpenID client."""

from dataclasses import dataclass, field

from django.conf import settings
from django.urls import reverse

from clave.holders.models import Profile
from clave.holders.profiles import BY_PROFILE, ProfileConfig
from clave.signin import doors as offers


@dataclass(frozen=True)
class UpstreamDoor:
    """An issuer and what Clave is to it.

    `discovers`: endpoints and keys come from the issuer's metadata, and its id token is verified. Otherwise the
    endpoints are those of ClaveÚnica's guide, and userinfo over TLS is the answer. `rut_claim` names the claim with an
    entity's RUT; without it the answer has ClaveÚnica's `RolUnico`.
    """

    slug: str
    title: str
    profiles: tuple[Profile, ...]
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: str
    discovers: bool
    rut_claim: str = ""

    @property
    def profile(self) -> Profile:
        """Return the profile of who enters here."""
        return self.profiles[0]

    @property
    def config(self) -> ProfileConfig:
        return BY_PROFILE[self.profile]

    @property
    def redirect_uri(self) -> str:
        """Return the callback. Each door has its own, against answers of another issuer (RFC 9700, 4.4.2.2)."""
        return settings.CLAVE_URL + reverse("door_answer", args=[self.slug])


def configured() -> list[UpstreamDoor]:
    """Return the doors that have an issuer."""
    return [_door(offered) for offered in offers.offered()]


def find(slug: str) -> UpstreamDoor | None:
    """Return the configured door with this slug."""
    return next((door for door in configured() if door.slug == slug), None)


def of_profile(profile: str) -> list[UpstreamDoor]:
    """Return the configured doors for holders of this profile."""
    return [door for door in configured() if profile in door.profiles]


def _door(offered: offers.OfferedDoor) -> UpstreamDoor:
    person = offered is offers.CLAVEUNICA
    return UpstreamDoor(
        slug=offered.slug,
        title=offered.title,
        profiles=(offered.profile,),
        issuer=offered.setting("ISSUER"),
        client_id=offered.setting("CLIENT_ID"),
        client_secret=offered.setting("CLIENT_SECRET"),
        scopes="openid run name" if person else settings.CLAVE_TRIBUTARIA_SCOPES,
        discovers=not person or settings.CLAVEUNICA_PROTOCOL == "discovery",
        rut_claim="" if person else settings.CLAVE_TRIBUTARIA_RUT_CLAIM,
    )
