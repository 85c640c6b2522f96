"""Ten times as many sign-ins as the machine can do, with some who close a session: how long do the admitted wait?"""

import asyncio
import time
from collections import defaultdict
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlencode

from tests.scale import load
from tests.scale.table import SECONDS, row, title

TIMES = 10
ONE_CLOSES = 25  # of so many visitors one asks to close a session
_CLOSING = "/asistencia/cerrar/aaaaaaaaaaaaaaaaaaaa"

Waits = dict[tuple[str, int], list[float]]  # by what was asked and the status: seconds until the whole answer was there


def measure(bench: Any, store: str, ruts: list[str]) -> None:
    """Report what those wait who are admitted and those who are refused, each from an address of his own."""
    title(f"Ten times more sign-ins than can be done, {store} ({SECONDS} s)")
    with ExitStack() as stack:
        live = bench.running(stack, store, CLAVE_TRUSTED_PROXIES="1")
        cookie, token = load.known_browser(live.url, ruts)
        bodies = [urlencode({"csrfmiddlewaretoken": token, "rut": rut, "key": "KM482915"}) for rut in ruts]
        port, rate = int(live.url.rsplit(":", 1)[1]), TIMES * load.raw_bound(SECONDS / 2)
        asyncio.run(_crowd(port, rate / 2, bodies, cookie))  # half of it, to warm up
        for (what, status), waits in sorted(asyncio.run(_crowd(port, rate, bodies, cookie)).items()):
            ordered = sorted(waits)
            middle, late = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
            goal = "p95 ≤ 1 s" if status < 500 else ""
            row(f"{what}, answered {status}", f"{len(waits)}", goal, f"median {middle:.3f} s, p95 {late:.3f} s")
        for pid in bench.workers(live):
            row("memory of a worker after it", f"{load.resident_mb(pid):.0f} MB")


async def _crowd(port: int, rate: float, bodies: list[str], cookie: str) -> Waits:
    waits: Waits = defaultdict(list)
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    begun, sent, tasks = time.monotonic(), 0, set()
    while (passed := time.monotonic() - begun) < SECONDS:
        while sent < passed * rate:
            sent += 1
            tasks.add(asyncio.create_task(_ask(port, idle, _request(sent, bodies, cookie), waits)))
        await asyncio.sleep(0.005)
    await asyncio.gather(*tasks)
    return waits


def _request(number: int, bodies: list[str], cookie: str) -> tuple[str, bytes]:
    common = f"HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 10.{number >> 16}.{number >> 8 & 255}.{number & 255}\r\n"
    if number % ONE_CLOSES == 0:
        return "closing", f"GET {_CLOSING} {common}\r\n".encode()
    body = bodies[number % len(bodies)]
    head = f"POST /ingresar {common}Cookie: {cookie}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    return "sign-in", f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


async def _ask(port: int, idle: list[Any], request: tuple[str, bytes], waits: Waits) -> None:
    what, content = request
    begun = time.monotonic()
    reader, writer = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port)
    writer.write(content)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length: ")[2].partition(b"\r")[0]
    await reader.readexactly(int(length or 0))
    waits[what, int(head[9:12])].append(time.monotonic() - begun)
    idle.append((reader, writer))
