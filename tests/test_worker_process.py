"""The worker and its connections when the database goes away."""

import threading
import time
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django_tasks_db.management.commands.db_worker import Worker

from clave.operations.management.commands import worker as worker_command
from clave.web import lifecycle


class Flaky(Worker):
    """A worker whose store fails three times."""

    def __init__(self) -> None:
        self.running, self.runs = True, 0

    def run(self) -> None:
        self.runs += 1
        if self.runs <= 3:
            raise OperationalError("terminating connection due to administrator command")
        self.running = False


@pytest.mark.abuse(75)
def test_the_worker_waits_for_a_store_that_went_away(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(worker_command, "forget_connections", lambda: None)
    flaky = Flaky()
    worker_command.run_tasks(flaky)
    assert flaky.runs == 4
    assert slept == [1, 2, 4]


@pytest.mark.abuse(75)
@pytest.mark.usefixtures("django_db_setup")
def test_a_connection_that_broke_is_made_anew(django_db_blocker: Any) -> None:
    answers = []

    def break_and_ask() -> None:  # in a thread, whose connection is its own
        connection.ensure_connection()
        connection.connection.close()
        worker_command.forget_connections()
        with connection.cursor() as cursor:
            answers.append(cursor.execute("SELECT 1").fetchone())
        connection.close()

    with django_db_blocker.unblock():
        thread = threading.Thread(target=break_and_ask)
        thread.start()
        thread.join()
    assert answers == [(1,)]


@pytest.mark.abuse(76)
@pytest.mark.django_db
def test_a_stopping_process_is_not_ready_but_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    draining = threading.Event()
    draining.set()
    monkeypatch.setattr(lifecycle, "draining", draining)
    assert Client().get("/readyz").status_code == 503
    assert Client().get("/healthz").status_code == 200
