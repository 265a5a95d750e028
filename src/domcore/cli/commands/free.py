"""``domcore free ORDER``."""

from __future__ import annotations

import click

from domcore.cli.exits import DONE, NOTHING
from domcore.cli.invocation import Invocation
from domcore.cli.output import clean
from domcore.cli.references import named
from domcore.cli.verb import verb


@verb('domcore free "#1001"', exits=(NOTHING,), writes=True)
@click.argument("order")
def command(run: Invocation, order: str) -> int:
    """Let go of what is reserved of ORDER for a while; the stock is free again.

    Exit code 3 says that nothing was reserved for a while.
    """
    with run.open() as dom:
        outcome = dom.free(named(dom, order))
    if run.out.as_json:
        run.out.object({"order": order, "outcome": outcome.outcome, "detail": outcome.detail})
    run.out.say(clean(f"{order}: {outcome.outcome}, {outcome.detail}."))
    return NOTHING if outcome.outcome == "nothing" else DONE
