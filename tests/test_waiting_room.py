"""Who is admitted, who waits and who is told at once that the wait would be too long."""

import threading
from collections.abc import Iterator

import pytest

from clave.web.waiting_room import LONGEST_WAIT, WaitingRoom
from tests.installation import until

pytestmark = [pytest.mark.slow, pytest.mark.storeless]


class Clock:
    """Seconds that pass when a test says so."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Crowd:
    """Visitors of a room with one place; each thread waits for its turn and says who it was."""

    def __init__(self, queue: int = 1000, reserve: int = 20) -> None:
        self.clock = Clock()
        self.room = WaitingRoom(1, queue, reserve, self.clock)
        self.served: list[str] = []
        self.threads: list[threading.Thread] = []
        assert self.room.enter()

    def join(self, name: str, urgent: bool = False) -> bool:
        """Let somebody come; say whether they were admitted."""
        admitted: list[bool] = []

        def come() -> None:
            admitted.append(self.room.enter(urgent))
            if admitted[0]:
                self.served.append(name)

        before = self.room.waiting
        thread = threading.Thread(target=come)
        thread.start()
        until(lambda: self.room.waiting > before or admitted)
        if not admitted:
            self.threads.append(thread)
        return not admitted or admitted[0]

    def turn(self, seconds: float) -> None:
        """Let whoever is inside leave after so many seconds; wait until the next one is in."""
        self.clock.now += seconds
        expected = len(self.served) + bool(self.room.waiting)
        self.room.leave()
        until(lambda: len(self.served) == expected)

    def end(self) -> None:
        while self.room.waiting:
            self.turn(0.001)
        for thread in self.threads:
            thread.join(10)


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    crowd = Crowd()
    yield crowd
    crowd.end()


def measured(crowd: Crowd, pace: float) -> None:
    """Let enough visitors pass for the room to know its pace, and leave its queue empty."""
    for number in range(4):
        assert crowd.join(f"first {number}")
    for _ in range(4):
        crowd.turn(pace)


@pytest.mark.abuse(77)
def test_a_fresh_worker_refuses_nobody_for_a_pace_it_has_not_measured(crowd: Crowd) -> None:
    assert all(crowd.join(str(number)) for number in range(30))
    crowd.clock.now += 60
    assert crowd.join("late")


@pytest.mark.abuse(77)
@pytest.mark.parametrize("pace", [0.125, 0.25])
def test_whoever_would_wait_too_long_is_told_at_once(crowd: Crowd, pace: float) -> None:
    measured(crowd, pace)
    admitted = 0
    while crowd.join(str(admitted)):
        admitted += 1
    assert admitted == int(LONGEST_WAIT / pace), "those who wait, and the one inside"


@pytest.mark.abuse(77)
def test_a_place_that_nobody_gives_back_lets_nobody_more_wait(crowd: Crowd) -> None:
    measured(crowd, 0.01)
    assert crowd.join("a") and crowd.join("b")
    crowd.turn(0.01)
    crowd.clock.now += LONGEST_WAIT + 0.1
    assert not crowd.join("c")


@pytest.mark.abuse(77)
def test_a_slow_time_is_forgotten_as_places_are_given_back_faster(crowd: Crowd) -> None:
    measured(crowd, 5.0)
    crowd.join("one")
    assert not crowd.join("two"), "five seconds a place"
    for number in range(60):
        crowd.turn(0.01)
        crowd.join(f"then {number}")
    assert all(crowd.join(f"last {number}") for number in range(5))


@pytest.mark.abuse(77)
def test_time_in_which_nobody_wanted_a_place_is_no_measure(crowd: Crowd) -> None:
    measured(crowd, 0.01)
    crowd.turn(3600)
    assert crowd.room.enter() and all(crowd.join(str(number)) for number in range(30))


@pytest.mark.abuse(77)
def test_who_closes_attendance_goes_first_but_does_not_stop_the_rest(crowd: Crowd) -> None:
    for number in range(3):
        crowd.join(f"ordinary {number}")
    for number in range(10):
        crowd.join(f"closing {number}", urgent=True)
    while crowd.room.waiting:
        crowd.turn(0.01)
    kinds = [name.split()[0] for name in crowd.served]
    assert kinds == [*["closing"] * 4, "ordinary", *["closing"] * 4, "ordinary", *["closing"] * 2, "ordinary"]


@pytest.mark.abuse(77)
def test_closing_attendance_is_admitted_where_others_are_not() -> None:
    crowd = Crowd(queue=3, reserve=2)
    assert all(crowd.join(str(number)) for number in range(3)) and not crowd.join("ordinary")
    assert crowd.join("one", urgent=True) and crowd.join("two", urgent=True)
    assert not crowd.join("three", urgent=True)
    crowd.end()
