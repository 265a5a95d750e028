"""Stored JSON: what was written is read, and nothing else is."""

from __future__ import annotations

from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domcore.codec.stored import Bodies, dump_event, load_event
from domcore.errors import StoreError
from domcore.model import Destination, Item, Network, Node, Order, OrderLine, Person, Point

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ATTRIBUTES = st.lists(st.tuples(TEXT, TEXT | st.booleans() | st.integers(-9, 9)), max_size=2)
LINES = st.builds(
    OrderLine,
    id=TEXT,
    sku=TEXT,
    quantity=st.integers(0, 10**9),
    price=st.integers(-(10**15), 10**15),
    ships=st.booleans(),
    attributes=ATTRIBUTES.map(tuple),
)
ORDERS = st.builds(
    Order,
    owner=TEXT,
    channel=TEXT,
    external_id=TEXT,
    revision=st.integers(0, 2**63 - 1),
    placed_at=st.datetimes(timezones=st.just(UTC)),
    currency=TEXT,
    lines=st.lists(LINES, max_size=3).map(tuple),
    destination=st.none() | st.builds(Destination, TEXT, postal=TEXT),
)


@given(ORDERS)
@settings(deadline=None, max_examples=150)
def test_an_order_is_read_as_it_was_written(order: Order) -> None:
    bodies = Bodies()
    body = bodies.order.dump(order)
    assert body.startswith(b'{"format":1,')
    assert bodies.order.load(body) == order
    assert bodies.order.dump(bodies.order.load(body)) == bodies.order.dump(order)


def test_every_other_noun_is_read_as_it_was_written() -> None:
    bodies = Bodies()
    item = Item("a", dimensions=(1, 2, 3), tags=("x",), attributes=(("n", 1), ("b", True)))
    network = Network((Node("n", "dc", Point(1, -2), owners=("main",)),))
    person = Person("Ada", street=("1 Road", "Back door"))
    assert bodies.item.load(bodies.item.dump(item)) == item
    assert bodies.network.load(bodies.network.dump(network)) == network
    assert bodies.person.load(bodies.person.dump(person)) == person
    assert load_event(dump_event({"units": 3})) == {"format": 1, "units": 3}


@pytest.mark.parametrize("body", [b"", b"{}", b'{"format":2,"name":"Ada Canary"}', b"[1]"])
def test_another_format_is_refused(body: bytes) -> None:
    with pytest.raises(StoreError, match="format 1") as caught:
        Bodies().person.load(body)
    assert "Canary" not in str(caught.value)


def test_a_damaged_body_is_named_but_not_shown() -> None:
    with pytest.raises(StoreError, match="damaged") as caught:
        Bodies().person.load(b'{"format":1,"name":["Ada Canary"]}')
    assert "Canary" not in str(caught.value)
    with pytest.raises(StoreError, match="damaged"):
        load_event(b"[]")
