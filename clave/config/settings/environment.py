"""Parsing of environment variables. Invalid values are collected, so that the guard can report all of them at once."""

import ipaddress
import math
import os
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

# One sentence per invalid value: the guard refuses to start if there are any.
SETTINGS_ERRORS: list[str] = []


def end_if(lines: list[str]) -> None:
    """Print these lines and exit, if there are any."""
    if lines:
        sys.stderr.write("Clave does not start with these settings:\n" + "".join(f"  - {line}\n" for line in lines))
        sys.stderr.flush()
        sys.exit(1)


def flag(name: str, default: str = "0") -> bool:
    """Return whether a variable is 1. `yes` and `true` are rejected rather than silently taken for 0."""
    answer = os.environ.get(name) or default
    if answer not in ("0", "1"):
        SETTINGS_ERRORS.append(f"{name}={answer}: use 1 or 0")
    return answer == "1"


def names(name: str) -> list[str]:
    """Return the parts of a comma-separated variable."""
    return [part.strip() for part in os.environ.get(name, "").split(",") if part.strip()]


def choice(name: str, default: str, *others: str) -> str:
    """Return a variable's value if it is one of the allowed ones, else report it and return the default."""
    answer = os.environ.get(name, default)
    if answer not in (default, *others):
        SETTINGS_ERRORS.append(f"{name}={answer}: use {' or '.join((default, *others))}")
        return default
    return answer


def number(name: str, default: int, least: int = 0, text: str | None = None, most: int | None = None) -> int:
    """Parse a variable, or `text` if given, as an integer; return `default` if it is missing or invalid."""
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
    """Parse a duration of at most one hour, fractions included; return `default` if it is missing or invalid."""
    text = os.environ.get(name, "") if text is None else text
    try:
        seconds = float(text or default)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= 3600:  # also rejects NaN
        SETTINGS_ERRORS.append(f"{name}={text}: must be a number of seconds, from 0 to 3600")
        return default
    return seconds


def log_level() -> str:
    """Return the minimum level of log messages."""
    return choice("CLAVE_LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR", "CRITICAL")


def url(name: str, default: str = "", schemes: tuple[str, ...] = ("http", "https"), text: str | None = None) -> str:
    """Parse a variable, or `text` if given, as a URL; return `default` if it is missing or invalid.

    The error does not quote the value: it may contain a password.
    """
    text = os.environ.get(name, "") if text is None else text
    if not text:
        return default
    try:
        parts = urlsplit(text)
        _ = parts.port  # may raise as well
    except ValueError:
        parts = urlsplit("")
    target = parts.path if parts.scheme == "unix" else parts.hostname
    if parts.scheme not in schemes or not target or re.search(r"\s", text):
        prefixes = " or ".join(f"{scheme}://" for scheme in schemes)
        SETTINGS_ERRORS.append(f"{name}: must be a whole address that begins with {prefixes}")
        return default
    return text


def secret(name: str) -> str:
    """Return a secret: the value of a variable or, if `<name>_FILE` is set, the content of the file it names."""
    path = os.environ.get(f"{name}_FILE")
    if not path:
        return os.environ.get(name, "")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        SETTINGS_ERRORS.append(f"{name}_FILE: this file cannot be read")
        return ""


def cache_url() -> str:
    """Return the URL of the cache, or several separated by commas, as Django's Redis backend takes them."""
    text = os.environ.get("CACHE_URL", "")
    valid = [url("CACHE_URL", "", ("redis", "rediss", "unix"), part) for part in re.split("[;,]", text)]
    return text if all(valid) else ""


def by_line(name: str, default: int, most: int | None = None) -> dict[int, int]:
    """Parse one number for all programme lines, `170`, or one for each, `1=120,3=170`."""
    values = dict(part.rpartition("=")[::2] for part in names(name))
    if unknown := set(values) - {"", "1", "3", "6"}:
        SETTINGS_ERRORS.append(f"{name}: line {', '.join(sorted(unknown))} does not exist: use 1, 3 or 6")
    return {line: number(name, default, 1, values.get(str(line), values.get("", "")), most) for line in (1, 3, 6)}


def loopback_and(name: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Return the loopback networks and those listed in a variable."""
    networks = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")]
    for text in names(name):
        try:
            networks.append(ipaddress.ip_network(text, strict=False))
        except ValueError:
            SETTINGS_ERRORS.append(f"{name}: {text} is neither an address nor a network")
    return networks
