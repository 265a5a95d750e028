"""`read_json` lets nothing surprising past, and says where it was."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domcore.codec.intake import read_json
from domcore.errors import DomcoreError, PayloadError


def refusal(body: bytes, **options: int) -> PayloadError:
    with pytest.raises(PayloadError) as caught:
        read_json(body, source="shop", **options)
    assert str(caught.value).startswith("shop: ")
    return caught.value


def problems(body: bytes) -> dict[str, str]:
    return {each.path: each.message for each in refusal(body).problems}


def test_reads_what_json_is() -> None:
    body = '{"a": [1, -2, true, null, "é\\n\\ud83d\\ude00"], "b": {}}'.encode()
    assert read_json(body) == {"a": [1, -2, True, None, "é\n😀"], "b": {}}


def test_a_byte_order_mark_is_skipped() -> None:
    assert read_json(b"\xef\xbb\xbf[1]") == [1]


@pytest.mark.parametrize("text", ["1.10", "0.1", "1e2", "1E-7", "-12345678901234567890.5"])
def test_fractions_come_back_as_decimals_digit_for_digit(text: str) -> None:
    value = read_json(f"[{text}]".encode())[0]
    assert type(value) is Decimal
    assert value == Decimal(text)
    assert str(read_json(b"1.10")) == "1.10"


@pytest.mark.parametrize(
    "number", ["1" * 41 + ".5", "1e31", "1e-31", "1e999999999", "0." + "1" * 39, "1e" + "9" * 30]
)
def test_absurd_numbers_are_refused(number: str) -> None:
    assert list(problems(f'{{"n": {number}}}'.encode())) == ["$.n"]


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_numbers_are_finite(word: str) -> None:
    assert problems(f'{{"a": [0, {word}]}}'.encode()) == {"$.a[1]": "not a finite number"}


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**30, int("9" * 4000)])
def test_integers_have_64_bits(number: int) -> None:
    assert problems(b'{"a": %d}' % number) == {"$.a": "an integer beyond 64 bits"}
    assert problems(b'{"a": %s}' % (b"9" * 5000)) == {"$.a": "an integer beyond 64 bits"}


def test_the_ends_of_64_bits_are_read() -> None:
    assert read_json(b"[%d, %d]" % (2**63 - 1, -(2**63))) == [2**63 - 1, -(2**63)]


def test_a_key_may_not_stand_twice() -> None:
    found = problems(b'{"x": {"total": 1, "id": 2, "total": 3}, "y": [{"a": 1, "a": 1}]}')
    assert set(found) == {"$.x.total", "$.y[0].a"}


def test_half_a_surrogate_pair_is_refused_in_values_and_keys() -> None:
    found = problems(b'{"a": ["\\ud800x"], "b": {"\\uDFFF": 1}, "c": "\\ud83d\\ude00"}')
    assert set(found) == {"$.a[0]", "$.b"}


def test_depth_is_checked_before_parsing() -> None:
    assert read_json(b"[" * 64 + b"]" * 64)
    for depth in (65, 2_000, 1_000_000):
        assert "levels deep" in str(refusal(b"[" * depth + b"]" * depth))
        assert "levels deep" in str(refusal(b'{"a":' * depth))


def test_brackets_in_text_are_not_depth() -> None:
    deep = "[" * 100
    for text in (deep, f'"{deep}', f"\\{deep}", f'\\"{deep}\\\\', f'{deep}"\\'):
        assert read_json(json.dumps({text: [text]}).encode()) == {text: [text]}


@given(st.text(alphabet='[]{}"\\:,1 ', max_size=40))
def test_the_depth_check_never_refuses_what_the_parser_can_read(text: str) -> None:
    try:
        json.loads(text)
    except ValueError:
        return
    try:
        read_json(text.encode(), max_depth=40)
    except PayloadError as error:
        refused = str(error)
    else:
        refused = ""
    assert "levels deep" not in refused


def test_the_size_limit_holds() -> None:
    assert "larger than" in str(refusal(b" " * 11, limit=10))
    started = time.perf_counter()
    assert "larger than" in str(refusal(b"[" * 50_000_000))
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"", "byte 0"),
        (b"   ", "byte 3"),
        (b'{"a": 1', "byte 7"),
        (b'{"a": 1}}', "byte 8"),
        (b"{'a': 1}", "byte 1"),
        (b'{"\xc3\xa9": x}', "byte 7"),
        (b'{"a": "\x01"}', "byte 7"),
        (b"[01]", "byte 2"),
        (b"[1,]", "byte"),
        (b'"\xff"', "not UTF-8, at byte 1"),
        (b'\xef\xbb\xbf"\xff"', "not UTF-8, at byte 4"),
        (b'"\xed\xa0\x80"', "not UTF-8, at byte 1"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8, at byte 0"),
        ('{"a": 1}'.encode("utf-16-le"), "byte 1"),
        ('{"a": "é"}'.encode("latin-1"), "not UTF-8, at byte 7"),
    ],
)
def test_what_breaks_off_is_named_by_its_byte(body: bytes, place: str) -> None:
    assert place in str(refusal(body))


def test_values_are_never_repeated() -> None:
    for body in (b'{"a": "jane@example.com', b'{"a": jane}', b'{"a": "\xff jane"}'):
        assert "jane" not in str(refusal(body))


def test_many_problems_are_capped_and_long_keys_cut() -> None:
    error = refusal(b"[" + b",".join([b"NaN"] * 5_000) + b"]")
    assert len(error.problems) == 100
    error = refusal(b'{"%s": NaN}' % (b"k" * 500))
    assert len(error.problems[0].path) < 60
    assert refusal(b'{"a\\n\\u001b[1mb": NaN}').problems[0].path.isprintable()


@given(
    st.binary(max_size=60) | st.text(alphabet='{}[]",:\\u0dE1-.nNa ', max_size=60).map(str.encode)
)
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(DomcoreError):
        read_json(body)


_tree = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=15,
)


@given(_tree, st.booleans())
def test_reads_everything_that_json_writes(value: object, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    try:
        body = text.encode()
    except UnicodeEncodeError:
        return
    try:
        read = read_json(body)
    except PayloadError:
        assert ascii_only
        assert "\\ud" in text
    else:
        assert read == value


def test_a_large_webhook_is_read_in_a_fraction_of_a_millisecond() -> None:
    line = {
        "id": 1,
        "sku": "A\u00e9-1",
        "price": "1.50",
        "set": {"shop": {"amount": "1.50"}},
        "n": None,
    }
    body = json.dumps({"line_items": [line] * 360}).encode()
    assert 28_000 < len(body) < 40_000
    best = min(_timed(body) for _ in range(30))
    assert best < 0.005


def _timed(body: bytes) -> float:
    started = time.process_time()
    read_json(body)
    return time.process_time() - started


def test_reading_json_does_not_load_the_converter() -> None:
    code = (
        "import sys, domcore.codec.intake\n"
        "assert not {'cattrs', 'msgspec'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})
