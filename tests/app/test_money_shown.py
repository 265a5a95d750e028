"""Money as people see it: the currency's own digits, and parts that add up to their sum."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domcore.model import (
    Band,
    ObserveStock,
    RateCard,
    StockCount,
    amount_text,
    half_even,
    micros,
    money_text,
    parts_shown,
)
from domcore.model.currencies import DIGITS, minor_digits
from domcore.settings import Settings
from domcore.testing import World

AMOUNTS = st.integers(-(10**15), 10**15)
CURRENCIES = st.sampled_from(["USD", "JPY", "KWD", "CLF", "XXX", ""])


def unit(currency: str) -> int:
    return 10 ** (6 - minor_digits(currency))


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1500", "JPY", "1,500 JPY"),
        ("1499.5", "JPY", "1,500 JPY"),
        ("1.235", "KWD", "1.235 KWD"),
        ("12.5", "USD", "12.50 USD"),
        ("0.00004", "CLF", "0.0000 CLF"),
        ("-0.001", "USD", "0.00 USD"),
        ("-1234.565", "EUR", "-1,234.56 EUR"),
        ("7", "ZZZ", "7.00 ZZZ"),
    ],
)
def test_an_amount_has_the_digits_of_its_currency(amount: str, currency: str, text: str) -> None:
    assert money_text(micros(amount), currency) == text


def test_the_table_of_currencies_is_whole() -> None:
    assert len(DIGITS) > 170
    assert all(len(code) == 3 and code.isalpha() and code.isupper() for code in DIGITS)
    assert sorted(code for code, digits in DIGITS.items() if digits == 3) == [
        "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND",
    ]  # fmt: skip


@given(AMOUNTS, CURRENCIES)
def test_what_is_shown_is_within_half_a_minor_unit(amount: int, currency: str) -> None:
    shown = Decimal(amount_text(amount, currency).replace(",", ""))
    assert abs(shown * 1_000_000 - amount) * 2 <= unit(currency)


@given(st.lists(AMOUNTS, max_size=20), CURRENCIES)
def test_parts_add_up_to_the_sum_as_it_is_shown(parts: list[int], currency: str) -> None:
    shown = parts_shown(parts, currency)
    assert sum(shown) == half_even(sum(parts), unit(currency)) * unit(currency)
    assert all(abs(a - b) < unit(currency) for a, b in zip(shown, parts, strict=True))
    assert all(part % unit(currency) == 0 for part in shown)


@given(st.lists(st.lists(AMOUNTS, min_size=1, max_size=5), max_size=8), CURRENCIES)
def test_parts_of_parts_add_up_to_the_parts(parcels: list[list[int]], currency: str) -> None:
    """What is shown of a parcel may be rounded the other way; its own terms follow it."""
    sums = [sum(terms) for terms in parcels]
    for terms, shown in zip(parcels, parts_shown(sums, currency), strict=True):
        parts = parts_shown(terms, currency, total=shown)
        assert sum(parts) == shown
        assert all(abs(a - b) < unit(currency) for a, b in zip(parts, terms, strict=True))


def split(currency: str, base: str, handling: str = "0") -> str:
    """The explanation of an order that two nodes ship, a parcel each."""
    world = World(currency).item("MUG", weight=400).item("POT", weight=900)
    hands = (handling, "0", "0")
    world.node("NYC", at=(40.7, -74.0), handling=hands)
    world.node("LAX", at=(34.0, -118.2), handling=hands)
    world.rate_cards = [RateCard("parcel", currency, (Band(base=micros(base)),))]
    world.stock("MUG", NYC=5).stock("POT", LAX=5)
    with world.open() as dom:
        dom.capture(world.order("1", MUG=1, POT=1))
        dom.route()
        return dom.explain("1").to_text()


@pytest.mark.parametrize("currency", ["USD", "JPY", "KWD"])
@pytest.mark.parametrize(("base", "handling"), [("4.005", "0"), ("4.0033", "0.3335"), ("0.5", "0")])
def test_the_parcels_of_an_explanation_add_up(currency: str, base: str, handling: str) -> None:
    text = split(currency, base, handling)
    number = r"(-?[0-9.,]+)"
    total = Decimal(re.search(rf"Parcels, {number} {currency} in all", text)[1])
    parcels = [Decimal(each) for each in re.findall(rf" g, {number} {currency}", text)]
    assert len(parcels) == 2
    assert sum(parcels) == total
    terms = re.findall(r"^    = (.*)$", text, re.MULTILINE)
    for parcel, line in zip(parcels, terms, strict=True):
        assert sum(Decimal(term.split()[-1]) for term in line.split(", ")) == parcel


def why_not(ours: str, theirs: str) -> str:
    """The explanation of an order that NYC ships for `ours`, where LAX would for `theirs`."""
    world = World().item("MUG", weight=400).stock("MUG", NYC=1, LAX=1)
    world.node("NYC", at=(40.7, -74.0)).node("LAX", at=(34.0, -118.2), rate_card="west")
    world.rate_cards = [
        RateCard("parcel", "USD", (Band(base=micros(ours)),)),
        RateCard("west", "USD", (Band(base=micros(theirs)),)),
    ]
    with world.open() as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        return dom.explain("1", why_not="LAX").to_text()


def test_what_another_plan_costs_more_fits_the_costs_shown() -> None:
    text = why_not("4.004", "4.006")
    assert "Parcels, 4.00 USD" in text
    assert "0.01 USD more" in text
    assert "; 4.01 USD" in text


def test_a_difference_too_small_to_be_shown_is_told_exactly() -> None:
    assert "0.0001 USD more" in why_not("4", "4.0001")


def test_costs_of_several_currencies_are_never_added_up() -> None:
    world = World().node("NYC", at=(40.7, -74.0), owners=("main",)).item("MUG", weight=1)
    world.node("TYO", at=(35.7, 139.7), rate_card="yen", owners=("jp",))
    world.rate_cards.append(RateCard("yen", "JPY", (Band(base=micros("800")),)))
    world.stock("MUG", NYC=5)
    settings = Settings(store="memory:", owners={"main": "USD", "jp": "JPY"})
    with world.open(settings) as dom:
        dom.load_items(world.items, owner="jp")
        dom.observe(ObserveStock("jp", (StockCount("MUG", "TYO", on_hand=5),)))
        dom.capture(world.order("1", MUG=1))
        dom.capture(world.order("2", MUG=1, owner="jp", currency="JPY"))
        report = dom.route(baseline=True)
    yen, dollars = report.costs["JPY"], report.costs["USD"]
    assert yen.cost == yen.compared_cost == yen.nearest_cost == micros("800")
    assert dollars.cost == report.cost - yen.cost


# --- items without a weight ------------------------------------------------------------------


def remarks(world: World, **units: int) -> tuple[str, ...]:
    with world.open() as dom:
        dom.capture(world.order("1", **units))
        dom.route()
        told = dom.explain("1")
        assert all(f"Note: {each}" in told.to_text() for each in told.remarks)
        assert told.to_dict()["remarks"] == list(told.remarks)
        return told.remarks


def by_weight(*bands: Band) -> World:
    world = World().node("NYC", at=(40.7, -74.0)).item("MUG", weight=400).item("AIR")
    world.rate_cards = [RateCard("parcel", "USD", bands)]
    return world.stock("MUG", NYC=5).stock("AIR", NYC=5)


@pytest.mark.parametrize(
    "band",
    [
        Band(base=1, per_kg=1000),
        Band(steps=((500, 10), (1000, 20))),
        Band(steps=((500, 10),), over_per_kg=1000),
    ],
)
def test_an_item_without_a_weight_is_told_where_the_card_needs_one(band: Band) -> None:
    (remark,) = remarks(by_weight(band), MUG=1, AIR=1)
    assert remark.startswith("rate card 'parcel' goes by weight, and AIR has none")
    assert remarks(by_weight(band), MUG=1) == ()


def test_a_card_that_does_not_go_by_weight_needs_none() -> None:
    assert remarks(by_weight(Band(base=1, per_km=5)), AIR=1) == ()
    assert remarks(by_weight(Band(steps=((500, 10),))), AIR=1) == ()


def test_doctor_names_items_without_a_weight() -> None:
    def warnings(world: World) -> list[str]:
        with world.open() as dom:
            return [each.message for each in dom.doctor() if "weight" in each.message]

    (said,) = warnings(by_weight(Band(per_kg=1000)))
    assert "AIR has none" in said
    assert "MUG" not in said
    assert warnings(by_weight(Band(base=1000))) == []
