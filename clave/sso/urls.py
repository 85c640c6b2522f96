"""Sign-on for other systems: OpenID Connect, ClaveÚnica's dialect, and the pages people see of it."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from clave.sso.issuers import CLAVEUNICA, STANDARD
from clave.sso.views import authorize, connected, discovery, integrate, logos, logout, token, userinfo

_STANDARD, _DIALECT = {"issuer": STANDARD}, {"issuer": CLAVEUNICA}

urlpatterns: list[URLPattern | URLResolver] = [
    path("sso/authorize", authorize.authorize, _STANDARD, name="sso_authorize"),
    path("sso/token", token.token, _STANDARD, name="sso_token"),
    path("sso/userinfo", userinfo.userinfo, _STANDARD, name="sso_userinfo"),
    path("sso/introspect", token.introspect, _STANDARD),
    path("sso/revoke", token.revoke, _STANDARD),
    path("sso/par", token.push, _STANDARD),
    path("sso/jwks", discovery.jwks, _STANDARD),
    path("sso/logout", logout.rp_logout, name="sso_logout"),
    path("sso/logout/confirmar", logout.ConfirmLogout.as_view(), name="sso_logout_confirm"),
    path("sso/solicitud/<run:pending>", authorize.proceed, name="sso_continue"),
    path("sso/solicitud/<run:pending>/cuenta", authorize.ChooseAccount.as_view(), name="sso_account"),
    path("sso/solicitud/<run:pending>/otra-cuenta", authorize.other_account, name="sso_other_account"),
    path("sso/solicitud/<run:pending>/cancelar", authorize.cancel, name="sso_cancel"),
    path("sso/solicitud/<run:pending>/permiso", authorize.ConsentPage.as_view(), name="sso_consent"),
    path("sso/logo/<slug:client_id>/<slug:version>.png", logos.logo, name="sso_logo"),
    path(".well-known/openid-configuration", discovery.metadata, _STANDARD),
    path(".well-known/oauth-authorization-server", discovery.metadata, _STANDARD),
    re_path(r"^openid/\.well-known/openid-configuration/?$", discovery.metadata, _DIALECT),
    re_path(r"^openid/authorize/?$", authorize.authorize, _DIALECT),
    re_path(r"^openid/token/?$", token.token, _DIALECT),
    re_path(r"^openid/userinfo/?$", userinfo.userinfo, _DIALECT),
    re_path(r"^openid/jwks/?$", discovery.jwks, _DIALECT),
    re_path(r"^api/v1/accounts/app/logout/?$", logout.claveunica_logout),
    path("accounts/login/", authorize.claveunica_login),
    path("integrar", integrate.integrate, name="integrate"),
    path("salir", logout.SignOut.as_view(), name="signout"),
    path("mi-cuenta/sistemas", connected.systems, name="connected_systems"),
    path("mi-cuenta/sistemas/<slug:client_id>/quitar", connected.Disconnect.as_view(), name="disconnect"),
    path("", include("clave.sso.upstream.urls")),
]
