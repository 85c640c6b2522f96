"""The scopes `run` and `name` in the oracle, with the claims that ClaveÚnica's guide prints."""

from typing import Any

from oidc_provider.lib.claims import ScopeClaims


def userinfo(claims: dict[str, Any], user: Any) -> dict[str, Any]:
    return {**claims, "email": user.email}


class ClaveUnicaClaims(ScopeClaims):  # type: ignore[misc]
    """ClaveÚnica's two scopes beside the standard ones."""

    def scope_run(self) -> dict[str, Any]:
        return {"RolUnico": {"numero": 44444444, "DV": "4", "tipo": "RUN"}}

    def scope_name(self) -> dict[str, Any]:
        return {"name": {"nombres": ["Persona"], "apellidos": ["De Prueba", "Cuatro"]}}
