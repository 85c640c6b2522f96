"""Home, help, languages, the captcha, outcome pages, and the URLs printed in old guides and plugins."""

from django.urls import path
from django.views.generic import RedirectView

from clave.web import form_pages, public_pages
from clave.web.captcha import views as captcha

urlpatterns = [
    path("", public_pages.plain("web/home.html"), name="home"),
    path("ayuda", public_pages.plain("web/help.html"), name="help"),
    path("idioma/<slug:code>", public_pages.choose_language, name="language"),
    path("captcha/nuevo", captcha.refresh, name="captcha_new"),
    path("captcha/<slug:text>.png", captcha.image, name="captcha_image"),
    path("captcha/<slug:text>.wav", captcha.audio, name="captcha_audio"),
    path("captcha/<slug:text>.json", captcha.challenge, name="captcha_challenge"),
    path("captcha/<slug:text>/pagado", captcha.exchange, name="captcha_exchange"),
    path("listo/<run:reference>", form_pages.done, name="done"),
    path("Account", RedirectView.as_view(pattern_name="home")),
    path("Account/", RedirectView.as_view(pattern_name="home")),
    path("Account/Registrar", public_pages.plain("web/choose_register.html"), name="choose_register"),
    path("Account/RecuperarClave", public_pages.plain("web/choose_recover.html"), name="choose_recover"),
    path("Account/CambiarClave", public_pages.plain("web/choose_change.html"), name="choose_change"),
    path("Account/ActualizarDatos", public_pages.plain("web/choose_update.html"), name="choose_update"),
]
