"""What a function must be to serve a hook: looked at once, when its plugin is registered.

pluggy takes what it knows and passes over the rest in silence; what would never be called, or could
never answer, is refused here with the reason.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, Final

from domcore.hookspecs import HookSpecs

MARK: Final = "domcore_impl"
"""Where `hookimpl` notes its options."""

_ABSENT: Final = object()
_PASSED_OVER: Final = (property, functools.cached_property, functools.partialmethod)


def hook_names() -> tuple[str, ...]:
    """Every hook of this version."""
    return tuple(name for name in vars(HookSpecs) if not name.startswith("_"))


def arguments_of(hook: str) -> tuple[str, ...]:
    """What a hook is called with."""
    return tuple(inspect.signature(getattr(HookSpecs, hook)).parameters)[1:]


def faults_of(hook: str, function: Callable[..., Any], *, wraps: bool) -> Iterator[str]:
    """Why this implementation would never run, or never answer; nothing where it serves.

    Args:
        wraps: whether it is marked as a wrapper, as pluggy has them.
    """
    if wraps:
        yield (
            "is a wrapper: each implementation is called on its own here, so there is nothing to"
            " wrap; use @hookimpl without wrapper= or hookwrapper="
        )
        return
    plain = inspect.unwrap(function)
    if inspect.iscoroutinefunction(plain) or inspect.isasyncgenfunction(plain):
        yield (
            "is async: hooks are called plainly and nobody awaits the answer; write 'def', and run"
            " what must be awaited in a loop of your own (asyncio.run)"
        )
    elif inspect.isgeneratorfunction(plain) and not _takes_many(hook):
        yield "has a 'yield', so a call would not run it; return the answer instead"
    else:
        yield from _of_arguments(hook, function)


def wanted(function: Callable[..., Any]) -> tuple[str, ...]:
    """The arguments that an implementation without faults is called with, all by name."""
    parameters = inspect.signature(function).parameters.values()
    return tuple(each.name for each in parameters if not each.name.startswith("_"))


def _takes_many(hook: str) -> bool:
    """Whether the hook's answer is walked through, so that a generator will do."""
    return str(getattr(HookSpecs, hook).__annotations__["return"]).startswith("Iterable[")


def _of_arguments(hook: str, function: Callable[..., Any]) -> Iterator[str]:
    offered = arguments_of(hook)
    listed = ", ".join(offered) or "none"
    bound = getattr(function, "__func__", None)
    if bound is not None and _first_name(bound) in (*offered, None):
        yield "is a method without self: write self first, or @staticmethod"
        return
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError) as error:
        yield f"has no signature that can be read ({error}); write a 'def' around it"
        return
    for name, each in parameters.items():
        if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            yield (
                f"takes '{each}': name the arguments that you want (there are: {listed});"
                " a decorator keeps the names with functools.wraps"
            )
        elif each.kind is each.POSITIONAL_ONLY:
            yield f"takes {name!r} by position only, and hooks call by name: leave out the '/'"
        elif name not in offered and not (name.startswith("_") and each.default is not each.empty):
            yield f"takes {name!r}, which is no argument of this hook (there are: {listed})"
    try:
        outer = inspect.signature(function, follow_wrapped=False)
        outer.bind(**dict.fromkeys(name for name in parameters if name in offered))
    except TypeError as error:
        if outer.parameters != parameters:
            yield f"is wrapped by a function that cannot be called by name ({error})"


def _first_name(function: Callable[..., Any]) -> str | None:
    return next(iter(inspect.signature(function).parameters), None)


def passed_over(plugin: object, taken: frozenset[str]) -> Iterator[tuple[str, str]]:
    """``(name, reason)`` of what was meant for a hook and is none.

    Args:
        plugin: a plugin object or module.
        taken: names of attributes that serve a hook.
    """
    hooks = frozenset(hook_names())
    for name in dir(plugin):
        if name in taken:
            continue
        value = inspect.getattr_static(plugin, name, _ABSENT)
        if _is_marked(value):
            kind = type(value).__name__
            yield name, f"is marked with @hookimpl and is a {kind}; write a 'def' around it"
        elif name in hooks and isinstance(value, _PASSED_OVER):
            yield name, f"is a {type(value).__name__}; a hook is a function or a method"
        elif name in hooks and _is_meant(name, value):
            yield name, "is not marked with @hookimpl, so it is never called: mark or rename it"


def _is_marked(value: object) -> bool:
    holders = (value, getattr(value, "fget", None) if isinstance(value, property) else None)
    return any(MARK in getattr(each, "__dict__", {}) for each in holders)


def _is_meant(hook: str, value: object) -> bool:
    """Whether it could be called as this hook is."""
    function = value.__func__ if isinstance(value, staticmethod | classmethod) else value
    if not callable(function) or inspect.isclass(function):
        return False
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    needed = {
        each.name
        for each in parameters
        if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    } - {"self", "cls"}
    offered = set(arguments_of(hook))
    return needed <= offered and (bool(needed) or not offered)
