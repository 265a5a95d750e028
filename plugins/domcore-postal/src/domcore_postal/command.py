"""``domcore postal``: makes the index, and says where a code lies."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from domcore.errors import DomcoreError

if TYPE_CHECKING:
    from domcore_postal.geocoder import PostalCodes


@click.group()
def postal() -> None:
    """Postal codes: make the index, ask where a code lies."""


_config = click.option(
    "--config", type=click.Path(path_type=Path), help="The project file; else the nearest one."
)


@postal.command()
@_config
def index(config: Path | None) -> None:
    """Make the index now, so that the first order does not wait for it.

    It is made once for what is installed, and anew when another version of the data is.
    """
    geocoder = _geocoder(config)
    countries = geocoder.index().countries
    for each in geocoder.trouble():
        click.echo(f"Note: {each}", err=True)
    click.echo(f"{len(countries)} countries in {geocoder.file}")


@postal.command()
@click.argument("country")
@click.argument("code", default="")
@click.option("--region", default="", help="The state or province, such as ON.")
@_config
def where(country: str, code: str, region: str, config: Path | None) -> None:
    """Say where CODE of COUNTRY lies, and how coarse that is. Exit code 3: nobody knows."""
    from domcore.model import Destination, normal_destination

    place = normal_destination(Destination(country, region, code))
    found = _geocoder(config).locate(place)
    name = " ".join(part for part in (place.country, place.region, place.postal) if part)
    if found is None:
        click.echo(f"{name}: not known here")
        raise SystemExit(3)
    at = found.point
    click.echo(f"{name}: {at.lat / 1e6:.2f}, {at.lon / 1e6:.2f} ({found.coarseness})")


def _geocoder(config: Path | None) -> PostalCodes:
    # Imported late, as above: help must not wait for what only these commands need.
    from domcore.config import read_settings
    from domcore_postal.plugin import geocoder_for

    try:
        return geocoder_for(read_settings(config=config, environ=os.environ))
    except DomcoreError as error:
        raise click.ClickException(str(error)) from None
