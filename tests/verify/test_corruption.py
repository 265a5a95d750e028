"""Every kind of damage that can be thought of, seeded one at a time: each must be found."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from domcore.sourcing.generation import CURRENT
from domcore.store.audit import columns
from domcore.store.rows import TABLES

Row = dict[str, Any]


class Tamper:
    """Edits the rows of a store behind its back, with all its checks switched off."""

    def __init__(self, shop: Any) -> None:
        self.shop = shop
        self._memory = shop.dom.settings.store == "memory:"

    def rows(self, table: str) -> list[Row]:
        names = columns(table)
        found = self.shop.dom.store.audit(table)
        return [dict(zip(names, row, strict=True)) for row in found]

    def one(self, table: str, **wanted: Any) -> Row:
        for row in self.rows(table):
            if all(row[name] == value for name, value in wanted.items()):
                return row
        raise AssertionError(f"this shop has no {table} with {wanted}")

    def change(self, table: str, row: Row, **changes: Any) -> None:
        self.delete(table, row)
        self.insert(table, {**row, **changes})

    def delete(self, table: str, row: Row) -> None:
        key = {name: row[name] for name in TABLES[table].key}
        if self._memory:
            known = self.shop.dom.store._backend._tables[table]
            del known.rows[tuple(key.values())]
            known._sorted = None
        else:
            tests = " AND ".join(f"{name} IS ?" for name in key)
            self._run(f"DELETE FROM {table} WHERE {tests}", tuple(key.values()))

    def insert(self, table: str, row: Row) -> None:
        values = tuple(row[name] for name in TABLES[table].columns)
        if self._memory:
            known = self.shop.dom.store._backend._tables[table]
            known.rows[tuple(row[name] for name in TABLES[table].key)] = TABLES[table].row(*values)
            known._sorted = None
        else:
            marks = ", ".join("?" * len(values))
            names = ", ".join(TABLES[table].columns)
            self._run(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)

    def _run(self, sql: str, values: tuple[Any, ...]) -> None:
        connection = sqlite3.connect(self.shop.dom.settings.store, isolation_level=None)
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("BEGIN")
        triggers = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(sql, values)
        for _, definition in triggers:
            connection.execute(definition)
        connection.execute("COMMIT")
        connection.close()


Damage = Callable[[Tamper], None]


def _sections() -> Iterator[tuple[str, str, Damage]]:
    """(what must be found, what was done, how)"""

    def change(table: str, values: Row, **wanted: Any) -> Damage:
        def damage(tamper: Tamper) -> None:
            row = tamper.one(table, **wanted)
            new = {
                name: value(row[name]) if callable(value) else value
                for name, value in values.items()
            }
            assert new.items() - row.items(), "nothing would change"
            tamper.change(table, row, **new)

        return damage

    def delete(table: str, **wanted: Any) -> Damage:
        return lambda tamper: tamper.delete(table, tamper.one(table, **wanted))

    def copy(table: str, values: Row, **wanted: Any) -> Damage:
        def damage(tamper: Tamper) -> None:
            row = tamper.one(table, **wanted)
            key = TABLES[table].key[0]
            number = {key: len(tamper.rows(table)) + 1} if TABLES[table].numbered else {}
            tamper.insert(table, {**row, **number, **values})

        return damage

    def insert(table: str, **values: Any) -> Damage:
        return lambda tamper: tamper.insert(table, values)

    def more(amount: int = 1) -> Callable[[int], int]:
        return lambda value: value + amount

    def swap(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
        return lambda value: value.replace(old, new, 1)

    busy = {"order_id": 5}
    held = {"order_id": 3}

    yield "I5", "a package is lost", delete("package")
    yield "I5", "a package that nobody told of", copy("package", {"name": "other"})
    yield "I8", "a package of no work", copy("package", {"node_id": 99})
    other = swap(b'"id":"box-5"', b'"id":"box-6"')
    yield "reference", "a package's body is another's", change("package", {"body": other})
    yield "format", "a package cannot be read", change("package", {"body": b"[]"})
    yield "events", "a node is barred for nothing", copy("line_exclusion", {"node_id": 1})
    yield "events", "a rejection changes its reason", change("line_exclusion", {"reason": "other"})
    yield "I9", "a node that rejected is asked again", delete("line_exclusion")
    yield "reference", "a node is barred from no line", change("line_exclusion", {"line_no": 9})
    yield "reference", "a node is barred from no item", change("item_exclusion", {"item_id": 99})
    yield "I9", "an item is barred for no reason", change("item_exclusion", {"reason": "bored"})
    left = swap(b'"shipped",1]', b'"shipped",2]')
    told = {"kind": "fulfillment.shipped"}
    yield "events", "news moved more than has left", change("event", {"body": left}, **told)
    worse = swap(b'"whole":false', b'"whole":false,"reason":7')
    yield "format", "news cannot be read", change("event", {"body": worse}, **told)
    yield "I7", "a node is asked to stop twice", copy("outbox", {}, topic="cancel")
    yield "I6", "what others have sent is forgotten", delete("elsewhere")
    yield "I6", "others have sent more", change("elsewhere_line", {"units": more()})
    yield "I6", "others have sent it, and it still waits", delete("elsewhere_line")
    yield "I6", "others sent it at another time", change("elsewhere_line", {"at": more()})
    yield "I6", "others sent it from elsewhere", change("elsewhere_line", {"node_id": 2})
    yield "format", "a shipment cannot be read", change("elsewhere", {"lines": b"["})
    yield "format", "a shipment of less than nothing", change("elsewhere", {"lines": b'[["1",-1]]'})
    yield "format", "a shipment that was never told", change("elsewhere", {"revision": -1})
    yield "reference", "a shipment from no node", change("elsewhere", {"node_id": 99})
    yield "reference", "a shipment of no owner's", change("elsewhere", {"owner_id": 99})
    of_line, of_place = {"subject": "line:1"}, {"subject": "destination"}
    yield "I9", "a person wants another number", change("correction", {"said": b"77"}, **of_line)
    yield "I9", "a correction is of no line", change("correction", {"subject": "line:x"}, **of_line)
    yield "I9", "a correction says what was told", change(
        "correction", {"told": b"1", "said": b"1"}, **of_line
    )  # fmt: skip
    yield "I9", "an order goes elsewhere than was said", change(
        "correction", {"said": swap(b"1000", b"2000")}, **of_place
    )  # fmt: skip
    yield "format", "a correction is garbage", change("correction", {"told": b"["}, **of_line)
    yield "I9", "a correction is nobody's", change("correction", {"by": "a\nb"}, **of_line)
    yield "I5", "a correction of no order", change("correction", {"order_id": 9999}, **of_line)
    by_hand = {"reason": "chosen"}
    yield (
        "events",
        "nobody has chosen the node",
        change("line_exclusion", {"at": more()}, **by_hand),  # fmt: skip,
    )
    yield "events", "a line moved away by nobody", change(
        "line_exclusion", {"reason": "moved"}, **by_hand
    )  # fmt: skip
    yield "format", "a move that cannot be read", change(
        "event", {"body": swap(b'"node"', b'"knot"')}, kind="work.moved"
    )  # fmt: skip
    waits = {"settled": "", "external_id": "50", "kind": "authorize"}
    yield "I9", "a return is carried out, and waits", change(
        "kept_return", {"settled": "", "settled_at": None}, settled="applied", kind="authorize"
    )  # fmt: skip
    yield "I9", "a return was carried out that is not there", change(
        "kept_return", {"settled": "applied", "settled_at": 1}, **waits
    )  # fmt: skip
    yield "format", "a kept return is of another order", change(
        "kept_return", {"external_id": "11"}, **waits
    )  # fmt: skip
    yield "I9", "a return waits, and is settled", change("kept_return", {"settled_at": 1}, **waits)
    yield "I9", "a return is settled by no known word", change(
        "kept_return", {"settled": "lost"}, **waits
    )  # fmt: skip
    yield "format", "a kept return is garbage", change("kept_return", {"body": b"["}, **waits)
    yield "format", "a kept return names other units", change(
        "kept_return", {"body": swap(b'["1",1]', b'["1",2]')}, **waits
    )  # fmt: skip
    yield "format", "a kept return is no command", change("kept_return", {"kind": "ask"}, **waits)
    yield "reference", "a kept return is nobody's", change("kept_return", {"owner_id": 99}, **waits)
    yield "I1", "others took goods off by a decision", change(
        "ledger", {"sequence": 1}, kind="elsewhere"
    )  # fmt: skip
    yield "I1", "others took nothing off", change("ledger", {"on_hand": 0}, kind="elsewhere")
    yield "I1", "what a count found missing is forgotten", delete("shortfall")
    yield "I1", "more is missing than was ever found", change("shortfall", {"missing": more()})
    yield "I1", "units are unfit that nobody called so", change("shortfall", {"unfit": 1})
    yield "I1", "a shortfall of nothing known", copy("shortfall", {"item_id": 99})
    yield "I2", "more is for sale than was counted and has come since", sell_what_is_missing
    yield "I1", "goods appear on a shelf", change("stock", {"on_hand": more(5)})
    yield "I1", "goods vanish from a shelf", change("stock", {"on_hand": more(-1)}, reserved=0)
    yield "I1", "blocked units appear", change("stock", {"blocked": 1}, reserved=0)
    yield "I1", "safety stock is edited", change("stock", {"safety": more()})
    yield "I1", "a ledger entry is edited", change("ledger", {"on_hand": more()}, kind="count")
    yield "I1", "a ledger entry is deleted", delete("ledger", kind="count")
    yield "I1", "a balance is deleted", delete("stock", reserved=0)
    yield "I1", "an entry is of no known kind", change("ledger", {"kind": "magic"}, kind="delta")
    yield "I1", "a count moves for an order", change("ledger", {"order_id": 1}, kind="count")
    yield "I1", "a reservation moves goods", change("ledger", {"on_hand": -1}, kind="reserve")
    yield "I1", "an entry lost its order", change("ledger", {"order_id": None}, kind="reserve")
    yield "I2", "less than nothing is reserved", change("stock", {"reserved": -1}, reserved=0)
    yield "I2", "more is reserved than is there", change("stock", {"reserved": 99})
    yield "I2", "less than nothing is blocked", change("stock", {"blocked": -2})
    yield "I2", "a shelf holds too much", change("stock", {"on_hand": 2_000_000_000})
    yield "I2", "blocked overlaps reserved", change("stock", {"blocked": more(99)})
    yield "I3", "one unit more is reserved", change("stock", {"reserved": more()}, reserved=0)
    yield "I3", "one unit less is reserved", change("stock", {"reserved": 0}, reserved=3)
    yield "I3", "a reservation is deleted", delete("reservation", **held)
    yield "I3", "a reservation grows", change("reservation", {"quantity": more()}, **held)
    yield "I3", "a reservation is freed in name only", change("reservation", {"state": 2}, **held)
    yield "I4", "a reservation is freed in name only", change("reservation", {"state": 2}, **held)
    yield "I4", "a freed unit counts as expired", change("reservation", {"state": 3}, state=2)
    yield "I4", "a freed unit is reserved again", change("reservation", {"state": 0}, state=2)
    yield "I4", "a reservation changes its node", change("reservation", {"node_id": 3}, **held)
    yield "I4", "a part of a reservation is lost", change("reservation", {"part": 5}, **held)
    yield "I4", "a reservation is in no known state", change("reservation", {"state": 7}, **held)
    yield "I4", "one resolution is entered twice", copy("ledger", {}, kind="free")
    yield "I4", "a decision is gone", delete("decision", **busy)
    yield "I4", "the record drew from elsewhere", change(
        "decision", {"record": swap(b'"take":[[1,', b'"take":[[2,')}, **busy
    )  # fmt: skip
    yield "I5", "an order lost its body", delete("order_body", **busy)
    yield "I5", "an order lost its state", delete("order_state", **busy)
    yield "I5", "an order is deleted", delete("orders", id=5)
    yield "I5", "a key captured nothing", change("inbox", {"order_id": None}, outcome="captured")
    yield "I5", "a key names an order that is not there", change(
        "inbox", {"order_id": 999}, outcome="captured"
    )  # fmt: skip
    yield "I6", "buckets do not add up", change("order_line", {"open": more()}, **busy)
    yield "I6", "an open unit counts as allocated", change(
        "order_line", {"open": more(-1), "allocated": more()}, order_id=1, line_no=1
    )  # fmt: skip
    yield "I6", "a unit is ordered that nobody ordered", change(
        "order_line", {"open": more(), "ordered": more()}, **busy
    )  # fmt: skip
    yield "I6", "a unit counts as shipped", change(
        "order_line", {"allocated": more(-1), "shipped": more()}, order_id=3, line_no=0
    )  # fmt: skip
    yield "I6", "a line is deleted", delete("order_line", **busy)
    yield "I6", "a line wants another item", change("order_line", {"item_id": 2}, **busy)
    yield "I6", "a cancelled order wants goods again", change(
        "order_line", {"open": 4, "allocated": 0}, order_id=4, line_no=0
    )  # fmt: skip
    yield "I7", "nobody will tell the node", delete("outbox", topic="release", order_id=1)
    yield "I7", "the node is told twice", copy("outbox", {}, topic="release", order_id=1)
    yield "I7", "nobody will ask the node to stop", delete("outbox", topic="cancel")
    yield "I7", "a node is told while the order is on hold", copy(
        "outbox", {"order_id": 3, "node_id": 1, "attempts": 0}, topic="release"
    )  # fmt: skip
    yield "I7", "a node without a connector is told", copy(
        "outbox", {"order_id": 8, "node_id": 3}, topic="release"
    )  # fmt: skip
    yield "I7", "work was handed over that nobody spoke of", change(
        "fulfillment_order", {"handed_over": 1}, order_id=1, sequence=2
    )  # fmt: skip
    yield "I7", "a word was given that was never tried", change(
        "outbox", {"done_at": 1}, order_id=1
    )  # fmt: skip
    yield "I7", "a word is about nothing known", change("outbox", {"topic": "gossip"}, order_id=1)
    yield "I8", "reservations without work", delete("fulfillment_order", **held)
    yield "I8", "work without reservations", copy("fulfillment_order", {"node_id": 3}, **held)
    yield "I8", "work is cancelled, stock is not", change(
        "fulfillment_order", {"status": "cancelled"}, order_id=1, sequence=2
    )  # fmt: skip
    yield "I8", "a cancelled order keeps its stock", change("order_state", {"cancelled": 1}, **held)
    yield "I8", "routed stock would expire", change("reservation", {"expires_at": 1}, **busy)
    yield "I8", "reserved stock would never expire", change(
        "reservation", {"expires_at": None}, order_id=6
    )  # fmt: skip
    yield "I9", "a version is lost", change("order_state", {"version": more(-1)}, **busy)
    yield "I9", "a version is invented", change("order_state", {"version": more(9)}, **busy)
    yield "I9", "a decision is not counted", change("order_state", {"sequence": 0}, **busy)
    yield "I9", "a decision is missing", delete("decision", order_id=1, sequence=1)
    yield "I9", "a hold is lifted by nobody", change("order_state", {"hold": 0}, order_id=2)
    yield "I9", "an order is held for no reason", change("order_state", {"hold": 1}, **busy)
    yield "I9", "a hold is deleted", delete("hold", order_id=2)
    yield "I9", "a hold is half approved", change("hold", {"approved_at": 1}, order_id=2)
    yield "I9", "a hold is at no known stage", change("hold", {"stage": "later"}, order_id=2)
    yield "I9", "a held order queues", change("order_state", {"retry_at": 1}, order_id=2)
    yield "I9", "an order fell out of the queue", change(
        "order_state", {"retry_at": None}, sequence=0, cancelled=0
    )  # fmt: skip
    yield "I9", "a finished order queues", change("order_state", {"retry_at": 1}, **busy)
    yield "I9", "work is in no known status", change(
        "fulfillment_order", {"status": "lost"}, **busy
    )  # fmt: skip
    yield "I9", "state and body are of two revisions", change(
        "order_state", {"revision": 7}, order_id=9
    )  # fmt: skip
    yield "I9", "an order lives that was cancelled before it came", change(
        "tombstone", {"external_id": "5"}
    )  # fmt: skip
    yield "waiting", "an order lost its place in line", delete("waiting", order_id=2)
    yield "waiting", "an order waits for more than is open", change(
        "waiting", {"units": more()}, order_id=2
    )  # fmt: skip
    yield "waiting", "an order goes before its turn", change(
        "waiting", {"placed_at": more(-1)}, order_id=2
    )  # fmt: skip
    yield "waiting", "a held order stands in line", change("waiting", {"stage": 1}, order_id=2)
    yield "waiting", "an order waits for what it has", copy("waiting", {"order_id": 5}, order_id=2)
    yield "waiting", "an order waits for another item", change(
        "waiting", {"item_id": 99}, order_id=2
    )  # fmt: skip
    yield "reference", "what may be sold of nothing", change("offer", {"item_id": 99})
    yield "cursor", "a channel was told more than has changed", insert(
        "cursor", consumer="publish-offers:web", seq=10**6
    )  # fmt: skip
    yield "I5", "nobody waits", copy("waiting", {"order_id": 999}, order_id=2)
    yield "I10", "two orders are the same", change("orders", {"external_id": "2"}, id=5)
    yield (
        "I10",
        "one order was captured under two keys",
        copy("inbox", {"key": "other"}, order_id=2),
    )
    yield "I10", "what came under a key is forgotten", change("inbox", {"digest": b""}, order_id=2)
    yield "I10", "a key has an unknown result", change("inbox", {"outcome": "maybe"}, order_id=2)
    yield "I10", "a revision's content is forgotten", change("order_body", {"digest": b"x"}, **busy)
    yield "decision", "a record is another order's", change(
        "decision", {"record": swap(b'"web","5"', b'"web","6"')}, **busy
    )  # fmt: skip
    yield "decision", "a record is of no kept revision", change(
        "decision", {"record": swap(b'"revision":1', b'"revision":8')}, **busy
    )  # fmt: skip
    yield "decision", "the network it was made with is gone", delete("blob", kind="network")
    yield "decision", "the program it was made with is gone", delete("blob", kind="program")
    yield "decision", "a decision is antedated", change("decision", {"at": 1}, **busy)
    yield "decision", "a decision changes its purpose", change(
        "decision", {"purpose": "reserve"}, **busy
    )  # fmt: skip
    yield "blob", "a program is edited", change(
        "blob", {"body": swap(b'"facts":[]', b'"facts":[ ]')}, kind="program"
    )  # fmt: skip
    yield "network", "the present network is gone", delete("blob", kind="network")
    yield "network", "a node is unknown", delete("node", code="NYC")
    yield "network", "a node is called otherwise", change("node", {"code": "BOS"}, code="NYC")
    yield "network", "two nodes have one name", change("node", {"code": "ATL"}, code="NYC")
    for table, wanted in (
        ("item", {}), ("order_body", busy), ("order_revision", {}), ("decision", busy),
        ("event", busy), ("blob", {"kind": "network"}), ("blob", {"kind": "program"}),
    ):  # fmt: skip
        body, ours = ("record", b'"format":2') if table == "decision" else ("body", b'"format":1')
        damage = change(table, {body: swap(ours, b'"format":9')}, **wanted)
        yield "format", f"{table} {wanted} is of another format", damage
    ours = b'"python",%d,%d]' % CURRENT
    for what, said in (
        ("a planner that is still to come", b'"python",99,1]'),
        ("facts that are still to come", b'"python",1,99]'),
        ("no planner", b'"python",0,1]'),
        ("a planner without facts", b'"python",1]'),
        ("nobody", b'"python"]'),
    ):
        yield "format", f"a decision was made by {what}", change(
            "decision", {"record": swap(ours, said)}, **busy
        )  # fmt: skip
        yield "format", f"{table} {wanted} is garbage", change(table, {body: b"\x00"}, **wanted)
    yield "reference", "stock of an unknown item", delete("item", sku="MUG")
    yield "reference", "an item of an unknown owner", change("item", {"owner_id": 9}, sku="MUG")
    yield "reference", "an item under another SKU", change("item", {"sku": "CUP"}, sku="MUG")
    yield "reference", "an order of an unknown owner", change("orders", {"owner_id": 9}, id=5)
    yield (
        "reference",
        "a key of an unknown owner",
        change("inbox", {"owner_id": 9}, outcome="captured"),
    )
    yield "reference", "an alias of nothing", change("alias", {"item_id": 99})
    yield "reference", "an order has another's body", change("orders", {"number": "#77"}, id=5)
    yield "events", "nobody can have caused it", change("event", {"by": "a\nb"})
    yield "events", "an event is deleted", delete("event", kind="order.amended")
    yield "events", "a routed order never told so", delete("event", kind="order.routed", **busy)
    yield "events", "an event is told twice", copy("event", {}, kind="order.routed", **busy)
    yield "events", "an event is of no known kind", change("event", {"kind": "order.lost"}, **busy)
    yield (
        "events",
        "an event lost its order",
        change("event", {"order_id": None}, kind="order.routed"),
    )
    yield "events", "a cancellation is told of a live order", copy(
        "event", {"order_id": 5}, kind="order.cancelled"
    )  # fmt: skip
    yield "events", "decisions are told in another order", change(
        "event", {"body": swap(b'"decision":1', b'"decision":2')}, **busy, kind="order.routed"
    )  # fmt: skip

    def straggler(**values: Any) -> Damage:
        row = {
            "consumer": "mail", "seq": 1, "order_id": 1, "due_at": 5, "attempts": 1,
            "parked_at": None, "note": "",
        }  # fmt: skip

        def damage(tamper: Tamper) -> None:
            tamper.insert("cursor", {"consumer": "mail", "seq": 5})
            tamper.insert("straggler", {**row, "order_id": order_of_event(tamper), **values})

        return damage

    def order_of_event(tamper: Tamper) -> Any:
        return tamper.one("event", seq=1)["order_id"]

    def task(**values: Any) -> Damage:
        row = {
            "name": "poll:x", "due_at": 1, "attempts": 0, "cursor": "", "well_at": None, "note": "",
            "failed_at": None,
        }  # fmt: skip
        return lambda tamper: tamper.insert("task", {**row, **values})

    yield "I7", "a doubt without a call", change("outbox", {"unknown": 1}, topic="release")
    yield "I7", "a doubt about a wish to stop", change(
        "outbox", {"unknown": 1, "called_at": 5}, topic="cancel"
    )  # fmt: skip
    yield "I7", "a release is in no known doubt", change(
        "outbox", {"unknown": 2, "called_at": 5}, topic="release"
    )  # fmt: skip
    yield "I7", "an entry is parked and due", change(
        "outbox", {"parked_at": 5}, done_at=None
    )  # fmt: skip
    yield "I7", "an entry is lost for good", change(
        "outbox", {"due_at": 2**62}, done_at=None
    )  # fmt: skip
    yield "cursor", "a straggler of an event to come", straggler(seq=9999)
    yield "cursor", "a straggler after its cursor", straggler(seq=7)
    yield "reference", "a straggler of another order", straggler(order_id=77)
    yield "cursor", "a parked straggler is due", straggler(parked_at=5)
    yield "cursor", "a straggler is lost for good", straggler(due_at=2**62)
    yield "cursor", "a straggler was parked untried", straggler(
        attempts=0, parked_at=5, due_at=2**62
    )  # fmt: skip
    yield "cursor", "a task of no known kind", task(name="dance")
    yield "cursor", "a task with less than no attempts", task(attempts=-1)
    yield "cursor", "a task that was well before time began", task(well_at=-1)
    yield "cursor", "a task failed that was never attempted", task(failed_at=1)
    yield "cursor", "a consumer has seen the future", change("cursor", {"seq": 9999})
    yield (
        "personal-data",
        "a person without an order",
        copy("person", {"order_id": 999, "body": b"{}", "told": b""}),
    )
    for table, body in (("event", "body"), ("decision", "record"), ("order_body", "body")):
        leak = change(table, {body: lambda text: text[:-1] + b',"email":"a@b.c"}'}, **busy)
        yield "personal-data", f"an e-mail address in {table}", leak

    yield "I3", "stock is reserved where there is no balance", delete("stock", reserved=3)
    yield "I8", "an order held before anything is reserved has stock", change(
        "decision", {"record": lambda text: text.replace(b'"release"]', b'"route"]')}, **held
    )  # fmt: skip
    yield "I7", "somebody is told of work that is not there", copy(
        "outbox", {"sequence": 9}, topic="release"
    )  # fmt: skip
    yield "I9", "work waits, and its hold is gone", change("order_state", {"hold": 0}, **held)
    yield "I9", "a revision was replaced by an older one", change("order_revision", {"revision": 9})
    yield "I9", "a hold is of a revision to come", change("hold", {"revision": 5}, order_id=2)
    yield "I6", "a line wants what nobody ordered", change("order_line", {"wanted": 9}, **held)
    yield "I6", "a unit is shipped and reserved", change(
        "order_line", {"ordered": more(), "shipped": more()}, **held
    )  # fmt: skip
    yield "I6", "units of a cancelled order are open", change(
        "order_line", {"ordered": more(), "open": more()}, order_id=4, line_no=0
    )  # fmt: skip
    yield "network", "there are two networks", copy("network", {"id": 2})
    yield "decision", "a node is drawn from that does not exist", change(
        "decision", {"record": swap(b'"take":[[1,', b'"take":[[7,')}, **busy
    )  # fmt: skip
    yield "reference", "an amendment of an unknown owner", change("amendment", {"owner_id": 9})
    yield "reference", "a hold of an unknown owner", change("asked_hold", {"owner_id": 9})
    yield "I9", "a hold in no known state", change("asked_hold", {"state": 7})
    yield "I9", "a hold that stands is forgotten", change(
        "asked_hold", {"state": 0, "whole": 0, "stage": "release", "reason": ""}, state=1,
        external_id="61",
    )  # fmt: skip
    yield "I9", "a hold that is over stands", change("asked_hold", {"state": 1}, state=0)
    yield (
        "I9",
        "another reason was asked for",
        change("asked_hold", {"reason": "other"}, external_id="61", state=1),
    )
    yield (
        "I9",
        "another stage was asked for",
        change("asked_hold", {"stage": "route"}, external_id="61", state=1),
    )
    yield "format", "a hold without a code", change("asked_hold", {"code": ""})
    yield "format", "a hold of no revision", change("asked_hold", {"revision": -1})
    yield "I9", "an amendment was never taken off", change(
        "amendment", {"revision": 99}, external_id="10"
    )  # fmt: skip
    for name, value in (("body", b"\x00"), ("body", b'[["1",-1]]'), ("name", ""), ("revision", -1)):
        damage = change("amendment", {name: value}, external_id="10")
        yield "format", f"an amendment has the {name} {value!r}", damage
    yield "I9", "a revision is heard of that is not there", change(
        "order_body", {"heard": 99}, **busy
    )  # fmt: skip
    yield "I8", "kept stock would expire", change("reservation", {"expires_at": 1}, order_id=13)
    yield "I8", "stock is kept that nobody kept", delete("event", kind="order.kept")
    yield "I9", "a cancelled order is a cart", change(
        "order_state", {"retry_at": 2**62}, order_id=4
    )  # fmt: skip
    yield "reference", "a tombstone of an unknown owner", change("tombstone", {"owner_id": 9})
    yield "reference", "a return goes nowhere", change("return_order", {"node_id": 9})
    yield "I10", "what a return was is forgotten", change("return_order", {"digest": b""})
    yield "I9", "a return was closed before it began", change("return_order", {"closed_at": 1})
    yield "events", "a return that nobody authorized", delete("event", kind="return.authorized")
    yield "I5", "a return without lines", delete("return_line", return_id=2)
    yield "I5", "lines of a return that is not there", delete("return_order", id=1)
    yield "I6", "more has arrived than was sent", change("return_line", {"written_off": 9})
    yield "I6", "more comes back than has shipped", change(
        "return_line", {"units": 99}, return_id=2
    )  # fmt: skip
    yield "I1", "the ledger brought back what never came", change("return_line", {"blocked": 0})
    yield "events", "a return claims what never came", change(
        "return_line", {"restocked": more()}, return_id=2
    )  # fmt: skip
    yield "events", "more may come back than was authorized", change(
        "return_line", {"units": more()}, return_id=2
    )  # fmt: skip
    yield "events", "what came back was scrap, not whole", change(
        "return_line", {"restocked": 0, "written_off": 1}, return_id=1
    )  # fmt: skip
    yield "reference", "a return of an unknown item", change("return_line", {"item_id": 99})
    yield "I6", "nobody waits for an item that is not known", delete("awaited_item")
    yield "I6", "it is waited for under another name", change("awaited_item", {"name": "MUG"})
    yield "I6", "an item is waited for that is known", insert(
        "awaited_item", order_id=1, line_no=0, name="MUG"
    )  # fmt: skip
    yield "I6", "a line waits for another's item", change("awaited_item", {"line_no": more()})
    yield "I5", "an order waits that is not there", change("awaited_item", {"order_id": more(900)})

    def kept(**values: Any) -> Damage:
        row: Row = {"consumer": "receive:web", "seq": 9001, "external_id": "1", "number": "#1"}
        row |= {"revision": 1, "digest": b"d" * 32, "headers": b"{}", "body": b""}
        return insert("unread", **(row | values))

    yield "reference", "a delivery is kept and nobody is shown it", kept()
    yield "cursor", "a delivery came by no way there is", kept(consumer="fax:web")
    yield "I10", "what came is not known", kept(digest=b"")
    yield "I10", "it came before there was anything", kept(revision=-1)
    yield "format", "its order has no name that is kept", kept(number="x" * 400)
    yield "published", "less than nothing was told", insert(
        "published", channel="web", item_id=1, node_id=0, quantity=-1
    )  # fmt: skip
    yield "reference", "a channel was told of an item that is not there", insert(
        "published", channel="web", item_id=99, node_id=0, quantity=1
    )  # fmt: skip
    yield "reference", "a channel was told of a node that is not there", insert(
        "published", channel="web", item_id=1, node_id=99, quantity=1
    )  # fmt: skip
    yield "cover", "a balance is noted as steady", insert(
        "cover", item_id=1, node_id=1, state="steady", since=1
    )  # fmt: skip
    yield "reference", "cover of an item that is not there", insert(
        "cover", item_id=99, node_id=1, state="low", since=1
    )  # fmt: skip
    yield "cursor", "a channel was told of movements to come", insert(
        "cursor", consumer="publish:web", seq=9999
    )  # fmt: skip
    yield "blob", "a pack is lost", change(
        "blob", {"body": swap(b'"active":[]', b'"active":[{"pack":"0"}]')}, kind="program"
    )  # fmt: skip


def sell_what_is_missing(tamper: Tamper) -> None:
    """Books that are above the shelf by a unit that nobody is promised, and add up otherwise."""
    row = next(row for row in tamper.rows("stock") if row["on_hand"] > row["reserved"])
    key = {"item_id": row["item_id"], "node_id": row["node_id"]}
    entry = {**tamper.one("ledger", kind="shortfall"), **key, "on_hand": 1, "blocked": 0}
    tamper.insert("ledger", {**entry, "seq": len(tamper.rows("ledger")) + 1})
    tamper.insert("shortfall", {**key, "missing": 1, "unfit": 0})
    tamper.change("stock", row, on_hand=row["on_hand"] + 1)


DAMAGES = tuple(_sections())


@pytest.mark.parametrize(
    ("expected", "damage"),
    [pytest.param(found, how, id=f"{found}: {what}") for found, what, how in DAMAGES],
)
def test_every_damage_is_found(expected: str, damage: Damage, busy: Any) -> None:
    try:
        damage(Tamper(busy))
    except sqlite3.IntegrityError:
        pytest.skip("two rows with one key cannot be written into a SQLite file at all")
    found = list(busy.dom.verify())
    assert expected in {violation.invariant for violation in found}, [str(v) for v in found]
    assert all(violation.message and violation.fix for violation in found)


def test_there_are_many_kinds_of_damage() -> None:
    assert len(DAMAGES) >= 100
    assert {found for found, _, _ in DAMAGES} >= {f"I{number}" for number in range(1, 11)}


def test_nothing_is_changed_by_looking(busy: Any) -> None:
    tamper = Tamper(busy)
    DAMAGES[0][2](tamper)
    before = {table: tamper.rows(table) for table in TABLES}
    assert list(busy.dom.verify()) == list(busy.dom.verify()) != []
    assert {table: tamper.rows(table) for table in TABLES} == before
