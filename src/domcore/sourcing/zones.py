"""Zones of rate cards: which destinations a band serves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from domcore.model import Destination, normal_destination
from domcore.model.postal import compact
from domcore.model.territories import PARENT, STATES


class Zone(NamedTuple):
    """One entry, as it is written and in the normal form of destinations.

    A zone names a place as a destination does, so ``PR`` and ``US-PR`` are one zone, and a postal
    prefix may be written with blanks or without, under the territory's country or its parent's.
    `but` are states that this zone leaves to others: where a card has a zone ``PR``, its zone
    ``US`` is the rest of the United States.
    """

    written: str
    country: str
    region: str
    prefix: str
    but: frozenset[str] = frozenset()

    def holds(self, destination: Destination) -> bool:
        """Whether a destination in its normal form lies in the zone."""
        country = destination.country
        if country != self.country:
            if not self.prefix or PARENT.get(country) != self.country:
                return False
        elif self.region and self.region != destination.region:
            return False
        if destination.region in self.but:
            return False
        return destination.postal.startswith(self.prefix)

    def holds_literally(self, destination: Destination) -> bool:
        """The same for a destination as its order spells it, which decisions of records without a
        normal form were made with."""
        country, colon, prefix = self.written.partition(":")
        if colon:
            return destination.country == country and destination.postal.startswith(prefix)
        country, dash, region = self.written.partition("-")
        return destination.country == country and (not dash or destination.region == region)


def zones_of(bands: Iterable[tuple[str, ...]]) -> list[tuple[Zone, ...]]:
    """The zones of a card's bands, band by band."""
    written = list(bands)
    own = {zone for zones in written for zone in zones if zone in STATES}
    return [tuple(_zone(text, frozenset(own)) for text in zones) for zones in written]


def _zone(text: str, own: frozenset[str]) -> Zone:
    place, _, prefix = text.partition(":")
    country, _, region = place.partition("-")
    at = normal_destination(Destination(country, region))
    but = own if (at.country, at.region, prefix) == ("US", "", "") else frozenset[str]()
    return Zone(text, at.country, at.region, compact(prefix), but)
