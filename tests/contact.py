"""What the tests of a company's contact say: how the desk proposes one, and how the company answers."""

from clave.holders.models import Holder
from tests.desk import Desk
from tests.firms import AUSTRAL, ROSA
from tests.story import Page, Visitor, found

NEW_MAIL, STRANGERS = "nuevo@capacita-austral.example.cl", "complice@example.cl"
CARD = {"rut": AUSTRAL, "representative": ROSA, "serial": "123456789"}
CAMILA = "11111111-1"


def company(identifier: str = AUSTRAL) -> Holder:
    return Holder.objects.get(identifier=identifier)


def propose(desk: Desk, email: str = NEW_MAIL, identifier: str = AUSTRAL, **more: str) -> Page:
    desk.account(identifier)
    return desk.act(identifier, "contacto", email=email, **more)


def link_in(message: dict[str, str], path: str) -> str:
    return found(rf"/{path}\?codigo=[\w-]+", message["text"])[0]


def prove(visitor: Visitor, **changed: str) -> Page:
    visitor.open("/empresa/confirmar")
    return visitor.send(**{**CARD, **changed})
