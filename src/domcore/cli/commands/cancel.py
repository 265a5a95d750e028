"""``domcore cancel ORDER``."""

from __future__ import annotations

import click

from domcore.cli.output import clean
from domcore.cli.references import named
from domcore.cli.verb import Invocation, verb


@verb('domcore cancel "#1001" --reason "customer called"', writes=True)
@click.argument("order")
@click.option("--reason", default="", help="Why; kept with the event. No names, please.")
def command(run: Invocation, order: str, reason: str) -> None:
    """Cancel what has not left of ORDER; reserved stock is free again."""
    with run.open() as dom:
        outcome = dom.cancel(named(dom, order), reason=reason)
    if run.out.as_json:
        run.out.object({"order": order, "outcome": outcome.outcome, "detail": outcome.detail})
    run.out.say(clean(f"{order}: {outcome.outcome}. {outcome.detail}".rstrip(" .") + "."))
