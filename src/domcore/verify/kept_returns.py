"""Returns that are kept until they can be carried out, and whether any could be by now."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from domcore.errors import StoreError
from domcore.model.returns import CONDITIONS, AuthorizeReturn
from domcore.store.kept_rows import APPLIED, AUTHORIZE, RECEIVE, SETTLED, WAITS
from domcore.store.operations.kept_returns import Identity, kept_name, read_kept
from domcore.store.operations.returns import line_numbers
from domcore.store.operations.taking_back import authorization_digest, receipt_digest
from domcore.store.rows import MOST, KeptReturnRow
from domcore.verify.catalog import Catalog
from domcore.verify.dossier import Read
from domcore.verify.source import Source
from domcore.verify.violation import Violations, broken


class KeptReturns:
    """All of them by order; there are far fewer than orders."""

    def __init__(self) -> None:
        self._kept: Final[dict[Identity, list[tuple[KeptReturnRow, dict[str, int]]]]] = {}

    def check(self, source: Source, catalog: Catalog) -> Violations:
        """Read and check them one by one."""
        owners = catalog.owners
        for row in map(KeptReturnRow._make, source.rows("kept_return")):
            place = f"{kept_name(row)} ({row.name} of {row.channel}/{row.external_id})"
            if row.owner_id not in owners:
                yield broken("reference", place, "belongs to an owner that is not there")
                continue
            if row.settled not in SETTLED or (row.settled == WAITS) != (row.settled_at is None):
                yield broken("I9", place, "neither waits nor is settled")
            try:
                units = _units(row, owners[row.owner_id])
            except StoreError:
                yield broken("format", place, "what it says cannot be read")
            except ValueError as error:
                yield broken("format", place, str(error))
            else:
                self._kept.setdefault(row[1:4], []).append((row, units))

    def check_order(self, found: Read, names: Collection[str]) -> Violations:
        """Whether what has been carried out is there, and what could be has been.

        Args:
            names: of the order's returns.
        """
        kept = self._kept.get(found.papers.order[1:4], ())
        if not kept:
            return
        left = _left(found)
        numbers = line_numbers(found.body)
        for row, units in kept:
            place = f"{found.place} {kept_name(row)}"
            if row.settled == APPLIED and row.name not in names:
                yield broken("I9", place, f"was carried out, but there is no return {row.name}")
            if (row.settled, row.kind) != (WAITS, AUTHORIZE):
                continue
            if row.name in names:
                yield broken("I9", place, "waits, and is authorized")
            elif all(left.get(numbers.get(line, -1), 0) >= most for line, most in units.items()):
                yield broken("I9", place, "waits, but its units have left and may come back")


def _left(found: Read) -> dict[int, int]:
    """Units by line number that have left, and do not come back yet."""
    left = {line.line_no: line.shipped for line in found.papers.lines}
    for _, _, line, units, received, _, ended in found.papers.returns:
        left[line] = left.get(line, 0) - (received if ended else units)
    return left


def _units(row: KeptReturnRow, owner: str) -> dict[str, int]:
    """Units by line id.

    Raises:
        ValueError: what is wrong with it by itself.
    """
    if row.kind not in (AUTHORIZE, RECEIVE) or not row.name:
        raise ValueError("is no command of a return")
    command, _ = read_kept(row, owner)
    if isinstance(command, AuthorizeReturn):
        digest = authorization_digest(command)
    else:
        digest = receipt_digest(command)
        if any(condition not in CONDITIONS for _, _, condition in command.lines):
            raise ValueError("tells of an unknown condition")
    if digest != row.digest:
        raise ValueError("is not what came")
    units: dict[str, int] = {}
    for line, count, *_ in command.lines:
        if not 1 <= count <= MOST:
            raise ValueError("tells an impossible number of units")
        units[line] = units.get(line, 0) + count
    return units
