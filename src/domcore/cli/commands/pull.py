"""``domcore pull [CHANNEL]``."""

from __future__ import annotations

import click

from domcore.cli.exits import DONE, FAILED, PARTIAL
from domcore.cli.invocation import Invocation
from domcore.cli.output import clean, times
from domcore.cli.verb import verb


@verb("domcore pull shop", "domcore pull --json", exits=(PARTIAL,), writes=True)
@click.argument("channel", required=False, default="")
@click.option(
    "--limit", type=click.IntRange(1), default=1000, show_default=True, help="At most so many."
)
def command(run: Invocation, channel: str, limit: int) -> int:
    """Ask CHANNEL for its orders now, or all channels that are asked.

    `domcore work` does so by itself every `work.pull_seconds`; this does not wait, not even for a
    channel that has failed and would be tried again later. Exit code 4 says that some of it failed.
    """
    with run.open() as dom:
        report = dom.pull(channel, limit=limit)
    if run.out.as_json:
        told = {"pulled": report.pulled, "parked": report.parked}
        run.out.object({**told, "failures": list(report.failures)})
    run.out.say(f"Pulled {times(report.pulled, 'record')}.")
    for failure in report.failures:
        run.out.note(clean(failure))
    if not report.failures:
        return DONE
    return PARTIAL if report.pulled else FAILED
