"""Channels and connectors from the settings: options checked, folders resolved."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from domcore.errors import ConfigurationError
from domcore.settings import Settings
from domcore_files.channel import FilesChannel
from domcore_files.connector import FilesConnector
from domcore_files.disk import Disk
from domcore_files.options import ChannelOptions, ConnectorOptions, read_options

KIND = "files"


def build_channels(settings: Settings) -> list[FilesChannel]:
    """A channel for each that is configured.

    Raises:
        ConfigurationError: an option is wrong, or two of them share a folder.
    """
    options = _channels(settings)
    _check_folders(settings)
    return [
        FilesChannel(
            each.name,
            each.owner,
            options[each.name],
            Disk(_folder(settings, options[each.name].folder)),
            currency=options[each.name].currency or settings.owners.get(each.owner, ""),
            postal_digits=settings.postal_digits,
        )
        for each in settings.channels_of(KIND)
    ]


def build_connectors(settings: Settings) -> list[FilesConnector]:
    """A connector for each that is configured.

    Raises:
        ConfigurationError: an option is wrong, or two of them share a folder.
    """
    options = _connectors(settings)
    _check_folders(settings)
    return [
        FilesConnector(name, options[name], Disk(_folder(settings, options[name].folder)))
        for name in options
    ]


def _channels(settings: Settings) -> Mapping[str, ChannelOptions]:
    return {
        each.name: read_options(each.options, ChannelOptions, f"channels.{each.name}")
        for each in settings.channels_of(KIND)
    }


def _connectors(settings: Settings) -> Mapping[str, ConnectorOptions]:
    return {
        each.name: read_options(each.options, ConnectorOptions, f"connectors.{each.name}")
        for each in settings.connectors_of(KIND)
    }


def _folder(settings: Settings, folder: str) -> Path:
    return Path(settings.root, folder).absolute()


def _check_folders(settings: Settings) -> None:
    """Two readers of one folder would take each other's files."""
    users: dict[Path, str] = {}
    given = [(f"channels.{name}", each.folder) for name, each in _channels(settings).items()]
    given += [(f"connectors.{name}", each.folder) for name, each in _connectors(settings).items()]
    for place, folder in given:
        real = _folder(settings, folder).resolve()
        if real in users:
            raise ConfigurationError(
                f"is the folder of {users[real]} already; give each one of its own",
                place=f"{place}.folder",
            )
        users[real] = place
