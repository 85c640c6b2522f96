"""Reads what an operator has set. What cannot be understood is noted, and the guard names all of it at once."""

import ipaddress
import os

# What cannot be understood, one sentence each: the guard refuses to start with any.
SETTINGS_ERRORS: list[str] = []


def flag(name: str, default: str = "0") -> bool:
    """Say whether a variable is 1."""
    return os.environ.get(name, default) == "1"


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


def number(name: str, default: int, least: int = 0, text: str | None = None) -> int:
    """Return a variable's whole number, or that of `text`, a part of it; `default` if it is missing or wrong."""
    text = os.environ.get(name, "") if text is None else text
    try:
        number = int(text or default)
    except ValueError:
        number = least - 1
    if number < least:
        SETTINGS_ERRORS.append(f"{name}={text}: must be a whole number, {least} or more")
        return default
    return number


def by_line(name: str, default: int) -> dict[int, int]:
    """Read a number for every line of training, `170`, or one for some of them, `1=120,3=170`."""
    given = dict(part.rpartition("=")[::2] for part in names(name))
    if unknown := set(given) - {"", "1", "3", "6"}:
        SETTINGS_ERRORS.append(f"{name}: line {', '.join(sorted(unknown))} does not exist: use 1, 3 or 6")
    return {line: number(name, default, 1, given.get(str(line), given.get("", ""))) for line in (1, 3, 6)}


def loopback_and(name: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Return this machine's own networks and those that a variable lists."""
    found = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")]
    for text in names(name):
        try:
            found.append(ipaddress.ip_network(text, strict=False))
        except ValueError:
            SETTINGS_ERRORS.append(f"{name}: {text} is neither an address nor a network")
    return found
