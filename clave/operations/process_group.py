"""Supervisor for the processes of one installation: restarts those that died, replaces them one by one, stops them."""

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
from clave.operations.sockets import LISTEN_FD, route_to

log = structlog.get_logger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
STEADY_SECONDS = 60.0  # after living this long, a process restarts with the first pause again
READY_SECONDS = 60.0
POLL_SECONDS = 0.1
STOP = {signal.SIGTERM, signal.SIGINT}
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Program:
    """A program that is to run permanently.

    `replaceable` means that two instances may overlap briefly, and that it reports when it is ready.
    """

    name: str
    command: Sequence[str]
    replaceable: bool = True
    stop_seconds: float = 8.0
    listener: socket.socket | None = None  # the socket it accepts connections from
    hand_over: signal.Signals = signal.SIGTERM  # sent when its successor is ready
    team: str = ""  # shared by programs that do the same work


class RunningProcess:
    """One process of a program."""

    def __init__(self, program: Program, environ: Mapping[str, str]) -> None:
        self.program = program
        self.born = time.monotonic()
        self.stop_requested_at = 0.0
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
        """Return whether it has exited, without reaping it, so that its PID cannot be reused yet."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def is_ready(self) -> bool:
        """Return whether it has reported that it is ready."""
        if not self._ready and select.select([self._readiness], [], [], 0)[0]:
            self._ready = bool(os.read(self._readiness, 1))
        return self._ready

    def is_serving(self) -> bool:
        return self.is_ready() and not self.has_ended()

    def request_stop(self, number: signal.Signals) -> None:
        """Ask it to stop."""
        self.stop_requested_at = time.monotonic()
        self._process.send_signal(number)

    def is_overdue(self) -> bool:
        """Return whether it was asked to stop and has exceeded its timeout."""
        return time.monotonic() - self.stop_requested_at > self.program.stop_seconds

    def reap(self) -> int:
        """Kill it and its children; return its exit code, negative for the signal that killed it."""
        os.killpg(self.pid, signal.SIGKILL)  # it started its own session, so the process group is all its own
        os.close(self._readiness)
        return self._process.wait()


def start_child(command: Sequence[str], environ: Mapping[str, str], fds: Sequence[int] = ()) -> subprocess.Popen[bytes]:
    """Start a process that is killed when this one dies."""
    parent = os.getpid()
    return subprocess.Popen(
        command, env=environ, pass_fds=fds, start_new_session=True, preexec_fn=lambda: _die_with(parent)
    )


def _die_with(parent: int) -> None:
    """Ask the kernel to kill this process when the launcher dies (prctl(2)). Runs in the child, before exec."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def next_pause(previous: float, lived: float) -> float:
    """Return the backoff in seconds before restarting a program that lived for `lived` seconds."""
    return FIRST_PAUSE if lived >= STEADY_SECONDS or not previous else min(LONGEST_PAUSE, previous * 2)


class Place:
    """A slot for a program: holds one process, or none during a backoff."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.running: RunningProcess | None = None
        self.pause = 0.0
        self.start_at = 0.0


class ProcessGroup:
    """The processes of one installation. `orders` are signals that the launcher has received but not yet acted on."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = dict(environ)
        self.orders: set[signal.Signals] = set()
        self.places: list[Place] = []
        self._stopping: list[RunningProcess] = []
        self._serving: list[int] = []

    def stop_requested(self) -> bool:
        return bool(self.orders & STOP)

    def manage(self, *words: str) -> None:
        """Run a management command to completion, or until asked to stop. Raises `CalledProcessError`."""
        command = [sys.executable, "manage.py", *words]
        process = start_child(command, self.environ)
        while process.poll() is None:
            if self.stop_requested():
                process.terminate()
            self.tend_and_wait()
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)

    def add(self, program: Program) -> None:
        """Start a program and keep it running."""
        place = Place(program)
        place.running = RunningProcess(program, self.environ)
        self.places.append(place)

    def tend(self) -> None:
        """Restart processes that died, after their backoff; kill those that exceed their timeout for stopping."""
        now = time.monotonic()
        for place in self.places:
            if place.running and place.running.has_ended():
                self._record_exit(place, place.running, now)
            if place.running is None and now >= place.start_at:
                place.running = RunningProcess(place.program, self.environ)
        for process in list(self._stopping):
            if process.has_ended() or process.is_overdue():
                self._stopping.remove(process)
                process.reap()

        self._route_connections()

    def _route_connections(self) -> None:
        """Route new connections to processes that serve; connections queued for the others wait for their return."""
        web = [place for place in self.places if place.program.listener]
        listeners = [place.program.listener for place in web if place.program.listener]
        serving = [number for number, place in enumerate(web) if place.running and place.running.is_serving()]
        if len({listener.fileno() for listener in listeners}) < 2 or serving in ([], self._serving):
            return
        self._serving = serving
        try:
            route_to(listeners, serving)
        except OSError as error:
            log.warning("process.routing_failed", error=error.strerror)

    def tend_and_wait(self) -> None:
        self.tend()
        time.sleep(POLL_SECONDS)

    def _record_exit(self, place: Place, process: RunningProcess, now: float) -> None:
        pause = self.pause_after(place, process)
        code = process.reap()
        log.warning("process.died", process=place.program.name, exit_code=code, seconds_to_restart=pause)
        place.running, place.start_at = None, now + pause

    def pause_after(self, place: Place, process: RunningProcess) -> float:
        """Return the backoff before the process that died here is restarted, and record it."""
        place.pause = next_pause(place.pause, time.monotonic() - process.born)
        if process.is_ready() and self._team_is_down_without(place):
            return FIRST_PAUSE  # it worked before, so restart it soon, even though a request may kill it again
        return place.pause

    def _team_is_down_without(self, place: Place) -> bool:
        team = [other for other in self.places if place.program.team and other.program.team == place.program.team]
        return bool(team) and not any(
            other.running and other is not place and other.running.is_serving() for other in team
        )

    def replace_all(self) -> bool:
        """Replace every process, one after another; each old one is stopped once its successor is ready.

        Return whether all were replaced. If a new one does not become ready, or a stop is requested, the rest stay.
        """
        for place in self.places:
            if not place.program.replaceable:
                continue
            successor = RunningProcess(place.program, self.environ)
            if not self._becomes_ready(successor):
                log.error("process.not_replaced", process=place.program.name, exit_code=successor.reap())
                return False
            if place.running:
                self._request_stop(place.running, place.program.hand_over)
            place.running, place.pause = successor, 0.0
            log.info("process.replaced", process=place.program.name)
        return True

    def _becomes_ready(self, successor: RunningProcess) -> bool:
        deadline = successor.born + READY_SECONDS
        while time.monotonic() < deadline and not successor.has_ended() and not self.stop_requested():
            if successor.is_ready():
                return True
            self.tend_and_wait()
        return False

    def _request_stop(self, running: RunningProcess, number: signal.Signals) -> None:
        running.request_stop(number)
        self._stopping.append(running)

    def stop(self, team: str = "") -> None:
        """Stop a team, or everything: SIGTERM first, SIGKILL after the timeout."""
        ending = [place for place in self.places if team in ("", place.program.team)]
        self.places = [place for place in self.places if place not in ending]
        for place in ending:
            if place.running:
                self._request_stop(place.running, signal.SIGTERM)
        while self._stopping:
            self.tend_and_wait()
