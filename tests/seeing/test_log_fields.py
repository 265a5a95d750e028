"""Every log record says what it is in fields that stay, and none of them names a person."""

from __future__ import annotations

import ast
import logging
import re
from pathlib import Path

import pytest

from domcore import ConnectorError, PayloadError, Settings, hookimpl
from domcore.model import Order, OrderLine, Person
from domcore.settings import ChannelSettings, ConnectorSettings
from domcore.testing.builder import NEW_YORK, START, World

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "domcore"
LEVELS = ("debug", "info", "warning", "error", "exception", "critical")
LOGGERS = ("_log", "_events", "logger", "_logger", "log")


def documented() -> set[str]:
    """The fields of the table in docs/operations.md."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    table = page.split("## Log fields")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))


def calls() -> list[tuple[str, ast.Call, ast.AST]]:
    """Every call of a logger: its place, and the function it stands in."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef):
                continue
            found += [
                (f"{path.relative_to(SOURCE)}:{node.lineno}", node, function)
                for node in ast.walk(function)
                if isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in LEVELS
                and getattr(node.func.value, "id", "") in LOGGERS
            ]
    return found


def fields_of(call: ast.Call, function: ast.AST) -> set[str]:
    """The names given as `extra`, there or in the variable that is handed over."""
    extra = next((each.value for each in call.keywords if each.arg == "extra"), None)
    if isinstance(extra, ast.Name):
        wanted = extra.id
        extra = next(
            node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == wanted
        )
    return {key.value for key in extra.keys} if isinstance(extra, ast.Dict) else set()  # type: ignore[attr-defined]


def test_there_are_records_to_look_at():
    assert len(calls()) >= 5


@pytest.mark.parametrize(("place", "call", "function"), calls(), ids=[c[0] for c in calls()])
def test_every_record_says_what_happened_in_documented_fields(place, call, function):
    fields = fields_of(call, function)
    assert "event" in fields
    assert fields <= documented()


CANARIES = ("Zebediah", "zeb@canary.example", "+1-555-0199", "13 Canary Row", "s3cr3t-canary")


class Leaky:
    """A channel, a connector and a plugin that fail while they know everything."""

    name = "deaf"

    @hookimpl
    def register_channels(self):
        return [Quoting()]

    @hookimpl
    def register_connectors(self):
        return [self]

    @hookimpl
    def handle_event(self, event, dom):
        dom.order(str(event.order_id)).person.email.index("no such thing")

    def release(self, handover):
        assert handover.person.name == CANARIES[0]
        raise ConnectorError("HTTP 500", unknown=True)

    def cancel(self, handover):
        raise ConnectorError("HTTP 500")

    def reconcile(self, handover):
        raise ConnectorError("HTTP 500")


class Quoting:
    name = "web"

    def receive(self, envelope):
        raise PayloadError("this cannot be read", [])


def test_nothing_logged_names_a_person_or_a_secret(caplog):
    caplog.set_level(logging.DEBUG)
    world = World().node("NYC", at=(40.7, -74.0), connector="deaf").item("MUG").stock("MUG", NYC=9)
    settings = Settings(
        store="memory:",
        channels=(ChannelSettings("web", "quoting", options={"secret": CANARIES[4]}),),
        connectors=(ConnectorSettings("deaf", "leaky", {"token": CANARIES[4]}),),
    )
    person = Person(
        CANARIES[0], email=CANARIES[1], phone=CANARIES[2], street=(CANARIES[3],), country="US"
    )
    order = Order("main", "web", "1", 1, START, "USD", (OrderLine("1", "MUG", 1),), NEW_YORK, "#1")
    with world.open(settings, plugins={"leaky": Leaky()}) as dom:
        dom.capture(order, person)
        for _ in range(3):
            dom.work()
            world.clock.forward(hours=2)
        told = dom.receive("web", " ".join(CANARIES).encode(), {"x-secret": CANARIES[4]})
        assert [each.outcome for each in told] == ["unreadable"]
        assert not [canary for canary in CANARIES if canary in repr(told)]
    records = [record for record in caplog.records if record.name.startswith("domcore")]
    assert {"plugin.failed", "connector.failed"} <= {record.event for record in records}
    for record in records:
        text = f"{record.getMessage()} {vars(record)}"
        assert not [canary for canary in CANARIES if canary in text], record
        assert isinstance(record.event, str)


def test_events_are_logged_with_their_order_and_node(caplog):
    caplog.set_level(logging.INFO, "domcore.events")
    world = World().node("NYC", at=(40.7, -74.0)).item("MUG").stock("MUG", NYC=9)
    with world.open() as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        dom.work()
    told = [(r.event, r.order, r.seq) for r in caplog.records if r.name == "domcore.events"]
    assert told == [("order.captured", 1, 1), ("order.routed", 1, 2)]
