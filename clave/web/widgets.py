"""Form widgets that differ from those of Django."""

from django import forms
from django.forms.renderers import BaseRenderer
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe


class LongSelect(forms.Select):
    """A select with hundreds of options: rendering a template for each would be slow."""

    def render(
        self, name: str, value: object, attrs: dict[str, object] | None = None, renderer: BaseRenderer | None = None
    ) -> SafeString:
        selected_key = "" if value is None else str(value)
        options = format_html_join("", "{}", ((self._option(key, label, selected_key),) for key, label in self.choices))
        attributes = self.build_attrs(self.attrs, {**(attrs or {}), "name": name})
        return format_html("<select{}>{}</select>", flatatt(attributes), options)

    def _option(self, key: object, label: object, selected_key: str) -> SafeString:
        if isinstance(label, (list, tuple)):
            nested = format_html_join("", "{}", ((self._option(code, name, selected_key),) for code, name in label))
            return format_html('<optgroup label="{}">{}</optgroup>', key, nested)
        selected = mark_safe(" selected") if str(key) == selected_key else ""
        return format_html('<option value="{}"{}>{}</option>', key, selected, label)
