"""Verification of the audit trail, from first seal to newest entry. All faults are counted, the first ones named."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from clave.audit import anchors, seals
from clave.audit.chain import VERSION, is_genuine, known_keys, readable_seals
from clave.audit.models import Entry, Seal, SealKind, Unsealed
from clave.audit.seals import lost_with

# An entry older than this, relative to a seal that emptied the queue, was inserted later: no transaction lasts 5
# minutes, plus 10 for a slow clock. This costs little: an entry forged with the current date is undetectable.
LATEST = timedelta(minutes=15)
MOST_NAMED = 100
_MAX_IDS_NAMED = 5
_CHUNK = 500
# Ten times what any sealer ever put into one seal; and the range of ids a database can be queried for.
_MAX_LISTED, _ID_LIMIT = 10_000, 2**63


@dataclass(frozen=True)
class Fault:
    """One fault, in words, and the number of the seal concerned, if any."""

    text: str
    seal: int | None = None

    def __str__(self) -> str:
        return self.text if self.seal is None else f"seal {self.seal}: {self.text}"


@dataclass(frozen=True)
class Verdict:
    """Result of verification: seals and entries read, entries not sealed yet, and events declared in the chain.

    `faults` holds the first `MOST_NAMED`; `fault_count` counts all. `remarks` are worth reporting but are not faults.
    """

    seals: int
    entries: int
    unsealed: int = 0
    faults: tuple[Fault, ...] = ()
    fault_count: int = 0
    events: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def is_intact(self) -> bool:
        return not self.fault_count

    @property
    def fault(self) -> str:
        """The first fault and the total, in one line of at most 200 characters; empty if there are none."""
        if not self.fault_count:
            return ""
        more = f"{self.fault_count} faults; the first: " if self.fault_count > 1 else ""
        return f"{more}{self.faults[0]}"[:200]


class IdSet:
    """A set of ids that takes one bit per id where ids are dense."""

    def __init__(self) -> None:
        self._blocks: dict[int, int] = {}

    def add(self, number: int) -> None:
        block, bit = number >> 12, 1 << (number & 4095)
        self._blocks[block] = self._blocks.get(block, 0) | bit

    def __contains__(self, number: int) -> bool:
        return bool(self._blocks.get(number >> 12, 0) >> (number & 4095) & 1)


@dataclass
class _Reading:
    """Progress and findings of a verification."""

    keys: dict[str, bytes]
    noted: set[anchors.Anchor]
    # The newest seal read, genuine or not: its number and its HMAC.
    number: int | None = None
    mac: str = ""
    version: int = 1
    # Genuine seals only: when the newest was made, and the newest that emptied the queue.
    at: datetime | None = None
    emptied_at: datetime | None = None
    seals: int = 0
    entries: int = 0
    covered: IdSet = field(default_factory=IdSet)
    lost: set[anchors.Anchor] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)
    fault_count: int = 0
    events: list[str] = field(default_factory=list)

    def blame(self, text: str, seal: int | None = None) -> None:
        self.fault_count += 1
        if len(self.faults) < MOST_NAMED:
            self.faults.append(Fault(text, seal))


def verify(noted: set[anchors.Anchor] | None = None, unreadable: int = 0) -> Verdict:
    """Verify the whole chain, every entry and the anchors (by default, this machine's).

    Runs alongside writers: what is recorded and sealed in the meantime is not a fault.
    """
    if noted is None:
        noted, unreadable = anchors.read(anchors.default_files())
    reading = _Reading(known_keys(), set(noted))
    _read_seals(reading)
    uncovered = _uncovered_entries(reading)
    waiting = IdSet()
    for pk in Unsealed.objects.values_list("pk", flat=True).iterator():
        if isinstance(pk, int):  # SQLite accepts any type in this column
            waiting.add(pk)
    # Entries that left the queue before it was read are in a seal made since.
    _read_seals(reading)
    unsealed = 0
    for pk in uncovered:
        if pk in waiting:
            unsealed += 1
        elif pk not in reading.covered:
            reading.blame(f"entry {pk} is in no seal: it was slipped in")
    for number, mac in sorted(reading.noted - reading.lost):
        reading.blame(f"noted outside the database ({mac[:8]}…), but not in it", number)
    remarks = (f"{unreadable} unreadable lines in the anchor files",) if unreadable else ()
    return Verdict(
        reading.seals,
        reading.entries,
        unsealed,
        tuple(reading.faults),
        reading.fault_count,
        tuple(reading.events),
        remarks,
    )


def _read_seals(reading: _Reading) -> None:
    """Verify the seals after the last one read."""
    while numbers := _next_numbers(reading.number):
        seals_read = readable_seals(numbers)
        for number in numbers:
            _read_seal(number, seals_read.get(number), reading)


def _next_numbers(last: int | None) -> list[int]:
    rest = Seal.objects.order_by("pk")
    if last is not None:
        rest = rest.filter(pk__gt=last)
    return list(rest.values_list("pk", flat=True)[:_CHUNK])


def _read_seal(number: int, seal: Seal | None, reading: _Reading) -> None:
    reading.number, reading.seals = number, reading.seals + 1
    if seal is None:
        reading.blame("could not be read", number)
        return
    listed = _listed(seal)
    try:
        entries = _entries_of(listed)
        faults = _faults_of(seal, entries, listed, reading)
    except Exception as error:  # a row tampered with must not stop the rest from being verified
        entries, faults = [], [f"could not be read ({type(error).__name__})"]
    for fault in faults:
        reading.blame(fault, number)
    for pk in listed:
        reading.covered.add(pk)
    reading.entries += len(entries)
    reading.noted.discard((number, seal.mac))
    reading.mac = seal.mac


def _listed(seal: Seal) -> list[int]:
    """Return the listed values that can be ids; none if the list is longer than any sealer would make."""
    if not isinstance(seal.entries, list) or len(seal.entries) > _MAX_LISTED:
        return []
    return [pk for pk in seal.entries if type(pk) is int and abs(pk) < _ID_LIMIT]


def _entries_of(listed: list[int]) -> list[Entry]:
    entries: list[Entry] = []
    for start in range(0, len(listed), _CHUNK):
        entries += Entry.objects.filter(pk__in=listed[start : start + _CHUNK])
    return sorted({entry.pk: entry for entry in entries}.values(), key=lambda entry: entry.pk)


def _faults_of(seal: Seal, entries: list[Entry], listed: list[int], reading: _Reading) -> list[str]:
    """Return what is wrong with one seal; if it is genuine, also note the event it records."""
    faults = []
    if seal.previous != reading.mac:
        faults.append("does not follow the seal before it")
    if seal.version not in (1, VERSION) or seal.version < reading.version:
        return [*faults, "has a version that cannot be here"]
    reading.version = seal.version
    # A version 1 HMAC covers neither kind nor note: the database's owner could use them to explain losses away.
    if seal.version == 1 and (seal.kind != SealKind.ENTRIES or seal.note != {}):
        return [*faults, "tells of an event, which its version cannot"]
    if seal.version > 1 and seal.key not in reading.keys:
        return [*faults, f"was made under a key that is not at hand ({seal.key})"]
    present_ids = [entry.pk for entry in entries]
    if duplicates := [pk for pk in present_ids if pk in reading.covered]:
        faults.append(f"lists an entry that another seal holds: {_some(duplicates)}")
    if missing := sorted(set(listed) - set(present_ids)):
        return [*faults, f"an entry of it is missing: {_some(missing)}"]
    if present_ids != seal.entries or not is_genuine(seal, entries, reading.keys):
        return [*faults, "an entry of it was changed, or the seal itself"]
    if backdated := _backdated(seal, entries, reading.emptied_at):
        faults.append(
            "an entry in it is older than the last seal that left none waiting: "
            f"it was slipped in, or the clock of the machine that recorded it was slow: {_some(backdated)}"
        )
    _note_event(seal, reading)
    reading.at = seal.at
    if seal.kind == SealKind.ENTRIES and len(entries) < seals.BATCH:
        reading.emptied_at = seal.at
    return faults


def _backdated(seal: Seal, entries: list[Entry], emptied_at: datetime | None) -> list[int]:
    """Return the entries that should have been in an earlier seal, one that emptied the queue.

    Chain events and full batches do not empty the queue, so they prove nothing about later entries. Nor does anything
    if the sealer's own clock was set back, which the database's owner cannot do.
    """
    if emptied_at is None or seal.at < emptied_at - LATEST:
        return []
    return [entry.pk for entry in entries if entry.at < emptied_at - LATEST]


def _note_event(seal: Seal, reading: _Reading) -> None:
    at, note = seal.at.isoformat(timespec="seconds"), seal.note
    if reading.at and seal.at < reading.at - LATEST:
        reading.events.append(f"seal {seal.pk}: the clock was put back from {reading.at:%Y-%m-%dT%H:%M:%S} to {at}")
    if seal.kind == SealKind.RESTORED:
        reading.lost |= lost_with(seal)
        text = f"a restore declared at {at} by {note['operator']}, back to seal {note['back_to']}: {note['reason']}"
    elif seal.kind == SealKind.KEY_CHANGED:
        text = f"the key changed at {at}, from {note['former']} to {seal.key}"
    elif seal.kind == SealKind.KEY_LOST:
        text = f"the key {note['former']} declared lost at {at} by {note['operator']}: {note['reason']}"
    else:
        return
    reading.events.append(f"seal {seal.pk}: {text}")


def _uncovered_entries(reading: _Reading) -> "array[int]":
    ids: Iterable[int] = Entry.objects.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=10_000)
    return array("q", (pk for pk in ids if pk not in reading.covered))


def _some(ids: list[int]) -> str:
    return ", ".join(map(str, ids[:_MAX_IDS_NAMED])) + (
        f" and {len(ids) - _MAX_IDS_NAMED} more" if len(ids) > _MAX_IDS_NAMED else ""
    )
