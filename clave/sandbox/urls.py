from django.urls import path

from clave.sandbox import claveunica_pages, lms, openid_pages, try_openid, views

urlpatterns = [
    path("", views.home, name="sandbox"),
    path("servicio", views.set_behaviour, name="sandbox_behaviour"),
    path("aula/", lms.home, name="sandbox_lms"),
    path("aula/volver/<path:code>", lms.back, name="sandbox_lms_back"),
    path("aula/curso/<path:code>", lms.course, name="sandbox_lms_course"),
    path("claveunica-demo/", claveunica_pages.home, name="sandbox_claveunica"),
    path("claveunica-demo/<run:pending>", claveunica_pages.SignIn.as_view(), name="sandbox_claveunica_sign_in"),
    path("inspector", views.inspect, name="sandbox_inspector"),
    path("probar-openid", try_openid.begin, name="sandbox_openid"),
    path("probar-openid/volver", try_openid.back),
    path("probar-openid/paso", try_openid.step, name="sandbox_openid_step"),
    path("probar-openid/salida", try_openid.signed_out),
    path("mensajes.json", views.messages_json, name="sandbox_messages"),
    path("<slug:provider>/openid/authorize/", openid_pages.Authorize.as_view(), name="sandbox_authorize"),
    path("<slug:provider>/api/v1/accounts/app/logout", openid_pages.log_out, name="sandbox_logout"),
]
