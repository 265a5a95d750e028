"""Free text from outside, made fit to keep."""

from __future__ import annotations

import unicodedata


def one_line(text: str | None) -> str:
    """Text on one line, in NFC: runs of white space are one space, control characters go."""
    if not text:
        return ""
    words = " ".join(unicodedata.normalize("NFC", text).split())
    if words.isprintable():
        return words
    return "".join(each for each in words if unicodedata.category(each) not in ("Cc", "Cs"))


def first_line(*texts: str | None, most: int = 500) -> str:
    """The first text that has anything in it, on one line."""
    for text in texts:
        clean = one_line(text)[:most]
        if clean:
            return clean
    return ""
