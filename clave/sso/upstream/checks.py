"""A door's answer as an ordered list of small checks: the first that fails determines the code and the words.

Source: OpenID Connect Core 1.0, sections 3.1.2.7 to 3.1.3.7 and 5.3.4; RFC 9207; RFC 9700; abuse case 56.
"""

from collections.abc import Callable

from django.utils.translation import gettext_lazy as _
from joserfc.errors import JoseError
from joserfc.jwt import ClaimsOption, JWTClaimsRegistry

from clave.holders.models import Profile
from clave.lib.text import Text
from clave.sso.upstream.answer import LIFE, DoorAnswer, nonce_of

Check = Callable[[DoorAnswer], bool]
_CHECKS: list[tuple[str, Check]] = []
# Seconds by which the issuer's clock may differ.
LEEWAY = 60
# How RUTs are given out in practice: persons below, entities above. No law says so; it only bars the entities' door.
FIRST_ENTITY = 50_000_000

WORDS: dict[str, Text] = {
    "door_state": _("Este ingreso ya no está disponible: pasaron más de 10 minutos o se empezó en otro navegador."),
    "door_issuer": _("La respuesta no viene de quien debía responder, por eso no la usamos."),
    "door_cancelled": _("Usted no terminó de ingresar en {door}."),
    "door_answer": _("{door} no respondió como debía. Intente otra vez."),
    "door_token": _("No pudimos comprobar la respuesta de {door}, por eso no la usamos."),
    "door_identity": _("{door} no confirmó un RUT, y sin él no sabemos quién ingresa."),
    "door_person": _("La Clave Tributaria sirve solo para empresas y otras entidades. Las personas usan ClaveÚnica."),
    "door_down": _("{door} no responde en este momento. Ingrese con su Clave SENCE o intente en unos minutos."),
    "door_unlinked": _("El RUT que confirma {door} no es el de la cuenta vinculada. Llame a la mesa de ayuda."),
}


def check(code: str) -> Callable[[Check], Check]:
    """Return a decorator that appends a check. The check returns True if it passes; otherwise `code` is reported."""

    def register(function: Check) -> Check:
        _CHECKS.append((code, function))
        return function

    return register


@check("door_state")
def state_is_of_a_request_of_this_browser(answer: DoorAnswer) -> bool:
    return answer.begun is not None


@check("door_state")
def request_was_made_at_this_door(answer: DoorAnswer) -> bool:
    return answer.begun is not None and answer.begun.door == answer.door.slug


@check("door_state")
def request_is_recent(answer: DoorAnswer) -> bool:
    return answer.begun is not None and answer.now - answer.begun.created_at <= LIFE


@check("door_issuer")
def answer_names_the_right_issuer(answer: DoorAnswer) -> bool:
    """RFC 9207, section 2.4: compared as it is; it must be there if the issuer's metadata says so."""
    named = answer.parameters.get("iss")
    return named == answer.door.issuer if named is not None else not answer.endpoints.names_issuer


@check("door_cancelled")
def person_did_not_cancel(answer: DoorAnswer) -> bool:
    return answer.parameters.get("error") != "access_denied"


@check("door_answer")
def door_reports_no_error(answer: DoorAnswer) -> bool:
    return "error" not in answer.parameters


@check("door_answer")
def code_is_there(answer: DoorAnswer) -> bool:
    return 0 < len(answer.parameters.get("code", "")) <= 2048


@check("door_answer")
def code_is_exchanged_for_an_access_token(answer: DoorAnswer) -> bool:
    token = answer.tokens.get("access_token")
    return isinstance(token, str) and token.isascii() and token.isprintable() and token != ""


@check("door_token")
def id_token_is_signed_by_the_issuer(answer: DoorAnswer) -> bool:
    return not answer.door.discovers or answer.id_token is not None


@check("door_token")
def id_token_is_of_the_issuer(answer: DoorAnswer) -> bool:
    return _holds(answer, "iss", value=answer.door.issuer)


@check("door_token")
def id_token_is_for_this_client(answer: DoorAnswer) -> bool:
    return _holds(answer, "aud", value=answer.door.client_id)


@check("door_token")
def id_token_was_asked_for_by_this_client(answer: DoorAnswer) -> bool:
    """OpenID Connect Core 1.0, section 3.1.3.7: with several audiences `azp` says for which; it is never another."""
    claims = answer.id_token or {}
    audience = claims.get("aud")
    several = isinstance(audience, list) and len(audience) > 1
    return claims.get("azp") == answer.door.client_id if several or "azp" in claims else True


@check("door_token")
def id_token_has_not_expired(answer: DoorAnswer) -> bool:
    return _holds(answer, "exp")


@check("door_token")
def id_token_answers_this_request(answer: DoorAnswer) -> bool:
    return _holds(answer, "nonce", value=nonce_of(answer.state))


@check("door_answer")
def userinfo_has_a_subject(answer: DoorAnswer) -> bool:
    return answer.subject != ""


@check("door_token")
def userinfo_is_of_the_same_subject(answer: DoorAnswer) -> bool:
    return not answer.door.discovers or (answer.id_token or {}).get("sub") == answer.subject


@check("door_identity")
def identifier_is_a_run(answer: DoorAnswer) -> bool:
    return answer.door.rut_claim != "" or answer.run_kind == "RUN"


@check("door_identity")
def rut_is_well_formed(answer: DoorAnswer) -> bool:
    return answer.rut is not None


@check("door_person")
def a_persons_rut_enters_no_door_for_entities(answer: DoorAnswer) -> bool:
    """Decreto 9/2023: the Clave Tributaria identifies entities only."""
    persons = Profile.PERSONA_NATURAL in answer.door.profiles
    return persons or (answer.rut is not None and answer.rut.number >= FIRST_ENTITY)


CHECKS = tuple(_CHECKS)


def _holds(answer: DoorAnswer, name: str, value: str | None = None) -> bool:
    """Return whether a claim of the id token is there and as expected; where there is no id token, so it is."""
    if not answer.door.discovers:
        return True
    claims = answer.id_token or {}
    option = ClaimsOption(essential=True) if value is None else ClaimsOption(essential=True, value=value)
    registry = JWTClaimsRegistry(int(answer.now.timestamp()), LEEWAY, **{name: option})
    try:
        registry.validate({name: claims[name]} if name in claims else {})
    except JoseError:
        return False
    return True


def first_failure(answer: DoorAnswer) -> str:
    """Return the code of the first check that fails; empty if all pass. Raises `DoorDown`."""
    return next((code for code, passes in CHECKS if not passes(answer)), "")
