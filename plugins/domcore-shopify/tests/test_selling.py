"""Asking and telling a shop, against one in this process that misbehaves on order."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve

from domcore.contracts import Channel, HearsNews, PublishesStock, PullsOrders
from domcore.errors import ConfigurationError, ConnectorError
from domcore.model import (
    CancelOrder,
    CaptureOrder,
    Command,
    Envelope,
    Order,
    Package,
    ShipmentNews,
    StockLevel,
    Unreadable,
)
from domcore.plugin_kit import Bucket
from domcore.settings import ChannelSettings
from domcore.testing import ChannelSuite
from domcore_shopify.api import Api
from domcore_shopify.building import build_channels

SHIPPED = "fulfillment.shipped"


def news(
    order: Order,
    *packages: Package,
    lines: tuple[tuple[str, int], ...] = (("101", 2),),
    kind: str = SHIPPED,
    node: str = "NYC",
) -> ShipmentNews:
    at = datetime(2026, 3, 3, tzinfo=UTC)
    return ShipmentNews("event-9", order, kind, f"7-1-{node}", node, at, lines, packages)


def order_of(fake: Any, id: int = 5501) -> Order:
    found = next(
        each.order
        for each in pulled(fake.channel())[0]
        if isinstance(each, CaptureOrder) and each.order.external_id == str(id)
    )
    assert isinstance(found, Order)
    return found


def pulled(channel: PullsOrders, cursor: str = "") -> tuple[list[Command], str]:
    commands: list[Command] = []
    for _ in range(50):
        page = channel.pull(cursor)
        commands += page.commands
        cursor = page.cursor
        if not page.more:
            return commands, cursor
    raise AssertionError("it never ends")


class TestShop(ChannelSuite):
    """`domcore.testing`'s suite on a channel with an access token."""

    signed = True

    @pytest.fixture(autouse=True)
    def _fake(self, fake: Any, shop: Any) -> None:
        self.fake = fake
        self.shop = shop

    def channel(self) -> Channel:
        channel: Channel = self.fake.channel()
        return channel

    def deliveries(self) -> list[Envelope]:
        return [self.shop.deliver(self.shop.body())]

    def deliver(self, body: bytes) -> Envelope:
        envelope: Envelope = self.shop.deliver(body)
        return envelope

    def orders_appear(self, count: int) -> None:
        for _ in range(count):
            self.fake.place()

    def bad_order_appears(self) -> None:
        self.fake.place(lambda order: order["line_items"][0].update(quantity="many"))

    def more_than_a_page(self) -> int:
        self.orders_appear(5)
        return 5

    def levels(self) -> list[StockLevel]:
        return [
            StockLevel("MUG", ("inventory_item:71", "variant:9"), "NYC", 5),
            StockLevel("MUG", ("inventory_item:71",), "LAX", 0),
            StockLevel("CUP", (), "NYC", 3),
        ]

    def published(self) -> object:
        return dict(self.fake.available)

    def news(self) -> ShipmentNews:
        self.fake.place()
        box = Package("box", (("101", 2),), "UPS", "1Z999", "https://ups.example/1Z999")
        return news(order_of(self.fake), box)

    def effects(self) -> int:
        return sum(map(len, self.fake.fulfillments.values()))

    def shop_is_down(self) -> AbstractContextManager[object]:
        return self.fake.server.down()  # type: ignore[no-any-return]

    def shop_fails_after(self, calls: int) -> AbstractContextManager[object]:
        last = len(self.fake.server.exchanges) + calls
        return self.fake.server.misbehaving("500", when=lambda call: call.number > last)  # type: ignore[no-any-return]

    def drops_the_answer(self) -> AbstractContextManager[object]:
        return self.fake.server.misbehaving("lost", when=lambda call: call.method == "POST")  # type: ignore[no-any-return]

    def secrets(self) -> list[str]:
        return ["canary", "a-secret-of-the-app"]


def test_only_a_channel_with_a_token_is_asked_and_told(fake, shop) -> None:
    for protocol in (PullsOrders, PublishesStock, HearsNews):
        assert isinstance(fake.channel(), protocol)
        assert not isinstance(shop.channel, protocol)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"shop": ""}, "needs the shop's domain"),
        ({"shop": "https://acme.example/x"}, "needs the shop's domain"),
        ({"api_version": "../2026"}, "api_version"),
        ({"locations": {"NYC": "11"}}, "locations"),
        ({"locations": {"1": "NYC", "2": "NYC"}}, "two locations"),
        ({"stock": "counts"}, "publish = 'off'"),
        ({"token": "env:NOT_SET"}, "NOT_SET is not set; it should hold the access token"),
    ],
)
def test_wrong_options_of_a_shop_say_what_is_wrong(options, match: str) -> None:
    given = {"token": "shpat_canary", "shop": "acme.myshopify.com", "secrets": ["s"], **options}
    with pytest.raises(ConfigurationError, match=match) as caught:
        build_channels([ChannelSettings("web", "shopify", "main", given)], {}, 0)
    assert "canary" not in str(caught.value)


def test_a_token_from_the_environment_opens_a_shop() -> None:
    given = {"token": "env:T", "shop": "acme.myshopify.com"}
    settings = ChannelSettings("web", "shopify", "main", given)
    (channel,) = build_channels([settings], {"T": "shpat_canary"}, 0)
    assert isinstance(channel, PullsOrders)
    assert "canary" not in repr(channel)


def test_orders_are_pulled_oldest_change_first_and_page_by_page(fake) -> None:
    for _ in range(5):
        fake.place()
    commands, _ = pulled(fake.channel())
    ids = [each.order.external_id for each in commands if isinstance(each, CaptureOrder)]
    assert ids == ["5501", "5502", "5503", "5504", "5505"]
    first = fake.server.exchanges[0].call
    assert dict(first.query) == {"status": "any", "limit": "250", "order": "updated_at asc"}


def test_the_first_pull_begins_where_the_options_say(fake) -> None:
    for _ in range(5):
        fake.place()
    commands, _ = pulled(fake.channel(since="2026-03-02T09:03:00Z"))
    assert [each.order.external_id for each in commands] == ["5504", "5505"]


def test_a_second_change_in_the_same_second_is_told_as_a_later_revision(fake) -> None:
    fake.place()
    commands, cursor = pulled(fake.channel())
    fake.orders[5501]["tags"] = "changed"
    later, cursor = pulled(fake.channel(), cursor)
    assert later[0].order.revision > commands[0].order.revision
    assert later[0].order.revision - commands[0].order.revision < 1_000_000
    assert pulled(fake.channel(), cursor)[0] == []


def test_what_a_webhook_has_told_is_no_news_when_it_is_pulled(fake, shop) -> None:
    changed = "2026-03-02T09:00:00Z"
    fake.place(lambda order: order.update(updated_at=changed))
    hook = shop.captured(
        lambda order: order.update(updated_at=changed), triggered_at="2026-03-02T09:00:00.750Z"
    )
    commands, _ = pulled(fake.channel())
    assert commands[0].order.revision == hook.order.revision


def test_a_page_that_shopify_has_forgotten_is_read_again_from_its_start(fake) -> None:
    for _ in range(5):
        fake.place()
    page = fake.channel().pull("")
    state = json.loads(page.cursor)
    assert state["page"]
    state["page"] = "expired"
    commands, _ = pulled(fake.channel(), json.dumps(state))
    told = {each.order.external_id for each in (*page.commands, *commands)}
    assert told == {"5501", "5502", "5503", "5504", "5505"}


@pytest.mark.parametrize("text", ["x", "[]", "{}", '{"told": 3}', '{"since": "x"}', "null"])
def test_a_cursor_that_cannot_be_read_begins_anew(fake, text: str) -> None:
    fake.place()
    assert len(pulled(fake.channel(), text)[0]) == 1


def test_an_order_that_cannot_be_read_does_not_stop_the_others(fake, caplog) -> None:
    fake.place()
    fake.place(lambda order: order["line_items"][0].update(quantity="many Okafor"))
    fake.place()
    commands, cursor = pulled(fake.channel())
    assert [type(each) for each in commands] == [CaptureOrder, Unreadable, CaptureOrder]
    assert "$.line_items[0].quantity: must be a whole number" in commands[1].reason
    assert commands[1].external_id
    assert commands[1].revision > 0
    assert "Okafor" not in commands[1].reason + caplog.text
    assert pulled(fake.channel(), cursor)[0] == []


def test_a_cancelled_order_is_pulled_as_cancelled(fake) -> None:
    fake.place(lambda order: order.update(cancelled_at="2026-03-02T09:00:00Z"))
    (command,) = pulled(fake.channel())[0]
    assert isinstance(command, CancelOrder)


def test_levels_go_to_the_items_they_are_of_and_others_nowhere(fake) -> None:
    levels = TestShop.levels(None)  # type: ignore[arg-type]
    fake.channel().publish_stock(levels)
    assert fake.available == {(71, 11): 5, (71, 22): 0}


def test_a_level_of_all_nodes_needs_one_location(fake) -> None:
    level = [StockLevel("MUG", ("inventory_item:71",), "", 9)]
    fake.channel(locations={"11": "NYC"}).publish_stock(level)
    assert fake.available == {(71, 11): 9}
    with pytest.raises(ConnectorError, match="publish = 'nodes'"):
        fake.channel().publish_stock(level)


def test_a_box_is_told_with_its_tracking_at_the_location_of_its_node(fake) -> None:
    fake.place()
    box = Package("b1", (("101", 1), ("102", 1)), "UPS", "1Z1", "https://ups.example/1Z1")
    fake.channel().notify(news(order_of(fake), box, lines=(("101", 1), ("102", 1))))
    (told,) = fake.fulfillments[5501]
    assert told["line_items"] == [{"id": 101, "quantity": 1}, {"id": 102, "quantity": 1}]
    assert (told["tracking_number"], told["tracking_company"]) == ("1Z1", "UPS")
    posted = fake.server.exchanges[-1].call.json()["fulfillment"]
    assert posted["notify_customer"] is False


def test_boxes_of_one_news_are_told_one_by_one(fake) -> None:
    fake.place()
    boxes = [Package("b1", (("101", 1),), tracking="T1"), Package("b2", (), tracking="T2")]
    told = news(order_of(fake), *boxes, lines=(("101", 2), ("102", 1)))
    fake.channel().notify(told)
    assert [(each["tracking_number"], each["line_items"]) for each in fake.fulfillments[5501]] == [
        ("T1", [{"id": 101, "quantity": 1}]),
        ("T2", [{"id": 101, "quantity": 1}, {"id": 102, "quantity": 1}]),
    ]


def test_a_box_that_names_skus_is_told_by_line(fake) -> None:
    fake.place()
    box = Package("b1", (("MUG-BLUE", 3),), tracking="T1")
    fake.channel().notify(news(order_of(fake), box, lines=(("101", 2), ("102", 1))))
    (told,) = fake.fulfillments[5501]
    assert told["line_items"] == [{"id": 101, "quantity": 2}, {"id": 102, "quantity": 1}]


def test_goods_without_a_box_are_told_under_the_fulfillment_order(fake) -> None:
    fake.place()
    fake.channel().notify(news(order_of(fake)))
    fake.channel().notify(news(order_of(fake)))
    (told,) = fake.fulfillments[5501]
    assert told["tracking_number"] == "7-1-NYC"


def test_lines_at_two_locations_are_two_fulfillments_and_still_told_once(fake) -> None:
    fake.place()
    box = Package("b1", (), tracking="T1")
    told = news(order_of(fake), box, lines=(("101", 1), ("103", 1)))
    with fake.server.misbehaving("lost", when=lambda call: call.method == "POST"):
        for _ in range(2):
            with pytest.raises(ConnectorError):
                fake.channel().notify(told)
    fake.channel().notify(told)
    assert [each["line_items"] for each in fake.fulfillments[5501]] == [
        [{"id": 101, "quantity": 1}],
        [{"id": 103, "quantity": 1}],
    ]


def test_what_somebody_fulfilled_in_shopify_already_is_let_be(fake, caplog) -> None:
    fake.place()
    order = order_of(fake)
    for each in fake.open[5501]:
        each["status"] = "closed"
    fake.channel().notify(news(order))
    assert fake.fulfillments[5501] == []
    assert "nothing left to fulfill" in caplog.text


def test_an_order_on_hold_in_shopify_waits_for_a_person(fake) -> None:
    fake.place()
    order = order_of(fake)
    fake.open[5501][0]["status"] = "on_hold"
    with pytest.raises(ConnectorError, match="release the hold"):
        fake.channel().notify(news(order))


def test_an_order_cancelled_here_is_cancelled_there_once(fake) -> None:
    fake.place()
    told = news(order_of(fake), kind="order.cancelled", lines=())
    fake.channel(cancellations="off").notify(told)
    assert fake.cancelled == []
    with fake.server.misbehaving("lost", when=lambda call: call.method == "POST"):
        with pytest.raises(ConnectorError) as caught:
            fake.channel().notify(told)
        assert caught.value.unknown
    fake.channel().notify(told)
    assert fake.cancelled == [5501]


def test_an_order_that_has_left_in_part_is_left_to_a_person(fake) -> None:
    fake.place()
    order = order_of(fake)
    fake.orders[5501]["fulfillment_status"] = "partial"
    with pytest.raises(ConnectorError, match="refund the rest there"):
        fake.channel().notify(news(order, kind="order.cancelled", lines=()))


def test_other_news_is_no_call(fake) -> None:
    fake.place()
    order = order_of(fake)
    calls = len(fake.server.exchanges)
    fake.channel().notify(news(order, kind="fulfillment.accepted"))
    assert len(fake.server.exchanges) == calls


def test_passing_trouble_is_waited_out_where_that_is_safe(fake) -> None:
    fake.place()
    fake.server.misbehave("429", "500", "503")
    assert len(pulled(fake.channel())[0]) == 1
    fake.server.misbehave("dropped", "429", "500")
    fake.channel().publish_stock([StockLevel("MUG", ("inventory_item:71",), "NYC", 4)])
    assert fake.available == {(71, 11): 4}


@pytest.mark.parametrize("fault", ["500_after", "garbage", "half", "lost", "slow"])
def test_a_fulfillment_whose_outcome_is_not_known_is_not_made_again(fake, fault: str) -> None:
    fake.place()
    told = news(order_of(fake))
    fake.server.misbehave(fault, when=lambda call: call.method == "POST")
    with pytest.raises(ConnectorError):
        fake.channel().notify(told)
    fake.channel().notify(told)
    assert len(fake.fulfillments[5501]) == 1


def test_a_refused_token_is_said_and_not_shown(fake) -> None:
    with pytest.raises(ConnectorError, match="401, the access token is not accepted") as caught:
        fake.channel(token="shpat_other_canary").pull("")
    assert not caught.value.unknown
    assert "canary" not in repr(caught.value)
    assert len(fake.server.exchanges) == 1


def test_a_shop_that_asks_for_long_patience_is_left_to_the_caller(fake) -> None:
    fake.server = type(fake.server)(fake.answer, retry_after=120)
    fake.server.misbehave("429")
    with pytest.raises(ConnectorError) as caught:
        fake.channel().pull("")
    assert caught.value.retry_after == 120
    assert len(fake.server.exchanges) == 1


def test_calls_keep_to_the_pace_that_the_shop_tells() -> None:
    waits: list[float] = []
    bucket = Bucket(3, 2, clock=lambda: 0.0, sleep=waits.append)
    for _ in range(5):
        bucket.take()
    assert waits == [0.5, 1.0]
    bucket.hear(used=39, size=40)
    bucket.take()
    assert waits[-1] == 1.5


def test_the_pace_is_read_from_the_shops_answers(fake) -> None:
    waits: list[float] = []
    bucket = Bucket(40, 2, clock=lambda: 0.0, sleep=waits.append)
    fake.limits = {"X-Shopify-Shop-Api-Call-Limit": "40/40"}
    api = Api(
        "acme.myshopify.com",
        "shpat_canary_0123456789",
        "2026-07",
        transport=fake.server.as_transport(),
        bucket=bucket,
    )
    api.get("orders.json")
    api.get("orders.json")
    assert waits == [0.5]
    assert "canary" not in repr(api)
    api.close()


@pytest.mark.parametrize("order", ["../../x", "5501/../1", "", "٣", "1?x=1"])
def test_only_a_number_of_shopifys_goes_into_a_path(fake, order: str) -> None:
    other = Order("main", "web", order, 1, datetime(2026, 1, 1, tzinfo=UTC), "EUR", ())
    with pytest.raises(ConnectorError):
        fake.channel().notify(news(other))
    assert not fake.server.exchanges


def test_what_left_counts_under_whatever_word_it_was_told(fake) -> None:
    fake.place()
    order = order_of(fake)
    lines = [["101", "shipped", 1], ["101", "freed", 1], ["102", "shipped", 1]]
    plain = news(order, kind="fulfillment.delivered", lines=())
    again = {"lines": lines, "reason": "left after all"}
    fake.channel().notify(evolve(plain, body=again))
    fake.channel().notify(evolve(plain, body={"lines": [lines[1]]}))
    assert not fake.fulfillments[5501]
    fake.channel().notify(evolve(plain, body={"lines": lines}))
    (told,) = fake.fulfillments[5501]
    assert told["line_items"] == [{"id": 101, "quantity": 1}, {"id": 102, "quantity": 1}]


def test_boxes_under_one_number_are_all_told_though_an_answer_was_lost(fake) -> None:
    """Carriers give several boxes one number, and people write "see label"."""
    fake.place()
    boxes = [Package(f"b{at}", (("101", 1),), "UPS", "see label") for at in (1, 2)]
    told = news(order_of(fake), *boxes, lines=(("101", 2),))
    fake.server.misbehave("lost", when=lambda call: call.method == "POST")
    with pytest.raises(ConnectorError):
        fake.channel().notify(told)
    for _ in range(3):
        fake.channel().notify(told)
    units = [line["quantity"] for each in fake.fulfillments[5501] for line in each["line_items"]]
    assert sum(units) == 2
