"""Prometheus metrics, served only to this machine and the networks in `METRICS_ALLOW`."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from clave.notifications.metrics import OutboxCollector
from clave.web.errors import error_page

_PROXY_HEADERS = (
    *("HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA", "HTTP_CF_CONNECTING_IP", "HTTP_TRUE_CLIENT_IP"),
    *("HTTP_X_CLIENT_IP", "HTTP_X_CLUSTER_CLIENT_IP"),
)


# Our own: the library's would tell of this process alone, one of several.
_REGISTRY = CollectorRegistry()
_REGISTRY.register(OutboxCollector())


def metrics(request: HttpRequest) -> HttpResponse:
    """Serve the metrics in Prometheus' text format, or 404 to clients not allowed to read them."""
    if not may_read(request):
        return error_page(request, 404)
    return HttpResponse(generate_latest(_REGISTRY), content_type=CONTENT_TYPE_LATEST)


def may_read(request: HttpRequest) -> bool:
    """Return whether the peer and, through our proxies, every client it forwards for are allowed.

    The public proxy often runs on this very machine, so a local peer does not suffice for forwarded requests. A proxy
    that adds no headers is detected by the public host name in the request: monitoring addresses a process by IP.
    """
    if settings.CLAVE_TRUSTED_PROXIES and not _host_is_address(request):
        return False
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR")
    if forwarded is None:
        is_forwarded = any(name in _PROXY_HEADERS or name.startswith("HTTP_X_FORWARDED") for name in request.META)
        return not is_forwarded and _is_allowed(request.META.get("REMOTE_ADDR", ""))
    if not settings.CLAVE_TRUSTED_PROXIES:
        return False
    return all(_is_allowed(address) for address in (request.META.get("REMOTE_ADDR", ""), *forwarded.split(",")))


def _host_is_address(request: HttpRequest) -> bool:
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
