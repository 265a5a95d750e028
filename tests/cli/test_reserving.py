"""``reserve``, ``keep`` and ``free``: a cart on the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domcore import Domcore
from domcore.config import read_settings
from domcore.model import Destination, Order, OrderLine


@pytest.fixture
def cart(shop: Path) -> str:
    """A cart with something in it that is there."""
    with Domcore(read_settings(environ={}), load_plugins=False) as dom:
        row = max(dom.stock(limit=1000), key=lambda row: row.available - row.safety)
        owner = next(iter(dom.settings.owners))
        order = Order(
            owner, "shop", "cart-1", 1, datetime.now(UTC), dom.settings.owners[owner],
            (OrderLine("1", row.sku, 2),), Destination("US", "NY", "10001"), "#C1",
        )  # fmt: skip
        assert dom.capture(order, queue=False).outcome == "captured"
    return "C1"


def told(result) -> dict[str, object]:
    return json.loads(result.stdout.splitlines()[0])


def test_a_cart_is_reserved_kept_and_then_work(cart: str, run) -> None:
    assert run("route", "--all").exit_code == 3
    reserved = run("reserve", cart, "--minutes", 15)
    assert (reserved.exit_code, "reserved" in reserved.stdout) == (0, True)
    again = told(run("reserve", cart, "--minutes", 30, "--json"))
    assert (again["status"], again["detail"]) == ("reserved", "2 units stay reserved")
    kept = run("keep", cart)
    assert (kept.exit_code, kept.stdout) == (0, "C1: kept, 2 units.\n")
    assert run("keep", cart).exit_code == 3
    assert run("reserve", cart, "--minutes", 1).exit_code == 3
    assert run("verify").exit_code == 0


def test_a_cart_is_let_go(cart: str, run) -> None:
    run("reserve", cart, "--minutes", 15)
    assert told(run("free", cart, "--json")) == {
        "order": "C1", "outcome": "freed", "detail": "2 units",
    }  # fmt: skip
    assert run("free", cart).exit_code == 3
    assert run("keep", cart).exit_code == 3


def test_a_reserved_cart_is_routed_by_name(cart: str, run) -> None:
    run("reserve", cart, "--minutes", 15)
    routed = run("route", cart)
    assert (routed.exit_code, "2 units kept" in routed.stdout) == (0, True)
    assert run("verify").exit_code == 0


def test_what_is_not_there_is_not_reserved(cart: str, run) -> None:
    for command in (("reserve", "nobody", "--minutes", 1), ("keep", "nobody"), ("free", "nobody")):
        result = run(*command)
        assert (result.exit_code, "there is no order" in result.stderr) == (1, True)
    for minutes in (0, -5, "soon"):
        assert run("reserve", cart, "--minutes", minutes).exit_code == 2
    assert run("reserve", cart).exit_code == 2
    assert run("reserve", cart, "--minutes", 10**9).exit_code == 1
