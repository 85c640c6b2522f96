"""The use cases of the protocol: a request waits while its participant signs in, then is carried out once."""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F

from clave.attendance import sessions
from clave.attendance.models import EndKind, SessionStart
from clave.audit import service as audit
from clave.credentials.service import Proof
from clave.db.hot_queries import Lookup
from clave.holders.models import Holder
from clave.holders.service import find_person
from clave.lib import clock
from clave.lib.crypto import is_keyed_hash, keyed_hash, random_id
from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext
from clave.rce import checks, observers, pending_limits, receipts, replies, trial_ids
from clave.rce.codes import GLOSAS
from clave.rce.models import PendingRequest
from clave.rce.replies import Answer
from clave.rce.request import SESSION, RceRequest, split_url
from clave.signin import service as signin
from clave.training import tokens

STRICT_WAIT = timedelta(minutes=3)
STRICT_FAILURES = 3
PATIENCE = timedelta(hours=1)
PROOF_LASTS = timedelta(minutes=15)
_BROWSER_LENGTH = 32
_PENDING = Lookup(lambda pk: PendingRequest.objects.select_related("token__otec").filter(pk=pk), "pk")
_LOCKED = Lookup(lambda pk: PendingRequest.objects.select_for_update().filter(pk=pk), "pk")
# How the id of a request that closes a session begins: the gate lets it in first (`CLAVE_URGENT_PATHS`).
CLOSING = "c105e"
log = structlog.get_logger(__name__)


class NotYours(Refused):
    """Somebody other than the participant signed in to close a session."""

    status = 403

    def __init__(self) -> None:
        super().__init__("not_yours", str(GLOSAS[311]))


def receive(asked: RceRequest, secret: str, address: str) -> PendingRequest | Answer:
    """Judge a request as far as that needs no identity: keep it while the participant signs in, or answer it.

    Only who brings `secret` may go on with what is kept.
    """
    try:
        wished = observers.overridden(asked)
        failed = [wished] if wished else checks.codes(asked)
        if not failed and not pending_limits.may_wait(asked, address):
            failed = [300]
        if not failed and asked.token:
            tokens.note_use(asked.token, asked["Token"])
            pending = PendingRequest(
                id=_closing_id() if asked.closing and not asked.testing else random_id(),
                environment=asked.environment,
                closing=asked.closing,
                fields={name: text for name, text in asked.fields.items() if name != "Token"},
                token=asked.token,
                course=asked.action.name if asked.action else "",
                browser=_browser_of(secret),
                created_at=clock.now(),
            )
            pending.save(force_insert=True)
            observers.observe(pending.pk, asked, None)
            return pending
    except Exception:  # whatever it is, the platform must not be left hanging
        log.exception("rce.failed")
        failed = [300]
    log.info("rce.refused", codes=failed, environment=asked.environment, closing=asked.closing)
    answer = replies.refused(asked, failed)
    observers.observe("", asked, answer)
    return answer


def _closing_id() -> str:
    """Return an id by which the gate sees that a session is closed: 108 random bits are left."""
    return CLOSING + random_id()[len(CLOSING) :]


def find(pk: str, secret: str) -> PendingRequest | None:
    """Return the waiting request, to whom was given its secret."""
    found = _PENDING.one(pk)
    return found if found and is_keyed_hash(found.browser, "exchange", secret, length=_BROWSER_LENGTH) else None


def _browser_of(secret: str) -> str:
    return keyed_hash("exchange", secret)[:_BROWSER_LENGTH]


def request_of(pending: PendingRequest) -> RceRequest:
    """Return the request that an exchange keeps."""
    sent = {**pending.fields, "Token": pending.token.hint}
    return RceRequest(pending.environment, pending.closing, sent, pending.token)


def host_of(pending: PendingRequest) -> str:
    """Return the host the participant goes back to."""
    parts = split_url(pending.fields["UrlRetoma"])
    return parts.netloc if parts else ""


def is_strict(pending: PendingRequest) -> bool:
    return settings.RCE_SIGNIN[pending.environment] == "strict"


def overdue(pending: PendingRequest) -> int | None:
    """Return the code of an exchange that has waited too long: 210 after three minutes, 312 in the patient variant."""
    waited = clock.now() - pending.created_at
    if is_strict(pending) and waited > STRICT_WAIT:
        return 210
    return 312 if waited > PATIENCE else None


def may_choose(pending: PendingRequest) -> bool:
    """Say whether the participant has just signed in, and the account has not moved on since."""
    if pending.proved_at is None or clock.now() - pending.proved_at > PROOF_LASTS:
        return False
    run = request_of(pending).run
    holder = find_person(run) if run else None
    return holder is not None and holder.version == pending.proved_version


@transaction.atomic
def refuse(pending: PendingRequest, code: int) -> None:
    """Answer a waiting request with an error, unless it has been answered."""
    if not _answered_meanwhile(pending):
        _answer(pending, replies.refused(request_of(pending), [code]))


def count_failure(pending: PendingRequest) -> None:
    """Count a wrong key; in the strict variant the third one ends the exchange with 100."""
    PendingRequest.objects.filter(pk=pending.pk).update(failures=F("failures") + 1)
    pending.refresh_from_db(fields=["failures"])
    if is_strict(pending) and pending.failures >= STRICT_FAILURES:
        refuse(pending, 100)


def signed_in(pending: PendingRequest, proof: Proof, context: RequestContext) -> None:
    """Carry out a request for who has just signed in. Raises `MinimumDataMissing`.

    Afterwards it has its answer, unless the participant must first choose what becomes of an open session.
    """
    signin.let_in(proof, context)
    _carry_out(pending, proof.holder, context, "")


def choose(pending: PendingRequest, previous: str, context: RequestContext) -> None:
    """Carry out an opening after closing (`cerrar`) or abandoning (`abandonar`) the session that is open."""
    run = request_of(pending).run
    _carry_out(pending, find_person(run) if run else None, context, previous)


def close_here(opening: SessionStart, proof: Proof, context: RequestContext) -> None:
    """Close a session on its own page. Raises `NotYours`, `MinimumDataMissing`."""
    if proof.holder.identifier != opening.enrolment.run:
        raise NotYours
    with transaction.atomic():
        signin.let_in(proof, context)
        ending = sessions.close(opening, context.address)
        code = opening.enrolment.action.code
        audit.record(
            f"attendance.{ending.kind}", context, holder=proof.holder, action_code=code, seconds=ending.seconds
        )


def _carry_out(pending: PendingRequest, holder: Holder | None, context: RequestContext, previous: str) -> None:
    try:
        with transaction.atomic():
            if not _answered_meanwhile(pending):
                _perform(pending, holder, context, previous)
    except sessions.AlreadyOpen:
        _let_choose(pending, holder)
    except DatabaseError:
        log.exception("rce.not_stored")
        refuse(pending, 305)


@transaction.atomic
def _let_choose(pending: PendingRequest, holder: Holder | None) -> None:
    """Note who has signed in: the participant says what becomes of the session that is open (`may_choose`)."""
    if not _answered_meanwhile(pending):
        pending.proved_at, pending.proved_version = clock.now(), holder.version if holder else 0
        pending.save(update_fields=["proved_at", "proved_version"])


def _answered_meanwhile(pending: PendingRequest) -> bool:
    """Lock a waiting request and say whether somebody else, a second click perhaps, has answered it first."""
    locked = _LOCKED.one(pending.pk)
    pending.answer = locked.answer if locked else None
    return pending.answer is not None


def _answer(pending: PendingRequest, answer: Answer) -> None:
    pending.answer = answer
    pending.save(update_fields=["answer"])
    if observers.observers:
        observers.observe(pending.pk, request_of(pending), answer)


def _perform(pending: PendingRequest, holder: Holder | None, context: RequestContext, previous: str) -> None:
    """Open or close. The checks are made again: since the request came, a token may have been revoked.

    Raises `AlreadyOpen`, and what was done is undone.
    """
    asked = request_of(pending)
    codes = checks.codes(asked)[:1]
    if codes:
        _answer(pending, replies.refused(asked, codes))
    elif asked.testing:
        _answer(pending, _rehearse(asked))
    elif asked.closing:
        _answer(pending, _close(asked, holder, context))
    else:
        _answer(pending, _open(asked, holder, context, previous))


def _rehearse(asked: RceRequest) -> Answer:
    """Answer as production would and record nothing."""
    if asked.tested:
        seconds = int((asked.now - asked.tested).total_seconds())
        answer = replies.closed(asked, asked.now, seconds, 0)
        return _receipted(answer, asked, asked[SESSION], asked.tested, (asked.now, seconds))
    public = trial_ids.make(str(asked.run), asked["CodigoCurso"], asked.now)
    answer = replies.opened(asked, public, asked.now, asked.now + sessions.longest(asked.line))
    return _receipted(answer, asked, public, asked.now)


def _receipted(
    answer: Answer, asked: RceRequest, session: str, opened_at: datetime, ended: tuple[datetime, int] | None = None
) -> Answer:
    """Put a signed receipt beside the documented fields, for an OTEC that asked for it."""
    if asked.token and asked.token.otec.receipts:
        signed = receipts.receipt(asked, str(answer["kind"]), session, opened_at, ended)
        answer["fields"].append((receipts.FIELD, signed))
    return answer


def _open(asked: RceRequest, holder: Holder | None, context: RequestContext, previous: str) -> Answer:
    enrolment, token, course = asked.enrolment, asked.token, asked["CodigoCurso"]
    if enrolment is None or token is None:
        return replies.refused(asked, [300])
    active = sessions.active(enrolment) if previous else None
    if active:
        end = sessions.close if previous == "cerrar" else sessions.abandon
        ending = end(active.opening, context.address)
        audit.record(f"attendance.{ending.kind}", context, holder=holder, action_code=course)
    opening = sessions.open_session(enrolment, token, asked["IdSesionAlumno"], context.address)
    audit.record("attendance.opened", context, holder=holder, action_code=course)
    answer = replies.opened(asked, opening.public, opening.opened_at, opening.limit_at)
    return _receipted(answer, asked, opening.public, opening.opened_at)


def _close(asked: RceRequest, holder: Holder | None, context: RequestContext) -> Answer:
    opening, course = asked.opening, asked["CodigoCurso"]
    if opening is None:
        return replies.refused(asked, [300])
    ending = sessions.close(opening, context.address)
    if ending.kind != EndKind.CLOSED:
        return replies.refused(asked, [305])
    audit.record("attendance.closed", context, holder=holder, action_code=course, seconds=ending.seconds)
    answer = replies.closed(asked, ending.at, ending.seconds, sessions.credited(opening.enrolment))
    return _receipted(answer, asked, opening.public, opening.opened_at, (ending.at, ending.seconds))
