"""Display labels for the names in a holder's data export; the JSON keeps the Spanish names."""

from django.utils.translation import gettext_lazy as _

WORDS: dict[str, object] = {
    "abierta": _("Abierta"),
    "acción": _("Acción"),
    "actualizada": _("Actualizada"),
    "cambiada por última vez": _("Cambiada por última vez"),
    "canal": _("Canal"),
    "cantidad de hijos": _("Cantidad de hijos"),
    "celular": _("Celular"),
    "clave": _("Clave"),
    "contacto": _("Contacto"),
    "correo": _("Correo"),
    "correo propuesto": _("Correo propuesto"),
    "creada": _("Creada"),
    "creado": _("Creado"),
    "cuenta": _("Cuenta"),
    "curso": _("Curso"),
    "cursos y asistencia": _("Cursos y asistencia"),
    "código": _("Código"),
    "declaraciones juradas": _("Declaraciones juradas"),
    "derecho": _("Derecho"),
    "desde": _("Desde"),
    "detalle": _("Detalle"),
    "dirección": _("Dirección"),
    "estado": _("Estado"),
    "facilitador": _("Facilitador"),
    "fecha": _("Fecha"),
    "fecha de nacimiento": _("Fecha de nacimiento"),
    "folio": _("Folio"),
    "guardada como": _("Guardada como"),
    "hechos": _("Hechos"),
    "identidad": _("Identidad"),
    "idioma": _("Idioma"),
    "mensaje": _("Mensaje"),
    "mensajes enviados": _("Mensajes enviados"),
    "navegador": _("Navegador"),
    "navegadores reconocidos": _("Navegadores reconocidos"),
    "nombre": _("Nombre"),
    "país de origen": _("País de origen"),
    "perfil": _("Perfil"),
    "por qué": _("Por qué"),
    "pregunta secreta": _("Pregunta secreta"),
    "quién": _("Quién"),
    "quién vio o cambió sus datos": _("Quién vio o cambió sus datos"),
    "qué": _("Qué"),
    "representantes": _("Representantes legales"),
    "respuesta": _("Respuesta"),
    "resultado": _("Resultado"),
    "rut": "RUT",
    "nie": "NIE",
    "segundos": _("Segundos"),
    "segundos acreditados": _("Segundos acreditados"),
    "sesiones": _("Sesiones"),
    "sesiones abiertas": _("Sesiones abiertas"),
    "sexo": _("Sexo"),
    "solicitudes de facilitadores": _("Solicitudes de facilitadores"),
    "solicitudes sobre sus datos": _("Solicitudes sobre sus datos"),
    "teléfono particular": _("Teléfono particular"),
    "teléfono propuesto": _("Teléfono propuesto"),
    "teléfono trabajo": _("Teléfono trabajo"),
    "terminada": _("Terminada"),
    "texto": _("Texto"),
    "tipo": _("Tipo"),
    "tokens": _("Tokens"),
}


def word(name: str) -> str:
    """Return the display label of a name."""
    return str(WORDS.get(name) or name[:1].upper() + name[1:])


def in_words(value: object) -> object:
    """Return data with every name replaced by its display label."""
    if isinstance(value, dict):
        return {word(name): in_words(child) for name, child in value.items()}
    return [in_words(child) for child in value] if isinstance(value, list) else value
