"""What all commands share: options, examples and exit codes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import click

from domcore.cli.completing import complete_names
from domcore.cli.exits import DONE, FAILED, INTERRUPTED, MEANINGS, USAGE
from domcore.cli.invocation import invocation_of
from domcore.cli.pipes import reader_left
from domcore.cli.times import Seconds
from domcore.model.actor import WORKER

_CONFIG: Final = click.Option(
    ["--config"],
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The project file; otherwise the nearest domcore.toml.",
)
_STORE: Final = click.Option(["--store"], metavar="URL", help="The store, instead of the setting.")
_ENGINE: Final = click.Option(["--engine"], metavar="NAME", help="The rule engine, likewise.")
_NO_PERSONS: Final = ("channel", "connector", "plugin")


def _person(_: click.Context, __: click.Parameter, name: str | None) -> str | None:
    """Nobody signs at the command line as what domcore itself names so."""
    kind, colon, _rest = (name or "").casefold().partition(":")
    kind = kind.strip()
    if (colon and kind in _NO_PERSONS) or kind == WORKER:
        raise click.BadParameter(f"{name!r} is no person's: say your own name, such as kim")
    return name


_BY: Final = click.Option(
    ["--by"],
    metavar="NAME",
    callback=_person,
    help="Who causes it, kept with the events; otherwise the name you are logged in by.",
)
_WATCH: Final = click.Option(
    ["--watch"], is_flag=True, help="Show it again and again, until Ctrl-C."
)
_EVERY: Final = click.Option(
    ["--every"],
    type=Seconds(0.05),
    default=5.0,
    show_default=True,
    help="Seconds between two looks of --watch.",
)
_JSON: Final = click.Option(
    ["--json", "as_json"], is_flag=True, help="Print JSON, one object per line."
)


class Verb(click.Command):
    """A command with examples and exit codes in its help, run on an `Invocation`."""

    def __init__(
        self,
        *,
        examples: Sequence[str],
        exits: Sequence[int] = (),
        watched: Sequence[str] | None = None,
        **attributes: Any,
    ) -> None:
        super().__init__(**attributes)
        self.watched = watched
        self.examples = tuple(examples)
        self.exits = tuple(sorted({DONE, FAILED, USAGE, INTERRUPTED, *exits}))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; what it returns is the exit code."""
        ctx.obj = invocation_of(ctx.params)
        for name in ("config", "store", "engine", "by", "as_json"):
            ctx.params.pop(name, None)
        if self.watched is not None:
            every = ctx.params.pop("every")
            if ctx.params.pop("watch"):
                return self._watch(ctx, every)
        code = super().invoke(ctx)
        if code:
            ctx.exit(code)
        return code

    def _watch(self, ctx: click.Context, every: float) -> None:
        """A live view: on a terminal each look takes the place of the one before."""
        if any(ctx.params[name] for name in self.watched or ()):
            raise click.UsageError("--watch only looks")
        while not reader_left():
            if sys.stdout.isatty() and not ctx.obj.out.as_json:
                click.clear()
            super().invoke(ctx)
            time.sleep(every)

    def format_epilog(
        self,
        ctx: click.Context,
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the examples and the exit codes."""
        _write_examples(formatter, self.examples)
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), MEANINGS[code]) for code in self.exits])


class Examples(click.Group):
    """A group of verbs with examples in its help."""

    def __init__(self, *, examples: Sequence[str], **attributes: Any) -> None:
        super().__init__(**attributes)
        self.examples = tuple(examples)

    def format_epilog(
        self,
        ctx: click.Context,
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the examples."""
        _write_examples(formatter, self.examples)


def _write_examples(formatter: click.HelpFormatter, examples: Sequence[str]) -> None:
    with formatter.section("Examples"):
        for example in examples:
            formatter.write(f"{' ' * formatter.current_indent}{example}\n")


def verb(
    *examples: str,
    name: str | None = None,
    exits: Sequence[int] = (),
    store: bool = True,
    as_json: bool = True,
    writes: bool = False,
    watched: Sequence[str] | None = None,
) -> Callable[[Callable[..., Any]], Verb]:
    """Make a command of a function whose first argument is the `Invocation`.

    Args:
        examples: command lines that show it at work.
        name: its name, where it is not the function's.
        exits: exit codes besides 0, 1, 2 and 130.
        store: whether it takes ``--config``, ``--store`` and ``--engine``.
        as_json: whether it takes ``--json``.
        watched: where it takes ``--watch`` and ``--every``, the parameters with which it does more
            than look.
        writes: whether it takes ``--by``: it does what people will ask about later.
    """

    def decorate(function: Callable[..., Any]) -> Verb:
        command = click.command(name, cls=Verb, examples=examples, exits=exits, watched=watched)(
            click.pass_obj(function)
        )
        command.params += [] if watched is None else [_WATCH, _EVERY]
        command.params += [_BY] if writes else []
        command.params += [_JSON] if as_json else []
        command.params += [_CONFIG, _STORE, _ENGINE] if store else []
        complete_names(command)
        return command

    return decorate
