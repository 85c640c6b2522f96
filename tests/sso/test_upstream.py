"""Signing in by ClaveÚnica and by Clave Tributaria, with the simulated ones: people and entities, link and unlink."""

import pytest

from clave.audit.models import Entry
from clave.holders.models import Holder
from clave.sso.models import UpstreamIdentity, UpstreamRequest
from tests.story import REGISTRATION, Page, Visitor

CAMILA, KEY = "11111111-1", "KM482915"
AUSTRAL, AUSTRAL_KEY, ROSA = "76543210-3", "CA739105", "33333333-3"

pytestmark = pytest.mark.usefixtures("doors")


def by_door(visitor: Visitor, rut: str, slug: str = "claveunica", back: str = "") -> Page:
    """Go to a door and sign in there as this person or entity."""
    page = visitor.open(f"/ingresar/con/{slug}" + (f"?volver={back}" if back else ""))
    assert page.shows("simulada")
    return visitor.send(rut=rut, password="testing")


def link_camila(visitor: Visitor) -> Page:
    assert by_door(visitor, CAMILA).shows("Vincular ClaveÚnica", "11.111.111-1")
    return visitor.send(key=KEY)


def test_the_sign_in_pages_offer_the_door_of_their_profile_only(visitor: Visitor) -> None:
    page = visitor.open("/ingresar?volver=/mi-cuenta/cursos")
    assert page.shows("Ingresar con ClaveÚnica") and "Clave Tributaria" not in page.text
    assert "/ingresar/con/claveunica?volver=%2Fmi-cuenta%2Fcursos" in page.html
    page = visitor.open("/ingresar/empresa")
    assert page.shows("Ingresar con Clave Tributaria") and "Ingresar con ClaveÚnica" not in page.text
    assert "Ingresar con Clave" not in visitor.open("/ingresar/migrante").text


def test_after_linking_once_with_the_key_the_door_alone_signs_in(visitor: Visitor) -> None:
    assert link_camila(visitor).shows("Mi cuenta", "Camila Rojas Soto")
    link = UpstreamIdentity.objects.get()
    assert (link.holder.identifier, link.door) == (CAMILA, "claveunica")
    assert UpstreamRequest.objects.count() == 0
    other = Visitor("198.51.100.9")
    page = by_door(other, CAMILA, back="/mi-cuenta/cursos")
    assert page.shows("Excel intermedio") and page.url.endswith("/mi-cuenta/cursos")
    session = other.client.session
    assert (session["door"], session["amr"]) == ("claveunica", [])
    entries = Entry.objects.filter(action__in=("signin", "door.linked")).order_by("pk")
    assert [(entry.action, entry.detail.get("door")) for entry in entries] == [
        ("door.linked", "claveunica"),
        ("signin", None),
        ("signin", "claveunica"),
    ]
