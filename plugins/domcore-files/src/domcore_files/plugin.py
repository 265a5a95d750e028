"""What domcore loads: channels and connectors for the folders of the project file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from domcore.hookspecs import hookimpl
from domcore.plugin_kit import plain_fields

if TYPE_CHECKING:
    from domcore.app import Domcore
    from domcore_files.channel import FilesChannel
    from domcore_files.connector import FilesConnector

KIND: Final = "files"


@hookimpl
def plain_settings() -> tuple[str, ...]:
    """All but the secrets may be shown."""
    # Imported late, as below.
    from domcore_files.options import ChannelOptions, ConnectorOptions

    return plain_fields(ChannelOptions, ConnectorOptions)


@hookimpl
def register_channels(dom: Domcore) -> list[FilesChannel]:
    """One channel per ``[channels.NAME]`` of kind ``files``."""
    configured = dom.settings.channels_of(KIND)
    if not configured:
        return []
    # Imported late: cattrs is slow to load, and most commands never touch a folder.
    from domcore_files.building import build_channels

    return build_channels(dom.settings)


@hookimpl
def register_connectors(dom: Domcore) -> list[FilesConnector]:
    """One connector per ``[connectors.NAME]`` of kind ``files``."""
    configured = dom.settings.connectors_of(KIND)
    if not configured:
        return []
    # Imported late, likewise.
    from domcore_files.building import build_connectors

    return build_connectors(dom.settings)
