"""Where plugins come from: installed packages, and objects that the settings name.

A name has one plugin. Where two claim it, domcore's own package keeps it, and the other is refused
by name; between strangers nobody gets it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib import import_module, metadata
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from attrs import frozen

from domcore.errors import ConfigurationError

GROUP: Final = "domcore"
PREFIX: Final = "domcore-"
OBJECT: Final = "object"
"""The setting in ``[plugins.NAME]`` that names an object."""

OURS: Final = ("amazon-mcf", "files", "holidays", "postal", "shopify", "woocommerce")
"""The plugins that come with domcore's source; nobody promises whose a package of such a name is
on an index."""

INSTALLED: Final = "installed"
SETTING: Final = "setting"
CODE: Final = "code"

_PATH: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*(:[^\W\d]\w*(\.[^\W\d]\w*)*)?")


@frozen(slots=True)
class Source:
    """One plugin that may be loaded.

    Args:
        package: the package that brings it; empty for an object of the application.
        refused: why it is not loaded, whoever wants it; empty where it may be.
    """

    name: str
    load: Callable[[], Any]
    version: str = ""
    package: str = ""
    refused: str = ""

    @property
    def told_apart(self) -> str:
        """Its name where another plugin has the name itself."""
        return f"{self.name} ({self.package or 'no package'})"


def installed() -> Iterator[Source]:
    """The plugins of installed packages (entry-point group ``domcore``), by name."""
    entries = sorted(metadata.entry_points(group=GROUP), key=attrgetter("name"))
    for name, group in groupby(entries, key=attrgetter("name")):
        yield from _of_one_name(name, [_source(entry) for entry in group])


def _source(entry: metadata.EntryPoint) -> Source:
    version, package = (entry.dist.version, entry.dist.name) if entry.dist else ("", "")
    return Source(entry.name, entry.load, version, package)


def _of_one_name(name: str, claims: list[Source]) -> Iterator[Source]:
    """Whose the name is, and why the others do not get it."""
    if name == GROUP:
        yield from _refused(claims, "the name is that of what domcore itself brings")
        return
    proper = [each for each in claims if _canonical(each.package) == PREFIX + name]
    owner = proper[0] if len(proper) == 1 else None
    if owner is not None:
        others = [each for each in claims if each is not owner]
        yield owner
        yield from _refused(others, f"the name is that of package {owner.package}")
    elif name in OURS:
        yield from _refused(claims, f"the name is that of domcore's own package {PREFIX}{name}")
    elif len(claims) > 1:
        packages = " and ".join(sorted(each.package or "one without a name" for each in claims))
        yield from _refused(claims, f"packages {packages} bring a plugin of this name each")
    else:
        yield claims[0]


def _refused(claims: Iterable[Source], why: str) -> Iterator[Source]:
    for each in claims:
        reason = f"{why}, so it is not loaded; uninstall one, or give its entry point another name"
        yield Source(each.name, each.load, each.version, each.package, reason)


def _canonical(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def named(tables: Mapping[str, Mapping[str, Any]], places: Mapping[str, str]) -> Iterator[Source]:
    """The objects that settings name: ``[plugins.NAME] object = "module:object"``.

    Args:
        tables: ``[plugins.NAME]`` by name.
        places: where each setting stands, by its name.
    """
    for name, table in tables.items():
        if OBJECT in table:
            setting = f"plugins.{name}.{OBJECT}"
            yield Source(name, partial(_imported, table[OBJECT], places.get(setting, ""), setting))


def _imported(path: Any, source: str, place: str) -> object:
    """The object behind ``module:object``, or the module where no object is said.

    Raises:
        ConfigurationError: there is none; says where it was asked for, and what to do.
    """
    fail = partial(ConfigurationError, source=source, place=place)
    if not isinstance(path, str) or not _PATH.fullmatch(path):
        raise fail(f"{path!r} names no object; write 'module:object', as in 'shop.rules:plugin'")
    module, _, attribute = path.partition(":")
    try:
        found: object = import_module(module)
    except KeyboardInterrupt:
        raise
    except ModuleNotFoundError as error:
        missing = error.name or module
        if not (module == missing or module.startswith(f"{missing}.")):
            raise fail(f"module {module!r} needs {missing!r}, which is not installed") from error
        raise fail(
            f"there is no module {missing!r}; put its folder on PYTHONPATH, or install it"
        ) from error
    except BaseException as error:
        raise fail(
            f"module {module!r} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    for step in filter(None, attribute.split(".")):
        try:
            found = getattr(found, step)
        except Exception as error:
            raise fail(
                f"module {module!r} has no {attribute!r}; see how it is spelt there"
            ) from error
    return found
