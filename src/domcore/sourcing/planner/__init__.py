"""The exact planner of one order: `solve` answers a `Problem` with a `Solution`."""

from domcore.sourcing.planner.problem import Offer, Problem, Solution, Tariff
from domcore.sourcing.planner.solve import solve

__all__ = ["Offer", "Problem", "Solution", "Tariff", "solve"]
