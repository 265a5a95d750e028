"""What persons have said of orders, and whether the orders are so."""

from __future__ import annotations

from domcore.model.actor import MOST_OF_BY
from domcore.store.correction_rows import DESTINATION, LINE, CorrectionRow
from domcore.store.operations.corrections import read_correction
from domcore.verify.dossier import Read
from domcore.verify.violation import Violations, broken


def check_corrections(found: Read) -> Violations:
    """Whether each says something else than was told, and the present revision says the same."""
    for row in found.papers.corrections:
        place = f"{found.place} correction of {row.subject[:100]}"
        try:
            told, said = read_correction(row)
        except ValueError:
            yield broken("format", place, "cannot be read")
            continue
        if told == said:
            yield broken("I9", place, "says what the channel has told")
        if len(row.by) > MOST_OF_BY or not row.by.isprintable():
            yield broken("I9", place, "who has said it is no name")
        wrong = _wrong(row, said, found)
        if wrong:
            yield broken("I9", place, wrong)


def _wrong(row: CorrectionRow, said: object, found: Read) -> str:
    if row.subject == DESTINATION:
        return "" if said == found.body.destination else "the order goes somewhere else"
    lines = {LINE + line.id: line.quantity for line in found.body.lines}
    if row.subject not in lines:
        return "is about no line of the order"
    return "" if said == lines[row.subject] else "the order wants another number of units"
