"""Names and addresses live in one table, show up nowhere else, and can be removed for good."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from attrs import evolve

from domcore import PayloadError, Settings
from domcore.model import OrderLine, Person
from domcore.testing.builder import World

CANARY = "Zephyrine Quackenbush"
WHO = Person(
    name=CANARY, email="zephyrine@example.com", phone="+1 555 0199", street=("1 Canary Row",)
)


def world() -> World:
    made = World().node("DC", at=(40.0, -80.0)).item("MUG", weight=400)
    return made.stock("MUG", DC=9)


def test_a_decision_and_its_events_name_nobody():
    made = world()
    with made.open() as dom:
        dom.capture(made.order("1", MUG=1), WHO)
        dom.route()
        dom.cancel("#1")
        (decision,) = dom.store.decisions(1)
        written = (
            decision.record + json.dumps([dict(event.body) for event in dom.events()]).encode()
        )
        for secret in (CANARY, "zephyrine@", "0199", "Canary Row"):
            assert secret.encode() not in written


def test_a_person_is_not_in_what_is_printed_of_an_order():
    made = world()
    with made.open() as dom:
        dom.capture(made.order("1", MUG=1), WHO)
        assert dom.order("#1").person == WHO
        assert CANARY not in repr(dom.order("#1"))


def test_erased_means_gone_from_every_file_of_the_database(tmp_path: Path):
    made = world()
    with made.open(Settings(store=str(tmp_path / "dom.db"))) as dom:
        for number in range(20):
            dom.capture(made.order(str(number), MUG=1), WHO)
        dom.route()
        for number in range(20):
            assert dom.erase(f"#{number}")
        assert not dom.erase("#0")
        for file in tmp_path.iterdir():
            assert CANARY.encode() not in file.read_bytes(), file.name
        assert dom.order("#1").person is None
        assert list(dom.verify()) == []


def test_a_refused_order_repeats_nothing_personal():
    made = world()
    with made.open() as dom:
        nameless = evolve(made.order("1"), lines=(OrderLine("1", "MUG", -1),))
        with pytest.raises(PayloadError) as refused:
            dom.capture(nameless, WHO)
        assert CANARY not in str(refused.value)
