"""What an application does can be traced and measured, and costs nothing where nobody asks."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from domcore import ConfigurationError, ConnectorError, NotFound, Settings, hookimpl
from domcore.model import (
    Notice,
    ObserveStock,
    Order,
    OrderLine,
    Person,
    Receipt,
    StockCount,
)
from domcore.settings import ConnectorSettings
from domcore.telemetry import COUNTERS, HISTOGRAMS, OpenTelemetry, Silent, telemetry_for
from domcore.testing.builder import NEW_YORK, START, World

pytest.importorskip("opentelemetry.sdk")

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

CANARIES = ("Zebediah", "zeb@canary.example", "13 Canary Row", "s3cr3t-canary", "CanaryNote")


class Told:
    """What OpenTelemetry has heard."""

    def __init__(self) -> None:
        self._spans = InMemorySpanExporter()
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self._metrics = InMemoryMetricReader()
        self.telemetry = OpenTelemetry(tracers, MeterProvider([self._metrics]))

    def spans(self) -> list[tuple[str, str]]:
        """Names, with their parents'."""
        every = self._spans.get_finished_spans()
        names = {span.context.span_id: span.name for span in every}
        return [(s.name, names.get(s.parent.span_id, "") if s.parent else "") for s in every]

    def failed(self) -> list[tuple[str, str]]:
        return [
            (span.name, span.attributes["error.type"])
            for span in self._spans.get_finished_spans()
            if not span.status.is_ok and span.status.status_code.name == "ERROR"
        ]

    def metric(self, name: str) -> dict[tuple[tuple[str, object], ...], float]:
        """Attributes -> sum (of a histogram: how often)."""
        found = {}
        for point in self._points(name):
            value = point.value if hasattr(point, "value") else point.count
            found[tuple(sorted(point.attributes.items()))] = value
        return found

    def _points(self, name: str):
        data = self._metrics.get_metrics_data()
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    if metric.name == name:
                        yield from metric.data.data_points

    def whole(self) -> str:
        """Everything that was told, as text."""
        spans = [json.loads(span.to_json()) for span in self._spans.get_finished_spans()]
        names = (*COUNTERS, *HISTOGRAMS)
        return json.dumps(spans) + str({name: self.metric(name) for name in names})


class Partner:
    """Takes the first, does not answer the second, refuses the third."""

    name = "wms"

    def __init__(self) -> None:
        self._calls = 0

    @hookimpl
    def register_connectors(self):
        return [self]

    def release(self, handover):
        self._calls += 1
        if self._calls == 1:
            return Receipt("accepted")
        raise ConnectorError(CANARIES[4], unknown=self._calls == 2)

    def cancel(self, handover):
        raise ConnectorError("HTTP 500")

    def reconcile(self, handover):
        raise ConnectorError("HTTP 500")


def a_world() -> World:
    world = World().node("NYC", at=(40.7, -74.0), connector="wms").node("LAX", at=(34.0, -118.2))
    return world.item("MUG").stock("MUG", NYC=9, LAX=1)


def test_verbs_are_spans_and_what_they_call_is_inside():
    told, world = Told(), a_world()
    with world.open(plugins={"wms": Partner()}, telemetry=told.telemetry) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.work()
    spans = told.spans()
    assert ("domcore capture", "") in spans
    assert ("domcore route", "domcore work") in spans
    assert ("connector release", "domcore work") in spans


def test_orders_units_cost_and_time_are_measured():
    told, world = Told(), a_world()
    with world.open(telemetry=told.telemetry) as dom:
        for number, units in enumerate((1, 10, 5), 1):
            dom.capture(world.order(str(number), MUG=units))
        report = dom.route()
    purpose = ("domcore.purpose", "route")
    assert told.metric("domcore.orders.routed") == {
        (("domcore.outcome", "routed"), purpose): 1,
        (("domcore.outcome", "partial"), purpose): 1,
        (("domcore.outcome", "short"), purpose): 1,
    }
    assert told.metric("domcore.units.routed") == {(purpose,): report.units}
    assert told.metric("domcore.order.cost") == {(("domcore.currency", "USD"),): 2}
    assert told.metric("domcore.plan.duration") == {(): 3}


def test_calls_of_partners_are_counted_by_their_result():
    told, world = Told(), a_world()
    with world.open(plugins={"wms": Partner()}, telemetry=told.telemetry) as dom:
        for number in range(1, 4):
            dom.capture(world.order(str(number), MUG=1))
        dom.work()
    calls = {
        dict(key)["domcore.result"]: n for key, n in told.metric("domcore.connector.calls").items()
    }
    assert calls == {"done": 1, "unknown": 1, "failed": 1}
    for key in told.metric("domcore.connector.duration"):
        assert dict(key)["domcore.connector"] == "wms"
        assert dict(key)["domcore.call"] == "release"
    assert ("connector release", "ConnectorError") in told.failed()


def test_news_stock_and_commands_are_counted():
    told, world = Told(), a_world()
    with world.open(telemetry=told.telemetry) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.capture(world.order("1", MUG=1))
        dom.route()
        dom.record(Notice("1-1-NYC", "accepted", world.clock()))
        dom.observe(ObserveStock("main", (StockCount("MUG", "LAX", on_hand=4),) * 3))
    outcomes = {
        (dict(key)["domcore.verb"], dict(key)["domcore.outcome"]): n
        for key, n in told.metric("domcore.commands").items()
    }
    assert outcomes["capture", "captured"] == outcomes["capture", "duplicate"] == 1
    assert told.metric("domcore.notices") == {
        (("domcore.outcome", "recorded"), ("domcore.status", "accepted")): 1
    }
    # Two balances when the world was made, three counts now.
    assert sum(told.metric("domcore.stock.observations").values()) == 5


def test_failures_are_counted_without_their_words():
    class Broken:
        @hookimpl
        def handle_event(self, event):
            raise ValueError(CANARIES[0])

    told, world = Told(), a_world()
    with world.open(plugins={"broken": Broken()}, telemetry=told.telemetry) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.work()
        with pytest.raises(NotFound):
            dom.cancel(CANARIES[0])
    failures = [dict(key) for key in told.metric("domcore.failures")]
    assert {"domcore.plugin": "broken", "domcore.hook": "handle_event"} in failures
    assert {"domcore.verb": "cancel", "error.type": "NotFound"} in failures
    assert told.failed() == [("domcore cancel", "NotFound")]
    assert CANARIES[0] not in told.whole()


def test_nothing_told_names_a_person_or_a_secret():
    told, world = Told(), a_world()
    settings = Settings(
        store="memory:", connectors=(ConnectorSettings("wms", "x", {"token": CANARIES[3]}),)
    )
    person = Person(CANARIES[0], email=CANARIES[1], street=(CANARIES[2],), country="US")
    lines = (OrderLine("1", "MUG", 1),)
    with world.open(settings, plugins={"wms": Partner()}, telemetry=told.telemetry) as dom:
        for number in range(1, 4):
            order = Order("main", "web", str(number), 1, START, "USD", lines, NEW_YORK)
            dom.capture(order, person)
        dom.work()
        with pytest.raises(NotFound):
            dom.receive(CANARIES[0], " ".join(CANARIES).encode(), {"x": CANARIES[3]})
    whole = told.whole()
    assert "connector release" in whole
    assert not [canary for canary in CANARIES if canary in whole]


def test_everything_counted_and_measured_is_documented():
    from pathlib import Path

    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    assert not [name for name in (*COUNTERS, *HISTOGRAMS) if f"| `{name}` |" not in page]


# --- whether it is on ---------------------------------------------------------------------------


def test_it_is_silent_unless_the_host_has_set_it_up():
    assert isinstance(telemetry_for(Settings()), Silent)
    assert isinstance(telemetry_for(Settings(telemetry="off")), Silent)
    assert isinstance(telemetry_for(Settings(telemetry="on")), OpenTelemetry)


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_host_that_has_set_it_up_is_told():
    code = """
from opentelemetry import {which}
from opentelemetry.sdk.{which} import {provider}
{which}.set_{setter}_provider({provider}())
from domcore import Domcore
with Domcore.open("memory:") as dom:
    print(type(dom._telemetry).__name__)
"""
    for which, setter, provider in (
        ("trace", "tracer", "TracerProvider"),
        ("metrics", "meter", "MeterProvider"),
    ):
        text = code.format(which=which, setter=setter, provider=provider)
        assert python(text) == "OpenTelemetry"


def test_nothing_of_it_is_imported_unless_it_is_wanted():
    code = """
import sys
from domcore import Domcore
from domcore.cli.root import build
with Domcore.open("memory:") as dom:
    dom.route()
    dom.work()
print(sorted(name for name in sys.modules if name.startswith("opentelemetry")))
"""
    assert python(code) == "[]"


def test_wanting_it_without_the_api_is_said():
    code = """
import sys
sys.modules["opentelemetry"] = None
from domcore import ConfigurationError, Domcore
try:
    Domcore.open("memory:", telemetry="on")
except ConfigurationError as error:
    print(error)
"""
    assert "domcore[otel]" in python(code)


def test_another_word_for_it_is_refused(tmp_path, monkeypatch):
    from domcore.config import read_settings

    monkeypatch.chdir(tmp_path)
    (tmp_path / "domcore.toml").write_text('telemetry = "loud"\n')
    with pytest.raises(ConfigurationError, match="telemetry"):
        read_settings(environ={})
    (tmp_path / "domcore.toml").write_text('telemetry = "off"\n')
    assert read_settings(environ={}).telemetry == "off"
    assert read_settings(environ={"DOMCORE_TELEMETRY": "on"}).telemetry == "on"
