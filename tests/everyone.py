"""One account of each profile that is no person with a RUT, told by the same words."""

from dataclasses import dataclass
from datetime import date

from clave.holders.models import Holder
from tests import factories
from tests.story import Page, Visitor


@dataclass(frozen=True)
class Who:
    """One profile's account, and how it says who it is where it looks and where it acts."""

    profile: str
    path_prefix: str
    identifier: str
    look: dict[str, str]
    act: dict[str, str]
    key: str
    question: str
    answer: str
    mail: str
    name: str

    @property
    def account(self) -> str:
        return Holder.objects.get(profile=self.profile, identifier=self.identifier).account

    def sign_in(self, visitor: Visitor, key: str = "") -> Page:
        visitor.open(f"/ingresar/{self.path_prefix}")
        return visitor.send(**self.act, key=key or self.key)

    def recover(self, visitor: Visitor) -> Page:
        visitor.open(f"/{self.path_prefix}/recuperar")
        return visitor.send(**self.look)

    def change(self, visitor: Visitor, old: str, new: str) -> Page:
        visitor.open(f"/{self.path_prefix}/cambiar")
        page = visitor.send(**self.act, key=old)
        return visitor.send(new_key=new, new_key_again=new) if "new_key" in page.fields else page


EVERY = [
    Who("PJ", "empresa", "76543210-3", {"rut": "76543210-3"}, {"rut": "76543210-3", "representative": "33333333-3"},
        "CA739105", "Nombre de mi primera escuela", "Liceo Austral", "contacto@capacita-austral.example.cl",
        "Capacita Austral SpA"),
    Who("MI", "migrante", "900123456", {"nie": "900123456"}, {"nie": "900123456"}, "HT254817", "Calle donde vivía",
        "Rue Capois", "jean.pierre@example.cl", "Jean Baptiste Pierre"),
    Who("FE", "facilitador", "PAS AB123456", {"document_kind": "PAS", "document": "AB123456"},
        {"document_kind": "PAS", "document": "AB123456"}, "FE482915", "Nombre de mi mascota", "Canelo",
        "ana.quispe@example.com", "Ana Lucía Quispe"),
]  # fmt: skip


def make_facilitator() -> None:
    factories.holder(
        "PAS AB123456",
        "FE",
        key="FE482915",
        answer=("mascota", "Canelo"),
        names="Ana Lucía",
        surnames="Quispe",
        birth_date=date(1991, 6, 5),
        country="BO",
        email="ana.quispe@example.com",
        verification="declared",
        no_mobile=True,
    )
