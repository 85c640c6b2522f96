"""A Flask application that relies on Clave through Authlib."""

import hashlib
import os
import secrets

from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, session
from joserfc import jws

app = Flask(__name__)
app.secret_key = secrets.token_bytes(32)
oauth = OAuth(app)
oauth.register(
    "clave",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=os.environ["ISSUER"] + "/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile email offline_access", "code_challenge_method": "S256"},
)
TOKENS: dict[str, dict] = {}  # tokens do not fit into a cookie


@app.get("/")
def home():
    return '<a href="/login">Ingresar</a>'


@app.get("/login")
def login():
    return oauth.clave.authorize_redirect(os.environ["REDIRECT_URI"], prompt="consent")


@app.get("/callback")
def callback():
    token = oauth.clave.authorize_access_token()
    session["id"] = secrets.token_urlsafe()
    TOKENS[session["id"]] = {**token, "claims": token["userinfo"]}
    return redirect("/me")


@app.get("/me")
def me():
    token = TOKENS.get(session.get("id"))
    if token is None:
        return {"error": "not signed in"}, 401
    return {
        "id_token": token["claims"],
        "kid": jws.extract_compact(token["id_token"].encode()).headers()["kid"],
        "userinfo": oauth.clave.userinfo(token=token),
        "access_token": hashlib.sha256(token["access_token"].encode()).hexdigest()[:16],
    }


@app.get("/refresh")
def refresh():
    old = TOKENS[session["id"]]
    new = oauth.clave.fetch_access_token(grant_type="refresh_token", refresh_token=old["refresh_token"])
    claims = oauth.clave.parse_id_token(new, nonce=None) if "id_token" in new else old["claims"]
    TOKENS[session["id"]] = {**old, **new, "claims": claims}
    return me()


@app.get("/logout")
def logout():
    token = TOKENS.pop(session.pop("id"))
    return redirect(
        oauth.clave.create_logout_url(
            post_logout_redirect_uri=os.environ["POST_LOGOUT_REDIRECT_URI"], id_token_hint=token["id_token"]
        )["url"]
    )


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]))
