"""Looks for what may hurt in the surroundings of one application: nothing is changed or written.

Each part is examined on its own; one that cannot be examined is itself a finding, so `examine`
never raises.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import frozen

from domcore.contracts import TellsTrouble
from domcore.errors import DomcoreError
from domcore.model.clock import from_micros
from domcore.plugins import Failure, describe
from domcore.programs import AUTO
from domcore.rule_remarks import remarks_here
from domcore.rules.engines.durable import available
from domcore.rules.program import Program, compile_program
from domcore.rules.remarks import NOTE
from domcore.seeing.attributes import unread
from domcore.seeing.weights import unweighed
from domcore.working.rules import NOT_IN_FORCE

if TYPE_CHECKING:
    from domcore.app import Domcore

OK: Final = "ok"
WARN: Final = "warn"
FAIL: Final = "fail"

_TABLES: Final = ("channels.", "connectors.", "plugins.")

TRUST_VARIABLE: Final = "DOMCORE_TRUST_SQLITE"
"""Set to 1 where the SQLite in use has the fix under an older version number (a back-port)."""

STRICT_SINCE: Final = (3, 37, 0)
RACE_UNTIL: Final = (3, 51, 3)
OLDEST_PYTHON: Final = (3, 11)

ROOM_WANTED: Final = 512_000_000
ROOM_NEEDED: Final = 64_000_000
"""Free bytes on the database's disk, below which to warn, and below which it will not do."""

LONG_LOG: Final = 256_000_000
"""Bytes of a write-ahead log that some reader must be keeping from being emptied."""

SLACK: Final = timedelta(seconds=5)
"""How far two clocks may be apart without being worth a word."""


@frozen(slots=True)
class Finding:
    """What was found about one subject.

    `level` is ``ok``, ``warn`` (it works, but may hurt) or ``fail`` (something will not work);
    `fix` says what to do, and is empty where nothing needs to be done.
    """

    level: str
    subject: str
    message: str
    fix: str = ""


Findings = Iterator[Finding]


def examine(dom: Domcore) -> list[Finding]:
    """Everything there is to say, part by part."""
    parts: tuple[tuple[str, Callable[[Domcore], Findings]], ...] = (
        ("python", _python),
        ("store", _store),
        ("disk", _disk),
        ("rule engine", _engine),
        ("rule packs", _packs),
        ("plugins", _plugins),
        ("channels", _channels),
        ("connectors", _connectors),
        ("geocoders", _geocoders),
        ("network", _network),
        ("items", _weights),
        ("clock", _clock),
    )
    found: list[Finding] = []
    for subject, part in parts:
        try:
            found += part(dom)
        except Exception as error:
            fix = "" if isinstance(error, DomcoreError) else "tell the makers of domcore"
            found.append(Finding(FAIL, subject, describe(error), fix))
    return found


def _python(_: Domcore) -> Findings:
    version = platform.python_version()
    if sys.version_info < OLDEST_PYTHON:
        yield Finding(FAIL, "python", f"Python {version} is too old", "use Python 3.11 or later")
    else:
        yield Finding(OK, "python", f"{platform.python_implementation()} {version}")


def _store(dom: Domcore) -> Findings:
    health = dom.store.health()
    engine = health.get("engine", "unknown")
    if "journal" not in health:
        durability = health.get("durability", "says nothing about its durability")
        level = WARN if durability.startswith("none") else OK
        fix = "give the setting 'store' a path" if level == WARN else ""
        yield Finding(level, "store", f"{engine}, {durability}", fix)
        return
    yield Finding(OK, "store", f"{engine}, schema {health['schema version']}, {health['path']}")
    yield from sqlite_findings()
    if health["journal"] != "wal":
        message = f"journal mode is {health['journal']}, not wal: readers stop the writer"
        yield Finding(FAIL, "journal", message, "keep the database on a local disk")
    if health["synchronous"] != dom.settings.synchronous:
        message = f"synchronous is {health['synchronous']}, not {dom.settings.synchronous} as set"
        yield Finding(WARN, "durability", message, "open the store by the setting, not by hand")
    elif health["synchronous"] == "NORMAL":
        message = "synchronous is NORMAL: a power cut may lose orders that were acknowledged"
        yield Finding(WARN, "durability", message, "set synchronous = 'FULL'")
    else:
        yield Finding(OK, "durability", f"synchronous is {health['synchronous']}, journal is wal")


def sqlite_findings() -> Findings:
    """What is known of the SQLite library itself, whatever store is used."""
    version, number = sqlite3.sqlite_version_info, sqlite3.sqlite_version
    if version < STRICT_SINCE:
        message = f"SQLite {number} has no STRICT tables"
        yield Finding(FAIL, "sqlite", message, "use SQLite 3.37 or later")
    elif version >= RACE_UNTIL:
        yield Finding(OK, "sqlite", f"SQLite {number}")
    elif os.environ.get(TRUST_VARIABLE) == "1":
        yield Finding(OK, "sqlite", f"SQLite {number}, declared sound by {TRUST_VARIABLE}")
    else:
        message = (
            f"SQLite {number} has a race in which several writers can damage a database in WAL"
            " mode (fixed in 3.51.3); domcore's own writers are kept apart by its lock file"
        )
        fix = (
            "let no other program write to the file, or use a newer SQLite; where your"
            f" distribution has back-ported the fix, set {TRUST_VARIABLE}=1"
        )
        yield Finding(WARN, "sqlite", message, fix)


def _disk(dom: Domcore) -> Findings:
    where = dom.store.health().get("path")
    if where is None:
        return
    path = Path(where).absolute()
    for needed in (path, path.parent):
        if not os.access(needed, os.W_OK):
            yield Finding(
                FAIL, "disk", f"{needed} may not be written", "give this user the permission"
            )
    free = shutil.disk_usage(path.parent).free
    level = FAIL if free < ROOM_NEEDED else WARN if free < ROOM_WANTED else OK
    fix = "" if level == OK else "make room before the disk is full"
    yield Finding(level, "disk", f"{free // 1_000_000:,} MB free beside the database", fix)
    yield from _privacy(path)
    yield from _lock(path.with_name(path.name + ".lock"))
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size > LONG_LOG:
        message = f"the write-ahead log has grown to {log.stat().st_size // 1_000_000:,} MB"
        yield Finding(WARN, "disk", message, "find the reader that never finishes")


def _privacy(path: Path) -> Findings:
    """Who may read the names and addresses in the database and the files beside it."""
    if os.name != "posix":
        return
    files = [path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))]
    modes = {file: file.stat().st_mode & 0o777 for file in files if file.exists()}
    open_to_all = [file for file, mode in modes.items() if mode & 0o007]
    if open_to_all:
        message = f"everybody on this machine may read {' and '.join(map(str, open_to_all))}"
        fix = f"chmod o= {' '.join(shlex.quote(str(file)) for file in open_to_all)}"
        yield Finding(WARN, "privacy", f"{message}: names and addresses are in it", fix)
    else:
        group = " and group" if any(mode & 0o070 for mode in modes.values()) else ""
        yield Finding(OK, "privacy", f"only the database's owner{group} may read it")


def _lock(path: Path) -> Findings:
    try:
        import fcntl  # noqa: F401 - only whether there is one
    except ImportError:
        message = "this platform has no flock: under load, writers may wait unfairly long"
        yield Finding(WARN, "lock", message, "keep to few writing processes")
        return
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        message = f"{path} may not be opened: writers do not queue"
        yield Finding(FAIL, "lock", message, "let all writing users share it (same group)")
    else:
        yield Finding(OK, "lock", "writers queue fairly")


def _engine(dom: Domcore) -> Findings:
    usable, reason = available()
    wanted = dom.settings.engine
    name = dom._kit.programs.engine.name
    if name != "durable" and wanted == AUTO and not usable:
        message = f"runs on {name}; {reason}"
        fix = "the answers are the same; set engine = 'python' to be told no more"
        yield Finding(WARN, "rule engine", message, fix)
    else:
        other = "durable is available" if usable else "durable is not available"
        yield Finding(OK, "rule engine", f"{name} ({other})")


def _packs(dom: Domcore) -> Findings:
    programs = dom._kit.programs
    active = {each.pack for each in dom.settings.activate}
    for info in programs.packs():
        if info.error:
            level = FAIL if info.name in active else WARN
            yield Finding(level, f"pack {info.name}", info.error, "see 'domcore rulesets check'")
    if programs.error:
        fix = "mend them; the rules from before are in force until then"
        yield Finding(FAIL, "rule packs", f"{NOT_IN_FORCE}{programs.error}", fix)
    elif programs.stale():
        message = "packs were edited since they were read; the next round of work takes them up"
        yield Finding(WARN, "rule packs", message, "domcore work --once")
    if not active:
        message = "no pack is activated: the cheapest plan wins, whatever it is"
        yield Finding(WARN, "rule packs", message, "add an [[activate]] table to domcore.toml")
    channels = ["", *(channel.name for channel in dom.settings.channels)]
    seen: set[tuple[str, ...]] = set()
    compiled: list[Program] = []
    for owner in sorted(dom.settings.owners):
        for channel in channels:
            packs = programs.active_packs(owner, channel)
            names = tuple(f"{pack.name} {pack.version}" for pack, _ in packs)
            if names in seen:
                continue
            seen.add(names)
            compiled.append(
                compile_program(
                    packs,
                    facts=programs.facts,
                    engine=programs.engine,
                    elsewhere=programs.set_by_rules(),
                )
            )
            if names:
                yield Finding(OK, "rule packs", f"{', '.join(names)} for {owner}: compiled")
    for remark in remarks_here(dom, compiled, now=dom.now()):
        if remark.level != NOTE:
            yield Finding(WARN, "rule packs", str(remark), "see 'domcore rulesets check'")
    for message in unread(dom.store, dom.network(), compiled):
        yield Finding(WARN, "rule packs", message, "write it as the fact's type wants it")


def _plugins(dom: Domcore) -> Findings:
    for register in (dom.channels, dom.connectors):
        register()  # lazily; so that its failures are known
    foreign = [status for status in dom.plugins.status() if not status.builtin]
    missing = dom._judges.missing(dom.store)
    for name, message in missing.items():
        yield Finding(
            FAIL, f"plugin {name}", message, f"install it, or domcore plugins --gone {name}"
        )
    for status in foreign:
        subject = f"plugin {status.name}"
        if status.name in missing:
            continue
        if status.error:
            own = status.error.startswith(_TABLES)
            fix = "mend the setting" if own else "upgrade, repair or uninstall it"
            yield Finding(FAIL, subject, status.error, fix)
        elif status.failures:
            often = f"{status.failures} time{'s' * (status.failures != 1)}"
            message = f"has failed {often} since the start"
            yield Finding(WARN, subject, message, "see the log of domcore.plugins")
        else:
            yield Finding(OK, subject, f"{status.version or 'unversioned'} works")
    for plugin, told in dom.plugins.each("trouble", dom=dom):
        if not isinstance(told, Failure | str):
            for each in told or ():
                yield Finding(WARN, f"plugin {plugin}", str(each), "see the plugin's page")
    if not (foreign or missing):
        yield Finding(OK, "plugins", "none besides the built-in")


def _channels(dom: Domcore) -> Findings:
    served = dom.channels()
    for channel in dom.settings.channels:
        subject = f"channel {channel.name}"
        if channel.name not in served:
            yield _unserved(dom, "channel", channel.name, channel.kind)
        elif channel.owner not in dom.settings.owners:
            message = f"its owner {channel.owner!r} is not configured"
            yield Finding(FAIL, subject, message, "add the owner with its currency to [owners]")
        else:
            yield Finding(OK, subject, f"served ({channel.kind})")
            yield from _trouble(subject, served[channel.name])
    told = {f"{what}:{channel}" for what in ("pull", "publish") for channel in served}
    yield from _failing(dom, told, "channel")


def _failing(dom: Domcore, tasks: set[str], what: str) -> Findings:
    """Tasks that do not work out, and since when."""
    for task in dom.store.tasks():
        if task.failed_at is not None and task.name in tasks:
            kind, _, name = task.name.partition(":")
            times = f"{task.attempts} time{'s' * (task.attempts != 1)}"
            since = f"{from_micros(task.failed_at):%Y-%m-%d %H:%M} UTC"
            message = f"{kind} has failed {times} since {since}: {task.note or 'it did not end'}"
            yield Finding(WARN, f"{what} {name}", message, f"domcore retry task/{task.name}")


def _trouble(subject: str, served: object) -> Findings:
    """What a channel or connector says itself."""
    if not isinstance(served, TellsTrouble):
        return
    try:
        told = [str(each) for each in served.trouble()]
    except Exception as error:  # a plugin's own: one that fails here must not end the examination
        told = [f"cannot say what is wrong with it: {describe(error)}"]
    for each in told:
        yield Finding(WARN, subject, each, "see the plugin's page")


def _unserved(dom: Domcore, what: str, name: str, kind: str) -> Finding:
    """Why nobody serves it: its plugin refuses the settings, or there is none."""
    table = f"{what}s.{name}"
    for status in dom.plugins.status():
        if status.error.startswith((f"{table}.", f"{table}:")):
            message = f"plugin {status.name} refuses its settings: {status.error}"
            return Finding(FAIL, f"{what} {name}", message, "mend the setting")
    message = f"no plugin serves {what}s of kind {kind!r}"
    return Finding(FAIL, f"{what} {name}", message, f"install the plugin domcore-{kind}")


def _connectors(dom: Domcore) -> Findings:
    served = dom.connectors()
    for connector in dom.settings.connectors:
        subject = f"connector {connector.name}"
        if connector.name in served:
            yield Finding(OK, subject, f"served ({connector.kind})")
            yield from _trouble(subject, served[connector.name])
        else:
            yield _unserved(dom, "connector", connector.name, connector.kind)
    yield from _failing(dom, {f"poll:{name}" for name in served}, "connector")
    named = {node.connector for node in dom.network().nodes if node.connector}
    for name in sorted(named - {each.name for each in dom.settings.connectors} - served.keys()):
        nodes = sum(node.connector == name for node in dom.network().nodes)
        message = f"{nodes} nodes name it, and nobody serves it: their work waits"
        yield Finding(WARN, f"connector {name}", message, f"add [connectors.{name}]")


def _geocoders(dom: Domcore) -> Findings:
    for _, geocoder in dom._kit.geocoders():
        yield from _trouble(f"geocoder {geocoder.name}", geocoder)


def _network(dom: Domcore) -> Findings:
    network = dom.network()
    nodes = [node for node in network.nodes if node.enabled]
    if not nodes:
        message = "no node is there to ship anything"
        yield Finding(WARN, "network", message, "load a network: domcore load network.toml")
        return
    yield Finding(OK, "network", _size(len(nodes), len(network.rate_cards)))
    currencies = {card.id: card.currency for card in network.rate_cards}
    for owner, currency in sorted(dom.settings.owners.items()):
        held = [node for node in nodes if not node.owners or owner in node.owners]
        unpriced = [node.id for node in held if currencies.get(node.rate_card) != currency]
        if not held:
            message = "no node may hold its goods"
            yield Finding(WARN, f"owner {owner}", message, "name it under the nodes' owners")
        elif unpriced:
            message = f"{len(unpriced)} nodes have no rate card in {currency}: {unpriced[0]} ..."
            yield Finding(
                FAIL if len(unpriced) == len(held) else WARN,
                f"owner {owner}",
                message,
                "give them a rate card in the owner's currency",
            )


def _weights(dom: Domcore) -> Findings:
    for owner, message in unweighed(dom.store, dom.network()):
        fix = "give the items a weight in grams, and load them again"
        yield Finding(WARN, f"owner {owner}", message, fix)


def _size(nodes: int, cards: int) -> str:
    return f"{nodes} node{'s' * (nodes != 1)}, {cards} rate card{'s' * (cards != 1)}"


def _clock(dom: Domcore) -> Findings:
    newest = _newest_event(dom)
    now = dom.now()
    if newest is None:
        yield Finding(OK, "clock", f"{now:%Y-%m-%d %H:%M} UTC, nothing to hold it against")
        return
    last = dom.store.events(after=newest - 1, limit=1)[0]
    if last.at > now + SLACK:
        message = f"the clock says {now:%Y-%m-%d %H:%M:%S}, but an event is of {last.at:%H:%M:%S}"
        behind = (last.at - now).total_seconds()
        yield Finding(
            WARN,
            "clock",
            f"{message} ({behind:,.0f} s later): it was set back, or another machine's is ahead",
            "synchronize the clocks (NTP); reservations expire by them",
        )
    else:
        yield Finding(OK, "clock", f"{now:%Y-%m-%d %H:%M} UTC, later than the newest event")


def _newest_event(dom: Domcore) -> int | None:
    """The last event's number, by looking at ever smaller steps: there may be millions."""
    step, last = 1, 0
    while dom.store.events(after=last + step - 1, limit=1):
        last, step = last + step, step * 2
    while step:
        if dom.store.events(after=last + step - 1, limit=1):
            last += step
        step //= 2
    return last or None
