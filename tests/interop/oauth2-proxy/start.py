"""Starts oauth2-proxy in front of the application in main.go."""

import base64
import json
import os
import secrets
import socket
import subprocess
import urllib.request
from urllib.parse import urlsplit

with urllib.request.urlopen(os.environ["ISSUER"] + "/.well-known/openid-configuration") as answer:
    METADATA = json.load(answer)
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    upstream = probe.getsockname()[1]
environ = {**os.environ, "UPSTREAM_PORT": str(upstream), "END_SESSION": METADATA["end_session_endpoint"]}
subprocess.Popen(["bin/interop"], env=environ)
options = {
    "provider": "oidc",
    "oidc-issuer-url": os.environ["ISSUER"],
    "oidc-enabled-signing-alg": "ES256",
    "client-id": os.environ["CLIENT_ID"],
    "client-secret": os.environ["CLIENT_SECRET"],
    "redirect-url": os.environ["REDIRECT_URI"],
    "code-challenge-method": "S256",
    "scope": "openid profile email offline_access",
    "prompt": "consent",
    "insecure-oidc-skip-nonce": "false",
    "email-domain": "*",
    "insecure-oidc-allow-unverified-email": "true",
    "cookie-secret": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "cookie-secure": "false",
    "cookie-refresh": "1s",
    "pass-authorization-header": "true",
    "pass-access-token": "true",
    "skip-provider-button": "true",
    "skip-auth-route": "GET=^/$",
    "whitelist-domain": urlsplit(METADATA["end_session_endpoint"]).netloc,
    "http-address": "127.0.0.1:" + os.environ["PORT"],
    "upstream": f"http://127.0.0.1:{upstream}",
}
os.execv("bin/oauth2-proxy", ["oauth2-proxy", *(f"--{name}={value}" for name, value in options.items())])
