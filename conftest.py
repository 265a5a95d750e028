"""Hypothesis for every test of this tree: the same examples each time, new ones in the long tier.

A suite that draws new examples each time fails by chance, for somebody whose change has nothing
to do with it. The long tier (``-m long``) draws freely, to find what the fixed examples do not;
``--hypothesis-profile free`` does so for any tests. How long an example takes on a machine that has
other work says nothing, so no example has a deadline.
"""

from __future__ import annotations

import pytest
from hypothesis import settings

settings.register_profile("fixed", derandomize=True, database=None, deadline=None, print_blob=True)
settings.register_profile("free", derandomize=False, deadline=None, print_blob=True)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Load the profile before any test module is imported."""
    asked = config.getoption("--hypothesis-profile", default=None)
    if asked is None:
        settings.load_profile("free" if config.getoption("-m") == "long" else "fixed")
