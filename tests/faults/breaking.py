"""Breaks a site in use, again and again, and tells what became of what its visitors were told."""

import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests import installation, postgres
from tests.faults import checker, outside
from tests.faults.people import FIRST_NUMBER, People

# Hashes as cheap as in the other tests: more happens in the same time.
SETTINGS = {"CLAVE_CAPTCHA": "off", "CLAVE_TRUSTED_PROXIES": "1", "ARGON2_MEMORY_KIB": "64", "ARGON2_TIME": "1"}
ENROL = """
from clave.lib.rut import check_digit
from clave.training.models import Action, Enrolment
action, numbers = Action.objects.get(code="6700001"), range({first}, {first} + {many})
Enrolment.objects.bulk_create([Enrolment(action=action, run=f"{{n}}-{{check_digit(n)}}") for n in numbers], batch_size=500)
"""


@dataclass
class Result:
    """What came of one run."""

    store: str
    faults: Counter[str] = field(default_factory=Counter)
    people: int = 0
    acknowledged: int = 0
    unanswered: int = 0
    messages: int = 0
    problems: list[str] = field(default_factory=list)


class Breaker:
    """The faults. Each leaves the site to mend itself, except the launcher, which a machine's supervisor starts again."""

    def __init__(
        self, live: installation.LiveInstallation, database: postgres.Server | None, world: outside.Outside
    ) -> None:
        self._live, self._database, self._world = live, database, world
        self.known: list[tuple[str, Callable[[], None]]] = [
            ("web process killed", self._web),
            ("all web processes killed", self._every_web),
            ("worker killed", self._worker),
            ("mail server hangs", self._mail),
            ("restarted without a break (SIGHUP)", self._hang_up),
            ("launcher killed", self._launcher),
        ]
        if database:
            self.known.append(("PostgreSQL restarted (immediate)", database.restart))

    def _kill(self, pids: list[int]) -> None:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue  # it has just ended by itself

    def _web(self) -> None:
        self._kill(random.sample(pids, 1) if (pids := self._live.web_pids()) else [])

    def _every_web(self) -> None:
        self._kill(self._live.web_pids())

    def _worker(self) -> None:
        self._kill(self._live.pids("manage.py worker"))

    def _mail(self) -> None:
        self._world.mail_hangs = True
        time.sleep(1.5)
        self._world.mail_hangs = False

    def _hang_up(self) -> None:
        self._live.launcher.send_signal(signal.SIGHUP)

    def _launcher(self) -> None:
        self._live.launcher.kill()
        self._live.launcher.wait()
        self._live.launch()
        installation.wait_for(f"{self._live.url}/healthz")


def break_it(store: str, seconds: float, pause: float, at_once: int = 4, enrolled: int = 4000) -> Result:
    """Run a site on this store, let people use it, and break something every `pause` seconds, for so long or a little longer."""
    result = Result(store)
    with ExitStack() as stack:
        database = stack.enter_context(postgres.serving()) if store == "PostgreSQL" else None
        world = stack.enter_context(outside.running())
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="clave-faults-")))
        url = database.url if database else ""
        live = stack.enter_context(installation.running(home, url, workers=2, **SETTINGS, **world.environ))
        live.shell(ENROL.format(first=FIRST_NUMBER, many=enrolled))
        people = People(live.url, at_once)
        with ThreadPoolExecutor(at_once) as pool:
            lives = [pool.submit(people.live) for _ in range(at_once)]
            _break_for(seconds, pause, Breaker(live, database, world), result)
            people.enough.set()
        for each in lives:
            each.result()
        wait_until_ready(live)
        live.move_clock(120)  # past the lease of what a killed worker was sending
        checker.wait_for_messages(live)
        result.problems = [*checker.problems(people.everybody, checker.facts(live), world), *people.strange]
        result.people = len(people.everybody)
        result.acknowledged = sum(person.acknowledged for person in people.everybody)
        result.unanswered = people.unanswered
        result.messages = sum(len(ids) for ids in world.arrived().values())
    return result


def _break_for(seconds: float, pause: float, breaker: Breaker, result: Result) -> None:
    """Let every fault happen at least once; each round has another order, so that they meet."""
    deadline = time.monotonic() + seconds
    while not result.faults or time.monotonic() < deadline:
        for name, fault in random.sample(breaker.known, len(breaker.known)):
            time.sleep(pause)
            fault()
            result.faults[name] += 1


def wait_until_ready(live: installation.LiveInstallation) -> None:
    """Wait until the site is whole again: web, worker and store."""
    installation.wait_for(f"{live.url}/readyz", seconds=60)
