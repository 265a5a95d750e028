"""What domcore loads: channels for the project file's Shopify shops, and the command line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from domcore.hookspecs import hookimpl
from domcore.plugin_kit import plain_fields

if TYPE_CHECKING:
    import click

    from domcore.app import Domcore
    from domcore_shopify.channel import ShopifyChannel

KIND = "shopify"


@hookimpl
def plain_settings() -> tuple[str, ...]:
    """All but the secrets may be shown."""
    # Imported late, as below.
    from domcore_shopify.options import Options

    return plain_fields(Options)


@hookimpl
def register_channels(dom: Domcore) -> list[ShopifyChannel]:
    """One channel per ``[channels.NAME]`` of kind ``shopify``."""
    configured = dom.settings.channels_of(KIND)
    if not configured:
        return []
    # Imported late: cattrs is slow to load, and most commands never receive anything.
    from domcore_shopify.building import build_channels

    return build_channels(configured, os.environ, dom.settings.postal_digits)


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add ``domcore shopify``."""
    # Imported late: an embedding application loads plugins without a command line.
    from domcore_shopify.commands import shopify

    cli.add_command(shopify)
