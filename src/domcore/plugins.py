"""One plugin manager per application: loading, status, and the one dispatcher.

pluggy finds and validates implementations; they are called here one by one, because a pluggy call
stops at the first that raises and its order is that of registration.
"""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

import pluggy
from attrs import define, field, frozen

from domcore.errors import ConfigurationError, PluginError
from domcore.hook_checks import faults_of, passed_over, wanted
from domcore.hookspecs import HookSpecs
from domcore.plugin_sources import CODE, INSTALLED, SETTING, Source, installed, named
from domcore.settings import Settings

LOAD_VARIABLE: Final = "DOMCORE_LOAD_PLUGINS"
_TAKEN: Final = (
    "the settings or the application's code give a plugin called {!r}, so the installed one is not"
    " loaded; give that another name, or uninstall this"
)

_log = logging.getLogger("domcore.plugins")
_T = TypeVar("_T")


@define
class PluginStatus:
    """What is known of one plugin: where it is from, what it implements, what went wrong."""

    name: str
    version: str = ""
    builtin: bool = False
    hooks: tuple[str, ...] = ()
    error: str = ""
    failures: int = 0
    origin: str = ""
    """``installed``, ``setting`` or ``code``; empty where it is not loaded."""
    named: bool = False
    """Whether the settings ask for it by name."""
    claims: str = ""
    """The name that it wants and another has."""


@frozen(slots=True)
class Implementation:
    """One plugin's function for one hook."""

    plugin: str
    call: Callable[..., Any]
    wants: tuple[str, ...]
    builtin: bool

    def __call__(self, arguments: Mapping[str, Any]) -> Any:
        return self.call(**{name: arguments[name] for name in self.wants})


@frozen(slots=True)
class Failure:
    """A call that did not work out."""

    plugin: str
    hook: str
    error: Exception

    def __str__(self) -> str:
        return f"plugin {self.plugin!r}, hook {self.hook!r}: {describe(self.error)}"


def chosen(only: Iterable[str] | None) -> frozenset[str] | None:
    """The names of the plugins to load; None is all. See `Plugins.load_installed`."""
    if only is None and LOAD_VARIABLE in os.environ:
        only = filter(None, map(str.strip, os.environ[LOAD_VARIABLE].split(",")))
    return None if only is None else frozenset(only)


def describe(error: BaseException) -> str:
    """An exception in one line that can be printed and stored, whatever the exception does."""
    try:
        text = str(error).encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
    except Exception:
        text = "its message cannot be read"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines[:4]) or 'no message'}"


@define
class Plugins:
    """The plugins of one application.

    A broken one is remembered in `status` and switched off; the others work.
    """

    _manager: pluggy.PluginManager = field(factory=lambda: pluggy.PluginManager("domcore"))
    _status: dict[str, PluginStatus] = field(factory=dict)
    _cache: dict[str, tuple[Implementation, ...]] = field(factory=dict)
    _only: frozenset[str] | None = frozenset()
    asked: set[str] = field(factory=set)
    """Those whose facts somebody has read."""
    heard: Callable[[str, str], None] | None = None
    """Told of every failure: plugin and hook."""

    def __attrs_post_init__(self) -> None:
        self._manager.add_hookspecs(HookSpecs)

    def register(
        self,
        plugin: object,
        name: str,
        *,
        version: str = "",
        builtin: bool = False,
        origin: str = CODE,
    ) -> None:
        """Add a plugin object or module.

        Raises:
            ConfigurationError: the name is taken, a hook is unknown or its signature is wrong, what
                is there would never be called, or there is nothing that would.
        """
        if self._manager.has_plugin(name):
            raise ConfigurationError("a plugin of this name is registered already", source=name)
        if not name.strip() or name != name.strip() or not name.isprintable():
            message = "a plugin's name must be text that can be printed, without blanks around it"
            raise ConfigurationError(message, source=f"plugin {name!r}")
        self._status[name] = PluginStatus(name, version, builtin)
        try:
            if isinstance(plugin, type):
                plugin = plugin()  # one instance per application: state hangs on it
            self._manager.register(plugin, name)
            self._manager.check_pending()
            self._refuse_what_cannot_serve(plugin)
        except Exception as error:
            if self._manager.has_plugin(name):
                self._manager.unregister(name=name)
            own = isinstance(error, ConfigurationError)
            self._status[name].error = str(error) if own else describe(error)
            raise ConfigurationError(
                f"{self._status[name].error}; see docs/hooks.md for the hooks and their arguments",
                source=f"plugin {name}",
            ) from error
        callers = self._manager.get_hookcallers(plugin) or []
        self._status[name].hooks = tuple(sorted(caller.name for caller in callers))
        self._status[name].origin = origin
        self._cache.clear()

    def _refuse_what_cannot_serve(self, plugin: object) -> None:
        """Raise for what would never be called, or could not answer."""
        faults = []
        for caller in self._manager.get_hookcallers(plugin) or []:
            for impl in caller.get_hookimpls():
                if impl.plugin is plugin:
                    wraps = impl.wrapper or impl.hookwrapper
                    found = faults_of(caller.name, impl.function, wraps=wraps)
                    faults += [f"hook {caller.name!r} {fault}" for fault in found]
        options = self._manager.parse_hookimpl_opts
        taken = frozenset(name for name in dir(plugin) if options(plugin, name) is not None)
        faults += [f"{name!r} {fault}" for name, fault in passed_over(plugin, taken)]
        if not faults and not taken:
            faults.append("it has no hook: mark its functions or methods with @hookimpl")
        if faults:
            raise ConfigurationError("; ".join(faults))

    def unregister(self, name: str) -> None:
        """Take a plugin out again."""
        self._manager.unregister(name=name)
        del self._status[name]
        self._cache.clear()

    def load(self, settings: Settings) -> None:
        """Load what the settings name (``[plugins.NAME] object``), then what is installed."""
        only = self._only = chosen(settings.plugins)
        for source in named(settings.plugin_options, settings.origins):
            if (only is None or source.name in only) and source.name not in self._status:
                self._load(source, SETTING)
        self.load_installed(settings.plugins)
        if only is None:
            for name in settings.plugin_options:
                self._miss(name, f"not installed, and [plugins.{name}] names it")

    def load_installed(self, only: Iterable[str] | None = None) -> None:
        """Load installed plugins (entry-point group ``domcore``), each on its own.

        Args:
            only: names to load; None follows ``DOMCORE_LOAD_PLUGINS`` (comma-separated; empty
                loads none), or loads all.
        """
        wanted = chosen(only)
        for source in installed():
            if wanted is None or source.name in wanted:
                self._load(source, INSTALLED)
        for name in sorted(wanted or ()):
            self._miss(name, "not installed")

    def left_out(self, name: str) -> bool:
        """Whether it was not to be loaded: the application or its settings chose others."""
        return self._only is not None and name not in self._only

    def _miss(self, name: str, why: str) -> None:
        """Note that a plugin that is named is not there."""
        refused = [each.error for each in self._status.values() if each.claims == name]
        fresh = PluginStatus(name, error=refused[0] if refused else why)
        self._status.setdefault(name, fresh).named = True

    def _load(self, source: Source, origin: str) -> None:
        taken = self._status.get(source.name)
        if source.refused or taken is not None:
            why = source.refused or _TAKEN.format(source.name)
            self._status[source.told_apart] = PluginStatus(
                source.told_apart, source.version, error=why, claims=source.name
            )
            self._off(source.told_apart)
            return
        try:
            self.register(source.load(), source.name, version=source.version, origin=origin)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            fresh = PluginStatus(source.name, source.version)
            status = self._status.setdefault(source.name, fresh)
            own = isinstance(error, ConfigurationError)
            status.error = status.error or (str(error) if own else describe(error))
            self._off(source.name)
        self._status[source.name].named = origin == SETTING

    def _off(self, name: str) -> None:
        told = {"event": "plugin.off", "plugin": name}
        error = self._status[name].error
        _log.warning("plugin %s is switched off: %s", name, error, extra=told)

    def status(self) -> list[PluginStatus]:
        """All plugins known, built-ins last, each with its error if it has one."""
        return sorted(self._status.values(), key=lambda status: (status.builtin, status.name))

    def implementations(self, hook: str) -> tuple[Implementation, ...]:
        """Who implements `hook`, in the order in which they are called."""
        found = self._cache.get(hook)
        if found is None:
            found = self._cache[hook] = self._sorted(hook)
        return found

    def foreign(self, hook: str) -> bool:
        """Whether anyone but a built-in implements `hook`."""
        return any(not each.builtin for each in self.implementations(hook))

    def _sorted(self, hook: str) -> tuple[Implementation, ...]:
        ranked = []
        for impl in getattr(self._manager.hook, hook).get_hookimpls():
            builtin = self._status[impl.plugin_name].builtin
            rank = 0 if impl.tryfirst else 2 if impl.trylast else 1
            entry = Implementation(impl.plugin_name, impl.function, wanted(impl.function), builtin)
            ranked.append(((builtin, rank, impl.plugin_name), entry))
        return tuple(entry for _, entry in sorted(ranked, key=lambda pair: pair[0]))

    def each(self, hook: str, **arguments: Any) -> Iterator[tuple[str, Any | Failure]]:
        """Call every implementation on its own: ``(plugin, result or Failure)``."""
        for implementation in self.implementations(hook):
            yield implementation.plugin, self.attempt(implementation, hook, arguments)

    def attempt(
        self, implementation: Implementation, hook: str, arguments: Mapping[str, Any]
    ) -> Any | Failure:
        """Call one implementation; whatever it raises comes back as a `Failure`."""
        try:
            answer = implementation(arguments)
            if inspect.iscoroutine(answer):
                answer.close()  # nobody will await it
                raise TypeError("returned a coroutine; hooks are called plainly, nobody awaits")
            return answer
        except KeyboardInterrupt:
            raise
        except Exception as error:
            return self.failed(implementation.plugin, hook, error)
        except BaseException as error:
            return self.failed(implementation.plugin, hook, RuntimeError(describe(error)))

    def failed(self, plugin: str, hook: str, error: Exception) -> Failure:
        """Count and log a failure of `plugin`."""
        failure = Failure(plugin, hook, error)
        status = self._status.get(plugin)
        if status is not None:
            status.failures += 1
            if isinstance(error, ConfigurationError):
                status.error = str(error)
        told = {"event": "plugin.failed", "plugin": plugin, "hook": hook}
        _log.warning("%s", failure, extra=told)
        if self.heard is not None:
            self.heard(plugin, hook)
        return failure

    def collect(self, hook: str, kind: type[_T], **arguments: Any) -> list[tuple[str, _T]]:
        """Gather the `kind` objects that the implementations of a registering hook return.

        One that raises or returns something else is logged, counted and skipped.
        """
        gathered: list[tuple[str, _T]] = []
        for plugin, result in self.each(hook, **arguments):
            if isinstance(result, Failure):
                continue
            try:
                gathered += [(plugin, of_kind(plugin, hook, kind, each)) for each in result or ()]
            except (PluginError, TypeError) as error:
                self.failed(plugin, hook, error)
        return gathered


def of_kind(plugin: str, hook: str, kind: type[_T], value: object) -> _T:
    """The value, once it is known to be of the class that the hook wants.

    Raises:
        PluginError: it is of another.
    """
    if not isinstance(value, kind):
        raise PluginError(
            plugin, hook, f"returned {type(value).__name__} where {kind.__name__} is wanted"
        )
    return value
