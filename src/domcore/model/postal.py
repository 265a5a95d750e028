"""One normal form of a destination, however shops and people spell it.

``K1A 0B1`` and ``k1a0b1`` are one code, ``US``/``PR`` and ``PR`` are one place, ``7030`` in New
Jersey is a ZIP code whose zero a spreadsheet has dropped. What planning reads - zones of rate
cards, facts of rules, geocoders - is the normal form; orders are stored as they came, so that a
repeat is still known for one. A decision's record says the form it was made with.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from attrs import evolve

from domcore.model.network import Node
from domcore.model.place import Destination
from domcore.model.territories import (
    BY_POSTAL,
    BY_REGION,
    COUNTRY_WORDS,
    MILITARY,
    NO_REGIONS,
    PLATES,
    STATE_NAMES,
    STATES,
)
from domcore.model.zips import doubt, state_of, whole_zip

_PLUS_FOUR: Final = re.compile(r"\d[ -]+\d{4}\s*\Z", re.ASCII)
"""A ZIP+4 whose ZIP code may have lost its zeros: only a whole one is followed by four more."""

_FRACTION: Final = re.compile(r"(?<=\d)\.0+\Z", re.ASCII)
"""What a spreadsheet writes behind a code that it takes for a number."""


def normal_destination(destination: Destination) -> Destination:
    """The same place in its normal form; the point stays as it is.

    * `country` is in capitals, and a territory stands under one country: those that the United
      States' mail serves under ``US`` with their state, all others under their own code;
    * `region` is in capitals, without the country in front, and a name of a state is its code;
    * `postal` is in capitals and has letters and digits only: no blank, no hyphen, no ``D-`` in
      front. A ZIP code has five digits (or as many as the settings keep), its +4 is left out.
    """
    if _is_plain(destination):
        return destination
    country = _upper(destination.country)
    country = COUNTRY_WORDS.get(country, country)
    region = _region(country, destination.region)
    if country in STATES:
        country, region = "US", country
    if country == "US":
        region, postal = _united_states(region, destination.postal)
    else:
        postal = _without_country(country, compact(destination.postal))
        country, region = _own_country(country, region, postal)
    if (country, region, postal) == (destination.country, destination.region, destination.postal):
        return destination
    return evolve(destination, country=country, region=region, postal=postal)


def _is_plain(destination: Destination) -> bool:
    """Whether it is a ZIP code in its own state, as most are, or a country and no more: that is
    looked at no further."""
    postal, country = destination.postal, destination.country
    if not (postal or destination.region):
        plain = country.isascii() and country.isupper() and country.isalnum()
        known = country in STATES or country in COUNTRY_WORDS
        return not known and (plain or _upper(country) == country)
    if country != "US" or len(postal) != 5:
        return False
    return postal.isascii() and postal.isdigit() and state_of(postal) == destination.region != ""


def normal_node(node: Node) -> Node:
    """A node with its country, region and postal code as destinations have theirs, so that rules
    can compare the two."""
    place = normal_destination(Destination(node.country, node.region, node.postal))
    return evolve(node, country=place.country, region=place.region, postal=place.postal)


def compact(postal: str) -> str:
    """The letters and digits of a postal code, in capitals: ``"K1A0B1"``."""
    if postal.isascii() and postal.isalnum():
        return postal.upper()
    text = _FRACTION.sub("", unicodedata.normalize("NFKC", postal).strip())
    return "".join(_plain(c) for c in text if c.isalnum()).upper()


def postal_prefix(postal: str, digits: int) -> str:
    """The code without what follows its first so many letters and digits; 0 keeps it whole.

    Blanks and hyphens do not count: of ``K1A 0B1`` and ``K1A0B1`` the same is left.
    """
    if not digits or len(postal) <= digits:
        return postal
    short = compact(postal)
    return postal if len(short) <= digits else short[:digits]


def doubtful(destination: Destination) -> str:
    """Why the code of a destination in its normal form says no place; empty where it may."""
    if destination.country != "US":
        return ""
    return doubt(destination.postal, "" if destination.region == "UM" else destination.region)


def same_place(one: Destination | None, other: Destination | None) -> bool:
    """Whether two destinations are one however they are spelled."""
    if one == other:
        return True
    if one is None or other is None:
        return False
    return normal_destination(one) == normal_destination(other)


def _united_states(region: str, written: str) -> tuple[str, str]:
    postal = compact(written)
    for word in ("USA", "US", region):
        rest = postal.removeprefix(word)
        postal = rest if rest.isdigit() else postal
    if not postal.isdigit():
        return region, postal
    four = _PLUS_FOUR.search(written) if len(postal) < 9 else None
    postal = postal[:-4].zfill(5) if four else whole_zip(postal, region)
    state = state_of(postal) if len(postal) == 5 or (len(postal) == 3 and not region) else ""
    if state and (not region or state in STATES or state in MILITARY):
        region = state
    return region, postal


def _own_country(country: str, region: str, postal: str) -> tuple[str, str]:
    own = BY_REGION.get(country, {}).get(region, "")
    if not own:
        for beginning, territory in BY_POSTAL.get(country, ()):
            if postal.startswith(beginning) and _fits(country, beginning, postal):
                own = territory
                break
    if own:
        return own, ""
    return country, "" if country in NO_REGIONS else region


def _fits(country: str, beginning: str, postal: str) -> bool:
    """Letters are followed by a digit where the code goes on: IM1 is Man, IMAGE is nothing."""
    rest = postal[len(beginning) :]
    return country != "GB" or len(beginning) != 2 or (rest[:1].isdigit() or not rest)


def _without_country(country: str, postal: str) -> str:
    """The code without the country that people write in front of it."""
    for word in (country, *PLATES.get(country, ())):
        rest = postal.removeprefix(word)
        if word and rest != postal and rest[:1].isdigit() and (rest.isdigit() or country == "NL"):
            return rest
    if country == "AR" and len(postal) == 8 and postal[1:5].isdigit():
        return postal[1:5]
    return postal


def _region(country: str, region: str) -> str:
    text = _upper(region)
    text = text.removeprefix(f"{country}-")
    return STATE_NAMES.get(country, {}).get(text, text)


def _upper(text: str) -> str:
    if text.isascii() and text.isupper() and text.isalnum():
        return text
    return " ".join(unicodedata.normalize("NFKC", text).upper().split())


def _plain(character: str) -> str:
    """A digit of any script as ASCII."""
    if character.isascii() or not character.isdecimal():
        return character
    return str(unicodedata.decimal(character))
