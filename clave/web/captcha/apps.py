from django.apps import AppConfig


class CaptchaConfig(AppConfig):
    name = "clave.web.captcha"
