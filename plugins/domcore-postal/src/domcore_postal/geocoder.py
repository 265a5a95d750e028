"""Looks destinations up in the index."""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from domcore.model import COARSENESS, Destination, Placed, Point
from domcore_postal.index import Index, Places, build, file_of, read, write
from domcore_postal.options import Options
from domcore_postal.sources import Source

LEAST_SHARED: Final = 2
"""Characters that a code shares with those in whose middle it is placed."""

_HUNDREDTH: Final = 10_000
_log = logging.getLogger("domcore.plugins.postal")


class PostalCodes:
    """The geocoder. The index is read, or made, when the first address is placed.

    Args:
        kept: characters that the settings keep of a postal code, 0 for all. Where all are kept, a
            code of digits that is too short has lost zeros in front.
    """

    name = "postal"

    def __init__(self, source: Source, options: Options, folder: Path, *, kept: int = 0) -> None:
        self._source: Final = source
        self._options: Final = options
        self._folder: Final = folder
        self._kept: Final = kept
        self._index: Index | None = None
        self._trouble = ""
        self._coarsest: Final = COARSENESS.index(options.coarsest or COARSENESS[-1])

    def locate(self, destination: Destination) -> Placed | None:
        """Where a destination lies, by the finest place that is known of it; None for unknown
        countries, and where only something coarser than the settings allow is known."""
        country = self.index().country(destination.country)
        if country is None:
            return None
        for level, at in self._candidates(country, destination):
            if level <= self._coarsest:
                return Placed(Point(at[0] * _HUNDREDTH, at[1] * _HUNDREDTH), COARSENESS[level])
        return None

    def trouble(self) -> list[str]:
        """What `domcore doctor` should tell."""
        said = [self._trouble] if self._trouble else []
        if not self._options.coarsest:
            said.append(
                "a code that is not known is placed by the middle of its region, or of its country,"
                " and explain says so; to have such orders held instead, set coarsest ="
                " 'locality' under [plugins.postal], and coarsest = 'country' to be told no more"
            )
        return said

    def index(self) -> Index:
        """The index; made where there is none of what is installed."""
        if self._index is None:
            self._index = Index(self._read_or_made())
        return self._index

    @property
    def file(self) -> Path:
        """Where the index is kept."""
        return file_of(self._folder, self._source, self._options)

    def _read_or_made(self) -> dict[str, bytes]:
        file = self.file
        packed = read(file)
        if packed is None:
            _log.info("making the index of postal codes, once: %s", file)
            packed = build(self._source, self._options.countries)
            try:
                write(file, packed)
            except OSError as error:
                why = error.strerror or type(error).__name__
                self._trouble = (
                    f"the index cannot be kept in {file.parent} ({why}): it is made anew"
                )
                self._trouble += " by every process; set folder under [plugins.postal]"
                _log.warning("%s", self._trouble)
        return packed

    def _candidates(
        self, country: Places, destination: Destination
    ) -> Iterator[tuple[int, tuple[int, int]]]:
        """Places from fine to coarse: ``(position in COARSENESS, hundredths of a degree)``."""
        code = destination.postal
        if code:
            yield from self._by_code(country, code)
        state = country.states.get(destination.region)
        if state is not None:
            yield COARSENESS.index("region"), state
        if country.middle is not None:
            yield COARSENESS.index("country"), country.middle

    def _by_code(self, country: Places, code: str) -> Iterator[tuple[int, tuple[int, int]]]:
        codes = country.codes
        if not codes:
            return
        length = len(codes[0]) if len(codes[0]) == len(codes[-1]) else 0
        if code.isdigit() and length and len(code) < length and not self._kept:
            code = code.zfill(length)
        for shorter in _beginnings(code, length):
            at = bisect_left(codes, shorter)
            if at < len(codes) and codes[at] == shorter:
                district = COARSENESS.index("district")
                level = country.levels[at] if shorter == code else max(district, country.levels[at])
                yield level, (country.lats[at], country.lons[at])
                return
        for shared in range(len(code), LEAST_SHARED - 1, -1):
            start = bisect_left(codes, code[:shared])
            end = bisect_left(codes, code[:shared] + "\U0010ffff")
            if start < end:
                yield COARSENESS.index("district"), _middle(country, start, end)
                return


def _beginnings(code: str, length: int) -> Iterator[str]:
    """A code, and what may stand for the area it is in: as many characters as the country's codes
    have, or up to where letters become digits or digits letters (SW of SW1A1AA, 1012 of 1012AB)."""
    yield code
    for at in range(len(code) - 1, 0, -1):
        turns = code[at - 1].isdigit() != code[at].isdigit()
        if at == length or (turns and not length):
            yield code[:at]


def _middle(country: Places, start: int, end: int) -> tuple[int, int]:
    """The middle of a row of codes, on the side of the earth where the first one is."""
    count, first = end - start, country.lons[start]
    turned = sum((lon - first + 18_000) % 36_000 - 18_000 for lon in country.lons[start:end])
    lon = (first + round(turned / count) + 18_000) % 36_000 - 18_000
    return round(sum(country.lats[start:end]) / count), lon
