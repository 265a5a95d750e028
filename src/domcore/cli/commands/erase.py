"""``domcore erase ORDER``."""

from __future__ import annotations

import click

from domcore.cli.exits import NOTHING
from domcore.cli.invocation import Invocation
from domcore.cli.references import named
from domcore.cli.verb import verb


@verb('domcore erase "#1001" --yes', exits=(NOTHING,))
@click.argument("order")
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(run: Invocation, order: str, yes: bool) -> int:
    """Remove the personal data of ORDER for good; what was decided stays.

    Exit code 3 says that there was none.
    """
    with run.open() as dom:
        order = named(dom, order)
        if not yes:
            click.confirm(f"Remove the personal data of {order} for good?", abort=True, err=True)
        erased = dom.erase(order)
    if run.out.as_json:
        run.out.object({"order": order, "erased": erased})
    run.out.say("Erased." if erased else "There was no personal data.")
    return 0 if erased else NOTHING
