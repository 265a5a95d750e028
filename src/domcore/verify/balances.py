"""Stock against its ledger and its reservations, merged by item and node."""

from __future__ import annotations

from collections.abc import Iterator

from domcore.store.rows import MOST, ShortfallRow, StockBalance
from domcore.verify.catalog import Catalog
from domcore.verify.movements import Movements
from domcore.verify.source import Source
from domcore.verify.violation import Violation, Violations, broken

Sums = tuple[tuple[int, ...], list[int]]


def check_balances(source: Source, catalog: Catalog, movements: Movements) -> Violations:
    """Every balance; `movements.balances` has been fed the ledger and the open reservations."""
    sums = movements.balances.sorted()
    entry = next(sums, None)
    shortfalls = iter(map(ShortfallRow._make, source.rows("shortfall")))
    short = next(shortfalls, None)
    for row in map(StockBalance._make, source.rows("stock")):
        key = row[:2]
        while entry is not None and entry[0] < key:
            yield from _without_balance(entry)
            entry = next(sums, None)
        found = [0] * 7
        if entry is not None and entry[0] == key:
            found = entry[1]
            entry = next(sums, None)
        if found[:4] != list(row[2:6]) or found[4] != row.reserved:
            yield from _compare(row, found)
        yield from _check_row(row, catalog)
        while short is not None and short[:2] < key:
            yield _of_nothing(short)
            short = next(shortfalls, None)
        mine = None
        if short is not None and short[:2] == key:
            mine, short = short, next(shortfalls, None)
        if mine is not None or any(found[5:]):
            yield from _check_shortfall(row, mine, found[5:])
    yield from _rest(entry, sums)
    while short is not None:
        yield _of_nothing(short)
        short = next(shortfalls, None)


def _of_nothing(short: ShortfallRow) -> Violation:
    place = f"shortfall of item {short.item_id} at node {short.node_id}"
    return broken("I1", place, "there is no balance beside it")


def _check_shortfall(row: StockBalance, short: ShortfallRow | None, found: list[int]) -> Violations:
    """What the books hold above the shelf is what the ledger says, and promised to the last."""
    place = f"stock of item {row.item_id} at node {row.node_id}"
    missing, unfit = (0, 0) if short is None else short[2:]
    if [missing, unfit] != found or not (missing >= 0 <= unfit):
        message = f"{missing} missing and {unfit} unfit, by the ledger {found[0]} and {found[1]}"
        yield broken("I1", place, message)
    elif short is not None and not missing + unfit:
        yield broken("I1", place, "remembers a shortfall of nothing")
    over = row.on_hand - (row.reserved if missing else row.reserved + row.blocked)
    if (missing or unfit) and over > 0:
        message = (
            f"on hand is {row.on_hand}, by the last count and what moved since"
            f" {row.on_hand - missing}, and only {row.reserved} are promised"
        )
        yield broken("I2", place, message)


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
