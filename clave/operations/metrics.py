"""Figures for Prometheus, given to this machine and to the networks of `METRICS_ALLOW` alone."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from clave.notifications.metrics import OutboxCollector
from clave.web.errors import error_page

_SIGNS_OF_A_PROXY = (
    *("HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA", "HTTP_CF_CONNECTING_IP", "HTTP_TRUE_CLIENT_IP"),
    *("HTTP_X_CLIENT_IP", "HTTP_X_CLUSTER_CLIENT_IP"),
)


# Our own: the library's would tell of this process alone, one of several.
_REGISTRY = CollectorRegistry()
_REGISTRY.register(OutboxCollector())


def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with a few figures in Prometheus' text format, or 404 to whoever may not read them."""
    if not may_read(request):
        return error_page(request, 404)
    return HttpResponse(generate_latest(_REGISTRY), content_type=CONTENT_TYPE_LATEST)


def may_read(request: HttpRequest) -> bool:
    """Say whether both who connects and, through proxies of ours, everybody it speaks for are allowed.

    The public proxy often stands on this very machine: being local is not enough for what it passes on. One that says
    nothing of itself is known by the public name that was asked for: monitoring asks a process by its address.
    """
    if settings.CLAVE_TRUSTED_PROXIES and not _names_an_address(request):
        return False
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR")
    if forwarded is None:
        passed_on = any(name in _SIGNS_OF_A_PROXY or name.startswith("HTTP_X_FORWARDED") for name in request.META)
        return not passed_on and _is_allowed(request.META.get("REMOTE_ADDR", ""))
    if not settings.CLAVE_TRUSTED_PROXIES:
        return False
    return all(_is_allowed(address) for address in (request.META.get("REMOTE_ADDR", ""), *forwarded.split(",")))


def _names_an_address(request: HttpRequest) -> bool:
    host, _port = split_domain_port(request.META.get("HTTP_HOST", ""))
    try:
        return bool(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return host == "localhost"


def _is_allowed(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in settings.METRICS_ALLOW)
