"""The settings of one application, each with the place it came from.

A flag beats the environment, which beats the project file (``domcore.toml``), which beats the
default. `domcore.config` reads them from those places; an embedding application may build a
`Settings` itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen


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
        step_limit: the planner's budget per order, in steps.
        seed: recorded with each decision.
    """

    objective: tuple[str, ...] = ("cost",)
    batch: int = 100
    retry_minutes: int = 60
    max_replans: int = 3
    review_nodes_over: int = 0
    step_limit: int = 200_000
    seed: int = 0


@frozen(slots=True)
class ChannelSettings:
    """One channel: ``[channels.NAME]``. What is not named here is the plugin's (`options`)."""

    name: str
    kind: str
    owner: str = "main"
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
    routing: RoutingSettings = RoutingSettings()
    postal_digits: int = 0
    synchronous: str = "FULL"
    plugins: tuple[str, ...] | None = None
    plugin_options: Mapping[str, Mapping[str, Any]] = field(factory=dict, repr=False)
    origins: Mapping[str, str] = field(factory=dict)
    root: str = "."

    def channels_of(self, kind: str) -> tuple[ChannelSettings, ...]:
        """The channels of one kind, such as ``shopify``."""
        return tuple(channel for channel in self.channels if channel.kind == kind)
