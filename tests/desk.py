"""An operator of the back office with a browser and an authenticator."""

import pyotp

from clave.backoffice.models import Operator, Proposal
from clave.holders.models import Holder
from clave.lib import clock
from clave.sandbox.people import OPERATOR_PASSWORD, TOTP_SECRET
from clave.selfservice.confirmations import contact_change
from tests import factories
from tests.story import Page, Visitor


def colleague(name: str, role: str = "agente") -> "Desk":
    """Return another operator of this role, signed in."""
    factories.operator(name, role)
    return Desk(name, "198.51.100.202")


class Desk(Visitor):
    """Signed in with the demo's operator of this role."""

    def __init__(self, role: str = "agente", address: str = "198.51.100.200") -> None:
        super().__init__(address)
        self.email = f"{role}@mesa.example.cl"
        self.enter()

    @property
    def operator(self) -> Operator:
        return Operator.objects.get(email=self.email)

    def code(self) -> str:
        return pyotp.TOTP(TOTP_SECRET).at(clock.now())

    def enter(self, **typed: str) -> Page:
        # Each code serves once; a test needs no half minute of waiting for the next.
        Operator.objects.filter(email=self.email).update(totp_step=0)
        self.open("/backoffice/ingresar")
        return self.send(**{"email": self.email, "password": OPERATOR_PASSWORD, "code": self.code(), **typed})

    def search(self, text: str) -> Page:
        self.open("/backoffice/")
        return self.send(text=text)

    def account(self, identifier: str, reason: str = "call", note: str = "caso 1") -> Page:
        """Open an account, giving a reason if one is asked for."""
        holder = Holder.objects.get(identifier=identifier)
        page = self.open(f"/backoffice/titular/{holder.pk}")
        return self.send(reason=reason, note=note) if page.url.endswith("/motivo") else page

    def decide(self, identifier: str, decision: str = "si", **typed: str) -> Page:
        """Confirm or refuse the change of contact that waits for this account; it must be open."""
        change = contact_change.waiting().get(holder__identifier=identifier)
        return self.act(identifier, f"cambio/{change.pk}", decision=decision, **typed)

    def agree(self, email: str, decision: str = "si") -> Page:
        """Confirm or refuse what another supervisor proposed about this operator."""
        self.open(f"/backoffice/operadores/propuestas/{Proposal.objects.filter(email=email).latest('pk').pk}")
        return self.send(decision=decision)

    def press(self, path: str, **data: str) -> Page:
        """Press a button that stands alone on a page."""
        return self.post(path, {"csrfmiddlewaretoken": self.client.cookies["csrftoken"].value, **data})

    def act(self, identifier: str, action: str, **typed: str) -> Page:
        """Do one of the actions on an account that is open."""
        self.open(f"/backoffice/titular/{Holder.objects.get(identifier=identifier).pk}/{action}")
        return self.send(**{"reason": "call", "note": "caso 2", **typed})
