"""What a rule may say after ``then``: every verb, its arguments and their limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from attrs import frozen

from domcore.model.money import MOST, micros
from domcore.model.policy import COST_BASES, HOLD_STAGES
from domcore.rules.pack import VERBS
from domcore.rules.problems import shown, suggestion

MOST_UNITS: Final = 1_000_000_000
PARAMETER: Final = "parameters."


@frozen(slots=True)
class Argument:
    """One key of a consequence.

    Args:
        types: parameter types that may stand for it; none when a parameter cannot.
        check: brings a written value into its compiled form, or raises ValueError.
        required: whether it must be given.
        default: its compiled value when it is not given.
    """

    check: Callable[[Any], Any]
    types: tuple[str, ...] = ()
    required: bool = False
    default: Any = None


def _amount(value: Any) -> int:
    if type(value) is not str:
        raise ValueError('an amount is decimal text in quotes, such as "1.50"')
    amount = micros(value)
    if amount < 0:
        raise ValueError("an amount is never negative; make the others dearer instead")
    return amount


def _count(least: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if type(value) is not int or not least <= value <= MOST_UNITS:
            raise ValueError(f"a whole number from {least} to {MOST_UNITS:,}")
        return value

    return check


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError("true or false")
    return value


def _word(words: tuple[str, ...]) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if type(value) is not str or value not in words:
            hint = suggestion(value, words) if isinstance(value, str) else ""
            raise ValueError(f"one of {', '.join(words)}{hint}")
        return value

    return check


GRAMS: Final = 1_000
"""Grams in a kilogram."""

ARGUMENTS: Final[Mapping[str, Mapping[str, Argument]]] = MappingProxyType(
    {
        "exclude": {},
        "require": {},
        "cost": {
            "amount": Argument(_amount, ("money", "decimal"), required=True),
            "per": Argument(_word(COST_BASES), required=True),
        },
        "protect": {"quantity": Argument(_count(0), ("int",), required=True)},
        "split": {
            "max_nodes": Argument(_count(1), ("int",)),
            "ship_complete": Argument(_flag, ("bool",)),
        },
        "hold": {"stage": Argument(_word(HOLD_STAGES), default="release")},
    }
)


def parse_then(then: Any) -> tuple[str, dict[str, Any]]:
    """The verb and its arguments as written, checked but for parameters.

    Raises:
        ValueError: an unknown verb or key, or a value that does not fit.
    """
    arguments: Any = {}
    if isinstance(then, str):
        verb = then
    elif isinstance(then, Mapping) and len(then) == 1:
        verb, arguments = next(iter(then.items()))
        if not isinstance(arguments, Mapping):
            raise ValueError(f"what follows {shown(verb)} is a table, such as {{ ... }}")
    else:
        raise ValueError("a rule has exactly one consequence: a verb, or a table with one verb")
    if verb not in VERBS:
        raise ValueError(f"no verb {shown(verb)}{suggestion(verb, VERBS)}")
    arguments = dict(arguments)
    if verb == "set":
        _check_set(arguments)
        return verb, {key: _settled(value) for key, value in arguments.items()}
    known = ARGUMENTS[verb]
    for key, value in arguments.items():
        if key not in known:
            hint = suggestion(key, known)
            raise ValueError(f"{verb} has no {shown(key)}{hint}")
        if not (known[key].types and is_parameter(value)):
            _checked(verb, key, value)
    for key, argument in known.items():
        if argument.required and key not in arguments:
            raise ValueError(f"{verb} needs {key!r}")
    if verb == "split" and not arguments:
        raise ValueError("split needs 'max_nodes' or 'ship_complete'")
    return verb, arguments


def compiled(verb: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments with every parameter filled in, as the program uses them: amounts in micros.

    Raises:
        ValueError: a parameter's value does not fit.
    """
    values = {
        key: _checked(verb, key, arguments[key]) if key in arguments else argument.default
        for key, argument in ARGUMENTS[verb].items()
    }
    if verb == "cost":
        wrong = finer_than_a_gram(values["amount"], values["per"])
        if wrong:
            raise ValueError(f"amount = {shown(arguments['amount'])}: {wrong}")
    return values


def finer_than_a_gram(amount: int, per: str) -> str:
    """What is wrong with an amount per kilogram that is no whole number of micros per gram."""
    if per == "kg" and amount % GRAMS:
        return "an amount per kg is a multiple of 0.001, so that every gram costs whole micros"
    return ""


def is_parameter(value: Any) -> bool:
    """Whether a written value stands for a parameter."""
    return type(value) is str and value.startswith(PARAMETER)


def _checked(verb: str, key: str, value: Any) -> Any:
    try:
        return ARGUMENTS[verb][key].check(value)
    except ValueError as error:
        raise ValueError(f"{key} = {shown(value)}: {error}") from None


def _check_set(arguments: Mapping[str, Any]) -> None:
    if not arguments:
        raise ValueError('set names a fact and its value, such as { "order.vip" = true }')
    for name, value in arguments.items():
        parts = name.split(".")
        if parts[0] not in ("order", "line") or len(parts) != 2 or not parts[1].isidentifier():
            raise ValueError(
                f"set derives facts named 'order.<name>' or 'line.<name>', not {shown(name)}"
            )
        if type(value) is int and abs(value) <= MOST:
            continue
        if type(value) is bool or (type(value) is str and 0 < len(value) <= 1_000):
            continue
        if isinstance(value, list | tuple) and all(type(part) is str for part in value):
            continue
        raise ValueError(f"{name} = {shown(value)}: true, false, a whole number, text or texts")


def _settled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else value
