"""Sealing of the audit trail: each seal is an HMAC over its entries and the previous seal (decisions 0009 and 0020).

The key is not in the database, so the database's owner cannot forge a chain; the newest seal is also written to a file
outside it, so that truncation is detected. Writers never wait: entries are sealed afterwards.
"""

from collections.abc import Mapping, Sequence

from django.db import connection, transaction

from clave.audit import anchors
from clave.audit import service as audit
from clave.audit.chain import VERSION, configured_keys, mac_of, wrapped
from clave.audit.models import Entry, Seal, SealKind, Unsealed
from clave.lib import clock
from clave.lib.request_context import SYSTEM

# Never raise it: verification assumes that a seal over fewer entries emptied the queue.
BATCH = 1000
# PostgreSQL identifies advisory locks by number only.
_SEALER_LOCK = 0x5EA1E2


class UnknownKey(Exception):
    """The newest seal was made under a key that is neither the current one nor among the fallbacks."""


def seal_new() -> int:
    """Seal every unsealed entry, in batches; return how many. Concurrent workers take turns.

    Raises `UnknownKey`: sealing stops until the former key is made a fallback or declared lost.
    """
    sealed = 0
    while Unsealed.objects.exists() and (batch := _seal_batch()):
        sealed += batch
    if newest := _newest():
        anchors.note(newest)
    return sealed


@transaction.atomic
def _seal_batch() -> int:
    _lock_chain()
    waiting = list(Unsealed.objects.order_by("pk").values_list("pk", flat=True)[:BATCH])
    if not waiting:
        return 0
    entries = list(Entry.objects.filter(pk__in=waiting).order_by("pk"))
    _append(_under_present_key(_newest()), SealKind.ENTRIES, entries=entries)
    Unsealed.objects.filter(pk__in=waiting).delete()
    return len(waiting)


@transaction.atomic
def declare_restore(reason: str, operator: str, noted: set[anchors.Anchor]) -> Seal:
    """Record in the chain that the database was restored from an older copy, and why. Raises `UnknownKey`.

    `noted` are the anchors at hand. Those missing from this database are listed in the event: from now on they, and
    no others, are accounted for.
    """
    _lock_chain()
    newest = _under_present_key(_newest())
    lost = noted - set(Seal.objects.values_list("pk", "mac").iterator())
    for earlier in Seal.objects.filter(kind=SealKind.RESTORED):
        lost -= lost_with(earlier)
    back_to = min(lost)[0] - 1 if lost else (newest.pk if newest else 0)
    note = {
        "reason": reason,
        "operator": operator,
        "back_to": back_to,
        "lost": [list(anchor) for anchor in sorted(lost)],
    }
    event = _append(newest, SealKind.RESTORED, note=note)
    audit.record("audit.restored", SYSTEM, seal=event.pk, back_to=back_to, lost=len(lost))
    return event


@transaction.atomic
def declare_lost_key(reason: str, operator: str) -> Seal:
    """Record in the chain that the former key is lost, and continue under the current one.

    What was sealed under the lost key can no longer be verified. Raises `ValueError` if the key is available after all.
    """
    _lock_chain()
    newest = _newest()
    if newest is None or newest.version == 1 or newest.key in configured_keys():
        raise ValueError("the newest seal's key is at hand: nothing is lost")
    note = {"reason": reason, "operator": operator, "former": newest.key}
    event = _append(newest, SealKind.KEY_LOST, note=note)
    audit.record("audit.key_lost", SYSTEM, seal=event.pk, former=newest.key)
    return event


def lost_with(restore: Seal) -> set[anchors.Anchor]:
    """Return the anchors that a declared restore lists as lost with the replaced database."""
    return {(int(number), str(mac)) for number, mac in restore.note.get("lost", [])}


def present_key() -> str:
    """Return the id of the key that new seals are made under."""
    return next(iter(configured_keys()))


def _lock_chain() -> None:
    """Serialise sealers until the transaction ends. Later reads see all that was committed before the lock was granted.

    Locking the newest seal's row would not do: whoever waited for it would continue from a seal that is no longer the
    newest. On SQLite, transactions are exclusive from the start (`transaction_mode`).
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SEALER_LOCK])


def _newest() -> Seal | None:
    return Seal.objects.defer("entries", "note").order_by("-pk").first()


def _under_present_key(newest: Seal | None) -> Seal | None:
    """Return the newest seal; if made under a former key, first append one that hands over to the current key."""
    keys = configured_keys()
    present = present_key()
    former = _key_of(newest, keys) if newest else present
    if newest is None or former == present:
        return newest
    if former not in keys:
        raise UnknownKey(former)
    note = {"former": former, "former_key": wrapped(keys[former], keys[present])}
    return _append(newest, SealKind.KEY_CHANGED, note=note)


def _key_of(seal: Seal, keys: dict[str, bytes]) -> str:
    """Return the id of the key a seal was made under; version 1 does not name it, so find the key that fits."""
    if seal.version > 1:
        return seal.key
    entries = list(Entry.objects.filter(pk__in=seal.entries).order_by("pk"))
    fitting = (identifier for identifier, key in keys.items() if mac_of(seal, entries, key) == seal.mac)
    return next(fitting, next(iter(keys)))


def _append(
    newest: Seal | None, kind: SealKind, *, entries: Sequence[Entry] = (), note: Mapping[str, object] | None = None
) -> Seal:
    """Append a link. Numbers are gapless and unique: even without the lock, the chain cannot fork."""
    present, key = next(iter(configured_keys().items()))
    seal = Seal(
        pk=newest.pk + 1 if newest else 1,
        version=VERSION,
        kind=kind,
        key=present,
        at=clock.now(),
        entries=[entry.pk for entry in entries],
        note=note or {},
        previous=newest.mac if newest else "",
    )
    seal.mac = mac_of(seal, entries, key)
    seal.save(force_insert=True)
    return seal
