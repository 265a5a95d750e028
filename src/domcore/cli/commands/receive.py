"""``domcore receive CHANNEL FILE...``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from domcore.cli.deliveries import FORMS, Arrived, arrivals
from domcore.cli.exits import DONE, FAILED, INTERRUPTED, PARTIAL
from domcore.cli.invocation import Invocation
from domcore.cli.output import clean, times
from domcore.cli.progress import Progress
from domcore.cli.verb import verb
from domcore.errors import ConflictError, DomcoreError, PayloadError, PluginError
from domcore.unreadable import WORD as UNREADABLE

if TYPE_CHECKING:
    from domcore.app import Domcore


@verb(
    "domcore receive shop deliveries.jsonl",
    "domcore receive shop - --json < deliveries.jsonl",
    'domcore receive shop order.json --header "X-Shopify-Topic: orders/create"',
    exits=(PARTIAL,),
)
@click.argument("channel")
@click.argument(
    "files",
    metavar="FILE...",
    type=click.Path(path_type=Path, allow_dash=True),
    nargs=-1,
    required=True,
)
@click.option("--format", "form", type=click.Choice(FORMS), help="What the files are.")
@click.option(
    "--header", "-H", "headers", multiple=True, metavar="NAME:VALUE", help="For raw files."
)
def command(
    run: Invocation,
    channel: str,
    files: Sequence[Path],
    form: str | None,
    headers: Sequence[str],
) -> int:
    """Take in deliveries of CHANNEL, such as webhooks.

    A FILE is one raw body, with its headers in FILE.headers.json or --header; or JSON Lines of
    deliveries, each {"body": TEXT, "headers": {...}} or with "body_base64". `-` is standard input.
    One that is refused does not stop the others, and one that cannot be read is kept, see
    `domcore parked`; a FILE that cannot be opened stops all, before
    anything is taken in. With --json, one line per outcome and a last one with the totals.
    """
    given = _headers(headers)
    for file in files:
        if str(file) != "-":
            file.open("rb").close()
    outcomes: Counter[str] = Counter()
    with run.open() as dom:
        try:
            with Progress("received", out=run.out) as progress:
                for file in files:
                    for arrived in arrivals(file, form, given):
                        outcomes.update(_receive(run, dom, channel, arrived))
                        progress.step()
        except KeyboardInterrupt:
            run.out.note("\nStopped; what was taken in is kept, and the rest may come again.")
            _told(run, outcomes)
            return INTERRUPTED
        except (DomcoreError, OSError):
            if outcomes:
                _told(run, outcomes)
            raise
    return _told(run, outcomes)


def _receive(run: Invocation, dom: Domcore, channel: str, arrived: Arrived) -> list[str]:
    """Take in one delivery; the outcome of each command in it."""
    try:
        if arrived.error:
            raise PayloadError(arrived.error)
        found = dom.receive(channel, arrived.body, arrived.headers)
    except (PayloadError, ConflictError, PluginError) as error:
        if run.out.as_json:
            row = {"place": arrived.place, "outcome": "refused", "detail": str(error)}
            run.out.object({**row, "order_id": None})
        else:
            run.out.note(f"{arrived.place}: refused: {clean_lines(str(error))}")
        return ["refused"]
    for outcome in found:
        if outcome.outcome == UNREADABLE and not run.out.as_json:
            run.out.note(clean_lines(f"{arrived.place}: unreadable: {outcome.detail}"))
        if run.out.as_json:
            run.out.object(
                {
                    "place": arrived.place,
                    "outcome": outcome.outcome,
                    "detail": outcome.detail,
                    "order_id": outcome.order_id,
                }
            )
    return [outcome.outcome for outcome in found] or ["ignored"]


def clean_lines(text: str) -> str:
    """Text of several lines without characters that could steer a terminal."""
    return "\n".join(clean(line) for line in text.splitlines())


def _told(run: Invocation, outcomes: Counter[str]) -> int:
    total = sum(outcomes.values())
    listed = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(outcomes.items()))
    number = times(total, "delivery", "deliveries")
    if run.out.as_json:
        run.out.object({"total": {"outcomes": total, **dict(sorted(outcomes.items()))}})
    run.out.say(f"Received {number}: {listed}." if total else "Nothing came.")
    refused = outcomes["refused"] + outcomes[UNREADABLE]
    return DONE if not refused else FAILED if refused == total else PARTIAL


def _headers(given: Sequence[str]) -> Mapping[str, str]:
    headers = {}
    for each in given:
        name, colon, value = each.partition(":")
        if not colon or not name.strip():
            raise click.BadParameter(f"{each!r} is not NAME:VALUE", param_hint="--header")
        headers[name.strip()] = value.strip()
    return headers
