"""Promises about text: what cannot be stored is refused in every field of every command."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from attrs import evolve, fields, has

from domcore.codec.text import HALF, NUL
from domcore.errors import PayloadError
from domcore.model import (
    AmendOrder,
    ApproveOrder,
    AuthorizeReturn,
    CancelOrder,
    CaptureOrder,
    Destination,
    Hold,
    HoldOrder,
    Notice,
    ObserveStock,
    Package,
    Person,
    ReceiveReturn,
    ShippedElsewhere,
    StockCount,
)
from domcore.store.rows import TABLES
from domcore.testing.store_suite.kit import NOW, START, KitSuite, StoreKit, order_of

WORK: Final = "1-1-east"
FAULTS: Final = {"a\0b": NUL, "a\ud800": HALF}

PERSON: Final = Person(name="Ada", street=("1 Old St",))
ORDER: Final = evolve(
    order_of("2", bolt=1),
    tags=("gift",),
    attributes=(("wrap", "red"),),
    customer_tier="gold",
    destination=Destination("DE", "BE", "10"),
)
LINES: Final = (("L-bolt", 1),)
TAKEN: Final = (("L-bolt", 1, "sellable"),)
COMMANDS: Final[tuple[tuple[str, Any], ...]] = (
    ("capture", CaptureOrder(ORDER, person=PERSON, key="k1", holds=(Hold("unpaid", "waits"),))),
    ("amend", AmendOrder("main", "web", "1", "edit", 5, LINES, reason="fewer", key="k2")),
    ("cancel", CancelOrder("main", "web", "1", 5, reason="changed", key="k3")),
    ("hold", HoldOrder("main", "web", "1", 5, "fraud", "looks odd", key="k4")),
    ("hold", ApproveOrder("main", "web", "1", 5, "fraud", "was checked", key="k5")),
    ("ship_elsewhere", ShippedElsewhere("main", "web", "1", "there", 5, START, LINES, key="k6")),
    (
        "record",
        Notice(WORK, "shipped", START, (), (Package("box", LINES, "UPS", "1Z"),), key="k7"),
    ),
    ("record", Notice(WORK, "rejected", START, LINES, reason="other", detail="torn", key="k8")),
    ("authorize_return", AuthorizeReturn("main", "web", "1", "back", LINES, "east", key="k9")),
    ("receive_return", ReceiveReturn("main", "web", "1", "first", TAKEN, at=START, key="k10")),
    ("observe_stock", ObserveStock("main", (StockCount("bolt", "east", on_hand=5),), "k0", "web")),
)


def spoiled(value: Any, text: str) -> Iterator[Any]:
    """The value with each text in it, in turn, replaced."""
    if isinstance(value, str):
        yield text
    elif isinstance(value, tuple):
        for at, part in enumerate(value):
            yield from ((*value[:at], other, *value[at + 1 :]) for other in spoiled(part, text))
    elif has(type(value)):
        for each in fields(type(value)):
            before = getattr(value, each.name)
            yield from (evolve(value, **{each.name: other}) for other in spoiled(before, text))


class TextPromises(KitSuite):
    """Part of `StoreSuite`."""

    def test_text_that_cannot_be_stored_is_refused_wherever_it_stands(self) -> None:
        with self.kit() as kit:
            self._with_a_return(kit)
            before = {table: list(kit.store.audit(table)) for table in TABLES}
            for verb, command in COMMANDS:
                for text in FAULTS:
                    for told in spoiled(command, text):
                        self._refused(kit, verb, told)
            assert before == {table: list(kit.store.audit(table)) for table in TABLES}
            # The commands themselves are sound: an order that is cancelled comes last.
            for verb, command in sorted(COMMANDS, key=lambda pair: pair[0] == "cancel"):
                getattr(kit.store, verb)(*self._given(verb, command), now=NOW + 10)

    def _given(self, verb: str, command: Any) -> list[Any]:
        return [[command]] if verb == "capture" else [command]

    def _with_a_return(self, kit: StoreKit) -> None:
        """An order some of which has left, and a return of it."""
        kit.count("bolt", "east", 100)
        kit.route(kit.take_in(order_of(bolt=10)), "east")
        kit.hear(WORK, "shipped", ("L-bolt", 4))
        command = AuthorizeReturn("main", "web", "1", "first", LINES, "east")
        kit.store.authorize_return(command, now=NOW)

    def _refused(self, kit: StoreKit, verb: str, command: Any) -> None:
        try:
            getattr(kit.store, verb)(*self._given(verb, command), now=NOW + 10)
        except PayloadError:
            return
        raise AssertionError(f"{verb} has taken in {command!a}")
