"""Parts of addresses that Django has no converter for."""


class HexConverter:
    """A wizard's run, or the reference of something done: lower-case hexadecimal."""

    regex = "[0-9a-f]{16,64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value
