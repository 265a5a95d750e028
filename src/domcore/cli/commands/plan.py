"""``domcore plan ORDER``."""

from __future__ import annotations

import click

from domcore.cli.exits import DONE, NOTHING, PARTIAL
from domcore.cli.invocation import Invocation
from domcore.cli.references import named, standing_still
from domcore.cli.verb import verb


@verb('domcore plan "#1299"', "domcore plan 5600001450983 --json", exits=(NOTHING, PARTIAL))
@click.argument("order")
def command(run: Invocation, order: str) -> int:
    """Show what route would do with ORDER now; changes nothing.

    Exit code 3 says that nothing can be routed, and standard error says why.
    """
    with run.open() as dom:
        order = named(dom, order)
        summary = dom.order(order).summary
        still = standing_still(summary)
        if still and not summary.buckets.open:
            run.out.note(f"Nothing to plan for {order}: {still}.")
            return NOTHING
        planned = dom.plan(order)
    if run.out.as_json:
        run.out.object(planned.explanation.to_dict())
    else:
        run.out.say(planned.explanation.to_text())
    if still:
        run.out.note(f"Nothing is routed yet: {still}.")
        return NOTHING
    if not planned.plan.allocations or any(hold.stage == "route" for hold in planned.holds):
        return NOTHING
    return PARTIAL if planned.plan.shortages else DONE
