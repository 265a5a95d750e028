"""What domcore loads: a geocoder for over a hundred countries, and the command of its index."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from domcore.hookspecs import hookimpl
from domcore.plugin_kit import plain_fields

if TYPE_CHECKING:
    import click

    from domcore.app import Domcore
    from domcore.settings import Settings
    from domcore_postal.geocoder import PostalCodes

NAME: Final = "postal"
"""The name it is registered under, and that of its settings table."""


@hookimpl
def plain_settings() -> tuple[str, ...]:
    """Nothing of it is secret."""
    # Imported late, as below.
    from domcore_postal.options import Options

    return plain_fields(Options)


@hookimpl
def register_geocoders(dom: Domcore) -> list[PostalCodes]:
    """The geocoder, once the settings are known to be good; the index waits for an address."""
    return [geocoder_for(dom.settings)]


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add ``domcore postal``."""
    # Imported late: an embedding application loads plugins without a command line.
    from domcore_postal.command import postal

    cli.add_command(postal)


def geocoder_for(settings: Settings) -> PostalCodes:
    """The geocoder of an application's settings.

    Raises:
        ConfigurationError: the table ``[plugins.postal]`` is wrong; names every place.
    """
    # Imported late: cattrs is slow to load, and most commands place nothing.
    from domcore_postal.geocoder import PostalCodes
    from domcore_postal.options import folder_of, read_options
    from domcore_postal.sources import Installed

    options = read_options(settings.plugin_options.get(NAME, {}))
    folder = folder_of(options, settings.root, os.environ)
    return PostalCodes(Installed(), options, folder, kept=_kept(settings))


def _kept(settings: Settings) -> int:
    """How much is kept of postal codes, by the application or by a channel of it; 0 is all."""
    told = [channel.options.get("postal_digits") for channel in settings.channels]
    return max([settings.postal_digits, *(each for each in told if isinstance(each, int))])
