"""The figures are what a count by hand gives."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from math import ceil

import pytest
from attrs import evolve

from domcore import ConfigurationError, DomcoreError, Settings
from domcore.model import ORDER_STATUSES, Notice, Package
from domcore.seeing.kpi import Cycle
from domcore.seeing.tally import cycle_of
from domcore.store.protocol import OrderFilter
from domcore.testing.builder import World

NODES = ("NYC", "LAX", "CHI")
REASONS = ("not_found", "damaged", "no_capacity", "closed", "other")


def a_world() -> World:
    world = World().node("NYC", at=(40.71, -74.0)).node("LAX", at=(34.05, -118.24))
    world.node("CHI", at=(41.88, -87.63), connector="chi")
    world.item("MUG", weight=400).item("CAP", weight=200).item("POT", weight=900)
    return world.stock("MUG", NYC=12, LAX=9).stock("CAP", LAX=15, CHI=4).stock("POT", CHI=6, NYC=3)


def live(dom, world: World, seed: int, steps: int = 120) -> None:
    """A random life of some orders, through the public door."""
    dice = random.Random(seed)
    numbers: list[str] = []
    for step in range(steps):
        world.clock.forward(minutes=dice.randrange(1, 240))
        if step < 25 or dice.random() < 0.2:
            numbers.append(str(step))
            wanted = {sku: dice.randrange(1, 4) for sku in dice.sample(("MUG", "CAP", "POT"), 2)}
            order = world.order(str(step), owner=dice.choice(("main", "acme")), **wanted)
            due = world.clock() + timedelta(hours=dice.randrange(-5, 300))
            order = evolve(
                order,
                ship_by=due if dice.random() < 0.6 else None,
                deliver_by=due + timedelta(days=2) if dice.random() < 0.6 else None,
            )
            dom.capture(order)
        else:
            try:
                one_step(dom, world, dice, f"#{dice.choice(numbers)}")
            except DomcoreError:
                continue


def one_step(dom, world: World, dice: random.Random, reference: str) -> None:
    word = dice.choice(("route",) * 4 + ("reserve", "keep", "free", "cancel") + ("news",) * 12)
    if word == "route":
        dom.route()
    elif word == "reserve":
        dom.reserve(reference, minutes=dice.randrange(1, 600))
    elif word in ("keep", "free", "cancel"):
        getattr(dom, word)(reference)
    else:
        news(dom, world, dice, reference)
    dom.store.expire(now=dom._micros(), limit=100)


def news(dom, world: World, dice: random.Random, reference: str) -> None:
    work = dom.order(reference).fulfillment_orders
    if not work:
        return
    one = dice.choice(work)
    at = world.clock() - timedelta(minutes=dice.randrange(0, 300))
    status = dice.choice(("accepted", "in_progress", "rejected", "shipped", "shipped", "delivered"))
    some = tuple((line, 1) for line, _, units in one.lines[:1] if units > 1)
    if status == "rejected":
        told = Notice(one.id, status, at, some, reason=dice.choice(REASONS))
    elif status == "shipped" and some:
        box = Package(f"B{dice.randrange(9)}", some, tracking="1Z")
        told = Notice(one.id, "partially_shipped", at, packages=(box,))
    else:
        told = Notice(one.id, status, at)
    dom.record(told)


def rank(times: list[float], percent: int) -> float | None:
    """Nearest rank, by the book."""
    return sorted(times)[max(1, ceil(percent * len(times) / 100)) - 1] if times else None


def by_hand(dom, since: datetime | None, until: datetime | None, owner: str | None) -> dict:
    """The same figures, from lists of everything."""
    now = dom.now()
    every = dom.store.events(limit=10**6)
    views = [dom.store.order(o.order_id) for o in dom.orders(limit=10**5)]
    told = defaultdict(list)
    for event in every:
        told[event.order_id].append(event)
    figures: dict = {"orders": 0, "units": 0, "allocated": 0, "wanted": 0, "split": 0, "placed": 0}
    costs: dict = defaultdict(lambda: [0, 0])
    promises = {"ship_by": [0, 0, 0], "deliver_by": [0, 0, 0]}
    cycles: dict = defaultdict(list)
    rejections: dict = defaultdict(lambda: [0, 0])
    for view in views:
        events = told[view.summary.order_id]
        captured = events[0].at
        if (since and captured < since) or (until and captured >= until):
            continue
        if owner not in (None, view.summary.owner):
            continue
        figures["orders"] += 1
        figures["units"] += view.summary.buckets.ordered
        decisions = [e for e in events if "nodes" in e.body and "decision" in e.body]
        if decisions:
            first = decisions[0].body
            figures["allocated"] += sum(first["nodes"].values())
            figures["wanted"] += sum(first["nodes"].values()) + first["short"]
        placing = [e.body["nodes"] for e in decisions if e.body["nodes"]]
        figures["placed"] += bool(placing)
        figures["split"] += bool(placing) and len(view.summary.nodes) > 1
        paid, carts, routed = [], [], []
        for event in events:
            if event.kind == "order.routed":
                paid.append(event.body["cost"])
                routed.append(event.at)
            elif event.kind == "order.reserved":
                carts.append(event.body["cost"])
            elif event.kind == "order.kept":
                paid += carts
                carts = []
                routed.append(event.at)
            elif event.kind in ("order.freed", "reservation.expired"):
                carts = []
            elif event.kind == "fulfillment.rejected" and not event.body.get("stale"):
                units = sum(u for _, how, u in event.body["lines"] if how in ("freed", "blocked"))
                row = rejections[event.body["node"], event.body["reason"]]
                row[0] += 1
                row[1] += units
        if paid:
            costs["USD"][0] += 1
            costs["USD"][1] += sum(paid)
        shipped, delivered = ends(view, events)
        count_promises(view, shipped, delivered, now, promises)
        begun = routed[0] if routed else None
        for name, a, b in (
            ("captured_to_routed", captured, begun),
            ("routed_to_shipped", begun, shipped),
            ("captured_to_shipped", captured, shipped),
            ("shipped_to_delivered", shipped, delivered),
        ):
            if a and b:
                cycles[name].append(max(0.0, (b - a).total_seconds()))
    return {
        **figures,
        "costs": {name: tuple(pair) for name, pair in costs.items()},
        "promises": promises,
        "cycles": {n: (len(t), rank(t, 50), rank(t, 90)) for n, t in cycles.items()},
        "rejections": {key: tuple(pair) for key, pair in rejections.items()},
        "backlog": backlog(views, owner),
    }


def ends(view, events):
    """When the whole order had left, and when all of it had arrived."""
    units = view.summary.buckets
    if units.open or units.allocated or not units.shipped:
        return None, None
    left, arrived, names = [], defaultdict(list), set()
    for event in events:
        if "named" not in event.body:
            continue
        name = event.body["fulfillment_order"]
        boxes = event.body["boxes"]
        if any(how == "shipped" and n > 0 for _, how, n in event.body["lines"]):
            names.add(name)
            times = [b["shipped_at"] for b in boxes if b["shipped_at"]]
            left += [datetime.fromisoformat(t) for t in times] or [event.at]
        times = [b["delivered_at"] for b in boxes if b["delivered_at"]]
        arrived[name] += [datetime.fromisoformat(t) for t in times]
        if event.kind == "fulfillment.delivered" and not boxes:
            arrived[name].append(event.at)
    states = {work.id: work.status for work in view.fulfillment_orders}
    whole = all(states[name] == "delivered" and arrived[name] for name in names)
    return max(left), max(max(arrived[name]) for name in names) if whole else None


def count_promises(view, shipped, delivered, now, promises) -> None:
    units = view.summary.buckets
    if units.ordered == units.cancelled:
        return
    for name, due, done in (
        ("ship_by", view.order.ship_by, shipped),
        ("deliver_by", view.order.deliver_by, delivered),
    ):
        if due is not None:
            kept = done is not None and done <= due
            missed = (done is not None and done > due) or (done is None and due < now)
            promises[name][0 if kept else 1 if missed else 2] += 1


def backlog(views, owner) -> dict:
    found: dict = defaultdict(lambda: [set(), 0])
    for view in views:
        if owner not in (None, view.summary.owner):
            continue
        for work in view.fulfillment_orders:
            units = sum(n for _, _, n in work.lines)
            if units:
                found[work.node][0].add(view.summary.order_id)
                found[work.node][1] += units
    return {node: (len(orders), units) for node, (orders, units) in found.items()}


def as_by_hand(kpi) -> dict:
    return {
        "orders": kpi.orders,
        "units": kpi.units,
        "allocated": kpi.fill.part,
        "wanted": kpi.fill.whole,
        "split": kpi.split.part,
        "placed": kpi.split.whole,
        "costs": {cost.currency: (cost.orders, cost.total) for cost in kpi.costs},
        "promises": {
            "ship_by": [kpi.ship_by.kept, kpi.ship_by.missed, kpi.ship_by.pending],
            "deliver_by": [kpi.deliver_by.kept, kpi.deliver_by.missed, kpi.deliver_by.pending],
        },
        "cycles": {
            name: (cycle.count, cycle.median / 1e6, cycle.p90 / 1e6)
            for name, cycle in kpi.cycles.items()
            if cycle.count
        },
        "rejections": {(r.node, r.reason): (r.notices, r.units) for r in kpi.rejections},
        "backlog": {row.node: (row.orders, row.units) for row in kpi.backlog},
    }


def settings(url: str) -> Settings:
    return Settings(store=url, owners={"main": "USD", "acme": "USD"})


@pytest.mark.parametrize("seed", range(12))
def test_the_figures_of_a_random_world_are_those_counted_by_hand(seed, tmp_path):
    world = a_world()
    url = "memory:" if seed % 2 else str(tmp_path / "dom.db")
    with world.open(settings(url)) as dom:
        dom.load_items(world.items, owner="acme")
        live(dom, world, seed)
        middle = datetime(2026, 1, 6, 12, tzinfo=UTC)
        for since, until in ((None, None), (middle, None), (None, middle)):
            for owner in (None, "acme"):
                kpi = dom.kpi(since, until, owner=owner)
                assert as_by_hand(kpi) == by_hand(dom, since, until, owner)
        assert not list(dom.verify())


@pytest.mark.parametrize("seed", range(100, 104))
def test_both_stores_see_the_same(seed, tmp_path):
    seen = []
    for url in ("memory:", str(tmp_path / "dom.db")):
        world = a_world()
        with world.open(settings(url)) as dom:
            dom.load_items(world.items, owner="acme")
            live(dom, world, seed)
            every = dom.orders(limit=1000)
            by_status = {
                status: [o.order_id for o in dom.orders(OrderFilter(status=status), limit=1000)]
                for status in ORDER_STATUSES
            }
            assert by_status == {
                status: [order.order_id for order in every if order.status == status]
                for status in ORDER_STATUSES
            }
            seen.append(
                (
                    by_status,
                    [each.to_dict() for each in dom.exceptions(limit=1000)],
                    [dom.timeline(order.number).to_text() for order in every[:9]],
                    dom.kpi().to_dict(),
                )
            )
    assert seen[0] == seen[1]


def test_the_random_worlds_have_something_of_everything():
    seen: dict[str, int] = defaultdict(int)
    for seed in (1, 3, 5):
        world = a_world()
        with world.open(settings("memory:")) as dom:
            dom.load_items(world.items, owner="acme")
            live(dom, world, seed)
            kpi = dom.kpi()
            seen["split"] += kpi.split.part
            seen["short"] += kpi.fill.whole - kpi.fill.part
            seen["kept"] += kpi.ship_by.kept
            seen["missed"] += kpi.ship_by.missed
            seen["delivered"] += kpi.cycles["shipped_to_delivered"].count
            seen["rejected"] += len(kpi.rejections)
            seen["backlog"] += len(kpi.backlog)
    assert {name for name, count in seen.items() if not count} == set()


def test_an_empty_store_has_no_rates():
    with a_world().open() as dom:
        kpi = dom.kpi()
        assert kpi.orders == 0
        assert (kpi.fill.rate, kpi.split.rate, kpi.ship_by.rate) == (None, None, None)
        assert kpi.costs == ()
        assert kpi.cycles["captured_to_routed"] == Cycle(0)
        assert kpi.to_dict()["fill_rate"] == {"allocated": 0, "wanted": 0, "rate": None}


def test_a_cart_costs_nothing_until_it_is_kept():
    world = a_world()
    with world.open() as dom:
        dom.capture(world.order("1", MUG=1))
        dom.reserve("#1", minutes=30)
        assert dom.kpi().costs == ()
        dom.free("#1")
        dom.reserve("#1", minutes=30)
        cost = dom.store.events(limit=99)[-1].body["cost"]
        dom.keep("#1")
        (paid,) = dom.kpi().costs
        assert (paid.orders, paid.total) == (1, cost)


def test_times_must_say_their_zone_and_be_in_order():
    with a_world().open() as dom:
        with pytest.raises(ConfigurationError, match="zone"):
            dom.kpi(datetime(2026, 1, 1))
        with pytest.raises(ConfigurationError, match="before since"):
            dom.kpi(datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))


def test_connectors_tell_their_health():
    world = a_world()
    configured = evolve(settings("memory:"))
    with world.open(configured) as dom:
        dom.load_items(world.items, owner="acme")
        dom.capture(world.order("1", POT=5))
        dom.route()
        (mine,) = [each for each in dom.kpi().health if each.name == "connector chi"]
        assert (mine.waiting, mine.parked, mine.unknown, mine.failures) == (1, 0, 0, 0)
        assert mine.well_at is None


@pytest.mark.parametrize(
    ("times", "median", "p90"),
    [([5], 5, 5), ([1, 2], 1, 2), ([3, 1, 2], 2, 3), (list(range(1, 101)), 50, 90)],
)
def test_percentiles_are_by_nearest_rank(times, median, p90):
    assert cycle_of(times) == Cycle(len(times), median, p90)
