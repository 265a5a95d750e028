"""The words that facts can have at all: closed lists and forms, wherever the rules are used."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

from attrs import frozen

from domcore.model.network import NODE_KINDS
from domcore.model.place import Destination
from domcore.model.postal import compact, normal_destination
from domcore.rules.builtin_facts import WEEKDAYS
from domcore.rules.problems import shown, suggestion

CLOSED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"now.weekday": WEEKDAYS, "node.kind": NODE_KINDS}
)
"""Facts of text with every value they can have."""

CLOCK: Final = tuple(f"{hour:02}:{minute:02}" for hour in range(24) for minute in range(60))
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d\Z")
_COUNTRY: Final = re.compile(r"[A-Z]{2}\Z")
_CURRENCY: Final = re.compile(r"[A-Z]{3}\Z")
_LATER: Final = re.compile(r"(\d{1,2})(?::?(\d\d))? ?([ap])\.?m?\.?\Z", re.IGNORECASE)


@frozen(slots=True)
class Form:
    """The form of a fact's values: what is wrong with a text as one, or nothing."""

    fault: Callable[[str], str]


def word_fault(fact: str, word: str) -> str:
    """Why a fact can never be this text, with the word that is meant; nothing where it can."""
    closed = CLOSED.get(fact)
    if closed is not None:
        if word in closed:
            return ""
        hint = suggestion(word.lower(), closed) or _beginning(word, closed)
        return f"{fact} is never {shown(word)}; it is one of {', '.join(closed)}{hint}"
    form = FORMS.get(fact)
    why = form.fault(word) if form else ""
    return f"{fact} is never {shown(word)}; {why}" if why else ""


def _beginning(word: str, closed: tuple[str, ...]) -> str:
    """``sat`` is meant as ``saturday``."""
    found = [each for each in closed if word and each.startswith(word.lower())]
    return f"; did you mean {found[0]!r}?" if len(found) == 1 else ""


def _clock(word: str) -> str:
    if _CLOCK.match(word):
        return ""
    told = _LATER.match(word.strip())
    meant = f"0{word}" if _CLOCK.match(f"0{word}") else ""
    if told and 1 <= int(told[1]) <= 12:
        hour = int(told[1]) % 12 + 12 * (told[3].lower() == "p")
        meant = f"{hour:02}:{told[2] or '00'}"
    return f"it is written '00:00' to '23:59'{f'; did you mean {meant!r}?' if meant else ''}"


def _day(word: str) -> str:
    try:
        good = date.fromisoformat(word).isoformat() == word
    except ValueError:
        good = False
    return "" if good else "it is written '2026-11-27'"


def _country(word: str) -> str:
    place = normal_destination(Destination(word))
    if _COUNTRY.match(word) and place.country == word:
        return ""
    if place.region and place.country == "US":
        return f"it stands under country 'US' as region {place.region!r}"
    meant = place.country
    hint = f"; did you mean {meant!r}?" if meant != word and _COUNTRY.match(meant) else ""
    return f"it is a code of two capitals, such as 'US'{hint}"


def _region(word: str) -> str:
    if word and word == word.upper() and compact(word) == word:
        return ""
    return "it is a code in capitals without the country, such as 'NY'"


def _postal(word: str) -> str:
    plain = compact(word)
    return "" if plain == word else f"it has capitals, letters and digits only: {plain!r}"


def _currency(word: str) -> str:
    return "" if _CURRENCY.match(word) else "it is an ISO 4217 code, such as 'USD'"


FORMS: Final[Mapping[str, Form]] = MappingProxyType(
    {
        "now.clock": Form(_clock),
        "now.date": Form(_day),
        "destination.country": Form(_country),
        "node.country": Form(_country),
        "destination.region": Form(_region),
        "node.region": Form(_region),
        "destination.postal": Form(_postal),
        "node.postal": Form(_postal),
        "order.currency": Form(_currency),
    }
)
