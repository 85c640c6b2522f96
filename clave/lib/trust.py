"""Whose certificates this process trusts when it calls another server over TLS."""

import ssl
from functools import cache

import httpx


@cache
def authorities() -> ssl.SSLContext:
    """Return httpx's usual settings with the certificate authorities; reading them takes some 25 ms of a core."""
    return httpx.create_ssl_context()
