"""What dies comes back, what is replaced refuses nobody, what stops finishes what it has begun."""

import os
import signal
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from clave.operations import process_group
from clave.operations.launcher import free_port
from clave.operations.process_group import Place, ProcessGroup, Program
from clave.operations.sockets import listening_sockets, route_to, stop_accepting
from tests import installation, postgres
from tests.installation import until

pytestmark = [pytest.mark.slow, pytest.mark.storeless]


def works(url: str, timeout: float = 10) -> bool:
    try:
        return httpx.get(url, timeout=timeout).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[installation.LiveInstallation]:
    """A site with two web processes."""
    with installation.running(tmp_path_factory.mktemp("processes"), workers=2) as running:
        until(lambda: works(f"{running.url}/readyz"))
        yield running


class Crowd:
    """Visitors on kept and on new connections, and how many were served."""

    def __init__(self, live: installation.LiveInstallation) -> None:
        self._live, self._enough = live, threading.Event()
        self.served: Counter[str] = Counter()
        self.failed: list[str] = []
        self._threads = [threading.Thread(target=context) for context in (self._keep, self._renew) for _ in range(4)]

    @contextmanager
    def visiting(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._enough.set()
            for thread in self._threads:
                thread.join()

    def _keep(self) -> None:
        with httpx.Client(base_url=self._live.url, timeout=30) as client:
            while not self._enough.is_set():
                self._count("kept", client.get)

    def _renew(self) -> None:
        while not self._enough.is_set():
            with httpx.Client(base_url=self._live.url, timeout=30) as client:
                self._count("new", client.get)

    def _count(self, kind: str, get: Any) -> None:
        try:
            get("/ingresar").raise_for_status()
            self.served[kind] += 1
        except httpx.HTTPError as error:
            self.failed.append(f"{kind}: {error!r}")


@pytest.mark.abuse(76)
def test_a_rolling_restart_under_load_refuses_nobody(site: installation.LiveInstallation) -> None:
    before = site.web_pids()
    crowd = Crowd(site)
    with crowd.visiting():
        site.launcher.send_signal(signal.SIGHUP)
        until(lambda: len(now := site.web_pids()) == 2 and not set(now) & set(before), 60)
    assert crowd.failed == []
    assert min(crowd.served["kept"], crowd.served["new"]) > 10


@pytest.mark.abuse(70)
def test_a_web_process_killed_again_and_again_comes_back_while_the_other_serves(
    site: installation.LiveInstallation,
) -> None:
    def gone(pid: int) -> bool:
        return pid not in site.web_pids()

    spared, victim = site.web_pids()
    for _ in range(4):  # granian itself gave up at the second
        os.kill(victim, signal.SIGKILL)
        until(partial(gone, victim))
        until(lambda: len(site.web_pids()) == 2, 20)
        victim = next(pid for pid in site.web_pids() if pid != spared)
        assert works(f"{site.url}/healthz")
    assert spared in site.web_pids()


@pytest.mark.abuse(70)
def test_who_comes_when_all_web_processes_were_killed_waits_and_is_served(site: installation.LiveInstallation) -> None:
    killed = site.web_pids()
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not set(killed) & set(site.web_pids()))
    assert httpx.get(f"{site.url}/healthz", timeout=30).status_code == 200


@pytest.mark.abuse(75)
def test_a_killed_worker_comes_back_and_the_site_stays_up(site: installation.LiveInstallation) -> None:
    (killed,) = site.pids("manage.py worker")
    web = site.web_pids()
    os.kill(killed, signal.SIGKILL)
    until(lambda: site.pids("manage.py worker") not in ([], [killed]))
    assert site.web_pids() == web
    assert works(f"{site.url}/healthz")


@pytest.mark.abuse(75)
def test_nothing_outlives_a_killed_launcher_and_the_port_is_free(tmp_path: Path) -> None:
    with installation.running(tmp_path) as live:
        children = installation.children(live.launcher.pid)
        assert len(children) >= 3
        live.launcher.kill()
        live.launcher.wait()
        until(lambda: not any(installation.command_line(pid) for pid in children), 5)
        # A process that ends has no command line any more before the kernel has closed its sockets.
        until(lambda: _can_listen(live.port), 5)


def _can_listen(port: int) -> bool:
    try:
        listening_sockets("127.0.0.1", port, 1)[0].close()
    except OSError:
        return False
    return True


@pytest.mark.abuse(75)
@pytest.mark.needs("postgres")
def test_the_site_outlives_a_restart_of_its_database(tmp_path: Path) -> None:
    with postgres.serving("-c fsync=off") as database, installation.running(tmp_path, database.url) as live:
        until(lambda: works(f"{live.url}/readyz"))
        before = installation.children(live.launcher.pid)
        database.stop()
        assert not works(f"{live.url}/readyz")
        assert works(f"{live.url}/healthz")
        database.start()
        until(lambda: works(f"{live.url}/readyz"), 60)
        assert installation.children(live.launcher.pid) == before


@pytest.mark.abuse(76)
def test_a_site_that_stops_says_so_first_and_finishes_what_is_inside(tmp_path: Path) -> None:
    with installation.running(tmp_path, CLAVE_DRAIN_SECONDS="2") as live:
        head = f"POST /ingresar HTTP/1.1\r\nHost: 127.0.0.1:{live.port}\r\nContent-Length: 5\r\n"
        head += "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        with socket.create_connection(("127.0.0.1", live.port), timeout=20) as inside:
            inside.sendall(head.encode())
            with httpx.Client(base_url=live.url) as balancer:
                balancer.get("/healthz")
                live.launcher.terminate()
                until(lambda: balancer.get("/readyz").json()["status"] == "stopping")
                answer = balancer.get("/healthz")
                assert (answer.status_code, answer.headers["connection"]) == (200, "close")
            until(lambda: not works(f"{live.url}/healthz", 0.5))  # nobody new gets in
            inside.sendall(b"rut=1")
            assert inside.recv(100).startswith(b"HTTP/1.1 403")
        assert live.launcher.wait(20) == 0


@pytest.mark.abuse(76)
def test_a_second_site_on_the_same_port_is_refused(site: installation.LiveInstallation) -> None:
    second = process_group.start_child([sys.executable, "-m", "clave.operations.launcher"], site.installation.environ)
    assert second.wait(20) == 1
    assert works(f"{site.url}/healthz")


def test_new_code_that_does_not_start_leaves_the_old_processes_serving(tmp_path: Path) -> None:
    group = ProcessGroup(dict(os.environ))
    group.add(Program(name="old", command=["sleep", "60"]))
    old = group.places[0].running
    group.places[0].program = Program(name="new", command=["false"])
    assert not group.replace_all()
    assert group.places[0].running is old
    assert old and not old.has_ended()
    group.stop()


def test_the_pause_before_a_restart_grows_to_half_a_minute_and_begins_anew_after_a_steady_life() -> None:
    pause, pauses = 0.0, []
    for _ in range(7):
        pause = process_group.next_pause(pause, lived=2)
        pauses.append(pause)
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    assert process_group.next_pause(pause, lived=100) == 1


@pytest.mark.abuse(70)
def test_the_last_web_process_that_served_is_not_kept_waiting() -> None:
    group = ProcessGroup({})
    group.places = [Place(Program(name, [], team="web")) for name in ("web-1", "web-2")]
    first, second = group.places
    first.pause = second.pause = 8.0
    dead: Any = SimpleNamespace(born=time.monotonic(), is_ready=lambda: True, is_serving=lambda: False)
    serving: Any = SimpleNamespace(is_serving=lambda: True)
    second.running = serving
    assert group.pause_after(first, dead) == 16
    second.running = None
    assert group.pause_after(first, dead) == 1


@pytest.mark.abuse(70)
def test_new_connections_go_only_to_sockets_whose_process_serves() -> None:
    port = free_port()
    listeners = listening_sockets("127.0.0.1", port, 3)
    route_to(listeners, [0, 2])
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(60)]
    waiting = [_accept_all(listener) for listener in listeners]
    assert waiting[1] == 0
    assert sum(waiting) == 60 and min(waiting[0], waiting[2]) > 5
    for each in (*clients, *listeners):
        each.close()


def _accept_all(listener: socket.socket) -> int:
    listener.setblocking(False)
    accepted = 0
    try:
        while True:
            listener.accept()[0].close()
            accepted += 1
    except BlockingIOError:
        return accepted


@pytest.mark.abuse(76)
def test_who_waits_when_a_process_stops_accepting_is_left_to_the_next() -> None:
    (kept,) = listening_sockets("127.0.0.1", free_port(), 1)
    given = kept.dup()
    with socket.create_connection(kept.getsockname()):
        stop_accepting(given)
        assert _accept_all(given) == 0
        assert _accept_all(kept) == 1
    given.close()
    kept.close()
