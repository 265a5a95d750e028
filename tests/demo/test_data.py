"""The demo's data: the same for the same seed, and awkward on purpose."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from domcore.demo import folder as files
from domcore.demo.catalog import ITEMS, SCARCE, make_goods, make_stock
from domcore.demo.deliveries import Delivery, make_deliveries
from domcore.demo.shop import changed
from domcore.errors import ConfigurationError
from domcore.loading import Problems, Source, read_items, read_network, read_stock


@pytest.fixture(scope="module")
def deliveries() -> list[Delivery]:
    return make_deliveries(make_goods(Random(1)), Random(2), secret="s", orders=80)


def signed(delivery: Delivery, secret: str) -> bool:
    digest = hmac.new(secret.encode(), delivery.body.encode(), hashlib.sha256).digest()
    return delivery.headers["X-Shopify-Hmac-Sha256"] == base64.b64encode(digest).decode()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    written = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        folder = tmp_path / name
        folder.mkdir()
        files.write(folder, seed=seed, orders=60)
        written.append(contents(folder))
    assert written[0] == written[1]
    assert written[0] != written[2]


def test_the_files_load(tmp_path: Path) -> None:
    files.write(tmp_path, seed=1, orders=60)
    network = read_network([Source.of(tmp_path / files.NETWORK)])
    kinds = Counter(node.kind for node in network.nodes)
    assert kinds == {"dc": 3, "store": 7, "3pl": 1, "vendor": 1}
    assert {node.rate_card for node in network.nodes} == {card.id for card in network.rate_cards}
    problems = Problems("demo")
    items = list(read_items(Source.of(tmp_path / files.ITEMS), problems))
    stock = list(read_stock(Source.of(tmp_path / files.STOCK), problems))
    problems.check()
    assert len(items) == ITEMS
    assert any("hazmat" in row.item.tags for row in items)
    assert all(row.item.weight > 0 for row in items)
    assert {row.stock.node for row in stock} == {node.id for node in network.nodes}


def test_scarce_goods_lie_at_two_stores() -> None:
    goods = make_goods(Random(1))
    counts = make_stock(goods, Random(2))
    scarce = {good.sku for good in goods[-SCARCE:]}
    by_sku = Counter(count.sku for count in counts if count.sku in scarce)
    assert set(by_sku.values()) == {2}


def test_deliveries_are_signed_but_for_two(deliveries: list[Delivery]) -> None:
    forged = [each for each in deliveries if not signed(each, "s")]
    assert len(forged) == 2
    assert any(signed(each, "not the shop") for each in forged)


def test_what_is_awkward_is_there(deliveries: list[Delivery]) -> None:
    bodies = [json.loads(each.body) for each in deliveries]
    topics = Counter(each.headers["X-Shopify-Topic"] for each in deliveries)
    ids = Counter(each.headers["X-Shopify-Webhook-Id"] for each in deliveries)
    lines = [line for body in bodies for line in body["line_items"]]
    assert max(ids.values()) == 3
    assert topics["orders/cancelled"] == 2
    assert topics["orders/updated"] == 2
    assert any(line["gift_card"] for line in lines)
    assert any(all(line["gift_card"] for line in body["line_items"]) for body in bodies)
    assert any(body["shipping_address"] is None for body in bodies)
    assert any(body["test"] for body in bodies)
    assert any(line["current_quantity"] == 0 for line in lines)
    assert any(line["sku"] == "" and not line["gift_card"] for line in lines)
    assert any((body["shipping_address"] or {}).get("zip") == "00009" for body in bodies)


def test_an_update_overtakes_its_order_and_a_cancellation_too(deliveries: list[Delivery]) -> None:
    first: dict[int, str] = {}
    for each in deliveries:
        first.setdefault(json.loads(each.body)["id"], each.headers["X-Shopify-Topic"])
    assert Counter(first.values())["orders/updated"] == 1
    assert Counter(first.values())["orders/cancelled"] == 1


def test_money_is_decimal_text(deliveries: list[Delivery]) -> None:
    for each in deliveries:
        body = json.loads(each.body)
        due = sum(
            round(100 * float(line["price"])) * line["current_quantity"]
            for line in body["line_items"]
        )
        assert isinstance(body["total_price"], str)
        assert (
            round(100 * float(body["total_price"])) == due
            or not signed(each, "s")
            or (body["line_items"][0]["sku"] == "NEW-0001")
        )


def test_a_change_leaves_the_order_it_was_made_of(deliveries: list[Delivery]) -> None:
    from domcore.demo.shop import OPENED

    body = json.loads(deliveries[0].body)
    before = json.dumps(body)
    changed(body, OPENED, 0)
    assert json.dumps(body) == before


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(ConfigurationError, match="is not empty"):
        files.prepare(tmp_path, force=True)
    (tmp_path / "domcore.toml").write_text('store = "real.db"\n')
    for force in (False, True):
        with pytest.raises(ConfigurationError, match="has a project of its own"):
            files.prepare(tmp_path, force=force)
    with pytest.raises(ConfigurationError, match="is a file"):
        files.prepare(tmp_path / "holiday.jpg", force=True)
    assert (tmp_path / "holiday.jpg").read_bytes() == b"x"
