"""The packs of one application: found, read, switched on, and read again once they were edited."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import frozen

from domcore.errors import ConfigurationError
from domcore.model import FactSpec
from domcore.pack_files import Signature, pack_folders, signature
from domcore.plugins import Plugins
from domcore.rules.compiler import Active, facts_set_by
from domcore.rules.loader import load_pack
from domcore.rules.pack import Activation, Pack
from domcore.settings import Settings


@frozen(slots=True)
class PackInfo:
    """One pack as the operator sees it; `error` says why it cannot be used, if it cannot."""

    name: str
    path: str
    pack: Pack | None = None
    active: tuple[Activation, ...] = ()
    error: str = ""


@frozen(slots=True)
class Change:
    """Packs were edited. `before` and `digest` name the rules that were and are in force, `packs`
    are ``(name, version, digest)`` of those of them that are other. With an `error`, what was
    written cannot be used, and `before` stays in force."""

    before: str
    digest: str
    packs: tuple[tuple[str, str, str], ...] = ()
    error: str = ""


class Packs:
    """What there is, and what of it is activated."""

    def __init__(self, dom: Any, plugins: Plugins, settings: Settings) -> None:
        self._dom = dom
        self._plugins = plugins
        self._settings = settings
        self._found: list[PackInfo] | None = None
        self._given: list[str] | None = None
        """What plugins have brought; they are asked once."""
        self._seen: Signature = ()
        self._set_by_rules: dict[str, FactSpec] | None = None
        self.error = ""
        """Why packs that were edited are not in force; empty where what was written last is."""

    def all(self) -> list[PackInfo]:
        """Every pack that can be found, broken ones with their error; sorted by name."""
        if self._found is None:
            folders = self._folders()
            # Looked at first: what is written while they are read is read again.
            self._seen = signature(folders)
            self._found = sorted(map(self._info, folders), key=lambda info: (info.name, info.path))
        return self._found

    def stale(self) -> bool:
        """Whether a file of a pack was written since they were read."""
        return self._found is not None and signature(self._folders()) != self._seen

    def refresh(self, compile_all: Callable[[Packs], None]) -> Change | None:
        """Read packs again if their files were written since; None where nothing comes of it.

        Args:
            compile_all: compiles whatever is in force by these packs.
        """
        if not self.stale():
            return None
        fresh = Packs(self._dom, self._plugins, self._settings)
        fresh._given = self._given
        fresh.all()
        before, after = self.active_digests(), fresh.active_digests()
        self._seen = fresh._seen
        try:
            compile_all(fresh)
        except ConfigurationError as error:
            self.error = str(error)
            if self._usable(compile_all):
                return Change(_digest(before), _digest(before), error=self.error)
        else:
            self.error = ""
        self._found, self._set_by_rules = fresh._found, None
        if before == after:
            return None
        changed = fresh._others(dict(before))
        return Change(_digest(before), _digest(after), changed, self.error)

    def _usable(self, compile_all: Callable[[Packs], None]) -> bool:
        """Whether what is in force can be: what cannot gives way to what was written since."""
        try:
            compile_all(self)
        except ConfigurationError:
            return False
        return True

    def _others(self, before: dict[str, str]) -> tuple[tuple[str, str, str], ...]:
        changed = {
            (each.name, each.pack.version, each.pack.digest): None
            for each in self.all()
            if each.pack
            for activation in each.active
            if before.get(repr(activation)) != each.pack.digest
        }
        return tuple(changed)

    def _folders(self) -> list[Path]:
        if self._given is None:
            given = self._plugins.collect("register_rulesets", str, dom=self._dom)
            self._given = [path for _, path in given]
        return pack_folders(Path(self._settings.root), self._settings.rulesets, self._given)

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

    def active(self, owner: str, channel: str) -> list[Active]:
        """The packs in force for one owner's orders from one channel. The same activation written
        twice is one.

        Raises:
            ConfigurationError: an activated pack is missing, broken or of another version.
        """
        distinct = {
            repr(activation): activation
            for activation in self.activations()
            if activation.covers(owner, channel)
        }
        return [(self.pack_for(activation), activation) for activation in distinct.values()]

    def set_by_rules(self) -> dict[str, FactSpec]:
        """The facts that packs set, those that are activated first: where none of these is in force
        they are known, and missing."""
        if self._set_by_rules is None:
            others = [
                (info.pack, Activation(info.pack.name))
                for info in self.all()
                if info.pack and not info.active
            ]
            self._set_by_rules = facts_set_by([*self._usable_active(), *others])
        return self._set_by_rules

    def never_set(self) -> frozenset[str]:
        """The facts that only packs set which are not activated at all."""
        return frozenset(self.set_by_rules()) - frozenset(facts_set_by(self._usable_active()))

    def _usable_active(self) -> list[Active]:
        found = []
        for each in self.activations():
            try:
                found.append((self.pack_for(each), each))
            except ConfigurationError:
                continue  # told where the pack itself is needed
        return found

    def active_digests(self) -> list[tuple[str, str]]:
        """Every activation with the digest of its pack; empty where that cannot be used."""
        found = []
        for each in self.activations():
            try:
                digest = self.pack_for(each).digest
            except ConfigurationError:
                digest = ""
            found.append((repr(each), digest))
        return found

    def pack_for(self, activation: Activation) -> Pack:
        """The pack that an activation means.

        Raises:
            ConfigurationError: there is none, it is broken, or there are several.
        """
        named = [info for info in self.all() if info.name == activation.pack]
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


def audiences(settings: Settings) -> list[tuple[str, str]]:
    """Owner and channel of all the orders that packs are in force for; the channel is empty where
    none is configured."""
    channels = [(each.owner, each.name) for each in settings.channels]
    return channels or [(owner, "") for owner in settings.owners]


def _digest(active: list[tuple[str, str]]) -> str:
    """SHA-256 over activations and packs, in hex."""
    return hashlib.sha256(json.dumps(active).encode()).hexdigest()
