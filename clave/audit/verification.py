"""Verifying the audit trail from its first seal to its newest entry. Every fault is counted, the first are named."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from clave.audit import anchors
from clave.audit.chain import VERSION, is_genuine, known_keys
from clave.audit.models import Entry, Seal, SealKind, Unsealed
from clave.audit.seals import lost_with

# No transaction lasts longer: an entry older than this beside the seal before it was slipped in later.
LATEST = timedelta(minutes=5)
MOST_NAMED = 100
_MOST_IDS = 5


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
    newest: Seal | None = None
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
    rest = Seal.objects.order_by("pk")
    if reading.newest is not None:
        rest = rest.filter(pk__gt=reading.newest.pk)
    for seal in rest.iterator(chunk_size=100):
        listed = [pk for pk in seal.entries if type(pk) is int] if isinstance(seal.entries, list) else []
        entries = list(Entry.objects.filter(pk__in=listed).order_by("pk"))
        for fault in _faults_of(seal, entries, listed, reading):
            reading.blame(fault, seal.pk)
        for entry in entries:
            reading.covered.add(entry.pk)
        reading.noted.discard((seal.pk, seal.mac))
        reading.newest = seal
        reading.seals, reading.entries = reading.seals + 1, reading.entries + len(entries)


def _faults_of(seal: Seal, entries: list[Entry], listed: list[int], reading: _Reading) -> list[str]:
    """Return what is wrong with one seal; of one that is genuine, note the event it tells of."""
    before, found = reading.newest, []
    if seal.previous != (before.mac if before else ""):
        found.append("does not follow the seal before it")
    if seal.version not in (1, VERSION) or (before and seal.version < before.version):
        return [*found, "has a version that cannot be here"]
    if seal.version > 1 and seal.key not in reading.keys:
        return [*found, f"was made under a key that is not at hand ({seal.key})"]
    present = [entry.pk for entry in entries]
    if missing := sorted(set(listed) - set(present)):
        found.append(f"an entry of it is missing: {_some(missing)}")
    elif present != seal.entries or not is_genuine(seal, entries, reading.keys):
        found.append("an entry of it was changed, or the seal itself")
    else:
        _note_event(seal, reading)
    if twice := [pk for pk in present if pk in reading.covered]:
        found.append(f"lists an entry that another seal holds: {_some(twice)}")
    # If the clock itself was put back, the seal is as old as its entries.
    if before and (older := [entry.pk for entry in entries if entry.at < min(before.at, seal.at) - LATEST]):
        found.append(f"an entry in it is older than the seal before, it was slipped in: {_some(older)}")
    return found


def _note_event(seal: Seal, reading: _Reading) -> None:
    at, note, before = seal.at.isoformat(timespec="seconds"), seal.note, reading.newest
    if before and seal.at < before.at - LATEST:
        reading.events.append(f"seal {seal.pk}: the clock was put back from {before.at:%Y-%m-%dT%H:%M:%S} to {at}")
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
