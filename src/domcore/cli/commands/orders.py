"""``domcore orders``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from domcore.cli.known import unknown
from domcore.cli.output import Column, joined, reason
from domcore.cli.paging import after, limit, more
from domcore.cli.verb import Invocation, verb
from domcore.model import ORDER_STATUSES, OrderSummary
from domcore.model.clock import to_micros
from domcore.store.protocol import OrderFilter

if TYPE_CHECKING:
    _ParamType = click.ParamType[datetime]
else:
    _ParamType = click.ParamType  # older ones are not generic


def _why(row: dict[str, Any]) -> str:
    """Why units are open, in a few words."""
    words = [f"held: {hold['code']}" for hold in row["holds"]]
    words += [reason(each) for each in row["reason"].split(",") if each]
    return "; ".join(words)


class Moment(_ParamType):
    """A time in ISO 8601, as ``--json`` prints it; without an offset it is UTC."""

    name = "datetime"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> datetime:
        """Read it."""
        try:
            read = datetime.fromisoformat(str(value).strip())
            return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(
                f"{value!r} is no time in ISO 8601, such as 2026-11-02, 2026-11-02T08:00 or"
                " 2026-11-02T08:00:00-05:00",
                param,
                ctx,
            )


_COLUMNS = (
    Column("ID", "order_id", right=True),
    Column("NUMBER", "number"),
    Column("CHANNEL", "channel"),
    Column("PLACED (UTC)", "placed_at", lambda text: text[:16].replace("T", " ")),
    Column("STATUS", "status"),
    Column("UNITS", "ordered", right=True),
    Column("OPEN", "open", right=True),
    Column("NODES", "nodes", joined),
    Column("WHY", "", _why),
)


@verb("domcore orders --status short", "domcore orders --node DC-EAST --limit 100 --json")
@click.option("--status", type=click.Choice(ORDER_STATUSES), help="Orders of this status.")
@click.option("--channel", help="Orders of this channel.")
@click.option("--owner", help="Orders of this owner.")
@click.option("--node", help="Orders that this node ships something of.")
@click.option("--sku", help="Orders with this SKU.")
@click.option("--number", help="Orders of this number.")
@click.option("--since", type=Moment(), help="Placed at or after this time (ISO 8601, else UTC).")
@click.option("--until", type=Moment(), help="Placed before this time.")
@limit
@after("the id of the last order seen")
def command(
    run: Invocation,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    after: str | None,
    **filters: str | None,
) -> None:
    """List orders by rising id, a page at a time."""
    wanted = OrderFilter(placed_from=_micros(since), placed_until=_micros(until), **filters)
    if after is not None and not after.isdecimal():
        raise click.BadParameter("must be the id of an order", param_hint="--after")
    with run.open() as dom:
        found = dom.orders(wanted, limit=limit, after=int(after or 0))
        names = {name: filters[name] for name in ("channel", "owner", "node", "sku")}
        hint = "" if found else unknown(dom, names)
    run.out.rows(_COLUMNS, map(row_of, found), empty=f"No such orders{hint or '.'}")
    if len(found) == limit:
        more(run, str(found[-1].order_id))


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


def _micros(value: datetime | None) -> int | None:
    return None if value is None else to_micros(value)
