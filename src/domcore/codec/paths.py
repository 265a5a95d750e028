"""JSON paths for error messages: ``$.lines[1].quantity``. Keys are shown short, values never."""

from __future__ import annotations

import json
import re
from typing import Final

ROOT: Final = "$"
_LONGEST_KEY: Final = 40
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}\Z", re.ASCII)


def shown_key(key: object) -> str:
    """A key in quotes, on one line, in ASCII, and cut when it is long."""
    text = key if isinstance(key, str) else f"<{type(key).__name__}>"
    return json.dumps(text if len(text) <= _LONGEST_KEY else text[:_LONGEST_KEY] + "...")


def child(path: str, step: object) -> str:
    """The path of a member: `step` is an index or a key."""
    if type(step) is int:
        return f"{path}[{step}]"
    if isinstance(step, str) and _PLAIN.match(step):
        return f"{path}.{step}"
    return f"{path}[{shown_key(step)}]"
