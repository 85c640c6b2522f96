"""Starts Keycloak with a realm that brokers Clave, and beside it the application in app.py."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

KEYCLOAK = Path("target/dependency/keycloak-26.7.3")

with urllib.request.urlopen(os.environ["ISSUER"] + "/.well-known/openid-configuration") as answer:
    metadata = json.load(answer)
broker = os.environ["REDIRECT_URI"].split("/realms/")[0]
realm = Path("realm.json").read_text().replace("APPLICATION", os.environ["POST_LOGOUT_REDIRECT_URI"].rstrip("/"))
for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET"):
    realm = realm.replace(f'"{name}"', json.dumps(os.environ[name]))
for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint"):
    realm = realm.replace(f'"{name}"', json.dumps(metadata[name]))
folder = KEYCLOAK / "data" / "import"
folder.mkdir(parents=True, exist_ok=True)
(folder / "realm.json").write_text(realm)
subprocess.Popen([sys.executable, "app.py"], env={**os.environ, "BROKER": f"{broker}/realms/interop"})
words = ["start-dev", "--import-realm", "--db=dev-mem", "--cache=local", "--http-host=127.0.0.1"]
os.execv(KEYCLOAK / "bin/kc.sh", ["kc.sh", *words, "--http-port=" + broker.rsplit(":", 1)[1]])
