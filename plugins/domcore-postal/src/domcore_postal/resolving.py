"""Where each postal code of one country lies, by its own point or by the town it names.

Points in the data are sometimes wrong, and names of towns are not unique. Codes that begin alike
lie near each other, so of several towns of a name the one nearest to its neighbors is meant, and
what lies far from all of them is not believed.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import asin, cos, inf, radians, sin, sqrt
from statistics import median
from typing import Final, NamedTuple

from domcore.model import Destination, normal_destination
from domcore_postal.sources import Record, Town

NEIGHBORS: Final = 2
"""Codes that share so many first characters are neighbors."""

SLACK_KM: Final = 150.0
"""How far from its neighbors a code may lie whatever they do."""

SPREAD: Final = 6
"""And how many times farther than half of them do."""

LEAST: Final = 5
"""Neighbors below which nobody can tell what is far."""

ENOUGH: Final = 500
"""Neighbors that tell as much as all of them."""

NEAR_KM: Final = 50.0
"""A town this near confirms a point that lies far from its neighbors."""

SHORTEST_CUT: Final = 4
"""Letters of a name that is left when its last words are cut off: San is no town."""

MUNICIPALITIES: Final = frozenset({"ES"})
"""Countries whose codes in the data are numbers of municipalities, which share only the first two
digits, the province, with postal codes: 28001 is La Acebeda there, and Madrid on letters."""

COARSE_TYPES: Final = frozenset({"area", "fsa"})
"""Types of code that stand for the beginning of a whole one."""

At = tuple[float, float]


class Found(NamedTuple):
    """Where a code lies: degrees, and a word of `domcore.model.COARSENESS`."""

    at: At
    coarseness: str


class Country(NamedTuple):
    """A country's codes in normal form, the middles of its states, and its own."""

    codes: Mapping[str, Found]
    states: Mapping[str, At]
    middle: At | None


def resolve(country: str, records: Sequence[Record], towns: Sequence[Town]) -> Country:
    """Place a country's codes; what cannot be placed is left out."""
    known = _Towns(towns)
    rows = _by_code(country, records)
    anchors = _Anchors(_sure(rows, known))
    province = country in MUNICIPALITIES
    codes: dict[str, Found] = {}
    states: dict[str, list[At]] = defaultdict(list)
    for code, mine in sorted(rows.items()):
        found = _largest(mine, known) if province else _place(code, mine, known, anchors)
        if found is not None:
            codes[code] = found
            for state in {each.state for each in mine if each.state}:
                states[state].append(found.at)
    middle = known.middle() or _mean([found.at for found in codes.values()])
    return Country(
        codes, {state: at for state, all in states.items() if (at := _mean(all))}, middle
    )


def _by_code(country: str, records: Sequence[Record]) -> dict[str, list[Record]]:
    """The records of each code in its normal form."""
    normal: dict[str, str] = {}
    rows: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        code = normal.get(record.code)
        if code is None:
            code = record.code.replace("-", "").replace(" ", "")
            if not (code.isascii() and code.isdigit()):  # all others are themselves
                code = normal_destination(Destination(country, "", record.code)).postal
            if country in MUNICIPALITIES:
                code = code[:NEIGHBORS]
            normal[record.code] = code
        rows[code].append(record)
    return rows


def _largest(records: Sequence[Record], towns: _Towns) -> Found | None:
    """The largest town of a province."""
    at = towns.largest({each.locality for each in records if each.locality})
    return None if at is None else Found(at, "region")


def _sure(rows: Mapping[str, Sequence[Record]], towns: _Towns) -> Iterator[tuple[str, At]]:
    """The points to measure others by: given ones, and towns whose name is unique."""
    for code, records in rows.items():
        given = _given(records)
        if given is not None:
            yield code, given
            continue
        for name in {each.locality for each in records if each.locality}:
            places = towns.named(name)
            if len(places) == 1:
                yield code, places[0]


def _place(code: str, records: Sequence[Record], towns: _Towns, anchors: _Anchors) -> Found | None:
    names = sorted({each.locality for each in records if each.locality})
    given = _given(records)
    if given is not None:
        if not anchors.believe(code, given):
            near = (distance_km(given, at) for name in names for at in towns.named(name))
            given = given if min(near, default=SLACK_KM) <= NEAR_KM else None
        if given is not None:
            coarse = all(each.type in COARSE_TYPES for each in records)
            return Found(given, "district" if coarse else "code")
    best = anchors.nearest(code, names, towns)
    return None if best is None else Found(best, "locality")


def _given(records: Sequence[Record]) -> At | None:
    """The middle of the points that the records have. None are at 0/0, in the sea off Africa."""
    points = [
        (each.latitude, each.longitude)
        for each in records
        if each.latitude is not None
        and each.longitude is not None
        and abs(each.latitude) <= 90
        and abs(each.longitude) <= 180
        and (each.latitude, each.longitude) != (0, 0)
    ]
    return _mean(points)


class _Anchors:
    """Where the neighbors of a code lie."""

    def __init__(self, sure: Iterable[tuple[str, At]]) -> None:
        groups: dict[str, list[At]] = defaultdict(list)
        for code, at in sure:
            for length in range(NEIGHBORS + 1):
                groups[code[:length]].append(at)
        self._nearest: Final[dict[tuple[str, tuple[str, ...]], At | None]] = {}
        self._middles: Final[dict[str, tuple[At, float]]] = {}
        for prefix, points in groups.items():
            if len(points) >= LEAST or not prefix:
                points = points[:: 1 + len(points) // ENOUGH]
                middle = (median(at[0] for at in points), median(at[1] for at in points))
                usual = median(distance_km(middle, at) for at in points)
                few = len(points) < LEAST
                self._middles[prefix] = middle, inf if few else usual * SPREAD + SLACK_KM

    def _around(self, code: str) -> tuple[At, float] | None:
        for length in range(NEIGHBORS, -1, -1):
            found = self._middles.get(code[:length])
            if found is not None:
                return found
        return None

    def believe(self, code: str, at: At) -> bool:
        """Whether a point is where a code may be."""
        around = self._around(code)
        return around is None or distance_km(around[0], at) <= around[1]

    def nearest(self, code: str, names: Sequence[str], towns: _Towns) -> At | None:
        """Of the towns of some names the one nearest to the neighbors, if it may be the code's."""
        key = code[:NEIGHBORS], tuple(names)
        if key not in self._nearest:
            self._nearest[key] = self._find_nearest(code, names, towns)
        return self._nearest[key]

    def _find_nearest(self, code: str, names: Sequence[str], towns: _Towns) -> At | None:
        places = [at for name in names for at in towns.named(name)]
        around = self._around(code)
        if not places or around is None:
            return places[0] if places else None
        (north, east), _ = around
        narrow = cos(radians(north)) ** 2
        best = min(
            places,
            key=lambda at: ((at[0] - north) ** 2 + narrow * (at[1] - east) ** 2, at),
        )
        return best if self.believe(code, best) else None


class _Towns:
    """A country's towns by name."""

    def __init__(self, towns: Sequence[Town]) -> None:
        self._towns: Final = towns
        self._known: Final[dict[str, list[At]]] = {}
        self._by_name: Final[dict[str, list[Town]]] = defaultdict(list)
        for town in sorted(towns, key=lambda each: (-each.population, each.names)):
            for name in {plain_name(each) for each in town.names}:
                self._by_name[name].append(town)

    def named(self, locality: str) -> list[At]:
        """The towns that a locality may be, the largest first; none where no name fits.

        ``Wien, Innere Stadt`` is in Wien, ``Lausanne 25`` is Lausanne, ``札幌市北区`` is in 札幌市.
        """
        known = self._known.get(locality)
        if known is None:
            known = self._known[locality] = self._look_up(locality)
        return known

    def _look_up(self, locality: str) -> list[At]:
        for names in _names_in(locality):
            towns = [town for name in names for town in self._by_name.get(name, ())]
            if towns:
                return list(dict.fromkeys((each.latitude, each.longitude) for each in towns))
        return []

    def largest(self, localities: Iterable[str]) -> At | None:
        """The largest of the towns of these names whose name is unique."""
        whole = [self._by_name.get(plain_name(each), ()) for each in localities]
        alone = [towns[0] for towns in whole if len(towns) == 1]
        if not alone:
            return None
        town = max(alone, key=lambda each: (each.population, each.names))
        return town.latitude, town.longitude

    def middle(self) -> At | None:
        """Where the country's people live, in the mean."""
        people = sum(town.population for town in self._towns)
        if not people:
            return _mean([(each.latitude, each.longitude) for each in self._towns])
        return (
            sum(each.latitude * each.population for each in self._towns) / people,
            _mean_longitude([(each.longitude, each.population) for each in self._towns]),
        )


def plain_name(name: str) -> str:
    """A name in small letters without accents and signs."""
    text = unicodedata.normalize("NFKD", name.casefold())
    text = "".join(each for each in text if not unicodedata.combining(each))
    return " ".join(re.findall(r"\w+", text.replace("ø", "o").replace("ł", "l")))


def _names_in(locality: str) -> Iterator[list[str]]:
    """A locality's name, its parts, and what is left of them without their last words: names that
    are as good as each other together."""
    whole = plain_name(locality)
    yield [whole]
    parts = [plain_name(each) for each in re.split(r"[,/()]| - ", locality)]
    yield [each for each in parts if each != whole]
    most = max(len(each.split()) for each in parts)
    for count in range(most - 1, 0, -1):
        cut = [" ".join(each.split()[:count]) for each in [whole, *parts]]
        yield [each for each in cut if len(each) >= SHORTEST_CUT]
    for sign in "市区區縣县州":
        before, found, _ = whole.partition(sign)
        if found and before:
            yield [before + sign, before]


def distance_km(one: At, other: At) -> float:
    """Kilometers along the great circle."""
    north, south = radians(one[0]), radians(other[0])
    half = sin((south - north) / 2) ** 2
    half += cos(north) * cos(south) * sin(radians(other[1] - one[1]) / 2) ** 2
    return 12_742 * asin(min(1.0, sqrt(half)))


def _mean(points: Sequence[At]) -> At | None:
    if not points:
        return None
    north = sum(at[0] for at in points) / len(points)
    return north, _mean_longitude([(at[1], 1) for at in points])


def _mean_longitude(weighted: Sequence[tuple[float, int]]) -> float:
    """The mean on the side of the earth where they are: 179 and -179 are two degrees apart."""
    first = weighted[0][0]
    total = sum(weight for _, weight in weighted)
    turned = sum(((each - first + 180) % 360 - 180) * weight for each, weight in weighted)
    return (first + turned / total + 180) % 360 - 180
