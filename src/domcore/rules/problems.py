"""Collecting what is wrong with a pack, so that an author sees everything in one go."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from domcore.errors import ConfigurationError

SHOWN = 20


class Problems:
    """Gathers problems and raises them together as one `ConfigurationError`."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._found: list[tuple[str, str]] = []

    def add(self, message: str, place: str = "") -> None:
        """Note one problem."""
        self._found.append((place, message))

    def __bool__(self) -> bool:
        return bool(self._found)

    @property
    def many(self) -> bool:
        """Whether so much is wrong that looking further helps nobody."""
        return len(self._found) >= SHOWN

    def raise_if_any(self) -> None:
        """Raise one error that names every problem, or return when there is none."""
        if not self._found:
            return
        if len(self._found) == 1:
            place, message = self._found[0]
            raise ConfigurationError(message, source=self.source, place=place)
        lines = [f"{len(self._found)} problems"]
        for place, message in self._found[:SHOWN]:
            lines.append(f"  {place}: {message}" if place else f"  {message}")
        if len(self._found) > SHOWN:
            lines.append(f"  ... and {len(self._found) - SHOWN} more")
        raise ConfigurationError("\n".join(lines), source=self.source)


def suggestion(word: str, known: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` when something known is close to `word`, else nothing."""
    close = difflib.get_close_matches(word[:200], list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names with commas between, the first of many; ``none`` where there are none."""
    known = list(names)
    more = f" and {len(known) - most:,} more" if len(known) > most else ""
    return f"{', '.join(known[:most])}{more}" if known else "none"


def shown(value: object) -> str:
    """A value for an error message, cut to a sensible length."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
