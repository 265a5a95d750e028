"""What all commands share: options, examples, exit codes, and the application they run on."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from domcore.cli.completing import complete_names
from domcore.cli.exits import DONE, FAILED, INTERRUPTED, MEANINGS, USAGE
from domcore.cli.output import Output
from domcore.config import read_settings, store_file
from domcore.errors import StoreError, StoreReason
from domcore.model.actor import WORKER
from domcore.settings import Settings

if TYPE_CHECKING:
    from domcore.app import Domcore

_CONFIG: Final = click.Option(
    ["--config"],
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The project file; otherwise the nearest domcore.toml.",
)
_STORE: Final = click.Option(["--store"], metavar="URL", help="The store, instead of the setting.")
_ENGINE: Final = click.Option(["--engine"], metavar="NAME", help="The rule engine, likewise.")
_MOST_OF_LOGIN: Final = 80
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
_JSON: Final = click.Option(
    ["--json", "as_json"], is_flag=True, help="Print JSON, one object per line."
)


class Invocation:
    """One command being run: its settings, its output, and the application."""

    def __init__(
        self, config: Path | None, flags: Mapping[str, str], as_json: bool, by: str | None = None
    ) -> None:
        self.config = config
        self.flags = flags
        self.out = Output(as_json)
        self._by = by

    @cached_property
    def by(self) -> str:
        """Who runs it, see `domcore.model.actor`: a bare name is a person's."""
        name = self._by or login_name()
        return name if ":" in name else f"person:{name}"

    @cached_property
    def settings(self) -> Settings:
        """The settings, read when first needed."""
        return read_settings(config=self.config, environ=os.environ, flags=self.flags)

    def open(self) -> Domcore:
        """The application on a store that is there already.

        Raises:
            StoreError: there is no store yet.
        """
        file = store_file(self.settings.store)
        if file is not None and not file.exists():
            raise StoreError(
                f"there is no store at {file}; run 'domcore init' to make one, 'domcore demo' to"
                " try things out, or name another with --store",
                reason=StoreReason.UNREACHABLE,
            )
        return self.create()

    def create(self) -> Domcore:
        """The application; a store that is not there is made."""
        from domcore.app import Domcore  # the planner and the store cost a start-up of their own

        return Domcore(self.settings, by=self.by)


class Verb(click.Command):
    """A command with examples and exit codes in its help, run on an `Invocation`."""

    def __init__(
        self, *, examples: Sequence[str], exits: Sequence[int] = (), **attributes: Any
    ) -> None:
        super().__init__(**attributes)
        self.examples = tuple(examples)
        self.exits = tuple(sorted({DONE, FAILED, USAGE, INTERRUPTED, *exits}))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; what it returns is the exit code."""
        ctx.obj = invocation_of(ctx.params)
        for name in ("config", "store", "engine", "by", "as_json"):
            ctx.params.pop(name, None)
        code = super().invoke(ctx)
        if code:
            ctx.exit(code)
        return code

    def format_epilog(
        self,
        ctx: click.Context,
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the examples and the exit codes."""
        _write_examples(formatter, self.examples)
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), MEANINGS[code]) for code in self.exits])


def invocation_of(params: Mapping[str, Any]) -> Invocation:
    """The command that is run, by the options that every verb may have."""
    flags = {name: params[name] for name in ("store", "engine") if params.get(name) is not None}
    as_json = bool(params.get("as_json"))
    return Invocation(params.get("config"), flags, as_json, params.get("by"))


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


def login_name() -> str:
    """What the machine calls whoever runs this; ``unknown`` where it knows nobody."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):
        name = ""
    return "".join(filter(str.isprintable, name))[:_MOST_OF_LOGIN] or "unknown"


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
) -> Callable[[Callable[..., Any]], Verb]:
    """Make a command of a function whose first argument is the `Invocation`.

    Args:
        examples: command lines that show it at work.
        name: its name, where it is not the function's.
        exits: exit codes besides 0, 1, 2 and 130.
        store: whether it takes ``--config``, ``--store`` and ``--engine``.
        as_json: whether it takes ``--json``.
        writes: whether it takes ``--by``: it does what people will ask about later.
    """

    def decorate(function: Callable[..., Any]) -> Verb:
        command = click.command(name, cls=Verb, examples=examples, exits=exits)(
            click.pass_obj(function)
        )
        command.params += [_BY] if writes else []
        command.params += [_JSON] if as_json else []
        command.params += [_CONFIG, _STORE, _ENGINE] if store else []
        complete_names(command)
        return command

    return decorate
