"""Asking and telling a shop, against one in this process that misbehaves on order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve

from domcore.contracts import Channel, PullsOrders
from domcore.errors import ConnectorError
from domcore.model import (
    CancelOrder,
    CaptureOrder,
    Command,
    Envelope,
    Order,
    Package,
    Point,
    ShipmentNews,
    StockLevel,
    Unreadable,
)
from domcore.plugin_kit import Bucket
from domcore.testing import ChannelSuite, World

ALL = (("315", 2), ("316", 1), ("317", 3))


def news(
    order: Order,
    *packages: Package,
    lines: tuple[tuple[str, int], ...] = ALL,
    kind: str = "fulfillment.shipped",
    key: str = "event-9",
) -> ShipmentNews:
    at = datetime(2026, 3, 3, tzinfo=UTC)
    return ShipmentNews(key, order, kind, "7-1-NYC", "NYC", at, lines, packages)


def pulled(channel: PullsOrders, cursor: str = "") -> tuple[list[Command], str]:
    commands: list[Command] = []
    for _ in range(50):
        page = channel.pull(cursor)
        commands += page.commands
        cursor = page.cursor
        if not page.more:
            return commands, cursor
    raise AssertionError("it never ends")


def orders(commands: Sequence[Command]) -> list[Order]:
    return [each.order for each in commands if isinstance(each, CaptureOrder)]


def only(fake: Any) -> Order:
    (order,) = orders(pulled(fake.channel())[0])
    return order


class TestWoo(ChannelSuite):
    """`domcore.testing`'s suite on a shop that is polled and sends webhooks."""

    permutations = 100
    signed = True

    @pytest.fixture(autouse=True)
    def _fake(self, fake: Any, shop: Any) -> None:
        self.fake = fake
        self.shop = shop

    def channel(self) -> Channel:
        channel: Channel = self.fake.channel(
            virtual=["PATTERN"], services={"flat_rate": "ground"}, order_meta={"_gift": "gift"}
        )
        return channel

    def deliveries(self) -> list[Envelope]:
        shop = self.shop
        return [
            shop.deliver(shop.body(), "order.created"),
            shop.deliver(shop.body(status="cancelled")),
            shop.deliver({"id": 727}, "order.deleted"),
            shop.deliver({"id": 1}, "product.updated"),
            Envelope("blog", b"webhook_id=142"),
        ]

    def deliver(self, body: bytes) -> Envelope:
        envelope: Envelope = self.shop.deliver(body)
        return envelope

    def life(self) -> list[Envelope]:
        """Paid for after a while, edited, stopped and let go on, all within a few seconds."""

        def at(second: int, **fields: Any) -> Envelope:
            modified = f"2026-03-02T09:00:{second:02}"
            body = self.shop.body(None, date_modified_gmt=modified, **fields)
            if second >= 5:
                body["line_items"][0]["quantity"] = 1
                body["line_items"].pop(1)
            envelope: Envelope = self.shop.deliver(body)
            return envelope

        return [
            at(0, status="pending"),
            at(0, status="on-hold"),
            at(0, status="processing"),
            at(5, status="processing"),
            at(7, status="on-hold"),
            at(9, status="processing"),
            at(9, status="completed"),
        ]

    def personal_data(self) -> list[str]:
        return ["Nils", "Signe", "Aaberg", "Fjordgata", "Havnegata", "nils.aaberg@post.example"]

    def orders_appear(self, count: int) -> None:
        for _ in range(count):
            self.fake.place()

    def bad_order_appears(self) -> None:
        self.fake.place(lambda order: order["line_items"][0].update(quantity="many"))

    def more_than_a_page(self) -> int:
        self.orders_appear(5)
        return 5

    def golden(self) -> list[tuple[Envelope, dict[str, object]]]:
        """An order as the shop's pages show it."""
        values: dict[str, object] = {
            "order.external_id": "727",
            "order.number": "727",
            "order.currency": "EUR",
            "order.placed_at": datetime(2026, 3, 2, 8, 58, tzinfo=UTC),
            "order.lines.0.id": "315",
            "order.lines.0.quantity": 2,
            "order.destination.country": "NO",
        }
        return [(self.shop.deliver(self.shop.body(), "order.created"), values)]

    def levels(self) -> list[StockLevel]:
        return [
            StockLevel("A", ("product:22/23",), "", 5),
            StockLevel("MUG", (), "", 7),
            StockLevel("UNKNOWN", (), "", 1),
        ]

    def published(self) -> object:
        return dict(self.fake.stock)

    def news(self) -> ShipmentNews:
        self.fake.place()
        box = Package("box", ALL, "Posten", "NO1", "https://posten.example/NO1")
        return news(orders(pulled(self.fake.channel())[0])[0], box)

    def effects(self) -> int:
        notes = sum(map(len, self.fake.notes.values()))
        done = [each["id"] for each in self.fake.orders.values() if each["status"] == "completed"]
        return notes + len(done)

    def shop_is_down(self) -> AbstractContextManager[object]:
        return self.fake.server.down()  # type: ignore[no-any-return]

    def shop_fails_after(self, calls: int) -> AbstractContextManager[object]:
        last = len(self.fake.server.exchanges) + calls
        return self.fake.server.misbehaving("503", when=lambda call: call.number > last)  # type: ignore[no-any-return]

    def drops_the_answer(self) -> AbstractContextManager[object]:
        return self.fake.server.misbehaving("lost", when=lambda call: call.method != "GET")  # type: ignore[no-any-return]

    def secrets(self) -> list[str]:
        return ["canary", "Y2tfY2FuYXJ5", "a-webhook-secret"]


def test_orders_are_pulled_oldest_change_first(fake) -> None:
    for _ in range(5):
        fake.place()
    commands, _ = pulled(fake.channel())
    assert [each.external_id for each in orders(commands)] == ["727", "728", "729", "730", "731"]
    asked = dict(fake.server.exchanges[0].call.query)
    assert "modified_after" not in asked
    assert (asked["per_page"], asked["status"], asked["order"]) == ("100", "any", "asc")


def test_the_first_pull_begins_where_the_options_say(fake) -> None:
    for _ in range(5):
        fake.place()
    commands, _ = pulled(fake.channel(since="2026-03-02T09:03:00Z"))
    assert [each.external_id for each in orders(commands)] == ["730", "731"]


def test_more_orders_of_one_second_than_a_page_holds_are_all_found(fake) -> None:
    for _ in range(7):
        fake.place(lambda order: order.update(date_modified_gmt="2026-03-02T09:00:00"))
    commands, cursor = pulled(fake.channel())
    assert len(orders(commands)) == 7
    fake.place(lambda order: order.update(date_modified_gmt="2026-03-02T09:00:00"))
    assert [each.external_id for each in orders(pulled(fake.channel(), cursor)[0])] == ["734"]


def test_an_order_that_changes_between_two_pages_makes_none_slip_through(fake) -> None:
    for _ in range(6):
        fake.place()
    first = fake.channel().pull("")
    fake.orders[727]["date_modified_gmt"] = "2026-03-02T10:00:00"
    rest, _ = pulled(fake.channel(), first.cursor)
    told = {each.external_id for each in orders([*first.commands, *rest])}
    assert told == {"727", "728", "729", "730", "731", "732"}


def test_a_change_written_down_late_is_found(fake) -> None:
    for _ in range(3):
        fake.place()
    _, cursor = pulled(fake.channel())
    fake.place(lambda order: order.update(date_modified_gmt="2026-03-02T09:01:30"))
    assert [each.external_id for each in orders(pulled(fake.channel(), cursor)[0])] == ["730"]


def test_a_second_change_in_the_same_second_is_a_later_revision(fake) -> None:
    fake.place()
    commands, cursor = pulled(fake.channel())
    fake.orders[727]["line_items"][0]["quantity"] = 1
    later, cursor = pulled(fake.channel(), cursor)
    assert orders(later)[0].revision > orders(commands)[0].revision
    assert orders(later)[0].lines[0].quantity == 1
    assert pulled(fake.channel(), cursor)[0] == []


def test_what_a_webhook_has_told_is_the_same_when_it_is_pulled(fake, shop) -> None:
    id = fake.place()
    (hook,) = fake.channel().receive(shop.deliver(fake.orders[id]))
    assert hook.order == only(fake)


def test_refunded_units_are_taken_off(fake) -> None:
    id = fake.place()
    fake.page_size = 1
    fake.refund(id, (315, 1), (317, 1))
    fake.refund(id, (317, 5))
    assert [line.quantity for line in only(fake).lines] == [1, 1, 0]


def test_a_refund_of_money_alone_takes_nothing_off(fake) -> None:
    id = fake.place()
    fake.refund(id)
    assert [line.quantity for line in only(fake).lines] == [2, 1, 3]


def test_an_old_refund_names_only_the_product(fake) -> None:
    id = fake.place()
    fake.refund(id, (315, 1))
    fake.refunds[id][0]["line_items"][0].update(meta_data=[], product_id=22, variation_id=23)
    assert [line.quantity for line in only(fake).lines] == [2, 0, 3]


def test_refunds_that_cannot_be_had_stop_the_page_and_lose_nothing(fake) -> None:
    fake.place()
    fake.refund(fake.place(), (315, 1))
    broken = fake.server.misbehaving("500", when=lambda call: call.path.endswith("refunds"))
    with broken, pytest.raises(ConnectorError, match="500"):
        fake.channel().pull("")
    assert len(orders(pulled(fake.channel())[0])) == 2


def test_a_refund_that_cannot_be_read_is_told_and_stops_no_other_order(fake) -> None:
    fake.place()
    id = fake.place()
    fake.refund(id, (315, 1))
    fake.refunds[id][0]["line_items"] = "Nils"
    fake.place()
    commands, _ = pulled(fake.channel())
    assert [type(each) for each in commands] == [CaptureOrder, Unreadable, CaptureOrder]
    assert "Nils" not in commands[1].reason


def test_an_order_that_cannot_be_read_does_not_stop_the_others(fake, caplog) -> None:
    fake.place()
    fake.place(lambda order: order["line_items"][0].update(quantity="Aaberg"))
    fake.place()
    commands, cursor = pulled(fake.channel())
    assert [type(each) for each in commands] == [CaptureOrder, Unreadable, CaptureOrder]
    assert "$.line_items[0].quantity" in commands[1].reason
    assert commands[1].external_id
    assert commands[1].revision > 0
    assert "Aaberg" not in commands[1].reason + caplog.text
    assert pulled(fake.channel(), cursor)[0] == []


def test_cancelled_orders_are_pulled_as_cancelled(fake) -> None:
    fake.place(status="refunded")
    assert isinstance(pulled(fake.channel())[0][0], CancelOrder)


@pytest.mark.parametrize("text", ["x", "[]", "null", '{"page": "x"}', '{"told": {"a": 1}}'])
def test_a_cursor_that_cannot_be_read_begins_anew(fake, text: str) -> None:
    fake.place()
    assert len(pulled(fake.channel(), text)[0]) == 1


def test_an_answer_that_is_no_list_is_an_error(fake) -> None:
    fake.server.misbehave("garbage")
    with pytest.raises(ConnectorError, match="not JSON"):
        fake.channel().pull("")


def test_a_shop_that_asks_for_patience_is_given_it(fake) -> None:
    fake.place()
    fake.server.misbehave("429", "503", "dropped")
    assert len(pulled(fake.channel())[0]) == 1
    fake.server = type(fake.server)(fake.answer, retry_after=90)
    fake.server.misbehave("429")
    with pytest.raises(ConnectorError) as caught:
        fake.channel().pull("")
    assert caught.value.retry_after == 90


def test_refused_secrets_are_said_and_not_shown(fake) -> None:
    with pytest.raises(ConnectorError, match="401, key and secret are not accepted") as caught:
        fake.channel(secret="cs_canary_other").pull("")
    assert "canary" not in repr(caught.value)


def test_calls_keep_their_pace() -> None:
    waits: list[float] = []
    bucket = Bucket(2, 4, clock=lambda: 0.0, sleep=waits.append)
    for _ in range(4):
        bucket.take()
    assert waits == [0.25, 0.5]


def test_levels_go_to_products_and_variations_in_batches(fake) -> None:
    fake.channel().publish_stock(TestWoo.levels(None))  # type: ignore[arg-type]
    assert fake.stock == {22: 0, 23: 5, 93: 7}
    fake.channel().publish_stock([StockLevel("CUP-RED", (), "", 4)])
    assert fake.stock[23] == 4
    fake.stock.update(dict.fromkeys(range(1000, 1250), 0))
    many = [StockLevel(f"S{id}", (f"product:{id}",), "", 3) for id in range(1000, 1250)]
    calls = len(fake.server.exchanges)
    fake.channel().publish_stock(many)
    assert len(fake.server.exchanges) - calls == 3
    assert {fake.stock[id] for id in range(1000, 1250)} == {3}


def test_a_product_that_is_gone_stops_no_other(fake, caplog) -> None:
    gone = StockLevel("OLD", ("product:404",), "", 1)
    fake.channel().publish_stock([gone, StockLevel("MUG", ("product:93",), "", 2)])
    assert fake.stock[93] == 2
    assert "no products 404" in caplog.text


def test_a_product_that_is_refused_for_now_comes_again(fake) -> None:
    fake.locked.add(93)
    levels = [StockLevel("MUG", ("product:93",), "", 2), StockLevel("C", ("product:22",), "", 1)]
    with pytest.raises(ConnectorError, match="products 93 were refused"):
        fake.channel().publish_stock(levels)
    fake.locked.clear()
    fake.channel().publish_stock(levels)
    assert (fake.stock[93], fake.stock[22]) == (2, 1)


def test_an_order_is_completed_when_all_of_it_has_left(fake) -> None:
    fake.place()
    order = only(fake)
    first = news(order, Package("a", tracking="T1"), lines=(("315", 2), ("317", 3)), key="e-1")
    fake.channel().notify(first)
    assert fake.orders[727]["status"] == "processing"
    fake.channel().notify(first)
    rest = news(order, Package("b", tracking="T2"), lines=(("316", 1),), key="e-2")
    fake.channel().notify(rest)
    assert fake.orders[727]["status"] == "completed"
    assert [each["note"] for each in fake.notes[727]] == [
        "Shipped: T1 (domcore e-1)",
        "Shipped: T2 (domcore e-2)",
    ]
    assert fake.notes[727][0]["customer_note"] is False
    (meta,) = [each for each in fake.orders[727]["meta_data"] if "domcore" in each["key"]]
    assert json.loads(meta["value"]) == {"e-1": {"315": 2, "317": 3}, "e-2": {"316": 1}}


def test_lines_that_do_not_ship_are_not_waited_for(fake) -> None:
    fake.place()
    (order,) = orders(pulled(fake.channel(virtual=["PATTERN"]))[0])
    fake.channel().notify(news(order, lines=(("315", 2), ("316", 1))))
    assert fake.orders[727]["status"] == "completed"


def test_the_status_is_left_alone_where_the_shop_wants_that(fake) -> None:
    fake.place()
    fake.channel(complete=False).notify(news(only(fake)))
    assert fake.orders[727]["status"] == "processing"
    assert len(fake.notes[727]) == 1


def test_an_order_refunded_meanwhile_is_not_completed(fake) -> None:
    fake.place()
    order = only(fake)
    fake.orders[727]["status"] = "refunded"
    fake.channel().notify(news(order))
    assert fake.orders[727]["status"] == "refunded"


def test_an_order_cancelled_here_is_cancelled_there(fake) -> None:
    fake.place()
    order = only(fake)
    told = news(order, kind="order.cancelled", lines=())
    fake.channel(cancellations="off").notify(told)
    assert fake.orders[727]["status"] == "processing"
    fake.channel().notify(told)
    fake.channel().notify(told)
    assert fake.orders[727]["status"] == "cancelled"


def test_an_order_that_has_left_in_part_is_left_to_a_person(fake) -> None:
    fake.place()
    order = only(fake)
    fake.channel().notify(news(order, lines=(("315", 1),)))
    with pytest.raises(ConnectorError, match="refund the rest in the shop"):
        fake.channel().notify(news(order, kind="order.cancelled", lines=(), key="e-2"))


@pytest.mark.parametrize("value", ["{", "[]", '{"a": 1}', '{"a": {"315": "x"}}', None, 7])
def test_what_somebody_spoiled_in_the_shop_is_written_anew(fake, value: object) -> None:
    fake.place()
    order = only(fake)
    fake.orders[727]["meta_data"].append({"id": 5, "key": "_domcore_shipped", "value": value})
    fake.channel().notify(news(order))
    assert fake.orders[727]["status"] == "completed"


def test_other_news_is_no_call(fake) -> None:
    fake.place()
    order = only(fake)
    calls = len(fake.server.exchanges)
    fake.channel().notify(news(order, kind="fulfillment.delivered"))
    assert len(fake.server.exchanges) == calls


@pytest.mark.parametrize("id", ["../x", "1/../2", "", "٣", "1?x"])
def test_only_a_number_of_the_shops_goes_into_a_path(fake, id: str) -> None:
    other = Order("main", "blog", id, 1, datetime(2026, 1, 1, tzinfo=UTC), "EUR", ())
    with pytest.raises(ConnectorError):
        fake.channel().notify(news(other))
    assert not fake.server.exchanges


def test_a_stopped_order_gives_its_stock_back_and_may_go_on(shop) -> None:
    world = World("EUR").node("A", at=(60.4, 5.3), country="NO").stock("MUG", A=9)
    for sku in ("MUG", "product:22/23", "PATTERN"):
        world.item(sku)

    def at(minute: int, status: str) -> Command:
        modified = f"2026-03-02T09:{minute:02}:00"
        command = shop.read(shop.body(status=status, date_modified_gmt=modified))
        bergen = evolve(command.order.destination, point=Point.from_degrees(60.4, 5.3))
        return evolve(command, order=evolve(command.order, destination=bergen))

    with world.open() as dom:
        dom.apply([at(1, "processing")])
        dom.reserve("727", minutes=60)
        assert {row.reserved for row in dom.stock()} == {2}
        dom.apply([at(2, "on-hold")])
        assert {row.reserved for row in dom.stock()} == {2}
        assert [hold.code for hold in dom.order("727").summary.holds] == ["unpaid"]
        dom.apply([at(3, "failed")])
        assert {row.reserved for row in dom.stock()} == {0}
        dom.apply([at(4, "processing")])
        assert [line.open for line in dom.order("727").lines] == [2, 1, 3]


def test_what_left_counts_under_whatever_word_it_was_told(fake) -> None:
    fake.place()
    order = only(fake)
    lines = [["315", "shipped", 1], ["315", "freed", 1], ["316", "shipped", 1]]
    plain = news(order, kind="fulfillment.delivered", lines=())
    again = {"lines": lines, "reason": "left after all"}
    fake.channel().notify(evolve(plain, body=again))
    fake.channel().notify(evolve(plain, body={"lines": [lines[1]]}))
    assert not fake.notes[727]
    fake.channel().notify(evolve(plain, body={"lines": lines}))
    (meta,) = [each for each in fake.orders[727]["meta_data"] if "domcore" in each["key"]]
    assert json.loads(meta["value"]) == {"event-9": {"315": 1, "316": 1}}
