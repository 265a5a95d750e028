"""Plugins on the command line: their commands, and their state without a store."""

from __future__ import annotations

import os
from collections.abc import Iterable

import click

from domcore.config import read_settings
from domcore.errors import ConfigurationError
from domcore.plugins import Failure, Plugins


def installed(only: tuple[str, ...] | None) -> Plugins:
    """The plugins that are installed, loaded; a broken one says so in its status."""
    plugins = Plugins()
    plugins.load_installed(only)
    return plugins


def plain_settings(only: tuple[str, ...] | None) -> dict[str, frozenset[str]]:
    """By installed plugin: its own settings that may be shown."""
    plain: dict[str, frozenset[str]] = {}
    for plugin, names in installed(only).each("plain_settings"):
        if isinstance(names, Iterable) and not isinstance(names, str):
            plain[plugin] = frozenset(name for name in names if isinstance(name, str))
    return plain


def add_commands(root: click.Group) -> list[str]:
    """Let plugins add commands; the names of those that failed."""
    try:
        only = read_settings(environ=os.environ).plugins
    except ConfigurationError:
        only = None
    plugins = installed(only)
    broken = {status.name for status in plugins.status() if status.error}
    for plugin, result in plugins.each("register_commands", cli=root):
        if isinstance(result, Failure):
            broken.add(plugin)
    return sorted(broken)
