"""The ``domcore`` group: commands are imported when they are used, plugins may add their own.

Only click is imported here, so that ``domcore --help`` and shell completion answer at once.
"""

from __future__ import annotations

import difflib
import errno
import os
from importlib import import_module
from typing import Any, Final

import click

from domcore import __version__
from domcore.cli.exits import FAILED, INTERRUPTED
from domcore.codec.showing import shown_lines
from domcore.errors import DomcoreError

COMMANDS: Final = {
    "init": "Start a project: a domcore.toml and an empty store.",
    "demo": "Build a small shop, route its orders, show what comes out.",
    "load": "Load the network, items, stock or orders from files.",
    "receive": "Take in deliveries of a channel, such as webhooks.",
    "pull": "Ask channels for their orders now.",
    "route": "Decide which node ships what, and reserve the stock.",
    "reserve": "Reserve stock for a while, as for a cart.",
    "keep": "Make work of what is reserved for a while.",
    "free": "Let go of what is reserved for a while.",
    "plan": "Show what route would do with an order; changes nothing.",
    "explain": "Say why an order was routed as it was.",
    "orders": "Find orders.",
    "timeline": "Tell what happened to an order, in words.",
    "exceptions": "List what waits for a person, and work it off.",
    "kpi": "Show how well it goes: rates, cost, promises, backlog.",
    "stock": "List stock by SKU and node.",
    "nodes": "List the nodes of the network.",
    "hold": "Stop an order until its hold is lifted.",
    "approve": "Lift the holds of an order.",
    "rejudge": "Judge held orders anew, by the rules of now.",
    "amend": "Change how many units an order wants.",
    "address": "Correct whom an order goes to, and where.",
    "move": "Have another node ship what one has been given.",
    "reroute": "Decide anew what nobody has begun of an order.",
    "cancel": "Cancel what has not left of an order.",
    "returns": "Take goods back: authorize, receive, list.",
    "erase": "Remove the personal data of an order for good.",
    "rulesets": "List, check and test rule packs.",
    "plugins": "List plugins and what is wrong with them.",
    "install": "Install plugins beside domcore.",
    "uninstall": "Remove plugins again.",
    "new": "Start something new: a plugin.",
    "config": "Show every setting and where it came from.",
    "verify": "Check the store against its invariants.",
    "doctor": "Look for trouble in the surroundings.",
    "work": "Do what is due: news in, routing, work and events out.",
    "record": "Take in a node's word on its work, by hand.",
    "parked": "Show what was set aside for a person.",
    "retry": "Try parked work again.",
    "settle": "Be done with trouble that somebody has seen to.",
    "drop": "Give up on parked work.",
    "completion": "Print a script that completes commands in your shell.",
}
"""The built-in commands in the order of help; each lives in ``commands/NAME.py``."""

HELP: Final = """Distributed order management: which node ships what, and why.

Start with `domcore demo`, or with `domcore init` in a folder of your own. Every command has
--help with an example, and most have --json."""


class Failed(click.ClickException):
    """An error that is told in one message, without a traceback."""

    exit_code = FAILED

    def format_message(self) -> str:
        """The message, in which nothing steers a terminal."""
        return shown_lines(self.message)


class Root(click.Group):
    """Finds built-in commands by name, and those of plugins when they are needed."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self._plugins_asked = False
        self.broken: list[str] = []

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All command names: built-in ones in the order of help, then the plugins'."""
        return [*COMMANDS, *self._foreign()]

    def get_command(
        self,
        ctx: click.Context,
        cmd_name: str,
    ) -> click.Command | None:
        """The command of that name; a built-in one cannot be replaced."""
        if cmd_name in COMMANDS:
            module = import_module(f"domcore.cli.commands.{cmd_name}")
            command: click.Command = module.command
            return command
        self._foreign()
        return self.commands.get(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with a suggestion for a name that is not there."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            close = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            if not close or "id you mean" in error.message:
                raise
            raise click.UsageError(f"{error.message} Did you mean {close[0]!r}?", ctx) from None

    def format_commands(
        self,
        ctx: click.Context,
        formatter: click.HelpFormatter,
    ) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
        foreign = self._foreign()
        if foreign:
            rows = [(name, self.commands[name].get_short_help_str(70)) for name in foreign]
            with formatter.section("Commands of plugins"):
                formatter.write_dl(rows)
        if self.broken:
            formatter.write_paragraph()
            names = ", ".join(self.broken)
            formatter.write_text(f"Switched off: {names}. See `domcore plugins`.")

    def invoke(self, ctx: click.Context) -> Any:
        """Run, and turn what domcore raises on purpose into one message."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            return _interrupted(ctx)
        except click.Abort as error:
            # click makes one of Ctrl-C at a question, and of the end of the input.
            if not isinstance(error.__context__, KeyboardInterrupt):
                raise
            return _interrupted(ctx)
        except DomcoreError as error:
            raise Failed(str(error)) from None
        except UnicodeEncodeError as error:
            if "surrogates" not in error.reason:
                raise
            raise click.UsageError(f"{error.object!a} is no UTF-8 text", ctx) from None
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            place = f"{error.filename}: " if error.filename else ""
            raise Failed(f"{place}{error.strerror or error}") from None

    def _foreign(self) -> list[str]:
        """The names of commands that plugins have added, having asked them once."""
        if not self._plugins_asked:
            self._plugins_asked = True
            if os.environ.get("DOMCORE_LOAD_PLUGINS") != "":
                # Plugins are imported here only: built-in commands start without them.
                self.broken = import_module("domcore.cli.plugging").add_commands(self)
        return sorted(name for name in self.commands if name not in COMMANDS)


def _interrupted(ctx: click.Context) -> Any:
    click.echo("\nStopped.", err=True)
    ctx.exit(INTERRUPTED)


def build() -> Root:
    """A new command line."""
    root = Root(name="domcore", help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
    return click.version_option(__version__, prog_name="domcore")(root)
