"""Registro Civil: looks up the person with a RUN, and verifies identity cards."""

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
    """Return this process's client for Registro Civil."""
    return _registry(settings.REGISTRO_CIVIL_URL, settings.REGISTRO_CIVIL_TOKEN)


def find_person(rut: Rut, context: RequestContext) -> Person | None:
    """Return the person with this RUN; None if there is none. Raises `RegistryDown`."""
    status, response = registry().call(context, "GET", f"/personas/{rut}")
    if status == 404:
        return None
    if not isinstance(response, dict):
        raise RegistryDown("nonsense")
    try:
        return Person(
            names=str(response["nombres"])[:120],
            surnames=f"{response['apellido_paterno']} {response['apellido_materno']}".strip()[:120],
            sex=str(response["sexo"])[:1],
            birth_date=date.fromisoformat(response["fecha_nacimiento"]),
            deceased=response["fallecido"] is True,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RegistryDown("nonsense") from error


def card_is_valid(rut: Rut, serial: str, context: RequestContext) -> bool:
    """Return whether this serial number belongs to this RUN's valid card. Raises `RegistryDown`.

    The serial is sent in the body, because URLs end up in logs.
    """
    status, response = registry().call(context, "POST", "/cedulas/verificar", {"run": str(rut), "serie": serial})
    if status == 404:
        return False
    if not isinstance(response, dict) or not isinstance(response.get("vigente"), bool):
        raise RegistryDown("nonsense")
    return bool(response["vigente"])
