"""Settings: which source wins, what is refused, what is shown."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from domcore import Domcore
from domcore.config import find_project, read_settings, shown
from domcore.config.schema import (
    ACTIVATION,
    CHANNEL,
    CONNECTOR,
    PROJECT,
    SECTIONS,
    TABLES,
    variables,
)
from domcore.errors import ConfigurationError
from domcore.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text("utf-8")

PROJECT_FILE = """\
store = "shop.db"
engine = "python"
[routing]
batch = 10
[channels.shop]
kind = "shopify"
secrets = ["hush", "env:SHOPIFY"]
[[activate]]
pack = "cost-first"
parameters = { keep = 3, words = ["a", "b"] }
[plugins.acme]
api_key = "hush"
region = "west"
"""


def project(folder: Path, text: str = PROJECT_FILE) -> Path:
    file = folder / "domcore.toml"
    file.write_text(text, encoding="utf-8")
    return file


def origin(settings: Settings, name: str) -> tuple[object, str]:
    found = {each.name: each for each in shown(settings)}[name]
    return found.value, found.origin


def test_without_anything_the_defaults_hold(tmp_path: Path) -> None:
    settings = read_settings(start=tmp_path)
    assert settings.store == Settings().store
    assert settings.routing == Settings().routing
    assert settings.plugins is None
    assert {each.origin for each in shown(settings)} == {"default"}


def test_a_flag_beats_the_environment_beats_the_file_beats_the_default(tmp_path: Path) -> None:
    project(tmp_path)
    environ = {"DOMCORE_STORE": "other.db", "DOMCORE_ROUTING_BATCH": "20"}
    settings = read_settings(start=tmp_path, environ=environ, flags={"store": "flag.db"})
    assert origin(settings, "store") == ("flag.db", "flag --store")
    assert origin(settings, "routing.batch") == (20, "DOMCORE_ROUTING_BATCH")
    assert origin(settings, "engine") == ("python", "domcore.toml, line 2")
    assert origin(settings, "synchronous") == ("FULL", "default")
    assert origin(settings, "activate[0].pack") == ("cost-first", "domcore.toml, line 9")


def test_every_plain_setting_has_a_variable(tmp_path: Path) -> None:
    values = {
        "DOMCORE_STORE": ("a.db", "a.db"),
        "DOMCORE_ENGINE": ("python", "python"),
        "DOMCORE_RULESETS": ("a, b", [str(tmp_path / "a"), str(tmp_path / "b")]),
        "DOMCORE_POSTAL_DIGITS": ("3", 3),
        "DOMCORE_SYNCHRONOUS": ("NORMAL", "NORMAL"),
        "DOMCORE_TELEMETRY": ("off", "off"),
        "DOMCORE_LOAD_PLUGINS": ("", []),
        "DOMCORE_ROUTING_OBJECTIVE": ("parcels,cost", ["parcels", "cost"]),
        "DOMCORE_ROUTING_BATCH": ("7", 7),
        "DOMCORE_ROUTING_RETRY_MINUTES": ("8", 8),
        "DOMCORE_ROUTING_MAX_REPLANS": ("0", 0),
        "DOMCORE_ROUTING_REVIEW_NODES_OVER": ("2", 2),
        "DOMCORE_ROUTING_STEP_LIMIT": ("5000", 5000),
        "DOMCORE_ROUTING_SEED": ("9", 9),
        "DOMCORE_ROUTING_MAX_ATTEMPTS": ("4", 4),
        "DOMCORE_ROUTING_REJECTION_MINUTES": ("30", 30),
        "DOMCORE_ROUTING_PREPARE_SECONDS": ("3", 3),
        "DOMCORE_WORK_ROUTE": ("false", False),
        "DOMCORE_WORK_LEASE_SECONDS": ("60", 60),
        "DOMCORE_WORK_ATTEMPTS": ("3", 3),
        "DOMCORE_WORK_BACKOFF_SECONDS": ("5", 5),
        "DOMCORE_WORK_BACKOFF_MOST_SECONDS": ("50", 50),
        "DOMCORE_WORK_POLL_SECONDS": ("6", 6),
        "DOMCORE_WORK_PULL_SECONDS": ("7", 7),
        "DOMCORE_WORK_PUBLISH_SECONDS": ("8", 8),
        "DOMCORE_STOCK_LOW_DAYS": ("3", 3),
        "DOMCORE_STOCK_OVER_DAYS": ("90", 90),
        "DOMCORE_STOCK_DEMAND_DAYS": ("14", 14),
        "DOMCORE_STOCK_CHECK_MINUTES": ("5", 5),
        "DOMCORE_RETURNS_KINDS": ("dc, hub", ["dc", "hub"]),
        "DOMCORE_RETURNS_TAG": ("back", "back"),
        "DOMCORE_RETURNS_OVERSTOCK_COST": ("1.50", 1500000),
        "DOMCORE_RETURNS_OVERSTOCK_DAYS": ("60", 60),
    }
    assert values.keys() == variables().keys()
    given = {name: text for name, (text, _) in values.items()}
    settings = read_settings(start=tmp_path, environ=given)
    for variable, (name, _) in variables().items():
        assert origin(settings, name) == (values[variable][1], variable)


def test_the_nearest_project_file_above_is_found(tmp_path: Path) -> None:
    file = project(tmp_path)
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert find_project(inner) == file
    settings = read_settings(start=inner)
    assert settings.store == str(tmp_path / "shop.db")
    assert settings.root == str(tmp_path)


def test_the_store_of_a_project_is_in_its_folder_from_wherever_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, here = tmp_path / "project", tmp_path / "host"
    there.mkdir()
    here.mkdir()
    project(there, 'store = "shop.db"\n')
    for folder, store in ((here, str(there / "shop.db")), (there, "shop.db")):
        monkeypatch.chdir(folder)
        assert read_settings(start=there).store == store
        assert read_settings(start=there, environ={"DOMCORE_STORE": "a.db"}).store == "a.db"
    monkeypatch.chdir(here)
    with Domcore(read_settings(start=there), load_plugins=False):
        pass
    assert (there / "shop.db").exists()
    assert not list(here.iterdir())


def test_a_project_file_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    file = project(tmp_path / "there", 'store = "sqlite:///x.db?busy_timeout=5"\n')
    by_flag = read_settings(start=tmp_path, config=file)
    by_environment = read_settings(start=tmp_path, environ={"DOMCORE_CONFIG": "there/domcore.toml"})
    assert by_flag.store == by_environment.store == f"{tmp_path}/there/x.db?busy_timeout=5"
    with pytest.raises(ConfigurationError, match="no such file"):
        read_settings(start=tmp_path, config=Path("none.toml"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('engin = "x"', "line 1, engin: is not a known field; did you mean 'engine'?"),
        ("[routing]\nbach = 1", "line 2, routing.bach: is not a known field; did you mean 'batch'"),
        ("[routing]\n\nbatch = 0", "line 3, routing.batch: must be from 1 to 10,000"),
        ('[routing]\nobjective = ["price"]', "objective[0]: must be one of cost, parcels, nodes"),
        ('[channels.x]\nowner = "a"', "line 1, channels.x.kind: is missing"),
        ("[channels]\nx = 3", "line 2, channels.x: must be a table"),
        ('[owners]\nmain = "usd"', "line 2, owners.main: must be an ISO 4217 code"),
        ('[[activate]]\npack = "a"\nlayer = "retail"', "line 3, activate[0].layer: must be one of"),
        ("a = [", "line 1: is not TOML"),
        ("store = 3", "line 1, store: must be text"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    file = project(tmp_path, text)
    with pytest.raises(ConfigurationError) as caught:
        read_settings(start=tmp_path)
    assert str(caught.value).startswith(str(file))
    assert message in str(caught.value)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    project(tmp_path, 'engin = "x"\n[routing]\nbatch = -1\n')
    with pytest.raises(ConfigurationError) as caught:
        read_settings(start=tmp_path)
    assert "2 settings are wrong" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 3


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="DOMCORE_ROUTING_SEED: must be a whole number"):
        read_settings(start=tmp_path, environ={"DOMCORE_ROUTING_SEED": "x"})


def test_options_and_parameters_are_handed_on(tmp_path: Path) -> None:
    project(tmp_path)
    settings = read_settings(start=tmp_path)
    (channel,) = settings.channels
    assert dict(channel.options) == {"secrets": ["hush", "env:SHOPIFY"]}
    assert dict(settings.activate[0].parameters) == {"keep": 3, "words": ("a", "b")}
    assert settings.plugin_options["acme"]["region"] == "west"


def test_what_a_plugin_does_not_call_plain_is_hidden(tmp_path: Path) -> None:
    project(tmp_path)
    settings = read_settings(start=tmp_path)
    told = {each.name: each.value for each in shown(settings, {"acme": ["region"]})}
    assert told["channels.shop.kind"] == "shopify"
    assert told["channels.shop.secrets"] == ["****", "env:SHOPIFY"]
    assert told["plugins.acme.api_key"] == "****"
    assert told["plugins.acme.region"] == "west"
    assert "hush" not in repr(shown(settings))
    assert "west" not in repr(shown(settings))


@pytest.mark.parametrize(
    "line",
    [
        'pwd = "hush"',
        'auth = "hush"',
        "pin = 1234",
        'bearer = ["hush"]',
        'headers = { Authorization = "hush" }',
        'endpoint = "https://user:hush@host/x"',
    ],
)
@pytest.mark.parametrize("table", ["plugins.acme", "channels.shop", "connectors.north"])
def test_a_secret_is_hidden_whatever_it_is_called(tmp_path: Path, table: str, line: str) -> None:
    project(tmp_path, f'[{table}]\nkind = "acme"\n{line}\n')
    told = repr(shown(read_settings(start=tmp_path), {"acme": ["other"], "shop": ["pwd"]}))
    assert "hush" not in told
    assert "1234" not in told


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("postgres://user:hush@host/db", "postgres://user:****@host/db"),
        ("postgres://user:hu@/sh@host/db", "postgres://user:****@host/db"),
        ("https://hush@host", "https://****@host"),
        ("https://host/x?token=hush&a=hush", "https://host/x?token=****&a=****"),
        ("sqlite:///shop.db?synchronous=NORMAL", "sqlite:///shop.db?synchronous=NORMAL"),
        ("shop.db", "shop.db"),
    ],
)
def test_passwords_in_urls_are_hidden_where_the_url_is_shown(
    tmp_path: Path, url: str, seen: str
) -> None:
    project(tmp_path, f'[plugins.acme]\nurls = ["{url}"]\nnested = {{ url = "{url}" }}\n')
    settings = read_settings(start=tmp_path, environ={"DOMCORE_STORE": url})
    told = {each.name: each.value for each in shown(settings, {"acme": ["urls", "nested"]})}
    assert told["store"] == seen
    assert told["plugins.acme.urls"] == [seen]
    assert told["plugins.acme.nested.url"] == seen


def test_the_command_shows_every_setting_with_its_origin(tmp_path: Path, run, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOMCORE_ENGINE", "durable")
    project(tmp_path)
    told = run("config")
    assert told.exit_code == 0
    assert re.search(r"engine +durable +DOMCORE_ENGINE", told.stdout)
    assert "hush" not in told.stdout
    rows = [
        json.loads(line) for line in run("config", "--json", "--store", "x.db").stdout.splitlines()
    ]
    assert rows[0] == {"name": "store", "value": "x.db", "origin": "flag --store"}


def test_the_example_of_the_page_is_a_project_file(tmp_path: Path) -> None:
    (text,) = re.findall(r"<!-- example: domcore.toml -->\n```toml\n(.*?)```", PAGE, re.DOTALL)
    project(tmp_path, text)
    settings = read_settings(start=tmp_path)
    assert [each.pack for each in settings.activate] == ["cost-first", "ship-from-store"]


def test_the_page_names_every_setting_and_variable() -> None:
    tables = [field for field in PROJECT.fields if field.name not in TABLES]
    for shape in (*SECTIONS.values(), CHANNEL, CONNECTOR, ACTIVATION):
        tables += shape.fields
    for field in tables:
        assert f"| `{field.name}` | {field.summary}. |" in PAGE
    for variable, (name, _) in variables().items():
        assert f"| `{variable}` | `{name}` |" in PAGE
