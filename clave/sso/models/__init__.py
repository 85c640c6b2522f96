"""What sign-on stores: clients, what holders consent to, grants, keys, notices of ended sessions."""

from clave.sso.models.clients import Client, ClientKind, ClientLogo, ClientSecret, Dialect, SubjectType
from clave.sso.models.consents import Consent, Subject
from clave.sso.models.grants import Grant, PendingAuthorization, UsedAssertion
from clave.sso.models.keys import Algorithm, SigningKey
from clave.sso.models.logout import LogoutNotice

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
    "UsedAssertion",
]
