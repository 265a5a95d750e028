"""The hooks: when each is called, and what it must return.

A hookimpl names only the arguments it wants, so a hook may gain arguments without breaking
anyone. Planning hooks get frozen values and a `PlanContext`: they cannot write, re-enter or read
the clock. Implementations run ordered by (tryfirst / plain / trylast, plugin name), built-ins
last; one that raises is named and takes no other down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import pluggy

if TYPE_CHECKING:
    import click

    from domcore.app import Domcore
    from domcore.contracts import Channel, Connector, Geocoder
    from domcore.model import (
        Candidate,
        Directive,
        Event,
        FactSpec,
        FactValue,
        Hold,
        Order,
        Plan,
        PlanContext,
        Policy,
    )
    from domcore.rules.engines.protocol import RuleEngine
    from domcore.store.protocol import Store

HOOKS_VERSION: Final = 1

hookspec: Final = pluggy.HookspecMarker("domcore")
hookimpl: Final = pluggy.HookimplMarker("domcore")


class HookSpecs:
    """Every hook of this version."""

    @hookspec
    def register_commands(self, cli: click.Group) -> None:
        """Called once when the command line is built. Add click commands or groups to `cli`.

        Returns nothing. Since 1.
        """

    @hookspec
    def plain_settings(self) -> Iterable[str]:  # type: ignore[empty-body]
        """Called when settings are shown to a person, as by ``domcore config``.

        Returns the names of this plugin's own settings that may be shown: in ``[plugins.NAME]``,
        and in the tables of channels and connectors whose kind is its name. All others are hidden,
        for nobody else can know which are secrets. Since 1.
        """

    @hookspec
    def trouble(self, dom: Domcore) -> Iterable[str]:  # type: ignore[empty-body]
        """Called when somebody asks what may hurt here, as by ``domcore doctor``.

        Returns sentences about what a person should look at in this plugin's settings or in what it
        knows; asks nobody over a network. Since 1.
        """

    @hookspec
    def register_channels(self, dom: Domcore) -> Iterable[Channel]:  # type: ignore[empty-body]
        """Called once per application, when a channel is first needed.

        Returns the channels this plugin serves; `dom.settings.channels_of(kind)` gives those of
        the project file. Since 1.
        """

    @hookspec
    def register_connectors(self, dom: Domcore) -> Iterable[Connector]:  # type: ignore[empty-body]
        """Called once per application, when work is first handed over or news is asked for.

        Returns the connectors this plugin serves; `dom.settings.connectors_of(kind)` gives those
        of the project file, and a node names its connector. Since 1.
        """

    @hookspec
    def register_rulesets(self, dom: Domcore) -> Iterable[str]:  # type: ignore[empty-body]
        """Called once per application, when packs are looked up.

        Returns paths of folders that hold packs, one folder a pack. Since 1.
        """

    @hookspec
    def register_rule_engines(self, dom: Domcore) -> Iterable[RuleEngine]:  # type: ignore[empty-body]
        """Called once per application, when the first pack is compiled.

        Returns engines; the setting ``rules.engine`` chooses one by name. Since 1.
        """

    @hookspec
    def register_facts(self, dom: Domcore) -> Iterable[FactSpec]:  # type: ignore[empty-body]
        """Called once per application, before any pack is compiled.

        Returns the facts that this plugin's `gather_facts` gives, named ``entity.plugin.fact``
        (entity is ``order``, ``node`` or ``candidate``). Since 1.
        """

    @hookspec
    def register_geocoders(self, dom: Domcore) -> Iterable[Geocoder]:  # type: ignore[empty-body]
        """Called once per application, when the first address is placed.

        Returns geocoders; the first that knows a postal code answers. Since 1.
        """

    @hookspec
    def open_store(self, url: str) -> Store | None:
        """Called when an application opens its store.

        Returns a store for this URL's scheme, or None to decline; the first answer counts. Since 1.
        """

    @hookspec
    def prepare(  # type: ignore[empty-body]
        self, orders: Sequence[Order], context: PlanContext
    ) -> Mapping[str, Any]:
        """Called before a batch is planned, with its orders: the one place to fetch from outside.

        Returns answers by `Order.key_text`, each a JSON value; they are stored with the decision
        and handed back to the plugin's other planning hooks as `context.prepared`. It may take
        `context.budget_seconds`. Since 1.
        """

    @hookspec
    def gather_facts(  # type: ignore[empty-body]
        self, order: Order, candidates: Sequence[Candidate], context: PlanContext
    ) -> Mapping[str, Mapping[str, FactValue]]:
        """Called once per plan, before the rules.

        Returns facts by candidate key (a node's id), or under ``"order"`` for facts of the order:
        ``{"N1": {"node.acme.backlog": 12}}``. Each is checked against its FactSpec. Since 1.
        """

    @hookspec
    def judge(  # type: ignore[empty-body]
        self,
        order: Order,
        candidates: Sequence[Candidate],
        facts: Mapping[str, Mapping[str, FactValue]],
        context: PlanContext,
    ) -> Iterable[Directive]:
        """Called once per plan, after the facts are known. The rule packs are the built-in judge.

        Returns directives; they are merged with the packs' by the same law of precedence. Since 1.
        """

    @hookspec
    def make_plan(
        self,
        order: Order,
        candidates: Sequence[Candidate],
        policy: Policy,
        context: PlanContext,
    ) -> Plan | None:
        """Called once per plan, with the merged policy. The exact planner is the built-in.

        Returns a whole plan, or None to decline; the first answer counts. The core prices it again
        and checks it against policy and stock; a breach names the plugin. Since 1.
        """

    @hookspec
    def review_plan(self, order: Order, plan: Plan, context: PlanContext) -> Iterable[Hold]:  # type: ignore[empty-body]
        """Called once per plan that allocates something, before it is committed.

        Returns reasons to stop; stage ``release`` reserves and waits. Since 1.
        """

    @hookspec
    def handle_event(self, event: Event, dom: Domcore) -> Any:
        """Called by `work`, after commit, at least once per event, in order per order.

        Returns nothing. Since 1.
        """
