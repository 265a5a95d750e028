"""ISO 4217: which currencies there are, and how many decimal digits each is written with."""

from __future__ import annotations

from typing import Final

_DIGITS: Final = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN"
        " BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP"
        " GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT"
        " LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN"
        " NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE"
        " SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES"
        " WST XAD XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

_WITHDRAWN: Final = "ANG CUC HRK MRO SLL STD VEB VEF ZWL"
"""Codes of currencies that have lately gone, which shops may still send; two digits each."""

DIGITS: Final = {
    **{code: digits for digits, codes in _DIGITS.items() for code in codes.split()},
    **dict.fromkeys(_WITHDRAWN.split(), 2),
}
"""Currency code to the digits of its minor unit."""

USUAL: Final = 2
"""The digits of a currency that is not in the table."""


def minor_digits(currency: str) -> int:
    """How many decimals amounts of a currency have: 2 for USD, 0 for JPY, 3 for KWD."""
    return DIGITS.get(currency, USUAL)
