"""``domcore approve ORDER``."""

from __future__ import annotations

from typing import Final

import click

from domcore.cli.exits import NOTHING
from domcore.cli.output import clean
from domcore.cli.references import named
from domcore.cli.verb import Invocation, verb

_FACTS: Final = ("domcore/address", "domcore/currency")
"""Holds that no word lifts for long: something about the order has to change."""


@verb('domcore approve "#1310"', 'domcore approve "#1310" --by kim', exits=(NOTHING,), writes=True)
@click.argument("order")
def command(run: Invocation, order: str) -> int:
    """Lift all holds of ORDER.

    An order that was held before routing is routed by the next `domcore route`; work that was held
    before release is handed over. Exit code 3 says that nothing was held.
    """
    with run.open() as dom:
        lifted = dom.approve(named(dom, order))
    if run.out.as_json:
        holds = [{"code": h.code, "reason": h.reason, "stage": h.stage} for h in lifted]
        run.out.object({"order": order, "lifted": holds})
    for hold in lifted:
        run.out.say(clean(f"Lifted {hold.code}: {hold.reason}"))
    if not lifted:
        run.out.say("Nothing was held.")
    elif any(hold.stage == "route" for hold in lifted):
        if any(hold.code in _FACTS for hold in lifted):
            run.out.say("Unless that has been mended by a later revision, it is held again.")
        run.out.say(f'Next: domcore route "{order}"')
    return 0 if lifted else NOTHING
