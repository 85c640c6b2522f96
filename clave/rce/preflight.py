"""Checks a whole roster before day one: which code would each participant earn, and who has no CS yet.

Whether somebody has a Clave is told only of those enrolled with the OTEC that asks; how many RUNs it may ask about is
limited, that it asked is audited, and the holders can see it (decision 0025).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from typing import Any

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
# An OTEC may ask about so many RUNs at a stretch, and about so many more each hour.
BURST, PER_HOUR = 6000, 2000
_SESSION = "revision"


@dataclass(frozen=True)
class Finding:
    """What would happen to one participant: `codes` in the protocol's order, none if all is well.

    `has_key` is None for who is not enrolled with the OTEC: about them nothing is told.
    """

    run: str
    codes: list[int]
    has_key: bool | None

    @property
    def meanings(self) -> list[Any]:
        return [GLOSAS[code] for code in self.codes]

    @property
    def ready(self) -> bool:
        return not self.codes and bool(self.has_key)


class TooManyReviewed(Refused):
    """The OTEC has asked about too many RUNs lately; from `until` on it may ask about these."""

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
    """Run the protocol's own checks for each RUN, as on the action's first day, or today if it has begun.

    Without a token in `sent` one of the OTEC's is taken for granted. A constant number of queries. `asker` is the
    company that is signed in; a program has none. Raises `TooManyReviewed`.
    """
    wanted = {run: _written(run) for run in runs[:MOST]}
    _spend_allowance(otec, len(wanted))
    with_key = _participants_with_key(otec, set(wanted.values()))
    action = Action.objects.select_related("otec").filter(code=sent.get("CodigoCurso", "")).first()
    # Who is enrolled in another OTEC's action is not this OTEC's business.
    enrolled = Enrolment.objects.filter(action=action, action__otec=otec, run__in=wanted.values())
    enrolments = {each.run: each for each in enrolled}
    shared = RceRequest(Environment.PRODUCTION, False, sent)
    token = shared.token if sent.get("Token") else Token(otec=otec)
    found = []
    for typed, run in wanted.items():
        asked = _asked(otec, sent, run)
        enrolment = enrolments.get(run)
        asked.__dict__.update(action=action, enrolment=enrolment, token=token, day=_first_day(asked, action))
        found.append(Finding(typed, checks.codes(asked), with_key.get(run)))
    audit.record("roster.reviewed", context, holder=asker, otec=otec.pk, runs=len(wanted), told=len(with_key))
    return found


def _participants_with_key(otec: Otec, runs: set[str]) -> dict[str, bool]:
    """Say of each participant of the OTEC whether they have a key, and note for the holders that it was asked."""
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
    spent = ReviewAllowance.objects.select_for_update().get(otec=otec)
    leaked = max(0.0, (now - spent.at).total_seconds()) * PER_HOUR / 3600
    asked = max(0, ceil(spent.asked - leaked)) + runs
    if asked > BURST:
        raise TooManyReviewed(now + timedelta(hours=(asked - BURST) / PER_HOUR))
    ReviewAllowance.objects.filter(pk=spent.pk).update(asked=asked, at=now)


def _asked(otec: Otec, sent: Mapping[str, str], run: str) -> RceRequest:
    given = {"RutOtec": otec.rut, "IdSesionAlumno": _SESSION, "Token": "-", **{k: v for k, v in sent.items() if v}}
    # In line 1 the course's code is blank, but there.
    return RceRequest(Environment.PRODUCTION, False, {"CodSence": "", **given, "RunAlumno": run})


def _first_day(asked: RceRequest, action: Action | None) -> date:
    return max(asked.day, action.starts) if action else asked.day


def _written(text: str) -> str:
    """Return a RUN as the protocol writes it if that is clear, so that dots alone are no fault."""
    try:
        return str(Rut.parse(text)) if strict_rut(text) is None else text.upper()
    except InvalidRut:
        return text
