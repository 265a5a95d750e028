"""``domcore stock``."""

from __future__ import annotations

from typing import Any, Final

import click

from domcore.cli.known import unknown
from domcore.cli.output import Column, count
from domcore.cli.paging import after, limit, more
from domcore.cli.verb import Invocation, verb
from domcore.store.protocol import StockFilter, StockView

_COLUMNS: Final = (
    Column("SKU", "sku"),
    Column("NODE", "node"),
    Column("ON HAND", "on_hand", count, right=True),
    Column("RESERVED", "reserved", count, right=True),
    Column("BLOCKED", "blocked", count, right=True),
    Column("SAFETY", "safety", count, right=True),
    Column("AVAILABLE", "available", count, right=True),
)


@verb("domcore stock --node ST-NYC --below 3", "domcore stock --sku KIT-0042 --json")
@click.option("--sku", help="This SKU.")
@click.option("--node", help="At this node.")
@click.option("--owner", help="Goods of this owner.")
@click.option("--below", type=int, help="Fewer units available than this.")
@limit
@after("the cursor of the last row seen")
def command(
    run: Invocation,
    limit: int,
    after: str | None,
    **filters: Any,
) -> None:
    """List stock by SKU and node, a page at a time.

    AVAILABLE is on hand less reserved and blocked; of that, SAFETY is not for orders.
    """
    start = _place(after)
    with run.open() as dom:
        found = dom.stock(StockFilter(**filters), limit=limit, after=start)
        names = {name: filters[name] for name in ("sku", "node", "owner")}
        hint = "" if found else unknown(dom, names)
    run.out.rows(_COLUMNS, map(row_of, found), empty=f"No such stock{hint or '.'}")
    if len(found) == limit:
        more(run, cursor_of(found[-1]))


def row_of(view: StockView) -> dict[str, Any]:
    """One balance for programs; `cursor` is what ``--after`` takes."""
    row = {**view._asdict(), "available": view.available, "cursor": cursor_of(view)}
    del row["key"]
    return row


def cursor_of(view: StockView) -> str:
    """Where a row stands in the list."""
    return "-".join(map(str, view.key))


def _place(cursor: str | None) -> tuple[int, int]:
    item, _, node = (cursor or "0-0").partition("-")
    if not (item.isdecimal() and node.isdecimal()):
        raise click.BadParameter("must be a cursor, as the last page gave it", param_hint="--after")
    return int(item), int(node)
