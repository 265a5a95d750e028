"""Promises about what came and could not be read."""

from __future__ import annotations

from domcore.errors import NotFound, PayloadError
from domcore.model import AmendOrder, CancelOrder, ObserveStock, StockCount
from domcore.store.values import Unread
from domcore.testing.store_suite.kit import NOW, KitSuite, StoreKit, order_of, raises

BODY = b'{"name": "Zephyrine Quackenbush"}'


def _unread(external_id: str = "7", revision: int = 5, body: bytes = BODY) -> Unread:
    headers = {"x-topic": "orders/create", "authorization": "Bearer canary"}
    return Unread("receive:web", "odd", external_id, "#7", revision, body, headers)


def _names(kit: StoreKit) -> list[str]:
    return [parked.id for parked in kit.store.parked()]


class UnreadPromises(KitSuite):
    """Kept apart, shown by name, read again, superseded, erased."""

    def test_what_cannot_be_read_is_kept_with_what_came_and_shown(self) -> None:
        with self.kit() as kit:
            kept = kit.store.keep_unread(_unread(), now=NOW)
            assert kept == ("setback/receive:web/1", True)
            (parked,) = kit.store.parked()
            assert (parked.id, parked.note, parked.kept) == (kept[0], "order #7: odd", True)
            found = kit.store.unread(parked.id)
            assert found is not None
            assert (found.body, dict(found.headers)) == (BODY, {"x-topic": "orders/create"})
            raises(NotFound, kit.store.unread, "setback/receive:web/9")

    def test_it_is_nowhere_else(self) -> None:
        with self.kit() as kit:
            kit.store.keep_unread(_unread(), now=NOW)
            seen = repr([*kit.store.events(), *kit.store.parked()])
            seen += repr([list(kit.store.audit(table)) for table in ("unread", "event")])
            assert "Quackenbush" not in seen
            assert "canary" not in seen

    def test_the_same_again_is_no_news_and_a_later_one_takes_its_place(self) -> None:
        with self.kit() as kit:
            store = kit.store
            first = store.keep_unread(_unread(), now=NOW)
            assert first is not None
            assert store.keep_unread(_unread(), now=NOW + 1) == (first[0], False)
            later = store.keep_unread(_unread(revision=6, body=b"later"), now=NOW + 2)
            assert later is not None
            assert _names(kit) == [later[0]]
            assert store.keep_unread(_unread(), now=NOW + 3) == (later[0], False), "older"
            store.keep_unread(_unread("", 0, b"?"), now=NOW + 4)
            store.keep_unread(_unread("", 0, b"??"), now=NOW + 5)
            assert len(_names(kit)) == 3, "nobody knows whether they are of one order"

    def test_who_is_done_with_it_leaves_nothing(self) -> None:
        with self.kit() as kit:
            kept = kit.store.keep_unread(_unread(), now=NOW)
            assert kept is not None
            kit.store.give_up(kept[0], now=NOW)
            assert _names(kit) == []
            assert list(kit.store.audit("unread")) == []

    def test_a_revision_as_late_that_can_be_read_makes_an_end_of_it(self) -> None:
        with self.kit() as kit:
            kit.store.keep_unread(_unread(), now=NOW)
            kit.take_in(order_of("7", 4, bolt=1))
            assert kit.store.forget_superseded(now=NOW) == 0, "an older one"
            kit.take_in(order_of("7", 5, bolt=1))
            assert kit.store.forget_superseded(now=NOW) == 1
            assert _names(kit) == []

    def test_where_no_revision_is_known_any_that_comes_after_does(self) -> None:
        with self.kit() as kit:
            kit.take_in(order_of("7", 1, bolt=1))
            kit.store.keep_unread(_unread(revision=0), now=NOW)
            assert kit.store.forget_superseded(now=NOW) == 0
            kit.take_in(order_of("7", 2, bolt=2))
            assert kit.store.forget_superseded(now=NOW) == 1

    def test_only_what_the_channel_tells_whole_makes_an_end_of_it(self) -> None:
        with self.kit() as kit:
            kit.take_in(order_of("7", 1, bolt=3))
            line = order_of("7", 1, bolt=3).lines[0].id
            kit.store.keep_unread(_unread(revision=0), now=NOW)
            refund = AmendOrder("main", "web", "7", "r", 4, ((line, 1),))
            assert kit.store.amend(refund, now=NOW).outcome == "amended"
            assert kit.store.forget_superseded(now=NOW) == 0
            kit.take_in(order_of("7", 5, bolt=1))
            assert kit.store.forget_superseded(now=NOW) == 1

    def test_an_order_that_comes_after_it_may_be_older(self) -> None:
        with self.kit() as kit:
            kit.store.keep_unread(_unread(revision=0), now=NOW)
            kit.take_in(order_of("7", 1, bolt=3))
            assert kit.store.forget_superseded(now=NOW) == 0
            kit.take_in(order_of("7", 2, bolt=1))
            assert kit.store.forget_superseded(now=NOW) == 1

    def test_what_was_told_before_it_came_makes_no_end_of_it(self) -> None:
        with self.kit() as kit:
            kit.take_in(order_of("7", 5, bolt=3))
            kit.store.keep_unread(_unread(revision=5), now=NOW)
            assert kit.store.forget_superseded(now=NOW) == 0
            kit.take_in(order_of("7", 6, bolt=3))
            assert kit.store.forget_superseded(now=NOW) == 1

    def test_differences_wait_each(self) -> None:
        with self.kit() as kit:
            told = [_unread(revision=revision, body=body) for revision, body in (
                (0, b"a"), (0, b"b"), (5, b"c"), (5, b"d"))]  # fmt: skip
            told += [_unread(revision=6, body=b"e")._replace(name=name) for name in ("r1", "r2")]
            for _ in range(2):
                for each in told:
                    kit.store.keep_unread(each, now=NOW)
            assert len(_names(kit)) == len(told)
            kit.store.keep_unread(_unread(revision=7, body=b"f"), now=NOW)
            assert len(_names(kit)) == len(told) - 1, "of whole ones only the latest"

    def test_what_is_pulled_again_on_another_page_is_the_same(self) -> None:
        with self.kit() as kit:
            told = Unread("pull:web", "odd", "7", "#7", position="p1", place=3)
            for position, place in (("p1", 3), ("p1", 4), ("p2", 1), ("p2", 2), ("p2", 1)):
                kit.store.keep_unread(told._replace(position=position, place=place), now=NOW)
            assert len(_names(kit)) == 2

    def test_a_cancelled_order_has_nothing_to_be_read(self) -> None:
        with self.kit() as kit:
            kit.take_in(order_of("7", 1, bolt=1))
            kit.store.keep_unread(_unread(), now=NOW)
            kit.store.cancel(CancelOrder("main", "web", "7", 9), now=NOW)
            assert kit.store.forget_superseded(now=NOW) == 1

    def test_to_erase_an_order_erases_what_could_not_be_read_of_it(self) -> None:
        with self.kit() as kit:
            order_id = kit.take_in(order_of("7", 1, bolt=1))
            kept = kit.store.keep_unread(_unread(), now=NOW)
            assert kept is not None
            assert kit.store.erase(order_id)
            assert kit.store.unread(kept[0]) is None
            assert [parked.kept for parked in kit.store.parked()] == [False]

    def test_what_was_asked_for_is_asked_for_again(self) -> None:
        with self.kit() as kit:
            told = Unread("pull:web", "odd", "7", "#7", 5, position="p1", place=3)
            task = kit.store.lease_task("pull:web", now=NOW, until=NOW + 10)
            assert task is not None
            kit.store.settle_task(task, now=NOW, due_at=NOW + 99, cursor="p2")
            assert kit.store.keep_unread(told, now=NOW) == ("setback/pull:web/1", True)
            assert kit.store.keep_unread(told, now=NOW) == ("setback/pull:web/1", False)
            kit.store.revive("setback/pull:web/1", now=NOW + 1)
            assert [each.cursor for each in kit.store.tasks()] == ["p1"]
            assert _names(kit) == []

    def test_counts_that_cannot_be_taken_in_are_kept_and_the_others_are_taken(self) -> None:
        with self.kit() as kit:
            counts = (
                StockCount("bolt", "east", delta=4),
                StockCount("cog", "east", delta=2),
                StockCount("bolt", "moon", delta=2),
            )
            news = ObserveStock("main", counts, "n1", source="f.csv", rows=(2, 3, 9))
            raises(PayloadError, kit.store.observe_stock, news, now=NOW)
            told = kit.store.observe_stock(news, now=NOW, task="poll:east")
            assert (told.outcome, kit.shelf("bolt", "east")) == ("observed", (4, 0, 0))
            (name,) = _names(kit)
            assert told.detail.endswith(f"2 left out, kept as {name}")
            (parked,) = kit.store.parked()
            assert "f.csv:3.sku" in parked.note
            assert "f.csv:9.node" in parked.note
            again = kit.store.observe_stock(news, now=NOW, task="poll:east")
            assert (again.outcome, _names(kit)) == ("duplicate", [name])
            assert kit.shelf("bolt", "east") == (4, 0, 0)
