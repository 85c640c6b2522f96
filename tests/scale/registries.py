"""How long a page takes while a registry is slow, down or wrong."""

import re
import time

import httpx

from tests.installation import LiveInstallation
from tests.scale.table import row, title

_INPUT = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
# Before the fifth failure each page waits for the registry; afterwards the circuit is open.
TRIES = 8


def _send(client: httpx.Client, path: str, **typed: str) -> tuple[httpx.Response, float]:
    data = {**dict(_INPUT.findall(client.get(path).text)), **typed}
    before = time.perf_counter()
    answer = client.post(path, data=data)
    return answer, time.perf_counter() - before


def pages(live: LiveInstallation) -> None:
    """Print the longest a company's recovery and a person's registration take with each behaviour."""
    title("Pages while a registry misbehaves (longest of eight, the first ones waiting, the last ones spared)")
    for how in ("slow", "down", "nonsense", "ok"):
        for service in ("sii", "registro_civil"):
            with httpx.Client(base_url=live.url, follow_redirects=True, timeout=60) as client:
                token = dict(_INPUT.findall(client.get("/sandbox/").text))["csrfmiddlewaretoken"]
                client.post("/sandbox/servicio", data={"csrfmiddlewaretoken": token, "servicio": service, "como": how})
        times = []
        for _ in range(TRIES):
            with httpx.Client(base_url=live.url, follow_redirects=True, timeout=60) as client:
                page, _ = _send(client, "/empresa/recuperar", rut="77222333-1", captcha="x")
                step = str(page.url.path)
                times.append(_send(client, step, representative="22222222-2")[1])
        row(f"recovery, SII {how}", f"{max(times):.2f} s (last {times[-1]:.2f} s)", "≤ 2 s")
