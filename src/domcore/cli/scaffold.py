"""New plugins from the template: names checked, files rendered, nothing overwritten."""

from __future__ import annotations

import keyword
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from string import Template
from typing import Final

from attrs import frozen

from domcore import __version__
from domcore.errors import ConfigurationError

KINDS: Final = {
    "channel": "Orders of {title}, by signed webhooks, for domcore.",
    "connector": "Hands work over to {title}, and follows it, for domcore.",
    "facts": "How much work waits at a node, as a fact for domcore's rules.",
    "planner": "A planner for domcore: orders that one node can ship whole.",
}
"""The kinds of plugin there is a template for, each with what the rendered one does."""

PREFIX: Final = "domcore-"
SUFFIX: Final = ".tmpl"
MOST_CHARACTERS: Final = 50

_NAME: Final = re.compile(r"[a-z0-9]|[a-z0-9][a-z0-9._-]*[a-z0-9]", re.ASCII | re.IGNORECASE)
_SEPARATORS: Final = re.compile(r"[-_.]+")
_NEEDS: Final = {"channel": ("attrs>=24.2",), "connector": ("attrs>=24.2",)}
_TAKEN: Final = ("domcore", "testing", "template")


@frozen(slots=True)
class PluginName:
    """All the names of one plugin.

    `slug` is ``road-runner``, the package ``domcore-road-runner``, the module
    ``domcore_road_runner``, the plugin ``road_runner``, the class ``RoadRunner...``.
    """

    slug: str

    @classmethod
    def of(cls, name: str) -> PluginName:
        """Check a name; ``domcore-`` in front of it may be left out.

        Raises:
            ConfigurationError: no package or no module can be called so.
        """
        if not _NAME.fullmatch(name) or len(name) > MOST_CHARACTERS:
            raise _refused(
                name,
                "a package's name is letters, digits, and . _ - between them, "
                f"at most {MOST_CHARACTERS}",
            )
        slug = _SEPARATORS.sub("-", name.lower()).removeprefix(PREFIX)
        made = cls(slug)
        if not made.plugin.isidentifier() or keyword.iskeyword(made.plugin):
            raise _refused(name, "it is also a name in Python: no digit in front, no keyword")
        if slug in _TAKEN:
            raise _refused(name, "that is a name of domcore's own")
        return made

    @property
    def package(self) -> str:
        """What pip installs."""
        return f"{PREFIX}{self.slug}"

    @property
    def module(self) -> str:
        """What Python imports."""
        return self.package.replace("-", "_")

    @property
    def plugin(self) -> str:
        """What domcore calls it: its entry point, its settings, its facts."""
        return self.slug.replace("-", "_")

    @property
    def title(self) -> str:
        """How its classes begin."""
        return "".join(part.capitalize() for part in self.slug.split("-"))


def render(name: PluginName, kind: str, folder: Path) -> Path:
    """Write the package ``domcore-NAME`` into `folder`, whole or not at all; returns where.

    Raises:
        ConfigurationError: there is something of that name already, or no such kind.
    """
    target = folder / name.package
    if os.path.lexists(target):
        raise ConfigurationError(
            "is there already, and nothing was changed; take another name, or --folder",
            source=str(target),
        )
    files = dict(rendered(name, kind))
    folder.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{name.package}.", dir=folder))
    try:
        for path, text in files.items():
            file = draft / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        draft.chmod(0o755)
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return target


def rendered(name: PluginName, kind: str) -> Iterator[tuple[Path, str]]:
    """Every file of a new plugin: its path in the package, and its text.

    Raises:
        ConfigurationError: there is no such kind.
    """
    if kind not in KINDS:
        raise _refused(kind, f"the kinds are {', '.join(KINDS)}")
    values = _values(name, kind)
    for part in ("common", kind):
        top = shipped_template() / part
        for file in sorted(top.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                path = _path(file.relative_to(top), name)
                text = file.read_text(encoding="utf-8")
                yield path, Template(text).substitute(values) if file.suffix == SUFFIX else text


def shipped_template() -> Path:
    """The folder of the template: package data, or the checkout's own folder."""
    packaged = Path(str(resources.files("domcore"))) / "_template"
    if packaged.is_dir():
        return packaged
    return Path(__file__).resolve().parents[3] / "plugins" / "template"


def _path(path: Path, name: PluginName) -> Path:
    names = {"__module__": name.module, "__pack__": name.slug, "gitignore.tmpl": ".gitignore"}
    parts = [names.get(part, part.removesuffix(SUFFIX)) for part in path.parts]
    return Path(*parts)


def _values(name: PluginName, kind: str) -> Mapping[str, str]:
    major, minor = __version__.split(".")[:2]
    return {
        "package": name.package,
        "module": name.module,
        "plugin": name.plugin,
        "slug": name.slug,
        "title": name.title,
        "upper": name.plugin.upper(),
        "summary": KINDS[kind].format(title=name.title),
        "dependencies": "\n".join(f'  "{each}",' for each in _NEEDS.get(kind, ())),
        "domcore": f"{major}.{minor}",
        "below": f"{major}.{int(minor) + 1}",
    }


def _refused(name: str, why: str) -> ConfigurationError:
    shown = "".join(each if each.isprintable() else "?" for each in name[:60])
    return ConfigurationError(f"{shown!r} cannot be used: {why}")
