"""Keeps the processes of one installation running: starts what died again, replaces them one by one, stops them."""

import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from clave.operations.readiness import READY_FD
from clave.operations.sockets import LISTEN_FD, choose_among

log = structlog.get_logger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
STEADY_SECONDS = 60.0  # who lived so long begins again with the first pause
READY_SECONDS = 60.0
POLL_SECONDS = 0.1
STOP = {signal.SIGTERM, signal.SIGINT}
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Program:
    """What is to run for ever.

    `replaceable` says that two may run side by side for a moment, and that it reports when it is ready.
    """

    name: str
    command: Sequence[str]
    replaceable: bool = True
    stop_seconds: float = 8.0
    listener: socket.socket | None = None  # what it accepts from
    hand_over: signal.Signals = signal.SIGTERM  # tells it that its successor is there
    team: str = ""  # of those that do the same work


class RunningProcess:
    """One process of a program."""

    def __init__(self, program: Program, environ: Mapping[str, str]) -> None:
        self.program = program
        self.born = time.monotonic()
        self.leaving_since = 0.0
        self._ready = False
        self._readiness, write = os.pipe()
        full, fds = {**environ, READY_FD: str(write)}, [write]
        if program.listener:
            fds.append(program.listener.fileno())
            full[LISTEN_FD] = str(program.listener.fileno())
        try:
            self._process = start_child(program.command, full, fds)
        finally:
            os.close(write)

    @property
    def pid(self) -> int:
        return self._process.pid

    def has_ended(self) -> bool:
        """Ask without burying it, so that its number is nobody else's yet."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def is_ready(self) -> bool:
        """Say whether it has reported that it works."""
        if not self._ready and select.select([self._readiness], [], [], 0)[0]:
            self._ready = bool(os.read(self._readiness, 1))
        return self._ready

    def is_serving(self) -> bool:
        return self.is_ready() and not self.has_ended()

    def leave(self, number: signal.Signals) -> None:
        """Ask it to end."""
        self.leaving_since = time.monotonic()
        self._process.send_signal(number)

    def overstays(self) -> bool:
        """Say whether it was asked to end and has had its time."""
        return time.monotonic() - self.leaving_since > self.program.stop_seconds

    def bury(self) -> int:
        """End it and whatever it has started; return its exit code, negative for the signal that killed it."""
        os.killpg(self.pid, signal.SIGKILL)  # it began a session of its own, so the group is all its own
        os.close(self._readiness)
        return self._process.wait()


def start_child(command: Sequence[str], environ: Mapping[str, str], fds: Sequence[int] = ()) -> subprocess.Popen[bytes]:
    """Start a process that dies when this one does."""
    parent = os.getpid()
    return subprocess.Popen(
        command, env=environ, pass_fds=fds, start_new_session=True, preexec_fn=lambda: _die_with(parent)
    )


def _die_with(parent: int) -> None:
    """In the new process, before its program starts: ask the kernel to kill it when the launcher dies (prctl(2))."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def next_pause(previous: float, lived: float) -> float:
    """Return the seconds before the next start of a program that has lived so long."""
    return FIRST_PAUSE if lived >= STEADY_SECONDS or not previous else min(LONGEST_PAUSE, previous * 2)


class Place:
    """Where a program runs: one process now, none during a pause."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.running: RunningProcess | None = None
        self.pause = 0.0
        self.start_at = 0.0


class ProcessGroup:
    """The processes of one installation. Orders are the signals that the launcher has received and not yet obeyed."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = dict(environ)
        self.orders: set[signal.Signals] = set()
        self.places: list[Place] = []
        self._leaving: list[RunningProcess] = []
        self._serving: list[int] = []

    def told_to_stop(self) -> bool:
        return bool(self.orders & STOP)

    def manage(self, *words: str) -> None:
        """Run one management command to its end, or until told to stop. Raises `CalledProcessError`."""
        command = [sys.executable, "manage.py", *words]
        process = start_child(command, self.environ)
        while process.poll() is None:
            if self.told_to_stop():
                process.terminate()
            self.tend_and_wait()
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)

    def add(self, program: Program) -> None:
        """Run a program from now on."""
        place = Place(program)
        place.running = RunningProcess(program, self.environ)
        self.places.append(place)

    def tend(self) -> None:
        """Start again what has died and had its pause; end what was asked to leave and does not."""
        now = time.monotonic()
        for place in self.places:
            if place.running and place.running.has_ended():
                self._note_death(place, place.running, now)
            if place.running is None and now >= place.start_at:
                place.running = RunningProcess(place.program, self.environ)
        for leaver in list(self._leaving):
            if leaver.has_ended() or leaver.overstays():
                self._leaving.remove(leaver)
                leaver.bury()

        self._route_visitors()

    def _route_visitors(self) -> None:
        """Send new connections to processes that serve; what waits for the others waits until they come back."""
        web = [place for place in self.places if place.program.listener]
        listeners = [place.program.listener for place in web if place.program.listener]
        serving = [number for number, place in enumerate(web) if place.running and place.running.is_serving()]
        if len({listener.fileno() for listener in listeners}) < 2 or serving in ([], self._serving):
            return
        self._serving = serving
        try:
            choose_among(listeners, serving)
        except OSError as error:
            log.warning("process.routing_failed", error=error.strerror)

    def tend_and_wait(self) -> None:
        self.tend()
        time.sleep(POLL_SECONDS)

    def _note_death(self, place: Place, dead: RunningProcess, now: float) -> None:
        pause = self.pause_after(place, dead)
        code = dead.bury()
        log.warning("process.died", process=place.program.name, exit_code=code, seconds_to_restart=pause)
        place.running, place.start_at = None, now + pause

    def pause_after(self, place: Place, dead: RunningProcess) -> float:
        """Return how long to wait before what died here is started again, and count it."""
        place.pause = next_pause(place.pause, time.monotonic() - dead.born)
        if dead.is_ready() and self._nobody_else_serves(place):
            return FIRST_PAUSE  # what once worked comes back soon, though a request may kill it again
        return place.pause

    def _nobody_else_serves(self, place: Place) -> bool:
        team = [other for other in self.places if place.program.team and other.program.team == place.program.team]
        return bool(team) and not any(
            other.running and other is not place and other.running.is_serving() for other in team
        )

    def replace_all(self) -> bool:
        """Put a new process in the place of each, one after another; the old one leaves when the new one is ready.

        Say whether all were replaced. If a new one does not become ready, or another order comes, the rest stay.
        """
        for place in self.places:
            if not place.program.replaceable:
                continue
            successor = RunningProcess(place.program, self.environ)
            if not self._becomes_ready(successor):
                log.error("process.not_replaced", process=place.program.name, exit_code=successor.bury())
                return False
            if place.running:
                self._dismiss(place.running, place.program.hand_over)
            place.running, place.pause = successor, 0.0
            log.info("process.replaced", process=place.program.name)
        return True

    def _becomes_ready(self, successor: RunningProcess) -> bool:
        deadline = successor.born + READY_SECONDS
        while time.monotonic() < deadline and not successor.has_ended() and not self.told_to_stop():
            if successor.is_ready():
                return True
            self.tend_and_wait()
        return False

    def _dismiss(self, running: RunningProcess, number: signal.Signals) -> None:
        running.leave(number)
        self._leaving.append(running)

    def stop(self, team: str = "") -> None:
        """End a team, or everything, politely at first."""
        ending = [place for place in self.places if team in ("", place.program.team)]
        self.places = [place for place in self.places if place not in ending]
        for place in ending:
            if place.running:
                self._dismiss(place.running, signal.SIGTERM)
        while self._leaving:
            self.tend_and_wait()
