"""Masking of contact details and names for people who have not proved to own them."""


def _head(text: str, limit: int) -> str:
    return text[: min(limit, len(text) - 1)] + "xxxx"


def masked_email(email: str) -> str:
    """Return `polmxxxx@senxxxx`: first letters of mailbox and domain, never the length (guide PJ 3.1, step 6)."""
    mailbox, _, domain = email.partition("@")
    return f"{_head(mailbox, 4)}@{_head(domain, 3)}"


def masked_phone(phone: str) -> str:
    """Return `+56 9 xxxx xx12` for `+56987654312`: the last two digits only."""
    return f"+56 9 xxxx xx{phone[-2:]}"


def masked_name(name: str) -> str:
    """Return `Cxxxx Rxxxx` for `Camila Rojas`: one initial per word, never the length."""
    return " ".join(f"{word[0]}xxxx" for word in name.split())
