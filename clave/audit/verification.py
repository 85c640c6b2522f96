"""Verifying the audit trail from its first seal to its newest entry. Every fault is counted, the first are named."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from clave.audit import anchors, seals
from clave.audit.chain import VERSION, is_genuine, known_keys, readable_seals
from clave.audit.models import Entry, Seal, SealKind, Unsealed
from clave.audit.seals import lost_with

# An entry so much older than a seal that left nothing waiting was slipped in later: no transaction lasts 5 minutes,
# and 10 are granted to a slow clock. It costs little: who inserts with the present date is not told apart at all.
LATEST = timedelta(minutes=15)
MOST_NAMED = 100
_MOST_IDS = 5
_PORTION = 500
# Ten times what any sealer put into one seal; the numbers that a store can be asked for.
_MOST_LISTED, _IDS_END = 10_000, 2**63


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, in words, and the number of the seal it concerns, if it concerns one."""

    text: str
    seal: int | None = None

    def __str__(self) -> str:
        return self.text if self.seal is None else f"seal {self.seal}: {self.text}"


@dataclass(frozen=True)
class Verdict:
    """What verifying found: seals and entries read, entries not sealed yet, and what was declared in the chain.

    `faults` are the first `MOST_NAMED`; `fault_count` counts all. `remarks` are worth knowing and no fault.
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
        """The first fault and how many there are, in one line of at most 200 characters; empty when all is well."""
        if not self.fault_count:
            return ""
        more = f"{self.fault_count} faults; the first: " if self.fault_count > 1 else ""
        return f"{more}{self.faults[0]}"[:200]


class IdSet:
    """A set of ids that costs a bit for each where they lie close together."""

    def __init__(self) -> None:
        self._blocks: dict[int, int] = {}

    def add(self, number: int) -> None:
        block, bit = number >> 12, 1 << (number & 4095)
        self._blocks[block] = self._blocks.get(block, 0) | bit

    def __contains__(self, number: int) -> bool:
        return bool(self._blocks.get(number >> 12, 0) >> (number & 4095) & 1)


@dataclass
class _Reading:
    """How far verifying has come, and what it has found."""

    keys: dict[str, bytes]
    noted: set[anchors.Anchor]
    # Of the newest seal read, whatever it is worth: its number and its HMAC.
    number: int | None = None
    mac: str = ""
    version: int = 1
    # Of genuine seals only: when the newest was made, and the newest that left no entry waiting.
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
    """Read the whole chain, every entry and the anchors; without any given, those of this machine.

    Work goes on meanwhile: what is recorded and sealed during the reading is no fault.
    """
    if noted is None:
        noted, unreadable = anchors.read(anchors.default_files())
    reading = _Reading(known_keys(), set(noted))
    _read_seals(reading)
    uncovered = _uncovered_entries(reading)
    waiting = IdSet()
    for pk in Unsealed.objects.values_list("pk", flat=True).iterator():
        if isinstance(pk, int):  # SQLite lets its owner write anything there
            waiting.add(pk)
    # Whatever left the queue before it was read is in one of the seals made since.
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
    """Verify the seals after the newest one read so far."""
    while numbers := _next_numbers(reading.number):
        seals_read = readable_seals(numbers)
        for number in numbers:
            _read_seal(number, seals_read.get(number), reading)


def _next_numbers(last: int | None) -> list[int]:
    rest = Seal.objects.order_by("pk")
    if last is not None:
        rest = rest.filter(pk__gt=last)
    return list(rest.values_list("pk", flat=True)[:_PORTION])


def _read_seal(number: int, seal: Seal | None, reading: _Reading) -> None:
    reading.number, reading.seals = number, reading.seals + 1
    if seal is None:
        reading.blame("could not be read", number)
        return
    listed = _listed(seal)
    try:
        entries = _entries_of(listed)
        faults = _faults_of(seal, entries, listed, reading)
    except Exception as error:  # whatever its owner made of it must not keep the rest from being read
        entries, faults = [], [f"could not be read ({type(error).__name__})"]
    for fault in faults:
        reading.blame(fault, number)
    for pk in listed:
        reading.covered.add(pk)
    reading.entries += len(entries)
    reading.noted.discard((number, seal.mac))
    reading.mac = seal.mac


def _listed(seal: Seal) -> list[int]:
    """Return the ids that a seal lists, as far as they can be ids; none of a list that no sealer ever made."""
    if not isinstance(seal.entries, list) or len(seal.entries) > _MOST_LISTED:
        return []
    return [pk for pk in seal.entries if type(pk) is int and abs(pk) < _IDS_END]


def _entries_of(listed: list[int]) -> list[Entry]:
    found: list[Entry] = []
    for start in range(0, len(listed), _PORTION):
        found += Entry.objects.filter(pk__in=listed[start : start + _PORTION])
    return sorted({entry.pk: entry for entry in found}.values(), key=lambda entry: entry.pk)


def _faults_of(seal: Seal, entries: list[Entry], listed: list[int], reading: _Reading) -> list[str]:
    """Return what is wrong with one seal; of one that is genuine, note the event it tells of."""
    found = []
    if seal.previous != reading.mac:
        found.append("does not follow the seal before it")
    if seal.version not in (1, VERSION) or seal.version < reading.version:
        return [*found, "has a version that cannot be here"]
    reading.version = seal.version
    # No HMAC of that version covers its kind and note: with them the database's owner could account for what is lost.
    if seal.version == 1 and (seal.kind != SealKind.ENTRIES or seal.note != {}):
        return [*found, "tells of an event, which its version cannot"]
    if seal.version > 1 and seal.key not in reading.keys:
        return [*found, f"was made under a key that is not at hand ({seal.key})"]
    present = [entry.pk for entry in entries]
    if twice := [pk for pk in present if pk in reading.covered]:
        found.append(f"lists an entry that another seal holds: {_some(twice)}")
    if missing := sorted(set(listed) - set(present)):
        return [*found, f"an entry of it is missing: {_some(missing)}"]
    if present != seal.entries or not is_genuine(seal, entries, reading.keys):
        return [*found, "an entry of it was changed, or the seal itself"]
    if older := _slipped_in(seal, entries, reading.emptied_at):
        found.append(
            "an entry in it is older than the last seal that left none waiting: "
            f"it was slipped in, or the clock of the machine that recorded it was slow: {_some(older)}"
        )
    _note_event(seal, reading)
    reading.at = seal.at
    if seal.kind == SealKind.ENTRIES and len(entries) < seals.BATCH:
        reading.emptied_at = seal.at
    return found


def _slipped_in(seal: Seal, entries: list[Entry], emptied_at: datetime | None) -> list[int]:
    """Return the entries that should have been in an earlier seal, which left nothing waiting.

    An event in the chain and a full batch leave entries waiting: they say nothing about those that come after. Nor does
    anything if the sealer's own clock was put back, which no owner of the database can do.
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
    ids: Iterable[Any] = Entry.objects.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=10_000)
    return array("q", (pk for pk in ids if pk not in reading.covered))


def _some(ids: list[int]) -> str:
    return ", ".join(map(str, ids[:_MOST_IDS])) + (f" and {len(ids) - _MOST_IDS} more" if len(ids) > _MOST_IDS else "")
