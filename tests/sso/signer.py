"""What applications sign with keys of their own: assertions, request objects, DPoP proofs."""

import json
import secrets
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from clave.lib import clock
from clave.lib.crypto import sha256_base64url
from tests.sso.application import Application, Fields, issuer

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Signer:
    """A key pair, and the JWTs an application makes with it."""

    def __init__(self, key: ECKey | RSAKey | None = None, algorithm: str = "ES256") -> None:
        self.key = key or ECKey.generate_key("P-256")
        self.algorithm = algorithm

    @property
    def jwks(self) -> Fields:
        return {"keys": [self.key.as_dict(private=False)]}

    @property
    def thumbprint(self) -> str:
        return self.key.thumbprint()

    def jwt(self, claims: Fields, **header: Any) -> str:
        payload = json.dumps(claims).encode()
        registry = jws.JWSRegistry(algorithms=[self.algorithm], strict_check_header=False)
        registry.max_header_length = 4096
        return jws.serialize_compact({"alg": self.algorithm, **header}, payload, self.key, registry=registry)

    def assertion(self, app: Application, **changes: Any) -> Fields:
        """Return the form fields with which a client proves who it is (RFC 7523, section 2.2)."""
        now = int(clock.now().timestamp())
        claims = {"iss": app.client_id, "sub": app.client_id, "aud": issuer(), "iat": now, "exp": now + 60}
        claims |= {"jti": secrets.token_urlsafe(12)} | changes
        told = {name: value for name, value in claims.items() if value is not None}
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self.jwt(told)}

    def request_object(self, app: Application, header: Fields | None = None, **changes: Any) -> str:
        """Return an authorization request as a signed object (RFC 9101, section 4)."""
        now = int(clock.now().timestamp())
        claims = {**app.request(), "iss": app.client_id, "aud": issuer(), "iat": now, "exp": now + 300, **changes}
        return self.jwt({name: value for name, value in claims.items() if value is not None}, **(header or {}))

    def proof(self, endpoint: str, method: str = "POST", token: str = "", **changes: Any) -> str:
        """Return a DPoP proof for one request (RFC 9449, section 4.2)."""
        claims = {"htm": method, "htu": f"{issuer()}/sso/{endpoint}", "iat": int(clock.now().timestamp())}
        claims |= {"jti": secrets.token_urlsafe(12)} | ({"ath": sha256_base64url(token)} if token else {}) | changes
        header = {"typ": "dpop+jwt", "jwk": self.key.as_dict(private=False)}
        return self.jwt({name: value for name, value in claims.items() if value is not None}, **header)
