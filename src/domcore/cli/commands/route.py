"""``domcore route [ORDER... | --all]``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from domcore.cli.exits import DONE, FAILED, INTERRUPTED, NOTHING, PARTIAL
from domcore.cli.invocation import Invocation
from domcore.cli.output import clean, plain, reason, times
from domcore.cli.progress import Progress
from domcore.cli.references import named, standing_still
from domcore.cli.verb import verb
from domcore.model import money_text

if TYPE_CHECKING:
    from domcore.app import Domcore
    from domcore.routing import Routed, RouteReport


@verb(
    "domcore route --all",
    'domcore route "#1299" shop/5600001450983',
    "domcore route --all --limit 1000 --json",
    exits=(NOTHING, PARTIAL, INTERRUPTED),
    writes=True,
)
@click.argument("orders", metavar="[ORDER...]", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every order that is open and due.")
@click.option("--limit", type=click.IntRange(1), help="At most so many orders.")
@click.option("--compare", is_flag=True, help="Also price nearest-node routing.")
def command(
    run: Invocation, orders: Sequence[str], everything: bool, limit: int | None, compare: bool
) -> int:
    """Decide which node ships what, and reserve the stock.

    An ORDER is a number, an external id, channel/external-id, or id:15, the store's own id. With
    --json, one line per order and a last one with the totals. Ctrl-C loses nothing that was
    committed. Exit code 3 says that nothing could be routed.
    """
    if everything == bool(orders):
        raise click.UsageError("name the orders, or give --all")
    from domcore.routing import RouteReport  # the router costs a start-up of its own

    compared = 0
    with run.open() as dom, Progress("routed", out=run.out) as progress:

        def routed(each: Routed) -> None:
            nonlocal compared
            progress.step()
            compared += each.nearest_cost is not None and bool(each.plan.allocations)
            _told(run, each, listed=not everything)

        try:
            going, standing = (None, []) if everything else _sorted_out(dom, orders)
            report = (
                dom.route(going, limit=limit, baseline=compare, progress=routed)
                if going != []
                else RouteReport()
            )
        except KeyboardInterrupt:
            run.out.note(
                f"\nStopped. {times(progress.done, 'order')} routed and kept; run the same command"
                " again to go on with the rest."
            )
            return INTERRUPTED
        for each in standing:
            report.add(each)
            _told(run, each, listed=True)
    _summed(run, report, compared)
    return _code(report)


def _sorted_out(dom: Domcore, orders: Sequence[str]) -> tuple[list[str], list[Routed]]:
    """The orders with something to route, and what there is to say of the others."""
    from domcore.model import Plan
    from domcore.routing import Routed

    going, standing = [], []
    for reference in dict.fromkeys(named(dom, each) for each in orders):
        summary = dom.order(reference).summary
        if summary.buckets.open or summary.status == "reserved":
            going.append(reference)
            continue
        why = standing_still(summary)
        standing.append(Routed(summary.order_id, summary.number, "nothing", Plan(), detail=why))
    return going, standing


def _told(run: Invocation, each: Routed, *, listed: bool) -> None:
    if run.out.as_json:
        run.out.object(row_of(each))
    elif listed or each.outcome == "failed":
        where = ", ".join(each.plan.nodes)
        why = [f"{hold.code}: {hold.reason}" for hold in each.holds]
        why += [reason(shortage.reason) for shortage in each.plan.shortages][:1]
        text = "; ".join(part for part in (where, *why, each.detail) if part)
        run.out.say(clean(f"{each.name}  {each.outcome}  {text}".rstrip()))


def row_of(each: Routed) -> dict[str, Any]:
    """One routed order for programs."""
    return {
        "order_id": each.order_id,
        "number": each.number,
        "outcome": each.outcome,
        "nodes": each.plan.nodes,
        "parcels": len(each.plan.parcels),
        "cost": plain(each.plan.cost),
        "proven": each.plan.proven,
        "short": sum(shortage.quantity for shortage in each.plan.shortages),
        "holds": [{"code": h.code, "reason": h.reason, "stage": h.stage} for h in each.holds],
        "detail": each.detail,
    }


def _summed(run: Invocation, report: RouteReport, compared: int) -> None:
    if run.out.as_json:
        run.out.object({"total": {**totals(report), "compared_orders": compared}})
        return
    words = ("routed", "split", "partial", "short", "held", "nothing", "failed")
    found = [(getattr(report, word), word) for word in words]
    parts = ", ".join(f"{number:,} {word}" for number, word in found if number)
    if not report.orders:
        run.out.note("No order is open and due.")
        return
    spent = sorted(report.costs.items())
    costs = [money_text(each.cost, currency) for currency, each in spent]
    said = f" Cost {', '.join(costs)}." if costs else ""
    run.out.say(f"{times(report.orders, 'order')}: {parts}.{said}")
    compares = [
        f"{money_text(each.compared_cost, currency)}, by nearest node"
        f" {money_text(each.nearest_cost, currency)}"
        f" ({100 - 100 * each.compared_cost / each.nearest_cost:.1f} % saved)"
        for currency, each in spent
        if each.nearest_cost
    ]
    if compares:
        run.out.say(f"On {times(compared, 'order')} that can be compared: {'; '.join(compares)}.")


def totals(report: RouteReport) -> dict[str, Any]:
    """A report's counts and costs for programs; one amount where there is one currency."""
    alone = len(report.costs) < 2
    return {
        "orders": report.orders,
        "routed": report.routed,
        "split": report.split,
        "partial": report.partial,
        "short": report.short,
        "held": report.held,
        "nothing": report.nothing,
        "failed": report.failed,
        "units": report.units,
        "parcels": report.parcels,
        "cost": plain(report.cost) if alone else None,
        "compared_cost": plain(report.compared_cost) if alone else None,
        "nearest_cost": plain(report.nearest_cost) if alone else None,
        "proven": report.proven,
        "costs": {
            currency: {name: plain(amount) for name, amount in spent._asdict().items()}
            for currency, spent in sorted(report.costs.items())
        },
    }


def _code(report: RouteReport) -> int:
    whole = report.routed + report.split
    if whole and whole == report.orders:
        return DONE
    if report.placed:
        return PARTIAL
    return FAILED if report.failed else NOTHING
