"""Great-circle distance in whole metres."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import asin, cos, dist, radians, sin
from typing import Final

from domcore.model import Point

EARTH_RADIUS: Final = 6_371_008.8
"""Metres: the mean radius of the WGS 84 ellipsoid, (2a + b) / 3."""

Vector = tuple[float, float, float]


def unit_vector(point: Point) -> Vector:
    """The point on the unit sphere."""
    lat, lon = radians(point.lat / 1_000_000), radians(point.lon / 1_000_000)
    return (cos(lat) * cos(lon), cos(lat) * sin(lon), sin(lat))


def between(a: Vector, b: Vector) -> int:
    """Metres along the great circle, from the chord: ``2 R asin(|a - b| / 2)``.

    Well conditioned at every distance but the antipodes, where it is right within metres.
    """
    return round(2 * EARTH_RADIUS * asin(min(1.0, dist(a, b) / 2)))


def metres(a: Point, b: Point) -> int:
    """Metres between two points."""
    return between(unit_vector(a), unit_vector(b))


def from_place(place: Point, vectors: Sequence[Vector], positions: Iterable[int]) -> dict[int, int]:
    """Metres from `place` to each of the given positions of `vectors`."""
    here = unit_vector(place)
    reach = 2 * EARTH_RADIUS
    nodes = list(positions)
    try:
        return {at: round(reach * asin(dist(here, vectors[at]) / 2)) for at in nodes}
    except ValueError:  # at the antipodes half a chord may round to more than 1
        return {at: between(here, vectors[at]) for at in nodes}
