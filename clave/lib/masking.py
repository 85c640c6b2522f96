"""How a contact or a name is shown to somebody who has not proved to own it."""


def _head(text: str, most: int) -> str:
    return text[: min(most, len(text) - 1)] + "xxxx"


def masked_email(email: str) -> str:
    """Return `polmxxxx@senxxxx`: first letters of mailbox and domain, never the length (guide PJ 3.1, step 6)."""
    mailbox, _, domain = email.partition("@")
    return f"{_head(mailbox, 4)}@{_head(domain, 3)}"


def masked_phone(phone: str) -> str:
    """Return `+56 9 xxxx xx12` of `+56987654312`: the last two digits only."""
    return f"+56 9 xxxx xx{phone[-2:]}"


def masked_name(name: str) -> str:
    """Return `Cxxxx Rxxxx` of `Camila Rojas`: one initial a word, never the length."""
    return " ".join(f"{word[0]}xxxx" for word in name.split())
