"""``domcore orders``."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import click

from domcore.cli.invocation import Invocation
from domcore.cli.known import unknown
from domcore.cli.output import Column, joined, reason
from domcore.cli.paging import after, limit, more
from domcore.cli.times import Age, Moment, before
from domcore.cli.verb import verb
from domcore.model import ORDER_STATUSES, OrderSummary
from domcore.model.clock import to_micros
from domcore.store.protocol import OrderFilter


def _why(row: dict[str, Any]) -> str:
    """Why units are open, in a few words."""
    words = [f"held: {hold['code']}" for hold in row["holds"]]
    words += [reason(each) for each in row["reason"].split(",") if each]
    return "; ".join(words)


_COLUMNS = (
    Column("ID", "order_id", "id:{}".format, right=True),
    Column("NUMBER", "number"),
    Column("CHANNEL", "channel"),
    Column("PLACED (UTC)", "placed_at", lambda text: text[:16].replace("T", " ")),
    Column("STATUS", "status"),
    Column("UNITS", "ordered", right=True),
    Column("OPEN", "open", right=True),
    Column("NODES", "nodes", joined),
    Column("WHY", "", _why),
)


@verb(
    "domcore orders --status short --older-than 2d",
    "domcore orders --late 4h --node DC-EAST",
    "domcore orders ohara NYC --newest",
    "domcore orders --sku MUG --limit 100 --json",
    "domcore orders --newest --limit 20 --watch",
    watched=(),
)
@click.argument("words", nargs=-1)
@click.option("--status", type=click.Choice(ORDER_STATUSES), help="Orders of this status.")
@click.option("--channel", help="Orders of this channel.")
@click.option("--owner", help="Orders of this owner.")
@click.option("--node", help="Orders that this node ships something of.")
@click.option("--sku", help="Orders with this SKU.")
@click.option("--number", help="Orders of this number.")
@click.option("--hold", metavar="CODE", help="Orders that wait for this hold to be lifted.")
@click.option("--since", type=Moment(), help="Placed at or after this time (ISO 8601, else UTC).")
@click.option("--until", type=Moment(), help="Placed before this time.")
@click.option("--older-than", type=Age(), help="Placed longer ago than this, such as 36h or 2d.")
@click.option("--newer-than", type=Age(), help="Placed less long ago than this.")
@click.option(
    "--late",
    type=Age(),
    is_flag=False,
    flag_value=timedelta(0),
    help="Units have not left, and the promise is past, or no further away than this.",
)
@click.option("--newest", is_flag=True, help="The newest first.")
@limit
@after("the id of the last order seen")
def command(
    run: Invocation,
    words: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    older_than: timedelta | None,
    newer_than: timedelta | None,
    late: timedelta | None,
    newest: bool,
    limit: int,
    after: str | None,
    **filters: Any,
) -> None:
    """List orders by rising id, a page at a time; all that is given must match.

    Each of WORDS is part of a number, external id or channel, of a SKU or a node of the order, or
    of what is known of its customer: name, address, phone, e-mail.
    """
    if any(not word.strip() for word in words):
        raise click.BadParameter("a word is empty", param_hint="WORDS")
    after = None if after is None else after.removeprefix("id:")
    if after is not None and not _is_id(after):
        raise click.BadParameter("must be the id of an order, such as id:15", param_hint="--after")
    with run.open() as dom:
        now = dom.now()
        begin = [since, None if newer_than is None else before(now, newer_than)]
        end = [until, None if older_than is None else before(now, older_than)]
        wanted = OrderFilter(
            placed_from=max(map(to_micros, filter(None, begin)), default=None),
            placed_until=min(map(to_micros, filter(None, end)), default=None),
            late=None if late is None else to_micros(now + late),
            words=words,
            **filters,
        )
        found = dom.orders(wanted, limit=limit, after=int(after or 0), newest=newest)
        names = {name: filters[name] for name in ("channel", "owner", "node", "sku")}
        hint = "" if found else unknown(dom, names)
    run.out.rows(_COLUMNS, map(row_of, found), empty=f"No such orders{hint or '.'}")
    if len(found) == limit:
        more(run, f"id:{found[-1].order_id}")


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18


def row_of(order: OrderSummary) -> dict[str, Any]:
    """One order for programs; nothing in it names a person."""
    holds = [{"code": h.code, "reason": h.reason, "stage": h.stage} for h in order.holds]
    return {
        "order_id": order.order_id,
        "owner": order.owner,
        "channel": order.channel,
        "external_id": order.external_id,
        "number": order.number,
        "placed_at": order.placed_at.isoformat(),
        "status": order.status,
        "ordered": order.buckets.ordered,
        **order.buckets._asdict(),
        "nodes": order.nodes,
        "holds": holds,
        "reason": order.reason,
    }
