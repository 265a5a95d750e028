"""``domcore hold ORDER``."""

from __future__ import annotations

import click

from domcore.cli.invocation import Invocation
from domcore.cli.output import clean
from domcore.cli.references import named
from domcore.cli.verb import verb
from domcore.model.policy import HOLD_STAGES


@verb(
    'domcore hold "#1001" --code fraud-check --reason "card is checked by hand"',
    'domcore hold "#1001" --stage route',
    writes=True,
)
@click.argument("order")
@click.option("--code", default="by-hand", show_default=True, help="Which hold it is.")
@click.option("--reason", default="", help="Why; kept with the event. No names, please.")
@click.option(
    "--stage",
    type=click.Choice(HOLD_STAGES[::-1]),
    default="release",
    show_default=True,
    help="release keeps what is reserved, route frees it.",
)
def command(run: Invocation, order: str, code: str, reason: str, stage: str) -> None:
    """Stop ORDER until `domcore approve` lifts the hold, whatever its shop says meanwhile.

    Work that is not handed over waits; nodes that may be at work on it are asked to stop.
    """
    with run.open() as dom:
        reference = named(dom, order)
        outcome = dom.hold(reference, code=code, reason=reason, stage=stage)
    if run.out.as_json:
        run.out.object({"order": order, "outcome": outcome.outcome, "detail": outcome.detail})
    word = "is held already" if outcome.outcome == "stale" else outcome.outcome
    detail = "" if outcome.outcome == "stale" else outcome.detail
    run.out.say(clean(f"{order}: {word}. {detail}".rstrip(" .") + "."))
