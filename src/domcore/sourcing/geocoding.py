"""Postal code to point: the built-in table for the United States.

The table holds the centre of every standard ZIP area, rounded to a hundredth of a degree: data
of GeoNames (CC BY 4.0) by way of the MIT-licensed ``zipcodes`` 3.0.0 package; see NOTICE. A code
that has no area of its own (a post box, one large building) lies at the middle of its three-digit
region.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from importlib import resources
from typing import Final

from domcore.model import Destination, Placed, Point, normal_destination
from domcore.model.postal import doubtful
from domcore.model.zips import state_of

_HUNDREDTH: Final = 10_000

_GATEWAYS: Final = {
    "AE": Point(40_750_000, -74_000_000),
    "AP": Point(37_770_000, -122_420_000),
    "AA": Point(25_790_000, -80_290_000),
}
"""Where mail to military addresses leaves: it is domestic, and priced, as far as there."""

_OFFICES: Final = {
    code: Point(lat * _HUNDREDTH, lon * _HUNDREDTH)
    for code, lat, lon in (
        ("96799", -1428, -17070), ("96940", 734, 13448), ("96941", 696, 15822),
        ("96942", 745, 15185), ("96943", 951, 13812), ("96944", 532, 16298),
        ("96950", 1520, 14575), ("96951", 1414, 14520), ("96952", 1497, 14562),
        ("96960", 709, 17138), ("96970", 878, 16774),
    )
}  # fmt: skip
"""Islands that share their first three digits with others a thousand miles away."""


def pack_table(rows: Iterable[tuple[int, int, int]]) -> bytes:
    """Pack ``(ZIP, latitude, longitude)`` rows (hundredths of a degree) as `UsPostalCodes` reads.

    Three little-endian 16-bit columns one after the other (ZIP as the step from the one before),
    compressed.
    """
    ordered = sorted(rows)
    steps, lats, lons = array("H"), array("h"), array("h")
    last = 0
    for code, lat, lon in ordered:
        steps.append(code - last)
        lats.append(lat)
        lons.append(lon)
        last = code
    for column in (steps, lats, lons):
        if sys.byteorder == "big":
            column.byteswap()
    return zlib.compress(steps.tobytes() + lats.tobytes() + lons.tobytes(), 9)


class UsPostalCodes:
    """The built-in geocoder: the United States, with all states of their mail, by ZIP code.

    The table is read when the first address is placed.
    """

    name = "us-postal-codes"

    def __init__(self) -> None:
        self._codes: list[int] = []
        self._lats: array[int] = array("h")
        self._lons: array[int] = array("h")
        self._states: dict[str, Point] = {}

    def locate(self, destination: Destination) -> Point | Placed | None:
        """The centre of the ZIP area, or of its three-digit region; where no code is known the
        middle of the state's codes; None for anything else.

        Mail to the armed forces and embassies lies where it leaves the country: New York, San
        Francisco or Miami. The states of the Pacific lie at their post offices.
        """
        place = normal_destination(destination)
        if place.country != "US" or doubtful(place):
            return None
        if place.region in _GATEWAYS:
            return Placed(_GATEWAYS[place.region], "region")
        digits = place.postal
        if not digits and place.region:
            state = self._state(place.region)
            return None if state is None else Placed(state, "region")
        if not _is_digits(digits, least=3):
            return None
        if digits in _OFFICES:
            return _OFFICES[digits]
        if not self._codes:
            self._load()
        if len(digits) == 5:
            code = int(digits)
            at = bisect_left(self._codes, code)
            if at < len(self._codes) and self._codes[at] == code:
                return Point(self._lats[at] * _HUNDREDTH, self._lons[at] * _HUNDREDTH)
        middle = self._region(int(digits[:3]))
        return None if middle is None else Placed(middle, "district")

    def _state(self, region: str) -> Point | None:
        """The middle of the state's ZIP codes, which lie where its people do."""
        if not self._states:
            if not self._codes:
                self._load()
            places: dict[str, list[tuple[int, int]]] = {}
            for code, *place in zip(self._codes, self._lats, self._lons, strict=True):
                places.setdefault(state_of(f"{code:05d}"), []).append((place[0], place[1]))
            for digits, point in _OFFICES.items():
                places.setdefault(state_of(digits), []).append(
                    (point.lat // _HUNDREDTH, point.lon // _HUNDREDTH)
                )
            self._states = {state: _middle(found) for state, found in places.items() if state}
        return self._states.get(region)

    def _region(self, prefix: int) -> Point | None:
        start = bisect_left(self._codes, prefix * 100)
        end = bisect_left(self._codes, prefix * 100 + 100)
        if start == end:
            return None
        return _middle(list(zip(self._lats[start:end], self._lons[start:end], strict=True)))

    def _load(self) -> None:
        packed = resources.files("domcore.sourcing.data").joinpath("us_postal.bin").read_bytes()
        raw = zlib.decompress(packed)
        third = len(raw) // 3
        columns = array("H"), array("h"), array("h")
        for number, column in enumerate(columns):
            column.frombytes(raw[number * third : (number + 1) * third])
            if sys.byteorder == "big":
                column.byteswap()
        code = 0
        codes = []
        for step in columns[0]:
            code += step
            codes.append(code)
        self._lats, self._lons = columns[1], columns[2]
        self._codes = codes


def _middle(places: Sequence[tuple[int, int]]) -> Point:
    """Of places in hundredths of a degree."""
    count = len(places)
    lat, lon = sum(each[0] for each in places) / count, sum(each[1] for each in places) / count
    return Point(round(lat) * _HUNDREDTH, round(lon) * _HUNDREDTH)


def _is_digits(text: str, *, least: int) -> bool:
    return len(text) >= least and text.isascii() and text.isdigit()
