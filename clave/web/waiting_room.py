"""Who may be served now, who waits for a turn, and who is told at once that the wait would be too long."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable

LONGEST_WAIT = 0.8  # seconds; turns are uneven, and hardly anybody shall wait more than one
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


class _Queue:
    """Those who wait for a turn. Its pace is how many seconds pass between two turns while somebody waits."""

    def __init__(self) -> None:
        self._turns: deque[threading.Lock] = deque()
        self._pace = 0.0  # 0: not measured yet, and nobody is refused for it
        self._last_turn = 0.0  # when somebody last had a turn, or the queue began

    def __len__(self) -> int:
        return len(self._turns)

    def join(self, now: float) -> threading.Lock:
        """Return what whoever comes now waits for."""
        if not self._turns:
            self._last_turn = now
        turn = threading.Lock()
        turn.acquire()
        self._turns.append(turn)
        return turn

    def admit_next(self, now: float) -> None:
        """Let in who has waited longest."""
        took = now - self._last_turn
        self._pace = self._pace + _SMOOTHING * (took - self._pace) if self._pace else took
        self._last_turn = now
        self._turns.popleft().release()

    def expected_wait(self, inside: int, now: float) -> float:
        """Return the seconds until whoever comes now is served and gone, if so many are inside.

        Nobody before him: 0, so that a pace that was slow once is measured again. When nobody has had a turn for longer
        than the pace, that time is the pace.
        """
        if not self._turns:
            return 0.0
        pace = max(self._pace, now - self._last_turn) if self._pace else 0.0
        return (len(self._turns) + inside) * pace


class WaitingRoom:
    """A number of places, and two queues for them; whoever would wait longer than `LONGEST_WAIT` is not admitted.

    Each queue has its own pace, because urgent visitors overtake ordinary ones, also those who came before them.
    `reserve` are places in the queue that only urgent visitors may take. `clock` returns seconds.
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
        """Take a place, waiting for it if need be. False: the wait would be too long; nothing was taken."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            queue = self._urgent if urgent else self._ordinary
            most, now = self._queue + (self._reserve if urgent else 0), self._clock()
            if self.waiting >= most or queue.expected_wait(self._places, now) > LONGEST_WAIT:
                return False
            turn = queue.join(now)
        turn.acquire()  # until somebody who leaves hands the place over
        return True

    def leave(self) -> None:
        """Give the place back: to the next who waits, urgent ones first."""
        with self._lock:
            if not self.waiting:
                self._free += 1
                return
            urgent = self._urgent and (self._urgent_in_a_row < _URGENT_IN_A_ROW or not self._ordinary)
            self._urgent_in_a_row = self._urgent_in_a_row + 1 if urgent else 0
            (self._urgent if urgent else self._ordinary).admit_next(self._clock())
