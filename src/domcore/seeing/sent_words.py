"""What others have sent, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def sent_words(body: Mapping[str, Any], gone: str, back: str) -> str:
    """The event ``order.shipped_elsewhere``; `gone` and `back` say what left and what did not."""
    parts = [f"others have sent {gone}"] if gone else []
    if back:
        ours = f": {body['told_by']} has them" if body.get("told_by") else ""
        parts.append(f"{back} not sent by others after all{ours}")
    text = "; ".join(parts)
    text += f", from {body['node']}" if body.get("node") else ""
    numbers = (("freed", "reserved unit", "freed"), ("requested", "node", "asked to stop"))
    for name, noun, what in numbers:
        number = body.get(name)
        if number:
            text += f"; {number:,} {noun}{'' if number == 1 else 's'} {what}"
    return text
