"""``domcore plugins``."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import click
from attrs import evolve

from domcore.cli.invocation import Invocation
from domcore.cli.output import Column, joined, times
from domcore.cli.verb import verb
from domcore.errors import ConfigurationError, DomcoreError
from domcore.settings import Settings

if TYPE_CHECKING:
    from domcore.plugins import PluginStatus

_WIDEST: Final = 56

KINDS: Final = {
    "register_channels": "channel",
    "register_connectors": "connector",
    "register_facts": "facts",
    "make_plan": "planner",
    "judge": "judge",
    "review_plan": "reviewer",
    "register_rulesets": "rulesets",
    "register_rule_engines": "engine",
    "register_geocoders": "geocoder",
    "open_store": "store",
    "register_commands": "commands",
    "handle_event": "listener",
}
"""What a plugin is, by the hooks that it implements."""


def _short(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= _WIDEST else line[: _WIDEST - 3].rstrip() + "..."


_COLUMNS: Final = (
    Column("PLUGIN", "name"),
    Column("VERSION", "version", lambda version: version or "-"),
    Column("STATE", "state"),
    Column("KIND", "kinds", joined),
    Column("ERROR", "error", _short),
)


@verb(
    "domcore plugins",
    "DOMCORE_LOAD_PLUGINS=shopify domcore plugins --json",
    "domcore plugins --gone hazmat-check",
)
@click.option("--gone", metavar="NAME", help="Say that a plugin that judged here is gone for good.")
def command(run: Invocation, gone: str | None) -> None:
    """List the installed plugins, what they are, their hooks, and what is wrong with them.

    A plugin that cannot be loaded is off; one whose hooks fail says how often, having been asked
    for its commands, channels, connectors, packs and engines. The others are ok. --json has the
    whole error.

    Without a plugin that judged orders of this store nothing is routed, unless --gone says that it
    is gone for good.
    """
    if gone is not None:
        with run.open() as dom:
            dom.forget_plugin(gone)
        run.out.note(f"Plugin {gone} is gone: orders are routed without it from now on.")
        return
    try:
        settings = evolve(run.settings, store="memory:")
    except ConfigurationError as error:
        run.out.note(f"the settings cannot be read, so all plugins are listed: {error}")
        settings = Settings(store="memory:")
    run.out.rows(_COLUMNS, _rows(settings), empty="No plugins are installed.")


class _Heard(logging.Handler):
    """Keeps the first failure of each plugin, by plugin."""

    def __init__(self) -> None:
        super().__init__()
        self.first: dict[str, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it, if it is of a plugin's hook."""
        plugin, hook = getattr(record, "plugin", ""), getattr(record, "hook", "")
        if plugin:
            text = record.getMessage().replace(f"plugin {plugin!r}, hook {hook!r}: ", "")
            self.first.setdefault(plugin, f"{hook}: {text}")


@contextmanager
def _heard() -> Iterator[dict[str, str]]:
    """What plugins fail with meanwhile; it is shown in the list, so it is not logged as well."""
    log, heard = logging.getLogger("domcore.plugins"), _Heard()
    before = log.propagate
    log.addHandler(heard)
    log.propagate = False
    try:
        yield heard.first
    finally:
        log.propagate = before
        log.removeHandler(heard)


def _rows(settings: Settings) -> list[dict[str, Any]]:
    from domcore.app import Domcore  # the planner and the store cost a start-up of their own

    with _heard() as errors, Domcore(settings) as dom:
        for _ in dom.plugins.each("register_commands", cli=click.Group("domcore")):
            pass
        for ask in (dom.channels, dom.connectors, dom.packs):
            with suppress(DomcoreError):
                ask()
        found = [status for status in dom.plugins.status() if not status.builtin]
    return [_row(status, errors.get(status.name, "")) for status in found]


def _row(status: PluginStatus, error: str) -> dict[str, Any]:
    error = status.error or error
    if status.failures:
        state = f"failing {times(status.failures, 'time')}"
    else:
        state = "off" if error else "ok"
    return {
        "name": status.name,
        "version": status.version,
        "state": state,
        "failures": status.failures,
        "kinds": [kind for hook, kind in KINDS.items() if hook in status.hooks],
        "hooks": status.hooks,
        "error": error,
    }
