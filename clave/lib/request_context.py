"""What service functions may know about a request, without the HTTP request itself."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class RequestContext:
    """Origin of a request: network address, browser (hash of its cookie), user agent (truncated), language.

    `submission` is the one-time key of the submitted form, if it has one; `claim` identifies this one post of it.
    """

    address: str
    browser: str = ""
    agent: str = ""
    language: str = "es"
    submission: str = field(default="", repr=False)
    claim: str = field(default="", repr=False)


SYSTEM = RequestContext(address="")
