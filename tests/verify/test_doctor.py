from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domcore import (
    ActivationSettings,
    ChannelSettings,
    Domcore,
    Settings,
    doctor,
    hookimpl,
)
from domcore.doctor import Finding, examine
from domcore.errors import ConfigurationError, NotFound
from domcore.model import Envelope, Handover, Receipt
from domcore.settings import ConnectorSettings
from domcore.store.sqlite import SqliteStore
from domcore.store.sqlite.connection import Settings as SqliteSettings
from domcore.testing.builder import World


@pytest.fixture
def world() -> World:
    return World().node("NYC", at=(40.7, -74.0)).item("MUG", weight=300).stock("MUG", NYC=9)


def about(dom: Domcore, subject: str) -> list[Finding]:
    return [each for each in examine(dom) if each.subject == subject]


def level(dom: Domcore, subject: str) -> set[str]:
    return {each.level for each in about(dom, subject)}


def settings(path: Path, **more: Any) -> Settings:
    return Settings(store=str(path / "domcore.db"), **more)


def test_a_healthy_application_has_no_failures(world: World, tmp_path: Path) -> None:
    with world.open(settings(tmp_path)) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        found = examine(dom)
    assert "fail" not in {each.level for each in found}, found
    subjects = {each.subject for each in found}
    assert {"python", "store", "sqlite", "durability", "disk", "lock", "clock"} <= subjects
    assert all(each.fix for each in found if each.level != "ok")


def test_it_takes_no_time_and_changes_nothing(world: World, tmp_path: Path) -> None:
    with world.open(settings(tmp_path)) as dom:
        dom.capture_all(world.order(str(number), MUG=1) for number in range(300))
        before = sqlite3.connect(tmp_path / "domcore.db").execute("PRAGMA data_version").fetchone()
        examine(dom)
        began = time.process_time()
        examine(dom)
        assert time.process_time() - began < 0.5
        after = sqlite3.connect(tmp_path / "domcore.db").execute("PRAGMA data_version").fetchone()
    assert before == after


@pytest.mark.parametrize(
    ("version", "expected"), [((3, 36, 0), "fail"), ((3, 51, 2), "warn"), ((3, 51, 3), "ok")]
)
def test_hazardous_sqlite_versions_are_named(
    version: tuple[int, int, int],
    expected: str,
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with world.open(settings(tmp_path)) as dom:
        monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
        monkeypatch.setattr(sqlite3, "sqlite_version", ".".join(map(str, version)))
        assert level(dom, "sqlite") == {expected}


def test_a_back_ported_fix_can_be_declared(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    monkeypatch.setenv(doctor.TRUST_VARIABLE, "1")
    with world.open(settings(tmp_path)) as dom:
        assert level(dom, "sqlite") == {"ok"}


def test_weaker_durability_is_a_warning(world: World, tmp_path: Path) -> None:
    path = tmp_path / "domcore.db"
    for chosen in ("NORMAL", "FULL"):
        store = SqliteStore(path, SqliteSettings(synchronous="NORMAL"))
        with world.open(settings(tmp_path, synchronous=chosen), store=store) as dom:
            assert level(dom, "durability") == {"warn"}


def test_a_store_in_memory_is_a_warning(world: World) -> None:
    with world.open() as dom:
        assert level(dom, "store") == {"warn"}


def test_little_room_on_the_disk_is_seen(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 10_000_000

    with world.open(settings(tmp_path)) as dom:
        monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: Usage)
        assert "fail" in level(dom, "disk")


def test_a_clock_that_was_set_back_is_seen(world: World, tmp_path: Path) -> None:
    with world.open(settings(tmp_path)) as dom:
        dom.capture_all(world.order(str(number), MUG=1) for number in range(77))
        assert level(dom, "clock") == {"ok"}
        world.clock.now -= timedelta(hours=2)
        assert level(dom, "clock") == {"warn"}


def test_a_network_without_nodes_is_a_warning(tmp_path: Path) -> None:
    with Domcore(settings(tmp_path), load_plugins=False) as dom:
        assert level(dom, "network") == {"warn"}


def test_an_owner_whose_currency_no_rate_card_has_is_a_failure(
    world: World, tmp_path: Path
) -> None:
    owners = {"main": "USD", "oslo": "NOK"}
    with world.open(settings(tmp_path, owners=owners)) as dom:
        assert level(dom, "owner oslo") == {"fail"}
        assert level(dom, "owner main") == set()


def test_a_channel_nobody_serves_is_a_failure(world: World, tmp_path: Path) -> None:
    channels = (ChannelSettings("shop", "bazaar"),)
    with world.open(settings(tmp_path, channels=channels)) as dom:
        (finding,) = about(dom, "channel shop")
    assert finding.level == "fail"
    assert "domcore-bazaar" in finding.fix


def test_what_a_channel_or_connector_says_of_itself_is_told(world: World, tmp_path: Path) -> None:
    class Troubled:
        def __init__(self, name: str, trouble: object) -> None:
            self.name, self._trouble = name, trouble

        def receive(self, envelope: Envelope) -> list[object]:
            return []

        def release(self, handover: Handover) -> Receipt:
            return Receipt("accepted")

        cancel = reconcile = release

        def trouble(self) -> object:
            if isinstance(self._trouble, Exception):
                raise self._trouble
            return self._trouble

    class Bazaar:
        @hookimpl
        def register_channels(self) -> list[object]:
            return [Troubled("shop", ["two files were set aside"])]

        @hookimpl
        def register_connectors(self) -> list[object]:
            return [Troubled("north", ValueError("boom"))]

    wanted = settings(
        tmp_path,
        channels=(ChannelSettings("shop", "bazaar"),),
        connectors=(ConnectorSettings("north", "bazaar"),),
    )
    with world.open(wanted, plugins={"bazaar": Bazaar()}) as dom:
        served, told = about(dom, "channel shop")
        assert (served.level, told.level, told.message) == (
            "ok",
            "warn",
            "two files were set aside",
        )
        served, told = about(dom, "connector north")
        assert (told.level, "cannot say" in told.message) == ("warn", True)


def test_a_plugin_that_refuses_its_settings_is_told_by_the_setting(
    world: World, tmp_path: Path
) -> None:
    class Bazaar:
        @hookimpl
        def register_channels(self, dom: Domcore) -> list[object]:
            if not dom.settings.channels:
                return []
            raise ConfigurationError("is missing", place="channels.shop.secret")

        @hookimpl
        def register_connectors(self, dom: Domcore) -> list[object]:
            if not dom.settings.connectors:
                return []
            raise ConfigurationError("must be an address", place="connectors.north.url")

    for more in (
        {"channels": (ChannelSettings("shop", "bazaar"),)},
        {"connectors": (ConnectorSettings("north", "bazaar"),)},
    ):
        (what,) = more
        with world.open(settings(tmp_path, **more), plugins={"bazaar": Bazaar()}) as dom:
            subject = {"channels": "channel shop", "connectors": "connector north"}[what]
            (finding,) = about(dom, subject)
            assert level(dom, "plugin bazaar") == {"fail"}
        assert (finding.level, finding.fix) == ("fail", "mend the setting")
        assert "plugin bazaar" in finding.message
        if what == "channels":
            with pytest.raises(NotFound, match=r"channels\.shop\.secret: is missing"):
                dom.receive("shop", b"", {})


def test_a_pack_that_is_not_there_is_a_failure(world: World, tmp_path: Path) -> None:
    activate = (ActivationSettings("no-such-pack"),)
    with world.open(settings(tmp_path, activate=activate)) as dom:
        assert "fail" in level(dom, "rule packs")


def test_a_broken_pack_is_named(world: World, tmp_path: Path) -> None:
    pack = tmp_path / "rulesets" / "sad"
    pack.mkdir(parents=True)
    (pack / "ruleset.toml").write_text("format = 'seven'", encoding="utf-8")
    activate = (ActivationSettings("sad"),)
    with world.open(settings(tmp_path, root=str(tmp_path), activate=activate)) as dom:
        assert level(dom, "pack sad") == {"fail"}


def test_attributes_that_rules_cannot_read_are_named(tmp_path: Path) -> None:
    pack = tmp_path / "rulesets" / "docks"
    pack.mkdir(parents=True)
    (pack / "ruleset.toml").write_text(
        """
        format = 1
        name = "docks"
        version = "1.0.0"
        fact = [{ name = "node.docks", type = "int" }, { name = "line.cold", type = "bool" }]
        [[rule]]
        id = "busy"
        when = "node.docks < 2 and line.cold"
        then = "exclude"
        """,
        encoding="utf-8",
    )
    world = World().node("A", at=(40.7, -74.0), attributes=(("docks", "many"),))
    world.node("B", at=(40.7, -74.0), attributes=(("docks", "3"),))
    for sku, cold in (("ICE", "perhaps"), ("MUG", "no")):
        world.item(sku, attributes=(("cold", cold),))
    world.stock("ICE", A=5, B=5)
    asked = settings(tmp_path, root=str(tmp_path), activate=(ActivationSettings("docks"),))
    with world.open(asked) as dom:
        told = [each.message for each in about(dom, "rule packs") if each.level == "warn"]
        assert [words.partition(": ")[0] for words in told] == ["node A", "item ICE"]
        dom.capture(world.order("1", ICE=1))
        (told_at_routing,) = dom.route().incidents
        assert "item ICE" in told_at_routing
        assert "node A" in told_at_routing
        routed = [each for each in dom.events() if each.kind == "order.routed"]
        assert len(routed[0].body["incidents"]) == 2


def test_a_plugin_that_fails_is_named(world: World, tmp_path: Path) -> None:
    class Sulking:
        @hookimpl
        def register_channels(self, dom: Domcore) -> list[object]:
            raise RuntimeError("not today")

    with world.open(settings(tmp_path), plugins={"sulking": Sulking()}) as dom:
        assert level(dom, "plugin sulking") == {"warn"}


def test_the_engine_is_named_and_a_missing_one_explained(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world.open(settings(tmp_path, engine="python")) as dom:
        (finding,) = about(dom, "rule engine")
        assert finding.level == "ok"
        assert "python" in finding.message
    with world.open(settings(tmp_path, engine="nonsense")) as dom:
        assert level(dom, "rule engine") == {"fail"}


def test_nothing_that_breaks_makes_it_raise(shops: Callable[[str], Any]) -> None:
    dom = shops("sqlite").dom
    dom.close()
    found = examine(dom)
    assert {"fail"} <= {each.level for each in found}
    assert all(each.message for each in found)


def test_a_connector_nobody_serves_is_named_with_its_package(world: World, tmp_path: Path) -> None:
    connectors = (ConnectorSettings("mcf", "amazon-mcf"),)
    world.node("LAX", at=(34.0, -118.2), connector="bolt")
    settings = Settings(store=str(tmp_path / "shop.db"), connectors=connectors)
    with world.open(settings) as dom:
        found = {each.subject: each for each in dom.doctor()}
    assert (found["connector mcf"].level, found["connector bolt"].level) == ("fail", "warn")
    assert "domcore-amazon-mcf" in found["connector mcf"].fix
