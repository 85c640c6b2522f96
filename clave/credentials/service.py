"""The life of a key: set, tried, locked, recovered, changed."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from clave.audit import service as audit
from clave.credentials import hashing, policy, secret_questions, throttling
from clave.credentials.models import Attempts, Credential, SecretAnswer, TemporaryKey
from clave.holders.models import Holder
from clave.holders.service import AccountChanged, ClaimedIdentity, lock, read_as_if_found
from clave.lib import clock
from clave.lib.crypto import keyed_hash, keyed_hashes
from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext
from clave.notifications import notices


class WrongKey(Refused):
    """The identifier and the key do not go together. `known` must not reach a page before a captcha."""

    def __init__(self, *, known: bool = False, legacy: bool = False, locked: bool = False) -> None:
        super().__init__("wrong_key", _("El RUT o la Clave SENCE no son correctos."))
        self.known = known
        self.legacy = legacy
        self.locked = locked


class WrongAnswer(Refused):
    """The secret answer is not the one on file."""

    def __init__(self) -> None:
        super().__init__("wrong_answer", _("La respuesta no es correcta. Revísela e intente otra vez."), field="answer")


class KeyAlreadyChanged(Refused):
    """Somebody else used the same proof first: of two changes at once, one wins."""

    status = 409

    def __init__(self) -> None:
        super().__init__("already_changed", _("Su clave ya fue cambiada con esta validación. Empiece de nuevo."))


class Proof:
    """That a holder gave the right key: a CS at some version, or a temporary key. Used up by `replace`.

    `holder` is as it was then: a proof is worth nothing once the account has another version.
    """

    def __init__(self, holder: Holder, version: int, temporary: int = 0, *, known_browser: bool = False) -> None:
        self.holder = holder
        self.version = version
        self.temporary = temporary
        self.known_browser = known_browser


def about(holder: Holder) -> policy.About:
    """Collect what a key of this holder must not repeat."""
    phones = tuple(
        "".join(char for char in phone if char.isdigit())
        for phone in (holder.home_phone, holder.work_phone, holder.mobile)
        if phone
    )
    return policy.About(holder.identifier, holder.birth_date, phones, holder.email, holder.full_name)


def set_first(holder: Holder, key: str) -> None:
    """Give a new holder its CS. Raises `PolicyViolation`."""
    policy.check(key, about(holder))
    import_password(holder, key)


def import_password(holder: Holder, key: str) -> None:
    """Give a holder the CS it had elsewhere, perhaps under another policy: it is not judged."""
    Credential.objects.update_or_create(
        holder=holder,
        defaults={"hash": hashing.make(key), "previous_hash": "", "changed_at": clock.now()},
    )


def answer_hash(answer: str) -> str:
    """Return what is kept of a secret answer. Raises `CommonAnswer`."""
    secret_questions.check_answer(answer)
    return hashing.make(secret_questions.normalised(answer))


def set_answer(holder: Holder, question: str, answer: str) -> None:
    """Set the secret question and answer. Raises `CommonAnswer`."""
    set_answer_hash(holder, question, answer_hash(answer))


def set_answer_hash(holder: Holder, question: str, hashed: str) -> None:
    """Set the secret question with an answer that is kept already, as `answer_hash` made it."""
    SecretAnswer.objects.update_or_create(holder=holder, defaults={"question": question, "hash": hashed})


def question_of(account: str, holder: Holder | None) -> str:
    """Return the code of the question to ask: the holder's, or a decoy that looks the same."""
    if holder is not None and hasattr(holder, "secret_answer"):
        return str(holder.secret_answer.question)
    return secret_questions.decoy_question(account)


def _tag(holder: Holder, key: str) -> str:
    return keyed_hash("temporary", str(holder.pk), key)[:4]


def _may_be(temporary: TemporaryKey, holder: Holder, key: str) -> bool:
    """Say whether a key is worth a hash against a temporary one; its tag may be of a former secret key."""
    return any(temporary.tag == each[:4] for each in keyed_hashes("temporary", str(holder.pk), key))


def _live_temporary(holder: Holder | None) -> TemporaryKey | None:
    temporary: TemporaryKey | None = getattr(holder, "temporary_key", None)
    return temporary if temporary and not temporary.used_at and temporary.expires_at > clock.now() else None


@dataclass(frozen=True)
class SignInAttempt:
    """Whom a claim means, if anybody, and the limits that a try at its key meets."""

    holder: Holder | None
    limits: throttling.RateLimits


@cache
def _nobody() -> tuple[Holder, Credential]:
    now = clock.now()
    holder = Holder(
        profile="PN",
        identifier="1-9",
        names="Nadie",
        surnames="De Ninguna Parte",
        birth_date=date(1990, 1, 1),
        email="nadie@example.cl",
        mobile="+56900000000",
        street="Ninguna",
        street_number="0",
        comuna="13101",
        created_at=now,
        updated_at=now,
    )
    return holder, Credential(holder=holder, hash="x" * 97, changed_at=now)


def equalize_lookup_cost() -> None:
    """Do the work of reading a holder, for a claim that names nobody: a registered RUT takes no longer."""
    read_as_if_found(*_nobody())


def look_up(claim: ClaimedIdentity, context: RequestContext) -> SignInAttempt:
    """Look up what a try of this claim's key needs to know."""
    holder = claim.holder()
    if holder is None:
        equalize_lookup_cost()
    return SignInAttempt(holder, throttling.limits("key", claim.account, context))


def try_key(claim: ClaimedIdentity, key: str, context: RequestContext, action: str, *, human: bool = True) -> Proof:
    """Try a key; audit a refusal as `action` and tell the holder when the key begins to wait. Raises as `verify`."""
    attempt = look_up(claim, context)
    try:
        return verify(attempt, key, human=human)
    except Refused as refused:
        audit.record(action, context, holder=attempt.holder, outcome=refused.code)
        if isinstance(refused, WrongKey) and refused.locked:
            notices.key_locked(attempt.holder)
        raise


def verify(attempt: SignInAttempt, key: str, *, human: bool = True) -> Proof:
    """Try a key against whom somebody says to be: the same work whether there is such a holder or not.

    `human` says that the letters of an image came with the try. Raises `TooManyAttempts` and `CaptchaNeeded`
    before any hash, `WrongKey` after one. A live temporary key is accepted; the
    caller sees it in `Proof.temporary` and lets it do nothing but change the CS.
    """
    holder, limits = attempt.holder, attempt.limits
    limits.reserve(human=human)
    temporary = _live_temporary(holder)
    credential: Credential | None = getattr(holder, "credential", None)
    if holder and temporary and _may_be(temporary, holder, key) and hashing.matches(temporary.hash, key):
        limits.take_back()
        return Proof(holder, credential.version if credential else 0, temporary.serial)
    if hashing.matches(credential.hash if credential else None, key) and holder and credential:
        limits.release()
        _renew_outdated_hash(credential, key)
        return Proof(holder, credential.version, known_browser=limits.known_browser)
    raise WrongKey(known=holder is not None, legacy=bool(holder and holder.legacy), locked=limits.fail())


def _renew_outdated_hash(credential: Credential, key: str) -> None:
    """Hash a right key anew if its hash was made with other parameters than today's (ASVS 5, 11.4.4)."""
    if hashing.outdated(credential.hash):
        same = Credential.objects.filter(pk=credential.pk, version=credential.version, hash=credential.hash)
        same.update(hash=hashing.make(key))


def verify_answer(account: str, holder: Holder | None, answer: str, context: RequestContext, action: str) -> Holder:
    """Try a secret answer; return the holder it proves. Raises `TooManyAttempts`, `WrongAnswer`.

    A refusal is audited as `action`; the holder is told when the answers begin to wait.
    """
    limits = throttling.limits("answer", account, context, throttling.ANSWER)
    secret = getattr(holder, "secret_answer", None)
    try:
        limits.reserve()
        if not hashing.matches(secret.hash if secret else None, secret_questions.normalised(answer)) or holder is None:
            if limits.fail():
                notices.key_locked(holder)
            raise WrongAnswer
    except Refused as refused:
        audit.record(action, context, holder=holder, outcome=refused.code)
        raise
    limits.release()
    return holder


def issue_temporary(holder: Holder) -> tuple[str, datetime]:
    """Make a temporary key and return it with its expiry. An earlier one stops working."""
    key, now = policy.generate(), clock.now()
    expires = now + timedelta(seconds=settings.TEMPORARY_KEY_SECONDS)
    fields = {"hash": hashing.make(key), "tag": _tag(holder, key), "created_at": now, "expires_at": expires}
    with transaction.atomic():
        _, made = TemporaryKey.objects.get_or_create(holder=holder, defaults=fields)
        if not made:
            TemporaryKey.objects.filter(holder=holder).update(serial=F("serial") + 1, used_at=None, **fields)
    return key, expires


def replace(proof: Proof, key: str) -> None:
    """Set a new CS on the strength of a proof, once. Raises `PolicyViolation`, `KeyAlreadyChanged`.

    Call inside the use case's transaction.
    """
    try:
        holder = lock(proof.holder)
    except AccountChanged:
        raise KeyAlreadyChanged from None
    policy.check(key, about(holder))
    credential = Credential.objects.select_for_update().filter(holder=holder).first()
    used = [credential.hash, credential.previous_hash] if credential else []
    if any(old and hashing.matches(old, key) for old in used):
        raise policy.PolicyViolation(["previous"])
    if proof.temporary:
        live = TemporaryKey.objects.filter(
            holder=holder, serial=proof.temporary, used_at=None, expires_at__gt=clock.now()
        )
        if not live.update(used_at=clock.now()):
            raise KeyAlreadyChanged
    else:
        TemporaryKey.objects.filter(holder=holder, used_at=None).update(used_at=clock.now())
    _store(holder, credential, proof.version, hashing.make(key))


def _store(holder: Holder, credential: Credential | None, version: int, hashed: str) -> None:
    if credential is None:
        if version:
            raise KeyAlreadyChanged
        try:
            with transaction.atomic():
                Credential.objects.create(holder=holder, hash=hashed, changed_at=clock.now())
        except IntegrityError:
            raise KeyAlreadyChanged from None
        return
    changed = Credential.objects.filter(holder=holder, version=version).update(
        hash=hashed, previous_hash=credential.hash, version=version + 1, changed_at=clock.now()
    )
    if not changed:
        raise KeyAlreadyChanged


def remember_browser(holder: Holder, context: RequestContext) -> None:
    """Note that the holder has proved to be one in this browser, unless the account has moved on since."""
    if context.browser and Holder.objects.filter(pk=holder.pk, version=holder.version).exists():
        row = Attempts(axis=throttling.browser_axis(holder.account, context), holder=holder, last_at=clock.now())
        Attempts.objects.bulk_create([row], ignore_conflicts=True)


def unlock(account: str) -> None:
    """Forget a holder's failures, after a proof of another kind."""
    Attempts.objects.filter(axis__in=throttling.axes_of_account(account)).delete()
