"""``domcore address ORDER``."""

from __future__ import annotations

from typing import Any

import click

from domcore.cli import effects
from domcore.cli.exits import NOTHING, PARTIAL
from domcore.cli.invocation import Invocation
from domcore.cli.references import named
from domcore.cli.verb import verb


@verb(
    'domcore address "#1310" --postal 10115',
    'domcore address "#1310" --street "9 New St" --street "Apt 4" --phone "+1 555 0100"',
    'domcore address "#1310" --at 52.53,13.38 --dry-run',
    exits=(NOTHING, PARTIAL),
    writes=True,
)
@click.argument("order")
@click.option("--name", help="Who receives it.")
@click.option("--company", help="At which company.")
@click.option("--email", help="An e-mail address for the carrier.")
@click.option("--phone", help="A telephone number for the carrier.")
@click.option("--street", multiple=True, help="Street and number; repeat it for further lines.")
@click.option("--city", help="The town.")
@click.option("--region", help="The state or province, such as NY.")
@click.option("--postal", help="The postal code.")
@click.option("--country", help="Two letters, such as US.")
@click.option("--instructions", help="What the customer says about the delivery.")
@click.option("--at", metavar="LAT,LON", help="Where it is, where no geocoder can place it.")
@effects.why
@effects.key
@effects.dry_run
@effects.yes
def command(
    run: Invocation,
    order: str,
    street: tuple[str, ...],
    at: str | None,
    reason: str,
    key: str,
    dry_run: bool,
    yes: bool,
    **texts: str | None,
) -> int:
    """Correct whom ORDER goes to, and where; what you do not give stays as it is.

    An order that is held because nobody can place its address is routed once it has one that can
    be, or --at. Nodes that have the work are told, or asked to stop where the place changes. You
    are shown the effect, never a name or street, and asked first. What you say stands until the
    channel tells another address, name or number than it did. Exit code 3 says that it is so
    already, 4 that some of it stays open.
    """
    given: dict[str, Any] = effects.texts_of({**texts, "street": street})
    if at is not None:
        latitude, comma, longitude = at.partition(",")
        if not comma:
            raise click.BadParameter(f"{at!r}: write LAT,LON in degrees", param_hint="--at")
        given["at"] = (latitude.strip(), longitude.strip())
    if not given:
        raise click.UsageError("say what is to be corrected, such as --postal, --street or --at")
    with run.open() as dom:
        reference = named(dom, order)
        return effects.carried_out(
            run,
            lambda dry: dom.address(reference, reason=reason, key=key, dry_run=dry, **given),
            f"Correct the address of {order} ({', '.join(sorted(given))})?",
            dry_run=dry_run,
            yes=yes,
        )
