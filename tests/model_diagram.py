"""Draws the models for docs/models.md, as Mermaid reads them: all of them with what leads where, then the fields of each app."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import django
from django.apps import AppConfig, apps
from django.db.models import Field, ForeignKey, Model

FILE = Path(__file__).parents[1] / "docs" / "models.md"
HEAD = """# Models

Drawn by `script/models` from the code; do not edit by hand. Each heading is a package of `clave/`, whose `models.py` says what a model is for.
`PK` is the primary key, `UK` is unique, `FK` leads to another model. `||` one, `|o` none or one, `o{` any number.

## All of them
"""


def our_apps() -> Iterator[tuple[AppConfig, list[type[Model]]]]:
    """Give each of our apps that has models, with them."""
    for app in apps.get_app_configs():
        if app.name.startswith("clave.") and (models := list(app.get_models())):
            yield app, models


def fields_of(model: type[Model]) -> Iterator[str]:
    """Give a line for each column."""
    for field in model._meta.concrete_fields:
        keys = ["PK"] * field.primary_key + ["FK"] * bool(field.is_relation)
        keys += ["UK"] * (field.unique and not field.primary_key)
        yield f"        {type(field).__name__.removesuffix('Field')} {field.name} {', '.join(keys)}".rstrip()


def relations_of(model: type[Model]) -> Iterator[str]:
    """Give a line for each field that leads to another model of ours."""
    for field in model._meta.concrete_fields:
        if isinstance(field, ForeignKey):
            yield f"    {field.related_model.__name__} {_ends(field)} {model.__name__} : {field.name}"


def _ends(field: "Field[Any, Any]") -> str:
    return ("|o" if field.null else "||") + "--" + ("o|" if field.unique else "o{")


def diagram(lines: Iterable[str]) -> str:
    return "\n".join(["```mermaid", "erDiagram", *lines, "```", ""])


def text() -> str:
    """Return the whole file."""
    found = list(our_apps())
    overview = [f"    {model.__name__}" for _, models in found for model in models]
    overview += [line for _, models in found for model in models for line in relations_of(model)]
    parts = [HEAD, diagram(overview)]
    for app, models in found:
        drawn = [line for each in models for line in (f"    {each.__name__} {{", *fields_of(each), "    }")]
        parts += [f"## {app.name.removeprefix('clave.')}\n", diagram(drawn)]
    return "\n".join(parts)


if __name__ == "__main__":
    django.setup()
    FILE.write_text(text(), encoding="utf-8")
