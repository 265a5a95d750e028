"""``domcore record FULFILLMENT-ORDER STATUS``, and ``domcore record ORDER --elsewhere``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import click

from domcore.cli.invocation import Invocation
from domcore.cli.output import clean
from domcore.cli.references import named
from domcore.cli.times import Moment
from domcore.cli.verb import verb
from domcore.model import FULFILLMENT_STATUSES, REJECTION_REASONS, Notice, Package
from domcore.store.protocol import Outcome


def _units(
    _: click.Context, __: click.Parameter, given: Sequence[str]
) -> tuple[tuple[str, int], ...]:
    """``LINE=UNITS`` as pairs."""
    read = []
    for text in given:
        name, equals, units = text.rpartition("=")
        if not (name and equals and units.isascii() and units.isdigit() and len(units) < 11):
            raise click.BadParameter(f"{text!r}: say LINE=UNITS, such as MUG=2")
        read.append((name, int(units)))
    return tuple(read)


@verb(
    "domcore record 29-1-DC-CENTRAL accepted",
    "domcore record 29-1-DC-CENTRAL shipped --tracking 1Z999",
    "domcore record 29-1-DC-CENTRAL rejected --reason not_found --line 56000011471590=1",
    "domcore record 1001 --elsewhere --tracking 1Z999",
    "domcore record 1021 --elsewhere --line BKS-0172=1 --node DC-CENTRAL --name call-17",
    writes=True,
)
@click.argument("work", metavar="FULFILLMENT-ORDER|ORDER")
@click.argument(
    "status", metavar="[STATUS]", required=False, type=click.Choice(FULFILLMENT_STATUSES)
)
@click.option(
    "--elsewhere",
    is_flag=True,
    help="Goods of ORDER have left that no node was told to send: they do not leave again.",
)
@click.option(
    "--line",
    "lines",
    multiple=True,
    metavar="LINE=UNITS",
    callback=_units,
    help="Only these units, by line id or SKU; repeatable. Otherwise all that is left.",
)
@click.option("--tracking", default="", help="The tracking number of the box that left.")
@click.option("--node", default="", help="With --elsewhere: from whose shelf they were taken.")
@click.option(
    "--name",
    default="",
    help="With --elsewhere: what to call the shipment; the same name again replaces it."
    " A free name is chosen and shown without it.",
)
@click.option(
    "--taken-back", is_flag=True, help="With --elsewhere: the shipment --name has not left."
)
@click.option("--carrier", default="", help="Who carries it.")
@click.option("--reason", type=click.Choice(REJECTION_REASONS), help="Why it is rejected.")
@click.option("--detail", default="", help="For people; no names, please.")
@click.option("--at", type=Moment(), help="When it happened (ISO 8601, else UTC); now otherwise.")
def command(
    run: Invocation,
    work: str,
    status: str | None,
    elsewhere: bool,
    lines: tuple[tuple[str, int], ...],
    tracking: str,
    node: str,
    name: str,
    taken_back: bool,
    carrier: str,
    reason: str | None,
    detail: str,
    at: datetime | None,
) -> None:
    """Take in the word of a node that has no connector, or that told it by telephone.

    STATUS is requested, accepted, on_hold, in_progress, partially_shipped, shipped, delivered,
    rejected, exception, cancel_requested, cancelled or returned. A word that is known already, or
    overtaken by a later one, changes nothing.

    With --elsewhere, say the ORDER and no STATUS: somebody else has sent its goods, all that have
    not left yet or those of --line. They count as shipped. What no node works on is taken off at
    once, nodes that work on it are asked to stop. More units than the order ever had are refused.
    """
    if elsewhere == (status is not None):
        raise click.UsageError("say a STATUS, or --elsewhere")
    if not elsewhere and (node or name or taken_back):
        raise click.UsageError("--node, --name and --taken-back go with --elsewhere")
    if elsewhere and (carrier or reason or detail):
        raise click.UsageError("--carrier, --reason and --detail are for the word of a node")
    if elsewhere:
        with run.open() as dom:
            outcome = dom.ship_elsewhere(
                named(dom, work), lines, at=at, node=node, name=name, taken_back=taken_back,
                tracking=(tracking,) if tracking else (),
            )  # fmt: skip
        _say(run, {"order": work}, outcome, outcome.detail or "nothing is left of it")
        return
    assert status is not None
    if carrier and not tracking:
        raise click.UsageError("--carrier goes with --tracking")
    box = Package(tracking, lines, carrier=carrier, tracking=tracking)
    with run.open() as dom:
        notice = Notice(
            work,
            status,
            at or dom.now(),
            lines,
            (box,) if tracking else (),
            reason=reason or "",
            detail=detail,
        )
        outcome = dom.record(notice)
    now = outcome.detail.replace("_", " ")
    now = f"the work is {now} now" if outcome.outcome in ("recorded", "stale") else now
    _say(run, {"fulfillment_order": work}, outcome, now)


def _say(run: Invocation, about: dict[str, str], outcome: Outcome, now: str) -> None:
    if run.out.as_json:
        run.out.object({**about, "outcome": outcome.outcome, "detail": outcome.detail})
    run.out.say(clean(f"{next(iter(about.values()))}: {outcome.outcome}; {now}."))
