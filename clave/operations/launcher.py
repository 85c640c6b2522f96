"""Launcher for a whole Clave on one machine: web, worker and, in a demo, the simulated services.

Ctrl-C and SIGTERM stop everything; SIGHUP replaces web and worker one by one without refusing a request.
"""

import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Callable

import structlog

from clave.config.settings import choose, environment
from clave.lib import logs
from clave.operations.limits import CONNECTIONS as CONNECTIONS
from clave.operations.limits import THREADS as THREADS
from clave.operations.limits import drain_seconds, stop_timeout
from clave.operations.process_group import STOP, ProcessGroup, Program
from clave.operations.sockets import address, inherited, listening_sockets

log = structlog.get_logger(__name__)

CORES = len(os.sched_getaffinity(0))
WEB = "web"


def free_port() -> int:
    """Return a free loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def web_programs(listeners: list[socket.socket], environ: dict[str, str], workers: int) -> list[Program]:
    """Return the web processes. If systemd passed a single socket, all of them accept from it."""
    return [
        Program(
            name=f"web-{number + 1}",
            command=[sys.executable, "-m", "clave.operations.web"],
            stop_seconds=stop_timeout(environ),
            hand_over=signal.SIGHUP,
            team=WEB,
            listener=listeners[number % len(listeners)],
        )
        for number in range(workers)
    ]


def command_program(*words: str, replaceable: bool = True) -> Program:
    """Return a management command that runs indefinitely."""
    return Program(name=words[0], command=[sys.executable, "manage.py", *words], replaceable=replaceable)


def demo_environ(environ: dict[str, str]) -> dict[str, str]:
    """Return the environment with the demo's simulated services for those not configured."""
    http, smtp = free_port(), free_port()
    edge = f"http://127.0.0.1:{http}"
    defaults = {
        "CLAVE_EDGE_HTTP": str(http),
        "CLAVE_EDGE_SMTP": str(smtp),
        "REGISTRO_CIVIL_URL": f"{edge}/registro-civil",
        "SII_URL": f"{edge}/sii",
        "SMS_GATEWAY_URL": f"{edge}/sms",
        **simulated_doors(environ, edge),
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(smtp),
    }
    return {**environ, **{name: environ.get(name, value) for name, value in defaults.items()}}


def simulated_doors(environ: dict[str, str], edge: str) -> dict[str, str]:
    """Return the settings of the simulated ClaveÚnica and Clave Tributaria, for those not configured.

    Their pages are on the site itself, where every browser reaches them; their token and key endpoints are not.
    """
    site = environ.get("CLAVE_URL") or f"http://localhost:{environ.get('PORT') or 8000}"
    doors = {"CLAVEUNICA": "claveunica/openid", "CLAVE_TRIBUTARIA": "clave-tributaria"}
    defaults = {}
    for name, path in doors.items():
        if f"{name}_ISSUER" not in environ:
            defaults[f"{name}_ISSUER"] = f"{edge}/{path}"
            defaults[f"{name}_CLIENT_ID"] = "clave"
            defaults[f"{name}_CLIENT_SECRET"] = secrets.token_hex(16)
            defaults[f"{name}_LOGOUT_URL"] = f"{site}/sandbox/{path.split('/')[0]}/api/v1/accounts/app/logout"
            defaults[f"{name}_PROTOCOL"] = "discovery"
    return defaults


def tuned(environ: dict[str, str]) -> dict[str, str]:
    """Return the environment with allocator settings that keep workers small while hashing with 19 MiB at a time."""
    return {
        "MALLOC_ARENA_MAX": "1",
        "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
        "MALLOC_MMAP_THRESHOLD_": str(32 << 20),  # the maximum: glibc ignores larger values
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
        **environ,
    }


def full_environ(environ: dict[str, str]) -> dict[str, str]:
    """Return the environment for all processes: the given variables and those derived from them."""
    full = tuned(environ)
    full.setdefault("PYTHONUNBUFFERED", "1")
    full.setdefault("DJANGO_SETTINGS_MODULE", choose(full))
    return demo_environ(full) if full.get("CLAVE_DEMO") == "1" else full


def watch(group: ProcessGroup) -> None:
    """Keep everything running until asked to stop; on SIGHUP, replace the processes."""
    on_terminal = os.isatty(0)
    while not group.stop_requested():
        if signal.SIGHUP in group.orders:
            group.orders.discard(signal.SIGHUP)
            if on_terminal and not os.isatty(0):  # this SIGHUP means that the terminal was closed
                return
            restart(group)
        group.tend_and_wait()


def restart(group: ProcessGroup) -> None:
    """Switch to new code without refusing a request. If the new code fails to start, the old processes stay."""
    try:
        group.manage("prepare", "--verbosity=0")
    except subprocess.CalledProcessError as error:
        log.error("restart.not_prepared", exit_code=error.returncode)
        return
    group.replace_all()


def run(group: ProcessGroup, listeners: list[socket.socket], workers: int, report: Callable[[str], None]) -> None:
    """Prepare, start and supervise the processes. Raises `CalledProcessError` if the preparation fails."""
    environ = group.environ
    group.manage("prepare")
    if environ.get("CLAVE_DEMO") == "1":
        ports = environ["CLAVE_EDGE_HTTP"], environ["CLAVE_EDGE_SMTP"]
        group.add(command_program("sandbox_services", *ports, replaceable=False))
    group.add(command_program("worker"))
    for program in web_programs(listeners, environ, workers):
        group.add(program)
    report(f"\nClave: {environ.get('CLAVE_URL', f'http://localhost:{listeners[0].getsockname()[1]}')}")
    watch(group)


def main(report: Callable[[str], None] = print) -> int:
    environ = full_environ(dict(os.environ))
    host, port = address(environ)
    workers = environment.number("CLAVE_WORKERS", CORES, 1, environ.get("CLAVE_WORKERS", ""))
    drain_seconds(environ)  # each process reads it again; called here to report an invalid value
    logs.configure({"level": environment.log_level()})
    environment.end_if(environment.SETTINGS_ERRORS)
    group = ProcessGroup(environ)
    # SIGINT needs a handler too: a shell starts background jobs with it ignored.
    for number in (*STOP, signal.SIGHUP):
        signal.signal(number, lambda received, _: group.orders.add(signal.Signals(received)))
    inherited_socket = inherited(environ)
    try:
        listeners = [inherited_socket] if inherited_socket else listening_sockets(host, port, workers)
    except OSError as error:
        report(f"Port {port}: {error.strerror}. Choose another one: PORT={port + 1} script/server")
        return 1
    try:
        run(group, listeners, workers, report)
    except subprocess.CalledProcessError as error:
        return 0 if group.stop_requested() else error.returncode
    finally:
        group.stop(WEB)  # first, because requests in progress may still create work for the worker
        for listener in listeners:
            listener.close()
        group.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
