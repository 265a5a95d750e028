"""``domcore init``."""

from __future__ import annotations

from pathlib import Path

import click

from domcore.cli.invocation import Invocation
from domcore.cli.verb import verb
from domcore.config import PROJECT_FILE
from domcore.config.template import TEMPLATE


@verb("domcore init", "domcore init shop", store=False)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
def command(run: Invocation, folder: Path) -> None:
    """Start a project: a domcore.toml and an empty store.

    What is there already is kept, so it is safe to run again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    project = folder / PROJECT_FILE
    written = not project.exists()
    if written:
        project.write_text(TEMPLATE, encoding="utf-8")
    (folder / "rulesets").mkdir(exist_ok=True)
    run.config = project.absolute()
    with run.create() as dom:
        store = dom.settings.store
        known = bool(dom.network().nodes)
    if run.out.as_json:
        run.out.object({"project": str(project), "written": written, "store": store})
        return
    run.out.say(f"{'Wrote' if written else 'Kept '} {project}")
    run.out.say(f"Ready {store}")
    task, verb_name = ("receive orders", "receive") if known else ("load a network", "load network")
    run.out.say(f"\nNext: {task}; `domcore {verb_name} --help` shows how.")
