"""``domcore move WORK``."""

from __future__ import annotations

import click

from domcore.cli import effects
from domcore.cli.exits import NOTHING, PARTIAL
from domcore.cli.invocation import Invocation
from domcore.cli.verb import verb


@verb(
    "domcore move 15-1-DC-EAST --to DC-WEST",
    'domcore move 15-1-DC-EAST --away --reason "flooded" --dry-run',
    exits=(NOTHING, PARTIAL),
    writes=True,
)
@click.argument("work")
@click.option("--to", metavar="NODE", default="", help="The node that is to ship it.")
@click.option("--away", is_flag=True, help="Any node but the one that has it.")
@effects.why
@effects.key
@effects.dry_run
@effects.yes
def command(
    run: Invocation,
    work: str,
    to: str,
    away: bool,
    reason: str,
    key: str,
    dry_run: bool,
    yes: bool,
) -> int:
    """Have another node ship what WORK, a fulfillment order, has left.

    What nobody has begun is planned anew at once, and reserved in the same transaction. A node that
    has the work is asked to stop first; the units are planned anew once it has. A node that is
    named and cannot ship all of it is refused. You are shown the effect and asked first. `domcore
    timeline ORDER --json` and `domcore exceptions` name the work of an order. Exit code 3 says that
    it was said before, 4 that some of it stays open.
    """
    if bool(to) == away:
        raise click.UsageError("say --to NODE, or --away")
    where = f"to {to}" if to else "away from its node"
    with run.open() as dom:
        return effects.carried_out(
            run,
            lambda dry: dom.move(work, to=to, away=away, reason=reason, key=key, dry_run=dry),
            f"Move {work} {where}?",
            dry_run=dry_run,
            yes=yes,
        )
