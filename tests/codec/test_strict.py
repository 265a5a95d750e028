"""The strict converter takes a value only as the type it already has."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Optional

import pytest
from attrs import field, frozen
from hypothesis import given
from hypothesis import strategies as st

from domcore.codec.strict import (
    Between,
    Count,
    Line,
    Money,
    Price,
    Refused,
    Word,
    make_converter,
    structure,
)
from domcore.errors import PayloadError


class Color(Enum):
    RED = "red"
    ONE = 1


@frozen
class Row:
    sku: Word
    quantity: Count
    price: Price = 0


@frozen
class Tree:
    name: str
    children: tuple[Tree, ...] = ()


@frozen
class Sheet:
    id: int
    lines: tuple[Row, ...]
    note: str | None = None
    placed: datetime | None = None
    best: Row | None = None
    by_name: Mapping[str, Row] = field(factory=dict)


def read(value: object, cls: Any, **options: Any) -> Any:
    return structure(make_converter(**options), value, cls, source="here")


def refusal(value: object, cls: Any, **options: Any) -> PayloadError:
    with pytest.raises(PayloadError) as caught:
        read(value, cls, **options)
    return caught.value


def problems(value: object, cls: Any, **options: Any) -> dict[str, str]:
    return {each.path: each.message for each in refusal(value, cls, **options).problems}


@pytest.mark.parametrize(
    "value",
    [
        "3",
        " 3 ",
        "٣",
        "1_000",
        True,
        3.7,
        3.0,
        -0.5,
        b"3",
        "3.0",
        float("nan"),
        None,
        10**30,
        2**63,
        -(2**63) - 1,
        Decimal(3),
        [],
        {},
    ],
)
def test_int_takes_ints_of_64_bits_only(value: object) -> None:
    refusal(value, int)


@pytest.mark.parametrize("value", [5, None, [], ["a"], {}, b"a", True, 1.5, "a\0b", "\ud800"])
def test_text_takes_text_only(value: object) -> None:
    refusal(value, str)


@pytest.mark.parametrize("value", ["false", "true", "0", 2, 0, 1, None, [], {}, 0.0])
def test_bool_takes_bools_only(value: object) -> None:
    refusal(value, bool)


@pytest.mark.parametrize("value", ["nan", "inf", "1e999", 1.5, 1, None])
def test_floats_have_no_place(value: object) -> None:
    refusal(value, float)
    if value != 1:
        refusal(value, int)
    refusal(value, bytes)


@pytest.mark.parametrize(
    "value",
    [
        "nan",
        "sNaN",
        "Infinity",
        "1e5",
        "1_0",
        " 1",
        "١",
        "",
        ".",
        "--1",
        1,
        1.5,
        True,
        None,
        "9" * 19,
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        Decimal("1e999999"),
        Decimal("1e-99"),
    ],
)
def test_decimals_are_plain_finite_and_moderate(value: object) -> None:
    refusal(value, Decimal)


def test_decimals_are_read_from_text_and_from_decimals() -> None:
    assert read("1.50", Decimal) == Decimal("1.50")
    assert read(Decimal("-0.25"), Decimal) == Decimal("-0.25")


@pytest.mark.parametrize("holder", [list[int], tuple[int, ...], Sequence[int], set[int], list])
@pytest.mark.parametrize("value", ["123", {}, {"1": 2}, b"12", None, 5, iter([1])])
def test_a_list_is_a_list(holder: Any, value: object) -> None:
    refusal(value, holder)
    refusal(value, tuple[int, int])


def test_lists_are_read() -> None:
    assert read([1, 2], list[int]) == [1, 2]
    assert read([1, 2], tuple[int, ...]) == (1, 2)
    assert read((1, 2), Sequence[int]) == (1, 2)
    assert read([1, "a"], tuple[int, str]) == (1, "a")
    assert read([1, 1], frozenset[int]) == {1}
    assert "exactly 3" in str(refusal([1, 2], tuple[int, int, int]))


@pytest.mark.parametrize("value", [[], "ab", None, [["a", 1]], 5])
def test_an_object_is_an_object(value: object) -> None:
    refusal(value, Mapping[str, int])
    refusal(value, dict[str, int])
    refusal(value, Row)


def test_elements_and_members_are_named() -> None:
    assert list(problems([1, "x", 2, None], list[int])) == ["$[1]", "$[3]"]
    bad = {"a": 1, "b c": "x", "d": {}}
    assert list(problems(bad, Mapping[str, int])) == ['$["b c"]', "$.d"]


def test_all_bad_fields_are_listed_with_their_paths() -> None:
    value = {
        "id": "1",
        "lines": [
            {"sku": "A", "quantity": 1},
            {"sku": "", "quantity": -1, "price": "free"},
            {"quantity": 1},
            7,
        ],
        "note": 5,
        "placed": "yesterday",
        "by_name": {"x": {"sku": "A", "quantity": True}},
    }
    found = problems(value, Sheet)
    assert list(found) == [
        "$.id",
        "$.lines[1].sku",
        "$.lines[1].quantity",
        "$.lines[1].price",
        "$.lines[2].sku",
        "$.lines[3]",
        "$.note",
        "$.placed",
        "$.by_name.x.quantity",
    ]
    assert found["$.lines[2].sku"] == "is missing"
    assert found["$.lines[1].quantity"] == "must be from 0 to 1000000000"
    assert found["$.lines[3]"] == "must be an object, not a whole number"


def test_a_misspelt_key_is_refused_at_any_depth_with_a_suggestion() -> None:
    value = {"id": 1, "lines": [{"sku": "A", "quantity": 1, "prise": "1"}], "nots": "x"}
    assert problems(value, Sheet) == {
        "$.lines[0]": "unknown key \"prise\"; did you mean 'price'?",
        "$": "unknown key \"nots\"; did you mean 'note'?",
    }
    assert read(value, Sheet, forbid_extra_keys=False).lines[0].price == 0


def test_odd_keys_do_not_upset_the_error() -> None:
    value = {"id": 1, "lines": [], 5: 1, "x" * 900: 2, "a\n\x1b": 3, "": 4}
    text = str(refusal(value, Sheet))
    assert "x" * 60 not in text
    assert "\x1b" not in text


def test_the_number_of_problems_is_capped() -> None:
    error = refusal([["x"] * 90] * 90, list[list[int]])
    assert len(error.problems) == 101
    assert error.problems[-1].message.startswith("and ")
    assert len(refusal(["x"] * 100_000, list[int]).problems) == 100
    assert len(str(error)) < 3_000


def test_values_are_never_repeated() -> None:
    secret = "jane.doe@example.com"

    @frozen
    class Picky:
        a: str = field(validator=lambda _, __, value: [].index(value))
        b: Literal["x"] = "x"
        c: Color = Color.RED

    texts = [
        str(refusal({"a": secret, "b": "x"}, Picky)),
        str(refusal({"a": "a", "b": secret, "c": secret}, Picky)),
        str(refusal(secret, int)),
        str(refusal({secret: 1}, dict[int, int])).replace(f'["{secret}"]', ""),
    ]
    for text in texts:
        assert secret not in text


def test_a_class_may_refuse_in_its_own_words() -> None:
    def even(_: object, __: object, value: int) -> None:
        if value % 2:
            raise Refused("must be even")

    @frozen
    class Pair:
        n: int = field(validator=even)

    assert list(problems([{"n": 2}, {"n": 3}], list[Pair])) == ["$[1]"]
    assert "must be even" in str(refusal({"n": 3}, Pair))


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1.50", 1_500_000), ("-0.000001", -1), ("587", 587_000_000), (".5", 500_000)],
)
def test_money_is_decimal_text_and_becomes_micros(text: str, amount: int) -> None:
    assert read(text, Money) == amount


@pytest.mark.parametrize(
    "value", [1, 1.5, Decimal("1.5"), True, None, "1e2", "1,5", "0.0000001", "9" * 15]
)
def test_money_refuses_all_else(value: object) -> None:
    refusal(value, Money)


def test_prices_and_counts_have_ends() -> None:
    refusal("-0.01", Price)
    assert read("0", Price) == 0
    refusal(-1, Count)
    refusal(True, Count)
    refusal(10**9 + 1, Count)
    assert read(10**9, Count) == 10**9
    assert read(3, Annotated[int, Between(3, 3)]) == 3


def test_text_is_normalised_and_limited() -> None:
    assert read("e\u0301", str) == "\u00e9"
    refusal("a" * 10_001, str)
    refusal("ab", str, most_characters=1)
    refusal("", Word)
    refusal("a" * 256, Word)
    for text in ("a\nb", "a\x1b[1m", "\t", "a\x85"):
        refusal(text, Annotated[str, Line(20)])
    assert read("naïve \u200d x", Annotated[str, Line(20)])


@pytest.mark.parametrize(
    "text",
    ["2026-03-01T12:00:00+02:00", "2026-03-01T10:00:00Z", "2026-03-01 05:00:00.000000-0500"],
)
def test_times_become_utc(text: str) -> None:
    moment = read(text, datetime)
    assert moment == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-01T12:00:00",
        "2026-03-01",
        "20260301T120000Z",
        "2026-W09-7T12:00:00Z",
        "now",
        1,
        None,
        "2026-02-30T12:00:00Z",
        "2026-03-01T25:00:00Z",
        "0001-01-01T00:00:00+10:00",
        "",
        True,
        "9999-12-31T23:59:59-10:00",
        "２026-03-01T12:00:00Z",
        "2026-03-01T12:00:00+99:00",
        datetime(2026, 3, 1),
    ],
)
def test_times_have_an_offset_and_exist(value: object) -> None:
    refusal(value, datetime)


def test_an_aware_datetime_is_taken_as_it_is() -> None:
    east = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert read(east, datetime).isoformat() == "2026-03-01T10:00:00+00:00"


def test_enums_and_literals_compare_types_too() -> None:
    assert read("red", Color) is Color.RED
    assert read(1, Color) is Color.ONE
    assert read("a", Literal["a", "b"]) == "a"
    for value in (True, "1", None, 1.0, [], {}):
        refusal(value, Color)
        refusal(value, Literal[1])
    assert "'a', 'b'" in str(refusal("c", Literal["a", "b"]))


def test_scalar_unions_go_by_the_exact_type() -> None:
    for value in ("a", 1, True, None):
        assert read(value, str | int | bool | None) is value
    for value in (1.5, [], {}, Decimal(1)):
        refusal(value, str | int | bool | None)
    refusal(None, str | int)
    refusal(2**64, str | int | bool)


def test_optional_is_null_or_the_thing() -> None:
    assert read(None, Optional[int]) is None  # noqa: UP045 - the other spelling
    assert read({"id": 1, "lines": [], "best": None}, Sheet).best is None
    assert list(problems({"id": 1, "lines": [], "best": []}, Sheet)) == ["$.best"]
    refusal({}, type(None))


def test_classes_may_hold_themselves() -> None:
    assert read({"name": "a", "children": [{"name": "b"}]}, Tree).children == (Tree("b"),)
    assert list(problems({"name": "a", "children": [{"name": 1}]}, Tree)) == ["$.children[0].name"]


def test_deep_nesting_is_refused_not_fatal() -> None:
    value: dict[str, Any] = {"name": "leaf"}
    for _ in range(5_000):
        value = {"name": "n", "children": [value]}
    refusal(value, Tree)


def test_each_converter_is_its_own() -> None:
    first, second = make_converter(), make_converter()
    first.register_structure_hook(int, lambda value, _: 7)
    assert second.structure(3, int) == 3


_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "lines", "sku", "quantity", "price", "note", "best", "x"])
            | st.text(),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(_anything)
def test_anything_is_read_or_refused(value: object) -> None:
    for cls in (Sheet, Tree, list[Row], Mapping[str, Row], str | int):
        with contextlib.suppress(PayloadError):
            structure(_CONVERTER, value, cls)


_CONVERTER = make_converter()
