"""What people do at upstream doors."""

from clave.sso.models import UpstreamIdentity
from tests.story import Page, Visitor

CAMILA, KEY = "11111111-1", "KM482915"
AUSTRAL = "76543210-3"


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
