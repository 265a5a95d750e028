"""``domcore new plugin``."""

from __future__ import annotations

from pathlib import Path

import click

from domcore.cli.invocation import Invocation
from domcore.cli.scaffold import KINDS, PluginName, render
from domcore.cli.verb import Examples, verb


@click.group(cls=Examples, examples=["domcore new plugin acme --kind channel"])
def command() -> None:
    """Start something new: a plugin."""


@verb(
    "domcore new plugin acme --kind channel",
    "domcore new plugin road-runner --kind connector --folder ~/plugins",
    store=False,
)
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(list(KINDS)),
    required=True,
    help="What it is: where orders come from, who works for nodes, facts for rules, a planner.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where to put it; the current folder if left out.",
)
def plugin(run: Invocation, name: str, kind: str, folder: Path) -> None:
    """Write a package domcore-NAME that installs, works and passes its tests.

    Nothing is overwritten: a folder of that name is refused.
    """
    names = PluginName.of(name)
    target = render(names, kind, folder)
    files = sorted(str(file.relative_to(target)) for file in target.rglob("*") if file.is_file())
    if run.out.as_json:
        run.out.object({"plugin": names.plugin, "path": str(target), "kind": kind, "files": files})
        return
    run.out.say(f"Wrote {target}")
    for file in files:
        run.out.say(f"  {file}")
    run.out.say(f"\nNext: domcore install -e {target}, then python -m pytest {target}")


command.add_command(plugin)
