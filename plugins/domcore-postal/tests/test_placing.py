"""Where codes lie, and how coarse that is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domcore.model import COARSENESS, Destination, Placed, Point, normal_destination
from domcore_postal.geocoder import PostalCodes
from domcore_postal.options import Options
from domcore_postal.resolving import distance_km, plain_name, resolve
from domcore_postal.sources import Record, Town


@pytest.fixture
def geocoder(data, tmp_path: Path) -> PostalCodes:
    return PostalCodes(data, Options(), tmp_path)


def located(geocoder: PostalCodes, country: str, code: str = "", region: str = "") -> Placed | None:
    return geocoder.locate(normal_destination(Destination(country, region, code)))


def at(lat: float, lon: float) -> Point:
    return Point(round(lat * 100) * 10_000, round(lon * 100) * 10_000)


@pytest.mark.parametrize(
    ("country", "code", "place", "coarseness"),
    [
        ("GB", "SW1A 1AA", (51.46, -0.17), "district"),
        ("GB", "sw1a", (51.46, -0.17), "district"),
        ("GB", "SW", (51.46, -0.17), "district"),
        ("GB", "S1 1AA", (53.38, -1.47), "district"),
        ("GB", "M1 1AE", (53.48, -2.24), "district"),
        ("CA", "K1A 0B1", (45.42, -75.7), "district"),
        ("CA", "k1a0b1", (45.42, -75.7), "district"),
        ("DE", "01067", (51.05, 13.74), "locality"),
        ("DE", "D-01067", (51.05, 13.74), "locality"),
        ("DE", "01069", (51.05, 13.74), "locality"),
        ("DE", "1067", (51.05, 13.74), "locality"),
        ("NL", "1012 AB", (52.37, 4.89), "locality"),
        ("NL", "1012AB", (52.37, 4.89), "locality"),
        ("AU", "6901", (-31.91, 115.8), "code"),
        ("ES", "28001", (40.42, -3.7), "region"),
    ],
)
def test_a_code_is_placed_and_says_how(geocoder, country, code, place, coarseness) -> None:
    assert located(geocoder, country, code) == Placed(at(*place), coarseness)


def test_a_code_that_is_not_known_lies_among_those_that_begin_alike(geocoder) -> None:
    found = located(geocoder, "DE", "10117")
    assert found == Placed(at(52.52, 13.41), "district")


def test_a_region_and_a_country_are_stated_fall_backs(geocoder) -> None:
    assert located(geocoder, "CA", "", "ON").coarseness == "region"
    assert located(geocoder, "CA", "X9X 9X9", "ON").coarseness == "region"
    dublin = located(geocoder, "IE", "D02 X285")
    assert dublin == Placed(at(53.09, -6.62), "country")


def test_where_nothing_is_known_it_is_left_to_others(geocoder) -> None:
    assert located(geocoder, "ZZ", "1") is None
    assert located(geocoder, "US", "10001") is None
    assert located(geocoder, "PR", "00907") is None


@pytest.mark.parametrize(
    ("coarsest", "places"),
    [
        ("code", [None, None, None]),
        ("district", ["district", None, None]),
        ("locality", ["district", "locality", None]),
        ("country", ["district", "locality", "country"]),
        ("", ["district", "locality", "country"]),
    ],
)
def test_what_is_too_coarse_can_be_held(data, tmp_path, coarsest, places) -> None:
    geocoder = PostalCodes(data, Options(coarsest=coarsest), tmp_path)
    found = [located(geocoder, *each) for each in (("GB", "SW1"), ("DE", "01067"), ("IE", ""))]
    assert [each and each.coarseness for each in found] == places
    assert bool(geocoder.trouble()) == (not coarsest)


def test_a_short_code_is_a_beginning_where_the_settings_keep_no_more(data, tmp_path) -> None:
    kept = PostalCodes(data, Options(), tmp_path, kept=4)
    assert located(kept, "DE", "1067") == Placed(at(52.6, 13.5), "district")


def test_a_point_in_the_sea_off_africa_is_not_believed(geocoder) -> None:
    assert located(geocoder, "AU", "6965") == Placed(at(-32.1, 115.82), "locality")


def test_a_point_far_from_its_neighbors_is_not_believed(geocoder) -> None:
    assert located(geocoder, "AU", "6970") == Placed(at(-31.95, 115.86), "locality")


def test_a_far_point_counts_if_a_town_of_that_name_is_there() -> None:
    near = [Record(f"10{n:02}", None, "Here", "full", 50 + n / 100, 10.0) for n in range(9)]
    far = Record("1099", None, "Outpost", "full", 60.0, 10.0)
    lost = Record("1098", None, "Nowhere", "full", 60.0, 10.0)
    found = resolve("NZ", [*near, far, lost], [Town(("Outpost",), 60.1, 10.0, 5)])
    assert found.codes["1099"].at == (60.0, 10.0)
    assert "1098" not in found.codes


def test_of_several_towns_of_a_name_the_one_near_its_neighbors_is_meant(geocoder) -> None:
    """Neustadt by Berlin has 500 people, the one on the Weinstrasse 53,000."""
    assert located(geocoder, "DE", "10670") == Placed(at(52.6, 13.5), "locality")


def test_the_middle_of_places_on_both_sides_of_the_date_line_is_there(geocoder) -> None:
    middle = located(geocoder, "FJ")
    assert abs(middle.point.lon) == 180_000_000


@pytest.mark.parametrize(
    ("locality", "name"),
    [
        ("Wien, Innere Stadt", "Wien"),
        ("Lausanne 25", "Lausanne"),
        ("Beograd Voždovac", "Beograd"),
        ("札幌市北区", "札幌市"),
        ("KØBENHAVN K", "København"),
        ("Málaga/Centro", "Malaga"),
        ("POSTI, Helsinki", "Helsinki"),
    ],
)
def test_a_locality_is_known_by_the_town_it_is_in(locality: str, name: str) -> None:
    found = resolve("NO", [Record("1000", None, locality)], [Town((name,), 1.0, 2.0, 9)])
    assert found.codes["1000"].at == (1.0, 2.0)


def test_the_first_word_of_a_name_alone_is_no_town() -> None:
    assert not resolve("MX", [Record("1", None, "San Pedro")], [Town(("San",), 1, 2, 9)]).codes


@pytest.mark.parametrize("bad", [(91.0, 0.0), (0.0, 181.0), (0.0, 0.0), (None, 5.0)])
def test_a_point_that_is_none_is_none(bad) -> None:
    assert not resolve("NZ", [Record("1000", None, None, "full", *bad)], []).codes


@given(st.text(max_size=20))
def test_a_name_in_plain_letters_stays_itself(text: str) -> None:
    assert plain_name(plain_name(text)) == plain_name(text)


@given(*[st.floats(-90, 90), st.floats(-180, 180)] * 2)
def test_distances_are_those_on_earth(a: float, b: float, c: float, d: float) -> None:
    assert 0 <= distance_km((a, b), (c, d)) <= 20_016
    assert distance_km((a, b), (a, b)) < 0.001


@given(
    st.sampled_from(["GB", "CA", "DE", "NL", "AU", "ES", "FJ", "IE", "ZZ"]),
    st.text(max_size=12),
    st.text(max_size=4),
)
def test_whatever_is_asked_the_answer_is_a_place_or_none(country, code, region) -> None:
    geocoder = _geocoder()
    found = located(geocoder, country, code, region)
    if found is not None:
        assert found.coarseness in COARSENESS
        assert abs(found.point.lat) <= 90_000_000
        assert abs(found.point.lon) <= 180_000_000


@given(st.sampled_from(["SW1A1AA", "K1A0B1", "1012AB", "01067"]), st.sampled_from([" ", "-", ""]))
def test_every_spelling_of_a_code_is_one_place(code: str, between: str) -> None:
    country = {"S": "GB", "K": "CA", "1": "NL", "0": "DE"}[code[0]]
    spelled = f"{code[:-3]}{between}{code[-3:]}".lower()
    assert located(_geocoder(), country, spelled) == located(_geocoder(), country, code)


_MADE: list[PostalCodes] = []


@pytest.fixture(autouse=True)
def _made(geocoder) -> None:
    _MADE[:] = [geocoder]


def _geocoder() -> PostalCodes:
    return _MADE[0]
