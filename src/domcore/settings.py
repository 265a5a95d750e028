"""The settings of one application, each with the place it came from.

A flag beats the environment, which beats the project file (``domcore.toml``), which beats the
default. `domcore.config` reads them from those places; an embedding application may build a
`Settings` itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from domcore.model import ExchangeRate


@frozen(slots=True)
class ActivationSettings:
    """One pack in force: ``[[activate]]`` in the project file.

    Args:
        pack: the pack's name.
        version: exact version wanted; empty takes the one that is there.
        layer: ``core``, ``partner`` or ``retailer``.
        owner, channels: whose orders, of which channels; empty is all.
        nodes: for a partner: the nodes it may speak of.
        parameters: values for the pack's parameters.
    """

    pack: str
    version: str = ""
    layer: str = "retailer"
    owner: str = ""
    channels: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(factory=dict)


@frozen(slots=True)
class RoutingSettings:
    """How orders are routed: ``[routing]``.

    Args:
        objective: terms in order of weight: ``cost``, ``parcels``, ``nodes``.
        batch: orders per transaction.
        retry_minutes: when a short order is tried again.
        max_replans: how often a decision is planned anew when its stock has gone.
        review_nodes_over: hold a plan that uses more nodes than this; 0 never.
        step_limit: the planner's budget per order, in steps: a step is one node looked at for one
            line, under a microsecond; more of them never make a plan dearer.
        seed: recorded with each decision.
        max_attempts: an order whose work nodes have rejected so often waits for a person.
        rejection_minutes: how long a node that rejected a SKU is not asked for it by any order;
            0 never. The order's own line never goes back to it.
        prepare_seconds: how long a plugin may fetch what it needs for a batch; 0 asks none.
    """

    objective: tuple[str, ...] = ("cost",)
    batch: int = 100
    retry_minutes: int = 60
    max_replans: int = 3
    review_nodes_over: int = 0
    step_limit: int = 200_000
    seed: int = 0
    max_attempts: int = 5
    rejection_minutes: int = 1440
    prepare_seconds: int = 5


@frozen(slots=True)
class WorkSettings:
    """What `Domcore.work` does, and how patiently: ``[work]``.

    Args:
        route: whether open orders that are due are routed, too.
        lease_seconds: how long a piece of work is ours before another worker may take it; at least
            twice any connector's time-out.
        attempts: after so many a piece of work is set aside for a person.
        backoff_seconds: before the second attempt; doubles with each, with jitter.
        backoff_most_seconds: the longest wait between two attempts.
        poll_seconds: between two polls of a connector.
        pull_seconds: between two pulls of a channel.
        publish_seconds: between two rounds of telling a channel what it may sell.
    """

    route: bool = True
    lease_seconds: int = 300
    attempts: int = 5
    backoff_seconds: int = 30
    backoff_most_seconds: int = 3600
    poll_seconds: int = 60
    pull_seconds: int = 60
    publish_seconds: int = 60


@frozen(slots=True)
class StockSettings:
    """When stock is worth an event: ``[stock]``. Days of cover are what is available divided by
    what has shipped a day.

    Args:
        low_days: ``stock.low`` below so many days of cover; 0 never.
        over_days: ``stock.over`` above so many; 0 never.
        demand_days: how far back demand is counted.
        check_minutes: between two looks.
    """

    low_days: int = 0
    over_days: int = 0
    demand_days: int = 28
    check_minutes: int = 60


@frozen(slots=True)
class ReturnSettings:
    """Where goods go back to: ``[returns]``.

    Args:
        kinds: kinds of node that take goods back.
        tag: a node with this tag takes goods back whatever its kind; empty is none.
        overstock_cost: micros added per unit at a node that has more than `overstock_days` of
            cover of it.
        overstock_days: see there; 0 never.
    """

    kinds: tuple[str, ...] = ("dc", "store")
    tag: str = "returns"
    overstock_cost: int = 0
    overstock_days: int = 0


@frozen(slots=True)
class ChannelSettings:
    """One channel: ``[channels.NAME]``. What is not named here is the plugin's (`options`).

    Args:
        publish: ``total`` tells the channel one level per SKU, ``nodes`` one per SKU and node,
            ``off`` nothing.
        share: percent of what is available that it may sell.
        nodes: the nodes that feed it; empty is all that may serve the owner.
        pull, notify: whether it is asked for orders, and told what became of them, where its plugin
            can.
    """

    name: str
    kind: str
    owner: str = "main"
    options: Mapping[str, Any] = field(factory=dict, repr=False)
    publish: str = "total"
    share: int = 100
    nodes: tuple[str, ...] = ()
    pull: bool = True
    notify: bool = True


@frozen(slots=True)
class ConnectorSettings:
    """One connector: ``[connectors.NAME]``. What is not named here is the plugin's (`options`)."""

    name: str
    kind: str
    options: Mapping[str, Any] = field(factory=dict, repr=False)


@frozen(slots=True)
class Settings:
    """Everything an application is told.

    Args:
        store: URL or path of the store; ``memory:`` keeps nothing.
        owners: owner name to ISO 4217 costing currency.
        engine: ``auto`` (durable where it imports), ``durable``, ``python`` or a plugin's.
        rulesets: folders with packs, relative to the project file.
        postal_digits: leading characters of a postal code that planning keeps; 0 keeps all.
        synchronous: SQLite durability, ``FULL`` or ``NORMAL``.
        telemetry: OpenTelemetry: ``auto`` (where the host has set it up), ``on`` or ``off``.
        exchange_rates: what orders in another currency than their owner's are compared by.
        plugins: names to load; None loads all that are installed.
        plugin_options: ``[plugins.NAME]`` tables, handed to that plugin's hooks.
        origins: for each setting given somewhere, where: ``flag --store``, ``DOMCORE_STORE``,
            ``domcore.toml``.
    """

    store: str = "domcore.db"
    owners: Mapping[str, str] = field(factory=lambda: {"main": "USD"})
    engine: str = "auto"
    rulesets: tuple[str, ...] = ("rulesets",)
    activate: tuple[ActivationSettings, ...] = ()
    channels: tuple[ChannelSettings, ...] = ()
    connectors: tuple[ConnectorSettings, ...] = ()
    routing: RoutingSettings = RoutingSettings()
    work: WorkSettings = WorkSettings()
    stock: StockSettings = StockSettings()
    returns: ReturnSettings = ReturnSettings()
    postal_digits: int = 0
    synchronous: str = "FULL"
    telemetry: str = "auto"
    exchange_rates: tuple[ExchangeRate, ...] = ()
    plugins: tuple[str, ...] | None = None
    plugin_options: Mapping[str, Mapping[str, Any]] = field(factory=dict, repr=False)
    origins: Mapping[str, str] = field(factory=dict)
    root: str = "."

    def channels_of(self, kind: str) -> tuple[ChannelSettings, ...]:
        """The channels of one kind, such as ``shopify``."""
        return tuple(channel for channel in self.channels if channel.kind == kind)

    def connectors_of(self, kind: str) -> tuple[ConnectorSettings, ...]:
        """The connectors of one kind, such as ``files``."""
        return tuple(connector for connector in self.connectors if connector.kind == kind)
