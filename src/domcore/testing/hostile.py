"""What the outside sends on a bad day: bodies that are no payload, text that is an attack."""

from __future__ import annotations

from typing import Final

GARBAGE: Final = (
    b"",
    b"\x00",
    b"\xff\xfe{\x00}\x00",
    b"null",
    b"[]",
    b"{}",
    b'"text"',
    b"NaN",
    b"1e999999",
    b"9" * 5_000,
    b'{"id": 1, "id": 2}',
    b'{"id": "\\ud800"}',
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"<order/>",
    b"a=b&c=d",
    b"ISA*00*",
)

HOSTILE_TEXTS: Final = (
    "two\nlines\r\n\ttabbed",
    '=cmd|" /C calc"!A0',
    "+1-1@SUM(A1)",
    '"quoted", \'single\'; -- {"a": 1}',
    "<b>&amp;]]></b>",
    "../../etc/passwd",
    "\u202eright to left \U0001f9ff \u00e5\u0308\u0301 \u0000",
    "x" * 100_000,
)

HOSTILE_HEADERS: Final = (
    "",
    " ",
    "\u00e9t\u00e9",
    "\udcff",
    "two\nlines",
    "\x00",
    "x" * 100_000,
    "2026-13-45T99:99:99Z",
    "0" * 5_000,
)
