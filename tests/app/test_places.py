"""One place is one place however its address is spelled: one destination, one zone, one price."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from domcore import Domcore, Settings
from domcore.errors import ConflictError
from domcore.explaining import replay
from domcore.model import (
    Band,
    Destination,
    Point,
    RateCard,
    micros,
    normal_destination,
    postal_prefix,
)
from domcore.model.postal import doubtful
from domcore.model.territories import STATES
from domcore.model.zips import state_of
from domcore.sourcing import record as records
from domcore.sourcing.decide import work_out
from domcore.testing import World

CODES = [
    ("US", "NY", "10001"), ("US", "NJ", "07030"), ("US", "PR", "00907"), ("US", "AE", "09012"),
    ("CA", "ON", "K1A0B1"), ("GB", "", "SW1A1AA"), ("GB", "", "M11AE"), ("NL", "", "1012AB"),
    ("SE", "", "11351"), ("CZ", "", "11000"), ("PL", "", "00950"), ("PT", "", "1000001"),
    ("BR", "SP", "01310100"), ("JP", "", "1000001"), ("IE", "", "D02X285"), ("DE", "", "01067"),
    ("RE", "", "97400"), ("JE", "", "JE23AB"), ("AX", "", "22100"), ("MT", "", "VLT1117"),
]  # fmt: skip


def written(code: str, gaps: list[str], *, lower: bool, wide: bool) -> str:
    """The code with something between its characters and around it."""
    text = code.lower() if lower else code
    if wide:
        text = "".join(chr(ord(c) + 0xFEE0) for c in text)
    parts = [gap + c for gap, c in zip(gaps, text, strict=False)]
    return "".join(parts) + text[len(parts) :]


@given(
    st.sampled_from(CODES),
    st.lists(st.sampled_from(["", " ", "-", "\u00a0", "  "]), min_size=5, max_size=5),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", " "]),
)
def test_any_spelling_of_one_code_is_one_destination(
    place: tuple[str, str, str], gaps: list[str], lower: bool, wide: bool, end: str
) -> None:
    country, region, code = place
    if country == "US":
        gaps = [gaps[0].replace("-", "")]
    text = written(code, gaps, lower=lower, wide=wide) + end
    spelled = Destination(country.lower() if lower else country, region, text)
    assert normal_destination(spelled) == Destination(country, region, code)


@given(st.text(max_size=3), st.text(max_size=8), st.text(max_size=12))
def test_the_normal_form_of_a_normal_form_is_itself(country: str, region: str, postal: str) -> None:
    normal = normal_destination(Destination(country, region, postal))
    assert normal_destination(normal) == normal


@given(
    st.sampled_from(["US", "us", "PR", "GB", "FR", "CN"]),
    st.sampled_from(["", "PR", "ny", "US-NJ", "974", "HK"]),
    st.from_regex(r"[0-9A-Z]{0,9}", fullmatch=True),
)
def test_places_with_two_countries_settle_in_one_step(
    country: str, region: str, postal: str
) -> None:
    normal = normal_destination(Destination(country, region, postal))
    assert normal_destination(normal) == normal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("PR", "", "00907"), ("US", "PR", "00907")),
        (("PR", "", "907"), ("us", "Puerto Rico", "00907-1234")),
        (("US", "", "00907"), ("US", "PR", "907")),
        (("GU", "", "96910"), ("US", "GU", "96910")),
        (("FM", "", "96941"), ("US", "FM", "96941")),
        (("VI", "VI", "00802"), ("US", "VI", "802")),
        (("US", "", "09012"), ("US", "AE", "9012")),
        (("US", "NJ", "07030"), ("US", "NJ", "7030")),
        (("US", "NJ", "07030"), ("US", "New Jersey", "7030-1234")),
        (("US", "NJ", "07030"), ("US", "US-NJ", "070301234")),
        (("US", "NJ", "07030"), ("US", "NJ", "7030.0")),
        (("US", "NY", "00501"), ("US", "NY", "501")),
        (("US", "MA", "02134"), ("US", "MA", "02134-1000")),
        (("US", "MA", "02134"), ("US", "", "02134 1000")),
        (("RE", "", "97400"), ("FR", "", "97400")),
        (("RE", "974", "97400"), ("FR", "RE", "F-97400")),
        (("MC", "", "98000"), ("FR", "", "98000")),
        (("JE", "", "JE2 3AB"), ("GB", "", "je23ab")),
        (("GB", "", "IM1 1AA"), ("IM", "", "IM11AA")),
        (("GB", "", "SW1A"), ("UK", "", "sw1a")),
        (("AX", "", "22100"), ("FI", "AX", "FI-22100")),
        (("SE", "", "113 51"), ("SE", "", "S-11351")),
        (("AR", "B", "1640"), ("AR", "B", "B1640ABC")),
        (("HK", "", ""), ("CN", "HK", "")),
        (("ES", "GC", "35001"), ("IC", "GC", "35001")),
    ],
)
def test_two_spellings_are_one_place(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    assert normal_destination(Destination(*one)) == normal_destination(Destination(*other))


@pytest.mark.parametrize(
    ("region", "postal"),
    [("", "7030"), ("NY", "7030"), ("CA", "100"), ("NJ", "07"), ("", "70301234"), ("", "1")],
)
def test_a_short_zip_code_that_may_be_two_places_is_none(region: str, postal: str) -> None:
    assert "digits" in doubtful(normal_destination(Destination("US", region, postal)))


@pytest.mark.parametrize(
    ("region", "postal"), [("LA", "7030"), ("NJ", "070"), ("", "100"), ("NY", "10001-1")]
)
def test_the_beginning_of_a_code_that_the_settings_keep_is_still_one(
    region: str, postal: str
) -> None:
    assert not doubtful(normal_destination(Destination("US", region, postal)))


# --- through the application -------------------------------------------------------------------


def world(*bands: Band) -> World:
    made = World().node("NYC", at=(40.7, -74.0)).node("LAX", at=(34.0, -118.2))
    made.item("MUG", weight=400).stock("MUG", NYC=10, LAX=10)
    if bands:
        made.rate_cards = [RateCard("parcel", "USD", bands)]
    return made


def band(amount: str, *zones: str) -> Band:
    return Band(zones=zones, base=micros(amount))


class Anywhere:
    """Places what nobody else does."""

    from domcore import hookimpl

    name = "anywhere"

    @hookimpl
    def register_geocoders(self) -> list[Anywhere]:
        return [self]

    def locate(self, destination: Destination) -> Point:
        return Point.from_degrees(45.4, -75.7)


def price(made: World, *place: str) -> int | str:
    """What an order to a place costs; or why it does not ship."""
    with made.open(plugins={"anywhere": Anywhere()}) as dom:
        dom.capture(made.order("1", MUG=1, destination=Destination(*place)))
        planned = dom.plan("1")
        if planned.plan.allocations:
            return planned.plan.cost
        return planned.holds[0].reason if planned.holds else planned.plan.shortages[0].reason


PUERTO_RICO = [
    ("PR", "", "00907"),
    ("US", "PR", "00907"),
    ("US", "", "907-1234"),
    ("pr", "", "907"),
]


@pytest.mark.parametrize(
    ("bands", "cost"),
    [
        ([band("20", "US-PR", "US-HI"), band("5")], "20"),
        ([band("20", "PR"), band("5", "US")], "20"),
        ([band("5", "US"), band("20", "PR")], "20"),
        ([band("20", "US:009"), band("5")], "20"),
        ([band("20", "PR:00 9"), band("5")], "20"),
        ([band("5", "US"), band("30")], "5"),
        ([band("5", "US-NY"), band("30")], "30"),
    ],
)
@pytest.mark.parametrize("place", PUERTO_RICO)
def test_a_territory_has_one_zone_and_one_price(
    bands: list[Band], cost: str, place: tuple[str, str, str]
) -> None:
    assert price(world(*bands), *place) == micros(cost)


@pytest.mark.parametrize("state", sorted(STATES))
def test_every_territory_of_the_united_states_has_one_price(state: str) -> None:
    made = world(band("9", state), band("5"))
    assert price(made, state, "", "") == price(made, "US", state, "") == micros("9")
    made = world(band("9", f"US-{state}"), band("5"))
    assert price(made, state, "", "") == price(made, "US", state, "") == micros("9")


def test_a_zone_of_the_rest_of_the_country_serves_the_mainland() -> None:
    made = world(band("20", "PR"), band("5", "US"))
    assert price(made, "US", "NY", "10001") == micros("5")


@pytest.mark.parametrize("zone", ["CA:K1A0", "CA:K1A 0", "CA:K1A", "CA-ON"])
@pytest.mark.parametrize("code", ["K1A 0B1", "K1A0B1", "k1a-0b1", " K1A  0B1 "])
def test_a_canadian_code_has_one_zone(zone: str, code: str) -> None:
    assert price(world(band("9", zone), band("5")), "CA", "ON", code) == micros("9")


@pytest.mark.parametrize("zone", ["RE", "FR-RE", "FR-974", "FR:974", "FR:97", "RE:974"])
@pytest.mark.parametrize("place", [("RE", "", "97400"), ("FR", "", "97400"), ("FR", "974", "")])
def test_an_overseas_department_has_one_zone(zone: str, place: tuple[str, str, str]) -> None:
    made = world(band("9", zone), band("5"))
    expected = "5" if ":" in zone and not place[2] else "9"
    assert price(made, *place) == micros(expected)
    assert price(world(band("5", "FR"), band("30")), *place) == micros("30")


@pytest.mark.parametrize(
    ("region", "code", "city"),
    [("AE", "09012", "NYC"), ("AA", "34002", "NYC"), ("AP", "96205", "LAX"), ("AE", "", "NYC")],
)
def test_mail_to_the_forces_goes_by_its_port(region: str, code: str, city: str) -> None:
    made = world()
    with made.open() as dom:
        dom.capture(made.order("1", MUG=1, destination=Destination("US", region, code)))
        dom.route()
        assert dom.order("1").summary.nodes == (city,)
        assert "the middle of its state" in dom.explain("1").to_text()


@pytest.mark.parametrize(("region", "city"), [("New York", "NYC"), ("CA", "LAX"), ("AZ", "LAX")])
def test_a_state_without_a_code_is_enough_to_reserve(region: str, city: str) -> None:
    made = world()
    with made.open() as dom:
        dom.capture(made.order("1", MUG=1, destination=Destination("US", region, "")))
        dom.route()
        (hold,) = dom.order("1").summary.holds
        assert (hold.code, hold.stage) == ("domcore/address", "release")
        assert dom.order("1").summary.nodes == (city,)
        assert "the middle of its state" in dom.explain("1").to_text()


@pytest.mark.parametrize("code", ["7030", "07030", "7030-1234"])
def test_a_zip_code_without_its_zero_is_placed_with_it(code: str) -> None:
    made = world().node("MSY", at=(30.0, -90.1)).stock("MUG", MSY=10)
    with made.open() as dom:
        dom.capture(made.order("1", MUG=1, destination=Destination("US", "NJ", code)))
        dom.route()
        assert dom.order("1").summary.nodes == ("NYC",)


def test_a_zip_code_that_may_be_two_places_is_held_with_the_reason() -> None:
    made = world()
    with made.open(plugins={"anywhere": Anywhere()}) as dom:
        dom.capture(made.order("1", MUG=1, destination=Destination("US", "", "7030")))
        dom.route()
        (hold,) = dom.order("1").summary.holds
    assert hold.code == "domcore/address"
    assert (
        hold.reason == "ZIP code '7030' has 4 of 5 digits, and without a state nobody knows which"
    )


def test_rules_and_nodes_see_the_normal_form() -> None:
    made = world().node("SJU", at=(18.4, -66.1), country="PR", postal="00 907").stock("MUG", SJU=1)
    with made.open() as dom:
        (node,) = [each for each in dom.network().nodes if each.id == "SJU"]
        assert (node.country, node.region, node.postal) == ("US", "PR", "00907")


def test_a_region_fallback_is_told() -> None:
    made = world()
    with made.open() as dom:
        dom.capture(made.order("1", MUG=1, destination=Destination("US", "NY", "10099")))
        dom.capture(made.order("2", MUG=1, destination=Destination("US", "NY", "10001")))
        dom.route()
        (remark,) = dom.explain("1").remarks
        assert remark.startswith("the address was placed by the beginning of its postal code")
        assert dom.explain("1").replayed
        assert dom.explain("2").remarks == ()


# --- what is stored stays as it was ------------------------------------------------------------


def captured(dom: Domcore, made: World, code: str, revision: int = 1, key: str = "") -> str:
    order = made.order("1", MUG=1, revision=revision, destination=Destination("CA", "ON", code))
    return dom.capture(order, key=key).outcome


def test_orders_are_stored_as_they_came_and_repeats_stay_repeats() -> None:
    made = world()
    with made.open() as dom:
        assert captured(dom, made, "K1A 0B1") == "captured"
        assert captured(dom, made, "K1A 0B1") == "duplicate"
        assert dom.order("1").order.destination == Destination("CA", "ON", "K1A 0B1")


@pytest.mark.parametrize("key", ["", "webhook-1"])
def test_the_same_revision_spelled_otherwise_is_a_repeat(key: str) -> None:
    """Codes were cut with their blanks once: K1A of K1A 0B1, K1A0 of K1A0B1."""
    made = world()
    with made.open() as dom:
        assert captured(dom, made, "K1A", key=key) == "captured"
        assert captured(dom, made, "K1A0", key=key) == "duplicate"
        with pytest.raises(ConflictError):
            captured(dom, made, "M5V", key=key)


def test_a_code_is_cut_at_the_same_character_however_it_is_spelled() -> None:
    made = world()
    settings = Settings(store="memory:", owners={"main": "USD"}, postal_digits=4)
    for code in ("K1A 0B1", "K1A0B1", "K 1-A 0B1"):
        with made.open(settings) as dom:
            captured(dom, made, code)
            assert dom.order("1").order.destination == Destination("CA", "ON", "K1A0")


@given(st.text(max_size=12), st.integers(0, 14))
def test_what_is_kept_of_a_code_is_its_beginning(code: str, digits: int) -> None:
    normal = normal_destination(Destination("SE", "", code)).postal
    kept = normal_destination(Destination("SE", "", postal_prefix(code, digits))).postal
    assert normal.startswith(kept) or not normal


def test_a_new_spelling_moves_no_work() -> None:
    made = world()
    with made.open(plugins={"anywhere": Anywhere()}) as dom:
        captured(dom, made, "K1A 0B1")
        dom.route()
        before = dom.order("1").reservations
        assert captured(dom, made, "K1A0B1", revision=2) == "amended"
        assert dom.order("1").reservations == before
        assert captured(dom, made, "M5V 2T6", revision=3) == "amended"
        assert dom.order("1").summary.buckets.open == 1


def test_a_decision_from_before_the_normal_form_replays_to_its_bytes() -> None:
    made = world(band("9", "CA:K1A0"), band("5"))
    with made.open(plugins={"anywhere": Anywhere()}) as dom:
        dom.capture(made.order("0", MUG=1))
        dom.route()  # which stores the rules and the network
        captured(dom, made, "K1A 0B1")
        kit = dom._kit
        (order,) = dom.store.open_orders(now=2**62, limit=1)
        kit.look([order])
        question = kit.question(order, made.clock(), "route")
        place = evolve(order.order.destination, point=question.order.destination.point)
        old = evolve(question, normal=False, order=evolve(order.order, destination=place))
        decided, _ = work_out(old, *kit.program(old.order))
        assert decided.plan.cost == micros("5")
        record = records.decode(decided.record)
        assert "to" not in record
        again = replay(kit, record, order.order).decided
        assert again.record == decided.record
        assert again.plan.cost == micros("5")
        new, _ = work_out(question, *kit.program(question.order))
        assert new.plan.cost == micros("9")
        assert records.decode(new.record)["to"] == ["CA", "ON", "K1A0B1"]


@given(st.integers(0, 99_999).map("{:05d}".format), st.sampled_from(["", "XX"]))
def test_a_code_that_says_all_is_the_same_as_one_that_is_put_in_order(code, other):
    for state in (other, state_of(code)):
        place = Destination("US", state, code)
        again = normal_destination(evolve(place, country="us", postal=f" {code} "))
        assert normal_destination(place) == again


@pytest.mark.parametrize("country", ["US", "DE", "GB", "PR", "UK", "us", "USA", "XX", ""])
def test_a_country_alone_is_the_same_however_it_is_spelled(country):
    spelled = Destination(f" {country.lower()} ")
    assert normal_destination(Destination(country)) == normal_destination(spelled)
