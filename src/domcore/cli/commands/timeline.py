"""``domcore timeline ORDER``."""

from __future__ import annotations

import click

from domcore.cli.invocation import Invocation
from domcore.cli.references import named
from domcore.cli.verb import verb


@verb('domcore timeline "#1001"', "domcore timeline shop/5600001450983 --json")
@click.argument("order")
def command(run: Invocation, order: str) -> None:
    """Tell what happened to ORDER: every event and decision, in order, in words.

    A decision's number is for `domcore explain ORDER --decision N`.
    """
    with run.open() as dom:
        told = dom.timeline(named(dom, order))
    if run.out.as_json:
        run.out.object(told.to_dict())
    else:
        run.out.say(told.to_text())
