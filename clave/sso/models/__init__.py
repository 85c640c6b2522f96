"""What sign-on stores: clients, consents, grants, keys, notices of ended sessions, links to upstream doors."""

from clave.sso.models.clients import Client, ClientKind, ClientLogo, ClientSecret, Dialect, SubjectType
from clave.sso.models.consents import Consent, Subject
from clave.sso.models.grants import Grant, PendingAuthorization, UsedAssertion
from clave.sso.models.keys import Algorithm, SigningKey
from clave.sso.models.logout import LogoutNotice
from clave.sso.models.upstream import UpstreamIdentity, UpstreamRequest

__all__ = [
    "Algorithm",
    "Client",
    "ClientKind",
    "ClientLogo",
    "ClientSecret",
    "Consent",
    "Dialect",
    "Grant",
    "LogoutNotice",
    "PendingAuthorization",
    "SigningKey",
    "Subject",
    "SubjectType",
    "UpstreamIdentity",
    "UpstreamRequest",
    "UsedAssertion",
]
