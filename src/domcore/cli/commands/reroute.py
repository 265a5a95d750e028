"""``domcore reroute ORDER``."""

from __future__ import annotations

import click

from domcore.cli import effects
from domcore.cli.exits import NOTHING, PARTIAL
from domcore.cli.invocation import Invocation
from domcore.cli.references import named
from domcore.cli.verb import verb


@verb(
    'domcore reroute "#1001" --dry-run',
    'domcore reroute "#1001" --reason "new rules" --yes',
    exits=(NOTHING, PARTIAL),
    writes=True,
)
@click.argument("order")
@effects.why
@effects.key
@effects.dry_run
@effects.yes
def command(run: Invocation, order: str, reason: str, key: str, dry_run: bool, yes: bool) -> int:
    """Decide anew what nobody has begun of ORDER, as stock and rules stand now.

    What nodes have, or may have, stays with them: `domcore move` asks for it back. You are shown
    the effect and asked first; the stock it has is only given up for what you were shown. Exit code
    3 says that there is nothing to decide, 4 that some of it stays open.
    """
    with run.open() as dom:
        reference = named(dom, order)
        return effects.carried_out(
            run,
            lambda dry: dom.reroute(reference, reason=reason, key=key, dry_run=dry),
            f"Route {order} again?",
            dry_run=dry_run,
            yes=yes,
        )
