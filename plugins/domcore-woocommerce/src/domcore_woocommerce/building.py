"""Channels from the project file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cattrs import Converter

from domcore.codec.strict import make_converter
from domcore.settings import ChannelSettings
from domcore_woocommerce.channel import WooChannel
from domcore_woocommerce.options import Options, read_options


def build_channels(
    settings: Iterable[ChannelSettings], environ: Mapping[str, str], postal_digits: int = 0
) -> list[WooChannel]:
    """A channel for each of `settings`.

    Raises:
        ConfigurationError: an option is wrong, or a secret is not in `environ`.
    """
    strict = make_converter()
    lenient = make_converter(forbid_extra_keys=False, most_characters=100_000)
    return [
        _channel(each, read_options(each, environ, strict), postal_digits, lenient)
        for each in settings
    ]


def _channel(
    settings: ChannelSettings, options: Options, postal_digits: int, converter: Converter
) -> WooChannel:
    cls = WooChannel
    if options.key:
        # Imported late: httpx is slow to load, and some shops only send webhooks.
        from domcore_woocommerce.shop import WooShop

        cls = WooShop
    return cls(
        settings.name, settings.owner, options, postal_digits=postal_digits, converter=converter
    )
