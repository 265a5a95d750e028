"""Finds packs, puts the active ones together, and compiles them once per owner and channel."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from attrs import define, evolve

from domcore import __version__
from domcore.errors import ConfigurationError
from domcore.model import FactSpec
from domcore.packs import Change, PackInfo, Packs, audiences
from domcore.plugins import Plugins
from domcore.rules.compiler import Active
from domcore.rules.engines.protocol import RuleEngine
from domcore.rules.facts import FactRegistry
from domcore.rules.loader import parse_pack
from domcore.rules.node_state import NodeState
from domcore.rules.pack import Activation, pack_bytes
from domcore.rules.program import Program, compile_program
from domcore.settings import Settings
from domcore.sourcing.field import Field
from domcore.store.protocol import Store

AUTO: Final = "auto"
PREFERRED: Final = ("durable", "python")
FORMAT: Final = 1
SECONDS_BETWEEN_LOOKS: Final = 1.0
"""Packs are looked at so often where single orders are asked about; a round of work always does."""

_log = logging.getLogger("domcore.rules")


@define
class _Compiled:
    program: Program
    digest: str
    state: NodeState | None = None
    field: Field | None = None


class Programs:
    """The rules of one application."""

    def __init__(
        self,
        dom: Any,
        store: Store,
        plugins: Plugins,
        settings: Settings,
        *,
        joined: bool = False,
    ) -> None:
        self._joined = joined
        self._dom = dom
        self._store = store
        self._plugins = plugins
        self._settings = settings
        self._facts: FactRegistry | None = None
        self._givers: dict[str, str] = {}
        self._pending: list[tuple[str, bytes]] = []
        self._engine: RuleEngine | None = None
        self._packs = Packs(dom, plugins, settings)
        self._look_again = 0.0
        self.remarked: list[tuple[str, str]] | None = None
        """The activations for which it was last said what is odd about them."""
        self.untold: Change | None = None
        """Packs that were taken up, as long as that is no event yet."""
        self._compiled: dict[tuple[object, ...], _Compiled] = {}
        self._by_order: dict[tuple[str, str], _Compiled] = {}

    @property
    def facts(self) -> FactRegistry:
        """Built-in facts and those that plugins declare."""
        if self._facts is None:
            sound: list[FactSpec] = []
            for plugin, spec in self._plugins.collect("register_facts", FactSpec, dom=self._dom):
                try:
                    FactRegistry([*sound, spec])
                except ConfigurationError as error:
                    self._plugins.failed(plugin, "register_facts", error)
                    continue
                sound.append(spec)
                self._givers[spec.name] = plugin
            self._facts = FactRegistry(sound)
        return self._facts

    @property
    def givers(self) -> Mapping[str, str]:
        """Foreign fact name to the plugin that declared it."""
        return self._givers if self.facts else {}

    @property
    def engine(self) -> RuleEngine:
        """The engine chosen by the setting ``rules.engine``.

        Raises:
            ConfigurationError: there is no such engine, or it cannot run here.
        """
        if self._engine is None:
            found = self._plugins.collect("register_rule_engines", RuleEngine, dom=self._dom)
            engines = {engine.name: engine for _, engine in found}
            wanted = self._settings.engine
            names = PREFERRED if wanted == AUTO else (wanted,)
            for name in names:
                if name in engines:
                    self._engine = engines[name]
                    break
            else:
                raise ConfigurationError(
                    f"rule engine {wanted!r} is not available here"
                    f" (there are: {', '.join(sorted(engines))}); run 'domcore doctor'",
                    source="setting rules.engine",
                )
        return self._engine

    @property
    def made(self) -> tuple[str, str]:
        """Domcore's version and the engine's name, as decisions record them."""
        return (__version__, self.engine.name)

    @property
    def error(self) -> str:
        """Why packs that were edited are not in force; empty where what was written last is."""
        return self._packs.error

    @property
    def all_packs(self) -> Packs:
        """What there is, and what of it is activated."""
        return self._packs

    def packs(self) -> list[PackInfo]:
        """Every pack that can be found, broken ones with their error; sorted by name."""
        return self._packs.all()

    def active_packs(self, owner: str, channel: str) -> list[Active]:
        """See `Packs.active`."""
        return self._packs.active(owner, channel)

    def set_by_rules(self) -> dict[str, FactSpec]:
        """See `Packs.set_by_rules`."""
        return self._packs.set_by_rules()

    def activations(self) -> list[Activation]:
        """See `Packs.activations`."""
        return self._packs.activations()

    def active_digests(self) -> list[tuple[str, str]]:
        """See `Packs.active_digests`."""
        return self._packs.active_digests()

    def stale(self) -> bool:
        """Whether a file of a pack was written since they were read."""
        return self._packs.stale()

    def refresh(self, *, at_once: bool) -> None:
        """Take up packs that were edited; where they cannot be used, what was in force stays.

        Args:
            at_once: look now; else not again within `SECONDS_BETWEEN_LOOKS`.
        """
        if not (at_once or time.monotonic() >= self._look_again):
            return
        self._look_again = time.monotonic() + SECONDS_BETWEEN_LOOKS
        change = self._packs.refresh(self._compile_all)
        if change is None:
            return
        if change.error:
            told = {"event": "rules.broken", "digest": change.digest}
            _log.error("edited packs cannot be used: %s", change.error, extra=told)
            if change.digest == change.before:
                return
            self._compiled, self._by_order = {}, {}
        self.untold = change if self.untold is None else evolve(change, before=self.untold.before)
        if change.error:
            return
        told = {"event": "rules.changed", "digest": change.digest}
        names = ", ".join(f"{name} {version}" for name, version, _ in change.packs)
        _log.info("packs were edited and are in force: %s", names, extra=told)

    def in_force(self) -> list[Program]:
        """The rules for all owners and channels that are configured, once each.

        Raises:
            ConfigurationError: some of them cannot be used.
        """
        found = [
            self._compile(self._packs, self._compiled, owner, channel)
            for owner, channel in audiences(self._settings)
        ]
        return list({id(each): each.program for each in found}.values())

    def _compile_all(self, packs: Packs) -> None:
        """Compile whatever is in force by these packs, and have it in force if all of it can be.

        Raises:
            ConfigurationError: some of it cannot be; nothing has changed.
        """
        wanted = dict.fromkeys([*self._by_order, *audiences(self._settings)])
        compiled: dict[tuple[object, ...], _Compiled] = {}
        pending = list(self._pending)
        try:
            by_order = {
                (owner, channel): self._compile(packs, compiled, owner, channel)
                for owner, channel in wanted
            }
        except ConfigurationError:
            self._pending = pending
            raise
        self._compiled, self._by_order = compiled, by_order

    def _for(self, owner: str, channel: str) -> _Compiled:
        compiled = self._by_order.get((owner, channel))
        if compiled is None:
            compiled = self._compile(self._packs, self._compiled, owner, channel)
            self._by_order[owner, channel] = compiled
        return compiled

    def for_orders_of(self, owner: str, channel: str, field: Field) -> tuple[Program, NodeState]:
        """The compiled rules for one owner's orders from one channel, and their node side."""
        compiled = self._for(owner, channel)
        if compiled.state is None or compiled.field is not field:
            compiled.state = compiled.program.node_state(field.nodes)
            compiled.field = field
            for told in compiled.state.unread.values():
                _log.warning("%s", "; ".join(told), extra={"event": "fact.unread"})
        return compiled.program, compiled.state

    def asked_for(self, owner: str, channel: str) -> tuple[str, frozenset[str]]:
        """The stored digest of the rules in force for one owner's orders from one channel, and the
        facts that the store must be asked for before they can be put to an order."""
        compiled = self._for(owner, channel)
        return compiled.digest, compiled.program.asks

    def _compile(
        self,
        packs: Packs,
        known: dict[tuple[object, ...], _Compiled],
        owner: str,
        channel: str,
    ) -> _Compiled:
        active, elsewhere = packs.active(owner, channel), packs.set_by_rules()
        currency = self._settings.owners.get(owner, "")
        key = (currency, *((repr(activation), pack.digest) for pack, activation in active))
        compiled = known.get(key)
        if compiled is None:
            program = compile_program(
                active,
                facts=self.facts,
                engine=self.engine,
                currency=currency,
                elsewhere=elsewhere,
            )
            compiled = _Compiled(program, self._keep(active, currency, program.elsewhere))
            known[key] = compiled
        return compiled

    def _keep(
        self,
        active: Sequence[Active],
        currency: str,
        elsewhere: Sequence[FactSpec],
    ) -> str:
        """The digest of the packs and how they were activated, to be stored by `keep`."""
        rows = [
            {
                "pack": self._pend("pack", pack_bytes(pack)),
                "name": activation.pack,
                "version": activation.version,
                "layer": activation.layer,
                "owner": activation.owner,
                "channels": activation.channels,
                "parameters": dict(activation.parameters),
                "nodes": activation.nodes,
            }
            for pack, activation in active
        ]
        body = {
            "format": FORMAT,
            "currency": currency,
            "active": rows,
            "facts": self._foreign_facts(),
        }
        if elsewhere:
            body["elsewhere"] = elsewhere
        return self._pend("program", msgspec.json.encode(body))

    def _pend(self, kind: str, body: bytes) -> str:
        """Planning writes nothing: a body is stored when the first decision made by it is."""
        self._pending.append((kind, body))
        return hashlib.sha256(body).hexdigest()

    def keep(self) -> None:
        """Store everything that decisions made here refer to.

        Inside a caller's transaction that is every time: what was stored may have been taken back.
        """
        for kind, body in self._pending:
            self._store.put_blob(kind, body)
        if not self._joined:
            self._pending.clear()

    def _foreign_facts(self) -> list[FactSpec]:
        return [spec for spec in self.facts.values() if spec.name.count(".") > 1]

    def restore(self, digest: str) -> Program:
        """The program that a decision was made by, from the store.

        Raises:
            NotFound: the store does not hold it.
        """
        body: Mapping[str, Any] = msgspec.json.decode(self._store.blob(digest))
        active = []
        for row in body["active"]:
            tree = msgspec.json.decode(self._store.blob(row["pack"]))
            parameters = {
                name: tuple(value) if isinstance(value, list) else value
                for name, value in row["parameters"].items()
            }
            activation = Activation(
                row["name"],
                row["version"],
                row["layer"],
                row["owner"],
                tuple(row["channels"]),
                parameters,
                tuple(row["nodes"]),
            )
            active.append((parse_pack(tree, source=f"{row['name']} (stored)"), activation))
        facts = FactRegistry(FactSpec(**spec) for spec in body["facts"])
        elsewhere = [FactSpec(**spec) for spec in body.get("elsewhere", ())]
        return compile_program(
            active,
            facts=facts,
            engine=self.engine,
            currency=body["currency"],
            elsewhere={spec.name: spec for spec in elsewhere},
        )

    def forget_nodes(self) -> None:
        """The network has been replaced."""
        for compiled in self._compiled.values():
            compiled.state = None
            compiled.field = None
