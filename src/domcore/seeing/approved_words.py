"""What was approved or judged anew, in words: the text, and the codes as its reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domcore.sourcing.question import SAID_RATE


def approved_words(body: Mapping[str, Any]) -> tuple[str, str]:
    """The event ``order.approved``."""
    by = f" by {body['by']}" if body.get("by") else ""
    codes = ", ".join(code for code in body["codes"] if not code.startswith(SAID_RATE))
    rates = [code.removeprefix(SAID_RATE) for code in body["codes"] if code.startswith(SAID_RATE)]
    at = f"at a rate of {rates[0]}" if rates else ""
    if not codes:
        return f"corrected{by}: it is decided {at}", ""
    return f"approved{by}: {', '.join(filter(None, (codes, at)))}", codes


def rejudged_words(body: Mapping[str, Any]) -> tuple[str, str]:
    """The event ``order.rejudged``."""
    codes = ", ".join(body["codes"])
    return f"judged anew, without the holds {codes}", codes
