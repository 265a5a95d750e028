"""A shop at its worst: wrong dates, borrowed signatures, pages and answers without end."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import pytest

from domcore.errors import ConnectorError, PayloadError
from domcore.model import CaptureOrder, Ignore
from domcore.plugin_kit import Bucket
from domcore.testing import Reply
from domcore_woocommerce.api import Api

AHEAD = "2399-01-01T00:00:00"


def pulled(fake: Any, cursor: str = "") -> tuple[list[Any], str]:
    commands: list[Any] = []
    for _ in range(50):
        page = fake.channel().pull(cursor)
        commands += page.commands
        cursor = page.cursor
        if not page.more:
            return commands, cursor
    raise AssertionError("it never ends")


def dated(text: str) -> Any:
    return lambda order: order.update(date_modified_gmt=text)


def ids(commands: list[Any]) -> set[str]:
    return {each.order.external_id for each in commands if isinstance(each, CaptureOrder)}


def test_the_body_of_an_order_is_no_deletion_whatever_the_topic_says(shop) -> None:
    """The topic is not signed: with another one on, a signed order must not cancel itself."""
    for body in (shop.body(), {"id": 727, "status": "processing"}):
        with pytest.raises(PayloadError, match="holds more than an id"):
            shop.read(body, "order.deleted")


@pytest.mark.parametrize("field", ["date_modified_gmt", "date_created_gmt"])
@pytest.mark.parametrize("value", [None, "0000-00-00T00:00:00", "", "2026-03-01T12:00:00+02:00"])
def test_a_date_that_is_none_is_named(shop, field: str, value: Any) -> None:
    with pytest.raises(PayloadError, match=rf"\$\.{field}"):
        shop.read(shop.body(**{field: value}))


def test_an_order_that_is_not_followed_needs_no_dates(shop) -> None:
    draft = shop.body(status="checkout-draft", date_modified_gmt=None, date_created_gmt=None)
    assert isinstance(shop.read(draft), Ignore)


def test_an_order_dated_in_the_future_hides_no_other(fake) -> None:
    fake.place()
    fake.place(dated(AHEAD))
    first, cursor = pulled(fake)
    assert len(ids(first)) == 2
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0) + timedelta(seconds=5)
    late = fake.place(dated(now.isoformat()))
    later, cursor = pulled(fake, cursor)
    assert ids(later) == {str(late)}
    assert pulled(fake, cursor)[0] == []


def test_many_orders_of_one_minute_come_once(fake) -> None:
    fake.page_size = 100
    for _ in range(700):
        fake.place(dated("2026-03-02T09:00:00"))
    first, cursor = pulled(fake)
    assert len(ids(first)) == 700
    for _ in range(3):
        again, cursor = pulled(fake, cursor)
        assert len(again) < 700


def test_a_shop_that_shows_the_same_page_for_ever_is_not_asked_for_ever(fake) -> None:
    fake.place()
    page = fake.server.as_transport()

    class Same(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = page.handle_request(request)
            return httpx.Response(
                200, content=answer.read(), headers={"X-WP-TotalPages": "999999999999"}
            )

    channel = fake.channel()
    channel._connected()._client._transport = Same()
    cursor, told = "", 0
    for _ in range(20):
        answer = channel.pull(cursor)
        told += len(answer.commands)
        cursor = answer.cursor
        if not answer.more:
            break
    assert told == 1
    assert len(cursor) < 9_000


def test_an_answer_that_drips_is_not_waited_for() -> None:
    ticks = count(0, 30)

    def drip(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=(b" " for _ in range(10_000)))

    api = Api(
        "https://shop.example",
        "k",
        "s",
        Bucket(9, 9),
        transport=httpx.MockTransport(drip),
        clock=lambda: float(next(ticks)),
    )
    with pytest.raises(ConnectorError, match="ReadTimeout"):
        api.get("orders")


def test_a_shop_that_is_always_busy_is_left_alone_in_the_end(fake) -> None:
    with fake.server.misbehaving("429"), pytest.raises(ConnectorError) as caught:
        fake.channel().pull("")
    assert not caught.value.unknown
    assert len(fake.server.calls) <= 4


def test_key_and_secret_follow_nobody_elsewhere(fake, caplog) -> None:
    caplog.set_level("DEBUG")
    asked: list[httpx.Request] = []

    def away(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(302, headers={"location": "https://evil.example/"})

    channel = fake.channel()
    channel._connected()._client._transport = httpx.MockTransport(away)
    with pytest.raises(ConnectorError, match="302, the shop lives elsewhere"):
        channel.pull("")
    assert {each.url.host for each in asked} == {"shop.example"}
    assert "authorization" not in caplog.text.lower()
    assert "consumer" not in str(asked[0].url)


@pytest.mark.parametrize(
    "cursor",
    ['{"since": 9e99}', '{"since": 10000000000000000000000}', '{"page": "x"}', '{"page": "-1"}',
     '{"latest": -5}', "[" * 50_000, '{"told": "1:2:3"}'],
)  # fmt: skip
def test_a_cursor_that_somebody_spoiled_does_no_harm(fake, cursor: str) -> None:
    fake.place()
    assert len(ids(pulled(fake, cursor)[0])) == 1


def test_a_page_is_held_together_by_json(fake) -> None:
    channel = fake.channel()
    answer = Reply.json({"code": "rest_no_route"})
    channel._connected()._client._transport = httpx.MockTransport(
        lambda _: httpx.Response(200, content=json.dumps(json.loads(answer.body)))
    )
    with pytest.raises(ConnectorError, match="holds no orders"):
        channel.pull("")
