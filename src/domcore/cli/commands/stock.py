"""``domcore stock``: list, watch, count, and what a channel may sell."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import click

from domcore.cli.invocation import Invocation
from domcore.cli.known import unknown
from domcore.cli.output import Column, clean, count, joined, times
from domcore.cli.paging import after, limit, more
from domcore.cli.pipes import reader_left
from domcore.cli.times import Seconds
from domcore.cli.verb import Examples, verb
from domcore.errors import PayloadError, Problem
from domcore.loading.fields import MOST_UNITS, moment
from domcore.model import ObserveStock, StockCount
from domcore.store.protocol import StockFilter, StockView

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from domcore.app import Domcore
    from domcore.publishing import Availability
    from domcore.store.protocol import Outcome

_COLUMNS: Final = (
    Column("SKU", "sku"),
    Column("NODE", "node"),
    Column("ON HAND", "on_hand", count, right=True),
    Column("RESERVED", "reserved", count, right=True),
    Column("BLOCKED", "blocked", count, right=True),
    Column("SAFETY", "safety", count, right=True),
    Column("AVAILABLE", "available", count, right=True),
)
_SOLD: Final = (
    Column("SKU", "sku"),
    Column("NODE", "node", lambda value: value or "-"),
    Column("MAY SELL", "available", count, right=True),
    Column("TOLD", "told", lambda value: "-" if value is None else count(value), right=True),
    Column("CHANNEL IDS", "external_ids", joined),
)


class _Group(Examples):
    """A group whose name alone, or with options, means its ``list``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, after ``list`` has been put in front where no command is named."""
        named = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if named else ["list", *args])


@click.group(
    cls=_Group,
    examples=["domcore stock --node ST-NYC --below 3", "domcore stock count KIT-0042 ST-NYC 7"],
)
def command() -> None:
    """List stock by SKU and node, watch it, or count it.

    `domcore stock` alone, or with options, is `domcore stock list`.
    """


@verb(
    "domcore stock list --node ST-NYC --below 3",
    "domcore stock list --sku KIT-0042 --json",
    "domcore stock list --watch --node ST-NYC",
    "domcore stock list --channel shop",
    name="list",
)
@click.option("--sku", help="This SKU.")
@click.option("--node", help="At this node.")
@click.option("--owner", help="Goods of this owner.")
@click.option("--below", type=int, help="Fewer units available than this.")
@click.option("--watch", is_flag=True, help="Then show changes as they happen, until Ctrl-C.")
@click.option(
    "--every",
    type=Seconds(0.05),
    default=1.0,
    show_default=True,
    help="Seconds between two looks of --watch.",
)
@click.option("--channel", help="What this channel may sell, and what it was told last.")
@limit
@after("the cursor of the last row seen")
def listing(
    run: Invocation,
    limit: int,
    after: str | None,
    watch: bool,
    every: float,
    channel: str | None,
    **filters: Any,
) -> None:
    """List stock by SKU and node, a page at a time.

    AVAILABLE is on hand less reserved and blocked; of that, SAFETY is not for orders. With
    --watch, the page is followed by every change, one line or JSON object each. With --channel,
    MAY SELL is after safety stock and the channel's share, over the nodes that feed it.
    """
    if channel is not None:
        others = [name for name in ("node", "owner", "below") if filters[name] is not None]
        if watch or others:
            raise click.UsageError("--channel goes with --sku, --limit and --after only")
        _list_sellable(run, channel, filters["sku"], limit, after)
        return
    wanted = StockFilter(**filters)
    start = _place(after)
    with run.open() as dom:
        cursor = dom.store.stock_cursor()
        found = dom.stock(wanted, limit=limit, after=start)
        names = {name: filters[name] for name in ("sku", "node", "owner")}
        hint = "" if found else unknown(dom, names)
        run.out.rows(_COLUMNS, map(row_of, found), empty=f"No such stock{hint or '.'}")
        if len(found) == limit:
            more(run, cursor_of(found[-1]))
        if watch:
            _watch(run, dom, wanted, cursor, every)


def _watch(run: Invocation, dom: Domcore, wanted: StockFilter, cursor: int, every: float) -> None:
    """Show what changes until the reader goes or Ctrl-C comes."""
    while not reader_left():
        last, views = dom.stock_changes(cursor, wanted)
        for view in views:
            if run.out.as_json:
                run.out.object(row_of(view))
            else:
                run.out.say(_line(view, dom.now()))
        if last == cursor:
            time.sleep(every)
        cursor = last


def _line(view: StockView, at: datetime) -> str:
    parts = (
        f"on hand {count(view.on_hand)}",
        f"reserved {count(view.reserved)}",
        f"blocked {count(view.blocked)}",
        f"safety {count(view.safety)}",
        f"available {count(view.available)}",
    )
    return clean(f"{at:%H:%M:%S}  {view.sku} at {view.node}: {', '.join(parts)}")


def row_of(view: StockView) -> dict[str, Any]:
    """One balance for programs; `cursor` is what ``--after`` takes."""
    row = {**view._asdict(), "available": view.available, "cursor": cursor_of(view)}
    del row["key"]
    return row


def cursor_of(view: StockView) -> str:
    """Where a row stands in the list."""
    return "-".join(map(str, view.key))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def _place(cursor: str | None) -> tuple[int, int]:
    item, _, node = (cursor or "0-0").partition("-")
    if not (_is_number(item) and _is_number(node)):
        raise click.BadParameter("must be a cursor, as the last page gave it", param_hint="--after")
    return int(item), int(node)


def _list_sellable(
    run: Invocation, channel: str, sku: str | None, limit: int, after: str | None
) -> None:
    if after is not None and not _is_number(after):
        raise click.BadParameter("must be a cursor, as the last page gave it", param_hint="--after")
    with run.open() as dom:
        found = dom.availability(channel, sku=sku, limit=limit, after=int(after or 0))
        hint = "" if found else unknown(dom, {"sku": sku})
    run.out.rows(_SOLD, map(_sold, found), empty=f"Nothing to sell{hint or '.'}")
    if sku is None and len(found) >= limit:
        more(run, str(found[-1].cursor))


def _sold(each: Availability) -> Mapping[str, Any]:
    return {
        "sku": each.sku,
        "node": each.node,
        "available": each.available,
        "told": each.told,
        "external_ids": each.external_ids,
        "cursor": str(each.cursor),
    }


@verb(
    "domcore stock count KIT-0042 ST-NYC 7",
    "domcore stock count KIT-0042 ST-NYC 7 --blocked 2 --as-of 2026-11-02T08:00:00Z",
    name="count",
    writes=True,
)
@click.argument("sku")
@click.argument("node")
@click.argument("units", type=click.IntRange(0, MOST_UNITS))
@click.option(
    "--blocked",
    type=click.IntRange(0, MOST_UNITS),
    help="How many of them cannot be sold; otherwise none.",
)
@click.option("--as-of", metavar="TIME", help="When it was counted, with its offset; else now.")
@click.option("--owner", default="main", show_default=True, help="Whose goods they are.")
def counting(
    run: Invocation,
    sku: str,
    node: str,
    units: int,
    blocked: int | None,
    as_of: str | None,
    owner: str,
) -> None:
    """Count SKU at NODE: UNITS are there, with those that cannot be sold.

    What shipped after the time of the count is taken off again. Where fewer are there than are
    promised, the youngest orders give way and are routed anew by the next `domcore route`.
    """
    told = StockCount(sku, node, on_hand=units, blocked=blocked, as_of=_moment(as_of))
    with run.open() as dom:
        outcome = _observed(dom, ObserveStock(owner, (told,)))
        found = dom.stock(StockFilter(owner=owner, sku=sku, node=node), limit=1)
    if run.out.as_json:
        run.out.object({"outcome": outcome.outcome, "detail": outcome.detail, **row_of(found[0])})
        return
    if outcome.outcome == "stale":
        run.out.say("Nothing changed: a later count of it is known.")
        return
    view = found[0]
    run.out.say(f"Counted {clean(sku)} at {clean(node)}: {times(units, 'unit')}.")
    run.out.rows(_COLUMNS, [row_of(view)], empty="")
    _, _, short = outcome.detail.partition("; ")
    if short:
        run.out.say(f"There are {short}; 'domcore route --all' finds them another node.")


def _observed(dom: Domcore, command: ObserveStock) -> Outcome:
    """What became of it; what is wrong is told by the names that a person has typed.

    Raises:
        PayloadError: there is no such item or node, or the numbers do not fit.
    """
    try:
        return dom.observe(command)
    except PayloadError as error:
        problems = [
            Problem(each.path.removeprefix("$.counts[0]."), each.message) for each in error.problems
        ]
        raise PayloadError("this count cannot be taken in", problems) from None


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found: datetime = moment(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--as-of") from None
    return found


for _command in (listing, counting):
    command.add_command(_command)
