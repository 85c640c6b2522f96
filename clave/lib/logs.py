"""Structured logs: one JSON line per event, with anything that looks like a secret removed."""

import logging
import sys
from collections.abc import Mapping

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

SECRET_WORDS = ("key", "clave", "password", "secret", "answer", "respuesta", "token", "serial", "captcha", "cookie")


def redact_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Redact every field whose name suggests a secret."""
    for name in event:
        if name != "event" and any(word in name.lower() for word in SECRET_WORDS):
            event[name] = "[…]"
    return event


def strip_exception_message(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Keep an exception's type and frames but not its message, which may quote user input."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    if isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if info and info[0]:
        frames = []
        trace = info[2]
        while trace:
            frames.append(f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}")
            trace = trace.tb_next
        event["exception"] = info[0].__name__
        event["frames"] = frames[-8:]
    return event


def configure(options: Mapping[str, str]) -> None:
    """Send all logs to standard error as JSON lines (Django's LOGGING_CONFIG)."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact_secrets,
        strip_exception_message,
    ]
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(options.get("level", "INFO"))
    for noisy in ("httpx", "httpcore", "mail.log", "django_tasks", "django_tasks_db"):
        logging.getLogger(noisy).setLevel("WARNING")
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
