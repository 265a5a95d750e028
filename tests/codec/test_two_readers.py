"""The quick reader of JSON never says anything else than the careful one."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domcore.codec import intake
from domcore.codec.intake import read_json
from domcore.errors import PayloadError

ROOT = Path(__file__).resolve().parents[2]
REAL = sorted(
    [
        *(ROOT / "plugins").glob("*/tests/fixtures/*.json"),
        *(ROOT.parent / "shared" / "samples").glob("*/*.json"),
    ]
)
HOSTILE = [
    b"",
    b" ",
    b"nul",
    b"NaN",
    b"[Infinity]",
    b"-",
    b"01",
    b"1.",
    b".5",
    b"[1,]",
    b'{"a":1,}',
    b"1 2",
    b'{"a":1,"a":2}',
    b'{"a" :1,"a":2}',
    b'{"a":"\\u003ax","b":1,"b":2}',
    b'{"a":":","a":1}',
    b'{":a":":","b":{"c":1,"c":1}}',
    b'{"a":1,"\\u0061":2}',
    b'{"\\u003A":1,"b":1,"b":":"}',
    b'{"a\\\\":1,"a\\\\":2}',
    b'{"a\\":1,\\"a":2}',
    b'{"\\"":1}',
    b'":"',
    b'"\\":"',
    b'"\\ud800"',
    b'"\\uD83D\\uDE00"',
    b'{"\\udc00":1}',
    b'"\\ud83dx"',
    b'"\xed\xa0\x80"',
    b'"\xff"',
    b'"a\nb"',
    b'"\x00"',
    b'"\x7f"',
    b'"\\x"',
    b'"\\u12"',
    b"\xef\xbb\xbf[1]",
    b"\xef\xbb\xbf",
    b"9223372036854775807",
    b"9223372036854775808",
    b"-9223372036854775808",
    b"-9223372036854775809",
    b"99999999999999999999999",
    b"-0",
    b"-0.0",
    b"1e5",
    b"1E+5",
    b"1e31",
    b"1e400",
    b"-1.5e-3",
    b"0." + b"1" * 50,
    b"1" * 5000,
    b"[" * 70,
    b"[" * 70 + b"]" * 70,
    b'["' + b"[" * 70 + b'"]',
    b'{"a":' * 65 + b"1" + b"}" * 65,
    b'"unfinished',
    b'"unfinished\\',
    b"[1]\x00",
    b"\x0c1",
    b"[1]x",
    b'{"1234567890123456789":"12345678901234567890123"}',
    "\u2028\u00e9".encode(),
    b'{"":{"":1}}',
    '["\U0001f600", "\u0131"]'.encode(),
    "[1]".encode("utf-16"),
    b"{1:2}",
    b"{'a':1}",
    b"[true,false,null]",
]


def said(read: Any, body: bytes) -> object:
    try:
        value = read(body)
    except PayloadError as error:
        return [(problem.path, problem.message) for problem in error.problems]
    return ("read", exact(value))


def exact(value: object) -> object:
    """Equal only where types are: ``1`` is not ``True``, and no Decimal is an int."""
    if isinstance(value, dict):
        return [(key, exact(each)) for key, each in value.items()]
    if isinstance(value, list):
        return [exact(each) for each in value]
    return (type(value).__name__, str(value) if isinstance(value, Decimal) else value)


def same(body: bytes) -> None:
    quick = intake._read_quickly(body)
    if quick is not intake._UNREAD and not intake._deeper_than(body, intake.MOST_DEPTH):
        assert ("read", exact(quick)) == said(lambda text: intake._read_carefully(text, ""), body)


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_bodies_are_read_alike(body: bytes) -> None:
    same(body)


def test_duplicates_are_found_however_their_colons_are_spelt() -> None:
    for body in HOSTILE:
        if b'"a' in body or b'"b' in body:
            same(body)
    with pytest.raises(PayloadError):
        read_json(b'{"a":"\\u003ax","b":1,"b":2}')
    with pytest.raises(PayloadError):
        read_json(b'{"a":1,"b":2,"a":3}')


@pytest.mark.parametrize("file", REAL, ids=lambda file: file.stem)
def test_real_bodies_are_read_alike_whole_and_damaged(file: Path) -> None:
    body = file.read_bytes()
    assert ("read", exact(read_json(body))) == said(lambda b: intake._read_carefully(b, ""), body)
    random = Random(file.name)
    pieces = (
        b'"',
        b":",
        b"{",
        b"}",
        b",",
        b"\\",
        b"\\u003a",
        b"9" * 19,
        b"1e9",
        b'"id":1,',
        b"\xff",
    )
    for _ in range(60 if len(body) < 40_000 else 3):
        at, size = random.randrange(len(body)), random.choice((0, 1, 5))
        same(body[:at] + random.choice(pieces) + body[at + size :])


def test_a_real_body_takes_the_quick_way() -> None:
    fixture = ROOT / "plugins/domcore-shopify/tests/fixtures/order_created.json"
    assert intake._read_quickly(fixture.read_bytes()) is not intake._UNREAD


class Pairs(list[Any]):
    """An object whose keys may stand in it twice."""


TEXTS = st.text(st.sampled_from('a:"\\{}[], \u00e9\n'), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**65), 2**65) | st.floats(width=32) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(st.tuples(TEXTS, inner), max_size=4).map(Pairs)
    ),
    max_leaves=12,
)


def written(value: object, ascii_only: bool) -> str:
    if isinstance(value, Pairs):
        inside = (
            f"{json.dumps(k, ensure_ascii=ascii_only)}:{written(v, ascii_only)}" for k, v in value
        )
        return "{" + ", ".join(inside) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(each, ascii_only) for each in value) + "]"
    return json.dumps(value, ensure_ascii=ascii_only)


@settings(max_examples=400, deadline=None)
@given(VALUES, st.booleans(), st.sampled_from((":", "\\u003a")))
def test_made_up_bodies_are_read_alike(value: object, ascii_only: bool, colon: str) -> None:
    text = written(value, ascii_only)
    same(text.encode())
    same(text.replace('":a', f'"{colon}a').encode())
