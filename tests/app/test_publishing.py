"""What channels are told of stock: only what changed, with safety and shares respected."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from domcore import ConfigurationError, ConnectorError, Domcore, NotFound, Settings
from domcore.model import Alias, Command, Envelope, Item, ObserveStock, StockCount, StockLevel
from domcore.publishing import BATCH, StockPublisher
from domcore.settings import ChannelSettings
from domcore.testing.builder import World

WEB = ChannelSettings("web", "fake")


class Shop:
    """A channel that keeps the levels it was told, and fails when it is told to."""

    name = "web"

    def __init__(self) -> None:
        self.calls: list[tuple[StockLevel, ...]] = []
        self.failing = 0

    def receive(self, envelope: Envelope) -> Sequence[Command]:
        return ()

    def publish_stock(self, levels: Sequence[StockLevel]) -> None:
        self.calls.append(tuple(levels))
        if self.failing:
            self.failing -= 1
            raise ConnectorError("the shop is closed", unknown=True)

    def heard(self) -> dict[tuple[str, str], int]:
        """What came since this was last asked."""
        found = {(each.sku, each.node): each.available for call in self.calls for each in call}
        self.calls.clear()
        return found


class Deaf:
    """A channel that takes no stock."""

    name = "web"

    def receive(self, envelope: Envelope) -> Sequence[Command]:
        return ()


def world() -> World:
    made = World().node("LAX", at=(34.05, -118.24)).node("NYC", at=(40.71, -74.0))
    made.item("MUG").item("POT").item("PEN")
    return made.stock("MUG", NYC=5, LAX=4, safety=1).stock("POT", LAX=3)


@pytest.fixture(params=["memory:", "file"])
def dom(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Domcore]:
    url = "memory:" if request.param == "memory:" else str(tmp_path / "dom.db")
    with world().open(Settings(store=url, channels=(WEB,))) as dom:
        dom.load_items((), [Alias("web", "m-1", "MUG"), Alias("web", "p-1", "PEN")])
        yield dom


def count(dom: Domcore, sku: str, node: str, **told: int) -> None:
    dom.observe(ObserveStock("main", (StockCount(sku, node, **told),)))


def tell(dom: Domcore, shop: Shop, **changed: object) -> dict[tuple[str, str], int]:
    sent = StockPublisher(dom).publish(shop, evolve(WEB, **changed))
    assert sent == sum(len(call) for call in shop.calls)
    return shop.heard()


def test_the_first_time_a_channel_is_told_everything_it_knows_or_may_sell(dom: Domcore) -> None:
    shop = Shop()
    assert tell(dom, shop) == {("MUG", ""): 7, ("PEN", ""): 0, ("POT", ""): 3}


def test_levels_carry_the_channels_own_ids(dom: Domcore) -> None:
    shop = Shop()
    dom.load_items((), [Alias("web", "m-0", "MUG"), Alias("other", "x", "MUG")])
    StockPublisher(dom).publish(shop, WEB)
    ids = {each.sku: each.external_ids for each in shop.calls[0]}
    assert ids == {"MUG": ("m-0", "m-1"), "PEN": ("p-1",), "POT": ()}


def test_only_what_has_changed_is_told_again(dom: Domcore) -> None:
    shop = Shop()
    tell(dom, shop)
    assert tell(dom, shop) == {}
    count(dom, "POT", "LAX", on_hand=9)
    count(dom, "MUG", "NYC", delta=0, safety=1)
    assert tell(dom, shop) == {("POT", ""): 9}
    dom.capture(world().order("1", POT=2))
    dom.route()
    assert tell(dom, shop) == {("POT", ""): 7}
    count(dom, "POT", "LAX", blocked=7)
    assert tell(dom, shop) == {("POT", ""): 0}


def test_a_level_that_comes_back_to_what_was_told_is_not_told(dom: Domcore) -> None:
    shop = Shop()
    tell(dom, shop)
    count(dom, "POT", "LAX", delta=1)
    count(dom, "POT", "LAX", delta=-1)
    assert tell(dom, shop) == {}


def test_a_share_is_rounded_down(dom: Domcore) -> None:
    shop = Shop()
    assert tell(dom, shop, share=50) == {("MUG", ""): 3, ("PEN", ""): 0, ("POT", ""): 1}
    assert tell(dom, shop, share=100) == {("MUG", ""): 7, ("POT", ""): 3}
    assert tell(dom, shop, share=0) == {("MUG", ""): 0, ("POT", ""): 0}


def test_levels_by_node(dom: Domcore) -> None:
    shop = Shop()
    assert tell(dom, shop, publish="nodes") == {
        ("MUG", "LAX"): 3, ("MUG", "NYC"): 4, ("POT", "LAX"): 3,
    }  # fmt: skip
    assert tell(dom, shop, publish="nodes", nodes=("NYC",)) == {
        ("MUG", "LAX"): 0, ("POT", "LAX"): 0,
    }  # fmt: skip
    assert tell(dom, shop) == {("MUG", ""): 7, ("PEN", ""): 0, ("POT", ""): 3}
    assert tell(dom, shop) == {}


def test_only_nodes_that_feed_it_count(dom: Domcore) -> None:
    shop = Shop()
    assert tell(dom, shop, nodes=("NYC",)) == {("MUG", ""): 4, ("PEN", ""): 0}
    network = dom.network()
    closed = [evolve(node, enabled=node.id != "NYC") for node in network.nodes]
    dom.load_network(evolve(network, nodes=tuple(closed)))
    assert tell(dom, shop, nodes=("NYC",)) == {("MUG", ""): 0}
    others = [evolve(node, owners=("other",)) for node in network.nodes]
    assert tell(dom, shop) == {("MUG", ""): 3, ("POT", ""): 3}
    dom.load_network(evolve(network, nodes=tuple(others)))
    assert tell(dom, shop) == {("MUG", ""): 0, ("POT", ""): 0}


def test_a_node_that_is_not_there_is_named(dom: Domcore) -> None:
    with pytest.raises(ConfigurationError, match=r"channels\.web\.nodes"):
        tell(dom, Shop(), nodes=("NYC", "NYX"))


def test_goods_of_another_owner_are_not_this_channels(dom: Domcore) -> None:
    shop = Shop()
    dom.store.save_items("other", [Item("MUG")], now=0)
    theirs = StockCount("MUG", "NYC", on_hand=50)
    dom.store.observe_stock(ObserveStock("other", (theirs,)), now=1)
    assert tell(dom, shop)["MUG", ""] == 7
    assert tell(dom, shop, owner="other") == {("MUG", ""): 50, ("POT", ""): 0}


def test_a_failed_call_comes_again_and_what_was_taken_does_not(dom: Domcore) -> None:
    shop = Shop()
    dom.load_items([Item(f"S{number:03}") for number in range(BATCH + 50)])
    shelf = [StockCount(f"S{number:03}", "NYC", on_hand=1) for number in range(BATCH + 50)]
    dom.observe(ObserveStock("main", tuple(shelf)))
    taken = StockPublisher(dom)

    def fail_second(levels: Sequence[StockLevel]) -> None:
        shop.calls.append(tuple(levels))
        if len(shop.calls) == 2:
            raise ConnectorError("the shop is closed", unknown=True)

    faulty = Shop()
    faulty.publish_stock = fail_second  # type: ignore[method-assign]
    with pytest.raises(ConnectorError):
        taken.publish(faulty, WEB)
    first = {each.sku for each in shop.calls[0]}
    assert len(first) == BATCH
    shop.calls.clear()
    again = {sku for sku, _ in tell(dom, shop)}
    assert len(again) == 53
    assert not again & first
    assert tell(dom, shop) == {}


def test_a_crash_after_the_channel_took_them_tells_them_again(dom: Domcore) -> None:
    class Dying:
        """The store of a process that is killed before it can remember."""

        def __init__(self, store: Any) -> None:
            self._store = store

        def __getattr__(self, name: str) -> Any:
            return getattr(self._store, name)

        def publish(self, *told: Any, **more: Any) -> None:
            raise KeyboardInterrupt

    shop, store = Shop(), dom.store
    dom.store = Dying(store)  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        StockPublisher(dom).publish(shop, WEB)
    dom.store = store
    heard = shop.heard()
    assert tell(dom, shop) == heard
    assert tell(dom, shop) == {}
    assert list(dom.verify()) == []


def test_two_who_publish_at_once_end_with_the_right_levels(dom: Domcore) -> None:
    """The second tells a later level while the first is still on its way with an older one."""

    class Slow(Shop):
        busy = False

        def publish_stock(self, levels: Sequence[StockLevel]) -> None:
            if not self.busy:
                self.busy = True
                count(dom, "POT", "LAX", on_hand=1)
                StockPublisher(dom).publish(self, WEB)
            super().publish_stock(levels)

    shop = Slow()
    StockPublisher(dom).publish(shop, WEB)
    assert shop.heard()["POT", ""] == 3
    assert tell(dom, shop)["POT", ""] == 1
    assert tell(dom, shop) == {}


def test_a_change_while_publishing_is_told_the_next_time(dom: Domcore) -> None:
    class Busy(Shop):
        def publish_stock(self, levels: Sequence[StockLevel]) -> None:
            super().publish_stock(levels)
            if len(self.calls) == 1:
                count(dom, "MUG", "NYC", on_hand=50)

    shop = Busy()
    StockPublisher(dom).publish(shop, WEB)
    assert shop.heard()["MUG", ""] == 7
    assert tell(dom, shop) == {("MUG", ""): 52}


def test_a_new_alias_has_the_level_told_under_it(dom: Domcore) -> None:
    shop = Shop()
    tell(dom, shop)
    dom.load_items((), [Alias("web", "pot", "POT")])
    assert tell(dom, shop) == {("POT", ""): 3}
    dom.load_items((), [Alias("web", "pot", "PEN")])
    assert tell(dom, shop) == {("POT", ""): 3, ("PEN", ""): 0}
    dom.load_items((), [Alias("web", "pot", "PEN")])
    assert tell(dom, shop) == {}


def test_a_channel_that_takes_none_or_is_switched_off_is_left_alone(dom: Domcore) -> None:
    assert StockPublisher(dom).publish(Deaf(), WEB) == 0
    assert tell(dom, Shop(), publish="off") == {}


def test_a_round_can_be_short_and_the_next_goes_on(dom: Domcore) -> None:
    shop = Shop()
    dom.load_items([Item(f"S{number:04}") for number in range(1500)])
    shelf = [StockCount(f"S{number:04}", "NYC", on_hand=1) for number in range(1500)]
    dom.observe(ObserveStock("main", tuple(shelf)))
    sent = []
    while levels := StockPublisher(dom).publish(shop, WEB, most=600):
        sent.append(levels)
    assert len(sent) > 1
    assert sum(sent) == 1503
    assert len(shop.heard()) == 1503


def test_people_see_what_a_channel_may_sell_and_was_told(dom: Domcore) -> None:
    shop = Shop()
    tell(dom, shop)
    count(dom, "POT", "LAX", on_hand=9)
    rows = [(each.sku, each.available, each.told) for each in dom.availability("web")]
    assert rows == [("MUG", 7, 7), ("POT", 9, 3), ("PEN", 0, 0)]
    assert [each.sku for each in dom.availability("web", limit=1)] == ["MUG"]
    (first,) = dom.availability("web", limit=1)
    assert [each.sku for each in dom.availability("web", after=first.cursor)] == ["POT", "PEN"]
    assert [each.available for each in dom.availability("web", sku="POT")] == [9]
    assert dom.availability("web", sku="none") == []
    with pytest.raises(NotFound, match="there are: web"):
        dom.availability("ebay")


def test_twenty_thousand_skus_are_told_in_bounded_memory(tmp_path: Path) -> None:
    class Counter(Deaf):
        levels = calls = 0

        def publish_stock(self, levels: Sequence[StockLevel]) -> None:
            assert len(levels) <= BATCH
            self.levels += len(levels)
            self.calls += 1

    made = World().node("NYC", at=(40.71, -74.0))
    settings = Settings(store=str(tmp_path / "dom.db"), channels=(WEB,), synchronous="NORMAL")
    skus = 20_000
    with made.open(settings) as dom:
        dom.load_items(Item(f"S{number:06}") for number in range(skus))
        for start in range(0, skus, 2000):
            some = range(start, start + 2000)
            shelf = tuple(StockCount(f"S{number:06}", "NYC", on_hand=3) for number in some)
            dom.observe(ObserveStock("main", shelf))
        counter = Counter()
        tracemalloc.start()
        assert StockPublisher(dom).publish(counter, WEB) == skus
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 8_000_000
        assert counter.calls == skus // BATCH
        assert StockPublisher(dom).publish(counter, WEB) == 0


MOVES = st.lists(
    st.tuples(
        st.sampled_from(("count", "block", "safety", "share", "node", "alias", "fail", "publish")),
        st.integers(0, 2),
        st.integers(0, 6),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(MOVES)
def test_what_the_channel_holds_is_what_it_may_sell(moves: list[tuple[str, int, int]]) -> None:
    """Whatever happens in between, after one good round the channel has every level right."""
    shop, share = Shop(), 100
    held: dict[tuple[str, str], int] = {}
    with world().open(Settings(store="memory:", channels=(WEB,))) as dom:
        publisher = StockPublisher(dom)
        for move, which, number in [*moves, ("publish", 0, 0)]:
            sku, node = ("MUG", "POT", "PEN")[which], ("LAX", "NYC")[number % 2]
            if move == "count":
                count(dom, sku, node, on_hand=number)
            elif move == "block":
                count(dom, sku, node, blocked=number)
            elif move == "safety":
                count(dom, sku, node, safety=number)
            elif move == "share":
                share = number * 15
            elif move == "node":
                closed = [evolve(each, enabled=each.id != node) for each in dom.network().nodes]
                dom.load_network(evolve(dom.network(), nodes=tuple(closed)))
            elif move == "alias":
                dom.load_items((), [Alias("web", f"x{number % 2}", sku)])
            elif move == "fail":
                shop.failing = 1
            else:
                wanted = evolve(WEB, share=share)
                for _ in range(2):
                    try:
                        publisher.publish(shop, wanted)
                        break
                    except ConnectorError:
                        shop.calls.pop()
                held |= shop.heard()
        dom.settings = evolve(dom.settings, channels=(evolve(WEB, share=share),))
        right = {(each.sku, each.node): each.available for each in dom.availability("web")}
    assert {key: units for key, units in held.items() if units} == {
        key: units for key, units in right.items() if units
    }
