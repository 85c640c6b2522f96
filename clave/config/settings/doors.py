"""Settings of the upstream doors: issuers at which holders may sign in instead of typing their CS (decision 0034)."""

import os

from clave.config.settings.environment import choice, secret, url

# Seconds for all calls that one callback makes to an issuer, and for each of them.
DOOR_BUDGET_SECONDS = 5.0
DOOR_TRY_SECONDS = 2.0

CLAVEUNICA_ISSUER = url("CLAVEUNICA_ISSUER")
CLAVEUNICA_CLIENT_ID = os.environ.get("CLAVEUNICA_CLIENT_ID", "")
CLAVEUNICA_CLIENT_SECRET = secret("CLAVEUNICA_CLIENT_SECRET")
# `guide`: the endpoints and the parameters of ClaveÚnica's integration guide, whose answer has no key to verify with;
# `discovery`: what the issuer publishes (OpenID Connect Discovery 1.0), with a verified id token.
CLAVEUNICA_PROTOCOL = choice("CLAVEUNICA_PROTOCOL", "guide", "discovery")
# Takes the address to come back to in `redirect`.
CLAVEUNICA_LOGOUT_URL = url("CLAVEUNICA_LOGOUT_URL")

CLAVE_TRIBUTARIA_ISSUER = url("CLAVE_TRIBUTARIA_ISSUER")
CLAVE_TRIBUTARIA_CLIENT_ID = os.environ.get("CLAVE_TRIBUTARIA_CLIENT_ID", "")
CLAVE_TRIBUTARIA_CLIENT_SECRET = secret("CLAVE_TRIBUTARIA_CLIENT_SECRET")
CLAVE_TRIBUTARIA_LOGOUT_URL = url("CLAVE_TRIBUTARIA_LOGOUT_URL")
CLAVE_TRIBUTARIA_SCOPES = os.environ.get("CLAVE_TRIBUTARIA_SCOPES", "openid")
# The claim of the id token or of userinfo with the entity's RUT, `76543210-3`.
CLAVE_TRIBUTARIA_RUT_CLAIM = os.environ.get("CLAVE_TRIBUTARIA_RUT_CLAIM", "rut")
