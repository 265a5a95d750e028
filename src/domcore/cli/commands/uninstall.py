"""``domcore uninstall``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from domcore.cli import installing
from domcore.cli.invocation import Invocation
from domcore.cli.verb import verb


@verb("domcore uninstall domcore-shopify -y", store=False, as_json=False)
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def command(_run: Invocation, names: Sequence[str], yes: bool) -> int:
    """Remove plugins again, with pip in the environment that runs domcore.

    What a plugin has stored stays. The exit code is pip's.
    """
    if any(name.strip().lower() == "domcore" for name in names):
        raise click.UsageError("domcore itself is no plugin; pip removes it")
    pip = installing.Pip.here()
    if pip.uv and not yes:
        click.confirm(f"Remove {', '.join(names)}?", abort=True)
    return installing.run(pip.uninstall(names, yes=yes))
