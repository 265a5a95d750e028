"""The README is a tutorial: a stranger who follows it gets what it says."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from domcore import Domcore
from domcore.cli.root import build
from domcore.config import read_settings
from domcore.loading.order_rows import ROW
from domcore_files import plugin
from domcore_files.notices import NOTICE
from domcore_files.options import ChannelOptions, ConnectorOptions
from domcore_files.stock import STOCK

README = Path(__file__).parent.parent / "README.md"
STEP = re.compile(r"<!-- (file: (?P<file>\S+)|run) -->\n```\w+\n(?P<text>.*?)```", re.S)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin as if it were installed, whether it is or not."""
    info = tmp_path / "site" / "domcore_files-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: domcore-files\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[domcore]\nfiles = domcore_files.plugin\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("DOMCORE_LOAD_PLUGINS", "files")
    monkeypatch.delenv("DOMCORE_STORE", raising=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    made = tmp_path / "project"
    made.mkdir()
    monkeypatch.chdir(made)
    return made


def follow(folder: Path) -> list[str]:
    """Do everything the README says; what the commands printed."""
    printed: list[str] = []
    for step in STEP.finditer(README.read_text(encoding="utf-8")):
        if step["file"]:
            path = folder / step["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step["text"], encoding="utf-8")
            continue
        for line in step["text"].splitlines():
            words = shlex.split(line.removeprefix("$ "))
            if words[0] == "mkdir":
                for each in words[2:]:
                    (folder / each).mkdir(parents=True)
            elif words[0] == "mv":
                shutil.move(folder / words[1], folder / words[2])
            else:
                result = CliRunner().invoke(build(), words[1:])
                assert result.exit_code == 0, f"{line}\n{result.output}"
                printed.append(f"{line}\n{result.output}")
    return printed


def test_the_tutorial_can_be_followed(installed, folder):
    printed = follow(folder)
    out = folder / "exchange"
    first, second = (text for text in printed if text.startswith("$ domcore work"))
    assert "Took in 2 commands, routed 1 order, handed over 1 fulfillment order" in first
    assert "Heard 1 notice" in second
    assert "NYC shipped: 2 x MUG, 1 x KETTLE, tracking 1Z999" in printed[-2]
    assert "1Z999" in "".join(
        path.read_text() for path in (out / "shop" / "out").glob("news-*.csv")
    )
    stock = (out / "shop" / "out" / "stock.csv").read_text().splitlines()
    assert stock == ["sku,external_ids,node,available", "KETTLE,,,6", "MUG,,,38"]
    for who, files in (("shop", 2), ("north", 1)):
        assert list((out / who / "in").iterdir()) == []
        assert (
            len(list((out / who / "done").iterdir())) + len(list((out / who / "working").iterdir()))
            == files
        )
    with Domcore(read_settings(environ={}), plugins={"files": plugin}, load_plugins=False) as dom:
        assert dom.order("1001").summary.status == "shipped"
        assert list(dom.verify()) == []


def test_following_it_in_a_store_that_was_put_back_ends_the_same(installed, folder):
    """The store of this morning, the folders of this evening: everything comes again, once."""
    follow(folder)
    for path in folder.glob("domcore.db*"):
        path.unlink()
    for line in ("init", "load network network.toml", "load items items.csv", "work --once"):
        assert CliRunner().invoke(build(), shlex.split(line)).exit_code in (0, 4)
    result = CliRunner().invoke(build(), ["orders", "--json"])
    assert [json.loads(line)["number"] for line in result.output.splitlines()] == ["1001"]


def test_every_column_and_every_option_is_in_the_readme():
    text = README.read_text(encoding="utf-8")
    fields = [field.name for shape in (ROW, STOCK, NOTICE) for field in shape.fields]
    options = [
        field.name for cls in (ChannelOptions, ConnectorOptions) for field in cls.__attrs_attrs__
    ]
    assert not [name for name in (*fields, *options) if f"`{name}`" not in text]
