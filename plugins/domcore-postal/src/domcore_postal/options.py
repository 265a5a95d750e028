"""The settings of the plugin: ``[plugins.postal]`` in the project file."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from attrs import frozen

from domcore.codec.strict import Line, make_converter, structure
from domcore.errors import ConfigurationError, PayloadError

PLACE: Final = "plugins.postal"

Country = Annotated[str, Line(2, least=2)]


@frozen(slots=True)
class Options:
    """What may be placed, and where the index is kept.

    Args:
        coarsest: the coarsest place an order is planned by: ``code``, ``district``, ``locality``,
            ``region`` or ``country``. What could only be placed coarser is held. Without it the
            middle of a country will do, and `doctor` says so.
        folder: where the index is kept; without it the user's own cache.
        countries: the countries to place; empty is all there are.
    """

    coarsest: Literal["", "code", "district", "locality", "region", "country"] = ""
    folder: Annotated[str, Line(1000)] = ""
    countries: tuple[Country, ...] = ()


def read_options(settings: Mapping[str, Any]) -> Options:
    """Check the settings.

    Raises:
        ConfigurationError: something is unknown or wrong; names every place.
    """
    try:
        return structure(make_converter(), dict(settings), Options)
    except PayloadError as error:
        wrong = (f"{each.path}: {each.message}".lstrip("$.: ") for each in error.problems)
        raise ConfigurationError("; ".join(wrong), place=PLACE) from None


def folder_of(options: Options, root: str, environ: Mapping[str, str]) -> Path:
    """Where the index is kept: the folder of the settings, from the project's, or the cache."""
    if options.folder:
        return Path(root) / options.folder
    if sys.platform == "win32":
        base = environ.get("LOCALAPPDATA") or os.path.expanduser("~\\AppData\\Local")
    else:
        base = environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "domcore"
