"""Docs are tests: examples run, references name everything there is, links lead somewhere.

The examples of README.md and docs/:

* Python blocks of a page run one after the other in one namespace, in an empty folder, unless
  ``<!-- not run: why -->`` stands on the line before.
* Blocks with ``title="FILE"`` are written to that file.
* After ``<!-- run -->`` the ``$ domcore ...`` lines of a console block run in order in that folder,
  and must exit with 0, or with the codes of ``exit="0 4"``, line by line. ``needs="shopify
  files"`` skips the rest of the page where one of these plugins is not installed.
* A text block after ``<!-- output -->`` is what the Python block before it prints, but for the time
  and the engine.
"""

from __future__ import annotations

import inspect
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen
from click.testing import CliRunner

import domcore
from domcore import errors, model
from domcore.cli.root import COMMANDS, build
from domcore.config import schema
from domcore.hookspecs import HookSpecs
from domcore.model import Event
from domcore.plugins import Plugins
from domcore.rules import FactRegistry

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
LANGUAGES = {"", "bash", "console", "csv", "json", "jsonl", "py", "python", "sh", "text", "toml"}

_FENCE = re.compile(
    r"(?:^<!-- (?P<note>[^\n]*) -->\n)?"
    r"^(?P<mark>`{3,})(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=mark)[ ]*$",
    re.MULTILINE | re.DOTALL,
)
_OPTION = re.compile(r'(\w+)="([^"]*)"')
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@frozen
class Block:
    """One fenced block: its language, the note before it, its options, its text, its first line."""

    language: str
    note: str
    options: dict[str, str]
    text: str
    line: int

    @property
    def runs(self) -> bool:
        if self.language == "python":
            return not self.note.startswith("not run: ")
        return self.language == "console" and self.note.partition(" ")[0] == "run"

    @property
    def is_output(self) -> bool:
        return self.note == "output"


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> Iterator[Block]:
    source = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(source):
        language, _, rest = found["info"].strip().partition(" ")
        note = found["note"] or ""
        line = source.count("\n", 0, found.start("mark")) + 1
        yield Block(language, note, dict(_OPTION.findall(f"{rest} {note}")), found["text"], line)


def prose(page: Path) -> str:
    """The page without its code."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def page_text(name: str) -> str:
    """A page of the reference."""
    page = DOCS / name
    assert page.exists(), f"docs/{name} is missing"
    return page.read_text(encoding="utf-8")


def missing_from(name: str, wanted: Iterator[str] | list[str]) -> list[str]:
    """What of `wanted` a page never names in code style."""
    text = page_text(name)
    return [each for each in wanted if not re.search(rf"`[^`\n]*{re.escape(each)}[^`\n]*`", text)]


# --- examples ----------------------------------------------------------------------------------

RUN_ELSEWHERE = {
    "rules.md": "rules/test_reference.py",
    "files.md": "loading/test_docs.py",
    "recipes.md": "recipes/test_recipes.py",
}
"""Pages whose examples are not programs, and the tests that hold them to the code."""

RUNNABLE = [
    page
    for page in PAGES
    if page.name not in RUN_ELSEWHERE and any(block.runs for block in blocks(page))
]


@pytest.mark.parametrize("page", RUNNABLE, ids=name_of)
def test_the_examples_of_a_page_run(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    # Whatever else is installed here stays out of the examples.
    monkeypatch.setenv("DOMCORE_LOAD_PLUGINS", "shopify,files")
    space: dict[str, object] = {"__name__": "example"}
    printed = ""
    for block in blocks(page):
        if "title" in block.options:
            target = tmp_path / block.options["title"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
        if block.runs and block.language == "python":
            # Lines are counted from the top of the page, so that a traceback shows the right ones.
            exec(compile("\n" * block.line + block.text, str(page), "exec"), space)
            printed = capsys.readouterr().out
        elif block.is_output:
            assert masked(block.text) == masked(printed)
        elif block.runs:
            run_console(page, block)


@pytest.mark.parametrize("test", RUN_ELSEWHERE.values())
def test_the_tests_of_the_other_pages_are_there(test):
    assert (ROOT / "tests" / test).exists()


def masked(text: str) -> str:
    """Without what differs from day to day and from machine to machine."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "TIME", text)
    return re.sub(r"rule engine \w+", "rule engine NAME", text).strip()


def run_console(page: Path, block: Block) -> None:
    for name in block.options.get("needs", "").split():
        if not is_installed(name):
            pytest.skip(f"domcore-{name} is not installed here")
    lines = [line for line in block.text.splitlines() if line.startswith("$ domcore")]
    codes = block.options.get("exit", "0").split()
    for number, line in enumerate(lines):
        result = CliRunner().invoke(build(), shlex.split(line.removeprefix("$ domcore")))
        wanted = int(codes[min(number, len(codes) - 1)])
        assert result.exit_code == wanted, f"{name_of(page)}: {line}\n{result.output}"


def is_installed(name: str) -> bool:
    plugins = Plugins()
    plugins.load_installed([name])
    return not plugins.status()[0].error


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_blocks_are_of_a_language_we_know(page):
    assert not {block.language for block in blocks(page)} - LANGUAGES


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    broken = []
    for target in _LINK.findall(prose(page)):
        path = target.partition("#")[0]
        if path and not re.match(r"[a-z]+:", path) and not (page.parent / path).exists():
            broken.append(target)
    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_words_of_the_house(page):
    """One word per thing: see docs/concepts.md."""
    wrong = r"\b(warehous\w*|locations?|facilit(?:y|ies)|brokering|fulfil(?:s|ment|ments)?)\b"
    found = re.findall(wrong, prose(page), re.IGNORECASE)
    assert not found


# --- references --------------------------------------------------------------------------------


def signature(hook: str) -> str:
    arguments = list(inspect.signature(getattr(HookSpecs, hook)).parameters)[1:]
    return f"{hook}({', '.join(arguments)})"


HOOKS = [name for name in vars(HookSpecs) if not name.startswith("_")]


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_is_documented_under_its_signature(hook):
    headings = re.findall(r"^## (\w+\(.*\))$", page_text("hooks.md"), re.MULTILINE)
    assert signature(hook) in headings


def test_no_hook_is_documented_that_is_not_there():
    headings = re.findall(r"^## (\w+)\(.*\)$", page_text("hooks.md"), re.MULTILINE)
    assert sorted(headings) == sorted(HOOKS)


@pytest.mark.parametrize("hook", HOOKS)
def test_the_section_of_a_hook_says_when_what_and_shows_it(hook):
    section = page_text("hooks.md").split(f"## {signature(hook)}\n")[1].split("\n## ")[0]
    assert "Called" in section
    assert re.search(r"[Rr]eturn ", section)
    assert "Since " in section
    assert f"def {hook}(" in section
    for argument in inspect.signature(getattr(HookSpecs, hook)).parameters:
        assert argument == "self" or f"`{argument}`" in section, argument


def test_every_setting_is_documented():
    shapes = (schema.PROJECT, schema.ROUTING, schema.CHANNEL, schema.ACTIVATION)
    text = page_text("configuration.md")
    fields = [field.name for shape in shapes for field in shape.fields]
    assert not [name for name in fields if not re.search(rf"\b{name}\b", text)]


def test_every_variable_is_documented():
    assert not missing_from("configuration.md", list(schema.variables()))


def test_every_fact_is_documented():
    assert not missing_from("rules.md", list(FactRegistry()))


def test_every_command_is_documented():
    headings = re.findall(r"^##+ domcore (\w+)", page_text("cli.md"), re.MULTILINE)
    assert set(COMMANDS) <= set(headings)


def commands_named_in(text: str) -> set[str]:
    """The words after ``domcore`` in code spans: ``domcore route`` in backticks names ``route``."""
    return set(re.findall(r"`domcore ([a-z][a-z-]*)", text))


@pytest.mark.parametrize("page", [*PAGES, *sorted(ROOT.glob("plugins/*/README.md"))], ids=name_of)
def test_every_command_that_prose_names_is_one(page):
    plugins = {"postal", "shopify"}  # what our own plugins add
    named = commands_named_in(page.read_text(encoding="utf-8"))
    assert not sorted(named - set(COMMANDS) - plugins)


def test_a_command_that_is_none_is_found_in_prose():
    assert commands_named_in("see `domcore rout` and domcore itself") == {"rout"}


def error_classes() -> list[type[errors.DomcoreError]]:
    found, waiting = [], [errors.DomcoreError]
    while waiting:
        one = waiting.pop()
        if one.__module__ == "domcore.errors":
            found.append(one)
            waiting += one.__subclasses__()
    return found


def test_every_error_is_documented_exported_and_in_the_tree():
    names = [each.__name__ for each in error_classes()]
    assert not missing_from("embedding.md", names)
    assert set(names) <= set(domcore.__all__)
    assert not [name for name in names if name not in (errors.__doc__ or "")]


def test_every_kind_of_event_is_documented():
    kinds = re.findall(r"``(\w+\.\w+)``", Event.__doc__ or "")
    assert len(kinds) >= 10
    assert not missing_from("concepts.md", kinds)


@pytest.mark.parametrize("module", [domcore, model], ids=["domcore", "domcore.model"])
def test_everything_public_has_a_docstring(module):
    bare = [
        name
        for name in module.__all__
        for value in [getattr(module, name)]
        if (inspect.isclass(value) or inspect.isfunction(value))
        and not (value.__doc__ or "").strip()
    ]
    assert not bare


def test_every_verb_of_the_application_has_a_docstring():
    verbs = inspect.getmembers(domcore.Domcore, inspect.isfunction)
    assert not [name for name, verb in verbs if not name.startswith("_") and not verb.__doc__]


def test_every_verb_of_the_application_is_documented():
    verbs = [name for name in vars(domcore.Domcore) if not name.startswith("_")]
    assert not missing_from("embedding.md", verbs)


def test_every_shipped_pack_has_cases_and_a_page():
    packs = [file.parent for file in (ROOT / "rulesets").glob("*/ruleset.toml")]
    assert packs
    assert not [
        f"{pack.name}/{name}"
        for pack in packs
        for name in ("cases.toml", "README.md")
        if not (pack / name).exists()
    ]


def test_every_page_is_in_the_navigation():
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")]
    assert not [page for page in pages if page not in nav]


def test_the_readme_has_the_two_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    plugins = "./plugins/domcore-shopify ./plugins/domcore-files"
    shop = f"python -m pip install . {plugins} && domcore demo"
    tests = "python -m pip install -r requirements-dev.txt && python -m pytest"
    assert shop in text
    assert tests in text


def test_the_second_command_installs_every_plugin():
    wanted = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    plugins = [file.parent.name for file in (ROOT / "plugins").glob("*/pyproject.toml")]
    assert plugins
    assert not [name for name in plugins if f"-e ./plugins/{name}\n" not in wanted]


def test_the_version_is_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == domcore.__version__
    assert domcore.__version__ in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
