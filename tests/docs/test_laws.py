"""docs/plugins.md lists what the suites prove: every law that there is, under its name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from domcore.testing import ChannelSuite, ConnectorSuite

PAGE = Path(__file__).resolve().parents[2] / "docs" / "plugins.md"


@pytest.mark.parametrize("suite", [ChannelSuite, ConnectorSuite])
def test_the_page_lists_every_law_of_a_suite_and_no_other(suite):
    text = PAGE.read_text(encoding="utf-8")
    table = text.partition(f"**What `{suite.__name__}` proves.**")[2].partition("\n\n**")[0]
    rows = re.findall(r"^\| ([^|]+?) \| [^|]+ \| ?([^|]*?) ?\|$", table.split("\n\n")[1], re.M)
    told = {law for law, _ in rows} - {"law"}
    laws = [name for name in dir(suite) if name.startswith("test_")]
    assert told == {law.removeprefix("test_").replace("_", " ") for law in laws}
    hooks = {hook for _, cell in rows for hook in re.findall(r"`(\w+)", cell)}
    assert hooks
    assert not [hook for hook in hooks if not hasattr(suite, hook)]
