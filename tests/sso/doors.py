"""What people do at upstream doors."""

from collections.abc import Callable

from clave.sandbox.openid import Provider
from clave.sso.models import UpstreamIdentity
from tests.story import Page, Visitor

CAMILA, KEY = "11111111-1", "KM482915"
AUSTRAL = "76543210-3"
Install = Callable[[Provider], None]


def by_door(visitor: Visitor, rut: str, slug: str = "claveunica", back: str = "") -> Page:
    """Go to a door and sign in there as this person or entity."""
    page = visitor.open(f"/ingresar/con/{slug}" + (f"?volver={back}" if back else ""))
    assert page.shows("simulada")
    return visitor.send(rut=rut, password="testing")


def link_camila(visitor: Visitor) -> Page:
    """Come by ClaveÚnica as Camila, and type her key once."""
    assert by_door(visitor, CAMILA).shows("Vincular ClaveÚnica", "11.111.111-1")
    return visitor.send(key=KEY)


def linked() -> list[tuple[str, str]]:
    """Return whose accounts are linked to which doors."""
    return list(UpstreamIdentity.objects.values_list("holder__identifier", "door"))


def code_for(visitor: Visitor, slug: str = "claveunica", rut: str = CAMILA) -> str:
    """Begin at a door and sign in there; return the address to come back to, without going there."""
    visitor.open(f"/ingresar/con/{slug}")
    back: str = visitor.client.post(visitor.page.url, visitor.fill(rut=rut, password="testing")).headers["Location"]
    return back


def refused(visitor: Visitor, address: str, words: str) -> bool:
    """Say whether this answer is refused with these words, the ordinary sign-in beside them, and links nothing."""
    page = visitor.open(address)
    return page.status == 403 and page.shows("No pudo ingresar", words, "Ingresar con mi Clave SENCE") and not linked()
