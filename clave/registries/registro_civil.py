"""Registro Civil: who has a RUN, and does an identity card belong to it."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from django.conf import settings

from clave.lib.request_context import RequestContext
from clave.lib.rut import Rut
from clave.registries.base import Registry, RegistryDown


@dataclass(frozen=True)
class Person:
    """What the registry says of a RUN. `sex` is M, F or X."""

    names: str
    surnames: str
    sex: str
    birth_date: date
    deceased: bool


@lru_cache(maxsize=4)
def _registry(url: str, token: str) -> Registry:
    return Registry("registro_civil", url, token)


def registry() -> Registry:
    """Return this process's connection to Registro Civil."""
    return _registry(settings.REGISTRO_CIVIL_URL, settings.REGISTRO_CIVIL_TOKEN)


def find_person(rut: Rut, context: RequestContext) -> Person | None:
    """Return the person with this RUN; None if there is none. Raises `RegistryDown`."""
    status, answer = registry().call(context, "GET", f"/personas/{rut}")
    if status == 404:
        return None
    try:
        return Person(
            names=str(answer["nombres"])[:120],
            surnames=f"{answer['apellido_paterno']} {answer['apellido_materno']}".strip()[:120],
            sex=str(answer["sexo"])[:1],
            birth_date=date.fromisoformat(answer["fecha_nacimiento"]),
            deceased=answer["fallecido"] is True,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RegistryDown("nonsense") from error


def card_is_valid(rut: Rut, serial: str, context: RequestContext) -> bool:
    """Say whether this serial number is of this RUN's valid card. Raises `RegistryDown`.

    The number travels in the body: addresses end up in logs.
    """
    status, answer = registry().call(context, "POST", "/cedulas/verificar", {"run": str(rut), "serie": serial})
    if status == 404:
        return False
    if not isinstance(answer, dict) or not isinstance(answer.get("vigente"), bool):
        raise RegistryDown("nonsense")
    return bool(answer["vigente"])
