"""Search for holders, requests and statements by RUT, NIE, foreign document, e-mail or folio."""

import re
from contextlib import suppress
from dataclasses import dataclass

from django.db.models import QuerySet
from django.db.models.functions import Lower

from clave.holders.models import DOCUMENTS, Holder, Profile
from clave.lib.rut import InvalidRut, Rut
from clave.selfservice.facilitators.service import find_request
from clave.selfservice.models import FacilitatorRequest
from clave.statements import service as statements
from clave.statements.models import Statement

MOST = 20
_FOLIO = re.compile(r"\d{1,14}-\d{4}")


@dataclass(frozen=True)
class Found:
    """The results of a search: holders, and the request or statement with that folio."""

    holders: list[Holder]
    request: FacilitatorRequest | None = None
    statement: Statement | None = None

    def __bool__(self) -> bool:
        return bool(self.holders or self.request or self.statement)


def find(text: str) -> Found:
    """Return everything that matches any interpretation of the text; each is a single index lookup."""
    text = " ".join(text.split())
    if "@" in text:
        return Found(list(_by_email(text)))
    if _FOLIO.fullmatch(text):
        return Found(_by_name(_names(text)), find_request(text), statements.find(text))
    return Found(_by_name(_names(text)))


def _by_email(email: str) -> QuerySet[Holder]:
    return Holder.objects.annotate(address=Lower("email")).filter(address=email.lower()).order_by("profile")[:MOST]


def _by_name(names: list[str]) -> list[Holder]:
    holders = Holder.objects.filter(profile__in=list(Profile), identifier__in=names) if names else []
    return sorted(holders, key=lambda holder: holder.profile)


def _names(text: str) -> list[str]:
    """Return the identifiers, as stored, that a text may stand for."""
    bare = "".join(char for char in text if char.isascii() and char.isalnum()).upper()
    names = [bare] if bare.isdecimal() else []
    with suppress(InvalidRut):
        names.append(str(Rut.parse(text)))
    if 4 <= len(bare) <= 20:
        names += [f"{kind} {bare}" for kind in DOCUMENTS]
    if bare[:3] in DOCUMENTS:
        names.append(f"{bare[:3]} {bare[3:]}")
    return names
