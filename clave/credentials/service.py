"""Life cycle of a CS: setting, verifying, locking, recovering, changing."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, lru_cache

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from clave.audit import service as audit
from clave.credentials import hashing, policy, secret_questions, throttling
from clave.credentials.models import Attempts, Credential, SecretAnswer, TemporaryKey
from clave.holders.models import Holder
from clave.holders.service import AccountChanged, ClaimedIdentity, lock, simulate_lookup, stored_row
from clave.lib import clock
from clave.lib.crypto import keyed_hash, keyed_hashes
from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext
from clave.notifications import notices


class WrongKey(Refused):
    """The identifier and key do not match. `known` must not reach a page before a captcha."""

    def __init__(self, *, known: bool = False, legacy: bool = False, locked: bool = False) -> None:
        super().__init__("wrong_key", _("El RUT o la Clave SENCE no son correctos."))
        self.known = known
        self.legacy = legacy
        self.locked = locked


class WrongAnswer(Refused):
    """The secret answer does not match the one on file."""

    def __init__(self) -> None:
        super().__init__("wrong_answer", _("La respuesta no es correcta. Revísela e intente otra vez."), field="answer")


class KeyAlreadyChanged(Refused):
    """The same proof was used first by a concurrent change; only one of the two succeeds."""

    status = 409

    def __init__(self) -> None:
        super().__init__("already_changed", _("Su clave ya fue cambiada con esta validación. Empiece de nuevo."))


class Proof:
    """Evidence that a holder gave the right key: a CS of some version, or a temporary key. Consumed by `replace`.

    `holder` is as loaded at that moment: the proof is void once the account's version has changed.
    """

    def __init__(self, holder: Holder, version: int, temporary: int = 0, *, known_browser: bool = False) -> None:
        self.holder = holder
        self.version = version
        self.temporary = temporary
        self.known_browser = known_browser


def about(holder: Holder) -> policy.About:
    """Collect the data that a key of this holder must not contain."""
    phones = tuple(
        "".join(char for char in phone if char.isdigit())
        for phone in (holder.home_phone, holder.work_phone, holder.mobile)
        if phone
    )
    return policy.About(holder.identifier, holder.birth_date, phones, holder.email, holder.full_name)


def set_first(holder: Holder, key: str) -> None:
    """Set a new holder's first CS. Raises `PolicyViolation`."""
    policy.check(key, about(holder))
    import_key(holder, key)


def import_key(holder: Holder, key: str) -> None:
    """Set the CS a holder had in another system. Not checked, since the policy there may have been different."""
    Credential.objects.update_or_create(
        holder=holder,
        defaults={"hash": hashing.hash_secret(key), "previous_hash": "", "changed_at": clock.now()},
    )


def answer_hash(answer: str) -> str:
    """Return the hash to store for a secret answer. Raises `CommonAnswer`."""
    secret_questions.check_answer(answer)
    return hashing.hash_secret(secret_questions.normalised(answer))


def set_answer(holder: Holder, question: str, answer: str) -> None:
    """Set the secret question and answer. Raises `CommonAnswer`."""
    set_answer_hash(holder, question, answer_hash(answer))


def set_answer_hash(holder: Holder, question: str, hashed: str) -> None:
    """Set the secret question with an answer already hashed by `answer_hash`."""
    SecretAnswer.objects.update_or_create(holder=holder, defaults={"question": question, "hash": hashed})


def question_of(account: str, holder: Holder | None) -> str:
    """Return the code of the question to ask: the holder's own, or a decoy that looks the same."""
    if holder is not None and hasattr(holder, "secret_answer"):
        return str(holder.secret_answer.question)
    return secret_questions.decoy_question(account)


def _tag(holder: Holder, key: str) -> str:
    return keyed_hash("temporary", str(holder.pk), key)[:4]


def _tag_matches(temporary: TemporaryKey, holder: Holder, key: str) -> bool:
    """Return whether the tag matches, so that trying the hash is worthwhile; accepts tags under former secret keys."""
    return any(temporary.tag == digest[:4] for digest in keyed_hashes("temporary", str(holder.pk), key))


def _valid_temporary(holder: Holder | None) -> TemporaryKey | None:
    temporary: TemporaryKey | None = getattr(holder, "temporary_key", None)
    return temporary if temporary and not temporary.used_at and temporary.expires_at > clock.now() else None


@dataclass(frozen=True)
class SignInAttempt:
    """The holder a claim refers to, if any, and the limits that apply to an attempt at its key."""

    holder: Holder | None
    limits: throttling.RateLimits


@cache
def _dummy_rows() -> tuple[Holder, Credential]:
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


@lru_cache(maxsize=1)
def _dummy_row(secret_key: str) -> list[object]:
    """Return the dummy holder as stored under this secret key: encrypting it each time would take too long."""
    return stored_row(*_dummy_rows())


def equalize_lookup_cost() -> None:
    """Do the work of loading a holder when there is none: response times must not reveal registered RUTs."""
    simulate_lookup(_dummy_row(settings.SECRET_KEY))


def look_up(claim: ClaimedIdentity, context: RequestContext) -> SignInAttempt:
    """Load what verifying this claim's key requires."""
    holder = claim.holder()
    if holder is None:
        equalize_lookup_cost()
    return SignInAttempt(holder, throttling.limits("key", claim.account, context))


def try_key(claim: ClaimedIdentity, key: str, context: RequestContext, action: str, *, human: bool = True) -> Proof:
    """Verify a key; audit a refusal as `action`, and notify the holder if it locks the account. Raises as `verify`."""
    attempt = look_up(claim, context)
    try:
        return verify(attempt, key, human=human)
    except Refused as refused:
        audit.record(action, context, holder=attempt.holder, outcome=refused.code)
        if isinstance(refused, WrongKey) and refused.locked:
            notices.key_locked(attempt.holder)
        raise


def verify(attempt: SignInAttempt, key: str, *, human: bool = True) -> Proof:
    """Verify a key against a claimed identity, with the same work whether or not the holder exists.

    `human` means that the captcha was solved. Raises `TooManyAttempts` and `CaptchaNeeded` before hashing, `WrongKey`
    after. A valid temporary key is accepted: the caller must check `Proof.temporary` and allow nothing but changing
    the CS.
    """
    holder, limits = attempt.holder, attempt.limits
    limits.reserve(human=human)
    temporary = _valid_temporary(holder)
    credential: Credential | None = getattr(holder, "credential", None)
    if holder and temporary and _tag_matches(temporary, holder, key) and hashing.matches(temporary.hash, key):
        limits.take_back()
        return Proof(holder, credential.version if credential else 0, temporary.serial)
    if hashing.matches(credential.hash if credential else None, key) and holder and credential:
        limits.release()
        _rehash_if_outdated(credential, key)
        return Proof(holder, credential.version, known_browser=limits.known_browser)
    raise WrongKey(known=holder is not None, legacy=bool(holder and holder.legacy), locked=limits.fail())


def _rehash_if_outdated(credential: Credential, key: str) -> None:
    """Rehash a correct key if its hash was made with outdated parameters (ASVS 5, 11.4.4)."""
    if hashing.needs_rehash(credential.hash):
        unchanged = Credential.objects.filter(pk=credential.pk, version=credential.version, hash=credential.hash)
        unchanged.update(hash=hashing.hash_secret(key))


def verify_answer(account: str, holder: Holder | None, answer: str, context: RequestContext, action: str) -> Holder:
    """Verify a secret answer; return the holder it proves. Raises `TooManyAttempts`, `WrongAnswer`.

    A refusal is audited as `action`; the holder is notified if it locks the secret answer.
    """
    limits = throttling.limits("answer", account, context, throttling.ANSWER)
    secret_answer = getattr(holder, "secret_answer", None)
    try:
        limits.reserve()
        if (
            not hashing.matches(secret_answer.hash if secret_answer else None, secret_questions.normalised(answer))
            or holder is None
        ):
            if limits.fail():
                notices.key_locked(holder)
            raise WrongAnswer
    except Refused as refused:
        audit.record(action, context, holder=holder, outcome=refused.code)
        raise
    limits.release()
    return holder


def issue_temporary(holder: Holder) -> tuple[str, datetime]:
    """Create a temporary key and return it with its expiry. It replaces any earlier one."""
    key, now = policy.generate(), clock.now()
    expires = now + timedelta(seconds=settings.TEMPORARY_KEY_SECONDS)
    fields = {"hash": hashing.hash_secret(key), "tag": _tag(holder, key), "created_at": now, "expires_at": expires}
    with transaction.atomic():
        _, created = TemporaryKey.objects.get_or_create(holder=holder, defaults=fields)
        if not created:
            TemporaryKey.objects.filter(holder=holder).update(serial=F("serial") + 1, used_at=None, **fields)
    return key, expires


def replace(proof: Proof, key: str) -> None:
    """Set a new CS, consuming the proof. Raises `PolicyViolation`, `KeyAlreadyChanged`.

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
        valid = TemporaryKey.objects.filter(
            holder=holder, serial=proof.temporary, used_at=None, expires_at__gt=clock.now()
        )
        if not valid.update(used_at=clock.now()):
            raise KeyAlreadyChanged
    else:
        TemporaryKey.objects.filter(holder=holder, used_at=None).update(used_at=clock.now())
    _store(holder, credential, proof.version, hashing.hash_secret(key))


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
    """Record that the holder signed in from this browser, unless the account's version has changed since."""
    if context.browser and Holder.objects.filter(pk=holder.pk, version=holder.version).exists():
        row = Attempts(axis=throttling.browser_axis(holder.account, context), holder=holder, last_at=clock.now())
        Attempts.objects.bulk_create([row], ignore_conflicts=True)


def unlock(account: str) -> None:
    """Reset a holder's failure counts after a proof of another kind."""
    Attempts.objects.filter(axis__in=throttling.axes_of_account(account)).delete()
