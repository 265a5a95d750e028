"""How verbs take what an order is called by."""

from __future__ import annotations

import pytest

from domcore import PayloadError
from domcore.testing.builder import World


@pytest.mark.parametrize("verb", ["approve", "cancel", "explain", "free", "keep", "order", "plan"])
@pytest.mark.parametrize("reference", [1, None, b"1001", ("web", "1001")])
def test_a_reference_that_is_no_text_is_refused_with_what_would_be_one(verb, reference) -> None:
    world = World().node("NYC", at=(40.7, -74.0)).item("MUG").stock("MUG", NYC=5)
    with world.open() as dom:
        dom.capture(world.order("1001", MUG=1))
        seen = len(dom.events())
        with pytest.raises(PayloadError, match="web/1001"):
            getattr(dom, verb)(reference)
        assert len(dom.events()) == seen
