"""Order files into an application: each order whole, or not at all.

A file is read to its end before anything is taken in. An order with a bad row is left out whole;
the others are taken in, some to a transaction. Loading a file again changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from attrs import field, frozen

from domcore.errors import ConflictError, PayloadError, Problem
from domcore.loading.formats import Source, records_as_written, sound
from domcore.loading.order_rows import ORDER, ROW, OrderReader
from domcore.loading.problems import Problems
from domcore.model import CancelOrder, CaptureOrder
from domcore.store.protocol import Outcome

if TYPE_CHECKING:
    from domcore.app import Domcore

WORDS: Final = ("captured", "amended", "cancelled", "duplicate", "stale", "nothing", "recorded")
"""Outcomes that are counted one by one."""


@frozen(slots=True)
class LoadedOrders:
    """What became of the orders of a file, by outcome; and what is wrong with those left out."""

    file: str
    counts: Mapping[str, int]
    problems: tuple[Problem, ...] = ()
    left_out: int = 0

    @property
    def taken(self) -> int:
        """Orders that were news."""
        known = ("duplicate", "stale", "nothing")
        return sum(number for word, number in self.counts.items() if word not in known)


class _Row(NamedTuple):
    line: int
    values: Mapping[str, Any]


@frozen(slots=True)
class _Read:
    """A file that has been read: its commands, and what is wrong with the others."""

    commands: list[CaptureOrder | CancelOrder] = field(factory=list)
    lines: list[int] = field(factory=list)
    problems: list[Problem] = field(factory=list)
    left_out: int = 0


def load_orders(
    dom: Domcore, source: Source, *, channel: str = "file", owner: str = "main",
    refuse: bool = False,
) -> LoadedOrders:  # fmt: skip
    """Take in the orders of a file: CSV with a row for each line of an order, JSON or JSON Lines
    with an object for each order. See ``docs/files.md``.

    The same file again changes nothing; an order that is there already is amended where its
    `revision` (or `placed_at`) is later.

    Args:
        channel: whose orders they are; an order is known by owner, channel and its id.
        refuse: one bad row refuses the whole file.

    Raises:
        PayloadError: every bad row, where no order is good, or one is bad and `refuse`.
        ConfigurationError: the file cannot be read, or the owner is not configured.
    """
    reader = OrderReader(
        channel, owner, dom.settings.owners.get(owner, ""), "standard", dom.settings.postal_digits
    )
    read = _read(source, reader)
    if read.problems and (refuse or not read.commands):
        raise PayloadError(
            "cannot be loaded, and nothing was changed", read.problems, source=source.name
        )
    counts: dict[str, int] = {}
    problems, left_out = list(read.problems), read.left_out
    for line, command in zip(read.lines, read.commands, strict=True):
        try:
            (outcome,) = dom.apply([command])
        except (PayloadError, ConflictError) as error:
            problems += _refused(f"{source.name}:{line}", error)
            left_out += 1
            continue
        _count(counts, outcome)
    return LoadedOrders(source.name, counts, tuple(problems), left_out)


def _count(counts: dict[str, int], outcome: Outcome) -> None:
    word = outcome.outcome if outcome.outcome in WORDS else "recorded"
    counts[word] = counts.get(word, 0) + 1


def _refused(place: str, error: PayloadError | ConflictError) -> Iterator[Problem]:
    if isinstance(error, PayloadError) and error.problems:
        for each in error.problems:
            yield Problem(f"{place} {each.path}", each.message)
    else:
        yield Problem(place, str(error))


def _read(source: Source, reader: OrderReader) -> _Read:
    """All orders of a file. Where a row cannot be read, its order is not whole: which one that is
    cannot always be told, but its other rows then lack a line, or it is named."""
    by_line = source.format == "csv"
    problems = Problems(source.name)
    rows, spoilt, places = [], set[str](), dict[int, str]()
    for number, record in enumerate(
        records_as_written(source, {"order": _shape(by_line)}, problems)
    ):
        line = _line_of(record.place, number)
        places[line] = record.place
        try:
            values = sound(record)
            if not isinstance(values, dict):
                raise ValueError("must be an object")
            rows.append(_Row(line, values))
            if by_line:
                ROW(values)
        except ValueError as error:
            problems.row(record.place, error)
            spoilt.add(_named(record.values))
    if problems.whole:
        return _Read(problems=problems.in_order(), left_out=1)
    good = [row for row in rows if _named(row.values) not in spoilt]
    found = Problems(source.name)
    commands, lines = [], []
    digest = hashlib.sha256(source.path.read_bytes()).hexdigest()[:32]
    read = reader.commands(good, name=source.name, digest=digest, problems=found, by_line=by_line)
    for command in read:
        commands.append(command)
        lines.append(int(command.key.rpartition(":")[2]))
    bad = {_place_line(each.path) for each in found.found}
    wrong = {_named(row.values) for row in good if row.line in bad}
    kept = [
        (line, command)
        for line, command in zip(lines, commands, strict=True)
        if _id_of(command) not in wrong
    ]
    both = [*problems.in_order(), *(_placed(each, places) for each in found.in_order())]
    return _Read(
        [command for _, command in kept],
        [line for line, _ in kept],
        both,
        len(spoilt | wrong),
    )


def _shape(by_line: bool) -> Any:
    return ROW if by_line else ORDER


def _id_of(command: CaptureOrder | CancelOrder) -> str:
    return command.order.external_id if isinstance(command, CaptureOrder) else command.external_id


def _named(values: object) -> str:
    """The order that a row is about, as far as it says so."""
    return str(values.get("order") or "") if isinstance(values, Mapping) else ""


def _line_of(place: str, number: int) -> int:
    tail = place.rpartition(":")[2]
    return int(tail) if tail.isdigit() else number + 1


def _placed(problem: Problem, places: Mapping[int, str]) -> Problem:
    """The problem at the place where its record stands: in JSON that is no line."""
    head, space, rest = problem.path.partition(" ")
    place = places.get(_place_line(head), head)
    return Problem(f"{place}{space}{rest}", problem.message)


def _place_line(path: str) -> int:
    tail = path.partition(" ")[0].rpartition(":")[2]
    return int(tail) if tail.isdigit() else 0
