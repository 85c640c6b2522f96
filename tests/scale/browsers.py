"""Signing in as browsers do: the page, the form, the page where one lands; each time from a browser not seen before."""

import statistics
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.scale import load
from tests.scale.table import SECONDS, row, title

ACCOUNT_SECONDS = 5
# The three requests in turn. wrk cannot read several cookies of one answer, so the form comes with a token asked for
# beforehand, without the cookie that makes a browser a known one, and the landing with a session begun beforehand:
# the site does the same work.
FLOW = """
local bodies, n = {%(bodies)s}, 0
local form = {["Content-Type"] = "application/x-www-form-urlencoded", ["Cookie"] = "csrftoken=%(csrf)s"}
request = function()
  n = n + 1
  if n %% 3 == 1 then return wrk.format("GET", "/ingresar", {}) end
  if n %% 3 == 0 then return wrk.format("GET", "/mi-cuenta", {["Cookie"] = "%(landing)s"}) end
  return wrk.format("POST", "/ingresar", form, bodies[n %% #bodies + 1])
end
"""


def measure(bench: Any, store: str, ruts: list[str], runs: int) -> None:
    """Report sign-ins of new browsers against the bound, and what the page costs where they land."""
    title(f"Signing in from new browsers, {store}: page, form and landing ({SECONDS} s each)")
    with ExitStack() as stack:
        live = bench.running(stack, store)
        token, csrf, landing = _signed_in(live.url, ruts[0])
        bodies = [urlencode({"csrfmiddlewaretoken": token, "rut": rut, "key": "KM482915"}) for rut in ruts]
        quoted = ",".join(f'"{body}"' for body in bodies)
        script = FLOW % {"bodies": quoted, "csrf": csrf, "landing": landing}
        load.wrk(live.url, 3, 8, script)
        ratios, rates = [], []
        for _ in range(runs):
            before = load.raw_bound(SECONDS / 2)
            rate = load.wrk(live.url, SECONDS, 8, script)
            load.settle(bench.web(live))
            if rate.bad:
                raise RuntimeError(f"{rate.bad} requests failed")
            rates.append(rate.per_second / 3)
            ratios.append(rates[-1] / ((before + load.raw_bound(SECONDS / 2)) / 2))
        spread = f"{min(ratios):.0%} to {max(ratios):.0%} in {runs} runs"
        row(f"ratio to the bound, {store}", f"{statistics.median(ratios):.1%}", "", spread)
        before = load.raw_bound(SECONDS, "argon2-cffi")
        row(
            f"ratio to argon2-cffi's bound, {store}",
            f"{statistics.median(rates) / before:.1%}",
            "≥ 70 %",
            f"of {before:.1f}/s",
        )
        _landing(bench, live, store, landing)


def _signed_in(url: str, rut: str) -> tuple[str, str, str]:
    """Sign in once; return a form's token with its cookie, and the cookies of the session."""
    with httpx.Client(base_url=url) as client:
        token = client.get("/ingresar").text.split('csrfmiddlewaretoken" value="')[1].split('"')[0]
        csrf = client.cookies["csrftoken"]
        client.post("/ingresar", data={"csrfmiddlewaretoken": token, "rut": rut, "key": "KM482915"})
        return token, csrf, "; ".join(f"{name}={value}" for name, value in client.cookies.items())


def _landing(bench: Any, live: Any, store: str, cookies: str) -> None:
    pids = bench.web(live)
    load.wrk(f"{live.url}/mi-cuenta", 1, 8, headers=(f"Cookie: {cookies}",))
    before = load.cpu_seconds(pids)
    rate = load.wrk(f"{live.url}/mi-cuenta", ACCOUNT_SECONDS, 8, headers=(f"Cookie: {cookies}",))
    used = (load.cpu_seconds(pids) - before) / (rate.per_second * ACCOUNT_SECONDS) * 1000
    row(f"CPU of the web process a `/mi-cuenta`, {store}", f"{used:.2f} ms", "≤ 2 ms", f"{rate.bad} bad")
