"""The bad rows of a file, gathered so that all of them are shown at once."""

from __future__ import annotations

import re
from typing import Final

from attrs import define, field

from domcore.errors import PayloadError, Problem
from domcore.loading.shape import Faults

_LINE = re.compile(r"(.*?):(\d+)")

MOST: Final = 1000
"""Problems after which a file is given up."""


@define
class Problems:
    """Collects up to `MOST` problems of one load; `source` is what messages call it."""

    source: str
    found: list[Problem] = field(factory=list)

    def add(self, place: str, error: ValueError | str) -> None:
        """Note what is wrong at `place`, such as ``items.csv:12``.

        Raises:
            PayloadError: there are too many; no point in reading on.
        """
        if isinstance(error, Faults):
            self.found += [Problem(f"{place} {path}", text) for path, text in error.faults[:MOST]]
        else:
            self.found.append(Problem(place, str(error)))
        if len(self.found) >= MOST:
            raise self._refusal(Problem(place, f"stopped reading here, at {MOST} problems"))

    def check(self) -> None:
        """Raise a PayloadError if anything was wrong."""
        if self.found:
            raise self._refusal()

    def _refusal(self, *last: Problem) -> PayloadError:
        found = [*sorted(self.found, key=_place), *last]
        return PayloadError("cannot be loaded, and nothing was changed", found, source=self.source)


def _place(problem: Problem) -> tuple[str, int]:
    """The file and the line of a problem, to order them by."""
    found = _LINE.match(problem.path)
    return (found[1], int(found[2])) if found else (problem.path, 0)
