"""``domcore install``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from domcore.cli import installing
from domcore.cli.invocation import Invocation
from domcore.cli.verb import verb


@verb(
    "domcore install ./plugins/domcore-shopify",
    "domcore install -e ./domcore-acme",
    store=False,
    as_json=False,
)
@click.argument("names", metavar="[NAME...]", nargs=-1)
@click.option("-e", "--editable", multiple=True, metavar="FOLDER", help="A package being written.")
@click.option("-U", "--upgrade", is_flag=True, help="Take the newest version.")
@click.option("--any-name", is_flag=True, help="Also packages that are not called domcore-...")
def command(
    _run: Invocation,
    names: Sequence[str],
    editable: Sequence[str],
    upgrade: bool,
    any_name: bool,
) -> int:
    """Install plugins beside domcore, with pip in the environment that runs it.

    A NAME is what pip takes: a package, with a version if you like, a folder, a file, an address.
    A package of another name than domcore-... may be anybody's, and is installed with --any-name
    only. The exit code is pip's. `domcore plugins` then says whether they work.
    """
    if not names and not editable:
        raise click.UsageError("Name a package, or a folder with -e.")
    for name in () if any_name else names:
        why = installing.stranger(name)
        if why:
            raise click.UsageError(
                f"{name!r} may be a stranger's package: {why}. With --any-name it is installed."
            )
    pip = installing.Pip.here()
    return installing.run(pip.install(names, editable=editable, upgrade=upgrade))
