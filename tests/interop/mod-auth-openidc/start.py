"""Starts Apache with mod_auth_openidc in front of the application in app.py."""

import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path

MODULES = ["mpm_event", "authn_core", "authz_core", "authz_user", "proxy", "proxy_http", "auth_openidc"]
CONFIGURATION = """
ServerRoot {folder}
ServerName {host}
Listen 127.0.0.1:{port}
User www-data
Group www-data
PidFile {folder}/apache.pid
ErrorLog /dev/stderr
{modules}
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client_id}
OIDCClientSecret {client_secret}
OIDCRedirectURI {redirect_uri}
OIDCDefaultURL {signed_out}
OIDCCryptoPassphrase {passphrase}
OIDCResponseType code
OIDCPKCEMethod S256
OIDCIDTokenSignedResponseAlg ES256
OIDCScope "openid profile email offline_access"
OIDCAuthRequestParams prompt=consent
OIDCPassClaimsAs headers
OIDCPassIDTokenAs serialized
OIDCPassUserInfoAs json
ProxyPass /oidc/ !
ProxyPass / http://127.0.0.1:{upstream}/
<LocationMatch "^/(me|refresh|oidc/callback)$">
  AuthType openid-connect
  Require valid-user
</LocationMatch>
<Location /refresh>
  OIDCRefreshAccessTokenBeforeExpiry 86400
</Location>
"""

with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    upstream = probe.getsockname()[1]
subprocess.Popen([sys.executable, "app.py", str(upstream)])
folder = Path.cwd()
configuration = folder / "apache.conf"
configuration.write_text(
    CONFIGURATION.format(
        folder=folder,
        host=os.environ["REDIRECT_URI"].split("/oidc/")[0],
        port=os.environ["PORT"],
        modules="\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in MODULES),
        issuer=os.environ["ISSUER"],
        client_id=os.environ["CLIENT_ID"],
        client_secret=os.environ["CLIENT_SECRET"],
        redirect_uri=os.environ["REDIRECT_URI"],
        signed_out=os.environ["POST_LOGOUT_REDIRECT_URI"],
        passphrase=secrets.token_urlsafe(32),
        upstream=upstream,
    )
)
configuration.chmod(0o600)
os.execv("/usr/sbin/apache2", ["apache2", "-DFOREGROUND", "-f", str(configuration)])
