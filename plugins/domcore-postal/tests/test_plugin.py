"""The plugin in an application and on the command line, with the data that is installed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import attrs
import click
import pytest
from click.testing import CliRunner

from domcore import Domcore, Settings
from domcore.config import read_settings
from domcore.model import Destination
from domcore.plugins import Plugins
from domcore.settings import ChannelSettings
from domcore.testing import World
from domcore_postal import plugin
from domcore_postal.options import Options

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the index is made once for all tests: reading the towns takes seconds."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def project(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the project file of the README; only small countries, to be quick."""
    (text,) = re.findall(r"```toml\n(.*?)```", README, re.S)
    assert tomllib.loads(text)
    text = re.sub(r"countries = .*", 'countries = ["CA", "GB", "IE", "LI", "DK"]', text)
    text = text.replace('"cache" ', f"'{cache}' ")
    (tmp_path / "domcore.toml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def opened(made: World, settings: Settings) -> Domcore:
    told = attrs.evolve(settings, store="memory:")
    return made.open(told, plugins={"postal": plugin})


def world() -> World:
    made = World().node("YYZ", at=(43.7, -79.6)).node("LHR", at=(51.5, -0.4))
    return made.item("MUG", weight=400).stock("MUG", YYZ=9, LHR=9)


def test_orders_to_other_countries_are_planned(project: Path) -> None:
    made = world()
    places = {
        "ottawa": Destination("CA", "ON", "K1A 0B1"),
        "london": Destination("GB", "", "SW1A 1AA"),
        "vaduz": Destination("LI", "", "9490"),
        "vaduz, by another name": Destination("CH", "", "CH-9490"),
        "dublin": Destination("IE", "", "D02 X285"),
    }
    with opened(made, read_settings(start=project)) as dom:
        for name, place in places.items():
            dom.capture(made.order(name, MUG=1, destination=place))
        dom.route()
        shipped = {name: dom.order(f"web/{name}").summary.nodes for name in places}
        assert shipped["ottawa"] == ("YYZ",)
        assert shipped["london"] == shipped["vaduz"] == ("LHR",)
        assert shipped["vaduz, by another name"] == ("LHR",)
        (hold,) = dom.order("web/dublin").summary.holds  # only its country is known
        assert hold.code == "domcore/address"
        told = dom.explain("web/vaduz")
        assert told.replayed
        assert "placed by the name of its town (geocoder postal)" in told.remarks[0]


def test_a_wrong_point_of_the_data_is_not_believed(project: Path) -> None:
    """Ringkøbing lies in the North Sea there."""
    geocoder = plugin.geocoder_for(read_settings(start=project))
    found = geocoder.locate(Destination("DK", "", "6950"))
    assert found.coarseness == "locality"
    assert found.point.lon > 8_000_000


def test_the_middle_of_a_country_is_told_by_doctor(project: Path) -> None:
    (project / "domcore.toml").write_text('[plugins.postal]\ncountries = ["IE"]\n')
    with opened(world(), read_settings(start=project)) as dom:
        (said,) = [each for each in dom.doctor() if each.subject == "geocoder postal"]
    assert said.level == "warn"
    assert "coarsest = 'locality'" in said.message


def test_register_geocoders(project: Path) -> None:
    plugins = Plugins()
    plugins.register(plugin, "postal")
    with opened(world(), read_settings(start=project)) as dom:
        found = list(plugins.each("register_geocoders", dom=dom))
    assert [each.name for _, (each,) in found] == ["postal"]


def test_register_commands(project: Path) -> None:
    cli = click.Group("domcore")
    plugin.register_commands(cli)
    run = CliRunner()
    made = run.invoke(cli, ["postal", "index"])
    assert made.exit_code == 0, made.output
    assert "5 countries in" in made.output
    there = run.invoke(cli, ["postal", "where", "GB", "SW1A 1AA"])
    (shown,) = re.findall(r"^GB SW1A1AA: .*$", README, re.M)
    assert there.output.strip() == shown
    nowhere = run.invoke(cli, ["postal", "where", "ZZ", "1"])
    assert nowhere.exit_code == 3
    (project / "domcore.toml").write_text('[plugins.postal]\ncoarsest = "town"\n')
    wrong = run.invoke(cli, ["postal", "where", "GB", "SW1"])
    assert wrong.exit_code == 1
    assert "coarsest" in wrong.output


@pytest.mark.parametrize(
    "more",
    [
        {"postal_digits": 3},
        {"channels": (ChannelSettings("shop", "shopify", options={"postal_digits": 3}),)},
    ],
)
def test_a_cut_code_is_not_taken_for_one_without_its_zeros(project: Path, more: dict) -> None:
    """695 is the beginning of 6950 where the settings keep three digits, and 0695 where not."""
    whole = read_settings(start=project)
    place = Destination("DK", "", "695")
    assert plugin.geocoder_for(whole).locate(place) is None
    cut = plugin.geocoder_for(attrs.evolve(whole, **more)).locate(place)
    assert cut is not None
    assert cut.coarseness == "district"


def test_its_settings_may_be_shown() -> None:
    assert set(plugin.plain_settings()) == {each.name for each in attrs.fields(Options)}


def test_every_setting_stands_in_the_readme() -> None:
    table = README.split("## Settings", 1)[1].split("\n## ", 1)[0]
    told = set(re.findall(r"^\| `([a-z_]+)`", table, re.M))
    assert told == {each.name for each in attrs.fields(Options)}
