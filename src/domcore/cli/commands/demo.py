"""``domcore demo [FOLDER]``."""

from __future__ import annotations

from pathlib import Path

import click

from domcore.cli.exits import DONE, FAILED
from domcore.cli.invocation import Invocation
from domcore.cli.progress import Progress
from domcore.cli.verb import verb


@verb("domcore demo", "domcore demo shop --orders 1000 --seed 1", store=False)
@click.argument("folder", type=click.Path(path_type=Path), default=Path("domcore-demo"))
@click.option(
    "--orders", type=click.IntRange(40, 100_000), default=320, show_default=True, help="How many."
)
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True, help="Of the data.")
@click.option("--force", is_flag=True, help="Replace the demo that is there.")
def command(run: Invocation, folder: Path, orders: int, seed: int, force: bool) -> int:
    """Build a small shop in FOLDER, route its orders, show what comes out.

    Makes a project with a network of a dozen nodes, a catalog, stock, two rule packs and some
    hundred signed Shopify webhooks; its nodes work by files. Needs domcore-shopify and
    domcore-files. The same seed makes the same data.
    """
    # The demo brings the application and its own data with it; help need not wait for them.
    from domcore.cli.commands._demo_output import summary
    from domcore.demo.report import lines
    from domcore.demo.run import run as run_demo

    run.out.say(f"domcore demo in {folder} (seed {seed})\n")
    report = run_demo(
        folder,
        seed=seed,
        orders=orders,
        force=force,
        watch=lambda label, steps: Progress(f"  {label}", steps, patience=0.2, out=run.out),
    )
    if run.out.as_json:
        run.out.object(summary(report))
    else:
        for line in lines(report):
            run.out.say(line)
    return FAILED if report.violations else DONE
