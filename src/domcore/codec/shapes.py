"""The strict hooks for what holds other values: lists, objects, classes."""

from __future__ import annotations

import dataclasses
import difflib
import types
from collections import abc
from collections.abc import Callable, Iterable
from typing import Any, Final, Union, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.errors import IterableValidationError, IterableValidationNote
from cattrs.gen import make_dict_structure_fn

from domcore.codec.scalars import Hook, Refused, kind_of

ENOUGH_ERRORS: Final = 100
"""A list is not read further when this many of its elements are wrong."""

_HOLDERS: Final = {
    list: list,
    abc.Sequence: tuple,
    abc.Iterable: tuple,
    abc.Collection: tuple,
    abc.MutableSequence: list,
    set: set,
    abc.Set: frozenset,
    abc.MutableSet: set,
    frozenset: frozenset,
}
_OBJECTS: Final = (dict, abc.Mapping, abc.MutableMapping)


def register(converter: Converter, forbid_extra_keys: bool) -> None:
    """Put the hooks for lists, objects and classes into `converter`."""

    def class_hook(cls: Any, inner: Converter) -> Hook:
        return _class_hook(cls, inner, forbid_extra_keys)

    converter.register_structure_hook_factory(_is_class, class_hook)
    converter.register_structure_hook_factory(_is_holder, _holder_hook)
    converter.register_structure_hook_factory(_is_tuple, _tuple_hook)
    converter.register_structure_hook_factory(_is_object, _object_hook)
    converter.register_structure_hook_factory(_is_optional, _optional_hook)


def field_names(cls: type) -> list[str]:
    """The fields of an attrs class or a dataclass."""
    if attrs.has(cls):
        return [field.name for field in attrs.fields(cls)]
    return [field.name for field in dataclasses.fields(cls)] if _is_class(cls) else []


def suggest(key: object, known: Iterable[str]) -> str:
    """The known key that a misspelt one is closest to, or nothing."""
    if not isinstance(key, str) or len(key) > 100:
        return ""
    near = difflib.get_close_matches(key, list(known), n=1, cutoff=0.6)
    return near[0] if near else ""


def _base(cls: Any) -> Any:
    return get_origin(cls) or cls


def _is_class(cls: Any) -> bool:
    base = _base(cls)
    return isinstance(base, type) and (attrs.has(base) or dataclasses.is_dataclass(base))


def _class_hook(cls: Any, converter: Converter, forbid_extra_keys: bool) -> Hook:
    fill: Callable[[Any, Any], Any] = make_dict_structure_fn(
        cls,
        converter,
        _cattrs_forbid_extra_keys=forbid_extra_keys,
        _cattrs_detailed_validation=True,
    )

    def hook(value: object, wanted: Any) -> Any:
        if type(value) is not dict:
            raise Refused(f"must be an object, not {kind_of(value)}")
        return fill(value, wanted)

    return hook


def _is_optional(cls: Any) -> bool:
    if get_origin(cls) not in (Union, types.UnionType):
        return False
    return len(get_args(cls)) == 2 and type(None) in get_args(cls)


def _optional_hook(cls: Any, converter: Converter) -> Hook:
    """Null, or the other type; which hook that needs is found once, not for every value."""
    (wanted,) = (each for each in get_args(cls) if each is not type(None))
    structure = converter.get_structure_hook(wanted)

    def hook(value: object, _: object) -> Any:
        return None if value is None else structure(value, wanted)

    return hook


def _is_holder(cls: Any) -> bool:
    return _base(cls) in _HOLDERS


def _is_tuple(cls: Any) -> bool:
    return _base(cls) is tuple


def _is_object(cls: Any) -> bool:
    return _base(cls) in _OBJECTS


def _holder_hook(cls: Any, converter: Converter) -> Hook:
    arguments = get_args(cls)
    return _elements_hook(cls, _HOLDERS[_base(cls)], arguments[0] if arguments else Any, converter)


def _tuple_hook(cls: Any, converter: Converter) -> Hook:
    arguments = get_args(cls)
    if not arguments:
        return _elements_hook(cls, tuple, Any, converter)
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return _elements_hook(cls, tuple, arguments[0], converter)
    return _fixed_tuple_hook(cls, arguments, converter)


def _elements_hook(
    cls: Any, holder: Callable[[list[Any]], Any], element: Any, converter: Converter
) -> Hook:
    structure = converter.get_structure_hook(element)

    def hook(value: object, _: object) -> Any:
        steps = ((at, each, element, structure) for at, each in enumerate(_list(value)))
        return holder(_gathered(cls, steps))

    return hook


def _fixed_tuple_hook(cls: Any, elements: tuple[Any, ...], converter: Converter) -> Hook:
    structures = [converter.get_structure_hook(element) for element in elements]

    def hook(value: object, _: object) -> Any:
        given = _list(value)
        if len(given) != len(elements):
            raise Refused(f"must be a list of exactly {len(elements)}")
        steps = zip(range(len(given)), given, elements, structures, strict=True)
        return tuple(_gathered(cls, steps))

    return hook


def _object_hook(cls: Any, converter: Converter) -> Hook:
    key_type, value_type = get_args(cls) or (Any, Any)
    structure_key = converter.get_structure_hook(key_type)
    structure_value = converter.get_structure_hook(value_type)

    def hook(value: object, _: object) -> dict[Any, Any]:
        if type(value) is not dict:
            raise Refused(f"must be an object, not {kind_of(value)}")
        keys = _gathered(cls, ((key, key, key_type, structure_key) for key in value))
        values = _gathered(cls, ((k, v, value_type, structure_value) for k, v in value.items()))
        return dict(zip(keys, values, strict=True))

    return hook


def _list(value: object) -> list[Any] | tuple[Any, ...]:
    if type(value) is list or type(value) is tuple:
        return value
    raise Refused(f"must be a list, not {kind_of(value)}")


def _gathered(cls: Any, steps: Iterable[tuple[Any, Any, Any, Hook]]) -> list[Any]:
    """Structure each ``(step of the path, value, type, hook)``; errors are raised together."""
    done: list[Any] = []
    errors: list[Exception] = []
    for step, value, wanted, structure in steps:
        try:
            done.append(structure(value, wanted))
        except Exception as error:
            note = IterableValidationNote(f"Structuring {cls} @ index {step!r}", step, wanted)
            error.__notes__ = [*getattr(error, "__notes__", []), note]
            errors.append(error)
            if len(errors) >= ENOUGH_ERRORS:
                break
    if errors:
        raise IterableValidationError("elements of a list or object", errors, cls)
    return done
