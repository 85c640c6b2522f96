"""Runs a whole Clave on one machine: web, worker and, in a demo, the simulated services. Ctrl-C stops all of it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable

from clave.settings import choose

CORES = len(os.sched_getaffinity(0))
# Of each web worker. A connection that is kept open holds nothing but itself; a request holds a thread, and how many
# of those are served at once core/gate.py decides.
CONNECTIONS, THREADS = 4000, 400


def free_port() -> int:
    """Return a free loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(host: str, port: int) -> bool:
    """Say whether nobody listens there. Granian shares its port, so a second one would take half the visits."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def web_command(host: str, port: int, workers: int) -> list[str]:
    """Return granian's command line: one process a core."""
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "clave.wsgi:application",
        "--host", host, "--port", str(port), "--workers", str(workers), "--blocking-threads", str(THREADS),
        "--backlog", "1024", "--backpressure", str(CONNECTIONS), "--http1-header-read-timeout", "10000", "--no-ws",
        "--http", "1", "--log-level", "error",
        "--respawn-failed-workers", "--workers-kill-timeout", "5",
    ]  # fmt: skip


class House:
    """The processes of one installation. When one of them ends, all end."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.environ = environ
        self.processes: list[subprocess.Popen[bytes]] = []

    def manage(self, *words: str) -> None:
        """Run one management command to its end. Raises `CalledProcessError`."""
        subprocess.run([sys.executable, "manage.py", *words], env=self.environ, check=True)

    def start(self, command: list[str]) -> None:
        self.processes.append(subprocess.Popen(command, env=self.environ, start_new_session=True))

    def start_command(self, *words: str) -> None:
        self.start([sys.executable, "manage.py", *words])

    def wait(self) -> None:
        """Wait until a process ends."""
        while all(process.poll() is None for process in self.processes):
            time.sleep(0.2)

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + 8
        for process in self.processes:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def demo_environ(environ: dict[str, str]) -> dict[str, str]:
    """Return the environment with the demo's simulated services where none are configured."""
    http, smtp = free_port(), free_port()
    edge = f"http://127.0.0.1:{http}"
    defaults = {
        "CLAVE_EDGE_HTTP": str(http),
        "CLAVE_EDGE_SMTP": str(smtp),
        "REGISTRO_CIVIL_URL": f"{edge}/registro-civil",
        "SII_URL": f"{edge}/sii",
        "SMS_GATEWAY_URL": f"{edge}/sms",
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(smtp),
    }
    return {**environ, **{name: environ.get(name, value) for name, value in defaults.items()}}


def tuned(environ: dict[str, str]) -> dict[str, str]:
    """Return the environment with allocator settings that keep a worker small while it hashes 19 MiB at a time."""
    return {
        "MALLOC_ARENA_MAX": "1",
        "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
        "MALLOC_MMAP_THRESHOLD_": str(32 << 20),  # glibc ignores more
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
        **environ,
    }


def main(report: Callable[[str], None] = print) -> int:
    environ = tuned(dict(os.environ))
    environ.setdefault("PYTHONUNBUFFERED", "1")
    environ.setdefault("DJANGO_SETTINGS_MODULE", choose(environ))
    demo = environ.get("CLAVE_DEMO") == "1"
    if demo:
        environ = demo_environ(environ)
    port, host = int(environ.get("PORT", "8000")), environ.get("CLAVE_BIND", "127.0.0.1")
    workers = int(environ.get("CLAVE_WORKERS", CORES))
    if not is_free(host, port):
        report(f"Port {port} is taken. Choose another one: PORT={port + 1} script/server")
        return 1
    house = House(environ)
    # An interrupt too: a shell's background job begins with it ignored.
    for asked in _ASKED_TO_STOP:
        signal.signal(asked, _stop)
    try:
        house.manage("prepare")
        if demo:
            house.start_command("sandbox_services", environ["CLAVE_EDGE_HTTP"], environ["CLAVE_EDGE_SMTP"])
        house.start_command("worker")
        house.start(web_command(host, port, workers))
        report(f"\nClave: {environ.get('CLAVE_URL', f'http://localhost:{port}')}")
        house.wait()
    except subprocess.CalledProcessError as error:
        return error.returncode
    except KeyboardInterrupt:
        return 0
    finally:
        house.stop()
    return 1


_ASKED_TO_STOP = (signal.SIGTERM, signal.SIGINT)


def _stop(*_: object) -> None:
    for asked in _ASKED_TO_STOP:
        signal.signal(asked, signal.SIG_IGN)  # once is enough: stopping takes eight seconds at the most
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
