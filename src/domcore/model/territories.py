"""Places that are written under two countries, and how domcore writes them.

Puerto Rico is ``PR`` to one shop and ``US``, state ``PR`` to the next; Réunion is ``RE``, or
``FR`` with a postal code that begins with 974. Here stands which of them is the normal form.
"""

from __future__ import annotations

from typing import Final

COUNTRY_WORDS: Final = {"UK": "GB", "EL": "GR", "IC": "ES", "EA": "ES", "USA": "US"}
"""Codes that ISO 3166-1 reserves for a country, or for a part of it, and the country's own."""

STATES: Final = frozenset({"AS", "FM", "GU", "MH", "MP", "PR", "PW", "UM", "VI"})
"""Countries of ISO 3166-1 that the United States' mail serves as states of its own.

Their normal form is ``US`` with the state: their ZIP codes are those of the United States.
"""

MILITARY: Final = frozenset({"AA", "AE", "AP"})
"""The "states" of addresses of the armed forces (APO, FPO) and the embassies (DPO)."""

BY_POSTAL: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "AU": (("2899", "NF"), ("6798", "CX"), ("6799", "CC")),
    "CH": tuple((str(code), "LI") for code in range(9485, 9499)),
    "DK": (("39", "GL"),),
    "FI": (("22", "AX"),),
    "FR": (
        ("97133", "BL"), ("97150", "MF"),
        ("971", "GP"), ("972", "MQ"), ("973", "GF"), ("974", "RE"), ("975", "PM"), ("976", "YT"),
        ("977", "BL"), ("978", "MF"), ("986", "WF"), ("987", "PF"), ("988", "NC"), ("980", "MC"),
    ),
    "GB": (
        ("ASCN", "SH"), ("BBND", "IO"), ("BIQQ", "AQ"), ("FIQQ", "FK"), ("GX11", "GI"),
        ("GY", "GG"), ("IM", "IM"), ("JE", "JE"), ("PCRN", "PN"), ("SIQQ", "GS"), ("STHL", "SH"),
        ("TDCU", "SH"), ("TKCA", "TC"),
    ),
    "IT": (("00120", "VA"), ("4789", "SM")),
    "NO": (("8099", "SJ"), *((str(code), "SJ") for code in range(9170, 9179))),
}  # fmt: skip
"""Country -> (beginning of the compact code, the territory's own country); first match counts."""

BY_REGION: Final[dict[str, dict[str, str]]] = {
    "CN": {"HK": "HK", "91": "HK", "MO": "MO", "92": "MO"},
    "DK": {"FO": "FO", "GL": "GL"},
    "FI": {"AX": "AX", "01": "AX"},
    "FR": {
        "971": "GP", "972": "MQ", "973": "GF", "974": "RE", "976": "YT",
        "BL": "BL", "GF": "GF", "GP": "GP", "GUA": "GP", "LRE": "RE", "MAY": "YT", "MF": "MF",
        "MQ": "MQ", "MTQ": "MQ", "NC": "NC", "PF": "PF", "PM": "PM", "RE": "RE", "WF": "WF",
        "YT": "YT", "GUF": "GF",
    },
    "GB": {"GG": "GG", "GGY": "GG", "IM": "IM", "IMN": "IM", "JE": "JE", "JEY": "JE"},
    "NL": {
        "AW": "AW", "BQ": "BQ", "BQ1": "BQ", "BQ2": "BQ", "BQ3": "BQ", "CW": "CW", "SX": "SX",
    },
    "NO": {"21": "SJ", "22": "SJ", "SJ": "SJ"},
}  # fmt: skip
"""Country -> region code -> the territory's own country."""

PARENT: Final = {
    territory: country
    for country, rows in (
        *((country, dict(rows)) for country, rows in BY_POSTAL.items()),
        *BY_REGION.items(),
    )
    for territory in rows.values()
}
"""Territory -> the country that its postal codes are also written under."""

NO_REGIONS: Final = frozenset(PARENT) - {"HK", "MO", "AQ"}
"""Territories whose own regions no normal form carries: shops do not agree on them."""

STATE_NAMES: Final[dict[str, dict[str, str]]] = {
    "US": {
        "ALABAMA": "AL", "ALASKA": "AK", "ARIZONA": "AZ", "ARKANSAS": "AR", "CALIFORNIA": "CA",
        "COLORADO": "CO", "CONNECTICUT": "CT", "DELAWARE": "DE", "DISTRICT OF COLUMBIA": "DC",
        "FLORIDA": "FL", "GEORGIA": "GA", "HAWAII": "HI", "IDAHO": "ID", "ILLINOIS": "IL",
        "INDIANA": "IN", "IOWA": "IA", "KANSAS": "KS", "KENTUCKY": "KY", "LOUISIANA": "LA",
        "MAINE": "ME", "MARYLAND": "MD", "MASSACHUSETTS": "MA", "MICHIGAN": "MI",
        "MINNESOTA": "MN", "MISSISSIPPI": "MS", "MISSOURI": "MO", "MONTANA": "MT",
        "NEBRASKA": "NE", "NEVADA": "NV", "NEW HAMPSHIRE": "NH", "NEW JERSEY": "NJ",
        "NEW MEXICO": "NM", "NEW YORK": "NY", "NORTH CAROLINA": "NC", "NORTH DAKOTA": "ND",
        "OHIO": "OH", "OKLAHOMA": "OK", "OREGON": "OR", "PENNSYLVANIA": "PA",
        "RHODE ISLAND": "RI", "SOUTH CAROLINA": "SC", "SOUTH DAKOTA": "SD", "TENNESSEE": "TN",
        "TEXAS": "TX", "UTAH": "UT", "VERMONT": "VT", "VIRGINIA": "VA", "WASHINGTON": "WA",
        "WASHINGTON DC": "DC", "WEST VIRGINIA": "WV", "WISCONSIN": "WI", "WYOMING": "WY",
        "AMERICAN SAMOA": "AS", "GUAM": "GU", "MARSHALL ISLANDS": "MH", "MICRONESIA": "FM",
        "FEDERATED STATES OF MICRONESIA": "FM", "NORTHERN MARIANA ISLANDS": "MP", "PALAU": "PW",
        "PUERTO RICO": "PR", "VIRGIN ISLANDS": "VI", "U.S. VIRGIN ISLANDS": "VI",
        "ARMED FORCES AMERICAS": "AA", "ARMED FORCES EUROPE": "AE", "ARMED FORCES PACIFIC": "AP",
    },
    "CA": {
        "ALBERTA": "AB", "BRITISH COLUMBIA": "BC", "MANITOBA": "MB", "NEW BRUNSWICK": "NB",
        "NEWFOUNDLAND AND LABRADOR": "NL", "NOVA SCOTIA": "NS", "NORTHWEST TERRITORIES": "NT",
        "NUNAVUT": "NU", "ONTARIO": "ON", "PRINCE EDWARD ISLAND": "PE", "QUEBEC": "QC",
        "QUÉBEC": "QC", "SASKATCHEWAN": "SK", "YUKON": "YT", "NF": "NL", "PQ": "QC",
    },
    "AU": {
        "AUSTRALIAN CAPITAL TERRITORY": "ACT", "NEW SOUTH WALES": "NSW",
        "NORTHERN TERRITORY": "NT", "QUEENSLAND": "QLD", "SOUTH AUSTRALIA": "SA",
        "TASMANIA": "TAS", "VICTORIA": "VIC", "WESTERN AUSTRALIA": "WA",
    },
}  # fmt: skip
"""Country -> the name of a state, in capitals, or an old code of it -> its code."""

PLATES: Final = {
    "AT": ("A",), "BE": ("B",), "DE": ("D",), "ES": ("E",), "FI": ("FIN", "SF"), "FR": ("F",),
    "HR": ("CRO",), "HU": ("H",), "IT": ("I",), "LU": ("L",), "NO": ("N",), "PT": ("P",),
    "SE": ("S",), "SI": ("SLO",), "VA": ("SCV",), "LI": ("FL",),
}  # fmt: skip
"""Letters that people write before codes besides the country's code: ``D-10115``, ``S-113 51``."""
