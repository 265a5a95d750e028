"""``domcore cancel ORDER``."""

from __future__ import annotations

from typing import Final

import click

from domcore.cli.exits import DONE, NOTHING
from domcore.cli.invocation import Invocation
from domcore.cli.output import clean
from domcore.cli.references import named
from domcore.cli.verb import verb

_WORDS: Final = {"nothing": "nothing was cancelled", "duplicate": "nothing was cancelled"}


@verb('domcore cancel "#1001" --reason "customer called"', exits=(NOTHING,), writes=True)
@click.argument("order")
@click.option("--reason", default="", help="Why; kept with the event. No names, please.")
def command(run: Invocation, order: str, reason: str) -> int:
    """Cancel what has not left of ORDER; reserved stock is free again.

    Nodes that have work of it are asked to stop; what has left stays shipped. Exit code 3 says that
    nothing was cancelled: all of it had left, or it had been cancelled before.
    """
    with run.open() as dom:
        reference = named(dom, order)
        outcome = dom.cancel(reference, reason=reason)
        units = dom.order(reference).summary.buckets
    if run.out.as_json:
        told = {"order": order, "outcome": outcome.outcome, "detail": outcome.detail}
        run.out.object({**told, "units": units._asdict()})
    word = _WORDS.get(outcome.outcome, outcome.outcome)
    run.out.say(clean(f"{order}: {word}; {outcome.detail}."))
    return DONE if outcome.outcome == "cancelled" else NOTHING
