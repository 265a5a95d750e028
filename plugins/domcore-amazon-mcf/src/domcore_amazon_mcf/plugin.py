"""What domcore loads: connectors for the project file's accounts, and live quotes for planning."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from domcore.errors import ConfigurationError
from domcore.hookspecs import hookimpl
from domcore.model import Candidate, Directive, FactSpec, FactValue, Order, PlanContext
from domcore.plugin_kit import plain_fields

if TYPE_CHECKING:
    from domcore.app import Domcore
    from domcore_amazon_mcf.connector import AmazonMcf
    from domcore_amazon_mcf.quotes import Quoter

KIND: Final = "amazon-mcf"

FACTS: Final = (
    FactSpec(
        "candidate.amazon_mcf.fee", "candidate", "money", nullable=True,
        summary="What Amazon takes for shipping the order, where it gave a quote",
    ),
    FactSpec(
        "candidate.amazon_mcf.days", "candidate", "int", "days", nullable=True,
        summary="Days until Amazon has delivered all of it, where it gave a quote",
    ),
)  # fmt: skip


class AmazonMcfPlugin:
    """The plugin of one application; its connectors are made once, and share their rate limits.

    Args:
        transport: carries requests in place of the network (an httpx transport).
        environ: where ``env:NAME`` is looked up.
        ticks, sleep: seconds that only ever grow, and waiting for some of them.
    """

    def __init__(
        self,
        *,
        transport: Any = None,
        environ: Mapping[str, str] | None = None,
        ticks: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._transport = transport
        self._environ = os.environ if environ is None else environ
        self._ticks = ticks
        self._sleep = sleep
        self._made: list[AmazonMcf] | None = None
        self._quoting: list[AmazonMcf] = []
        self._quoter: Quoter | None = None
        self._wrong: ConfigurationError | None = None

    @hookimpl
    def plain_settings(self) -> tuple[str, ...]:
        """All but the secrets may be shown."""
        from domcore_amazon_mcf.options import Options

        return plain_fields(Options)

    @hookimpl
    def register_connectors(self, dom: Domcore) -> Sequence[AmazonMcf]:
        """One connector per ``[connectors.NAME]`` of kind ``amazon-mcf``."""
        return self._connectors(dom)

    @hookimpl
    def register_facts(self, dom: Domcore) -> Sequence[FactSpec]:
        """The facts of a quote, where any connector quotes."""
        return FACTS if any(each.options.quotes for each in self._connectors(dom)) else ()

    @hookimpl
    def prepare(self, orders: Sequence[Order], context: PlanContext) -> Mapping[str, Any]:
        """Fetch a quote for every order that a node of ours could ship."""
        if self._quoter is None:
            return {}
        return self._quoter.quotes(self._quoting, orders, context)

    @hookimpl
    def gather_facts(
        self, candidates: Sequence[Candidate], context: PlanContext
    ) -> Mapping[str, Mapping[str, FactValue]]:
        """The quotes as facts."""
        if not self._quoting:
            return {}
        # Imported late: httpx is slow to load, and without connectors nothing of it is needed.
        from domcore_amazon_mcf.quotes import facts

        return facts([each.name for each in self._quoting], candidates, context.prepared)

    @hookimpl
    def judge(self, candidates: Sequence[Candidate], context: PlanContext) -> Sequence[Directive]:
        """Charge the quoted fee, and leave out what Amazon would not ship.

        Raises:
            ConfigurationError: the connectors cannot be made; nobody knows what the fee would be.
        """
        if self._wrong is not None:
            raise self._wrong
        if not self._quoting:
            return ()
        # Imported late: see above.
        from domcore_amazon_mcf.quotes import directives

        fallback = {each.name: each.options.fallback_fee for each in self._quoting}
        return directives(fallback, candidates, context.prepared)

    def _connectors(self, dom: Domcore) -> list[AmazonMcf]:
        """The connectors of this application.

        Raises:
            ConfigurationError: an option is wrong, or a secret is not there.
        """
        if self._made is None:
            configured = dom.settings.connectors_of(KIND)
            if not configured:
                return []
            # Imported late: httpx and cattrs are slow to load, and most commands need neither.
            from domcore_amazon_mcf.connector import build_connectors
            from domcore_amazon_mcf.quotes import Quoter

            try:
                self._made = build_connectors(
                    configured,
                    self._environ,
                    transport=self._transport,
                    clock=dom.now,
                    ticks=self._ticks,
                    sleep=self._sleep,
                )
            except ConfigurationError as error:
                self._wrong = error
                raise
            self._quoting = [each for each in self._made if each.options.quotes]
            self._quoter = Quoter(dom.settings.owners, ticks=self._ticks)
        return self._made


def __getattr__(name: str) -> AmazonMcfPlugin:
    """`plugin`, which the entry point names, is a new one each time: applications share nothing."""
    if name == "plugin":
        return AmazonMcfPlugin()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
