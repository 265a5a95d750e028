"""What is printed of strangers' text steers nothing and reads back as it was."""

from __future__ import annotations

import json
import logging
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domcore.codec.showing import shown, shown_json, shown_lines

STEERING = ("\u202e", "\u2066", "\x1b[2J", "\r", "\x07", "\u2028", "\x9b31m", "\u200f", "\udc80")


@pytest.mark.parametrize("text", STEERING)
def test_what_steers_is_printed_as_its_escape(text: str) -> None:
    for printed in (shown(f"a{text}b"), shown_lines(f"a{text}b"), shown_json(f'"a{text}b"')):
        assert printed.isprintable()
        assert printed.isascii()
        assert "\\" in printed


@pytest.mark.parametrize(
    "text", ["Zürich", "東京\u3000港区", "علی\u200cرضا", "👩\u200d🚀", "1\u00a0000"]
)
def test_words_of_any_script_stay_as_they_are(text: str) -> None:
    assert shown(text) == shown_lines(text) == shown_json(text) == text


@given(st.text())
def test_nothing_that_steers_is_ever_printed(text: str) -> None:
    for printed in (shown(text), shown_lines(text)):
        kinds = {unicodedata.category(each) for each in printed.replace("\n", "")}
        assert not kinds & {"Cc", "Cs", "Zl", "Zp"}
        assert not {"\u202e", "\u202d", "\u2067", "\u2066"} & set(printed)
    assert "\n" not in shown(text)


@given(
    st.recursive(
        st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_json_reads_back_as_it_was(value: object) -> None:
    assert json.loads(shown_json(json.dumps(value, ensure_ascii=False))) == value


def test_a_log_line_of_the_command_line_steers_nothing() -> None:
    from domcore.cli import _Shown

    record = logging.LogRecord("domcore", logging.WARNING, "", 1, "hello %s", ("\u202eevil",), None)
    assert _Shown("%(message)s").format(record) == "hello \\u202eevil"
