"""Sign-on as relying applications use it: from the sign-in to the tokens, refreshing, asking about a token."""

import base64
import hashlib
import json
import re
import statistics
import subprocess
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.scale import load, npm_provider
from tests.scale.table import SECONDS, row, title

AT_ONCE = 8
VERIFIER = "v" * 43
# An application that everybody has consented to, and one family of tokens for each connection.
PREPARED = f"""
import json
from datetime import timedelta
from clave.holders.models import Holder
from clave.lib import clock
from clave.lib.request_context import SYSTEM
from clave.sso import clients, tokens
from clave.sso.models import Client, Consent, Grant
now, scopes = clock.now(), ["openid", "profile", "email", "offline_access"]
client = Client(name="Aula", redirect_uris=["https://app.example.cl/cb"], scopes=scopes)
secret = clients.create(client, SYSTEM)
holders = list(Holder.objects.filter(identifier__gte="20000000", identifier__lt="20001000", profile="PN"))
Consent.objects.bulk_create(
    [Consent(holder=h, client=client, scopes=scopes, given_at=now, expires_at=now + timedelta(days=1)) for h in holders]
)
grants = [
    Grant(client=client, holder=h, subject=f"bench{{n}}", sid=f"bench{{n}}", account_version=h.version,
          scopes=" ".join(scopes), auth_time=now, acr="urn:clave:registry", redirect_uri="https://app.example.cl/cb",
          code_hash=f"bench{{n}}", code_expires_at=now, code_used_at=now, generation=1, created_at=now,
          session_ended_at=now, expires_at=now + timedelta(days=1))
    for n, h in enumerate(holders[:{AT_ONCE}])
]
Grant.objects.bulk_create(grants)
print(json.dumps({{
    "client_id": client.client_id, "client_secret": secret, "access": tokens.new_access(grants[0].pk, 0, ""),
    "refresh": [tokens.new_refresh(grant.pk, 1) for grant in grants],
}}))
"""
COMMON = """
form, finished, bad, threads = "application/x-www-form-urlencoded", 0, 0, {}
function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end
function done()
  local all, wrong = 0, 0
  for _, thread in ipairs(threads) do all = all + thread:get("finished") wrong = wrong + thread:get("bad") end
  print("Finished: " .. all .. " bad: " .. wrong)
end
local function post(path, body, cookie)
  return wrk.format("POST", path, {["Content-Type"] = form, ["Cookie"] = cookie}, body)
end
"""
# Signs in, asks for a code with the session so begun, exchanges it. The browser is a known one, so that the only
# cookie set at sign-in that comes last is the session's: wrk reads one of them.
ROUND_TRIP = (
    COMMON
    + """
local bodies, step, n, session, code = {%(bodies)s}, 1, 0, "", ""
function request()
  if step == 1 then
    n = n + 1
    return post("/ingresar", bodies[(number * 31 + n) %% #bodies + 1], "%(cookie)s")
  end
  if step == 2 then
    return wrk.format("GET", "%(authorize)s", {["Cookie"] = "%(cookie)s; " .. session})
  end
  return post("/sso/token", "%(exchange)s&code=" .. code)
end
function response(status, headers, body)
  if step == 1 then session = (headers["Set-Cookie"] or headers["set-cookie"] or ""):match("^[^;]*") end
  if step == 2 then code = (headers["Location"] or headers["location"] or ""):match("code=([^&]+)") or "" end
  if (step == 2 and code == "") or (step == 3 and status ~= 200) then bad = bad + 1 step = 1 return end
  if step == 3 then finished = finished + 1 step = 1 else step = step + 1 end
end
"""
)
REFRESH = (
    COMMON
    + """
local tokens, current = {%(refresh)s}, nil
function request()
  current = current or tokens[number + 1]
  return post("%(token)s", "%(proof)s&grant_type=refresh_token&refresh_token=" .. current)
end
function response(status, headers, body)
  local given = body:match('"refresh_token": ?"([^"]+)"')
  if given then current = given finished = finished + 1 else bad = bad + 1 end
end
"""
)
INTROSPECT = (
    COMMON
    + """
function request()
  return post("%(introspect)s", "%(proof)s&token=%(access)s")
end
function response(status, headers, body)
  if body:find('"active": ?true') then finished = finished + 1 else bad = bad + 1 end
end
"""
)


def measure(bench: Any, store: str, ruts: list[str], runs: int) -> None:
    """Report round trips against the Argon2id bound, and refreshes and introspections a second."""
    title(f"Sign-on, {store} ({load.CORES} cores, load and store on them too; {SECONDS} s each)")
    with ExitStack() as stack:
        live = bench.running(stack, store, SSO_REFRESH_GRACE_SECONDS="0")
        made = json.loads(bench.shell(live, PREPARED).splitlines()[-1])
        values = _values(made)
        values |= _round_trip(live.url, ruts, made["client_id"], values["proof"])
        rates, bounds = [], []
        for _ in range(runs):
            bounds.append(load.raw_bound(SECONDS / 2))
            rates.append(_rate(live.url, ROUND_TRIP % values))
        bound, rate = statistics.median(bounds), statistics.median(rates)
        row("sign-in, code and tokens", f"{rate:.1f}/s", "", f"Argon2id alone: {bound:.1f}/s")
        row("ratio to the bound", f"{rate / bound:.1%}", "", "of libsodium, which the site hashes with")
        before = load.raw_bound(SECONDS, "argon2-cffi")
        row("ratio to argon2-cffi's bound", f"{rate / before:.1%}", "≥ 80 %", f"of {before:.1f}/s")
        endpoints = Endpoints(live.url, "/sso/token", "/sso/introspect", bench.web(live))
        _endpoints(endpoints, "", values, {"refreshes": "≥ 360/s", "introspections": "≥ 460/s"})
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="clave-bench-npm-")))
        beside = stack.enter_context(npm_provider.running(folder, AT_ONCE))
        if beside:
            values = _values(beside.made)
            endpoints = Endpoints(beside.url, "/token", "/token/introspection", [beside.pid])
            _endpoints(endpoints, ", npm's oidc-provider (one process, in memory)", values, {})


@dataclass(frozen=True)
class Endpoints:
    """Where a provider takes tokens, and the processes that answer there."""

    url: str
    token: str
    introspect: str
    pids: list[int]


def _endpoints(endpoints: Endpoints, whose: str, values: dict[str, str], goals: dict[str, str]) -> None:
    """Report refreshes and introspections a second, and what each costs the provider's processes."""
    paths = {"token": endpoints.token, "introspect": endpoints.introspect}
    # In this order: the memory of npm's provider holds a thousand things, and each refresh adds some.
    for name, script in (("introspections", INTROSPECT), ("refreshes", REFRESH)):
        used = load.cpu_seconds(endpoints.pids)
        per_second = _rate(endpoints.url, script % {**values, **paths})
        milliseconds = (load.cpu_seconds(endpoints.pids) - used) / (per_second * SECONDS) * 1000
        row(f"{name}{whose}", f"{per_second:.0f}/s", goals.get(name, ""), f"{milliseconds:.2f} ms of the provider each")


def _values(made: dict[str, str | list[str]]) -> dict[str, str]:
    """Return what the scripts of the endpoints are filled in with."""
    return {
        "proof": urlencode({name: made[name] for name in ("client_id", "client_secret")}),
        "access": str(made["access"]),
        "refresh": ",".join(f'"{token}"' for token in made["refresh"]),
    }


def _round_trip(url: str, ruts: list[str], client_id: str, proof: str) -> dict[str, str]:
    cookie, token = load.known_browser(url, ruts)
    bodies = [urlencode({"csrfmiddlewaretoken": token, "rut": rut, "key": "KM482915"}) for rut in ruts]
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    redirect = {"redirect_uri": "https://app.example.cl/cb"}
    asked = {"response_type": "code", "client_id": client_id, "scope": "openid profile email", **redirect}
    pkce = {"code_challenge": challenge, "code_challenge_method": "S256"}
    exchange = {"grant_type": "authorization_code", "code_verifier": VERIFIER, **redirect}
    return {
        "bodies": ",".join(f'"{body}"' for body in bodies),
        "cookie": cookie,
        "authorize": f"/sso/authorize?{urlencode({**asked, **pkce})}",
        "exchange": f"{proof}&{urlencode(exchange)}",
    }


def _rate(url: str, script: str) -> float:
    """Run a script with a thread for each connection; return how often a second its story was finished."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        words = ["wrk", f"-t{AT_ONCE}", f"-c{AT_ONCE}", f"-d{SECONDS}s", "--timeout", "20s", "-s", file.name, url]
        text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    found = re.search(r"Finished: (\d+) bad: (\d+)", text)
    if not found or int(found[2]) or not int(found[1]):
        raise RuntimeError(text)
    return int(found[1]) / SECONDS
