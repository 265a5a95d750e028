"""Where things are: points, and the little that planning may know of an address."""

from __future__ import annotations

from attrs import frozen


@frozen(slots=True)
class Point:
    """A place on earth in millionths of a degree (positive is north and east)."""

    lat: int
    lon: int

    @classmethod
    def from_degrees(cls, lat: float | str, lon: float | str) -> Point:
        """Round degrees to millionths.

        Raises:
            ValueError: not a number, or not on earth.
        """
        north, east = round(float(lat) * 1_000_000), round(float(lon) * 1_000_000)
        if abs(north) > 90_000_000 or abs(east) > 180_000_000:
            raise ValueError("latitude must be within 90 and longitude within 180 degrees")
        return cls(north, east)


@frozen(slots=True)
class Destination:
    """All that planning, decisions and events see of an address: nothing that names a person.

    `country` is ISO 3166-1 alpha-2 and `region` the subdivision code without the country
    (``"NY"``), both upper case; `postal` is the postal code or the prefix that the configuration
    keeps of it; `point` is filled in by a geocoder, rounded to a hundredth of a degree.
    """

    country: str
    region: str = ""
    postal: str = ""
    point: Point | None = None
