"""Sorting and adding up more rows than fit into memory.

Rows are kept in memory up to a limit, then written to an unnamed temporary file as sorted runs,
which are merged when they are read.
"""

from __future__ import annotations

import marshal
import tempfile
from collections.abc import Iterator
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import IO, Any, Final

Row = tuple[Any, ...]

RUN: Final = 50_000
"""Rows kept in memory before they are written out."""

PIECES: Final = 500
"""Pieces of a full run; while runs are merged, one piece of each is in memory."""

_LENGTH: Final = 4
"""Bytes before a piece that say how long it is."""


class Spool:
    """Takes rows of numbers and texts in any order and gives them back sorted."""

    def __init__(self, most: int = RUN) -> None:
        self._most: Final = most
        self._piece: Final = max(1, most // PIECES)
        self._rows: list[Row] = []
        self._runs: list[tuple[int, int]] = []
        self._file: IO[bytes] | None = None

    def add(self, row: Row) -> None:
        """Take one row."""
        self._rows.append(row)
        if len(self._rows) >= self._most:
            self._spill()

    def _spill(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._rows.sort()
        self._file.seek(0, 2)
        self._runs.append((self._file.tell(), len(self._rows)))
        for start in range(0, len(self._rows), self._piece):
            piece = marshal.dumps(self._rows[start : start + self._piece])
            self._file.write(len(piece).to_bytes(_LENGTH, "big"))
            self._file.write(piece)
        self._rows = []

    def sorted(self) -> Iterator[Row]:
        """Every row in order. Nothing may be added afterwards."""
        self._rows.sort()
        if self._file is None:
            return iter(self._rows)
        return merge(self._rows, *(self._read(self._file, *run) for run in self._runs))

    def _read(self, file: IO[bytes], offset: int, left: int) -> Iterator[Row]:
        while left > 0:
            file.seek(offset)
            size = int.from_bytes(file.read(_LENGTH), "big")
            rows: list[Row] = marshal.loads(file.read(size))
            offset += _LENGTH + size
            left -= len(rows)
            yield from rows

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            self._file.close()


class Tally:
    """Adds up amounts by key, for more keys than fit into memory."""

    def __init__(self, key: int, most: int = RUN) -> None:
        self._key: Final = key
        self._most: Final = most
        self._sums: dict[Row, list[int]] = {}
        self._spool: Final = Spool(most)
        self._spilled = False

    def add(self, key: Row, amounts: tuple[int, ...]) -> None:
        """Add `amounts`, always equally many, to those of `key`, a tuple of numbers."""
        known = self._sums.get(key)
        if known is None:
            self._sums[key] = list(amounts)
            if len(self._sums) >= self._most:
                self._spill()
        else:
            for place, amount in enumerate(amounts):
                known[place] += amount

    def _spill(self) -> None:
        self._spilled = True
        for key, sums in self._sums.items():
            self._spool.add((*key, *sums))
        self._sums = {}

    def sorted(self) -> Iterator[tuple[Row, list[int]]]:
        """``(key, sums)`` in order of the keys."""
        if not self._spilled:
            yield from sorted(self._sums.items())
            return
        self._spill()
        width = self._key
        for key, rows in groupby(self._spool.sorted(), itemgetter(slice(0, width))):
            yield key, [sum(column) for column in zip(*(row[width:] for row in rows), strict=True)]

    def close(self) -> None:
        """Give the file back."""
        self._spool.close()


class Grouped:
    """Rows sorted by their first column, handed out one group at a time.

    Rows that belong to no group that was asked for are strays: they refer to something that is
    not there. At most `MOST_STRAYS` of them are kept between two calls.
    """

    MOST_STRAYS: Final = 100

    def __init__(self, rows: Iterator[Any]) -> None:
        self._rows: Final = rows
        self._next: Any = next(rows, None)
        self.strays: list[Any] = []

    def take(self, key: int) -> list[Any]:
        """The rows of one group; the keys asked for must rise."""
        row = self._next
        if row is None or row[0] > key:
            return []
        rows = self._rows
        while row is not None and row[0] < key:
            self._stray(row)
            row = next(rows, None)
        found = []
        while row is not None and row[0] == key:
            found.append(row)
            row = next(rows, None)
        self._next = row
        return found

    def finish(self) -> None:
        """Whatever is left belongs to nothing."""
        row = self._next
        while row is not None:
            self._stray(row)
            row = next(self._rows, None)
        self._next = None

    def _stray(self, row: Any) -> None:
        if len(self.strays) < self.MOST_STRAYS:
            self.strays.append(row)
