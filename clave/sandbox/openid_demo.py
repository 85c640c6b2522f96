"""The demo's relying application: the page «Probar OpenID», with a secret that everybody may know."""

from django.conf import settings

from clave.lib import clock
from clave.lib.crypto import fingerprint
from clave.sso import claims
from clave.sso.models import Client, ClientSecret

CLIENT_ID, SECRET = "demo", "secreto-de-demostracion"
PAGE = "/sandbox/probar-openid"
CALLBACK, SIGNED_OUT = f"{PAGE}/volver", f"{PAGE}/salida"


def load() -> None:
    """Create the demo's client, or adapt its addresses to where the demo runs now."""
    addresses = {
        "redirect_uris": [settings.CLAVE_URL + CALLBACK],
        "post_logout_redirect_uris": [settings.CLAVE_URL + SIGNED_OUT],
        "home_url": settings.CLAVE_URL + PAGE,
    }
    fixed = {"name": "Probar OpenID", "scopes": list(claims.ALL), "created_at": clock.now(), **addresses}
    client, created = Client.objects.get_or_create(client_id=CLIENT_ID, defaults=fixed)
    if created:
        ClientSecret.objects.create(client=client, hash=fingerprint(SECRET), created_at=clock.now())
    else:
        Client.objects.filter(pk=client.pk).update(**addresses)
