"""``domcore explain ORDER``."""

from __future__ import annotations

import click

from domcore.cli.invocation import Invocation
from domcore.cli.output import clean
from domcore.cli.references import named, standing_still
from domcore.cli.verb import verb
from domcore.errors import NotFound


@verb(
    'domcore explain "#1001"',
    'domcore explain "#1001" --why-not DC-WEST',
    'domcore explain "#1001" --decision 1',
    'domcore explain "#1001" --rule cost-first/ship-complete',
    'domcore explain "#1001" --rule ship-from-store/store-labour --node DC-WEST',
)
@click.argument("order")
@click.option("--why-not", metavar="NODE", help="Say why this node does not ship, or not more.")
@click.option(
    "--decision", metavar="N", type=click.IntRange(min=1), help="Which decision; else the last."
)
@click.option("--rule", metavar="PACK/ID", help="Say why this rule spoke, or was silent.")
@click.option("--node", metavar="NODE", help="With --rule: about this node.")
def command(
    run: Invocation,
    order: str,
    why_not: str | None,
    decision: int | None,
    rule: str | None,
    node: str | None,
) -> None:
    """Say why ORDER was routed as it was, from what was stored with the decision.

    With --rule, say what that rule said of it: where its condition failed, the part that did, and
    the values it read.
    """
    if (node and not rule) or (rule and why_not):
        raise click.UsageError("--node goes with --rule, and --rule does not go with --why-not")
    with run.open() as dom:
        order = named(dom, order)
        if rule is not None:
            story = dom.explain_rule(order, rule, node=node, decision=decision)
            if run.out.as_json:
                run.out.object(story.to_dict())
            else:
                for line in story.to_text().splitlines():
                    run.out.say(clean(line))
            return
        summary = dom.order(order).summary
        still = standing_still(summary)
        if still and not dom.store.decisions(summary.order_id):
            raise NotFound(f"nothing has been decided on {order}: {still}")
        explanation = dom.explain(order, why_not=why_not, decision=decision)
    if run.out.as_json:
        run.out.object(explanation.to_dict())
    else:
        run.out.say(explanation.to_text())
