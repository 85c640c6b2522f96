"""The protocol as an ordered list of small checks: the first that fails determines the code.

Source: rce-protocol.md, section 1; manual "Integración Registro Asistencia SENCE", v1.1.3 to v1.1.6.
"""

from collections.abc import Callable

from django.conf import settings

from clave.attendance.models import EndKind
from clave.attendance.sessions import max_duration
from clave.rce.request import MAX_CODE, MAX_SESSION, MIN_CODE, NAMES, SESSION, RceRequest, split_url
from clave.training import tokens
from clave.training.models import Line, Modality, State

Check = Callable[[RceRequest], bool]
_CHECKS: list[tuple[int, Check]] = []


def check(code: int) -> Callable[[Check], Check]:
    """Return a decorator that appends a check. The check returns True if it passes; otherwise `code` is reported."""

    def register(function: Check) -> Check:
        _CHECKS.append((code, function))
        return function

    return register


@check(201)
def urls_are_there(request: RceRequest) -> bool:
    return bool(request["UrlRetoma"].strip() and request["UrlError"].strip())


@check(202)
def url_retoma_is_well_formed(request: RceRequest) -> bool:
    return is_valid_return_url(request, "UrlRetoma")


@check(203)
def url_error_is_well_formed(request: RceRequest) -> bool:
    return is_valid_return_url(request, "UrlError")


@check(200)
def mandatory_parameters_are_there(request: RceRequest) -> bool:
    required = (*NAMES, SESSION) if request.closing else NAMES
    may_be_blank = {"CodSence"} if request.line == Line.SOCIAL else set()
    return all(name in request.fields and (request[name].strip() or name in may_be_blank) for name in required)


@check(209)
def rut_otec_is_valid(request: RceRequest) -> bool:
    return request.otec_rut is not None


@check(303)
def token_exists(request: RceRequest) -> bool:
    return request.token is not None


@check(211)
def token_is_of_the_body(request: RceRequest) -> bool:
    return request.token is None or request.token.otec.rut == str(request.otec_rut)


@check(212)
def token_is_live(request: RceRequest) -> bool:
    return request.token is None or tokens.is_live(request.token)


@check(206)
def line_is_known(request: RceRequest) -> bool:
    return request.line != 0


@check(204)
def cod_sence_is_well_formed(request: RceRequest) -> bool:
    code = request["CodSence"]
    if request.unchecked("CodSence") or (request.line == Line.SOCIAL and not code.strip()):
        return True
    return len(code) == 10 and code.isascii() and code.isdigit()


@check(205)
def codigo_curso_is_well_formed(request: RceRequest) -> bool:
    code = request["CodigoCurso"]
    if request.unchecked("CodigoCurso"):
        return True
    least = 1 if request.line == Line.FPT else MIN_CODE
    return least <= len(code) <= MAX_CODE and code.isprintable()


@check(207)
def run_alumno_is_valid(request: RceRequest) -> bool:
    return request.run is not None


@check(302)
def training_body_may_operate(request: RceRequest) -> bool:
    return request.token is None or request.token.otec.active


@check(301)
def action_is_of_the_line(request: RceRequest) -> bool:
    if request.unchecked("CodigoCurso"):
        return True
    return request.action is not None and request.action.line == request.line


@check(306)
def action_is_of_the_course(request: RceRequest) -> bool:
    if request.action is None or request.unchecked("CodSence"):
        return True
    return request.action.cod_sence == request["CodSence"].strip()


@check(308)
def action_is_of_the_body(request: RceRequest) -> bool:
    if request.action is None:
        return True
    token = request.token
    if token and token.otec.rut == str(request.otec_rut):
        return request.action.otec_id == token.otec_id
    return request.action.otec.rut == str(request.otec_rut)


@check(307)
def action_is_e_learning(request: RceRequest) -> bool:
    return request.action is None or request.action.modality == Modality.ELEARNING


@check(310)
def action_is_under_way(request: RceRequest) -> bool:
    return request.action is None or request.session_is_known or request.action.state == State.ACTIVE


@check(309)
def today_is_within_its_dates(request: RceRequest) -> bool:
    # A session opened on the last evening may be closed after midnight.
    if request.action is None or request.session_is_known:
        return True
    return request.action.starts <= request.day <= request.action.ends


@check(208)
def participant_is_enrolled(request: RceRequest) -> bool:
    if request.action is None or request.session_is_known:
        return True
    if not action_is_of_the_body(request):
        return True  # reported by 308; another OTEC's enrolments must not be disclosed
    return request.enrolment is not None and request.enrolment.removed_at is None


@check(304)
def data_can_be_verified(request: RceRequest) -> bool:
    """Check the session ids.

    An opening names no session, a closing one of this person and action. No id may exceed the manual's length.
    """
    if len(request["IdSesionAlumno"]) > MAX_SESSION:
        return False
    if not request.closing:
        return not request[SESSION].strip()
    return request.opening is not None or request.tested is not None


@check(313)
def session_is_of_this_environment(request: RceRequest) -> bool:
    if not request.closing or (request.opening is None and request.tested is None):
        return True
    return request.session_is_known


@check(305)
def session_can_still_be_closed(request: RceRequest) -> bool:
    """Check that the session was not lost; closing a closed session again is allowed and changes nothing."""
    if not request.session_is_known:
        return True
    if request.tested:
        return request.now - request.tested <= max_duration(request.line)
    opening = request.opening
    ending = getattr(opening, "ending", None)
    return ending.kind == EndKind.CLOSED if ending else bool(opening and request.now <= opening.limit_at)


CHECKS = tuple(_CHECKS)


def is_valid_return_url(request: RceRequest, name: str) -> bool:
    """Return whether a response may be posted to the URL in this parameter."""
    if not request[name].strip():
        return True  # a missing URL has its own code
    parts = split_url(request[name])
    if parts is None:
        return False
    if settings.RCE_RETURN_HOSTS == "registered":
        return request.token is not None and parts.hostname in request.token.otec.return_hosts
    return True


def codes(request: RceRequest) -> list[int]:
    """Return the code of the first failing check, or with `RCE_ALL_CODES` the codes of all failing checks, in order."""
    failed = []
    for code, passes in CHECKS:
        if not passes(request):
            failed.append(code)
            if not settings.RCE_ALL_CODES:
                break
    return failed
