"""Admission control: who is served now, who queues, and who is refused at once because the wait would be too long."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable

LONGEST_WAIT = 0.8  # seconds; turns vary, and hardly anyone should wait longer than one second
_SMOOTHING = 0.1  # weight of the latest turn in the moving average
_URGENT_IN_A_ROW = 4  # then one ordinary request gets a turn: a flood of urgent ones must not starve the rest


class SlotLimiter:
    """A fixed number of slots, with a limit per address so that a single client cannot take them all."""

    def __init__(self, places: int, per_address: int) -> None:
        self._places, self._of_one = places, per_address
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        return self._taken.total()

    def take(self, address: str) -> bool:
        """Take a slot; return False if none is available to this address."""
        with self._lock:
            if self.taken >= self._places or self._taken[address] >= self._of_one:
                return False
            self._taken[address] += 1
            return True

    def give_back(self, address: str) -> None:
        """Release a slot taken by this address."""
        with self._lock:
            self._taken[address] -= 1
            if not self._taken[address]:
                del self._taken[address]


class _Queue:
    """Requests waiting for a turn. The pace is the average time in seconds between two turns while any are waiting."""

    def __init__(self) -> None:
        self._turns: deque[threading.Lock] = deque()
        self._pace = 0.0  # 0: not measured yet, so nobody is refused because of it
        self._last_turn = 0.0  # time of the last turn, or when the queue formed

    def __len__(self) -> int:
        return len(self._turns)

    def join(self, now: float) -> threading.Lock:
        """Join the queue; return the lock that is released when it is this request's turn."""
        if not self._turns:
            self._last_turn = now
        turn = threading.Lock()
        turn.acquire()
        self._turns.append(turn)
        return turn

    def admit_next(self, now: float) -> None:
        """Admit the request that has waited longest."""
        elapsed = now - self._last_turn
        self._pace = self._pace + _SMOOTHING * (elapsed - self._pace) if self._pace else elapsed
        self._last_turn = now
        self._turns.popleft().release()

    def expected_wait(self, inside: int, now: float) -> float:
        """Return the seconds until a new request would be served and gone, with `inside` requests being served.

        For an empty queue return 0, so that a pace that was slow once is measured again. If the current turn already
        takes longer than the pace, that time is the pace.
        """
        if not self._turns:
            return 0.0
        pace = max(self._pace, now - self._last_turn) if self._pace else 0.0
        return (len(self._turns) + inside) * pace


class WaitingRoom:
    """A fixed number of places and two queues for them; a request that would wait more than `LONGEST_WAIT` is refused.

    Each queue has its own pace, because urgent requests overtake ordinary ones, even those that came first. `reserve`
    is the number of queue places open only to urgent requests. `clock` returns seconds.
    """

    def __init__(self, places: int, queue: int, reserve: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._places, self._queue, self._reserve, self._clock = places, queue, reserve, clock
        self._free = places
        self._ordinary, self._urgent = _Queue(), _Queue()
        self._urgent_in_a_row = 0
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        return len(self._ordinary) + len(self._urgent)

    def enter(self, urgent: bool = False) -> bool:
        """Take a place, waiting if necessary. Return False, taking none, if the wait would be too long."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            queue = self._urgent if urgent else self._ordinary
            capacity, now = self._queue + (self._reserve if urgent else 0), self._clock()
            if self.waiting >= capacity or queue.expected_wait(self._places, now) > LONGEST_WAIT:
                return False
            turn = queue.join(now)
        turn.acquire()  # blocks until a leaving request hands over its place
        return True

    def leave(self) -> None:
        """Release the place, handing it to the next in line, urgent requests first."""
        with self._lock:
            if not self.waiting:
                self._free += 1
                return
            urgent = self._urgent and (self._urgent_in_a_row < _URGENT_IN_A_ROW or not self._ordinary)
            self._urgent_in_a_row = self._urgent_in_a_row + 1 if urgent else 0
            (self._urgent if urgent else self._ordinary).admit_next(self._clock())
