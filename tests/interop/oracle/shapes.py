"""What of an answer an application can see: status, kind, members and their types, error codes."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

# Members whose very value matters.
LITERAL = ("error", "token_type", "tipo")
# Clave says these everywhere, besides, as the standards do: RFC 9207, RFC 6749, sections 4.1.2.1 and 5.1. Everywhere it
# redirects with 303 instead of 302 (RFC 9700, section 4.12).
EVERYWHERE = ("iss", "scope", "error_description")


def shape(response: httpx.Response) -> str:
    """Return an answer's shape, in one line."""
    words = [str(response.status_code).replace("303", "302")]
    if location := response.headers.get("Location"):
        parts = urlsplit(location)
        answer = dict(parse_qsl(parts.query or parts.fragment))
        words.append("to the application with" if parts.netloc else f"to {parts.path} with")
        words.append(
            ", ".join(
                f"{name}={answer[name]}" if name == "error" else name
                for name in sorted(answer)
                if name not in EVERYWHERE
            )
        )
        return " ".join(words)
    if "json" in response.headers.get("Content-Type", ""):
        words.append(_members(response.json()))
    elif response.text:
        words.append("a page")
    if challenge := response.headers.get("WWW-Authenticate"):
        words.append(
            f"with a challenge ({challenge.partition(' ')[0] if '=' not in challenge.split()[0] else 'no scheme'})"
        )
    return " ".join(words)


def _members(value: Any) -> str:
    if isinstance(value, dict):
        inside = (
            f"{name}: {member if name in LITERAL else _members(member)}"
            for name, member in sorted(value.items())
            if name not in EVERYWHERE
        )
        return "{" + ", ".join(inside) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(sorted({_members(each) for each in value})) + "]"
    return {str: "text", int: "number", float: "number", bool: "bool"}.get(type(value), "null")
