"""Rate limits on guesses. Source: mission.md, section 2; abuse cases 7, 8, 48, 66 and 71 of the threat model.

An attempt is counted before it is verified and released if it was right, so concurrent guesses cannot outrun the
count. There are two kinds of limits:

- An *account* limit delays further attempts at one account, longer each time. A browser from which the holder has
  signed in before is counted separately, so a stranger cannot lock the holder out of it.
- A *wide* limit, for a network or for the whole site, leaks over time and never refuses: above its threshold, unknown
  browsers must solve a captcha first.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from clave.credentials.models import Attempts
from clave.db.hot_queries import Lookup
from clave.lib import clock
from clave.lib.crypto import keyed_hash, keyed_hashes
from clave.lib.networks import address_block, wider_network
from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext


@dataclass(frozen=True)
class AccountLimit:
    """`free` failures, then a wait of `base` seconds, doubling to `cap`; reset after `window` seconds without any."""

    free: int
    base: int
    cap: int
    window: int = 24 * 3600

    def wait(self, failures: int) -> int:
        """Return how many seconds to wait after `failures` failures."""
        over = failures - self.free
        return min(self.cap, self.base * 2 ** min(over, 20)) if over >= 0 else 0


@dataclass(frozen=True)
class SharedLimit:
    """A leaky counter: at `threshold` failures a captcha is required; `per_hour` failures leak per hour."""

    threshold: int
    per_hour: int

    def level(self, row: Attempts | None) -> float:
        """Return the failures counted in a row that have not leaked yet."""
        if row is None:
            return 0.0
        elapsed = max(0.0, (clock.now() - row.last_at).total_seconds())
        return max(0.0, row.level - elapsed * self.per_hour / 3600)


KEY = AccountLimit(free=5, base=30, cap=15 * 60)
ANSWER = AccountLimit(free=3, base=60, cap=30 * 60)
# For long random values (a card's serial), across all networks: one attacker's network must not block the owner.
ALL_NETWORKS = AccountLimit(free=50, base=60, cap=30 * 60)
NETWORK = SharedLimit(threshold=10, per_hour=50)
SITE = SharedLimit(threshold=5000, per_hour=30_000)
# How often anonymous clients may learn whether somebody is registered.
DISCLOSURES = {"address": SharedLimit(threshold=10, per_hour=10), "network": SharedLimit(threshold=40, per_hour=40)}
# An attempt still undecided after this long died with its process.
_ABANDONED = timedelta(seconds=60)
# Purposes whose attempts count against an account and are reset when it is unlocked.
ACCOUNT_PURPOSES = ("key", "answer", "birth", "representative", "serial")


class TooManyAttempts(Refused):
    """No more attempts at this account are allowed before `until`."""

    status = 429

    def __init__(self, until: datetime) -> None:
        super().__init__("too_many_attempts")
        self.until = until


class CaptchaNeeded(Refused):
    """Further attempts require a solved captcha."""

    def __init__(self) -> None:
        super().__init__(
            "captcha_needed", _("Escriba su clave otra vez y también las letras de la imagen."), field="captcha"
        )


@dataclass(frozen=True)
class RateLimits:
    """The limits that apply to an attempt, as looked up: `axis` counts the account, the wide axes strangers.

    `captcha_required` means that a wide limit requires a captcha. Axes are keyed hashes.
    """

    axis: str
    limit: AccountLimit
    wide: tuple[tuple[str, SharedLimit], ...]
    known_browser: bool = False
    captcha_required: bool = False

    def reserve(self, *, human: bool = True) -> None:
        """Count an attempt before it is verified; `human` means that the captcha was solved.

        Raises `TooManyAttempts` while the account must wait, `CaptchaNeeded` if a captcha is required.
        """
        captcha_missing = self.captcha_required and not human
        if not captcha_missing and _reserve(self.axis, self.limit, human):
            return
        row = Attempts.objects.filter(axis=self.axis).first()
        if row and row.until and row.until > clock.now():
            raise TooManyAttempts(row.until)
        if captcha_missing or (row and row.count and not human):
            raise CaptchaNeeded
        # Concurrent attempts have used up the free failures.
        raise TooManyAttempts(clock.now() + timedelta(seconds=self.limit.base))

    def require_no_wait(self) -> None:
        """Raise `TooManyAttempts` while the account must wait; count nothing."""
        row = Attempts.objects.filter(axis=self.axis, until__gt=clock.now()).first()
        if row and row.until:
            raise TooManyAttempts(row.until)

    def release(self) -> None:
        """Release a successful attempt and reset the account's failures."""
        with connection.cursor() as cursor:
            cursor.execute(_RELEASE, [self.axis])

    def take_back(self) -> None:
        """Release an attempt that could not be verified."""
        Attempts.objects.filter(axis=self.axis, pending__gt=0).update(pending=F("pending") - 1)

    def fail(self) -> bool:
        """Count a failure. Return True if the account starts waiting now."""
        if not self.known_browser:
            for axis, limit in self.wide:
                _raise_level(axis, limit)
        return _count_failure(self.axis, self.limit) == self.limit.free


@dataclass(frozen=True)
class NetworkLimits:
    """Limits at an account from one network, and looser ones from all networks together."""

    here: RateLimits
    everywhere: RateLimits

    def reserve(self) -> None:
        """Count an attempt before it is verified. Raises `TooManyAttempts`."""
        self.here.reserve()
        try:
            self.everywhere.reserve()
        except TooManyAttempts:
            self.here.take_back()
            raise

    def release(self) -> None:
        self.here.release()
        self.everywhere.release()

    def take_back(self) -> None:
        self.here.take_back()
        self.everywhere.take_back()

    def fail(self) -> None:
        self.here.fail()
        self.everywhere.fail()


_RESERVE = """
INSERT INTO credentials_attempts (axis, count, pending, level, last_at) VALUES (%s, 0, 1, 0, %s)
ON CONFLICT (axis) DO UPDATE SET
  count = CASE WHEN credentials_attempts.last_at < %s THEN 0 ELSE credentials_attempts.count END,
  pending = CASE WHEN credentials_attempts.last_at < %s THEN 1 ELSE credentials_attempts.pending + 1 END,
  last_at = excluded.last_at
WHERE (credentials_attempts.until IS NULL OR credentials_attempts.until <= excluded.last_at)
  AND (credentials_attempts.pending = 0 OR credentials_attempts.last_at < %s
       OR credentials_attempts.count + credentials_attempts.pending < %s)
  AND (credentials_attempts.count <= %s OR credentials_attempts.last_at < %s)
RETURNING count
"""
_RELEASE = "DELETE FROM credentials_attempts WHERE axis = %s"
_ANY_COUNT = 2**31 - 1


def _reserve(axis: str, limit: AccountLimit, human: bool) -> bool:
    """Count a pending attempt. A single statement decides between concurrent attempts."""
    now = clock.now()
    moments = (now, now - timedelta(seconds=limit.window), now - _ABANDONED)
    at, forgotten, abandoned = (connection.ops.adapt_datetimefield_value(moment) for moment in moments)
    max_count = _ANY_COUNT if human else 0
    values = [axis, at, forgotten, abandoned, abandoned, limit.free, max_count, forgotten]
    with connection.cursor() as cursor:
        cursor.execute(_RESERVE, values)
        return bool(cursor.fetchall())


@transaction.atomic
def _count_failure(axis: str, limit: AccountLimit) -> int:
    now = clock.now()
    Attempts.objects.get_or_create(axis=axis, defaults={"last_at": now})
    row = Attempts.objects.select_for_update().get(axis=axis)
    row.pending, row.count, row.last_at = max(0, row.pending - 1), row.count + 1, now
    wait = limit.wait(row.count)
    row.until = now + timedelta(seconds=wait) if wait else None
    row.save()
    return row.count


@transaction.atomic
def _raise_level(axis: str, limit: SharedLimit) -> float:
    """Count a failure on a wide axis; return the level before it."""
    Attempts.objects.get_or_create(axis=axis, defaults={"last_at": clock.now()})
    row = Attempts.objects.select_for_update().get(axis=axis)
    before = limit.level(row)
    row.level, row.last_at = before + 1, clock.now()
    row.save()
    return before


_ROWS = Lookup(lambda *axes: Attempts.objects.filter(axis__in=axes), "known", "network", "site")


def limits(purpose: str, identifier: str, context: RequestContext, limit: AccountLimit = KEY) -> RateLimits:
    """Return the limits for an attempt at `identifier`'s key or answer (`purpose`) from `context`. One query."""
    known = browser_axis(identifier, context)
    network = keyed_hash("attempts", purpose, "network", address_block(context.address))
    site = keyed_hash("attempts", purpose, "site")
    rows = {row.axis: row for row in _ROWS.all(known, network, site)}
    # Only keys get a separate count: whoever has the CS can make browsers known, which must not buy guesses at answers.
    known_here = known in rows or _known_under_a_former_key(identifier, context)
    is_known = purpose == "key" and bool(context.browser) and known_here
    # The account's own counter, or a separate one for a known browser.
    browser_part = (context.browser,) if is_known else ()
    wide = ((network, NETWORK), (site, SITE))
    return RateLimits(
        axis=keyed_hash("attempts", purpose, identifier, *browser_part),
        limit=limit,
        wide=wide,
        known_browser=is_known,
        captcha_required=not is_known
        and any(wide_limit.level(rows.get(axis)) >= wide_limit.threshold for axis, wide_limit in wide),
    )


def network_limits(purpose: str, identifier: str, context: RequestContext) -> NetworkLimits:
    """Return the limits for an attempt at a long random value: strict per network, loose across all of them."""
    network_identifier = f"{identifier} {address_block(context.address)}"
    return NetworkLimits(
        limits(purpose, network_identifier, context, ANSWER), limits(purpose, identifier, context, ALL_NETWORKS)
    )


def may_disclose(context: RequestContext) -> bool:
    """Count one disclosure of whether somebody is registered; return whether it is allowed.

    Beyond the thresholds for an address or the network around it, the response must not disclose it.
    """
    places = {"address": address_block(context.address), "network": wider_network(context.address)}
    levels = {
        name: _raise_level(keyed_hash("attempts", "disclosure", name, place), DISCLOSURES[name])
        for name, place in places.items()
    }
    return all(level < DISCLOSURES[name].threshold for name, level in levels.items())


def axes_of_account(account: str) -> list[str]:
    """Return the axes that count attempts at an account."""
    return [keyed_hash("attempts", purpose, account) for purpose in ACCOUNT_PURPOSES]


def browser_axis(identifier: str, context: RequestContext) -> str:
    """Return the axis of the row recording that `identifier` has signed in from this browser."""
    return keyed_hash("attempts", "known", identifier, context.browser)


def _known_under_a_former_key(identifier: str, context: RequestContext) -> bool:
    if not settings.SECRET_KEY_FALLBACKS:
        return False
    former = keyed_hashes("attempts", "known", identifier, context.browser)[1:]
    return Attempts.objects.filter(axis__in=former).exists()
