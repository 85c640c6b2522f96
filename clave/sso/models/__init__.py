"""Clients, grants and keys of sign-on; links to upstream doors."""

from clave.sso.models.upstream import UpstreamIdentity as UpstreamIdentity
from clave.sso.models.upstream import UpstreamRequest as UpstreamRequest
