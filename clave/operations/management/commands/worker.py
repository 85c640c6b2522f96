"""The worker: runs queued tasks and enqueues periodic ones."""

import socket
import threading
import time

import structlog
from django.core.management.base import BaseCommand
from django.db import Error as DatabaseFault
from django.db import close_old_connections, connection
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from clave.lib import clock
from clave.lib.schedule import PeriodicTask, scheduled_tasks
from clave.notifications.sending import start_senders
from clave.operations.models import Heartbeat
from clave.operations.readiness import report_ready

log = structlog.get_logger(__name__)
BEAT_SECONDS = 5
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
FINISH_SECONDS = 3.0  # for messages in transit when the worker stops


class Command(BaseCommand):
    help = "Send messages, seal the audit trail, verify waiting accounts, clean up."

    def handle(self, *args: object, **options: object) -> None:
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
    """Run tasks until asked to stop. While the database fails, retry with exponential backoff."""
    pause = FIRST_PAUSE / 2
    while worker.running:
        started_at = time.monotonic()
        try:
            worker.run()
        except DatabaseFault as error:
            pause = FIRST_PAUSE if time.monotonic() - started_at > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)
            log.warning("worker.store_failed", error=type(error).__name__, seconds_to_retry=pause)
            forget_connections()
            time.sleep(pause)


def forget_connections() -> None:
    """Discard the connections. A pool's connections are dead once the server they led to is gone."""
    connection.close()
    if close_pool := getattr(connection, "close_pool", None):
        close_pool()


def beat(name: str, stopping: threading.Event) -> None:
    """Every five seconds, record a heartbeat and enqueue the tasks that are due."""
    ticks, schedule = 0, scheduled_tasks()
    while not stopping.is_set():
        try:
            close_old_connections()
            Heartbeat.objects.update_or_create(name=name, defaults={"at": clock.now()})
            for interval, task in schedule:
                if ticks % max(1, interval // BEAT_SECONDS) == 0:
                    put_in(task)
        except Exception as error:  # the thread must survive, or no periodic task would run any more
            log.warning("worker.beat", error=type(error).__name__)
            forget_connections()
        ticks += 1
        stopping.wait(BEAT_SECONDS)


def put_in(task: PeriodicTask) -> None:
    """Enqueue a task unless it is already queued: several workers may share one schedule."""
    if not DBTaskResult.objects.ready().filter(task_path=task.module_path).exists():
        task.enqueue()
