"""Explanations: a decision made again from its record, and every loser's reason worked out anew.

A decision of an earlier planner is made again, too; where that gives other bytes it is told from
what its record stored, and no reason is made up for the nodes that lost.
"""

from domcore.explaining.replaying import explain_plan, explain_stored, holds_now, replay
from domcore.explaining.rules import explain_rule

__all__ = ["explain_plan", "explain_rule", "explain_stored", "holds_now", "replay"]
