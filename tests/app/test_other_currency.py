"""Orders in another currency than their owner's: by a dated rate, or by one that a person says."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from domcore import ActivationSettings, Domcore, Settings
from domcore.cli.root import build
from domcore.config import read_settings
from domcore.config.showing import shown
from domcore.errors import ConfigurationError, ConflictError
from domcore.model import ExchangeRate, Order, OrderLine
from domcore.model.exchange import (
    AMOUNTS_OF_LINE,
    AMOUNTS_OF_ORDER,
    exchanged,
    in_other_currency,
    rate_on,
    read_rate,
)
from domcore.testing import World
from domcore.verify import verify

PACK = """
format = 1
name = "big"
version = "1.0.0"
currency = "USD"
description = "Big orders ship from the store."

[[rule]]
id = "big"
when = "order.value >= 30.00 and order.currency == 'EUR' and node.id == 'LAX'"
then = "exclude"
reason = "too dear for LAX"

[[rule]]
id = "line"
when = "line.price >= 10.80 and line.price < 10.90 and node.kind == 'hub'"
then = "exclude"
"""

RATES = (
    ExchangeRate("EUR", "USD", "1.05", date(2026, 1, 1)),
    ExchangeRate("EUR", "USD", "1.0842", date(2026, 1, 5)),
    ExchangeRate("EUR", "USD", "2", date(2026, 1, 6)),
)


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    folder = tmp_path / "packs" / "big"
    folder.mkdir(parents=True)
    (folder / "ruleset.toml").write_text(PACK)
    return tmp_path / "packs"


def settings(packs: Path, *rates: ExchangeRate, **more: object) -> Settings:
    activate = (ActivationSettings("big"),)
    return Settings(
        store=str(more.pop("store", "memory:")), owners={"main": "USD"},
        rulesets=(str(packs),), activate=activate, exchange_rates=rates,
    )  # fmt: skip


def world() -> World:
    made = World().node("NYC", at=(40.7, -74.0)).node("LAX", at=(34.0, -118.2))
    return made.item("MUG", weight=400).stock("MUG", LAX=10)


def taken(dom: Domcore, made: World, units: int, **more: object) -> None:
    dom.capture(made.order("1", MUG=units, currency="EUR", **more))
    dom.route()


@pytest.mark.parametrize(("units", "ships"), [(2, True), (3, False)])
def test_rules_compare_amounts_by_the_rate_of_the_day(packs: Path, units: int, ships: bool) -> None:
    """3 x 10.00 EUR are 32.53 USD by the rate of January 5th; 2 are 21.68."""
    made = world()
    with made.open(settings(packs, *RATES)) as dom:
        taken(dom, made, units)
        assert dom.order("1").summary.holds == ()
        assert bool(dom.order("1").summary.buckets.allocated) is ships
        told = dom.explain("1")
        assert told.replayed
        (remark,) = told.remarks
        assert "as USD, 1 EUR being 1.0842 (in force since 2026-01-05)" in remark
        assert dom.order("1").order.value == units * 10_000_000


def test_an_order_placed_before_the_first_rate_is_held(packs: Path) -> None:
    made = world()
    with made.open(settings(packs, *RATES)) as dom:
        taken(dom, made, 1, placed_at=datetime(2025, 12, 31, 23, tzinfo=UTC))
        assert [hold.code for hold in dom.order("1").summary.holds] == ["domcore/currency"]


def test_a_decision_replays_when_the_rates_have_changed(packs: Path, tmp_path: Path) -> None:
    made, store = world(), tmp_path / "shop.db"
    with made.open(settings(packs, *RATES, store=store)) as dom:
        taken(dom, made, 1)
    with Domcore(settings(packs, store=store), load_plugins=False) as dom:
        told = dom.explain("1")
        assert told.replayed
        assert "1.0842" in told.remarks[0]


@pytest.mark.parametrize("store", ["memory:", "file"])
def test_a_person_may_say_the_rate(packs: Path, tmp_path: Path, store: str) -> None:
    made = world()
    place = store if store == "memory:" else str(tmp_path / "shop.db")
    with made.open(settings(packs, store=place)) as dom:
        taken(dom, made, 3)
        (hold,) = dom.order("1").summary.holds
        assert hold.code == "domcore/currency"
        (waiting,) = dom.exceptions(kinds=("held",))
        assert waiting.command.endswith("--rate RATE")
        assert [each.code for each in dom.approve("1", by="kim", rate="1.0842")] == [hold.code]
        dom.route()
        assert dom.order("1").summary.holds == ()
        assert dom.order("1").summary.buckets.open == 3  # the rule excludes LAX
        told = dom.explain("1")
        assert told.replayed
        assert "1 EUR being 1.0842 (said by a person)" in told.remarks[0]
        story = dom.timeline("1").to_text()
        assert "approved by kim: domcore/currency, at a rate of 1.0842" in story
        assert list(verify(dom.store)) == []


def test_the_rate_that_a_person_says_goes_before_the_table(packs: Path) -> None:
    made = world()
    with made.open(settings(packs)) as dom:
        taken(dom, made, 3)
        dom.approve("1", by="kim", rate="0.5")
        dom.route()
        assert dom.order("1").summary.buckets.allocated == 3


@pytest.mark.parametrize("store", ["memory:", "file"])
def test_a_wrong_rate_is_corrected_until_the_order_is_routed_by_it(
    packs: Path, tmp_path: Path, store: str
) -> None:
    made = world()
    place = store if store == "memory:" else str(tmp_path / "shop.db")
    with made.open(settings(packs, store=place)) as dom:
        taken(dom, made, 3)
        dom.approve("1", by="kim", rate="9.5")
        dom.hold("1", code="fraud")
        assert [each.reason for each in dom.approve("1", by="kim", rate="108.4")] == [
            "1 EUR is 108.4 USD"
        ]
        dom.approve("1", by="kim", rate="0.5")
        assert [hold.code for hold in dom.order("1").summary.holds] == ["fraud"]
        assert "corrected by kim: it is decided at a rate of 0.5" in dom.timeline("1").to_text()
        dom.approve("1", code="fraud")
        dom.route()
        assert "1 EUR being 0.5 (said by a person)" in dom.explain("1").remarks[0]
        assert dom.order("1").summary.buckets.allocated == 3
        with pytest.raises(ConflictError, match=r"routed by what was said before \(1 EUR is 0.5"):
            dom.approve("1", rate="0.6")
        assert dom.explain("1").replayed
        assert list(verify(dom.store)) == []


def test_a_rate_by_which_nothing_could_be_placed_can_be_corrected(packs: Path) -> None:
    made = world()
    with made.open(settings(packs)) as dom:
        taken(dom, made, 3)
        dom.approve("1", rate="1.0842")
        dom.route()
        assert dom.order("1").summary.buckets.allocated == 0
        dom.approve("1", rate="0.5")
        dom.route()
        assert dom.order("1").summary.buckets.allocated == 3


def test_approval_without_a_rate_leaves_the_order_held(packs: Path) -> None:
    made = world()
    with made.open(settings(packs)) as dom:
        taken(dom, made, 1)
        dom.approve("1", by="kim")
        dom.route()
        assert [hold.code for hold in dom.order("1").summary.holds] == ["domcore/currency"]


def test_another_revision_wants_its_rate_anew(packs: Path) -> None:
    made = world()
    with made.open(settings(packs)) as dom:
        taken(dom, made, 1)
        dom.approve("1", rate="1.1")
        dom.route()
        assert dom.order("1").summary.buckets.allocated == 1
        taken(dom, made, 2, revision=2)
        assert [hold.code for hold in dom.order("1").summary.holds] == ["domcore/currency"]


@pytest.mark.parametrize(
    "rate", ["0", "-1", "1,5", "nan", "1e3", "", " 1", "1." + "3" * 13, "0.0", "inf", "١"]
)
def test_what_is_no_rate_is_refused_and_lifts_nothing(packs: Path, rate: str) -> None:
    with pytest.raises(ValueError, match="rate above zero"):
        read_rate(rate)
    if not rate:
        return
    made = world()
    with made.open(settings(packs)) as dom:
        taken(dom, made, 1)
        with pytest.raises(ConfigurationError):
            dom.approve("1", rate=rate)
        assert dom.order("1").summary.holds


def test_a_rate_for_an_order_that_needs_none_is_refused(packs: Path) -> None:
    made = world()
    with made.open(settings(packs)) as dom:
        dom.capture(made.order("1", MUG=1))
        with pytest.raises(ConfigurationError, match="not held for its currency"):
            dom.approve("1", rate="1.1")


def test_every_amount_of_an_order_is_turned() -> None:
    """A field of money that is added to orders has to be named in `domcore.model.exchange`."""
    counts = {Order: {"revision"}, OrderLine: {"quantity"}}
    for kind, named in ((Order, AMOUNTS_OF_ORDER), (OrderLine, AMOUNTS_OF_LINE)):
        numbers = {
            each.name for each in attrs.fields(kind) if str(each.type) in ("int", "int | None")
        }
        assert numbers - counts[kind] == set(named)


@given(st.integers(0, 10**15), st.decimals("0.000001", "999999", places=6))
def test_amounts_are_turned_within_half_a_micro(amount: int, rate: object) -> None:
    assert abs(exchanged(amount, f"{rate:f}") - amount * rate) <= 0.5


@given(st.lists(st.dates(), max_size=9, unique=True), st.dates())
def test_the_youngest_rate_in_force_counts(days: list[date], day: date) -> None:
    rates = [ExchangeRate("EUR", "USD", "1", each) for each in days]
    others = [ExchangeRate("USD", "EUR", "1", each) for each in days]
    found = rate_on([*others, *rates], "EUR", "USD", day)
    assert (found.since if found else None) == max((e for e in days if e <= day), default=None)


def test_only_amounts_are_turned() -> None:
    order = world().order("1", MUG=2, currency="EUR")
    turned = in_other_currency(order, "2")
    assert turned.value == 2 * order.value
    assert (turned.currency, turned.lines[0].quantity) == ("EUR", 2)


# --- the project file and the command ----------------------------------------------------------

TABLE = """
[[exchange_rate]]
from = "EUR"
to = "USD"
rate = "1.08420"
since = 2026-01-05
"""


def test_rates_and_nested_tables_are_shown_with_the_line_they_stand_in(tmp_path: Path) -> None:
    more = '[plugins.acme]\nheaders = {auth = "x"}\nnone = {}\nlists = [{a = 1}]\n'
    (tmp_path / "domcore.toml").write_text(TABLE + more)
    found = {each.name: each.origin for each in shown(read_settings(start=tmp_path))}
    assert found["exchange_rate[0]"] == "domcore.toml, line 3"
    origins = [found[f"plugins.acme.{name}"] for name in ("headers", "none", "lists")]
    assert origins == [f"domcore.toml, line {line}" for line in (8, 9, 10)]
    assert found["routing.batch"] == "default"


def test_rates_stand_in_the_project_file(tmp_path: Path) -> None:
    (tmp_path / "domcore.toml").write_text(TABLE)
    read = read_settings(start=tmp_path)
    assert read.exchange_rates == (ExchangeRate("EUR", "USD", "1.0842", date(2026, 1, 5)),)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"1.08420"', "1.0842", "decimal text in quotes"),
        ('"1.08420"', '"0"', "rate above zero"),
        ("2026-01-05", '"soon"', "must be a day"),
        ("2026-01-05", "2026-01-05T10:00:00", "must be a day"),
        ('"EUR"', '"eur"', "ISO 4217"),
        ('"EUR"', '"USD"', "to itself"),
        ("rate =", "course =", "rate"),
    ],
)
def test_a_wrong_rate_is_named_with_its_place(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    (tmp_path / "domcore.toml").write_text(TABLE.replace(old, new))
    with pytest.raises(ConfigurationError, match="exchange_rate") as error:
        read_settings(start=tmp_path)
    assert said in str(error.value)


def test_two_rates_of_one_day_are_refused(tmp_path: Path) -> None:
    (tmp_path / "domcore.toml").write_text(TABLE + TABLE)
    with pytest.raises(ConfigurationError, match="two rates from EUR to USD since 2026-01-05"):
        read_settings(start=tmp_path)


def test_the_command_takes_a_rate(tmp_path: Path, packs: Path) -> None:
    made, store = world(), tmp_path / "shop.db"
    with made.open(settings(packs, store=store)) as dom:
        taken(dom, made, 1)
    run, main = CliRunner(), build()
    held = run.invoke(main, ["approve", "#1", "--store", str(store)])
    assert "--rate" in held.output
    run.invoke(main, ["route", "#1", "--store", str(store)])
    arguments = ["approve", "#1", "--rate", "1.1", "--by", "kim", "--store", str(store), "--json"]
    done = run.invoke(main, arguments)
    assert json.loads(done.output)["lifted"][0]["code"] == "domcore/currency"
    again = run.invoke(main, [*arguments[:3], "1.2", *arguments[4:]])
    assert json.loads(again.output) == {
        "order": "#1", "lifted": [], "corrected": ["1 EUR is 1.2 USD"],
    }  # fmt: skip
    shown = run.invoke(main, ["config", "--store", str(store)])
    assert shown.exit_code == 0
