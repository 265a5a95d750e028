"""Finds packs, puts the active ones together, and compiles them once per owner and channel."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from attrs import define, frozen

from domcore import __version__
from domcore.errors import ConfigurationError
from domcore.model import FactSpec
from domcore.plugins import Plugins
from domcore.rules.compiler import facts_set_by
from domcore.rules.engines.protocol import RuleEngine
from domcore.rules.facts import FactRegistry
from domcore.rules.loader import load_pack, parse_pack
from domcore.rules.node_state import NodeState
from domcore.rules.pack import Activation, Pack, pack_bytes
from domcore.rules.program import Program, compile_program
from domcore.settings import Settings
from domcore.sourcing.field import Field
from domcore.store.protocol import Store

AUTO: Final = "auto"
PREFERRED: Final = ("durable", "python")
FORMAT: Final = 1

_log = logging.getLogger("domcore.rules")


@frozen(slots=True)
class PackInfo:
    """One pack as the operator sees it; `error` says why it cannot be used, if it cannot."""

    name: str
    path: str
    pack: Pack | None = None
    active: tuple[Activation, ...] = ()
    error: str = ""


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
        self._packs: list[PackInfo] | None = None
        self._set_by_rules: dict[str, FactSpec] | None = None
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

    def packs(self) -> list[PackInfo]:
        """Every pack that can be found, broken ones with their error; sorted by name."""
        if self._packs is None:
            self._packs = [self._info(path) for path in self._folders()]
            self._packs.sort(key=lambda info: (info.name, info.path))
        return self._packs

    def _folders(self) -> list[Path]:
        found: dict[Path, None] = {}
        root = Path(self._settings.root)
        for folder in self._settings.rulesets:
            for file in sorted((root / folder).glob("*/ruleset.*")):
                found[file.parent.resolve()] = None
        for _, path in self._plugins.collect("register_rulesets", str, dom=self._dom):
            found[Path(path).resolve()] = None
        return list(found)

    def _info(self, path: Path) -> PackInfo:
        try:
            pack = load_pack(path)
        except ConfigurationError as error:
            return PackInfo(path.name, str(path), error=str(error))
        active = tuple(
            activation
            for activation in self.activations()
            if activation.pack == pack.name and activation.version in ("", pack.version)
        )
        return PackInfo(pack.name, str(path), pack, active)

    def activations(self) -> list[Activation]:
        """What the project file switches on."""
        return [
            Activation(
                each.pack,
                each.version,
                each.layer,
                each.owner,
                each.channels,
                dict(each.parameters),
                each.nodes,
            )
            for each in self._settings.activate
        ]

    def active_packs(self, owner: str, channel: str) -> list[tuple[Pack, Activation]]:
        """The packs in force for one owner's orders from one channel.

        Raises:
            ConfigurationError: an activated pack is missing, broken or of another version.
        """
        return [
            (self._pack_for(activation), activation)
            for activation in self.activations()
            if activation.covers(owner, channel)
        ]

    def set_by_rules(self) -> dict[str, FactSpec]:
        """The facts that activated packs set, for whatever orders: where none of these is in force
        they are known, and missing."""
        if self._set_by_rules is None:
            found = []
            for each in self.activations():
                try:
                    found.append((self._pack_for(each), each))
                except ConfigurationError:
                    continue  # told where the pack itself is needed
            self._set_by_rules = facts_set_by(found)
        return self._set_by_rules

    def active_digests(self) -> list[tuple[str, str]]:
        """Every activation with the digest of its pack; empty where that cannot be used."""
        found = []
        for each in self.activations():
            try:
                digest = self._pack_for(each).digest
            except ConfigurationError:
                digest = ""
            found.append((repr(each), digest))
        return found

    def _pack_for(self, activation: Activation) -> Pack:
        named = [info for info in self.packs() if info.name == activation.pack]
        meant: dict[str, PackInfo] = {}
        for info in named:
            if info.error:
                raise ConfigurationError(info.error)
            if info.pack and activation.version in ("", info.pack.version):
                meant.setdefault(info.pack.digest, info)
        if len(meant) > 1:
            places = "; ".join(
                f"{info.pack.version} in {info.path}" for info in meant.values() if info.pack
            )
            raise ConfigurationError(
                f"several packs are called {activation.pack!r} ({places});"
                " say which version is meant, or rename one",
                source="setting activate",
            )
        for info in meant.values():
            if info.pack:
                return info.pack
        versions = ", ".join(info.pack.version for info in named if info.pack)
        wanted = f"version {activation.version} of pack" if versions else "pack"
        there = f"; there is {versions}" if versions else ""
        raise ConfigurationError(
            f"activated {wanted} {activation.pack!r} is not there{there};"
            " see 'domcore rulesets list'",
            source="setting activate",
        )

    def for_orders_of(self, owner: str, channel: str, field: Field) -> tuple[Program, NodeState]:
        """The compiled rules for one owner's orders from one channel, and their node side."""
        compiled = self._by_order.get((owner, channel))
        if compiled is None:
            currency = self._settings.owners.get(owner, "")
            compiled = self._compile(self.active_packs(owner, channel), currency)
            self._by_order[owner, channel] = compiled
        if compiled.state is None or compiled.field is not field:
            compiled.state = compiled.program.node_state(field.nodes)
            compiled.field = field
            for told in compiled.state.unread.values():
                _log.warning("%s", "; ".join(told))
        return compiled.program, compiled.state

    def digest_for(self, owner: str, channel: str) -> str:
        """The stored digest of the rules in force; `for_orders_of` has been called."""
        return self._by_order[owner, channel].digest

    def _compile(self, active: Sequence[tuple[Pack, Activation]], currency: str) -> _Compiled:
        elsewhere = tuple(sorted(self.set_by_rules()))
        key = (currency, elsewhere, *((repr(each), pack.digest) for pack, each in active))
        compiled = self._compiled.get(key)
        if compiled is None:
            program = compile_program(
                active,
                facts=self.facts,
                engine=self.engine,
                currency=currency,
                elsewhere=self.set_by_rules(),
            )
            compiled = _Compiled(program, self._keep(active, currency, program.elsewhere))
            self._compiled[key] = compiled
        return compiled

    def _keep(
        self,
        active: Sequence[tuple[Pack, Activation]],
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
