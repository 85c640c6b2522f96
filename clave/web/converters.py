"""Custom path converters."""


class HexConverter:
    """A wizard's run or the reference of an outcome: lower-case hexadecimal."""

    regex = "[0-9a-f]{16,64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value
