"""Which part of a country a region is: by its code, by its own name, or by its English one."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final

from attrs import frozen
from holidays import country_holidays

ENGLISH: Final[Mapping[str, Mapping[str, str]]] = {
    "AT": {
        "1": "Burgenland", "2": "Carinthia", "3": "Lower Austria", "4": "Upper Austria",
        "6": "Styria", "7": "Tyrol", "9": "Vienna",
    },
    "CH": {
        "BS": "Basel-City", "BL": "Basel-Country", "GE": "Geneva", "GR": "Grisons",
        "LU": "Lucerne", "SG": "Saint Gall", "ZH": "Zurich",
    },
    "DE": {
        "BY": "Bavaria", "HE": "Hesse", "MV": "Mecklenburg-Western Pomerania",
        "NI": "Lower Saxony", "NW": "North Rhine-Westphalia", "RP": "Rhineland-Palatinate",
        "SN": "Saxony", "ST": "Saxony-Anhalt", "TH": "Thuringia",
    },
    "ES": {
        "AN": "Andalusia", "AR": "Aragon", "CN": "Canary Islands", "CT": "Catalonia",
        "CL": "Castile and Leon", "CM": "Castile-La Mancha", "IB": "Balearic Islands",
        "NC": "Navarre", "PV": "Basque Country", "VC": "Valencia",
    },
    "GB": {"ENG": "England", "NIR": "Northern Ireland", "SCT": "Scotland", "WLS": "Wales"},
}  # fmt: skip
"""Names that the library of holidays does not have, by its own codes."""


@frozen(slots=True)
class Place:
    """A country and the part of it whose holidays count; `unknown` says what is not known of it."""

    country: str
    subdivision: str | None = None
    unknown: str = ""


def place_of(country: str, region: str) -> Place:
    """The place that holidays are kept by.

    A region without an own calendar in its country needs none; of one that nobody knows only the
    holidays of the whole country are known, and that is said.
    """
    try:
        whole = country_holidays(country)
    except NotImplementedError:
        return Place(country, unknown=f"no holidays of country {country!r} are known")
    if not region or not whole.subdivisions:
        return Place(country)
    names = {_plain(code): code for code in whole.subdivisions}
    aliases = whole.get_subdivision_aliases()
    own = ((code, alias) for code, found in aliases.items() for alias in found)
    for code, name in (*own, *ENGLISH.get(country, {}).items()):
        names.setdefault(_plain(name), code)
    found = names.get(_plain(region))
    if found is not None:
        return Place(country, found)
    known = ", ".join(whole.subdivisions[:60])
    return Place(
        country,
        unknown=f"region {region!r} of {country} is none whose holidays are known, so only those of"
        f" the whole country count; write one of {known}, or a usual name of one",
    )


def _plain(name: str) -> str:
    """Letters and digits only, without accents and case."""
    apart = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in apart if letter.isalnum())
