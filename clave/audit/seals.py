"""Sealing the audit trail: each seal is an HMAC over its entries and the seal before it.

The key is not in the database, so its owner cannot forge a chain; the newest seal is also noted in a file
outside it, so that cutting off the end is seen. Writers never wait: entries are sealed afterwards.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction

from clave.audit.models import Entry, Seal, Sealed
from clave.core import clock
from clave.core.secrets import keyed_hash

BATCH = 1000
# No transaction lasts longer: an entry older than this beside the seal before it was slipped in later.
LATEST = timedelta(minutes=5)


@dataclass(frozen=True)
class Verdict:
    """What verifying found: seals and entries read, and the first fault in words (empty when all is well)."""

    seals: int
    entries: int
    fault: str = ""
    seal: int | None = None


def anchor_file() -> Path:
    return Path(settings.CLAVE_HOME) / "audit-anchor.txt"


def _digest(entry: Entry) -> str:
    content = [
        entry.pk,
        entry.at.isoformat(),
        entry.action,
        entry.outcome,
        entry.subject,
        entry.address,
        entry.agent,
        json.dumps(entry.detail, sort_keys=True),
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _mac(previous: str, entries: Iterable[Entry]) -> str:
    return keyed_hash("audit", previous, *(_digest(entry) for entry in entries))


def seal_new() -> int:
    """Seal every entry not sealed yet, in batches; return how many. Two workers at once take turns."""
    done = 0
    while batch := _seal_batch():
        done += batch
    return done


def _seal_batch() -> int:
    with transaction.atomic():
        # Locking the newest seal makes the chain one line, whoever else is sealing.
        newest = Seal.objects.select_for_update().order_by("-pk").first()
        entries = list(Entry.objects.filter(sealed=None).order_by("pk")[:BATCH])
        if not entries:
            return 0
        previous = newest.mac if newest else ""
        seal = Seal.objects.create(
            at=clock.now(), entries=[entry.pk for entry in entries], previous=previous, mac=_mac(previous, entries)
        )
        Sealed.objects.bulk_create([Sealed(entry=entry, seal=seal) for entry in entries])
    with anchor_file().open("a", encoding="ascii") as file:
        file.write(f"{seal.pk} {seal.mac}\n")
    return len(entries)


def verify() -> Verdict:
    """Read the whole chain and name the first broken seal."""
    previous, previous_at, seals, read = "", None, 0, 0
    seen: dict[int, str] = {}
    for seal in Seal.objects.order_by("pk").iterator(chunk_size=100):
        entries = list(Entry.objects.filter(pk__in=seal.entries).order_by("pk"))
        fault = ""
        if seal.previous != previous:
            fault = "does not follow the seal before it"
        elif [entry.pk for entry in entries] != seal.entries:
            fault = "an entry of it is missing"
        elif not hmac.compare_digest(_mac(previous, entries), seal.mac):
            fault = "an entry of it was changed"
        elif previous_at and any(entry.at < previous_at - LATEST for entry in entries):
            fault = "an entry in it is older than the seal before: it was slipped in"
        if fault:
            return Verdict(seals, read, f"seal {seal.pk}: {fault}", seal.pk)
        previous, previous_at = seal.mac, seal.at
        seen[seal.pk] = seal.mac
        seals, read = seals + 1, read + len(entries)
    return Verdict(seals, read, *_against_anchor(seen))


def _against_anchor(seen: dict[int, str]) -> tuple[str, int | None]:
    if anchor_file().exists():
        for line in anchor_file().read_text(encoding="ascii").splitlines():
            number, _, mac = line.partition(" ")
            if seen.get(int(number)) != mac:
                return f"seal {number}: noted outside the database, but not in it", int(number)
    return "", None
