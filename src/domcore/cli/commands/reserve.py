"""``domcore reserve ORDER --minutes N``."""

from __future__ import annotations

import click

from domcore.cli.exits import DONE, FAILED, NOTHING, PARTIAL
from domcore.cli.invocation import Invocation
from domcore.cli.output import clean, reason
from domcore.cli.references import named, standing_still
from domcore.cli.verb import verb


@verb(
    'domcore reserve "#1001" --minutes 15',
    'domcore reserve "#1001" --minutes 15 --json',
    exits=(NOTHING, PARTIAL),
    writes=True,
)
@click.argument("order")
@click.option(
    "--minutes", type=click.IntRange(1), required=True, help="How long; then the stock is free."
)
def command(run: Invocation, order: str, minutes: int) -> int:
    """Reserve the stock of ORDER for a while, as for a cart; no node is told.

    `domcore keep` makes work of it, `domcore free` lets it go, and reserving again gives it more
    time. Exit code 3 says that nothing could be reserved, 4 that some of it could.
    """
    from domcore.cli.commands.route import row_of  # the router costs a start-up of its own

    with run.open() as dom:
        reference = named(dom, order)
        routed = dom.reserve(reference, minutes=minutes)
        summary = dom.order(reference).summary
    if run.out.as_json:
        run.out.object({**row_of(routed), "status": summary.status})
    why = [f"{hold.code}: {hold.reason}" for hold in routed.holds]
    why += [reason(shortage.reason) for shortage in routed.plan.shortages][:1]
    why.append(routed.detail if routed.outcome != "nothing" else standing_still(summary))
    told = "; ".join(part for part in (", ".join(summary.nodes), *why) if part)
    run.out.say(clean(f"{order}: {summary.status}. {told}".rstrip(" .") + "."))
    if routed.outcome == "failed":
        return FAILED
    if routed.outcome == "nothing" or not summary.buckets.allocated:
        return NOTHING
    return DONE if summary.status == "reserved" else PARTIAL
