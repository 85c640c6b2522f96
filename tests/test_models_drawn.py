"""The diagram in docs/models.md shows the models as they are."""

from tests import model_diagram


def test_every_model_and_field_is_in_the_diagram() -> None:
    assert model_diagram.FILE.read_text(encoding="utf-8") == model_diagram.text(), "run script/models"
