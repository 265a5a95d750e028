"""How wide text is on a terminal, and how a table fits it."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final

_GAP: Final = "  "
_LEAST: Final = 8
"""Columns of text are not made narrower than this; then a table is wider than its room."""


def terminal_width() -> int | None:
    """Columns of the terminal that standard output goes to; None where it goes elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def width(text: str) -> int:
    """Cells that the text takes: two for wide letters of East Asia, none for marks and joiners."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in ("W", "F") else 1


def laid_out(
    titles: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool], room: int | None
) -> Iterator[str]:
    """The lines of a table: columns under their titles, numbers to the right.

    Args:
        right: by column, whether it stands to the right; such columns are never broken.
        room: the most cells of a line, where that can be.
    """
    widths = [max(map(width, column)) for column in zip(titles, *rows, strict=True)]
    if room is not None:
        widths = _fitted(widths, right, room)
    for row in (titles, *rows):
        broken = [
            [text] if to_right else list(wrapped(text, wide))
            for text, wide, to_right in zip(row, widths, right, strict=True)
        ]
        for line in zip_longest(*broken, fillvalue=""):
            padded = [
                _padded(text, wide, to_right)
                for text, wide, to_right in zip(line, widths, right, strict=True)
            ]
            yield _GAP.join(padded).rstrip()


def _fitted(widths: Sequence[int], right: Sequence[bool], room: int) -> list[int]:
    """The widths, the widest columns of text narrowed first, alike."""
    fitted = list(widths)
    too_wide = sum(fitted) + len(_GAP) * (len(fitted) - 1) - room
    text = [place for place, to_right in enumerate(right) if not to_right]
    while too_wide > 0:
        widest = max(text, key=lambda place: fitted[place], default=None)
        if widest is None or fitted[widest] <= _LEAST:
            break
        fitted[widest] -= 1
        too_wide -= 1
    return fitted


def wrapped(text: str, wide: int) -> Iterator[str]:
    """The text in lines of at most `wide` cells, broken at blanks where there are any."""
    while width(text) > wide:
        end = _end(text, wide)
        blank = text.rfind(" ", 0, end + 1)
        cut = blank if blank > 0 else end
        yield text[:cut]
        text = text[cut:].lstrip(" ")
    yield text


def _end(text: str, wide: int) -> int:
    """How many letters fill `wide` cells; one at least."""
    taken = 0
    for place, letter in enumerate(text):
        taken += _cells(letter)
        if taken > wide:
            return max(place, 1)
    return len(text)


def _padded(text: str, wide: int, to_right: bool) -> str:
    blanks = " " * (wide - width(text))
    return blanks + text if to_right else text + blanks
