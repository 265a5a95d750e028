"""What the site has beside the pages in docs/: pictures, and pages that are kept elsewhere."""

import importlib
import importlib.util
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from domcore.model.status import FULFILLMENT_STATUSES, ORDER_STATUSES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PICTURES = DOCS / "pictures"


@pytest.fixture
def draw(monkeypatch):
    """The program that draws the pictures."""
    monkeypatch.syspath_prepend(str(PICTURES))
    yield importlib.import_module("draw")
    for name in ("draw", "canvas"):
        sys.modules.pop(name, None)


def texts(picture: str) -> set[str]:
    root = ET.parse(PICTURES / f"{picture}.svg").getroot()
    return {"".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")}


def test_every_picture_is_as_it_would_be_drawn_today(draw):
    for name, picture in draw.PICTURES.items():
        stored = (PICTURES / f"{name}.svg").read_text(encoding="utf-8")
        assert picture() == stored, f"python docs/pictures/draw.py has another {name}.svg"


def test_every_picture_is_shown_on_a_page(draw):
    shown = "".join(page.read_text(encoding="utf-8") for page in DOCS.glob("*.md"))
    assert [name for name in draw.PICTURES if f"(pictures/{name}.svg)" not in shown] == []
    assert {file.stem for file in PICTURES.glob("*.svg")} == set(draw.PICTURES)


def test_the_states_of_an_order_are_all_in_the_picture():
    assert set(ORDER_STATUSES) <= texts("order-states")


def test_the_states_of_work_are_all_in_the_picture():
    assert set(FULFILLMENT_STATUSES) <= texts("work-states")


@pytest.fixture
def pages():
    """The hook that adds pages to the site."""
    spec = importlib.util.spec_from_file_location("generated_pages", DOCS / "generated_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_plugin_has_a_page_on_the_site_and_so_has_the_changelog(pages):
    plugins = {file.parent.name for file in (ROOT / "plugins").glob("domcore-*/pyproject.toml")}
    assert set(pages.sources()) == {f"plugins/{name}.md" for name in plugins} | {"changelog.md"}
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert [page for page in pages.sources() if page not in nav] == []


def test_links_of_a_page_that_is_kept_elsewhere_lead_on_from_the_site(pages):
    readme = ROOT / "plugins" / "domcore-files" / "README.md"
    text = (
        "[a](../../docs/hooks.md#x) [b](../domcore-postal/README.md) [c](#here) [d](https://x.test)"
    )
    places = {readme.resolve(): "plugins/domcore-files.md"}
    places[(ROOT / "plugins/domcore-postal/README.md").resolve()] = "plugins/domcore-postal.md"
    assert pages.turned(text, readme.parent, "plugins/domcore-files.md", places) == (
        "[a](../hooks.md#x) [b](../plugins/domcore-postal.md) [c](#here) [d](https://x.test)"
    )
