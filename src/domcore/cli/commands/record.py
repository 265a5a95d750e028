"""``domcore record FULFILLMENT-ORDER STATUS``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import click

from domcore.cli.output import clean
from domcore.cli.times import Moment
from domcore.cli.verb import Invocation, verb
from domcore.model import FULFILLMENT_STATUSES, REJECTION_REASONS, Notice, Package


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
    writes=True,
)
@click.argument("fulfillment_order")
@click.argument("status", metavar="STATUS", type=click.Choice(FULFILLMENT_STATUSES))
@click.option(
    "--line",
    "lines",
    multiple=True,
    metavar="LINE=UNITS",
    callback=_units,
    help="Only these units, by line id or SKU; repeatable. Otherwise all that is left.",
)
@click.option("--tracking", default="", help="The tracking number of the box that left.")
@click.option("--carrier", default="", help="Who carries it.")
@click.option("--reason", type=click.Choice(REJECTION_REASONS), help="Why it is rejected.")
@click.option("--detail", default="", help="For people; no names, please.")
@click.option("--at", type=Moment(), help="When it happened (ISO 8601, else UTC); now otherwise.")
def command(
    run: Invocation,
    fulfillment_order: str,
    status: str,
    lines: tuple[tuple[str, int], ...],
    tracking: str,
    carrier: str,
    reason: str | None,
    detail: str,
    at: datetime | None,
) -> None:
    """Take in the word of a node that has no connector, or that told it by telephone.

    STATUS is requested, accepted, on_hold, in_progress, partially_shipped, shipped, delivered,
    rejected, exception, cancel_requested, cancelled or returned. A word that is known already, or
    overtaken by a later one, changes nothing.
    """
    if carrier and not tracking:
        raise click.UsageError("--carrier goes with --tracking")
    box = Package(tracking, lines, carrier=carrier, tracking=tracking)
    with run.open() as dom:
        notice = Notice(
            fulfillment_order,
            status,
            at or dom.now(),
            lines,
            (box,) if tracking else (),
            reason=reason or "",
            detail=detail,
        )
        outcome = dom.record(notice)
    if run.out.as_json:
        told = {"outcome": outcome.outcome, "detail": outcome.detail}
        run.out.object({"fulfillment_order": fulfillment_order, **told})
    now = outcome.detail.replace("_", " ")
    now = f"the work is {now} now" if outcome.outcome in ("recorded", "stale") else now
    run.out.say(clean(f"{fulfillment_order}: {outcome.outcome}; {now}."))
