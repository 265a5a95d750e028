"""Traces and metrics through the OpenTelemetry API, where the host wants them.

Nothing here is imported unless it is asked for: the API is an extra (``domcore[otel]``), and a
`Silent` telemetry costs a method call. Names and attributes are documented in docs/operations.md.
No attribute holds personal data, secrets or the words of an error.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import wraps
from time import perf_counter
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

from domcore.errors import ConfigurationError, ConnectorError
from domcore.settings import Settings
from domcore.store.values import Outcome

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from domcore.routing import Routed

NAME: Final = "domcore"
API: Final = "opentelemetry"

COUNTERS: Final[Mapping[str, tuple[str, str]]] = {
    "domcore.orders.routed": ("{order}", "orders that were planned and committed, by outcome"),
    "domcore.units.routed": ("{unit}", "units reserved by decisions"),
    "domcore.commands": ("{command}", "commands taken in, by outcome"),
    "domcore.stock.observations": ("{count}", "counts and deltas of stock taken in"),
    "domcore.notices": ("{notice}", "news of nodes, by status and outcome"),
    "domcore.connector.calls": ("{call}", "calls of connectors and channels, by result"),
    "domcore.failures": ("{failure}", "verbs that raised, and plugins that failed"),
}
"""Counter -> its unit, and what it counts."""

HISTOGRAMS: Final[Mapping[str, tuple[str, str]]] = {
    "domcore.order.cost": ("{amount}", "what a decision costs, in units of its currency"),
    "domcore.plan.duration": ("s", "time to plan one order"),
    "domcore.connector.duration": ("s", "time a connector or channel took to answer"),
}
"""Histogram -> its unit, and what it measures."""

Attribute = str | int | float | bool
_NOTHING: Final[AbstractContextManager[None]] = nullcontext()

P = ParamSpec("P")
R = TypeVar("R")


class Telemetry(Protocol):
    """Where an application says what it does."""

    def span(self, name: str, /, **attributes: Attribute) -> AbstractContextManager[None]:
        """A span around the block; an exception that leaves it marks it as failed."""
        ...

    def timing(self, name: str, /, **attributes: Attribute) -> AbstractContextManager[None]:
        """Measure how long the block takes with a histogram."""
        ...

    def watched(self, partner: str, call: str, function: Callable[P, R]) -> Callable[P, R]:
        """A connector's or channel's method, with a span, a count by result, and its time."""
        ...

    def count(self, name: str, amount: int = 1, /, **attributes: Attribute) -> None:
        """Add to one of `COUNTERS`."""
        ...

    def measure(self, name: str, value: float, /, **attributes: Attribute) -> None:
        """Record with one of `HISTOGRAMS`."""
        ...

    def routed(self, each: Routed, purpose: str) -> None:
        """Count an order that routing has dealt with."""
        ...


class Silent:
    """Tells nobody."""

    def span(self, name: str, /, **attributes: Attribute) -> AbstractContextManager[None]:
        """Nothing."""
        return _NOTHING

    def timing(self, name: str, /, **attributes: Attribute) -> AbstractContextManager[None]:
        """Nothing."""
        return _NOTHING

    def watched(self, partner: str, call: str, function: Callable[P, R]) -> Callable[P, R]:
        """The function itself."""
        return function

    def count(self, name: str, amount: int = 1, /, **attributes: Attribute) -> None:
        """Nothing."""

    def measure(self, name: str, value: float, /, **attributes: Attribute) -> None:
        """Nothing."""

    def routed(self, each: Routed, purpose: str) -> None:
        """Nothing."""


class OpenTelemetry:
    """Tells OpenTelemetry.

    Args:
        tracers, meters: the host's providers; None takes the global ones.

    Raises:
        ConfigurationError: the API is not installed.
    """

    def __init__(
        self, tracers: TracerProvider | None = None, meters: MeterProvider | None = None
    ) -> None:
        metrics, trace = _api()
        self._trace: Final = trace
        self._tracer: Final = trace.get_tracer(NAME, tracer_provider=tracers)
        meter = metrics.get_meter(NAME, meter_provider=meters)
        self._counters: Final = {
            name: meter.create_counter(name, unit=unit, description=about)
            for name, (unit, about) in COUNTERS.items()
        }
        self._histograms: Final = {
            name: meter.create_histogram(name, unit=unit, description=about)
            for name, (unit, about) in HISTOGRAMS.items()
        }

    @contextmanager
    def span(self, name: str, /, **attributes: Attribute) -> Iterator[None]:
        """See `Telemetry.span`. Only the kind of an error is told: its words may be anyone's."""
        with self._tracer.start_as_current_span(
            name,
            attributes=_full(attributes),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except BaseException as error:
                kind = type(error).__name__
                span.set_attribute("error.type", kind)
                span.set_status(self._trace.StatusCode.ERROR)
                raise

    @contextmanager
    def timing(self, name: str, /, **attributes: Attribute) -> Iterator[None]:
        """See `Telemetry.timing`."""
        begun = perf_counter()
        try:
            yield
        finally:
            self.measure(name, perf_counter() - begun, **attributes)

    def watched(self, partner: str, call: str, function: Callable[P, R]) -> Callable[P, R]:
        """See `Telemetry.watched`."""

        @wraps(function)
        def inside(*args: P.args, **kwargs: P.kwargs) -> R:
            with self._calling(partner, call):
                return function(*args, **kwargs)

        return inside

    @contextmanager
    def _calling(self, partner: str, call: str) -> Iterator[None]:
        told: dict[str, Attribute] = {"domcore.connector": partner, "domcore.call": call}
        result, begun = "done", perf_counter()
        try:
            with self.span(f"connector {call}", **told):
                yield
        except ConnectorError as error:
            result = "unknown" if error.unknown else "failed"
            raise
        except BaseException:
            result = "broken"
            raise
        finally:
            told["domcore.result"] = result
            self.count("domcore.connector.calls", **told)
            self.measure("domcore.connector.duration", perf_counter() - begun, **told)

    def count(self, name: str, amount: int = 1, /, **attributes: Attribute) -> None:
        """See `Telemetry.count`."""
        self._counters[name].add(amount, attributes=_full(attributes))

    def measure(self, name: str, value: float, /, **attributes: Attribute) -> None:
        """See `Telemetry.measure`."""
        self._histograms[name].record(value, attributes=_full(attributes))

    def routed(self, each: Routed, purpose: str) -> None:
        """See `Telemetry.routed`."""
        told: dict[str, Attribute] = {"outcome": each.outcome, "purpose": purpose}
        self.count("domcore.orders.routed", **told)
        units = sum(allocation.quantity for allocation in each.plan.allocations)
        if units:
            self.count("domcore.units.routed", units, purpose=purpose)
            cost = each.plan.cost / 1_000_000
            self.measure("domcore.order.cost", cost, currency=each.currency)


def telemetry_for(settings: Settings) -> Telemetry:
    """What the settings ask for; ``auto`` is on where the host has set up a provider already.

    Raises:
        ConfigurationError: it is wanted, and the API is not installed.
    """
    if settings.telemetry == "on" or (settings.telemetry == "auto" and _set_up()):
        return OpenTelemetry()
    return Silent()


def _set_up() -> bool:
    """Whether somebody in this process has given OpenTelemetry a provider. Imports nothing new."""
    trace = sys.modules.get(f"{API}.trace")
    if trace is not None and not isinstance(
        trace.get_tracer_provider(), trace.ProxyTracerProvider | trace.NoOpTracerProvider
    ):
        return True
    metrics = sys.modules.get(f"{API}.metrics")
    if metrics is None:
        return False
    provider = metrics.get_meter_provider()
    # The API's own stand-in has no public name.
    return not type(provider).__module__.startswith(f"{API}.metrics.")


def _api() -> tuple[Any, Any]:
    """OpenTelemetry's metrics and trace."""
    try:
        from opentelemetry import metrics, trace  # an extra, imported where it is wanted only
    except ImportError:
        raise ConfigurationError(
            "telemetry is on, but the OpenTelemetry API is not installed:"
            " pip install 'domcore[otel]', or set it to off",
            place="telemetry",
        ) from None
    return metrics, trace


def _full(attributes: Mapping[str, Attribute]) -> dict[str, Attribute]:
    """Attributes under their full names."""
    return {name if "." in name else f"domcore.{name}": value for name, value in attributes.items()}


class _Told(Protocol):
    _telemetry: Telemetry


D = TypeVar("D", bound=_Told)


def traced(verb: Callable[Concatenate[D, P], R]) -> Callable[Concatenate[D, P], R]:
    """A span around a verb of the application; outcomes are counted, and failures."""
    name = verb.__name__

    @wraps(verb)
    def inside(self: D, /, *args: P.args, **kwargs: P.kwargs) -> R:
        telemetry = self._telemetry
        if isinstance(telemetry, Silent):
            return verb(self, *args, **kwargs)
        try:
            with telemetry.span(f"domcore {name}", verb=name):
                result = verb(self, *args, **kwargs)
        except Exception as error:
            told: dict[str, Attribute] = {"error.type": type(error).__name__}
            telemetry.count("domcore.failures", verb=name, **told)
            raise
        for each in result if isinstance(result, list) else (result,):
            if isinstance(each, Outcome):
                telemetry.count("domcore.commands", verb=name, outcome=each.outcome)
        return result

    return inside
