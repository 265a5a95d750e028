"""A name has one plugin: of two that claim it neither takes the other's place in silence."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from domcore import ConfigurationError, ConnectorSettings, Settings, hookimpl
from domcore.config import read_settings
from domcore.plugin_sources import OURS
from domcore.testing.builder import World

ROOT = Path(__file__).resolve().parents[2]
JUDGE = """
from domcore import hookimpl
from domcore.model import Directive

class Judge:
    @hookimpl
    def judge(self, order):
        return [Directive("host/none", "exclude", nodes=("NYC",))]

plugin = Judge()
unmarked = lambda order: []

class Shelf:
    plugin = Judge
"""


def shop() -> World:
    return World().node("NYC", at=(40.71, -74.0)).item("MUG").stock("MUG", NYC=5)


@pytest.fixture
def site(tmp_path: Path, monkeypatch) -> Path:
    """A folder on the path, as a virtual environment has one."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def install(site: Path, package: str, name: str, code: str = JUDGE) -> None:
    """What pip leaves of a package with one plugin."""
    module = package.replace("-", "_").replace(".", "_")
    (site / f"{module}.py").write_text(code + "\n\njudge = hookimpl(lambda order: [])\n")
    info = site / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[domcore]\n{name} = {module}\n")


def states(dom) -> dict[str, str]:
    return {each.name: each.error for each in dom.plugins.status() if not each.builtin}


def test_the_list_of_our_plugins_is_that_of_the_source():
    folders = (ROOT / "plugins").glob("domcore-*/pyproject.toml")
    assert sorted(OURS) == sorted(each.parent.name.removeprefix("domcore-") for each in folders)


def test_a_stranger_does_not_take_the_place_of_ours(site, tmp_path):
    install(site, "a-foreign-package", "files")
    floor = ConnectorSettings("floor", "files", {"folder": str(tmp_path)})
    asked = Settings(store="memory:", plugins=("files",), connectors=(floor,))
    with shop().open(asked, load_plugins=True) as dom:
        assert list(dom.connectors()) == ["floor"]
        found = states(dom)
        assert found.pop("files") == ""
        ((name, error),) = found.items()
        assert name == "files (a-foreign-package)"
        assert "the name is that of package domcore-files" in error
        told = [each for each in dom.doctor() if each.level == "fail"]
        assert [each.subject for each in told] == ["plugin files (a-foreign-package)"]


def test_a_stranger_does_not_get_the_name_of_domcore_itself(site):
    install(site, "loud", "domcore")
    with shop().open(Settings(store="memory:", plugins=("domcore",)), load_plugins=True) as dom:
        assert "domcore itself" in states(dom)["domcore (loud)"]
        assert dom.packs()


def test_of_two_strangers_of_one_name_none_is_loaded(site):
    install(site, "acme-one", "acme")
    install(site, "acme-two", "acme")
    with shop().open(Settings(store="memory:", plugins=("acme",)), load_plugins=True) as dom:
        assert not dom.plugins.foreign("judge")
        assert "packages acme-one and acme-two bring a plugin of this name" in states(dom)["acme"]


def test_a_package_of_its_own_name_keeps_it_before_a_stranger(site):
    install(site, "acme-two", "acme")
    install(site, "domcore_acme", "acme")
    with shop().open(Settings(store="memory:", plugins=("acme",)), load_plugins=True) as dom:
        assert states(dom)["acme"] == ""
        assert "that of package domcore_acme" in states(dom)["acme (acme-two)"]


def test_a_plugin_given_in_code_is_not_replaced_and_the_other_is_named(site):
    install(site, "domcore-acme", "acme")

    class Mine:
        @hookimpl
        def judge(self):
            return []

    mine = {"acme": Mine()}
    asked = Settings(store="memory:", plugins=("acme",))
    with shop().open(asked, plugins=mine, load_plugins=True) as dom:
        assert states(dom)["acme"] == ""
        assert "give a plugin called 'acme'" in states(dom)["acme (domcore-acme)"]


def named(path: str, **more) -> Settings:
    return Settings(store="memory:", plugin_options={"host": {"object": path}}, plugins=(), **more)


@pytest.mark.parametrize("path", ["plugin", "Judge", "Shelf.plugin"])
def test_a_setting_names_an_object_that_judges(site, path):
    (site / "host_rules.py").write_text(JUDGE)
    settings = Settings(store="memory:", plugin_options={"host": {"object": f"host_rules:{path}"}})
    world = shop()
    with world.open(settings, load_plugins=True) as dom:
        dom.capture(world.order("1", MUG=1))
        assert dom.route().short == 1
        assert states(dom)["host"] == ""
        assert {each.name: each.origin for each in dom.plugins.status()}["host"] == "setting"


def test_load_plugins_chooses_among_objects_too(site):
    (site / "host_rules.py").write_text(JUDGE)
    with shop().open(named("host_rules:plugin"), load_plugins=True) as dom:
        assert states(dom) == {}


def test_a_plugin_given_in_code_comes_before_the_setting_of_its_name(site):
    (site / "host_rules.py").write_text(JUDGE)

    class Mine:
        @hookimpl
        def judge(self):
            return []

    settings = Settings(store="memory:", plugin_options={"host": {"object": "host_rules:plugin"}})
    world = shop()
    with world.open(settings, plugins={"host": Mine()}, load_plugins=True) as dom:
        dom.capture(world.order("1", MUG=1))
        assert dom.route().routed == 1


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("host_rules:nobody", "module 'host_rules' has no 'nobody'"),
        ("host_rules:plugin.inner.most", "has no 'plugin.inner.most'"),
        ("not_there.rules:plugin", "there is no module 'not_there'; put its folder on PYTHONPATH"),
        ("host_needs:plugin", "module 'host_needs' needs 'some_library', which is not installed"),
        ("host_breaks:plugin", "'host_breaks' cannot be imported: ValueError: at import"),
        ("host_ends:plugin", "'host_ends' cannot be imported: SystemExit: 3"),
        ("host_rules:unmarked", "it has no hook"),
        ("host rules", "names no object; write 'module:object'"),
        ("host_rules:", "names no object"),
        ("../host_rules:plugin", "names no object"),
        (7, "7 names no object"),
    ],
)
def test_an_object_that_cannot_be_had_is_named_with_its_place_and_the_fix(site, path, said):
    (site / "host_rules.py").write_text(JUDGE)
    (site / "host_needs.py").write_text("import some_library\n")
    (site / "host_breaks.py").write_text("raise ValueError('at import')\n")
    (site / "host_ends.py").write_text("raise SystemExit(3)\n")
    line = f"object = {path!r}\n"
    (site / "domcore.toml").write_text(f"store = 'memory:'\n\n[plugins.host]\n{line}")
    settings = read_settings(start=site, environ={})
    with shop().open(settings, load_plugins=True) as dom:
        error = states(dom)["host"]
    assert said in error
    if "hook" not in said:
        assert error.startswith("domcore.toml, line 4, plugins.host.object: ")


def test_code_that_gives_a_name_twice_is_refused():
    with pytest.raises(ConfigurationError, match="registered already"):
        shop().open(plugins={"domcore": object()})
