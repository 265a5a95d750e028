"""Where things are: points, and the little that planning may know of an address."""

from __future__ import annotations

from typing import Final

from attrs import frozen

COARSENESS: Final = ("code", "district", "locality", "region", "country")
"""What the point of a destination is the centre of, from fine to coarse: its postal code, the
beginning of the code, a town of that name, the state or province, the whole country."""


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
class Placed:
    """Where a geocoder found a destination, and how coarse that is: a word of `COARSENESS`."""

    point: Point
    coarseness: str = "code"


@frozen(slots=True)
class Destination:
    """All that planning, decisions and events see of an address: nothing that names a person.

    `country` is ISO 3166-1 alpha-2 and `region` the subdivision code without the country
    (``"NY"``), both upper case; `postal` is the postal code or the prefix that the configuration
    keeps of it; `point` is filled in by a geocoder, rounded to a hundredth of a degree. Orders
    carry it as it came; planning reads the form that `normal_destination` makes of it.
    """

    country: str
    region: str = ""
    postal: str = ""
    point: Point | None = None
