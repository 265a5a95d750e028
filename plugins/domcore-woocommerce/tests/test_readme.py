"""The README's project file, options and words are those of the code."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import attrs

from domcore.config.reading import read_settings
from domcore_woocommerce.building import build_channels
from domcore_woocommerce.options import Options

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")


def test_the_project_file_in_the_readme_makes_a_channel(tmp_path) -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", README, re.S)
    assert tomllib.loads(text)
    file = tmp_path / "domcore.toml"
    file.write_text(text, encoding="utf-8")
    settings = read_settings(config=file)
    (channel,) = build_channels(
        settings.channels, {"WOO_KEY": "k", "WOO_SECRET": "s", "WOO_WEBHOOK_SECRET": "w"}
    )
    assert channel.name == "blog"
    assert hasattr(channel, "pull")


def test_every_option_stands_in_the_readme() -> None:
    table = README.split("## Options", 1)[1].split("\n## ", 1)[0]
    told = set(re.findall(r"`([a-z_]+)`", " ".join(re.findall(r"^\| (.*?) \|", table, re.M))))
    assert told == {each.name for each in attrs.fields(Options)}


def test_stamina_is_new_enough_to_wait_as_long_as_it_is_told() -> None:
    """Before 25.2 it took the seconds that a partner asks for as a mere yes."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))
    assert "stamina>=25.2" in project["project"]["dependencies"]
