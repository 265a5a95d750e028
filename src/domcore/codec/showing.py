r"""Text of strangers as it is printed: what could steer a terminal, or turn the rest of a line
around, stands there as its escape (``\u202e``) instead of taking effect."""

from __future__ import annotations

import unicodedata
from typing import Final

_JOINERS: Final = frozenset("\u200c\u200d")
"""Persian and Indic words and families of emoji are spelled with them, and they steer nothing."""


def shown(text: str) -> str:
    """One line of text, safe to print. Blanks and joiners of any script stay as they are."""
    return text if text.isprintable() else "".join(map(_shown, text))


def shown_lines(text: str) -> str:
    """The same for text of several lines."""
    return text if text.isprintable() else "\n".join(map(shown, text.split("\n")))


def shown_json(text: str) -> str:
    """The same for a line of JSON, in JSON's own escapes: it reads back as it was."""
    return text if text.isprintable() else "".join(map(_in_json, text))


def _is_safe(letter: str) -> bool:
    return letter.isprintable() or letter in _JOINERS or unicodedata.category(letter) == "Zs"


def _shown(letter: str) -> str:
    if _is_safe(letter):
        return letter
    code = ord(letter)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _in_json(letter: str) -> str:
    if _is_safe(letter):
        return letter
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
