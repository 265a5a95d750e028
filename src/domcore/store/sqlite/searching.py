"""The test by which SQLite finds orders by a word."""

from __future__ import annotations

from typing import Final

from domcore.store.searching import SEARCHED


def _has(column: str) -> str:
    return f"instr(lower({column}), w.word)"


_OF_A_PERSON: Final = ", ".join(f"'{name}'" for name in SEARCHED)

WORD_TEST: Final = f"""EXISTS (
  SELECT 1 FROM (SELECT ? AS word) w
  WHERE {_has("o.number")} OR {_has("o.external_id")} OR {_has("o.channel")}
  OR EXISTS (
    SELECT 1 FROM order_line l JOIN item i ON i.id = l.item_id
    WHERE l.order_id = o.id AND {_has("i.sku")}
  ) OR EXISTS (
    SELECT 1 FROM reservation r JOIN node n ON n.id = r.node_id
    WHERE r.order_id = o.id AND r.state IN (0, 1) AND {_has("n.code")}
  ) OR EXISTS (
    SELECT 1 FROM person p, json_tree(CAST(p.body AS TEXT)) j
    WHERE p.order_id = o.id AND j.type = 'text'
    AND (j.key IN ({_OF_A_PERSON}) OR j.path = '$.street') AND {_has("j.value")}
  )
)"""
"""``?`` is a folded word, see `domcore.store.searching`."""
