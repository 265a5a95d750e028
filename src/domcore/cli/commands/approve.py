"""``domcore approve ORDER``."""

from __future__ import annotations

from typing import Final

import click

from domcore.cli.exits import NOTHING
from domcore.cli.invocation import Invocation
from domcore.cli.output import clean
from domcore.cli.references import named
from domcore.cli.verb import verb

ADDRESS_HOLD: Final = "domcore/address"
CURRENCY_HOLD: Final = "domcore/currency"
"""Holds that no word lifts for long: an address has to change, a currency needs a rate."""


@verb(
    'domcore approve "#1310"',
    'domcore approve "#1310" --by kim',
    'domcore approve "#1310" --rate 1.0842 --by kim',
    'domcore approve "#1310" --code unpaid',
    exits=(NOTHING,),
    writes=True,
)
@click.argument("order")
@click.option("--code", default="", help="Lift only the hold of this code.")
@click.option(
    "--rate",
    default="",
    help="What one unit of the order's currency is worth in its owner's; kept with who said it.",
)
def command(run: Invocation, order: str, code: str, rate: str) -> int:
    """Lift all holds of ORDER, or one.

    An order that was held before routing is routed by the next `domcore route`; work that was held
    before release is handed over. Exit code 3 says that nothing was held. A wrong --rate is
    corrected by another, as long as the order was not routed by it.
    """
    with run.open() as dom:
        known = named(dom, order)
        lifted = dom.approve(known, code=code, rate=rate)
        is_open = bool(dom.order(known).summary.buckets.open)
    corrected = [hold for hold in lifted if hold.code.startswith(f"{CURRENCY_HOLD}@")]
    if run.out.as_json:
        told = [hold for hold in lifted if hold not in corrected]
        holds = [{"code": h.code, "reason": h.reason, "stage": h.stage} for h in told]
        run.out.object(
            {"order": order, "lifted": holds, "corrected": [h.reason for h in corrected]}
        )
    for hold in corrected:
        run.out.say(clean(f"Corrected: {hold.reason}."))
    for hold in [hold for hold in lifted if hold not in corrected]:
        run.out.say(clean(f"Lifted {hold.code}" + (f": {hold.reason}" if hold.reason else "")))
    if not lifted:
        run.out.say(clean(f"No hold {code} stood.") if code else "Nothing was held.")
    elif any(hold.stage == "route" for hold in lifted):
        if any(hold.code == CURRENCY_HOLD for hold in lifted) and not rate:
            run.out.say(
                "Unless [[exchange_rate]] has a rate for it by now, it is held again: approve it"
                " with --rate."
            )
        if any(hold.code == ADDRESS_HOLD for hold in lifted):
            run.out.say(
                "Unless its address can be placed by now, it is held again; correct it:"
                f' domcore address "{order}"'
            )
        if is_open:
            run.out.say(f'Next: domcore route "{order}"')
    return 0 if lifted else NOTHING
