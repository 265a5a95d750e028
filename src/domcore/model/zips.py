"""What the first three digits of a ZIP code say: which state it is in."""

from __future__ import annotations

from typing import Final

_STATES: Final = {
    "AA": "340", "AE": "090-098", "AK": "995-999", "AL": "350-369", "AP": "962-966",
    "AR": "716-729", "AZ": "850-865", "CA": "900-961", "CO": "800-816", "CT": "060-069",
    "DC": "200 202-205 569", "DE": "197-199", "FL": "320-339 341-349", "GA": "300-319 398-399",
    "GU": "969", "HI": "967-968", "IA": "500-528", "ID": "832-838", "IL": "600-629",
    "IN": "460-479", "KS": "660-679", "KY": "400-427", "LA": "700-714", "MA": "010-027 055",
    "MD": "206-219", "ME": "039-049", "MI": "480-499", "MN": "550-567", "MO": "630-658",
    "MS": "386-397", "MT": "590-599", "NC": "270-289", "ND": "580-588", "NE": "680-693",
    "NH": "030-038", "NJ": "070-089", "NM": "870-884", "NV": "889-898", "NY": "005 100-149",
    "OH": "430-459", "OK": "730-732 734-749", "OR": "970-979", "PA": "150-196",
    "PR": "006-007 009", "RI": "028-029", "SC": "290-299", "SD": "570-577", "TN": "370-385",
    "TX": "733 750-799 885", "UT": "840-847", "VA": "201 220-246", "VI": "008",
    "VT": "050-054 056-059", "WA": "980-994", "WI": "530-549", "WV": "247-268", "WY": "820-831",
}  # fmt: skip

_OTHERS: Final = {
    "06390": "NY", "20588": "MD", "96799": "AS",
    "96939": "PW", "96940": "PW", "96941": "FM", "96942": "FM", "96943": "FM", "96944": "FM",
    "96950": "MP", "96951": "MP", "96952": "MP", "96960": "MH", "96970": "MH", "96898": "UM",
}  # fmt: skip
"""ZIP codes that lie in another state than their neighbors."""


def _by_prefix() -> dict[str, str]:
    found = {}
    for state, ranges in _STATES.items():
        for part in ranges.split():
            first, _, last = part.partition("-")
            for number in range(int(first), int(last or first) + 1):
                found[f"{number:03d}"] = state
    return found


BY_PREFIX: Final = _by_prefix()
"""First three digits -> state."""


def state_of(code: str) -> str:
    """The state of a ZIP code or of the beginning of one; empty where that is not known."""
    if len(code) == 5 and code in _OTHERS:
        return _OTHERS[code]
    return BY_PREFIX.get(code[:3], "")


def may_be_in(code: str, state: str) -> bool:
    """Whether a ZIP code, or the beginning of one, may lie in a state."""
    if state_of(code) == state:
        return True
    return any(other.startswith(code) and of == state for other, of in _OTHERS.items())


def whole_zip(digits: str, state: str) -> str:
    """The five digits of a ZIP code that may have lost zeros in front, as spreadsheets drop them.

    What is shorter than five digits may also be the beginning of a code, where the settings keep
    no more of it (``postal_digits``). The state tells which; where it tells neither, or both, the
    digits come back as they are, and `doubt` says so.

    Args:
        digits: of a code, or of a ZIP+4 whose hyphen is gone.
        state: of the address; empty where it is not known.
    """
    if len(digits) > 5:
        return _without_four(digits, state)
    if len(digits) == 5 or not digits:
        return digits
    padded = digits.zfill(5)
    if state and may_be_in(padded, state) and not (len(digits) > 2 and may_be_in(digits, state)):
        return padded
    return digits


def _without_four(digits: str, state: str) -> str:
    """The ZIP code of a ZIP+4, or of the beginning of one; as it is where nobody can tell."""
    if len(digits) >= 9:
        return digits[:5] if len(digits) == 9 else digits
    for code in (digits[:5], digits.zfill(9)[:5]):
        if state and may_be_in(code, state):
            return code
    return digits if len(digits) == 8 else digits[:5]


def doubt(code: str, state: str) -> str:
    """Why nobody can tell where a ZIP code lies; empty where it can be told.

    Args:
        code: in its normal form.
    """
    if len(code) == 5 or not code.isdigit():
        return ""
    if len(code) > 5:
        return f"ZIP code {code!r} has {len(code)} digits: not 5, and not 9"
    if len(code) < 3:
        return f"ZIP code {code!r} has {len(code)} of 5 digits"
    if not state:
        if len(code) == 3:
            return ""
        return f"ZIP code {code!r} has 4 of 5 digits, and without a state nobody knows which"
    if may_be_in(code, state):
        return ""
    return f"ZIP code {code!r} has {len(code)} of 5 digits, and none such begins in {state}"
