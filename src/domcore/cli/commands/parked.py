"""``domcore parked``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from domcore.cli.invocation import Invocation
from domcore.cli.output import Column, Row
from domcore.cli.verb import verb
from domcore.model.clock import from_micros

if TYPE_CHECKING:
    from domcore.store.protocol import Parked


@verb("domcore parked", "domcore parked --json")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most.")
def command(run: Invocation, limit: int) -> int:
    """Show what was set aside for a person, oldest first.

    These are words to nodes that failed too often, events that a plugin could not take, and news
    that could not be taken in; and work that waits for a plugin that is not there. `domcore retry`
    tries one again, `domcore drop` gives it up.
    """
    with run.open() as dom:
        found = dom.parked(limit=limit)
    columns = (
        Column("ID", "id"),
        Column("WHAT", "kind"),
        Column("ABOUT", "about"),
        Column("SINCE", "since", _since),
        Column("ATTEMPTS", "attempts", right=True),
        Column("OUTCOME", "outcome"),
        Column("WHY", "note"),
    )
    run.out.rows(columns, [_row(each) for each in found], empty="Nothing is parked.")
    return 0


def _since(moment: str | None) -> str:
    return moment[:16].replace("T", " ") if moment else "waits"


def _row(each: Parked) -> Row:
    about = each.fulfillment_order or ("" if each.order_id is None else f"order id:{each.order_id}")
    since = None if each.parked_at is None else from_micros(each.parked_at)
    return {
        "id": each.id,
        "kind": each.kind,
        "about": about,
        "since": since and since.isoformat(),
        "attempts": each.attempts,
        "outcome": "unknown" if each.unknown else "failed",
        "note": each.note,
        "order_id": each.order_id,
    }
