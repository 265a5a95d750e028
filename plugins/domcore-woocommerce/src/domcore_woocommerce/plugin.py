"""What domcore loads: channels for the project file's WooCommerce shops."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from domcore.hookspecs import hookimpl
from domcore.plugin_kit import plain_fields

if TYPE_CHECKING:
    from domcore.app import Domcore
    from domcore_woocommerce.channel import WooChannel

KIND = "woocommerce"


@hookimpl
def plain_settings() -> tuple[str, ...]:
    """All but the secrets may be shown."""
    # Imported late, as below.
    from domcore_woocommerce.options import Options

    return plain_fields(Options)


@hookimpl
def register_channels(dom: Domcore) -> list[WooChannel]:
    """One channel per ``[channels.NAME]`` of kind ``woocommerce``."""
    configured = dom.settings.channels_of(KIND)
    if not configured:
        return []
    # Imported late: cattrs and httpx are slow to load, and most commands never receive anything.
    from domcore_woocommerce.building import build_channels

    return build_channels(configured, os.environ, dom.settings.postal_digits)
