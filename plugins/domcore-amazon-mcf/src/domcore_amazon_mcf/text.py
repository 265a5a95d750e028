"""Free text made fit to be sent, and other people's codes made fit to be shown."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,59}\Z", re.ASCII)
NO_CODE: Final = "(no code)"


def one_line(text: str) -> str:
    """Text on one line, in NFC: runs of white space are one space, what cannot be seen goes."""
    words = " ".join(unicodedata.normalize("NFC", text).split())
    if words.isprintable():
        return words
    kept = (each for each in words if unicodedata.category(each) not in ("Cc", "Cf", "Cs"))
    return " ".join("".join(kept).split())


def latin(text: str, most: int) -> str:
    """Text on one line in ISO 8859-1, cut to `most` characters; other characters go."""
    kept = one_line(text).encode("latin-1", "ignore").decode("latin-1")
    return " ".join(kept.split())[:most].rstrip()


def code_of(value: object) -> str:
    """A code out of an error, if it is nothing but a code: messages may hold personal data."""
    return value if isinstance(value, str) and _CODE.match(value) else NO_CODE
