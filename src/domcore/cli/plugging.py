"""Plugins on the command line: their commands, and their state without a store."""

from __future__ import annotations

import os
from collections.abc import Iterable

import click

from domcore.config import read_settings
from domcore.errors import ConfigurationError
from domcore.plugins import Failure, Plugins
from domcore.settings import Settings


def loaded(settings: Settings) -> Plugins:
    """The plugins that are installed or named; a broken one says so in its status."""
    plugins = Plugins()
    plugins.load(settings)
    return plugins


def plain_settings(settings: Settings) -> dict[str, frozenset[str]]:
    """By plugin: its own settings that may be shown."""
    plain: dict[str, frozenset[str]] = {}
    for plugin, names in loaded(settings).each("plain_settings"):
        if isinstance(names, Iterable) and not isinstance(names, str):
            plain[plugin] = frozenset(name for name in names if isinstance(name, str))
    return plain


def add_commands(root: click.Group) -> list[str]:
    """Let plugins add commands; the names of those that failed."""
    try:
        settings = read_settings(environ=os.environ)
    except ConfigurationError:
        settings = Settings()
    plugins = loaded(settings)
    broken = {status.name for status in plugins.status() if status.error}
    for plugin, result in plugins.each("register_commands", cli=root):
        if isinstance(result, Failure):
            broken.add(plugin)
    return sorted(broken)
