"""A learning platform's request, and lookup of the rows it refers to."""

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
MAX_URL, MAX_SESSION, MAX_CODE, MIN_CODE = 200, 149, 50, 7
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
    """Return the RUT written as `xxxxxxxx-x`, with k in either case; None for another form or a wrong check digit."""
    try:
        return Rut.parse(text) if _RUT.fullmatch(text) else None
    except InvalidRut:
        return None


@lru_cache(maxsize=1024)
def split_url(text: str) -> SplitResult | None:
    """Return the parts of an absolute http(s) URL a browser can be sent to; None for anything else.

    Rejected: more than 200 characters, characters other than printable ASCII, backslashes, quotes, user info, no host.
    """
    if len(text) > MAX_URL or not _URL.fullmatch(text) or any(char in text for char in "\\\"'<>`"):
        return None
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    is_valid = parts.scheme in ("http", "https") and "@" not in parts.netloc and _HOST.fullmatch(host) and port != 0
    return parts if is_valid else None


class RceRequest:
    """A post to IniciarSesion or, `closing`, to CerrarSesion, as received; the rows it refers to are loaded lazily."""

    def __init__(self, environment: str, closing: bool, sent: Mapping[str, str], token: Token | None = None) -> None:
        self.environment = environment
        self.closing = closing
        names = (*NAMES, SESSION)
        self.fields = {name: sent[name] for name in names if name in sent}
        if token is not None:
            self.__dict__["token"] = token

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, "")

    @property
    def testing(self) -> bool:
        return self.environment == Environment.TEST

    def unchecked(self, name: str) -> bool:
        """Return whether the test environment was told, by -1, not to check this parameter."""
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
        """The participant's enrolment, with its action."""
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
        """The session to close, if it is this person's in this action; production only."""
        opening = _OPENING.one(self[SESSION])
        if opening is None:
            return None
        enrolment = opening.enrolment
        return opening if enrolment.run == str(self.run) and enrolment.action.code == self["CodigoCurso"] else None

    @cached_property
    def tested(self) -> datetime | None:
        """When the session to close was opened, if it is a test session of this person and action."""
        return trial_ids.opened_at(self[SESSION], str(self.run), self["CodigoCurso"])

    @property
    def session_is_known(self) -> bool:
        """Return whether this closes a session that was validly opened in this environment."""
        if not self.closing:
            return False
        return self.tested is not None if self.testing else self.opening is not None

    @cached_property
    def day(self) -> date:
        """The day to check against the action's dates: today in Santiago."""
        return clock.today()

    @cached_property
    def now(self) -> datetime:
        return clock.now()
