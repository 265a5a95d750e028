"""Asking page after page, as the suites do it: each page by somebody new, as after a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Protocol, TypeVar

MOST_PAGES: Final = 100
"""After so many pages a pull or poll that still says ``more`` never ends."""


class Page(Protocol):
    """What `Pulled` and `Polled` have in common."""

    @property
    def cursor(self) -> str:
        """Where the next page begins."""

    @property
    def more(self) -> bool:
        """Whether there is one."""


P = TypeVar("P", bound=Page)


def pages_from(ask: Callable[[str], P], cursor: str) -> Iterator[P]:
    """Every page from `cursor` on.

    Args:
        ask: pulls or polls one page from a cursor.

    Raises:
        AssertionError: it never ends.
    """
    for _ in range(MOST_PAGES):
        page = ask(cursor)
        yield page
        cursor = page.cursor
        if not page.more:
            return
    raise AssertionError(f"it says there is more after {MOST_PAGES} pages")


def pages_after_interruptions(ask: Callable[[str], P]) -> list[P]:
    """The first page, read and not kept; then that page again, and every other one.

    Raises:
        AssertionError: it never ends, or its cursor stands still.
    """
    pages = [ask("")]
    cursors = {""}
    for page in pages_from(ask, ""):
        still = page.more and page.cursor in cursors
        assert not still, f"there is more, but the cursor stands still at {page.cursor!r:.100}"
        cursors.add(page.cursor)
        pages.append(page)
    return pages


def assert_several(pages: list[P], count: int) -> None:
    """What `pages_after_interruptions` gave is more than one page.

    Raises:
        AssertionError: it is one, so nothing is proved.
    """
    several = len(pages) > 2
    assert several, f"all {count} fit on one page: have more appear in more_than_a_page()"
