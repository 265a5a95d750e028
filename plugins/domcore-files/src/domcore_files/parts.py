"""A file in parts, so that a large one takes little memory; its bad rows apart from the good.

A file is looked at once from end to end before anything of it is taken: what is wrong with it,
which rows are left out, where its parts begin. Rows that belong together - the lines of an order,
of a message - are never torn apart, and all of them are left out where one of them is bad.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import chain
from typing import Final, Generic, TypeVar

from attrs import field, frozen

from domcore.errors import PayloadError
from domcore.loading.problems import Problems
from domcore_files.tables import Row, column_names, format_of, rows_as_written, rows_of

PART: Final = 12 * 1024 * 1024
"""What the rows of one part weigh at most: their letters, and `CELL` for each column."""

CELL: Final = 30

_ALL: Final = 2**62
_LINE: Final = re.compile(r"\d+")

T = TypeVar("T")


@frozen(slots=True)
class Delivered:
    """One file as it came: the name people know it by, its bytes, when it was written, and the line
    from which it is to be read on; 0 is the beginning."""

    name: str
    body: bytes = field(repr=False)
    digest: str
    written_at: float
    start: int = 0


@frozen(slots=True)
class Part(Generic[T]):
    """What some of a file's rows hold.

    Args:
        next: the line where the next part begins; 0 where there is none.
        bad: the rows that were left out, as a file of their own.
        reasons: why, for people.
    """

    items: tuple[T, ...]
    next: int = 0
    bad: bytes = b""
    reasons: str = ""


class Seen:
    """What a file has named in earlier parts, and in this one."""

    def __init__(self, earlier: set[int]) -> None:
        self._earlier = earlier
        self.now: set[int] = set()

    def again(self, name: Hashable) -> bool:
        """Whether this was named before; from now on it was."""
        mark = hash(name)
        known = mark in self._earlier or mark in self.now
        self.now.add(mark)
        return known


Make = Callable[[Delivered, str, Iterable[Row], Problems, Seen], Iterable[T]]
"""Turns rows of a file in a format into what they hold; the bad ones are problems."""

GroupOf = Callable[[str, Row], Hashable | None]
"""What rows that belong together have in common, in a format; None where a row stands alone.

Raises:
    LookupError: the row is so broken that nobody can tell.
"""


class _Scattered(Exception):  # noqa: N818 - never leaves this module
    """Rows that belong together stand in different parts."""


@frozen(slots=True)
class _Checked(Generic[T]):
    """What came of looking at a file."""

    bad: frozenset[int]
    starts: tuple[int, ...]
    only: tuple[T, ...] | None
    """All of it, where it is one part."""
    aside: bytes = b""
    reasons: str = ""


class PartReader(Generic[T]):
    """Reads files part by part.

    Args:
        make: what rows hold.
        group_of: which rows belong together.
        nothing: what is said of a file that holds nothing.
        refuse: whether one bad row refuses the whole file.
        plain: whether CSV cells are taken as they are.
    """

    def __init__(
        self,
        make: Make[T],
        group_of: GroupOf,
        *,
        nothing: str,
        refuse: bool,
        plain: bool,
        part: int = PART,
    ) -> None:
        self._make = make
        self._group_of = group_of
        self._nothing = nothing
        self._refuse = refuse
        self._plain = plain
        self._most = part
        self._known: tuple[tuple[str, str], _Checked[T]] | None = None

    def read(self, file: Delivered) -> Part[T]:
        """The part that begins at ``file.start``.

        Raises:
            PayloadError: nothing of it can be taken, or it has a thousand faults, or one where
                that refuses it.
        """
        format = format_of(file.name, file.body)
        key = (file.name, file.digest)
        if self._known is not None and self._known[0] == key:
            checked = self._known[1]
        else:
            checked = self._check(file, format)
            # Of one part there is nothing to remember: it is taken at once.
            self._known = None if checked.only is not None else (key, checked)
        if checked.only is not None:
            return Part(checked.only, 0, checked.aside, checked.reasons)
        number = bisect_right(checked.starts, file.start or checked.starts[0]) - 1
        start, *later = checked.starts[number:]
        end = later[0] if later else 0
        items = self._part(file, format, checked, start, end)
        if file.start:
            return Part(items, end)
        return Part(items, end, checked.aside, checked.reasons)

    def _part(
        self, file: Delivered, format: str, checked: _Checked[T], start: int, end: int = 0
    ) -> tuple[T, ...]:
        rows = (row for row in self._rows(file, format, start, end) if row.line not in checked.bad)
        problems = Problems(file.name)
        return tuple(self._make(file, format, rows, problems, Seen(set())))

    # --- looking at it ----------------------------------------------------------------------------

    def _check(self, file: Delivered, format: str) -> _Checked[T]:
        try:
            return self._look(file, format, self._most)
        except _Scattered:
            return self._look(file, format, _ALL)

    def _look(self, file: Delivered, format: str, most: int) -> _Checked[T]:
        problems = Problems(file.name)
        left_out: list[Row] = []
        starts: list[int] = []
        seen: set[int] = set()
        items: tuple[T, ...] = ()
        found = 0
        parts = _Parts(self._rows(file, format), lambda row: self._group(file, format, row), most)
        while parts.more():
            starts.append(parts.line)
            before, named = len(problems.found), Seen(seen)
            items = tuple(self._make(file, format, parts.rows(problems), problems, named))
            if len(problems.found) > before:
                lines = {_line(file.name, each.path) for each in problems.found[before:]}
                if format == "csv" and 1 in lines:
                    problems.check()
                bad = self._bad(file, format, starts[-1], parts.line, lines)
                out = {row.line for row in bad}
                good = (
                    row
                    for row in self._rows(file, format, starts[-1], parts.line)
                    if row.line not in out
                )
                named, rest = Seen(seen), Problems(file.name)
                items = tuple(self._make(file, format, good, rest, named))
                rest.check()
                left_out += bad
            seen |= named.now
            found += len(items)
        if problems.found and (self._refuse or not found):
            problems.check()
        if not found:
            raise PayloadError(self._nothing, source=file.name)
        aside, reasons = b"", ""
        if left_out:
            columns = column_names(file.name, file.body) if format == "csv" else []
            aside = rows_as_written(format, columns, left_out)
            reasons = _reasons(file.name, len(left_out), problems)
        return _Checked(
            frozenset(row.line for row in left_out),
            tuple(starts),
            items if len(starts) == 1 else None,
            aside,
            reasons,
        )

    def _rows(self, file: Delivered, format: str, start: int = 0, end: int = 0) -> Iterator[Row]:
        """The rows from one line to before another; 0 is to the end."""
        for row in rows_of(file.name, file.body, format, plain=self._plain, start=start):
            if end and row.line >= end:
                return
            yield row

    def _bad(
        self, file: Delivered, format: str, start: int, end: int, lines: set[int]
    ) -> list[Row]:
        """The rows of a part that are left out: on these lines, and what belongs to them."""
        groups = {
            self._group(file, format, row)
            for row in self._rows(file, format, start, end)
            if row.line in lines
        }
        return [
            row
            for row in self._rows(file, format, start, end)
            if row.line in lines or (self._group(file, format, row) in groups - {None})
        ]

    def _group(self, file: Delivered, format: str, row: Row) -> Hashable | None:
        try:
            return self._group_of(format, row)
        except LookupError:
            problems = Problems(file.name)
            problems.add(f"{file.name}:{row.line}", row.fault or "belongs to nothing")
            problems.check()
            raise


class _Parts:
    """The rows of a file, part after part, each read once and none kept."""

    def __init__(
        self, rows: Iterator[Row], group: Callable[[Row], Hashable | None], most: int
    ) -> None:
        self._rows = rows
        self._group = group
        self._most = most
        self._next: Row | None = next(rows, None)
        self._last: Hashable | None = None
        self._here: set[int] = set()
        self._earlier: set[int] = set()

    @property
    def line(self) -> int:
        """The line where the next part begins; 0 at the end."""
        return self._next.line if self._next is not None else 0

    def more(self) -> bool:
        """Whether there is another part."""
        return self._next is not None

    def rows(self, problems: Problems) -> Iterator[Row]:
        """The rows of the next part that can be read as such; the others are problems."""
        size = 0
        self._earlier |= self._here
        self._here = set()
        self._last = None
        while (row := self._next) is not None:
            group = self._group(row)
            if size > self._most and (group is None or group != self._last):
                return
            if group is not None:
                mark = hash(group)
                if mark in self._earlier:
                    raise _Scattered
                self._here.add(mark)
            self._last = group
            size += CELL * len(row.values) + _length(row)
            self._next = next(self._rows, None)
            if row.fault:
                problems.add(f"{problems.source}:{row.line}", row.fault)
            else:
                yield row


def _length(row: Row) -> int:
    return len(row.raw) if isinstance(row.raw, bytes) else sum(map(len, row.raw))


def read_whole(
    make: Make[T], group_of: GroupOf, name: str, body: bytes, plain: bool, nothing: str
) -> tuple[T, ...]:
    """All that a delivery holds; its sender is there to mend it, so nothing is left out.

    Raises:
        PayloadError: it cannot be read; every bad row with its line and column.
    """
    reader = PartReader(make, group_of, nothing=nothing, refuse=True, plain=plain, part=_ALL)
    digest = hashlib.sha256(body).hexdigest()[:32]
    return reader.read(Delivered(name, body, digest, 0.0)).items


def _line(name: str, path: str) -> int:
    """The line that a problem's path names."""
    found = _LINE.match(path.removeprefix(f"{name}:"))
    return int(found[0]) if found else 0


def _reasons(name: str, rows: int, problems: Problems) -> str:
    many = "1 row was" if rows == 1 else f"{rows:,} rows were"
    first = (
        f"{name}: {many} left out and stand in the file beside this one; all the others were taken"
        " in. Mend them there, and move that file to 'in'."
    )
    lines = [first, *(f"  {each}" for each in problems.found)]
    return "\n".join(lines)


def first_of(rows: Iterable[Row]) -> tuple[Row | None, Iterable[Row]]:
    """The first row, and all of them."""
    left = iter(rows)
    first = next(left, None)
    return first, () if first is None else chain((first,), left)
