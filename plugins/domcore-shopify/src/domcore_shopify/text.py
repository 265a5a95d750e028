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


def split_tags(text: str | None, most: int = 250) -> tuple[str, ...]:
    """Shopify's comma-separated tags: each once, sorted, the first `most` of them."""
    tags = {one_line(tag) for tag in (text or "").split(",")}
    return tuple(sorted(tag for tag in tags if 0 < len(tag) <= 255)[:most])
