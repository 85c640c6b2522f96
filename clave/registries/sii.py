"""SII (Servicio de Impuestos Internos): which companies exist, and who represents them."""

from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings

from clave.lib.request_context import RequestContext
from clave.lib.rut import Rut
from clave.registries.base import Registry, RegistryDown


@dataclass(frozen=True)
class Company:
    """What the SII says of a company's RUT. `active` is false once it has ceased business."""

    name: str
    active: bool


@lru_cache(maxsize=4)
def _registry(url: str, token: str) -> Registry:
    return Registry("sii", url, token)


def registry() -> Registry:
    """Return this process's client for the SII."""
    return _registry(settings.SII_URL, settings.SII_TOKEN)


def find_company(rut: Rut, context: RequestContext) -> Company | None:
    """Return the company with this RUT; None if there is none. Raises `RegistryDown`."""
    status, response = registry().call(context, "GET", f"/contribuyentes/{rut}")
    if status == 404:
        return None
    if not isinstance(response, dict):
        raise RegistryDown("nonsense")
    try:
        return Company(name=str(response["razon_social"])[:120], active=response["vigente"] is True)
    except KeyError as error:
        raise RegistryDown("nonsense") from error


def represents(person: Rut, company: Rut, context: RequestContext) -> bool:
    """Return whether this person legally represents this company. Raises `RegistryDown`."""
    payload = {"rut_empresa": str(company), "run": str(person)}
    status, response = registry().call(context, "POST", "/representantes/verificar", payload)
    if status == 404:
        return False
    if not isinstance(response, dict) or not isinstance(response.get("representa"), bool):
        raise RegistryDown("nonsense")
    return bool(response["representa"])
