"""Work is handed over once, whatever partners, processes and people do."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from domcore import (
    ConfigurationError,
    ConflictError,
    ConnectorError,
    NotFound,
    PayloadError,
    WorkSettings,
    hookimpl,
)
from domcore.model import Notice, Person, Receipt
from domcore.settings import ConnectorSettings
from domcore.working.round import TRIPPED


def kinds(dom: Any) -> list[str]:
    return [event.kind for event in dom.events()]


def once(*moods: str) -> Any:
    """Moods for the first releases; all else goes well."""
    left = list(moods)

    def mood(verb: str, handover: Any) -> str:
        return left.pop(0) if verb == "release" and left else "well"

    return mood


# --- what goes well ----------------------------------------------------------------------------


def test_a_partner_is_told_everything_about_the_work(shop, partner, status):
    dom = shop.open(partner)
    shop.order(dom, person=Person(name="Ada", street=("1 Road",)))
    report = dom.work()
    assert (report.routed, report.released, report.failures) == (1, 1, ())
    (handover,) = partner.handovers
    work = handover.fulfillment_order
    assert (handover.key, work.id, work.node) == ("1-1-NYC", "1-1-NYC", "NYC")
    assert work.lines == (("1-1", "MUG", 2),)
    assert (handover.order.external_id, handover.node.id) == ("1", "NYC")
    assert handover.person == Person(name="Ada", street=("1 Road",))
    assert (handover.attempt, handover.now) == (1, dom.now())
    assert status(dom, "web/1") == [("NYC", "accepted")]
    assert dom.order("web/1").fulfillment_orders[0].reference == "R-1-1-NYC"
    assert dom.work().released == 0
    assert partner.calls == [("release", "1-1-NYC")]


def test_a_rejection_is_routed_to_another_node(shop, partner, make, status):
    partner.mood = lambda verb, handover: "rejects"
    other = make.Partner("bolt")
    dom = shop.open(partner, other)
    shop.order(dom)
    shop.rounds(dom, 2)
    assert status(dom, "web/1") == [("NYC", "rejected"), ("LAX", "accepted")]
    assert other.taken_in == ["1-2-LAX"]


def test_news_that_comes_with_an_answer_is_taken_in(shop, partner, status):
    class Eager(type(partner)):
        def release(self, handover):
            shipped = Notice(handover.key, "shipped", handover.now, key="n1")
            lost = Notice("9-9-NYC", "shipped", handover.now, key="n2")
            return Receipt("accepted", notices=(shipped, lost))

    dom = shop.open(Eager())
    shop.order(dom)
    report = dom.work()
    assert status(dom, "web/1") == [("NYC", "shipped")]
    (parked,) = dom.parked()
    assert (report.parked, parked.kind) == (1, "setback")
    with pytest.raises(ConflictError, match="sent again"):
        dom.retry(parked.id)
    dom.drop(parked.id)
    assert dom.parked() == []


# --- unknown outcomes --------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["lost answer", "garbage after all", "raises after all"])
def test_work_that_was_taken_in_without_our_knowing_is_looked_up_and_never_sent_again(
    how, shop, make, status
):
    class Mumbles(make.Partner):
        def release(self, handover):
            self.taken_in.append(handover.key)
            self.boxes[handover.key] = "accepted"
            self.calls.append(("release", handover.key))
            if how == "lost answer":
                raise ConnectorError("time-out", unknown=True)
            if how == "raises after all":
                raise KeyError("x")
            return {}

    partner = Mumbles()
    dom = shop.open(partner)
    shop.order(dom)
    report = dom.work()
    assert (report.unknown, report.released) == (1, 0)
    assert status(dom, "web/1") == [("NYC", "requested")]
    shop.rounds(dom, 3)
    assert [verb for verb, _ in partner.calls] == ["release", "reconcile"]
    assert status(dom, "web/1") == [("NYC", "accepted")]
    assert kinds(dom).count("fulfillment.unknown") == 1


def test_who_was_called_is_asked_though_the_node_names_another_by_now(shop, make, status):
    first, second = make.Partner(mood=once("lost answer")), make.Partner("bolt")
    dom = shop.open(first, second)
    shop.order(dom)
    assert dom.work().unknown == 1
    network = dom.network()
    nodes = tuple(evolve(node, connector="bolt") for node in network.nodes)
    dom.load_network(evolve(network, nodes=nodes))
    shop.rounds(dom, 3)
    assert [verb for verb, _ in first.calls] == ["release", "reconcile"]
    assert (first.taken_in, second.taken_in) == (["1-1-NYC"], [])
    assert status(dom, "web/1") == [("NYC", "accepted")]
    # Its news is believed, and it is the one that is asked to stop.
    assert dom.record(Notice("1-1-NYC", "in_progress", dom.now()), connector="acme")
    with pytest.raises(PayloadError):
        dom.record(Notice("1-1-NYC", "shipped", dom.now()), connector="stranger")
    dom.cancel("web/1")
    shop.rounds(dom, 2)
    assert ("cancel", "1-1-NYC") in first.calls
    assert second.calls == []
    assert list(dom.verify()) == []


def test_never_heard_of_it_is_believed_only_after_a_while(shop, make, status):
    partner = make.Partner(mood=once("lost call"))
    dom = shop.open(partner, work=WorkSettings(backoff_seconds=1))
    shop.order(dom)
    dom.work()
    shop.clock.forward(seconds=10)
    assert dom.work().waiting == 1
    assert partner.calls[-1] == ("reconcile", "1-1-NYC")
    shop.clock.forward(seconds=45)
    dom.work()
    assert [verb for verb, _ in partner.calls] == ["release", "reconcile"], "not asked too early"
    shop.clock.forward(seconds=10)
    dom.work()
    assert [verb for verb, _ in partner.calls][2:] == ["reconcile", "release"]
    assert {key for _, key in partner.calls} == {"1-1-NYC"}, "the key stays the same"
    assert status(dom, "web/1") == [("NYC", "accepted")]


def test_a_call_that_arrives_late_is_found(shop, make, status):
    class Slow(make.Partner):
        def _do(self, verb, handover):
            if verb == "release":
                self.late[handover.key] = handover.now.timestamp() + 40
                self.calls.append((verb, handover.key))
                raise ConnectorError("reset", unknown=True)
            for key, at in self.late.items():
                if handover.now.timestamp() >= at and key not in self.boxes:
                    self.boxes[key] = "accepted"
            return super()._do(verb, handover)

    partner = Slow()
    dom = shop.open(partner, work=WorkSettings(backoff_seconds=1))
    shop.order(dom)
    shop.rounds(dom, 10, seconds=20)
    assert [verb for verb, _ in partner.calls].count("release") == 1
    assert status(dom, "web/1") == [("NYC", "accepted")]


def test_unknown_work_is_neither_freed_nor_routed_elsewhere(shop, make, status):
    partner, other = make.Partner(mood=lambda verb, handover: "lost call"), make.Partner("bolt")
    dom = shop.open(partner, other)
    shop.order(dom)
    shop.rounds(dom, 30, minutes=30)
    assert other.calls == []
    assert status(dom, "web/1") == [("NYC", "requested")]
    (parked,) = dom.parked()
    assert (parked.id, parked.kind, parked.unknown) == ("outbox/1", "release", True)
    assert kinds(dom).count("fulfillment.unknown") == 1
    assert kinds(dom).count("work.parked") == 1
    with pytest.raises(ConflictError, match="nobody knows"):
        dom.drop("outbox/1")
    partner.mood = lambda verb, handover: "well"
    dom.retry("outbox/1")
    before = len(partner.calls)
    dom.work()
    assert [verb for verb, _ in partner.calls[before:]] == ["reconcile", "release"]
    assert status(dom, "web/1") == [("NYC", "accepted")]


def test_a_worker_that_died_leaves_an_unknown_outcome(shop, partner, status):
    dom = shop.open(partner)
    shop.order(dom)
    dom.route()
    now = round(dom.now().timestamp() * 1_000_000)
    dom.store.lease_due("release", now=now, until=now + 60_000_000, limit=9)
    dom.work()
    assert partner.calls == [], "it is somebody's until the lease ends"
    shop.clock.forward(seconds=61)
    dom.work()
    assert partner.calls == [("reconcile", "1-1-NYC")]
    shop.clock.forward(seconds=61)
    dom.work()
    assert [verb for verb, _ in partner.calls][1:] == ["reconcile", "release"]
    assert status(dom, "web/1") == [("NYC", "accepted")]


def test_work_that_ends_its_worker_every_time_is_set_aside(shop, partner):
    dom = shop.open(partner, work=WorkSettings(lease_seconds=60, attempts=3))
    shop.order(dom)
    dom.route()
    for _ in range(3):
        now = round(dom.now().timestamp() * 1_000_000)
        options = {"now": now, "until": now + 60_000_000, "limit": 9, "most": 3}
        assert len(dom.store.lease_due("release", **options)) == 1
        shop.clock.forward(seconds=61)
    shop.order(dom, "2")
    report = dom.work()
    assert partner.calls == [("release", "2-1-NYC")]
    assert report.released == 1
    (parked,) = dom.parked()
    assert (parked.fulfillment_order, parked.unknown) == ("1-1-NYC", True)


# --- cancelling --------------------------------------------------------------------------------


def test_a_partner_that_has_it_is_asked_to_stop(shop, partner, status):
    dom = shop.open(partner)
    shop.order(dom)
    dom.work()
    dom.cancel("web/1")
    assert status(dom, "web/1") == [("NYC", "cancel_requested")]
    assert dom.work().cancelled == 1
    assert status(dom, "web/1") == [("NYC", "cancelled")]
    assert partner.boxes == {"1-1-NYC": "cancelled"}


def test_a_cancel_of_an_unknown_release_asks_the_partner_first(shop, make, status):
    partner = make.Partner(mood=once("lost call"))
    dom = shop.open(partner)
    shop.order(dom)
    dom.work()
    dom.cancel("web/1")
    report = dom.work()
    assert (report.waiting, report.cancelled) == (1, 0)
    assert partner.calls[-1][0] == "cancel"
    assert status(dom, "web/1") == [("NYC", "cancel_requested")], "it may still arrive"
    shop.clock.forward(seconds=61)
    assert dom.work().cancelled == 1
    assert status(dom, "web/1") == [("NYC", "cancelled")]
    assert partner.boxes == {}


def test_a_cancel_waits_for_a_release_under_way(shop, partner, status):
    dom = shop.open(partner)
    shop.order(dom)
    dom.route()
    now = round(dom.now().timestamp() * 1_000_000)
    (lease,) = dom.store.lease_due("release", now=now, until=now + 60_000_000, limit=9)
    dom.cancel("web/1")
    assert dom.work().waiting == 1
    assert partner.calls == []
    partner.boxes["1-1-NYC"] = "accepted"
    dom.store.settle(lease.entry, now=now, note="accepted", attempt=1)
    shop.clock.forward(seconds=11)
    dom.work()
    assert partner.calls == [("cancel", "1-1-NYC")]
    assert status(dom, "web/1") == [("NYC", "cancelled")]


def test_what_cannot_be_stopped_goes_on(shop, partner, status):
    dom = shop.open(partner)
    shop.order(dom)
    dom.work()
    partner.boxes["1-1-NYC"] = "shipped"
    dom.cancel("web/1")
    dom.work()
    assert status(dom, "web/1") == [("NYC", "shipped")]
    assert dom.order("web/1").summary.status == "shipped"


def test_a_promise_to_stop_waits_for_the_partners_word(shop, make, status):
    class Polite(make.Partner):
        def cancel(self, handover):
            self.calls.append(("cancel", handover.key))
            return Receipt("cancel_requested")

    partner = Polite()
    dom = shop.open(partner)
    shop.order(dom)
    dom.work()
    dom.cancel("web/1")
    shop.rounds(dom, 3)
    assert partner.calls.count(("cancel", "1-1-NYC")) == 1
    assert status(dom, "web/1") == [("NYC", "cancel_requested")]


# --- failures ----------------------------------------------------------------------------------


def test_a_known_failure_is_tried_again_and_then_set_aside(shop, make, status):
    partner = make.Partner(mood=lambda verb, handover: "refuses")
    dom = shop.open(partner)
    shop.order(dom)
    reports = shop.rounds(dom, 12, minutes=20)
    assert partner.calls == [("release", "1-1-NYC")] * 5
    assert sum(report.parked for report in reports) == 1
    (parked,) = dom.parked()
    assert (parked.unknown, parked.attempts, "no room" in parked.note) == (False, 5, True)
    partner.mood = lambda verb, handover: "well"
    dom.retry(parked.id)
    dom.work()
    assert (dom.parked(), status(dom, "web/1")) == ([], [("NYC", "accepted")])


def test_work_that_is_given_up_is_routed_again(shop, make, status):
    other = make.Partner("bolt")
    dom = shop.open(make.Partner(mood=lambda verb, handover: "refuses"), other)
    shop.order(dom)
    shop.rounds(dom, 12, minutes=20)
    dom.drop("outbox/1")
    shop.rounds(dom, 1)
    assert status(dom, "web/1") == [("NYC", "rejected"), ("LAX", "accepted")]
    with pytest.raises(NotFound, match="outbox/1"):
        dom.drop("outbox/1")


def test_a_partner_that_asks_for_patience_gets_it(shop, make):
    class Busy(make.Partner):
        def release(self, handover):
            self.calls.append(("release", handover.key))
            raise ConnectorError("too many", retry_after=900)

    partner = Busy()
    dom = shop.open(partner, work=WorkSettings(backoff_seconds=1))
    shop.order(dom)
    shop.rounds(dom, 14, minutes=1)
    assert len(partner.calls) == 1
    shop.rounds(dom, 3, minutes=1)
    assert len(partner.calls) == 2


@pytest.mark.parametrize(
    "name", ["1", "outbox/9", "outbox/x", "event/a/1", "event/\ud800/1", "event/1", "x/1", ""]
)
def test_what_is_not_parked_cannot_be_tried_or_dropped(name, shop, partner, tmp_path):
    dom = shop.open(partner, store=str(tmp_path / "shop.db"))
    for verb in (dom.retry, dom.drop):
        with pytest.raises(NotFound, match="parked"):
            verb(name)


def test_a_partner_that_is_down_does_not_keep_the_others_waiting(shop, make):
    dark, well = make.Partner(mood=lambda verb, handover: "refuses"), make.Partner("bolt")
    dom = shop.open(dark, well)
    for number in range(20):
        shop.order(dom, f"m{number}")
        shop.order(dom, f"p{number}", PEN=1)
    report = dom.work()
    assert len(dark.calls) == TRIPPED
    assert (report.released, report.waiting) == (20, 20 - TRIPPED)
    attempts = [row[6] for row in dom.store.audit("outbox")]
    assert attempts.count(0) == 20 - TRIPPED, "what was not tried is no attempt"


def test_a_connector_that_is_not_there_is_named_and_costs_no_attempt(shop, partner):
    connectors = (ConnectorSettings("acme", "amazon-mcf"),)
    dom = shop.open(connectors=connectors)
    shop.order(dom)
    assert dom.work().waiting == 1
    (waiting,) = dom.parked()
    assert waiting.parked_at is None
    assert "install domcore-amazon-mcf" in waiting.note
    assert [row[6] for row in dom.store.audit("outbox")] == [0]
    shop.rounds(dom, 10, minutes=10)
    assert [row[6] for row in dom.store.audit("outbox")] == [0]
    assert [row[5] for row in dom.store.audit("fulfillment_order")] == [0], "nobody has it"


def test_work_that_waited_for_a_plugin_flows_when_it_is_there(shop, partner, make, tmp_path):
    here = make.Shop(str(tmp_path / "shop.db"))
    with here.open() as dom:
        here.order(dom)
        dom.work()
    here.clock.forward(minutes=10)
    with here.open(partner) as dom:
        assert dom.work().released == 1


def test_two_plugins_that_serve_one_name_are_both_named(shop, make):
    first, second = make.Partner(), make.Partner()
    dom = shop.open(first, plugins={"second": make.Serves(second)})
    assert list(dom.connectors().values()) == [first]
    (status,) = [each for each in dom.plugins.status() if each.name == "second"]
    assert "'partners'" in status.error
    assert "'second'" in status.error


def test_a_plugin_that_calls_work_from_inside_is_refused(shop, make, status):
    class Curious(make.Partner):
        def release(self, handover):
            try:
                self.dom.work()
            except ConfigurationError as error:
                self.refused = str(error)
            return super().release(handover)

    partner = Curious()
    partner.dom = dom = shop.open(partner)
    shop.order(dom)
    assert dom.work().released == 1
    assert "running already" in partner.refused


def test_what_a_stranger_says_is_not_kept(shop, make):
    dom = shop.open(make.Partner(mood=lambda verb, handover: "raises"))
    shop.order(dom)
    shop.rounds(dom, 12, minutes=20)
    (parked,) = dom.parked()
    assert parked.note == "ValueError"
    assert "Ada" not in str([event.body for event in dom.events()])


def test_stopping_gives_back_what_is_not_begun(shop, partner):
    dom = shop.open(partner)
    for number in range(10):
        shop.order(dom, str(number))
    dom.route()
    dom.work(stop=lambda: len(partner.calls) >= 3)
    assert len(partner.calls) == 3
    assert sorted(row[6] for row in dom.store.audit("outbox")) == [0] * 7 + [1] * 3
    dom.work()
    assert len(partner.calls) == 10


def test_ctrl_c_leaves_only_the_piece_in_hand_in_doubt(shop, make):
    def interrupted(verb, handover):
        raise KeyboardInterrupt

    partner = make.Partner(mood=interrupted)
    dom = shop.open(partner)
    for number in range(10):
        shop.order(dom, str(number))
    with pytest.raises(KeyboardInterrupt):
        dom.work()
    partner.mood = lambda verb, handover: "well"
    assert dom.work().released == 9
    shop.rounds(dom, 5)
    assert [verb for verb, _ in partner.calls].count("reconcile") > 0
    assert len(partner.boxes) == 10


# --- laws --------------------------------------------------------------------------------------

MOODS = ("well", "lost answer", "lost call", "refuses", "garbage", "raises", "exits")


@given(st.data(), st.integers(0, 3))
@settings(deadline=None, max_examples=60)
def test_however_calls_go_every_unit_ships_from_one_node(make, data, cancelled):
    def mood(verb, handover):
        return data.draw(st.sampled_from(MOODS)) if trouble[0] > 0 else "well"

    trouble = [1]
    shop = make.Shop()
    one, two = make.Partner("acme", mood), make.Partner("bolt", mood)
    with shop.open(one, two, work=WorkSettings(attempts=3, lease_seconds=60)) as dom:
        for number in range(3):
            shop.order(dom, str(number))
        shop.rounds(dom, 4)
        if cancelled:
            dom.cancel("web/0")
        shop.rounds(dom, 4)
        trouble[0] = 0
        for _ in range(3):
            for each in dom.parked():
                dom.retry(each.id)
            shop.rounds(dom, 4, hours=2)
        assert dom.parked() == []
        boxes = [*one.boxes.items(), *two.boxes.items()]
        wanted = sorted(key.split("-")[0] for key, status in boxes if status == "accepted")
        assert wanted == [str(order) for order in range(2 if cancelled else 1, 4)]
        assert [str(each) for each in dom.verify()] == []


class Plain:
    @hookimpl
    def register_connectors(self, dom):
        return ["no connector", object(), None]


def test_what_is_no_connector_is_refused(shop):
    dom = shop.open(plugins={"plain": Plain()})
    assert dom.connectors() == {}


def test_news_that_comes_with_the_promise_to_stop_counts(shop: Any, make: Any, status: Any) -> None:
    class Slow(make.Partner):  # type: ignore[misc]
        def _cancel(self, key: str, how: str) -> Receipt:
            return Receipt("cancel_requested", notices=(Notice(key, "shipped", shop.clock()),))

    dom = shop.open(Slow(), make.Partner("bolt"))
    reference = shop.order(dom)
    dom.work()
    dom.cancel(reference)
    shop.rounds(dom, 2)
    assert status(dom, reference) == [("NYC", "shipped")]


@pytest.mark.parametrize("name", [5, None, b"1-1-NYC", "\ud800", "1-1-N\0YC", "2-1-NYC", "1-1-LAX"])
def test_news_of_strange_work_in_an_answer_is_set_aside(shop: Any, make: Any, name: Any) -> None:
    class Strange(make.Partner):  # type: ignore[misc]
        def _release(self, key: str, how: str) -> Receipt:
            return Receipt("accepted", notices=(Notice(name, "shipped", shop.clock()),))

    dom = shop.open(Strange(), make.Partner("bolt"))
    shop.order(dom)
    assert dom.work().released == 1
    assert [each.kind for each in dom.parked()] == ["setback"]
