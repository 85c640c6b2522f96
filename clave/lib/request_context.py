"""Who is knocking, as far as a service function may know: never the HTTP request itself."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class RequestContext:
    """Where a request comes from: network address, browser (hash of its cookie), user agent (cut), language.

    `submission` is the one-time key of the form that asks, if it has one, and `claim` says which post of it this is.
    """

    address: str
    browser: str = ""
    agent: str = ""
    language: str = "es"
    submission: str = field(default="", repr=False)
    claim: str = field(default="", repr=False)


SYSTEM = RequestContext(address="")
