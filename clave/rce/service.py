"""The use cases of the protocol: a request waits while its participant signs in, then is carried out once."""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F

from clave.attendance import sessions
from clave.attendance.models import Ended, Ending, Opening
from clave.audit import service as audit
from clave.credentials import service as keys
from clave.credentials.service import Proof
from clave.db import store
from clave.db.hot_queries import Asked, Lookup, changing, insert, inserting, numbering, together
from clave.holders.models import Holder
from clave.holders.service import Claim, find_person
from clave.lib import clock
from clave.lib.crypto import is_keyed_hash, keyed_hash, random_id
from clave.lib.outcome import Refused
from clave.lib.request_context import Visit
from clave.operations.gate import CLOSING
from clave.rce import checks, observers, pending_limits, receipts, replies, trial_ids
from clave.rce.codes import GLOSAS
from clave.rce.models import Exchange
from clave.rce.replies import Answer
from clave.rce.request import SESSION, MarkRequest, RceError, split_url
from clave.signin import service as signin
from clave.training import tokens

STRICT_WAIT = timedelta(minutes=3)
STRICT_FAILURES = 3
PATIENCE = timedelta(hours=1)
PROOF_LASTS = timedelta(minutes=15)
_BROWSER_LENGTH = 32
_EXCHANGE = Lookup(lambda pk: Exchange.objects.select_related("token__body").filter(pk=pk), "pk")
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


def receive(asked: MarkRequest, secret: str, address: str) -> Exchange | Answer:
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
            exchange = Exchange(
                id=_closing_id() if asked.closing and not asked.testing else random_id(),
                environment=asked.environment,
                closing=asked.closing,
                fields={name: text for name, text in asked.fields.items() if name != "Token"},
                token=asked.token,
                course=asked.action.name if asked.action else "",
                browser=_browser_of(secret),
                created_at=clock.now(),
            )
            insert(exchange)
            observers.observe(exchange.pk, asked, None)
            return exchange
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


def find(pk: str, secret: str) -> Exchange | None:
    """Return the exchange to whom was given its secret."""
    return _only_to(secret, _EXCHANGE.all(pk))


def find_with(pk: str, secret: str, claim: Claim, visit: Visit) -> tuple[Exchange | None, keys.Try]:
    """Return the exchange as `find` does, and in the same message what a try of this claim's key needs to know."""
    tried, (found,) = keys.look_beside(claim, visit, _EXCHANGE.ask(pk))
    return _only_to(secret, found), tried


def _only_to(secret: str, found: list[Exchange]) -> Exchange | None:
    return next(
        (each for each in found if is_keyed_hash(each.browser, "exchange", secret, length=_BROWSER_LENGTH)), None
    )


def _browser_of(secret: str) -> str:
    return keyed_hash("exchange", secret)[:_BROWSER_LENGTH]


def request_of(exchange: Exchange) -> MarkRequest:
    """Return the request that an exchange keeps."""
    sent = {**exchange.fields, "Token": exchange.token.hint}
    return MarkRequest(exchange.environment, exchange.closing, sent, exchange.token)


def host_of(exchange: Exchange) -> str:
    """Return the host the participant goes back to."""
    parts = split_url(exchange.fields["UrlRetoma"])
    return parts.netloc if parts else ""


def is_strict(exchange: Exchange) -> bool:
    return settings.RCE_SIGNIN[exchange.environment] == "strict"


def overdue(exchange: Exchange) -> int | None:
    """Return the code of an exchange that has waited too long: 210 after three minutes, 312 in the patient variant."""
    waited = clock.now() - exchange.created_at
    if is_strict(exchange) and waited > STRICT_WAIT:
        return 210
    return 312 if waited > PATIENCE else None


def may_choose(exchange: Exchange) -> bool:
    """Say whether the participant has just signed in, and the account has not moved on since."""
    if exchange.proved_at is None or clock.now() - exchange.proved_at > PROOF_LASTS:
        return False
    run = request_of(exchange).run
    holder = find_person(run) if run else None
    return holder is not None and holder.version == exchange.proved_version


def refuse(exchange: Exchange, code: int) -> None:
    """Answer an exchange with an error, unless it has been answered."""
    try:
        together(_answering(exchange, replies.refused(request_of(exchange), [code])))
    except Answered:
        exchange.refresh_from_db(fields=["answer"])


def count_failure(exchange: Exchange) -> None:
    """Count a wrong key; in the strict variant the third one ends the exchange with 100."""
    Exchange.objects.filter(pk=exchange.pk).update(failures=F("failures") + 1)
    exchange.refresh_from_db(fields=["failures"])
    if is_strict(exchange) and exchange.failures >= STRICT_FAILURES:
        refuse(exchange, 100)


def signed_in(exchange: Exchange, proof: Proof, visit: Visit) -> None:
    """Carry out an exchange for who has just signed in. Raises `StillOpen`, `MinimumDataMissing`."""
    signin.let_in(proof, visit)
    _carry_out(exchange, proof.holder, visit, "")


def choose(exchange: Exchange, previous: str, visit: Visit) -> None:
    """Carry out an opening after closing (`cerrar`) or abandoning (`abandonar`) the session that is open."""
    run = request_of(exchange).run
    _carry_out(exchange, find_person(run) if run else None, visit, previous)


def close_here(opening: Opening, proof: Proof, visit: Visit) -> None:
    """Close a session on its own page. Raises `NotYours`, `MinimumDataMissing`."""
    if proof.holder.identifier != opening.enrolment.run:
        raise NotYours
    with transaction.atomic():
        signin.let_in(proof, visit)
        ending = sessions.close(opening, visit.address)
        code = opening.enrolment.action.code
        audit.record(f"attendance.{ending.kind}", visit, holder=proof.holder, action_code=code, seconds=ending.seconds)


def _carry_out(exchange: Exchange, holder: Holder | None, visit: Visit, previous: str) -> None:
    try:
        with transaction.atomic():
            _perform(exchange, holder, visit, previous)
    except Answered:
        exchange.refresh_from_db(fields=["answer"])
    except RceError as refusal:
        refuse(exchange, refusal.code)
    except sessions.AlreadyOpen:
        version = holder.version if holder else 0
        unanswered = Exchange.objects.filter(pk=exchange.pk, answer__isnull=True)
        waits = unanswered.update(proved_at=clock.now(), proved_version=version)
        if waits:
            raise StillOpen from None
        exchange.refresh_from_db(fields=["answer"])
    except DatabaseError:
        log.exception("rce.not_stored")
        refuse(exchange, 305)


def _perform(exchange: Exchange, holder: Holder | None, visit: Visit, previous: str) -> None:
    """Open or close. The checks are made again: since the request came, a token may have been revoked."""
    asked = request_of(exchange)
    if asked.testing:
        checks.require(asked)
        together(_answering(exchange, _rehearse(asked)))
    elif asked.closing:
        _close(exchange, asked, holder, visit)
    else:
        _open(exchange, asked, holder, visit, previous)


def _rehearse(asked: MarkRequest) -> Answer:
    """Answer as production would and record nothing."""
    if asked.tested:
        seconds = int((asked.now - asked.tested).total_seconds())
        answer = replies.closed(asked, asked.now, seconds, 0)
        return _receipted(answer, asked, asked[SESSION], asked.tested, (asked.now, seconds))
    public = trial_ids.make(str(asked.run), asked["CodigoCurso"], asked.now)
    answer = replies.opened(asked, public, asked.now, asked.now + sessions.longest(asked.line))
    return _receipted(answer, asked, public, asked.now)


def _receipted(
    answer: Answer, asked: MarkRequest, session: str, opened_at: datetime, ended: tuple[datetime, int] | None = None
) -> Answer:
    """Put a signed receipt beside the documented fields, for a body that asked for it."""
    if asked.token and asked.token.body.receipts:
        signed = receipts.receipt(asked, str(answer["kind"]), session, opened_at, ended)
        answer["fields"].append((receipts.FIELD, signed))
    return answer


def _open(exchange: Exchange, asked: MarkRequest, holder: Holder | None, visit: Visit, previous: str) -> None:
    running, number = asked.look(sessions.locking_running(str(asked.run), asked["CodigoCurso"]), numbering(Opening))
    checks.require(asked)
    if asked.enrolment is None or asked.token is None:
        raise RceError(300)
    course = asked["CodigoCurso"]
    if previous and running and running[0].limit_at >= clock.now():
        end = sessions.close if previous == "cerrar" else sessions.abandon
        ending = end(running.pop().opening, visit.address)
        audit.record(f"attendance.{ending.kind}", visit, holder=holder, action_code=course)

    def told(opening: Opening) -> list[Asked]:
        answer = replies.opened(asked, opening.public, opening.opened_at, opening.limit_at)
        entry = audit.entry_of("attendance.opened", visit, holder=holder, action_code=course)
        receipted = _receipted(answer, asked, opening.public, opening.opened_at)
        return [inserting(entry), _answering(exchange, receipted)]

    client_session = asked["IdSesionAlumno"]
    sessions.open_after(running, number, asked.enrolment, asked.token, client_session, visit.address, told)


def _close(exchange: Exchange, asked: MarkRequest, holder: Holder | None, visit: Visit) -> None:
    course = asked["CodigoCurso"]
    _locked, before = asked.look(sessions.locking(asked[SESSION]), sessions.crediting(str(asked.run), course))
    checks.require(asked)
    opening = asked.opening
    if opening is None:
        raise RceError(300)
    ended: Ending | None = getattr(opening, "ending", None)

    def told(ending: Ending) -> list[Asked]:
        total = before if ended else before + ending.seconds
        answer = replies.closed(asked, ending.at, ending.seconds, total)
        entry = audit.entry_of("attendance.closed", visit, holder=holder, action_code=course, seconds=ending.seconds)
        receipted = _receipted(answer, asked, opening.public, opening.opened_at, (ending.at, ending.seconds))
        return [inserting(entry), _answering(exchange, receipted)]

    if ended:
        together(*told(ended))
    elif sessions.close_locked(opening, visit.address, told).kind != Ended.CLOSED:
        raise RceError(305)


def _answering(exchange: Exchange, answer: Answer) -> Asked:
    """Return the statement that answers an exchange. Reading it raises `Answered` if it was answered before."""
    statement = changing(Exchange, {"id": exchange.pk, "answer": None}, answer=answer)

    def read(result: store.Answer) -> None:
        if not result.changed:
            raise Answered
        exchange.answer = answer
        if observers.observers:
            observers.observe(exchange.pk, request_of(exchange), answer)

    return statement._replace(read=read)
