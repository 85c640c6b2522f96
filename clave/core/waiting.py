"""Who may be served now, who waits for a turn, and who is told at once that the wait would be too long."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable

LONGEST_WAIT = 1.0  # seconds
_SMOOTHING = 0.1  # how much the newest turn weighs in the pace
_URGENT_IN_A_ROW = 4  # after so many an ordinary visitor has a turn: a flood of urgent ones must not stop the rest


class Places:
    """A number of places, of which one address may have only some: whoever is alone cannot take them all."""

    def __init__(self, places: int, of_one: int) -> None:
        self._places, self._of_one = places, of_one
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        return self._taken.total()

    def take(self, address: str) -> bool:
        """Take a place; False if there is none for this address."""
        with self._lock:
            if self.taken >= self._places or self._taken[address] >= self._of_one:
                return False
            self._taken[address] += 1
            return True

    def give_back(self, address: str) -> None:
        """Give back a place that this address took."""
        with self._lock:
            self._taken[address] -= 1
            if not self._taken[address]:
                del self._taken[address]


class WaitingRoom:
    """A number of places, and two queues for them. Its pace is how many seconds pass until one is given back.

    Whoever would wait longer than `LONGEST_WAIT` at this pace is not admitted. `reserve` are places in the queue that
    only urgent visitors may take. `clock` returns seconds.
    """

    def __init__(self, places: int, queue: int, reserve: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._free, self._queue, self._reserve, self._clock = places, queue, reserve, clock
        self._ordinary: deque[threading.Lock] = deque()
        self._urgent: deque[threading.Lock] = deque()
        self._urgent_in_a_row = 0
        self._lock = threading.Lock()
        self._pace = 0.0  # 0: not measured yet, and nobody is refused for it
        # When a place was last given back, or the queue began; None while nobody waits: then it measures nothing.
        self._last_turn: float | None = None

    @property
    def waiting(self) -> int:
        return len(self._ordinary) + len(self._urgent)

    def enter(self, urgent: bool = False) -> bool:
        """Take a place, waiting for it if need be. False: the wait would be too long; nothing was taken."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            if not self._admits(urgent):
                return False
            turn = threading.Lock()
            turn.acquire()
            (self._urgent if urgent else self._ordinary).append(turn)
            if self._last_turn is None:
                self._last_turn = self._clock()
        turn.acquire()  # until somebody who leaves hands the place over
        return True

    def leave(self) -> None:
        """Give the place back: to the next who waits, urgent ones first."""
        with self._lock:
            turn = self._next()
            self._measure()
            if turn is None:
                self._free += 1
            else:
                turn.release()

    def _admits(self, urgent: bool) -> bool:
        if urgent:
            return self.waiting < self._queue + self._reserve and len(self._urgent) * self._pace_now() <= LONGEST_WAIT
        return self.waiting < self._queue and self.waiting * self._pace_now() <= LONGEST_WAIT

    def _pace_now(self) -> float:
        """Return the pace; when nobody has left for longer than that, the time since somebody did."""
        if not self._pace or self._last_turn is None:
            return self._pace
        return max(self._pace, self._clock() - self._last_turn)

    def _measure(self) -> None:
        now = self._clock()
        if self._last_turn is not None:
            took = now - self._last_turn
            self._pace = self._pace + _SMOOTHING * (took - self._pace) if self._pace else took
        self._last_turn = now if self.waiting else None

    def _next(self) -> "threading.Lock | None":
        if self._urgent and (self._urgent_in_a_row < _URGENT_IN_A_ROW or not self._ordinary):
            self._urgent_in_a_row += 1
            return self._urgent.popleft()
        self._urgent_in_a_row = 0
        return self._ordinary.popleft() if self._ordinary else None
