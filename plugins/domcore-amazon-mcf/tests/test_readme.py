"""The README is true: its files work, its tables are whole."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import attrs
import pytest

from domcore.config import read_settings
from domcore.loading import Source, load_network
from domcore.testing import World
from domcore_amazon_mcf.options import Options
from domcore_amazon_mcf.plugin import FACTS, AmazonMcfPlugin
from domcore_amazon_mcf.words import ORDER, plain

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
ENVIRON = dict.fromkeys(re.findall(r"(AMAZON_[A-Z_]+)=", README), "canary")


@pytest.fixture
def project(tmp_path):
    for name, text in re.findall(r"```toml\n# (\S+)\n(.*?)```", README, re.S):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_project_file_and_the_network_of_the_readme_work(project):
    settings = read_settings(start=project, flags={"store": "memory:"})
    plugin = AmazonMcfPlugin(environ=ENVIRON)
    with World().open(settings, plugins={"amazon-mcf": plugin}) as dom:
        load_network(dom, [Source.of(project / "network.toml")])
        (node,) = dom.network().nodes
        assert node.connector == "amazon"
        connector = dom.connectors()["amazon"]
        assert connector.options.speed_of("express") == "Expedited"
        connector.close()


def test_every_option_is_described():
    rows = README.partition("## Options")[2]
    missing = [each.name for each in attrs.fields(Options) if f"`{each.name}`" not in rows]
    assert not missing


def test_every_fact_and_status_is_described():
    for spec in FACTS:
        assert f"| `{spec.name}` | {spec.type}" in README
    rows = plain(README.partition("## What comes back")[2])
    assert not [word for word in ORDER if word != "PROCESSED" and word not in rows]


def test_two_applications_share_nothing():
    module = import_module("domcore_amazon_mcf.plugin")
    assert isinstance(module.plugin, AmazonMcfPlugin)
    assert module.plugin is not module.plugin
    with pytest.raises(AttributeError, match="no attribute 'plug'"):
        _ = module.plug


def test_loading_the_plugin_loads_nothing_heavy():
    code = (
        "import sys; from domcore_amazon_mcf.plugin import plugin\n"
        "assert not {'httpx', 'stamina', 'cattrs', 'msgspec', 'click'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})


def test_stamina_is_new_enough_to_wait_as_long_as_it_is_told() -> None:
    """Before 25.2 it took the seconds that a partner asks for as a mere yes."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))
    assert "stamina>=25.2" in project["project"]["dependencies"]
