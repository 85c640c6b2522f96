"""GlosaError codes, explained to the participant whose browser carries them."""

from django.utils.translation import gettext_lazy as _

from clave.lib.text import Text

GLOSAS: dict[int, Text] = {
    100: _("La Clave SENCE no es correcta."),
    200: _("Falta un dato que la plataforma del curso debe enviar."),
    201: _("Falta la dirección para volver al curso."),
    202: _("La dirección para volver al curso (UrlRetoma) no es válida."),
    203: _("La dirección para volver al curso (UrlError) no es válida."),
    204: _("El código SENCE del curso no es válido."),
    205: _("El código de la acción (CodigoCurso) no es válido."),
    206: _("La línea de capacitación no es válida."),
    207: _("El RUN del participante no es válido."),
    208: _("El participante no está inscrito en el curso."),
    209: _("El RUT del organismo de capacitación no es válido."),
    210: _("Pasaron los 3 minutos que había para ingresar la clave."),
    211: _("El token no es de este organismo de capacitación."),
    212: _("El token no está vigente."),
    300: _("Ocurrió un error que no pudimos clasificar. Intente otra vez."),
    301: _("El código del curso o su línea no corresponden."),
    302: _("No pudimos validar al organismo de capacitación."),
    303: _("El token no existe o está mal escrito."),
    304: _("No pudimos verificar los datos enviados."),
    305: _("La sesión no se pudo guardar. Si pasó el tiempo máximo, ya no puede cerrarse."),
    306: _("La acción no corresponde al curso (CodSence)."),
    307: _("La acción no es de modalidad e-learning."),
    308: _("La acción no es de este organismo de capacitación."),
    309: _("Hoy está fuera de las fechas del curso."),
    310: _("El curso terminó o fue anulado."),
    311: _("Ingresó una persona distinta del participante."),
    312: _("El ingreso no se completó."),
    313: _("La sesión se abrió en otro ambiente: la dirección de cierre no corresponde."),
}
