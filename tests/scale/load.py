"""Load from outside and the operating system's own account of what the processes used."""

import os
import re
import subprocess
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import httpx

TICKS = os.sysconf("SC_CLK_TCK")
CORES = len(os.sched_getaffinity(0))
SCRIPT = """
local bodies = {%s}
local n = 0
request = function()
  n = n + 1
  return wrk.format("POST", "%s", {["Content-Type"] = "application/x-www-form-urlencoded", ["Cookie"] = "%s"}, bodies[n %% #bodies + 1])
end
"""
# Each thread has one connection and walks through the four requests of a pair, person after person.
PAIRS = """
form, step, who, id, path, given, finished, bad = "application/x-www-form-urlencoded", 1, 0, "", "", "", 0, 0
local people, threads, first = {%(people)s}, {}, 0
function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end
function init()
  who, first = number * %(share)d + 1, number * %(share)d
end
local function post(to, body)
  return wrk.format("POST", to, {["Content-Type"] = form, ["Cookie"] = "%(cookie)s; " .. given}, body)
end
function request()
  local run = people[who]
  if step == 1 then return post("/rce/Registro/IniciarSesion", "%(asked)s&RunAlumno=" .. run) end
  if step == 3 then return post("/rce/Registro/CerrarSesion", "%(asked)s&IdSesionSence=" .. id .. "&RunAlumno=" .. run) end
  return post(path, "%(signed)s&rut=" .. run)
end
local function another()
  step, who = 1, first + (who - first) %% %(share)d + 1
end
function response(status, headers, body)
  if step == 1 or step == 3 then
    path = body:match('action="(/rce/solicitud/%%w+)"') or ""
    given = (headers["Set-Cookie"] or headers["set-cookie"] or ""):match("^[^;]*")
  end
  if step == 2 then id = body:match('name="IdSesionSence" value="(%%w+)"') or "" end
  if (step == 2 and id == "") or path == "" then bad = bad + 1 another() return end
  if step == 4 then finished = finished + 1 another() else step = step + 1 end
end
function done()
  local all, wrong = 0, 0
  for _, thread in ipairs(threads) do all = all + thread:get("finished") wrong = wrong + thread:get("bad") end
  print("Pairs: " .. all .. " bad: " .. wrong)
end
"""


def _hash_for(library: str, seconds: float) -> tuple[int, float]:
    """Verify with one library for so many seconds; return how many verifications that were, and the time they took."""
    from argon2 import PasswordHasher, Type
    from nacl.pwhash import argon2id

    hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1, type=Type.ID)
    stored, done = hasher.hash("KM482915"), 0
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds:
        if library == "libsodium":
            argon2id.verify(stored.encode(), b"KM482915")
        else:
            hasher.verify(stored, "KM482915")
        done += 1
    return done, time.perf_counter() - begin


def raw_bound(seconds: float = 5, library: str = "libsodium") -> float:
    """Return how many Argon2id verifications a second this machine does with one process a core and nothing else.

    The site hashes with libsodium (decision 0029); `argon2-cffi` is what earlier figures were measured against.
    """
    with ProcessPoolExecutor(CORES) as pool:
        return sum(done / took for done, took in pool.map(_hash_for, [library] * CORES, [seconds] * CORES))


@dataclass(frozen=True)
class Rate:
    """What wrk measured: requests a second, answers that were not 2xx or 3xx, the median's milliseconds."""

    per_second: float
    bad: int
    median_ms: float


def wrk(url: str, seconds: int, connections: int, script: str = "", headers: tuple[str, ...] = ()) -> Rate:
    """Run wrk with one thread against `url`."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "20s"]
        words += ["-s", file.name] if script else []
        for header in headers:
            words += ["-H", header]
        text = subprocess.run([*words, url], capture_output=True, text=True, check=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    median = re.search(r"50%\s+([\d.]+)(us|ms|s)", text)
    if not rate or not median:
        raise RuntimeError(text)
    unit = {"us": 0.001, "ms": 1.0, "s": 1000.0}[median[2]]
    return Rate(float(rate[1]), int(bad[1]) if bad else 0, float(median[1]) * unit)


def cookies_and_token(url: str, path: str) -> tuple[str, str]:
    """Open a form as a browser would; return its Cookie header and the form's token."""
    with httpx.Client(base_url=url) as client:
        token = _token(client, path)
        return _cookies(client), token


def _token(client: httpx.Client, path: str) -> str:
    return client.get(path).text.split('csrfmiddlewaretoken" value="')[1].split('"')[0]


def _cookies(client: httpx.Client) -> str:
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items() if name != "sesion")


def sign_in_script(url: str, ruts: list[str]) -> str:
    """Sign in once as each holder, so that the browser is known, and return wrk's script that does it again."""
    cookie, token = known_browser(url, ruts)
    bodies = [urlencode({"csrfmiddlewaretoken": token, "rut": rut, "key": "KM482915"}) for rut in ruts]
    return SCRIPT % (",".join(f'"{body}"' for body in bodies), "/ingresar", cookie)


def known_browser(url: str, ruts: list[str]) -> tuple[str, str]:
    """Sign in once as each holder from one browser; return its Cookie header and its forms' token."""
    with httpx.Client(base_url=url) as client:
        for rut in ruts:
            typed = {"csrfmiddlewaretoken": _token(client, "/ingresar"), "rut": rut, "key": "KM482915"}
            if client.post("/ingresar", data=typed).status_code != httpx.codes.FOUND:
                raise RuntimeError(f"{rut} could not sign in")
            client.cookies.delete("sesion")
        token = _token(client, "/ingresar")
        return _cookies(client), token


def children(pid: int) -> list[int]:
    """Return a process's descendants."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *children(int(child))]
    return found


def cpu_seconds(pids: list[int]) -> float:
    """Return user and system seconds that these processes have used."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def settle(pids: list[int]) -> None:
    """Wait until these processes rest: what was under way when the load ended is still worked on for a while."""
    before = -1.0
    while (now := cpu_seconds(pids)) != before:
        before = now
        time.sleep(0.3)


def resident_mb(pid: int, what: str = "Rss") -> float:
    """Return a process's resident memory in MB (10^6 bytes)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(what)


def postgres_pids() -> list[int]:
    names = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            names[int(folder.name)] = (folder / "comm").read_text().strip()
        except OSError:
            continue
    return [pid for pid, name in names.items() if name == "postgres"]


def pairs(
    url: str, runs: list[str], browser: tuple[str, str], asked: dict[str, str], seconds: int, at_once: int
) -> tuple[float, int]:
    """Open and close sessions through the protocol; return pairs a second and how many went wrong."""
    cookie, _ = browser
    script = PAIRS % {
        "cookie": cookie,
        "people": ",".join(f'"{run}"' for run in runs),
        "share": len(runs) // at_once,
        "asked": urlencode({name: text for name, text in asked.items() if name != "RunAlumno"}),
        "signed": urlencode({"key": "KM482915"}),
    }
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        words = ["wrk", f"-t{at_once}", f"-c{at_once}", f"-d{seconds}s", "--timeout", "20s", "-s", file.name, url]
        text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    found = re.search(r"Pairs: (\d+) bad: (\d+)", text)
    if not found:
        raise RuntimeError(text)
    return int(found[1]) / seconds, int(found[2])
