"""An address that changes after the hand-over reaches the node, or a person."""

from __future__ import annotations

import pytest
from attrs import evolve

from domcore import ConnectorError, Settings, hookimpl
from domcore.model import Destination, Notice, Person, Receipt
from domcore.testing.builder import World

ADA = Person(name="Ada", street=("1 Old St",), city="X", postal="10001", country="US")


class Partner:
    """Takes everything and remembers whom it is for. It cannot change work."""

    name = "partner"

    def __init__(self) -> None:
        self.streets: dict[str, tuple[str, ...]] = {}
        self.calls: list[str] = []
        self.stops = True

    def release(self, handover):
        self.calls.append(f"release {handover.key}")
        self.streets[handover.key] = handover.person.street if handover.person else ()
        return Receipt("accepted")

    def cancel(self, handover):
        self.calls.append(f"cancel {handover.key}")
        if not self.stops:
            return Receipt("in_progress")
        del self.streets[handover.key]
        return Receipt("cancelled")

    def reconcile(self, handover):
        return Receipt("accepted" if handover.key in self.streets else "unknown_here")

    @hookimpl
    def register_connectors(self):
        return [self]


class Obliging(Partner):
    """Changes work, in one of several moods."""

    mood = "changes"

    def change(self, handover):
        self.calls.append(f"change {handover.key}")
        if self.mood == "too late":
            return Receipt("rejected", detail="it is packed")
        if self.mood == "down":
            raise ConnectorError("no answer")
        if self.mood == "stops":
            del self.streets[handover.key]
            return Receipt("cancelled")
        self.streets[handover.key] = handover.person.street
        return Receipt("accepted")


class Store:
    """One order at a node, and its later revisions."""

    def __init__(self, world: World, dom) -> None:
        self.world, self.dom = world, dom
        self.order = world.order("1", MUG=2)
        dom.capture(self.order, ADA)
        dom.work()

    def revise(self, person, **more) -> None:
        self.order = evolve(self.order, revision=self.order.revision + 1, **more)
        self.dom.capture(self.order, person)

    def works(self) -> list[tuple[str, str]]:
        return [(each.id, each.status) for each in self.dom.order("#1").fulfillment_orders]


@pytest.fixture(params=["memory:", "sqlite"])
def opened(request, tmp_path):
    """Opens a shop whose one node has this partner; or none."""
    apps = []

    def open_shop(partner=None) -> Store:
        url = request.param if request.param == "memory:" else str(tmp_path / "shop.db")
        world = World().item("MUG").stock("MUG", NYC=9, LAX=9)
        world.node("NYC", at=(40.7, -74.0), connector="partner" if partner else "")
        world.node("LAX", at=(34.0, -118.2))
        settings = Settings(store=url, owners={"main": "USD"})
        apps.append(world.open(settings, plugins={"partner": partner} if partner else {}))
        return Store(world, apps[-1])

    yield open_shop
    for dom in apps:
        assert list(dom.verify()) == []
        dom.close()


def rounds(store: Store, number: int = 3) -> None:
    for _ in range(number):
        store.world.clock.forward(minutes=2)
        store.dom.work()


NEW = evolve(ADA, street=("9 New St",), phone="+1 555 0100")


def test_a_partner_that_can_is_told(opened):
    partner = Obliging()
    store = opened(partner)
    store.revise(NEW)
    (found,) = store.dom.exceptions()
    assert found.reason == (
        "NYC had the work before phone, street changed (revision 2), and may ship to the old one"
    )
    rounds(store)
    assert partner.calls == ["release 1-1-NYC", "change 1-1-NYC"]
    assert partner.streets == {"1-1-NYC": ("9 New St",)}
    assert store.dom.exceptions() == []
    assert "phone, street changed" in str(store.dom.timeline("#1"))


@pytest.mark.parametrize("mood", ["too late", "stops", "cannot"])
def test_a_partner_that_cannot_is_asked_to_stop_and_given_the_work_anew(opened, mood):
    partner = Partner() if mood == "cannot" else Obliging()
    partner.mood = mood
    store = opened(partner)
    store.revise(NEW)
    rounds(store)
    assert store.works() == [("1-1-NYC", "cancelled"), ("1-2-NYC", "accepted")]
    assert partner.streets == {"1-2-NYC": ("9 New St",)}
    assert store.dom.exceptions() == []


def test_a_partner_that_goes_on_all_the_same_is_shown_to_a_person(opened):
    partner = Partner()
    store = opened(partner)
    partner.stops = False
    store.revise(NEW)
    rounds(store)
    assert [each.kind for each in store.dom.exceptions()] == ["trouble"]
    store.dom.record(Notice("1-1-NYC", "shipped", store.world.clock()))
    (found,) = store.dom.exceptions()
    store.dom.settle(found.subject, by="person:kim")
    assert store.dom.exceptions() == []


def test_a_partner_that_is_down_is_told_later(opened):
    partner = Obliging()
    store = opened(partner)
    partner.mood = "down"
    store.revise(NEW)
    rounds(store)
    assert store.dom.exceptions(["trouble"])
    partner.mood = "changes"
    store.revise(evolve(NEW, street=("11 Newest St",)))
    store.world.clock.forward(hours=2)
    rounds(store)
    assert partner.streets == {"1-1-NYC": ("11 Newest St",)}
    assert store.dom.exceptions() == []


def test_where_nobody_can_be_told_a_person_is_shown_it(opened):
    store = opened()
    store.dom.record(Notice("1-1-NYC", "accepted", store.world.clock()))
    store.revise(NEW)
    (found,) = store.dom.exceptions()
    assert found.reason.endswith("(revision 2); nobody can tell it but you")
    assert found.command == "domcore settle trouble/1-1"


def test_where_the_destination_moves_it_is_planned_anew(opened):
    partner = Obliging()
    store = opened(partner)
    store.revise(NEW, destination=Destination("US", "CA", "90001"))
    assert [each.kind for each in store.dom.exceptions()] == ["trouble"]
    rounds(store)
    assert partner.calls == ["release 1-1-NYC", "cancel 1-1-NYC"]
    assert store.works()[0] == ("1-1-NYC", "cancelled")
    assert store.dom.order("#1").summary.nodes == ("LAX",)
    assert store.dom.exceptions() == []


@pytest.mark.parametrize("person", [ADA, None], ids=["the same", "not told"])
def test_what_has_not_changed_is_told_to_nobody(opened, person):
    partner = Obliging()
    store = opened(partner)
    store.revise(person)
    store.dom.erase("#1")
    rounds(store)
    assert partner.calls == ["release 1-1-NYC"]
    assert store.dom.exceptions() == []


def test_work_that_was_not_handed_over_goes_out_with_the_new_address(opened):
    partner = Obliging()
    store = opened(partner)
    later = store.world.order("2", MUG=1)
    store.dom.capture(later, ADA)
    store.dom.route()
    store.dom.capture(evolve(later, revision=later.revision + 1), NEW)
    assert store.dom.exceptions() == []
    store.dom.work()
    assert partner.streets["2-1-NYC"] == ("9 New St",)
    assert "change 2-1-NYC" not in partner.calls


def test_nothing_personal_is_told(opened):
    store = opened(Obliging())
    store.revise(NEW)
    rounds(store)
    told = [str(event.body) for event in store.dom.events()]
    told += [each.reason for each in store.dom.exceptions()]
    assert not [text for text in told if "New St" in text or "0100" in text or "Ada" in text]
