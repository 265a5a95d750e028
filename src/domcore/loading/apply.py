"""Files into an application: everything is checked first, then written.

A file is read several times, line by line, so its size does not matter. The first reading finds all
that is wrong with it. Items and counts are independent of each other: the bad ones are written
aside, and then the good ones are loaded. A network is one thing, and is loaded whole or not at all.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

from attrs import evolve, field, frozen

from domcore.errors import ConfigurationError, ConflictError, PayloadError
from domcore.loading.aside import Aside, BadRows, write_aside
from domcore.loading.formats import Source
from domcore.loading.items import ITEMS, ItemRow, read_items
from domcore.loading.network import read_network
from domcore.loading.problems import Problems
from domcore.loading.shape import suggestion
from domcore.loading.stock import COUNTS, StockLine, read_stock, stock_rows
from domcore.model import ObserveStock, StockCount
from domcore.store.protocol import Outcome

if TYPE_CHECKING:
    from domcore.app import Domcore

BATCH: Final = 2000
"""Rows checked or written at a time."""

_OLDER: Final = re.compile(r"(\d+) older than the last count")

_T = TypeVar("_T")


@frozen(slots=True)
class Loaded:
    """What was loaded: how many of what.

    Of stock, `older` were dropped because a later count is known, `already` had been taken in
    before, and `partly` stand in parts of the file that had been taken in while other rows were
    left out, so that nobody can tell which of them are news; none of these is in `count`. `aside`
    are the bad rows.
    """

    what: str
    count: int
    files: tuple[str, ...]
    older: int = 0
    already: int = 0
    partly: int = 0
    aside: Aside = field(factory=Aside)


def load_network(dom: Domcore, sources: Sequence[Source]) -> Loaded:
    """Replace the network by what stands in the files."""
    network = read_network(sources)
    return Loaded("nodes", dom.load_network(network), tuple(each.name for each in sources))


def load_items(dom: Domcore, source: Source, *, owner: str, bad_rows: BadRows = "aside") -> Loaded:
    """Insert or replace the items of a file, in one transaction.

    Bad rows are written to a file beside it (see `Loaded.aside`); with ``bad_rows="refuse"`` one of
    them refuses the whole file.

    Raises:
        PayloadError: every bad row, where no row is good, or the file itself is wrong, or the bad
            ones cannot be written aside; nothing is changed.
        ConfigurationError: it cannot be read.
    """
    problems, stamp = Problems(source.name), _stamp(source)
    named = False
    twice = _Twice(problems)
    for row in read_items(source, problems):
        sku = row.item.sku
        twice.see(row.place, sku, f"SKU {sku!r} is in the file already")
        named = named or bool(row.aliases)
    if twice.names:
        for row in read_items(source, problems, frozenset(problems.rows)):
            sku = row.item.sku
            twice.first(row.place, sku, f"SKU {sku!r} is in the file again, further down")
    _refuse(source, problems, "item", good=twice.good, bad_rows=bad_rows)
    out = frozenset(problems.rows)

    def good() -> Iterator[ItemRow]:
        yield from read_items(source, Problems(source.name), out)
        if _stamp(source) != stamp:
            raise ConfigurationError(
                "it was changed while it was loaded; nothing was changed here. Load it again",
                source=source.name,
            )

    items = (row.item for row in good())
    aliases = (each for row in good() for each in row.aliases)
    aside = write_aside(source, ITEMS, problems)
    try:
        count = dom.load_items(items, aliases if named else (), owner=owner)
    except BaseException:
        aside.remove()
        raise
    return Loaded("items", count, (source.name,), aside=aside)


@frozen(slots=True)
class StockFeed:
    """A stock file that has been checked and may be written.

    Args:
        rows: how many good counts and changes there are.
        key: what makes it safe to repeat; empty for counts of now.
        stamp: what the file looked like: one that changes meanwhile is not written on.
        problems: what is wrong with rows that are left out.
        changes: whether there are changes, which count once and never twice.
    """

    source: Source
    owner: str
    rows: int
    key: str
    stamp: tuple[int, int, int]
    problems: Problems
    changes: bool = False


def check_stock(
    dom: Domcore,
    source: Source,
    *,
    owner: str,
    again: bool = False,
    bad_rows: BadRows = "aside",
    progress: Callable[[int], object] | None = None,
) -> StockFeed:
    """Read a stock file to its end and find the bad rows of it.

    With ``bad_rows="refuse"`` one of them refuses the whole file.

    Raises:
        PayloadError: every bad row, where no row is good or the file itself is wrong.
        ConfigurationError: it cannot be read.
    """
    problems, stamp = Problems(source.name), _stamp(source)
    known = _Known(dom, owner, problems)
    deltas, dated = False, True
    for lines in batched(read_stock(source, problems), BATCH):
        known.check(lines)
        deltas = deltas or any(line.stock.delta is not None for line in lines)
        dated = dated and all(line.stock.as_of is not None for line in lines)
        if progress is not None:
            progress(len(lines))
    known.check_again(source)
    _refuse(source, problems, "count", good=known.good, bad_rows=bad_rows)
    once = (deltas or dated) and not again
    key = f"file:{_digest(source)}:{owner}" if once else ""
    return StockFeed(source, owner, known.good, key, stamp, problems, deltas)


def write_stock(
    dom: Domcore, feed: StockFeed, *, progress: Callable[[int], object] | None = None
) -> Loaded:
    """Observe the good rows of a file that has been checked, some rows to a transaction; the bad
    ones are written to a file beside it first.

    Others get their turn in between. If it is interrupted, it is simply loaded again: each part
    has a key of its own, and counts of now are counts whenever they come.

    Raises:
        ConfigurationError: the file is not the one that was checked any more.
        PayloadError: bad rows cannot be written aside; nothing is changed.
    """
    aside = write_aside(feed.source, COUNTS, feed.problems)
    writing = _Writing(dom, feed)
    try:
        for number, rows in enumerate(batched(_rows(feed), BATCH)):
            taken = writing.part(number, rows)
            if progress is not None:
                progress(taken)
    except BaseException:
        if not writing.seen:
            aside.remove()
        raise
    return Loaded(
        "counts", writing.applied, (feed.source.name,),
        writing.older, writing.already, writing.partly, aside,
    )  # fmt: skip


def load_stock(
    dom: Domcore, source: Source, *, owner: str, again: bool = False, bad_rows: BadRows = "aside"
) -> Loaded:
    """Observe the counts and changes of a file.

    A count that does not say of when it is was taken now, so such a file is news each time. One
    with changes, or with nothing but dated counts, is taken in once, however often it comes;
    `again` takes it in once more. Bad rows are written to a file beside it (see `Loaded.aside`);
    with ``bad_rows="refuse"`` one of them refuses the whole file.

    Raises:
        PayloadError, ConfigurationError: see `check_stock` and `write_stock`.
    """
    return write_stock(dom, check_stock(dom, source, owner=owner, again=again, bad_rows=bad_rows))


class _Writing:
    """A feed on its way into the store, part after part."""

    def __init__(self, dom: Domcore, feed: StockFeed) -> None:
        self._dom = dom
        self._feed = feed
        self._started = dom.now()
        self.applied = self.older = self.already = self.partly = 0

    @property
    def seen(self) -> int:
        """How many rows the store has answered for."""
        return self.applied + self.older + self.already + self.partly

    def part(self, number: int, rows: Sequence[StockLine | None]) -> int:
        """Observe one part, None for each row that is left out; returns how many rows it had."""
        feed = self._feed
        if _stamp(feed.source) != feed.stamp:
            raise ConfigurationError(
                f"it was changed while it was loaded; {self.seen} rows had been"
                " taken in. Load it again",
                source=feed.source.name,
            )
        counts = tuple(row.stock for row in rows if row is not None)
        if not counts:
            return 0
        if not feed.key:
            # Counted before the load began: what ships while it goes on is reapplied.
            counts = tuple(
                each if each.as_of is not None else evolve(each, as_of=self._started)
                for each in counts
            )
        self._observe(self._key(number, rows), counts)
        return len(counts)

    def _key(self, number: int, rows: Sequence[StockLine | None]) -> str:
        """The key of a part: rows that are left out have their place in it, so that it begins and
        ends with the same rows when some of them are good the next time.

        Dated counts may come twice, so a part of them with other rows left out is another one.
        Changes may not.
        """
        key = f"{self._feed.key}:{number}" if self._feed.key else ""
        if not key or self._feed.changes or None not in rows:
            return key
        out = ",".join(str(at) for at, row in enumerate(rows) if row is None)
        return f"{key}:{hashlib.sha256(out.encode()).hexdigest()[:16]}"

    def _observe(self, key: str, counts: tuple[StockCount, ...]) -> None:
        try:
            outcome = self._dom.observe(ObserveStock(self._feed.owner, counts, key))
        except ConflictError:
            if not key:
                raise
            self.partly += len(counts)
            return
        if outcome.outcome == "duplicate":
            self.already += len(counts)
        else:
            late = _older(outcome, counts)
            self.older += late
            self.applied += len(counts) - late


def _rows(feed: StockFeed) -> Iterator[StockLine | None]:
    return stock_rows(feed.source, Problems(feed.source.name), frozenset(feed.problems.rows))


def _older(outcome: Outcome, counts: Sequence[StockCount]) -> int:
    """How many of `counts` were dropped for being older than the last."""
    found = _OLDER.search(outcome.detail)
    if found is not None:
        return int(found[1])
    return len(counts) if outcome.outcome == "stale" else 0


def _refuse(source: Source, problems: Problems, what: str, *, good: int, bad_rows: BadRows) -> None:
    """Raise a PayloadError if nothing of the file may be taken."""
    if problems.whole or not good or bad_rows == "refuse":
        problems.check()
    if not good:
        raise PayloadError(
            f"there is not one {what} in it; nothing was changed", source=source.name
        )


class _Twice:
    """Finds what a file names twice: nobody can tell which row is right, so all are bad."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._seen: set[int] = set()
        self.names: set[int] = set()

    @property
    def good(self) -> int:
        """How many things are named just once."""
        return len(self._seen) - len(self.names)

    def see(self, place: str, name: Hashable, message: str) -> None:
        """Note a name; the second time it is a problem."""
        key = hash(name)
        if key in self._seen:
            self._problems.row(place, message)
            self.names.add(key)
        self._seen.add(key)

    def first(self, place: str, name: Hashable, message: str) -> None:
        """On reading again what was good so far: the row that named it first is bad, too."""
        if hash(name) in self.names:
            self._problems.row(place, message)


class _Known:
    """Checks counts against the nodes and SKUs that exist."""

    def __init__(self, dom: Domcore, owner: str, problems: Problems) -> None:
        self._dom = dom
        self._owner = owner
        self._problems = problems
        self._nodes = frozenset(node.id for node in dom.network().nodes)
        self._twice = _Twice(problems)
        self._others = 0

    @property
    def good(self) -> int:
        """How many rows may be taken."""
        return self._twice.good + self._others

    def check(self, lines: Sequence[StockLine]) -> None:
        """Note unknown nodes and SKUs, and what is counted twice."""
        skus = self._dom.store.items(self._owner, {line.stock.sku for line in lines})
        for place, count in lines:
            known = True
            if count.node not in self._nodes:
                hint = suggestion(count.node, self._nodes)
                self._problems.row(place, f"node {count.node!r} is not in the network{hint}")
                known = False
            if count.sku not in skus:
                self._problems.row(place, f"SKU {count.sku!r} is not known; load the items first")
                known = False
            if not known:
                continue
            if count.on_hand is None:
                self._others += 1
            else:
                message = f"{count.sku!r} at {count.node!r} is counted twice"
                self._twice.see(place, (count.sku, count.node), message)

    def check_again(self, source: Source) -> None:
        """Note the first rows of what is counted twice, too."""
        if not self._twice.names:
            return
        for place, count in read_stock(source, self._problems, frozenset(self._problems.rows)):
            if count.on_hand is not None:
                message = f"{count.sku!r} at {count.node!r} is counted again, further down"
                self._twice.first(place, (count.sku, count.node), message)


def _digest(source: Source) -> str:
    with source.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def _stamp(source: Source) -> tuple[int, int, int]:
    """Size, time and identity of a file; zeros where there is none, as reading it will tell."""
    try:
        found = source.path.stat()
    except OSError:
        return 0, 0, 0
    return found.st_size, found.st_mtime_ns, found.st_ino


def batched(values: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Lists of at most `size` values, in order."""
    iterator = iter(values)
    while batch := list(islice(iterator, size)):
        yield batch
