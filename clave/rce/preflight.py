"""Review of a whole roster before the first day: which code each participant would get, and who has no CS yet.

Whether somebody has a Clave is disclosed only for the OTEC's own participants; the number of RUNs it may query is
limited, the query is audited, and the holders can see it (decision 0025).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil

from django.db import transaction
from django.utils.translation import gettext as _

from clave.audit import service as audit
from clave.holders.models import Holder, Profile
from clave.lib import clock
from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext
from clave.lib.rut import InvalidRut, Rut
from clave.rce import checks
from clave.rce.codes import GLOSAS
from clave.rce.models import Environment
from clave.rce.request import RceRequest, strict_rut
from clave.training.models import AccountLookup, Action, Enrolment, Otec, ReviewAllowance, Token

MOST = 2000
# How many RUNs an OTEC may query in a burst, and how many more per hour.
BURST, PER_HOUR = 6000, 2000
_SESSION = "revision"


@dataclass(frozen=True)
class Finding:
    """Prediction for one participant: `codes` in the protocol's order, empty if all checks pass.

    `has_key` is None for people not enrolled with the OTEC: nothing is disclosed about them.
    """

    run: str
    codes: list[int]
    has_key: bool | None

    @property
    def meanings(self) -> list[object]:
        return [GLOSAS[code] for code in self.codes]

    @property
    def ready(self) -> bool:
        return not self.codes and bool(self.has_key)


class TooManyReviewed(Refused):
    """The OTEC has queried too many RUNs recently; it may query these from `until` on."""

    status = 429

    def __init__(self, until: datetime) -> None:
        at = until.astimezone(clock.SANTIAGO).strftime("%H:%M")
        text = _("Ya revisó muchos RUN. Podrá revisar esta lista desde las %s horas.") % at
        super().__init__("too_many_reviewed", text, field="runs")
        self.until = until


@transaction.atomic
def review(
    otec: Otec, sent: Mapping[str, str], runs: list[str], context: RequestContext, *, asker: Holder | None = None
) -> list[Finding]:
    """Run the protocol's own checks for each RUN, as of the action's first day, or today if it has begun.

    Without a token in `sent`, a valid one of the OTEC is assumed. The number of queries is constant. `asker` is the
    signed-in company; an API client has none. Raises `TooManyReviewed`.
    """
    run_by_input = {run: _in_protocol_form(run) for run in runs[:MOST]}
    _spend_allowance(otec, len(run_by_input))
    with_key = _participants_with_key(otec, set(run_by_input.values()))
    action = Action.objects.select_related("otec").filter(code=sent.get("CodigoCurso", "")).first()
    # Enrolments in another OTEC's action must not be disclosed.
    enrolled = Enrolment.objects.filter(action=action, action__otec=otec, run__in=run_by_input.values())
    enrolments = {enrolment.run: enrolment for enrolment in enrolled}
    shared = RceRequest(Environment.PRODUCTION, False, sent)
    token = shared.token if sent.get("Token") else Token(otec=otec)
    findings = []
    for input_text, run in run_by_input.items():
        request = _request_for(otec, sent, run)
        enrolment = enrolments.get(run)
        request.__dict__.update(action=action, enrolment=enrolment, token=token, day=_first_day(request, action))
        findings.append(Finding(input_text, checks.codes(request), with_key.get(run)))
    audit.record("roster.reviewed", context, holder=asker, otec=otec.pk, runs=len(run_by_input), told=len(with_key))
    return findings


def _participants_with_key(otec: Otec, runs: set[str]) -> dict[str, bool]:
    """Return whether each of the OTEC's participants has a key, and record the lookups for the holders to see."""
    enrolled = Enrolment.objects.filter(action__otec=otec, run__in=runs, removed_at=None)
    with_key = dict.fromkeys(enrolled.values_list("run", flat=True), False)
    accounts = Holder.objects.filter(profile=Profile.PERSONA_NATURAL, identifier__in=with_key)
    lookups = []
    for holder, run, changed_at in accounts.values_list("pk", "identifier", "credential__changed_at"):
        with_key[run] = changed_at is not None
        lookups.append(AccountLookup(holder_id=holder, otec=otec, day=clock.today()))
    AccountLookup.objects.bulk_create(lookups, ignore_conflicts=True)
    return with_key


def _spend_allowance(otec: Otec, runs: int) -> None:
    now = clock.now()
    ReviewAllowance.objects.bulk_create([ReviewAllowance(otec=otec, at=now)], ignore_conflicts=True)
    allowance = ReviewAllowance.objects.select_for_update().get(otec=otec)
    leaked = max(0.0, (now - allowance.at).total_seconds()) * PER_HOUR / 3600
    total = max(0, ceil(allowance.asked - leaked)) + runs
    if total > BURST:
        raise TooManyReviewed(now + timedelta(hours=(total - BURST) / PER_HOUR))
    ReviewAllowance.objects.filter(pk=allowance.pk).update(asked=total, at=now)


def _request_for(otec: Otec, sent: Mapping[str, str], run: str) -> RceRequest:
    parameters = {"RutOtec": otec.rut, "IdSesionAlumno": _SESSION, "Token": "-", **{k: v for k, v in sent.items() if v}}
    # In line 1 CodSence is blank, but must be present.
    return RceRequest(Environment.PRODUCTION, False, {"CodSence": "", **parameters, "RunAlumno": run})


def _first_day(request: RceRequest, action: Action | None) -> date:
    return max(request.day, action.starts) if action else request.day


def _in_protocol_form(text: str) -> str:
    """Return a RUN in the protocol's format if it can be parsed, so that mere dots do not count as an error."""
    try:
        return str(Rut.parse(text)) if strict_rut(text) is None else text.upper()
    except InvalidRut:
        return text
