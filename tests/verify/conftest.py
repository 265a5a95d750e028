from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from domcore import Domcore, DomcoreError, Settings, hookimpl
from domcore.model import (
    CONDITIONS,
    Alias,
    AmendOrder,
    ApproveOrder,
    AuthorizeReturn,
    CancelOrder,
    CaptureOrder,
    Directive,
    Hold,
    HoldOrder,
    Notice,
    ObserveStock,
    Order,
    OrderLine,
    Package,
    Person,
    Plan,
    ReceiveReturn,
    ShippedElsewhere,
    StockCount,
)
from domcore.model.handover import REJECTION_REASONS
from domcore.store.values import Unread
from domcore.testing.builder import World

SKUS = ("MUG", "PEN", "LAMP")
NODES = ("ATL", "LAX", "NYC")
HOUR = 3_600_000_000


class Reviewer:
    """Holds what is tagged: ``stop`` before anything is reserved, ``look`` afterwards."""

    @hookimpl
    def judge(self, order: Order) -> Iterable[Directive]:
        if "stop" in order.tags:
            yield Directive("plugin/reviewer", "hold", "stop", arguments={"stage": "route"})

    @hookimpl
    def review_plan(self, order: Order, plan: Plan) -> Iterable[Hold]:
        if "look" in order.tags:
            yield Hold("plugin/look", "somebody should look at it")


class Shop:
    """A shop whose life is a list of steps; each takes a few small numbers and may be refused."""

    def __init__(self, url: str) -> None:
        self.world = World()
        self.world.node("ATL", at=(33.7, -84.4), connector="fake")
        self.world.node("LAX", at=(34.0, -118.2), connector="fake").node("NYC", at=(40.7, -74.0))
        for sku in SKUS:
            self.world.item(sku, weight=300).stock(sku, safety=1, ATL=4, LAX=6, NYC=3)
        self.world.item("SPARE").stock("SPARE", NYC=3)
        self.world.item("KNOB").stock("KNOB", ATL=9, LAX=9, NYC=9)
        settings = Settings(store=url, owners={"main": "USD"}, engine="python")
        self.plugins = {"reviewer": Reviewer()}
        self.dom: Domcore = self.world.open(settings, plugins=self.plugins)
        self.dom.load_items((), [Alias("web", "mug-eu", "MUG")])
        self.clock = self.world.clock
        self.refused: list[str] = []

    @property
    def now(self) -> int:
        return round(self.clock().timestamp() * 1_000_000)

    def live(self, steps: Iterable[tuple[str, int, int, int]]) -> Shop:
        for name, *numbers in steps:
            self.clock.forward(seconds=7)
            try:
                getattr(self, name)(*numbers)
            except DomcoreError as error:
                self.refused.append(f"{name}: {error}")
        return self

    def order_of(self, number: int, units: int, shape: int) -> Order:
        lines = [OrderLine("1", SKUS[shape % 3], units % 4 + 1, 5_000_000)]
        if shape & 1:
            lines.append(OrderLine("2", SKUS[(shape + 1) % 3], shape % 3 + 1, 2_000_000))
        if shape & 4:
            lines.append(OrderLine("3", "GIFT", 1, 9_000_000, ships=False))
        tags = {2: ("stop",), 3: ("look",)}.get(shape % 5, ())
        return evolve(self.world.order(str(number)), revision=1, tags=tags, lines=tuple(lines))

    def capture(self, number: int, units: int, shape: int) -> None:
        person = Person(name="Ada", email="ada@example.com", street=("1 Road",))
        key = f"hook-{number}-{units}-{shape}" if shape & 2 else ""
        self.dom.apply([CaptureOrder(self.order_of(number, units, shape), person, key)])

    def amend(self, number: int, units: int, shape: int) -> None:
        known = self.dom.order(f"web/{number}").order
        again = evolve(self.order_of(number, units, shape), revision=known.revision + 1)
        if shape & 2:
            again = evolve(again, lines=again.lines[:1])
        self.dom.capture(again)

    def knobs(self, number: int, units: int, shape: int) -> None:
        """An order of what nobody else wants, so that all that is tried with it succeeds."""
        lines = tuple(OrderLine(str(each), "KNOB", units) for each in range(1, 2 + shape))
        order = evolve(self.world.order(str(number)), lines=lines)
        self.dom.capture(order, Person(name="Ada", street=("1 Road",)))

    def unknown(self, number: int, units: int, shape: int) -> None:
        order = self.world.order(str(number), NEW=units % 4 + 1, MUG=shape % 2)
        known = self.dom.store.find_order(f"web/{number}")
        self.dom.capture(evolve(order, revision=self.now) if known else order)

    def unnamed(self, number: int, units: int, shape: int) -> None:
        self.dom.capture(self.world.order(str(number), NOBODY=2, PEN=1))

    def unreadable(self, number: int, units: int, shape: int) -> None:
        unread = Unread("receive:web", "odd", str(number), f"#{number}", units, b"body", {})
        self.dom.store.keep_unread(unread, now=self.now)

    def identify(self, number: int, units: int, shape: int) -> None:
        self.dom.load_items((), [Alias("web", "NEW", SKUS[shape % 3])])

    def differ(self, number: int, units: int, shape: int) -> None:
        lines = ((str(shape % 4), units % 3),)
        command = AmendOrder("main", "web", str(number), f"edit-{shape}", units, lines, "no reason")
        self.dom.apply([evolve(command, key=f"edit-{number}-{units}-{shape}" if units & 1 else "")])

    def hold(self, number: int, units: int, shape: int) -> None:
        stage = "route" if shape & 4 else "release"
        word = HoldOrder("main", "web", str(number), units, f"code-{shape % 2}", "a look", stage)
        self.dom.apply([word])

    def lift(self, number: int, units: int, shape: int) -> None:
        self.dom.apply([ApproveOrder("main", "web", str(number), units, f"code-{shape % 2}")])

    def unpaid(self, number: int, units: int, shape: int) -> None:
        holds = (Hold("unpaid", "no payment"),) if units & 1 else ()
        order = evolve(self.order_of(number, units, shape), revision=units + 1)
        self.dom.apply([CaptureOrder(order, queue=bool(shape & 2), holds=holds)])

    def approve_one(self, number: int, units: int, shape: int) -> None:
        self.dom.approve(f"web/{number}", by="Grace", code=f"code-{shape % 2}")

    def cart(self, number: int, units: int, shape: int) -> None:
        self.dom.capture(self.order_of(number, units, shape), queue=False)

    def keep(self, number: int, units: int, shape: int) -> None:
        self.dom.keep(f"web/{number}")

    def free(self, number: int, units: int, shape: int) -> None:
        self.dom.free(f"web/{number}")

    def cancel(self, number: int, units: int, shape: int) -> None:
        key = f"cancel-{number}" if shape & 1 else ""
        self.dom.apply([CancelOrder("main", "web", str(number), 1, "changed their mind", key)])

    def route(self, number: int, units: int, shape: int) -> None:
        self.dom.route(limit=shape + 1)

    def route_one(self, number: int, units: int, shape: int) -> None:
        self.dom.route([f"web/{number}"])

    def reserve(self, number: int, units: int, shape: int) -> None:
        self.dom.reserve(f"web/{number}", minutes=shape + 1)

    def approve(self, number: int, units: int, shape: int) -> None:
        self.dom.approve(f"web/{number}", by="Grace")

    def wait(self, number: int, units: int, shape: int) -> None:
        self.clock.forward(minutes=shape * 5)
        self.dom.work(limit=units + 1)

    def count(self, number: int, units: int, shape: int) -> None:
        count = StockCount(SKUS[number % 3], NODES[shape % 3], on_hand=units)
        self.dom.observe(ObserveStock("main", (count,)))

    def delta(self, number: int, units: int, shape: int) -> None:
        count = StockCount(SKUS[number % 3], NODES[shape % 3], delta=units - 3, safety=shape % 2)
        self.dom.observe(ObserveStock("main", (count,), f"delta-{number}-{units}-{shape}"))

    def hand_over(self, number: int, units: int, shape: int) -> None:
        store = self.dom.store
        for lease in store.lease_due("release", now=self.now, until=self.now + HOUR, limit=shape):
            if units & 1:
                store.settle(lease.entry, now=self.now)
            elif units & 2:
                store.settle(lease.entry, now=self.now, retry_at=self.now, note="busy")

    def notice(self, number: int, units: int, shape: int) -> None:
        work = self.dom.order(f"web/{number}").fulfillment_orders
        status = (
            "accepted", "shipped", "rejected", "in_progress", "cancelled", "shipped", "delivered",
            "returned",
        )  # fmt: skip
        if not work:
            return
        chosen = work[shape % len(work)]
        lines: tuple[tuple[str, int], ...] = ()
        if units & 1 and chosen.lines:
            lines = ((chosen.lines[0][0], 1),)
        said = status[units % len(status)]
        boxes = (Package(f"box-{units}"),) if shape & 2 and said in ("shipped", "delivered") else ()
        reason = REJECTION_REASONS[units % 5] if said == "rejected" else ""
        notice = Notice(chosen.id, said, self.clock(), lines, boxes, reason, key=f"n{self.now}")
        self.dom.store.record(notice, now=self.now, exclude_until=self.now + HOUR)

    def give_back(self, number: int, units: int, shape: int) -> None:
        view = self.dom.order(f"web/{number}")
        shipped = [
            (line.id, 1)
            for line, buckets in zip(view.order.lines, view.lines, strict=True)
            if buckets.shipped
        ]
        if shipped:
            asked = AuthorizeReturn(*view.order.key, f"R{shape}", tuple(shipped[: units % 3 + 1]))
            self.dom.authorize_return(asked)

    def receive(self, number: int, units: int, shape: int) -> None:
        for each in self.dom.returns(f"web/{number}")[:1]:
            lines = tuple((line.line, 1, CONDITIONS[units % 3]) for line in each.lines)
            key = self.dom.order(f"web/{number}").order.key
            self.dom.receive_return(
                ReceiveReturn(*key, each.return_id, lines, close=bool(shape & 1))
            )

    def early(self, number: int, units: int, shape: int) -> None:
        """A refund with restock that may come before the parcel's news, or the order."""
        key, name = ("main", "web", str(number)), f"E{shape}"
        asked = AuthorizeReturn(*key, name, (("1", units % 3 + 1),), NODES[shape % 3])
        lines = (("1", units % 3 + 1, CONDITIONS[shape % 3]),)
        arrived = ReceiveReturn(*key, name, lines, close=bool(shape & 1), key=f"{number}-{name}")
        self.dom.apply([asked, arrived] if units & 4 else [arrived, asked])

    def send(self, number: int, units: int, shape: int) -> None:
        node = (*NODES, "")[shape % 4]
        line = str(shape % 2 + 1)
        lines = ((line, units % 4 + 1),) if units else ()
        sent = ShippedElsewhere(
            "main", "web", str(number), f"s{shape % 3}", units, self.clock(), lines,
            total=shape % 5 == 4, node=node, tracking=(f"box-{units}",),
        )  # fmt: skip
        self.dom.apply([sent])

    def correct(self, number: int, units: int, shape: int) -> None:
        self.dom.amend(f"web/{number}", {"1": units}, by="person:kim", key=f"k{number}-{units}")

    def readdress(self, number: int, units: int, shape: int) -> None:
        postal, streets = f"1000{units}", (f"{shape} New Street",)
        self.dom.address(f"web/{number}", postal=postal, street=streets, by="person:kim")

    def move(self, number: int, units: int, shape: int) -> None:
        work = [each for each in self.dom.order(f"web/{number}").fulfillment_orders if each.lines]
        if work and units & 1:
            self.dom.move(work[0].id, away=True)
        elif work:
            self.dom.move(work[0].id, to=NODES[shape % 3])

    def reroute(self, number: int, units: int, shape: int) -> None:
        self.dom.reroute(f"web/{number}")

    def erase(self, number: int, units: int, shape: int) -> None:
        self.dom.erase(f"web/{number}")

    def load(self, number: int, units: int, shape: int) -> None:
        nodes = self.world.network().nodes
        self.dom.load_network(evolve(self.world.network(), nodes=nodes[: 2 + shape % 2]))


BUSY_LIFE: tuple[tuple[str, int, int, int], ...] = (
    ("capture", 1, 1, 1), ("capture", 2, 3, 2), ("capture", 3, 2, 3), ("capture", 4, 3, 4),
    ("capture", 5, 0, 5), ("route", 0, 0, 7), ("capture", 6, 1, 6), ("reserve", 6, 0, 3),
    ("hand_over", 0, 1, 1), ("amend", 1, 2, 5), ("capture", 7, 2, 0), ("route", 0, 0, 7),
    ("notice", 1, 1, 0), ("cancel", 4, 0, 1), ("cancel", 9, 0, 0), ("capture", 8, 1, 3),
    ("route", 0, 0, 7), ("count", 0, 5, 1), ("delta", 1, 5, 2), ("capture", 10, 0, 1),
    ("capture", 11, 3, 7), ("hand_over", 0, 1, 1), ("notice", 5, 3, 0), ("capture", 12, 0, 3),
    ("route", 0, 0, 7), ("approve", 12, 0, 0), ("wait", 0, 99, 0),
    ("capture", 13, 0, 0), ("differ", 30, 1, 1), ("differ", 10, 4, 2), ("cart", 20, 1, 10),
    ("reserve", 20, 0, 20), ("reserve", 20, 0, 30), ("keep", 20, 0, 0),
    ("notice", 10, 5, 2), ("notice", 12, 2, 0), ("notice", 10, 1, 1),
    ("give_back", 10, 1, 1), ("receive", 10, 1, 0), ("notice", 20, 1, 0),
    ("give_back", 20, 0, 2), ("count", 1, 1, 1),
    ("unknown", 41, 1, 1), ("route", 0, 0, 7), ("identify", 0, 0, 1), ("route", 0, 0, 7),
    ("unknown", 42, 2, 1), ("cancel", 42, 0, 0), ("unnamed", 43, 0, 0), ("route", 0, 0, 7),
    ("hold", 60, 2, 1), ("unpaid", 61, 1, 2), ("unpaid", 62, 1, 2),
    ("count", 0, 9, 1), ("count", 1, 9, 1), ("count", 2, 9, 1), ("route", 0, 0, 7),
    ("hold", 61, 5, 0), ("lift", 61, 6, 0), ("unpaid", 62, 2, 2), ("unpaid", 63, 0, 2),
    ("count", 1, 1, 1),
    ("capture", 50, 0, 4),
    ("unreadable", 70, 3, 0), ("unreadable", 50, 9, 0),
    ("early", 50, 0, 1), ("early", 99, 4, 2), ("early", 11, 3, 3),
    ("send", 11, 1, 0),
    ("knobs", 80, 3, 1), ("knobs", 81, 1, 0), ("route_one", 80, 0, 0), ("route_one", 81, 0, 0),
    ("correct", 80, 1, 0), ("readdress", 80, 3, 1), ("move", 80, 1, 0), ("move", 81, 0, 0),
    ("reroute", 80, 0, 0),
)  # fmt: skip


@pytest.fixture
def shops(tmp_path: Path) -> Iterator[Callable[[str], Shop]]:
    """Opens shops on ``memory`` or ``sqlite``, and closes them."""
    opened: list[Shop] = []

    def open_shop(kind: str) -> Shop:
        path = tmp_path / f"shop-{len(opened)}.db"
        opened.append(Shop("memory:" if kind == "memory" else str(path)))
        return opened[-1]

    yield open_shop
    for shop in opened:
        shop.dom.close()


@pytest.fixture(params=["memory", "sqlite"])
def busy(request: pytest.FixtureRequest, shops: Callable[[str], Shop]) -> Any:
    """A shop in which a bit of everything has happened."""
    shop = shops(request.param)
    return shop.live(BUSY_LIFE)
