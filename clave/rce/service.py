"""The use cases of the protocol: a request waits while its participant signs in, then is carried out once."""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F

from clave.attendance import sessions
from clave.attendance.models import EndKind, SessionEnd, SessionStart
from clave.audit import service as audit
from clave.credentials import service as keys
from clave.credentials.service import Proof
from clave.db import store
from clave.db.hot_queries import Asked, Lookup, changing, insert, inserting, numbering, together
from clave.holders.models import Holder
from clave.holders.service import ClaimedIdentity, find_person
from clave.lib import clock
from clave.lib.crypto import is_keyed_hash, keyed_hash, random_id
from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext
from clave.rce import checks, observers, pending_limits, receipts, replies, trial_ids
from clave.rce.codes import GLOSAS
from clave.rce.models import PendingRequest
from clave.rce.replies import Answer
from clave.rce.request import SESSION, RceError, RceRequest, split_url
from clave.signin import service as signin
from clave.training import tokens

STRICT_WAIT = timedelta(minutes=3)
STRICT_FAILURES = 3
PATIENCE = timedelta(hours=1)
PROOF_LASTS = timedelta(minutes=15)
_BROWSER_LENGTH = 32
_EXCHANGE = Lookup(lambda pk: PendingRequest.objects.select_related("token__otec").filter(pk=pk), "pk")
# How the id of a request that closes a session begins: the gate lets it in first (`CLAVE_URGENT_PATHS`).
CLOSING = "c105e"
log = structlog.get_logger(__name__)


class StillOpen(Exception):
    """The participant must first say what becomes of the session that is open."""


class Answered(Exception):
    """Somebody else, a second click perhaps, has answered the exchange first: what was done is undone."""


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
            insert(pending)
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
    """Return the exchange to whom was given its secret."""
    return _only_to(secret, _EXCHANGE.all(pk))


def find_with(
    pk: str, secret: str, claim: ClaimedIdentity, context: RequestContext
) -> tuple[PendingRequest | None, keys.SignInAttempt]:
    """Return the exchange as `find` does, and in the same message what a try of this claim's key needs to know."""
    attempt, (found,) = keys.look_beside(claim, context, _EXCHANGE.ask(pk))
    return _only_to(secret, found), attempt


def _only_to(secret: str, found: list[PendingRequest]) -> PendingRequest | None:
    return next(
        (each for each in found if is_keyed_hash(each.browser, "exchange", secret, length=_BROWSER_LENGTH)), None
    )


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


def refuse(pending: PendingRequest, code: int) -> None:
    """Answer an exchange with an error, unless it has been answered."""
    try:
        together(_answering(pending, replies.refused(request_of(pending), [code])))
    except Answered:
        pending.refresh_from_db(fields=["answer"])


def count_failure(pending: PendingRequest) -> None:
    """Count a wrong key; in the strict variant the third one ends the exchange with 100."""
    PendingRequest.objects.filter(pk=pending.pk).update(failures=F("failures") + 1)
    pending.refresh_from_db(fields=["failures"])
    if is_strict(pending) and pending.failures >= STRICT_FAILURES:
        refuse(pending, 100)


def signed_in(pending: PendingRequest, proof: Proof, context: RequestContext) -> None:
    """Carry out an exchange for who has just signed in. Raises `StillOpen`, `MinimumDataMissing`."""
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
            _perform(pending, holder, context, previous)
    except Answered:
        pending.refresh_from_db(fields=["answer"])
    except RceError as refusal:
        refuse(pending, refusal.code)
    except sessions.AlreadyOpen:
        version = holder.version if holder else 0
        unanswered = PendingRequest.objects.filter(pk=pending.pk, answer__isnull=True)
        waits = unanswered.update(proved_at=clock.now(), proved_version=version)
        if waits:
            raise StillOpen from None
        pending.refresh_from_db(fields=["answer"])
    except DatabaseError:
        log.exception("rce.not_stored")
        refuse(pending, 305)


def _perform(pending: PendingRequest, holder: Holder | None, context: RequestContext, previous: str) -> None:
    """Open or close. The checks are made again: since the request came, a token may have been revoked."""
    asked = request_of(pending)
    if asked.testing:
        checks.require(asked)
        together(_answering(pending, _rehearse(asked)))
    elif asked.closing:
        _close(pending, asked, holder, context)
    else:
        _open(pending, asked, holder, context, previous)


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


def _open(
    pending: PendingRequest, asked: RceRequest, holder: Holder | None, context: RequestContext, previous: str
) -> None:
    running, number = asked.look(
        sessions.locking_running(str(asked.run), asked["CodigoCurso"]), numbering(SessionStart)
    )
    checks.require(asked)
    if asked.enrolment is None or asked.token is None:
        raise RceError(300)
    course = asked["CodigoCurso"]
    if previous and running and running[0].limit_at >= clock.now():
        end = sessions.close if previous == "cerrar" else sessions.abandon
        ending = end(running.pop().opening, context.address)
        audit.record(f"attendance.{ending.kind}", context, holder=holder, action_code=course)

    def told(opening: SessionStart) -> list[Asked]:
        answer = replies.opened(asked, opening.public, opening.opened_at, opening.limit_at)
        entry = audit.entry_of("attendance.opened", context, holder=holder, action_code=course)
        receipted = _receipted(answer, asked, opening.public, opening.opened_at)
        return [inserting(entry), _answering(pending, receipted)]

    client_session = asked["IdSesionAlumno"]
    sessions.open_after(running, number, asked.enrolment, asked.token, client_session, context.address, told)


def _close(pending: PendingRequest, asked: RceRequest, holder: Holder | None, context: RequestContext) -> None:
    course = asked["CodigoCurso"]
    _locked, before = asked.look(sessions.locking(asked[SESSION]), sessions.crediting(str(asked.run), course))
    checks.require(asked)
    opening = asked.opening
    if opening is None:
        raise RceError(300)
    ended: SessionEnd | None = getattr(opening, "ending", None)

    def told(ending: SessionEnd) -> list[Asked]:
        total = before if ended else before + ending.seconds
        answer = replies.closed(asked, ending.at, ending.seconds, total)
        entry = audit.entry_of("attendance.closed", context, holder=holder, action_code=course, seconds=ending.seconds)
        receipted = _receipted(answer, asked, opening.public, opening.opened_at, (ending.at, ending.seconds))
        return [inserting(entry), _answering(pending, receipted)]

    if ended:
        together(*told(ended))
    elif sessions.close_locked(opening, context.address, told).kind != EndKind.CLOSED:
        raise RceError(305)


def _answering(pending: PendingRequest, answer: Answer) -> Asked:
    """Return the statement that answers an exchange. Reading it raises `Answered` if it was answered before."""
    statement = changing(PendingRequest, {"id": pending.pk, "answer": None}, answer=answer)

    def read(result: store.Answer) -> None:
        if not result.changed:
            raise Answered
        pending.answer = answer
        if observers.observers:
            observers.observe(pending.pk, request_of(pending), answer)

    return statement._replace(read=read)
