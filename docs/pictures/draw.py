"""Draws the pictures of the documentation: ``python docs/pictures/draw.py``.

What a picture tells of decisions and figures is asked of domcore itself; a test draws all again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random

from canvas import AMBER_CARD, GRAY_CARD, PALE, RED_CARD, TEAL, TEAL_CARD, Canvas

from domcore import ActivationSettings, Domcore, Settings
from domcore.model import Notice, ObserveStock, Package, StockCount, difference_shown, money_text
from domcore.store.protocol import OrderFilter
from domcore.testing.builder import World

HERE = Path(__file__).parent


def flow() -> str:
    """How data goes through domcore, in one direction."""
    canvas = Canvas(
        920,
        430,
        "Orders come in from channels, are planned and committed, handed to nodes and followed",
    )
    canvas.card(20, 70, 150, 76, ["Channels", "web shops, stores,", "marketplaces, files"])
    canvas.card(20, 190, 150, 76, ["Stock news", "counts, deltas,", "feeds"])
    canvas.card(220, 120, 130, 76, ["Commands", "read, checked,", "known by a key"])
    canvas.card(400, 20, 300, 250, [], fill="#f8fafc")
    canvas.text(550, 44, "Deciding: one pure function", anchor="middle", bold=True)
    steps = [
        "snapshot of the stock",
        "candidates: who holds it",
        "facts and rules: the policy",
        "plan: least cost, with a proof",
        "holds: reasons for a person",
    ]
    for number, step in enumerate(steps):
        canvas.card(425, 58 + 41 * number, 250, 31, [step], fill=TEAL_CARD, edge=TEAL)
        if number:
            canvas.arrow([(550, 48 + 41 * number), (550, 57 + 41 * number)])
    canvas.card(
        750,
        90,
        150,
        116,
        ["Commit", "stock, decision,", "work and events", "in one transaction"],
        fill=AMBER_CARD,
        edge="#b45309",
    )
    canvas.card(750, 320, 150, 76, ["Work", "what is due: hand", "over, poll, retry"])
    canvas.card(500, 320, 180, 76, ["Nodes", "stores, DCs, 3PLs,", "by connector or person"])
    canvas.card(
        220, 320, 200, 76, ["Notices", "accepted, rejected, shipped,", "delivered, returned"]
    )
    canvas.card(
        20,
        320,
        150,
        76,
        ["Ask at any time", "explain, timeline,", "exceptions, kpi"],
        fill="#e0f2fe",
        edge="#0369a1",
    )
    for points in (
        [(170, 108), (195, 108), (195, 148), (219, 148)],
        [(170, 228), (195, 228), (195, 168), (219, 168)],
        [(350, 158), (399, 158)],
        [(700, 148), (749, 148)],
        [(825, 206), (825, 319)],
        [(750, 358), (681, 358)],
        [(500, 358), (421, 358)],
        [(285, 319), (285, 197)],
    ):
        canvas.arrow(points)
    canvas.text(295, 262, "what is open again", size=11, color=PALE)
    canvas.text(295, 277, "is planned again", size=11, color=PALE)
    return canvas.svg()


def order_states() -> str:
    """What an order's status says; all of it follows from where its units are."""
    canvas = Canvas(920, 330, "The states of an order, from open to shipped or cancelled")
    at = {
        "held": (190, 30),
        "open": (20, 130),
        "short": (190, 230),
        "partly allocated": (370, 230),
        "reserved": (370, 30),
        "allocated": (370, 130),
        "partly shipped": (560, 130),
        "shipped": (745, 130),
        "cancelled": (745, 230),
        "empty": (745, 30),
    }
    said = {
        "open": "waits for route",
        "held": "waits for a person",
        "short": "nothing may ship it now",
        "partly allocated": "some units are short",
        "reserved": "for a while, as a cart",
        "allocated": "nodes have the work",
        "partly shipped": "some has left",
        "shipped": "all has left",
        "cancelled": "nothing will leave",
        "empty": "every line was taken off",
    }
    for name, (x, y) in at.items():
        fill = (
            TEAL_CARD
            if name in ("shipped", "allocated")
            else RED_CARD
            if name in ("held", "short")
            else GRAY_CARD
        )
        canvas.card(x, y, 160, 56, [name, said[name]], fill=fill)
    for points, label, spot in (
        ([(100, 130), (100, 58), (189, 58)], "hold", (140, 50)),
        ([(270, 86), (270, 148), (181, 148)], "approve", (298, 112)),
        ([(180, 166), (369, 166)], "route", (230, 180)),
        ([(100, 186), (100, 258), (189, 258)], "no stock", (140, 250)),
        ([(350, 258), (369, 258)], "", (0, 0)),
        ([(450, 230), (450, 187)], "stock comes", (490, 212)),
        ([(450, 86), (450, 129)], "keep", (470, 112)),
        ([(530, 158), (559, 158)], "", (0, 0)),
        ([(720, 158), (744, 158)], "", (0, 0)),
        ([(490, 130), (490, 105), (825, 105), (825, 129)], "all in one", (640, 99)),
        ([(530, 176), (545, 176), (545, 258), (744, 258)], "cancel", (640, 250)),
    ):
        canvas.arrow(points, label=label, at=spot)
    canvas.text(
        20,
        318,
        "A rejection, a lost count or a change opens units again; the order is routed anew.",
        size=12,
        color=PALE,
    )
    return canvas.svg()


def work_states() -> str:
    """What a fulfillment order's status says, and who says it."""
    canvas = Canvas(920, 330, "The states of a fulfillment order, from requested to delivered")
    at = {
        "on_hold": (20, 30),
        "requested": (20, 130),
        "accepted": (200, 130),
        "in_progress": (380, 130),
        "partially_shipped": (560, 30),
        "shipped": (560, 130),
        "delivered": (750, 130),
        "returned": (750, 30),
        "rejected": (200, 230),
        "exception": (380, 230),
        "cancel_requested": (560, 230),
        "cancelled": (750, 230),
    }
    for name, (x, y) in at.items():
        fill = (
            TEAL_CARD
            if name in ("shipped", "delivered", "partially_shipped")
            else RED_CARD
            if name in ("rejected", "exception", "on_hold")
            else GRAY_CARD
        )
        canvas.card(x, y, 150, 46, [name], fill=fill)
    for points in (
        [(95, 76), (95, 129)],
        [(170, 153), (199, 153)],
        [(350, 153), (379, 153)],
        [(530, 153), (559, 153)],
        [(710, 153), (749, 153)],
        [(825, 130), (825, 77)],
        [(455, 130), (455, 53), (559, 53)],
        [(635, 76), (635, 129)],
        [(95, 176), (95, 253), (199, 253)],
        [(275, 176), (275, 229)],
        [(455, 176), (455, 229)],
        [(710, 253), (749, 253)],
        [(490, 176), (490, 205), (635, 205), (635, 229)],
    ):
        canvas.arrow(points)
    canvas.text(
        20,
        318,
        "News may come late, twice and in any order: the state is worked out from all of it.",
        size=12,
        color=PALE,
    )
    return canvas.svg()


def split() -> str:
    """A split order and its alternatives, as `explain` tells them."""
    world = (
        World()
        .node("EAST", at=(40.0, -75.2))
        .node("CENTRAL", at=(39.8, -86.2))
        .node("WEST", at=(34.1, -117.4))
    )
    world.node("BOSTON", at=(42.4, -71.1), kind="store", handling=("3.00",))
    world.item("LAMP", weight=2200).item("MUG", weight=400).item("RUG", weight=5200)
    world.stock("LAMP", EAST=4, WEST=9, BOSTON=1).stock(
        "MUG", EAST=20, CENTRAL=30, WEST=30, BOSTON=6
    )
    world.stock("RUG", CENTRAL=3, WEST=5)
    with world.open(
        Settings(
            store="memory:", owners={"main": "USD"}, activate=(ActivationSettings("cost-first"),)
        )
    ) as dom:
        dom.capture(world.order("1001", LAMP=1, MUG=2, RUG=1))
        dom.route()
        told = dom.explain("1001")
        others = [dom.explain("1001", why_not=story.node).asked for story in told.others]
    rows = [
        (
            "chosen",
            told.cost,
            [(parcel.node, parcel.contents, parcel.cost) for parcel in told.parcels],
        )
    ]
    for story in others:
        if story is not None and story.alternative_cost is not None:
            takes: dict[str, list[tuple[str, int]]] = {}
            for node, sku, units in story.alternative:
                takes.setdefault(node, []).append((sku, units))
            rows.append(
                (
                    f"with {story.node}",
                    story.alternative_cost,
                    [(node, held, 0) for node, held in takes.items()],
                )
            )
    canvas = Canvas(
        920,
        76 + 66 * len(rows),
        "One order split over two nodes, and the cheapest plan with each other node",
    )
    canvas.text(
        20,
        34,
        "1 x LAMP, 2 x MUG, 1 x RUG to New York: the plan, and what each other node would cost",
        bold=True,
        size=14,
    )
    most = max(cost for _, cost, _ in rows)
    for number, (name, cost, parcels) in enumerate(rows):
        top = 58 + 66 * number
        canvas.text(20, top + 20, name, bold=not number)
        canvas.bar(140, top, 560 * cost / most, 28, TEAL if not number else "#94a3b8")
        canvas.text(
            150 + 560 * cost / most,
            top + 19,
            money_text(cost, "USD")
            + (
                ""
                if not number
                else f"  (+{money_text(difference_shown(told.cost, cost, 'USD'), 'USD')})"
            ),
            bold=not number,
        )
        shown = "   +   ".join(
            f"{node}: " + ", ".join(f"{units} x {sku}" for sku, units in held)
            for node, held, _ in parcels
        )
        canvas.text(140, top + 45, shown, size=12, color=PALE)
    return canvas.svg()


def month() -> str:
    """Figures over four weeks of a small shop: `Domcore.kpi` asked for each day."""
    world = (
        World()
        .node("EAST", at=(40.0, -75.2))
        .node("CENTRAL", at=(39.8, -86.2))
        .node("WEST", at=(34.1, -117.4))
    )
    skus = [f"SKU-{number:02}" for number in range(30)]
    random = Random(7)
    for sku in skus:
        world.item(sku, weight=random.choice((300, 900, 2400)))
    days = []
    with world.open() as dom:
        for day in range(28):
            start = world.clock()
            if day % 7 == 0:
                _fill_the_shelves(dom, skus, random)
            for number in range(random.randrange(14, 24)):
                lines = {
                    sku: random.choice((1, 1, 2))
                    for sku in random.sample(skus, random.choice((1, 1, 2, 3, 4)))
                }
                dom.capture(world.order(f"{day}-{number}", lines=lines))
            dom.route()
            days.append(dom.kpi(since=start, until=start + timedelta(hours=1)))
            _a_day_of_work(dom, world)
            world.clock.forward(hours=23)
    canvas = Canvas(920, 400, "Orders, fill rate, split rate and cost per order over four weeks")
    _panel(canvas, 30, "orders a day", [each.orders for each in days], lambda value: f"{value:.0f}")
    _panel(
        canvas,
        120,
        "fill rate",
        [100 * (each.fill.rate or 0) for each in days],
        lambda value: f"{value:.0f} %",
    )
    _panel(
        canvas,
        210,
        "split rate",
        [100 * (each.split.rate or 0) for each in days],
        lambda value: f"{value:.0f} %",
    )
    _panel(
        canvas,
        300,
        "cost per order",
        [each.costs[0].per_order / 1e6 for each in days],
        lambda value: f"${value:.2f}",
    )
    for week in range(5):
        day = days[0].at + timedelta(days=7 * week)
        canvas.text(
            150 + 680 * min(7 * week, 27) / 27,
            392,
            f"{day:%d %b}",
            size=11,
            anchor="middle",
            color=PALE,
        )
    return canvas.svg()


def _fill_the_shelves(dom: Domcore, skus: Sequence[str], random: Random) -> None:
    """Once a week; no node is given everything."""
    dom.observe(
        ObserveStock(
            "main",
            tuple(
                StockCount(sku, node, on_hand=random.randrange(6, 13))
                for sku in skus
                for node in random.sample(("EAST", "CENTRAL", "WEST"), 2)
            ),
        )
    )


def _a_day_of_work(dom: Domcore, world: World) -> None:
    world.clock.forward(hours=1)
    for order in dom.orders(OrderFilter(status="allocated"), limit=1000):
        for work in dom.order(f"web/{order.external_id}").fulfillment_orders:
            if work.status == "requested":
                box = Package(f"box-{work.id}", tracking=f"1Z{work.id}")
                dom.record(Notice(work.id, "shipped", dom.now(), packages=(box,)))


def _panel(
    canvas: Canvas, top: float, name: str, values: list[float], told: Callable[[float], str]
) -> None:
    low, high = min(values), max(values)
    span = (high - low) or 1
    canvas.text(20, top + 38, name, bold=True)
    canvas.text(140, top + 12, told(high), size=11, anchor="end", color=PALE)
    canvas.text(140, top + 70, told(low), size=11, anchor="end", color=PALE)
    canvas.line([(150, top + 66), (830, top + 66)], color="#e5e7eb")
    canvas.line([(150, top + 8), (830, top + 8)], color="#e5e7eb")
    points = [
        (150 + 680 * day / 27, top + 66 - 58 * (value - low) / span)
        for day, value in enumerate(values)
    ]
    canvas.line(points, color=TEAL, width=2)
    canvas.text(840, points[-1][1] + 4, told(values[-1]), size=11, color=TEAL)


PICTURES = {
    "flow": flow,
    "order-states": order_states,
    "work-states": work_states,
    "split": split,
    "month": month,
}


def main() -> None:
    """Write every picture beside this file."""
    for name, draw in PICTURES.items():
        (HERE / f"{name}.svg").write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main()
