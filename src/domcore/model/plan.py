"""What the planner decides, and how sure it is."""

from __future__ import annotations

from attrs import frozen


@frozen(slots=True)
class Allocation:
    """So much of this line from this node: a decision's atom."""

    line: str
    sku: str
    node: str
    quantity: int


@frozen(slots=True)
class CostTerm:
    """One part of a parcel's cost in micros: ``rate``, ``handling``, or the rule that adds it."""

    name: str
    amount: int


@frozen(slots=True)
class Parcel:
    """One box from one node: its contents by SKU, grams, metres to go, what it costs and why."""

    node: str
    contents: tuple[tuple[str, int], ...]
    weight: int
    distance: int
    terms: tuple[CostTerm, ...]

    @property
    def cost(self) -> int:
        """Micros: the sum of the terms."""
        cost = 0
        for term in self.terms:
            cost += term.amount
        return cost


@frozen(slots=True)
class Shortage:
    """Units of a line that no node may ship, and why: ``stock``, ``rules``, ``split``,
    ``rejected`` (by nodes, before), ``moved`` (a person wants it from elsewhere), ``item``
    (unknown)."""

    line: str
    sku: str
    quantity: int
    reason: str


@frozen(slots=True)
class Certificate:
    """How good one pass of a plan is known to be: cost and lower bound in micros."""

    method: str
    cost: int
    bound: int
    proven: bool

    @property
    def gap(self) -> int:
        """Micros between the cost and the proven lower bound."""
        return self.cost - self.bound


@frozen(slots=True)
class Plan:
    """Who ships what, what it costs, what is left over. An empty plan allocates nothing."""

    allocations: tuple[Allocation, ...] = ()
    parcels: tuple[Parcel, ...] = ()
    shortages: tuple[Shortage, ...] = ()
    certificates: tuple[Certificate, ...] = ()

    @property
    def cost(self) -> int:
        """Micros: the sum over the parcels."""
        cost = 0
        for parcel in self.parcels:
            for term in parcel.terms:
                cost += term.amount
        return cost

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes that ship something, in ascending order."""
        return tuple(sorted({allocation.node for allocation in self.allocations}))

    @property
    def proven(self) -> bool:
        """Whether every pass is proven least-cost."""
        return all(certificate.proven for certificate in self.certificates)
