"""Lines whose item is not known: kept as they came, and taken up when the item is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from attrs import evolve

from domcore.codec.stored import Bodies, dump_event
from domcore.model.order import Order, OrderLine
from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.operations.amend import amend
from domcore.store.operations.holds import carry, standing_of
from domcore.store.operations.order_work import OrderWork, load_work
from domcore.store.rows import AwaitedRow, BodyRow, HoldRow, LineRow, OrderRow

AT_ONCE: Final = 500
"""Orders that are taken up together."""

MOST_NAMED: Final = 3
"""Names that an outcome spells out."""


def unknown_lines(
    lines: Sequence[OrderLine], rows: Mapping[int, LineRow]
) -> Iterator[tuple[int, OrderLine]]:
    """The lines that want an item nobody knows, with their positions."""
    for number, line in enumerate(lines):
        row = rows.get(number)
        if row is not None and row.item_id is None and row.wanted:
            yield number, line


def waiting_words(lines: Sequence[OrderLine]) -> str:
    """What an outcome says of lines that wait for their item; empty without any."""
    if not lines:
        return ""
    names = list(dict.fromkeys(line.sku for line in lines))
    named = ", ".join(repr(name[:100]) for name in names[:MOST_NAMED])
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    count = "1 line waits" if len(lines) == 1 else f"{len(lines)} lines wait"
    return f"no such item, and no alias of one: {named}{more}; {count} for it"


def keep_items(
    before: Order, after: Order, rows: Mapping[int, LineRow], item_ids: dict[str, int]
) -> tuple[Order, list[tuple[str, str, str]]]:
    """A later revision whose known lines keep the item they were captured with.

    What a product is called in the shop, or what an alias means, may change while an order waits;
    a line is the channel's line, and goods may be reserved for it. Lines of both orders stand at
    the same positions.

    Returns:
        The order, and ``(line id, SKU kept, SKU told)`` where they differ.
    """
    lines, kept = list(after.lines), []
    for number, line in enumerate(after.lines):
        row = rows.get(number)
        if row is None or row.item_id is None or not line.ships:
            continue
        sku = before.lines[number].sku
        item_ids[sku] = row.item_id
        if line.sku != sku:
            kept.append((line.id, sku, line.sku))
            lines[number] = evolve(line, sku=sku)
    return (evolve(after, lines=tuple(lines)), kept) if kept else (after, kept)


def orders_awaiting(
    reader: Reader, owner_id: int, names: Sequence[str], channel: str | None = None
) -> list[OrderRow]:
    """Orders of an owner, and of a channel, that have lines called so whose item is not known."""
    rows = [AwaitedRow(*row) for row in reader.select("awaited_item", "name", list(names))]
    ids = sorted({row.order_id for row in rows})
    orders = [OrderRow(*row) for row in reader.select("orders", "id", ids)]
    return [
        order for order in orders if order.owner_id == owner_id and channel in (None, order.channel)
    ]


def identify(
    reader: Reader, changes: Changes, bodies: Bodies, orders: Sequence[OrderRow], now: int
) -> None:
    """Take up those lines of some orders whose items are known by now: they are routed at once."""
    ids = [order.id for order in orders]
    work = load_work(reader, changes, ids)
    stored = {row[0]: BodyRow(*row) for row in reader.select("order_body", "order_id", ids)}
    for order in orders:
        if not work[order.id].state.cancelled:
            _identify(reader, changes, bodies, order, work[order.id], stored[order.id], now)


def _identify(
    reader: Reader,
    changes: Changes,
    bodies: Bodies,
    order: OrderRow,
    work: OrderWork,
    body: BodyRow,
    now: int,
) -> None:
    before = bodies.order.load(body.body)
    names = {number: line.sku for number, line in unknown_lines(before.lines, work.lines)}
    asked = sorted(set(names.values()))
    aliases = reader.aliases(order.owner_id, order.channel, asked)
    item_ids = reader.item_ids(order.owner_id, [aliases.get(name, name) for name in asked])
    lines, known = list(before.lines), []
    for number, name in names.items():
        sku = aliases.get(name, name)
        if sku in item_ids:
            lines[number] = evolve(lines[number], sku=sku)
            known.append((lines[number].id, name, sku))
    if not known:
        return
    after = evolve(before, lines=tuple(lines), revision=body.revision + 1)
    holds, placed = standing_of(reader, order, work, now)
    told = amend(
        work, before, after, item_ids, now, cart=work.cart, asked=holds, judged=bool(placed)
    )
    replace_body(changes, bodies, body, after)
    carry_approvals(reader, changes, order.id, body.revision, after.revision)
    event = dump_event({**told, "items": known})
    changes.add("events", (None, "order.amended", order.id, now, event))
    carry(work, holds, after.revision, now)


def carry_approvals(
    reader: Reader, changes: Changes, order_id: int, before: int, after: int
) -> None:
    """The customer has changed nothing, so what a person has approved stays approved."""
    for row in map(HoldRow._make, reader.select("hold", "order_id", [order_id])):
        if row.revision == before and row.approved_at is not None:
            changes.add("holds", row._replace(revision=after))


def replace_body(changes: Changes, bodies: Bodies, body: BodyRow, after: Order) -> None:
    """Keep a revision that the channel has not told: what it told last stays what was heard."""
    changes.add("old_bodies", body[:4])
    dumped = bodies.order.dump(after)
    changes.add("bodies", (body.order_id, after.revision, body.digest, dumped, body.heard))
