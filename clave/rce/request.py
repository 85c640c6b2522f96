"""What a learning platform sent, and what is found for it."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import cached_property, lru_cache
from urllib.parse import SplitResult, urlsplit

from clave.attendance.models import SessionStart
from clave.db.hot_queries import Lookup
from clave.lib import clock
from clave.lib.rut import InvalidRut, Rut
from clave.rce import trial_ids
from clave.rce.models import Environment
from clave.training import tokens
from clave.training.models import Action, Enrolment, Token

NAMES = (
    "RutOtec",
    "Token",
    "CodSence",
    "CodigoCurso",
    "LineaCapacitacion",
    "RunAlumno",
    "IdSesionAlumno",
    "UrlRetoma",
    "UrlError",
)
SESSION = "IdSesionSence"
URL_MOST, SESSION_MOST, CODE_MOST, CODE_LEAST = 200, 149, 50, 7
ANY = "-1"
_RUT = re.compile(r"[0-9]{1,8}-[0-9kK]")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.?|[0-9A-Fa-f:.]+")
_URL = re.compile(r"[!-~]+")

_ENROLMENT = Lookup(
    lambda code, run: Enrolment.objects.filter(action__code=code, run=run).select_related("action"), "code", "run"
)
_OPENING = Lookup(
    lambda public: SessionStart.objects.select_related("ending", "enrolment__action").filter(public=public), "public"
)


def strict_rut(text: str) -> Rut | None:
    """Return the RUT written `xxxxxxxx-x`, in either case of k; None for any other form or a wrong check digit."""
    try:
        return Rut.parse(text) if _RUT.fullmatch(text) else None
    except InvalidRut:
        return None


@lru_cache(maxsize=1024)
def split_url(text: str) -> SplitResult | None:
    """Return the parts of an absolute http(s) address a browser can be sent to; None for anything else.

    Refused: over 200 characters, not printable ASCII, backslashes and quotes, user-info, no host.
    """
    if len(text) > URL_MOST or not _URL.fullmatch(text) or any(char in text for char in "\\\"'<>`"):
        return None
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    good = parts.scheme in ("http", "https") and "@" not in parts.netloc and _HOST.fullmatch(host) and port != 0
    return parts if good else None


class RceRequest:
    """A post to IniciarSesion or, `closing`, to CerrarSesion, as it came; what it refers to is looked up when asked."""

    def __init__(self, environment: str, closing: bool, sent: Mapping[str, str], token: Token | None = None) -> None:
        self.environment = environment
        self.closing = closing
        wanted = (*NAMES, SESSION)
        self.fields = {name: sent[name] for name in wanted if name in sent}
        if token is not None:
            self.__dict__["token"] = token

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, "")

    @property
    def testing(self) -> bool:
        return self.environment == Environment.TEST

    def unchecked(self, name: str) -> bool:
        """Say whether the test environment was asked, by -1, not to check this parameter."""
        return self.testing and self[name] == ANY

    @cached_property
    def otec_rut(self) -> Rut | None:
        return strict_rut(self["RutOtec"])

    @cached_property
    def run(self) -> Rut | None:
        return strict_rut(self["RunAlumno"])

    @cached_property
    def line(self) -> int:
        return int(self["LineaCapacitacion"]) if self["LineaCapacitacion"] in ("1", "3", "6") else 0

    @cached_property
    def token(self) -> Token | None:
        return tokens.find(self["Token"])

    @cached_property
    def enrolment(self) -> Enrolment | None:
        """The participant's place in the action, with the action."""
        return _ENROLMENT.one(self["CodigoCurso"], str(self.run))

    @cached_property
    def action(self) -> Action | None:
        if self.unchecked("CodigoCurso"):
            return None
        if self.closing and self.opening:
            return self.opening.enrolment.action
        if self.enrolment:
            return self.enrolment.action
        return Action.objects.select_related("otec").filter(code=self["CodigoCurso"]).first()

    @cached_property
    def opening(self) -> SessionStart | None:
        """The session to close: of this person in this action, in production."""
        found = _OPENING.one(self[SESSION])
        if found is None:
            return None
        place = found.enrolment
        return found if place.run == str(self.run) and place.action.code == self["CodigoCurso"] else None

    @cached_property
    def tested(self) -> datetime | None:
        """When the session to close was opened, if it is one of the test environment, of this person and action."""
        return trial_ids.opened_at(self[SESSION], str(self.run), self["CodigoCurso"])

    @property
    def session_is_known(self) -> bool:
        """Say whether this closes a session that was opened here by the rules."""
        if not self.closing:
            return False
        return self.tested is not None if self.testing else self.opening is not None

    @cached_property
    def day(self) -> date:
        """The day whose place in the action's dates is judged: today, on Santiago's calendar."""
        return clock.today()

    @cached_property
    def now(self) -> datetime:
        return clock.now()
