"""Text that cannot be stored is refused at every door, and by every store alike."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from attrs import evolve

from domcore import ActivationSettings, ConfigurationError, DomcoreError, PayloadError, Settings
from domcore.codec.text import HALF, NUL, fault_of, is_text, text_problems
from domcore.config import read_settings
from domcore.errors import Problem
from domcore.hookspecs import hookimpl
from domcore.model import Destination, Directive, FactSpec, Hold, Item, Order, Person
from domcore.testing.builder import World

BAD = ("a\0b", "a\ud800")


def shop() -> World:
    return World().node("NYC", at=(40.71, -74.0)).item("MUG").stock("MUG", NYC=5)


@pytest.mark.parametrize(
    ("text", "fault"),
    [("", ""), ("x", ""), ("Zoë 東京 🙂", ""), ("a\nb\t\x01", ""), ("\0", NUL), ("é\0", NUL)],
)
def test_there_is_one_definition(text, fault):
    assert fault_of(text) == fault
    assert is_text(text) is not fault
    assert fault_of("x\udfff") == HALF
    assert not is_text("xx", 1)
    assert not is_text(b"x")


def test_every_text_is_found_with_its_path():
    order = evolve(shop().order("1", MUG=1), number="#\0", attributes=(("a", "\ud800"),))
    found = list(text_problems({"order": [order]}))
    assert found == [
        Problem("$.*[0].number", NUL),
        Problem("$.*[0].attributes[0][1]", HALF),
    ]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("store", ["memory:", "dom.db"])
def test_an_order_with_such_a_text_is_refused_and_the_text_is_named(tmp_path, store, bad):
    store = store if store == "memory:" else str(tmp_path / store)
    world = shop()
    good = world.order("1", MUG=1)
    wrong: list[tuple[str, Order]] = [
        ("$.number", evolve(good, number=bad)),
        ("$.external_id", evolve(good, external_id=bad)),
        ("$.customer_tier", evolve(good, customer_tier=bad)),
        ("$.service", evolve(good, service=bad)),
        ("$.tags[1]", evolve(good, tags=("x", bad))),
        ("$.attributes[0][1]", evolve(good, attributes=(("x", bad),))),
        ("$.destination.postal", evolve(good, destination=Destination("US", "NY", bad))),
        ("$.lines[0].id", evolve(good, lines=(evolve(good.lines[0], id=bad),))),
        ("$.lines[0].tags[0]", evolve(good, lines=(evolve(good.lines[0], tags=(bad,)),))),
    ]
    with world.open(Settings(store=store)) as dom:
        for path, order in wrong:
            with pytest.raises(PayloadError) as caught:
                dom.capture(order)
            assert [each.path for each in caught.value.problems] == [path]
            assert bad not in str(caught.value)
        with pytest.raises(PayloadError, match=r"\$\.street\[0\]"):
            dom.capture(good, person=Person(street=(bad,)))
        with pytest.raises(PayloadError, match=r"\$\.key"):
            dom.capture(good, key=bad)
        assert dom.orders() == []
        assert dom.capture(evolve(good, number="\\u0000")).outcome == "captured"
        for verb in (dom.order, dom.cancel, dom.route):
            with pytest.raises(DomcoreError):
                verb([bad] if verb == dom.route else bad)
        with pytest.raises(DomcoreError):
            dom.cancel("1", reason=bad)


@pytest.mark.parametrize("bad", BAD)
def test_nouns_and_names_are_held_to_it(bad):
    world = shop()
    with world.open() as dom:
        with pytest.raises(PayloadError):
            dom.load_items([Item("GOOD", name=bad)])
        with pytest.raises(PayloadError):
            dom.load_items([Item("GOOD", attributes=(("x", bad),))])
        with pytest.raises(ConfigurationError):
            dom.load_network(evolve(world.network(), nodes=(evolve(world.nodes[0], name=bad),)))
    with pytest.raises(ConfigurationError, match="a plugin's name"):
        world.open(plugins={bad: object()})


class Says:
    """A plugin that answers with the text wherever it can."""

    def __init__(self, hook: str, text: str) -> None:
        self.hook, self.text = hook, text

    @hookimpl
    def register_facts(self):
        return [FactSpec("order.says.word", "order", "str", "a word", nullable=True)]

    @hookimpl
    def prepare(self, orders):
        return {each.key_text: {"word": self.text} for each in orders} if self.on("prepare") else {}

    @hookimpl
    def gather_facts(self):
        return {"order": {"order.says.word": self.text}} if self.on("gather_facts") else {}

    @hookimpl
    def judge(self):
        if self.on("raise"):
            raise ValueError(self.text)
        return [Directive("says/x", "note", self.text)] if self.on("judge") else []

    @hookimpl
    def review_plan(self):
        return [Hold("says/x", self.text)] if self.on("review_plan") else []

    def on(self, hook: str) -> bool:
        return self.hook == hook


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("hook", ["prepare", "gather_facts", "judge", "review_plan", "raise"])
@pytest.mark.parametrize("store", ["memory:", "dom.db"])
def test_what_plugins_answer_is_held_to_it(tmp_path, store, hook, bad):
    store = store if store == "memory:" else str(tmp_path / store)
    world = shop()
    with world.open(Settings(store=store), plugins={"says": Says(hook, bad)}) as dom:
        dom.capture(world.order("1", MUG=1))
        report = dom.route()
        assert report.incidents
        assert not report.failed
        assert not any(bad in each for each in report.incidents)
        for table in ("decision", "event", "hold"):
            for row in dom.store.audit(table):
                assert not any(is_bad(cell) for cell in row)


def is_bad(cell: object) -> bool:
    if isinstance(cell, bytes):
        return b"\\u0000" in cell
    return isinstance(cell, str) and not is_text(cell)


@pytest.mark.parametrize(
    "text",
    [
        '[channels."a\\u0000"]\nkind = "files"\n',
        '[channels.a]\nkind = "f\\u0000"\n',
        '[connectors."a\\u0000"]\nkind = "files"\n',
        '[plugins."a\\u0000"]\nx = 1\n',
        '[owners]\n"a\\u0000" = "USD"\n',
        '[[activate]]\npack = "a\\u0000"\n',
    ],
)
def test_settings_are_held_to_it(tmp_path: Path, text: str):
    (tmp_path / "domcore.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"line \d.*unprintable"):
        read_settings(start=tmp_path, environ={})


RULE = '[[rule]]\nid = {id}\nwhen = "order.value >= 0.00"\nthen = "hold"\nreason = {reason}\n'


@pytest.mark.parametrize(("id", "reason"), [("x", "a\0b"), ("a\0b", "x")])
def test_packs_are_held_to_it(tmp_path: Path, id: str, reason: str):
    (tmp_path / "mine").mkdir()
    head = 'format = 1\nname = "mine"\nversion = "1.0.0"\n\n'
    text = head + RULE.format(id=json.dumps(id), reason=json.dumps(reason))
    (tmp_path / "mine" / "ruleset.toml").write_text(text)
    told = Settings("memory:", rulesets=(str(tmp_path),), activate=(ActivationSettings("mine"),))
    world = shop()
    with world.open(told) as dom:
        dom.capture(world.order("1", MUG=1))
        with pytest.raises(ConfigurationError):
            dom.plan("#1")


@pytest.mark.parametrize(
    "wrong",
    [
        {"currency": "usd"},
        {"currency": "US"},
        {"currency": "ZZZ"},
        {"currency": ""},
        {"destination": Destination("United States", "NY", "10001")},
        {"destination": Destination("U", "NY", "10001")},
        {"destination": Destination("1A")},
        {"destination": Destination("ÜS")},
    ],
    ids=str,
)
def test_a_code_that_no_currency_or_country_has_is_refused(wrong):
    world = shop()
    with world.open() as dom:
        with pytest.raises(PayloadError, match=r"must be an ISO (4217|3166) code"):
            dom.capture(world.order("1", MUG=1, **wrong))
        assert dom.orders() == []


@pytest.mark.parametrize("country", ["US", "us", "USA", " US "])
def test_a_country_that_is_spelt_otherwise_is_understood(country):
    world = shop()
    with world.open() as dom:
        dom.capture(world.order("1", MUG=1, destination=Destination(country, "NY", "10001")))
        assert dom.route().routed == 1
