"""The worker: runs tasks from the table, and on a timer puts in the ones that come round by themselves."""

import socket
import threading
import time
from typing import Any

import structlog
from django.core.management.base import BaseCommand
from django.db import Error as DatabaseFault
from django.db import close_old_connections, connection
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from clave.lib import clock
from clave.lib.schedule import scheduled_tasks
from clave.notifications.sending import start_senders
from clave.operations.models import Heartbeat
from clave.operations.readiness import report_ready

log = structlog.get_logger(__name__)
BEAT_SECONDS = 5
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
FINISH_SECONDS = 3.0  # for the messages that are being sent when the worker stops


class Command(BaseCommand):
    help = "Send messages, seal the audit trail, verify waiting accounts, clean up."

    def handle(self, *args: Any, **options: Any) -> None:
        name = f"{socket.gethostname()}"[:40]
        stopping = threading.Event()
        timer = threading.Thread(target=beat, args=(name, stopping), daemon=True)
        timer.start()
        senders = start_senders(stopping)
        worker = Worker(
            queue_names=["default"],
            interval=0.5,
            batch=False,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=f"{name}-{threading.get_native_id()}"[:64],
            excluded_queue_names=[],
        )
        worker.configure_signals()
        report_ready()
        try:
            run_tasks(worker)
        finally:
            stopping.set()
            for sender in senders:
                sender.join(FINISH_SECONDS)


def run_tasks(worker: Worker) -> None:
    """Run tasks until told to stop. While the store fails, try again after a pause that grows."""
    pause = FIRST_PAUSE / 2
    while worker.running:
        began = time.monotonic()
        try:
            worker.run()
        except DatabaseFault as error:
            pause = FIRST_PAUSE if time.monotonic() - began > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)
            log.warning("worker.store_failed", error=type(error).__name__, seconds_to_retry=pause)
            forget_connections()
            time.sleep(pause)


def forget_connections() -> None:
    """Connect anew next time. A pool's connections are dead with the server that they led to."""
    connection.close()
    if close_pool := getattr(connection, "close_pool", None):
        close_pool()


def beat(name: str, stopping: threading.Event) -> None:
    """Every five seconds say that the worker lives and put in what is due."""
    ticks, entries = 0, scheduled_tasks()
    while not stopping.is_set():
        try:
            close_old_connections()
            Heartbeat.objects.update_or_create(name=name, defaults={"at": clock.now()})
            for every, due in entries:
                if ticks % max(1, every // BEAT_SECONDS) == 0:
                    put_in(due)
        except Exception as error:  # the thread must not end: nothing would come round any more
            log.warning("worker.beat", error=type(error).__name__)
            forget_connections()
        ticks += 1
        stopping.wait(BEAT_SECONDS)


def put_in(due: Any) -> None:
    """Enqueue a task unless one like it still waits: two workers may share one timetable."""
    if not DBTaskResult.objects.ready().filter(task_path=due.module_path).exists():
        due.enqueue()
