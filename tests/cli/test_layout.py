"""Tables fit the terminal, and lose nothing by it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domcore.cli.layout import laid_out, width, wrapped
from domcore.cli.output import Column, table

COLUMNS = (Column("NUMBER", "number"), Column("UNITS", "units", right=True), Column("WHY", "why"))
ROWS = [
    {"number": "#1001", "units": 12, "why": "held: somebody has to look at this large order"},
    {"number": "#1002", "units": 3, "why": "-"},
]


def test_a_table_is_as_wide_as_it_is_where_nobody_says_how_much_room_there_is() -> None:
    assert table(COLUMNS, ROWS) == (
        "NUMBER  UNITS  WHY\n"
        "#1001      12  held: somebody has to look at this large order\n"
        "#1002       3  -"
    )


def test_text_is_broken_at_blanks_where_a_table_is_too_wide() -> None:
    assert table(COLUMNS, ROWS, room=36) == (
        "NUMBER  UNITS  WHY\n"
        "#1001      12  held: somebody has to\n"
        "               look at this large\n"
        "               order\n"
        "#1002       3  -"
    )


def test_numbers_are_never_broken() -> None:
    narrow = table(COLUMNS, [{"number": "n" * 20, "units": 10**12, "why": "-"}], room=10)
    assert str(10**12) in narrow


def test_wide_letters_take_two_cells_and_marks_none() -> None:
    assert width("Zürich") == 6
    assert width("Zu\u0308rich") == 6
    assert width("東京") == 4
    lines = list(laid_out(["A", "B"], [["東京", "x"], ["ab", "y"]], [False, False], None))
    assert lines == ["A     B", "東京  x", "ab    y"]


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60), st.integers(2, 20))
def test_breaking_text_loses_nothing_but_blanks_and_keeps_to_the_room(text: str, room: int) -> None:
    lines = list(wrapped(text, room))
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(width(line) <= room for line in lines)


@given(
    st.lists(st.tuples(st.text("ab ", max_size=40), st.integers(0, 10**6)), min_size=1, max_size=5),
    st.integers(40, 120),
)
def test_a_table_with_room_for_its_least_widths_fits(
    rows: list[tuple[str, int]], room: int
) -> None:
    cells = [[text, str(number), text] for text, number in rows]
    lines = list(laid_out(["TEXT", "NUMBER", "MORE"], cells, [False, True, False], room))
    assert all(width(line) <= room for line in lines)
