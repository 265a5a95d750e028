"""What is wrong with a file, gathered so that all of it is shown at once."""

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
    """Collects up to `MOST` problems of one load; `source` is what messages call it.

    `rows` are those of single rows, by their places. Where `whole` is true, something is wrong with
    the file itself, and no row of it may be taken.
    """

    source: str
    found: list[Problem] = field(factory=list)
    rows: dict[str, list[Problem]] = field(factory=dict)
    whole: bool = False

    def add(self, place: str, error: ValueError | str) -> None:
        """Note what is wrong with the file, at `place`, such as ``items.csv:1``.

        Raises:
            PayloadError: there are too many; no point in reading on.
        """
        self.whole = True
        self._note(place, error)

    def row(self, place: str, error: ValueError | str) -> None:
        """Note what is wrong with the row at `place`, such as ``items.csv:12``: with it alone.

        Raises:
            PayloadError: there are too many; no point in reading on.
        """
        before = len(self.found)
        try:
            self._note(place, error)
        finally:
            self.rows.setdefault(place, []).extend(self.found[before:])

    def _note(self, place: str, error: ValueError | str) -> None:
        if isinstance(error, Faults):
            self.found += [Problem(f"{place} {path}", text) for path, text in error.faults[:MOST]]
        else:
            self.found.append(Problem(place, str(error)))
        if len(self.found) >= MOST:
            raise self._refusal(Problem(place, f"stopped reading here, at {MOST} problems"))

    def check(self) -> None:
        """Raise a PayloadError if anything was wrong."""
        if self.found:
            raise self.refusal()

    def in_order(self) -> list[Problem]:
        """All of them as they stand in the file."""
        return sorted(self.found, key=_place)

    def refusal(self, why: str = "") -> PayloadError:
        """The error that refuses the file; `why` is what is wrong beside its problems."""
        message = f"cannot be loaded, and nothing was changed{why and ': '}{why}"
        return PayloadError(message, self.in_order(), source=self.source)

    def _refusal(self, *last: Problem) -> PayloadError:
        error = self.refusal()
        return PayloadError(error.message, [*error.problems, *last], source=self.source)


def _place(problem: Problem) -> tuple[str, int]:
    """The file and the line of a problem, to order them by."""
    found = _LINE.match(problem.path)
    return (found[1], int(found[2])) if found else (problem.path, 0)
