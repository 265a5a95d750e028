"""Files into an application: everything is checked first, then written.

A file is read twice, line by line, so its size does not matter; the first reading finds all that
is wrong with it, and nothing is written unless that is nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

from attrs import evolve, frozen

from domcore.errors import ConfigurationError, PayloadError
from domcore.loading.formats import Source
from domcore.loading.items import read_items
from domcore.loading.network import read_network
from domcore.loading.problems import Problems
from domcore.loading.shape import suggestion
from domcore.loading.stock import StockLine, read_stock
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

    Of stock, `older` were dropped because a later count is known, and `already` had been taken in
    before; neither is in `count`.
    """

    what: str
    count: int
    files: tuple[str, ...]
    older: int = 0
    already: int = 0


def load_network(dom: Domcore, sources: Sequence[Source]) -> Loaded:
    """Replace the network by what stands in the files."""
    network = read_network(sources)
    return Loaded("nodes", dom.load_network(network), tuple(each.name for each in sources))


def load_items(dom: Domcore, source: Source, *, owner: str) -> Loaded:
    """Insert or replace the items of a file, in one transaction."""
    problems = Problems(source.name)
    seen: set[int] = set()
    named = False
    for row in read_items(source, problems):
        key = hash(row.item.sku)
        if key in seen:
            problems.add(row.place, f"SKU {row.item.sku!r} is in the file already")
        seen.add(key)
        named = named or bool(row.aliases)
    problems.check()
    if not seen:
        raise _empty(source, "item")
    items = (row.item for row in read_items(source, problems))
    aliases = (each for row in read_items(source, problems) for each in row.aliases)
    return Loaded(
        "items", dom.load_items(items, aliases if named else (), owner=owner), (source.name,)
    )


@frozen(slots=True)
class StockFeed:
    """A stock file that has been checked and may be written.

    Args:
        rows: how many counts and changes there are.
        key: what makes it safe to repeat; empty for counts of now.
        stamp: what the file looked like: one that changes meanwhile is not written on.
    """

    source: Source
    owner: str
    rows: int
    key: str
    stamp: tuple[int, int, int]


def check_stock(
    dom: Domcore,
    source: Source,
    *,
    owner: str,
    again: bool = False,
    progress: Callable[[int], object] | None = None,
) -> StockFeed:
    """Read a stock file to its end and refuse it whole if a row of it is bad.

    Raises:
        PayloadError: every bad row.
        ConfigurationError: it cannot be read.
    """
    problems = Problems(source.name)
    known = _Known(dom, owner, problems)
    rows, deltas, dated = 0, False, True
    for lines in batched(read_stock(source, problems), BATCH):
        known.check(lines)
        rows += len(lines)
        deltas = deltas or any(line.stock.delta is not None for line in lines)
        dated = dated and all(line.stock.as_of is not None for line in lines)
        if progress is not None:
            progress(len(lines))
    problems.check()
    if not rows:
        raise _empty(source, "count")
    once = (deltas or dated) and not again
    key = f"file:{_digest(source)}:{owner}" if once else ""
    return StockFeed(source, owner, rows, key, _stamp(source))


def write_stock(
    dom: Domcore, feed: StockFeed, *, progress: Callable[[int], object] | None = None
) -> Loaded:
    """Observe a file that has been checked, some rows to a transaction.

    Others get their turn in between. If it is interrupted, it is simply loaded again: each part
    has a key of its own, and counts of now are counts whenever they come.

    Raises:
        ConfigurationError: the file is not the one that was checked any more.
    """
    started, problems = dom.now(), Problems(feed.source.name)
    applied = older = already = 0
    for number, lines in enumerate(batched(read_stock(feed.source, problems), BATCH)):
        if _stamp(feed.source) != feed.stamp:
            raise ConfigurationError(
                f"it was changed while it was loaded; {applied + older + already} rows had been"
                " taken in. Load it again",
                source=feed.source.name,
            )
        counts = tuple(line.stock for line in lines)
        if not feed.key:
            # Counted before the load began: what ships while it goes on is reapplied.
            counts = tuple(
                each if each.as_of is not None else evolve(each, as_of=started) for each in counts
            )
        key = f"{feed.key}:{number}" if feed.key else ""
        outcome = dom.observe(ObserveStock(feed.owner, counts, key))
        if outcome.outcome == "duplicate":
            already += len(counts)
        else:
            late = _older(outcome, counts)
            older += late
            applied += len(counts) - late
        if progress is not None:
            progress(len(counts))
    return Loaded("counts", applied, (feed.source.name,), older, already)


def load_stock(dom: Domcore, source: Source, *, owner: str, again: bool = False) -> Loaded:
    """Observe the counts and changes of a file.

    A count that does not say of when it is was taken now, so such a file is news each time. One
    with changes, or with nothing but dated counts, is taken in once, however often it comes;
    `again` takes it in once more.
    """
    return write_stock(dom, check_stock(dom, source, owner=owner, again=again))


def _older(outcome: Outcome, counts: Sequence[StockCount]) -> int:
    """How many of `counts` were dropped for being older than the last."""
    found = _OLDER.search(outcome.detail)
    if found is not None:
        return int(found[1])
    return len(counts) if outcome.outcome == "stale" else 0


def _empty(source: Source, what: str) -> PayloadError:
    return PayloadError(f"there is not one {what} in it; nothing was changed", source=source.name)


class _Known:
    """Checks counts against the nodes and SKUs that exist."""

    def __init__(self, dom: Domcore, owner: str, problems: Problems) -> None:
        self._dom = dom
        self._owner = owner
        self._problems = problems
        self._nodes = frozenset(node.id for node in dom.network().nodes)
        self._seen: set[int] = set()

    def check(self, lines: Sequence[StockLine]) -> None:
        """Note unknown nodes and SKUs, and what is counted twice."""
        skus = self._dom.store.items(self._owner, {line.stock.sku for line in lines})
        for place, count in lines:
            if count.node not in self._nodes:
                hint = suggestion(count.node, self._nodes)
                self._problems.add(place, f"node {count.node!r} is not in the network{hint}")
            if count.sku not in skus:
                self._problems.add(place, f"SKU {count.sku!r} is not known; load the items first")
            key = hash((count.sku, count.node))
            if count.on_hand is not None and key in self._seen:
                self._problems.add(place, f"{count.sku!r} at {count.node!r} is counted twice")
            self._seen.add(key)


def _digest(source: Source) -> str:
    with source.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def _stamp(source: Source) -> tuple[int, int, int]:
    """Size, time and identity of a file."""
    found = source.path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino


def batched(values: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Lists of at most `size` values, in order."""
    iterator = iter(values)
    while batch := list(islice(iterator, size)):
        yield batch
