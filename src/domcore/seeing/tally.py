"""Counting the figures.

Orders are read a page at a time, each with its events; of a million orders only their times are
kept, eight bytes each.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from domcore.errors import ConfigurationError
from domcore.model.clock import from_micros, to_micros
from domcore.seeing.exceptions import Lookout, Patience
from domcore.seeing.kpi import Cost, Cycle, Health, Kpi, Promise, Rejections, Share
from domcore.seeing.stories import Story, read_story
from domcore.store.protocol import OrderFacts, OrderFilter, Parked, Store

PAGE: Final = 500
"""Orders read at once."""

CYCLES: Final = (
    "captured_to_routed",
    "routed_to_shipped",
    "captured_to_shipped",
    "shipped_to_delivered",
)


class Tally:
    """Counts one order after the other."""

    def __init__(self, now: int) -> None:
        self._now: Final = now
        self.orders = 0
        self.units = 0
        self.allocated = 0
        self.wanted = 0
        self.split = 0
        self.placed = 0
        self._costs: dict[str, list[int]] = {}
        self._promises: dict[str, list[int]] = {"ship_by": [0, 0, 0], "deliver_by": [0, 0, 0]}
        self._cycles: dict[str, array[int]] = {name: array("q") for name in CYCLES}
        self._rejections: dict[tuple[str, str], list[int]] = {}

    def add(self, facts: OrderFacts) -> None:
        """Count an order."""
        story = read_story(facts)
        self.orders += 1
        self.units += facts.buckets.ordered
        self.allocated += story.first_allocated
        self.wanted += story.first_allocated + story.first_short
        self.placed += story.placed
        self.split += story.placed and facts.nodes > 1
        for currency, amount in story.costs.items():
            total = self._costs.setdefault(currency, [0, 0])
            total[0] += 1
            total[1] += amount
        for node, reason, units in story.rejections:
            counts = self._rejections.setdefault((node, reason), [0, 0])
            counts[0] += 1
            counts[1] += units
        self._add_promises(facts, story)
        self._add_cycles(facts.captured_at, story)

    def _add_promises(self, facts: OrderFacts, story: Story) -> None:
        units = facts.buckets
        if not units.open + units.allocated + units.shipped:
            return
        promises = facts.promises
        for name, promise, met in (
            ("ship_by", promises.ship_by, story.shipped_at),
            ("deliver_by", promises.deliver_by, story.delivered_at),
        ):
            if promise is None:
                continue
            due = to_micros(promise)
            place = (0 if met <= due else 1) if met is not None else 1 if due < self._now else 2
            self._promises[name][place] += 1

    def _add_cycles(self, captured: int, story: Story) -> None:
        routed, shipped, delivered = story.routed_at, story.shipped_at, story.delivered_at
        pairs = (
            (captured, routed),
            (routed, shipped),
            (captured, shipped),
            (shipped, delivered),
        )
        for name, (begun, ended) in zip(CYCLES, pairs, strict=True):
            if begun is not None and ended is not None:
                # A partner's clock may be behind ours.
                self._cycles[name].append(max(0, ended - begun))

    def figures(self) -> dict[str, Any]:
        """The fields of `Figures`."""
        return {
            "orders": self.orders,
            "units": self.units,
            "fill": Share(self.allocated, self.wanted),
            "split": Share(self.split, self.placed),
            "costs": self.costs(),
            "ship_by": self.promise("ship_by"),
            "deliver_by": self.promise("deliver_by"),
            "cycles": self.cycles(),
            "rejections": self.rejections(),
        }

    def costs(self) -> tuple[Cost, ...]:
        """By currency."""
        return tuple(Cost(name, *totals) for name, totals in sorted(self._costs.items()))

    def promise(self, name: str) -> Promise:
        """Of ``ship_by`` or ``deliver_by``."""
        kept, missed, pending = self._promises[name]
        return Promise(kept, missed, pending)

    def cycles(self) -> dict[str, Cycle]:
        """By name."""
        return {name: cycle_of(times) for name, times in self._cycles.items()}

    def rejections(self) -> tuple[Rejections, ...]:
        """By node and reason."""
        return tuple(Rejections(*key, *counts) for key, counts in sorted(self._rejections.items()))


def cycle_of(times: Iterable[int]) -> Cycle:
    """Median and 90th percentile by nearest rank: the smallest time that so many do not exceed."""
    ranked = sorted(times)
    if not ranked:
        return Cycle(0)
    count = len(ranked)
    return Cycle(count, ranked[-(-count // 2) - 1], ranked[-(-9 * count // 10) - 1])


def each_order(store: Store, wanted: OrderFilter) -> Iterator[OrderFacts]:
    """What is known of every order that is wanted, by rising id, a page at a time."""
    after = 0
    while page := store.facts(wanted, limit=PAGE, after=after):
        yield from page
        after = page[-1].order_id


def tally(store: Store, wanted: OrderFilter, now: int) -> Tally:
    """Count every order that is wanted, in bounded memory."""
    counted = Tally(now)
    for facts in each_order(store, wanted):
        counted.add(facts)
    return counted


def health(store: Store, connectors: Mapping[str, str], known: Iterable[str]) -> tuple[Health, ...]:
    """How connectors and channels are doing.

    Args:
        connectors: node -> connector.
        known: names to tell of even where nothing is known, as in `Health`.
    """
    counts: dict[str, list[int]] = {name: [0, 0, 0] for name in known}
    for row in store.outgoing():
        name = f"connector {connectors.get(row.node) or '(none)'}"
        mine = counts.setdefault(name, [0, 0, 0])
        for place, number in enumerate(row[1:]):
            mine[place] += number
    tasks: dict[str, list[tuple[int, int, str]]] = {}
    for task in store.tasks():
        kind, colon, name = task.name.partition(":")
        if colon:
            name = f"{'connector' if kind == 'poll' else 'channel'} {name}"
            counts.setdefault(name, [0, 0, 0])
            tasks.setdefault(name, []).append((task.well_at or 0, task.attempts, task.note))
    found = []
    for name, (waiting, parked, unknown) in sorted(counts.items()):
        failures, well_at, note = _worst(tasks.get(name, ()))
        found.append(Health(name, waiting, parked, unknown, failures, well_at, note))
    return tuple(found)


def _worst(tasks: Iterable[tuple[int, int, str]]) -> tuple[int, datetime | None, str]:
    """Failures, last success and note of the task that is doing worst."""
    every = list(tasks)
    if not every:
        return 0, None, ""
    well, failures, note = max(every, key=lambda task: (task[1], -task[0]))
    return failures, from_micros(well) if well else None, note if failures else ""


def figures(
    store: Store,
    parked: Callable[[], Sequence[Parked]],
    now: datetime,
    since: datetime | None,
    until: datetime | None,
    owner: str | None,
    connectors: Iterable[str],
) -> Kpi:
    """All of them; `connectors` are names to tell of even where nothing is known.

    Raises:
        ConfigurationError: a time says no zone, or `until` is before `since`.
    """
    counted = tally(store, wanted_orders(since, until, owner), to_micros(now))
    by_node = {node.id: node.connector for node in store.network().network.nodes}
    known = {name for name in (*connectors, *by_node.values()) if name}
    return Kpi(
        at=now,
        since=since,
        until=until,
        owner=owner,
        **counted.figures(),
        backlog=tuple(store.backlog(owner=owner)),
        exceptions=Lookout(store, parked, now, Patience(), owner).counts(),
        health=health(store, by_node, [f"connector {name}" for name in sorted(known)]),
    )


def wanted_orders(since: datetime | None, until: datetime | None, owner: str | None) -> OrderFilter:
    """The orders captured from `since` until before `until`.

    Raises:
        ConfigurationError: a time says no zone, or `until` is before `since`.
    """
    for name, moment in (("since", since), ("until", until)):
        if moment is not None and moment.tzinfo is None:
            raise ConfigurationError("a time must say its zone", place=name)
    if since is not None and until is not None and until < since:
        raise ConfigurationError("is before since", place="until")
    return OrderFilter(
        owner=owner,
        captured_from=None if since is None else to_micros(since),
        captured_until=None if until is None else to_micros(until),
    )
