"""``domcore explain ORDER``."""

from __future__ import annotations

import click

from domcore.cli.references import named, standing_still
from domcore.cli.verb import Invocation, verb
from domcore.errors import NotFound


@verb(
    'domcore explain "#1001"',
    'domcore explain "#1001" --why-not DC-WEST',
    'domcore explain "#1001" --decision 1',
)
@click.argument("order")
@click.option("--why-not", metavar="NODE", help="Say why this node does not ship, or not more.")
@click.option(
    "--decision", metavar="N", type=click.IntRange(min=1), help="Which decision; else the last."
)
def command(run: Invocation, order: str, why_not: str | None, decision: int | None) -> None:
    """Say why ORDER was routed as it was, from what was stored with the decision."""
    with run.open() as dom:
        order = named(dom, order)
        summary = dom.order(order).summary
        still = standing_still(summary)
        if still and not dom.store.decisions(summary.order_id):
            raise NotFound(f"nothing has been decided on {order}: {still}")
        explanation = dom.explain(order, why_not=why_not, decision=decision)
    if run.out.as_json:
        run.out.object(explanation.to_dict())
    else:
        run.out.say(explanation.to_text())
