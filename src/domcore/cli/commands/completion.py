"""``domcore completion SHELL``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from domcore.cli.invocation import Invocation
from domcore.cli.verb import verb

SHELLS = ("bash", "zsh", "fish")


@verb(
    'eval "$(domcore completion bash)"',
    "domcore completion fish > ~/.config/fish/completions/domcore.fish",
    store=False,
    as_json=False,
)
@click.argument("shell", type=click.Choice(SHELLS))
def command(run: Invocation, shell: str) -> None:  # noqa: ARG001 - every verb has one
    """Print a script that completes commands and options in SHELL."""
    context = click.get_current_context().find_root()
    maker = get_completion_class(shell)
    if maker is None:
        raise click.UsageError(f"there is no completion for {shell}")
    click.echo(maker(context.command, {}, "domcore", "_DOMCORE_COMPLETE").source())
