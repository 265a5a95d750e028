"""Stock against its ledger and its reservations, merged by item and node."""

from __future__ import annotations

from collections.abc import Iterator

from domcore.store.rows import MOST, StockBalance
from domcore.verify.catalog import Catalog
from domcore.verify.movements import Movements
from domcore.verify.source import Source
from domcore.verify.violation import Violations, broken

Sums = tuple[tuple[int, ...], list[int]]


def check_balances(source: Source, catalog: Catalog, movements: Movements) -> Violations:
    """Every balance; `movements.balances` has been fed the ledger and the open reservations."""
    sums = movements.balances.sorted()
    entry = next(sums, None)
    for row in map(StockBalance._make, source.rows("stock")):
        key = row[:2]
        while entry is not None and entry[0] < key:
            yield from _without_balance(entry)
            entry = next(sums, None)
        found = [0, 0, 0, 0, 0]
        if entry is not None and entry[0] == key:
            found = entry[1]
            entry = next(sums, None)
        if found[:4] != list(row[2:6]) or found[4] != row.reserved:
            yield from _compare(row, found)
        yield from _check_row(row, catalog)
    yield from _rest(entry, sums)


def _rest(entry: Sums | None, sums: Iterator[Sums]) -> Violations:
    while entry is not None:
        yield from _without_balance(entry)
        entry = next(sums, None)


def _without_balance(entry: Sums) -> Violations:
    (item_id, node_id), amounts = entry
    place = f"stock of item {item_id} at node {node_id}"
    if any(amounts[:4]):
        yield broken("I1", place, "the ledger moved it, but there is no balance")
    if amounts[4]:
        yield broken("I3", place, f"{amounts[4]} units are reserved where there is no balance")


def _compare(row: StockBalance, found: list[int]) -> Violations:
    place = f"stock of item {row.item_id} at node {row.node_id}"
    names = ("on_hand", "reserved", "blocked", "safety")
    for name, has, should in zip(names, row[2:6], found, strict=False):
        if has != should:
            invariant = "I3" if name == "reserved" else "I1"
            word = name.replace("_", " ")
            yield broken(invariant, place, f"{word} is {has}, by the ledger {should}")
    if found[4] != row.reserved:
        message = f"reserved is {row.reserved}, its open reservations hold {found[4]}"
        yield broken("I3", place, message)


def _check_row(row: StockBalance, catalog: Catalog) -> Violations:
    item_id, node_id, on_hand, reserved, blocked, safety, counted_at = row
    if item_id not in catalog.items or node_id not in catalog.nodes:
        place = f"stock of item {item_id} at node {node_id}"
        yield broken("reference", place, "is of no known item and node")
    if min(reserved, blocked, safety, counted_at) < 0 or not (
        reserved + blocked <= on_hand <= MOST and safety <= MOST
    ):
        place = f"stock of item {item_id} at node {node_id}"
        message = f"on hand {on_hand}, reserved {reserved}, blocked {blocked}, safety {safety}"
        yield broken("I2", place, message)
