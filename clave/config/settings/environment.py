"""Reads what an operator has set. What cannot be understood is noted, and the guard names all of it at once."""

import ipaddress
import math
import os
import re
import sys
from urllib.parse import urlsplit

# What cannot be understood, one sentence each: the guard refuses to start with any.
SETTINGS_ERRORS: list[str] = []


def end_if(lines: list[str]) -> None:
    """End this process with these lines, if there are any."""
    if lines:
        sys.stderr.write("Clave does not start with these settings:\n" + "".join(f"  - {line}\n" for line in lines))
        sys.stderr.flush()
        sys.exit(1)


def flag(name: str, default: str = "0") -> bool:
    """Say whether a variable is 1. `yes` and `true` are refused: who writes them must not get the opposite."""
    answer = os.environ.get(name) or default
    if answer not in ("0", "1"):
        SETTINGS_ERRORS.append(f"{name}={answer}: use 1 or 0")
    return answer == "1"


def names(name: str) -> list[str]:
    """Return the parts of a comma-separated variable."""
    return [part.strip() for part in os.environ.get(name, "").split(",") if part.strip()]


def choice(name: str, default: str, *others: str) -> str:
    """Return which of the answers allowed a variable gives."""
    answer = os.environ.get(name, default)
    if answer not in (default, *others):
        SETTINGS_ERRORS.append(f"{name}={answer}: use {' or '.join((default, *others))}")
        return default
    return answer


def number(name: str, default: int, least: int = 0, text: str | None = None, most: int | None = None) -> int:
    """Return a variable's whole number, or that of `text`, a part of it; `default` if it is missing or wrong."""
    text = os.environ.get(name, "") if text is None else text
    try:
        number = int(text or default)
    except ValueError:
        number = least - 1
    if number < least or (most is not None and number > most):
        bounds = f"{least} or more" if most is None else f"from {least} to {most}"
        SETTINGS_ERRORS.append(f"{name}={text}: must be a whole number, {bounds}")
        return default
    return number


def port(text: str | None = None) -> int:
    """Return the port to listen on."""
    return number("PORT", 8000, 1, text, most=65535)


def seconds(name: str, default: float, text: str | None = None) -> float:
    """Return a time, parts of a second too, of an hour at most; `default` if it is missing or wrong."""
    text = os.environ.get(name, "") if text is None else text
    try:
        seconds = float(text or default)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= 3600:  # NaN is not either
        SETTINGS_ERRORS.append(f"{name}={text}: must be a number of seconds, from 0 to 3600")
        return default
    return seconds


def log_level() -> str:
    """Return from which level on the logs tell."""
    return choice("CLAVE_LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR", "CRITICAL")


def url(name: str, default: str = "", schemes: tuple[str, ...] = ("http", "https"), text: str | None = None) -> str:
    """Return the address a variable gives, or that of `text`, a part of it; `default` if it is missing or wrong.

    The line about a wrong one does not quote it: it may hold a password.
    """
    text = os.environ.get(name, "") if text is None else text
    if not text:
        return default
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises too
    except ValueError:
        parts = urlsplit("")
    place = parts.path if parts.scheme == "unix" else parts.hostname
    if parts.scheme not in schemes or not place or re.search(r"\s", text):
        begins = " or ".join(f"{scheme}://" for scheme in schemes)
        SETTINGS_ERRORS.append(f"{name}: must be a whole address that begins with {begins}")
        return default
    return text


def cache_url() -> str:
    """Return the address of the cache, or several with commas between them, as Django's Redis backend takes them."""
    text = os.environ.get("CACHE_URL", "")
    understood = [url("CACHE_URL", "", ("redis", "rediss", "unix"), part) for part in re.split("[;,]", text)]
    return text if all(understood) else ""


def by_line(name: str, default: int, most: int | None = None) -> dict[int, int]:
    """Read a number for every line of training, `170`, or one for some of them, `1=120,3=170`."""
    given = dict(part.rpartition("=")[::2] for part in names(name))
    if unknown := set(given) - {"", "1", "3", "6"}:
        SETTINGS_ERRORS.append(f"{name}: line {', '.join(sorted(unknown))} does not exist: use 1, 3 or 6")
    return {line: number(name, default, 1, given.get(str(line), given.get("", "")), most) for line in (1, 3, 6)}


def loopback_and(name: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Return this machine's own networks and those that a variable lists."""
    found = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")]
    for text in names(name):
        try:
            found.append(ipaddress.ip_network(text, strict=False))
        except ValueError:
            SETTINGS_ERRORS.append(f"{name}: {text} is neither an address nor a network")
    return found
