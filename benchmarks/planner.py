"""The planner against HiGHS on the same orders: equal to the micro, and how much faster.

Orders come from the common workload (``../shared/bench/workload.py`` beside this repository), for
20 and 50 nodes, with stock cut short so that a fair share of orders needs or wants a line split.
Every order is answered by `solve` and by HiGHS, in turn block by block so that neither runs in
caches the other has just emptied, model build included for both. HiGHS' plan is rounded and
priced again in integers, because its own figure is a float.

    python benchmarks/planner.py --orders 600 --nodes 20 50 --seed 7
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from time import process_time
from types import ModuleType
from typing import Any

from domcore.sourcing.planner import Problem, Solution, solve

WORKLOAD = Path(__file__).resolve().parents[1] / ".." / "shared" / "bench" / "workload.py"

BLOCK = 50

Raw = tuple[tuple[int, ...], tuple[tuple[tuple[int, int, int, int], ...], ...], dict[int, int]]


def load_workload() -> ModuleType | None:
    """The workload module, or None where it is not beside this repository."""
    if not WORKLOAD.exists():
        return None
    spec = importlib.util.spec_from_file_location("workload", WORKLOAD)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def raw_orders(workload: ModuleType, nodes: int, count: int, seed: int, most: int) -> list[Raw]:
    """Quantities, offers and parcel costs of `count` orders; no node holds more than `most`."""
    skus = 4_000
    workload.SIZES["benchmark"] = (nodes, skus, count, 8)
    sites, items, positions, orders = workload.generate("benchmark", seed, 0.6)
    number = {site["id"]: at for at, site in enumerate(sites)}
    grams = {item["id"]: round(item["weight_kg"] * 1000) for item in items}
    held: dict[str, list[tuple[int, int]]] = {}
    for row in positions:
        at = number[row["node"]]
        free = min(most, row["on_hand"] - sites[at]["safety_stock"])
        if free > 0:
            held.setdefault(row["sku"], []).append((at, free))
    return [_raw(order, sites, grams, held) for order in orders[:count]]


def _raw(
    order: dict[str, Any],
    sites: list[dict[str, Any]],
    grams: dict[str, int],
    held: dict[str, list[tuple[int, int]]],
) -> Raw:
    parcel: dict[int, int] = {}
    per_gram: dict[int, int] = {}
    offers = []
    for line in order["lines"]:
        row = []
        for at, free in sorted(held.get(line["sku"], ())):
            if at not in parcel:
                site = sites[at]
                north, east = site["lat"] - order["lat"], site["lon"] - order["lon"]
                km = math.hypot(north * 111, east * 85)
                parcel[at] = round(site["fixed_cost"] * 1e6)
                # Weight costs more the further it goes, as rate zones have it.
                per_gram[at] = round(site["kg_cost"] * 1000 + site["km_cost"] * 250 * km)
            row.append((at, free, 0, per_gram[at] * grams[line["sku"]]))
        offers.append(tuple(row))
    return tuple(line["qty"] for line in order["lines"]), tuple(offers), parcel


class HiGHS:
    """The model of one order as a MILP: open a node or not, units by line and node."""

    def __init__(self) -> None:
        import highspy  # a benchmark dependency only
        import numpy as np

        self._highspy = highspy
        self._numpy = np
        self._solver = highspy.Highs()
        for option, value in (
            ("output_flag", False),
            ("mip_rel_gap", 0.0),
            ("mip_abs_gap", 0.0),
            ("threads", 1),
            ("parallel", "off"),
        ):
            self._solver.setOptionValue(option, value)

    def cost(self, raw: Raw) -> int:
        """The cost of HiGHS' plan in micros, from its rounded units."""
        quantities, offers, parcel = raw
        nodes = sorted(parcel)
        column = {node: at for at, node in enumerate(nodes)}
        cost: list[float] = [parcel[node] for node in nodes]
        upper: list[float] = [1] * len(nodes)
        flat = [(line, *offer) for line, row in enumerate(offers) for offer in row]
        starts, index, value = [0], [], []
        lower_row: list[float] = []
        upper_row: list[float] = []
        at = len(nodes)
        for quantity, row in zip(quantities, offers, strict=True):
            need = min(quantity, sum(offer[1] for offer in row))
            index += range(at, at + len(row))
            value += [1.0] * len(row)
            at += len(row)
            starts.append(len(index))
            lower_row.append(need)
            upper_row.append(need)
        for offset, (line, node, available, _, each) in enumerate(flat):
            units = min(available, quantities[line])
            cost.append(each)
            upper.append(units)
            index += [len(nodes) + offset, column[node]]
            value += [1.0, -float(units)]
            starts.append(len(index))
            lower_row.append(-self._highspy.kHighsInf)
            upper_row.append(0)
        if not cost:
            return 0
        taken = self._run(cost, upper, lower_row, upper_row, starts, index, value)
        total, used = 0, set()
        for (_, node, _, _, each), units in zip(flat, taken[len(nodes) :], strict=True):
            if round(units):
                total += each * round(units)
                used.add(node)
        return total + sum(parcel[node] for node in used)

    def _run(
        self,
        cost: Sequence[float],
        upper: Sequence[float],
        lower_row: Sequence[float],
        upper_row: Sequence[float],
        starts: Sequence[int],
        index: Sequence[int],
        value: Sequence[float],
    ) -> list[float]:
        numpy, highspy = self._numpy, self._highspy
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = len(cost), len(lower_row)
        model.col_cost_ = numpy.array(cost, dtype=numpy.double)
        model.col_lower_ = numpy.zeros(len(cost))
        model.col_upper_ = numpy.array(upper, dtype=numpy.double)
        model.row_lower_ = numpy.array(lower_row, dtype=numpy.double)
        model.row_upper_ = numpy.array(upper_row, dtype=numpy.double)
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        model.a_matrix_.start_ = numpy.array(starts, dtype=numpy.int32)
        model.a_matrix_.index_ = numpy.array(index, dtype=numpy.int32)
        model.a_matrix_.value_ = numpy.array(value, dtype=numpy.double)
        model.integrality_ = [highspy.HighsVarType.kInteger] * len(cost)
        self._solver.passModel(model)
        self._solver.run()
        return list(self._solver.getSolution().col_value)


def timed(run: Callable[[], Any]) -> tuple[Any, float]:
    """The result and the CPU seconds it took."""
    start = process_time()
    result = run()
    return result, process_time() - start


def splits(raw: Raw, solution: Solution) -> tuple[bool, bool]:
    """Whether some line is split, and whether some line has no node that holds all of it."""
    quantities, offers, _ = raw
    lines = [line for _, line, _ in solution.take]
    needed = any(
        max((offer[1] for offer in row), default=0) < min(quantity, sum(o[1] for o in row))
        for quantity, row in zip(quantities, offers, strict=True)
    )
    return len(set(lines)) < len(lines), needed


def figures(times: Iterable[float]) -> str:
    """Total in ms, median and 95th percentile in us."""
    ordered = sorted(times)
    median, late = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
    return f"{sum(ordered) * 1e3:10.1f} {median * 1e6:9.0f} {late * 1e6:9.0f}"


def report(name: str, rows: list[tuple[float, float, bool, bool, bool, bool]]) -> None:
    """One line of the table: ours, HiGHS', ratio, and how many answers agree."""
    ours, theirs, equal, proven, split, needed = zip(*rows, strict=True)
    print(
        f"{name:>12} {len(rows):6} {figures(ours)} {figures(theirs)}"
        f" {sum(theirs) / sum(ours):7.0f}x {sum(equal):6} {sum(proven):6}"
        f" {100 * sum(split) / len(rows):6.0f}% {100 * sum(needed) / len(rows):6.0f}%"
    )


def main() -> int:
    """Run the comparison; exit code 1 when an order differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--orders", type=int, default=600, help="orders for each number of nodes")
    parser.add_argument("--nodes", type=int, nargs="+", default=[20, 50])
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--most", type=int, default=2, help="units a node holds of a SKU at most")
    options = parser.parse_args()
    workload = load_workload()
    if workload is None:
        print(f"the common workload is not there ({WORKLOAD.resolve()}): nothing measured")
        return 0
    try:
        highs = HiGHS()
    except ImportError as missing:
        print(f"{missing.name} is not installed: nothing to compare with")
        return 0
    print(
        f"{'':>12} {'':>6} {'planner ms':>10} {'median us':>9} {'p95 us':>9} {'HiGHS ms':>10}"
        f" {'median us':>9} {'p95 us':>9} {'ratio':>8} {'equal':>6} {'proven':>6}"
        f" {'split':>7} {'needed':>7}"
    )
    every = []
    for nodes in options.nodes:
        by_lines: dict[int, list[tuple[float, float, bool, bool, bool, bool]]] = {}
        orders = raw_orders(workload, nodes, options.orders, options.seed, options.most)
        for start in range(0, len(orders), BLOCK):
            block = orders[start : start + BLOCK]
            ours = [timed(lambda raw=raw: solve(Problem(*raw))) for raw in block]
            theirs = [timed(lambda raw=raw: highs.cost(raw)) for raw in block]
            for raw, (solution, own), (cost, other) in zip(block, ours, theirs, strict=True):
                equal = solution.cost == cost
                row = (own, other, equal, solution.proven, *splits(raw, solution))
                by_lines.setdefault(len(raw[0]), []).append(row)
        for lines in sorted(by_lines):
            report(f"{lines} x {nodes}", by_lines[lines])
            every += by_lines[lines]
    report("all", every)
    return 0 if all(row[2] for row in every) else 1


if __name__ == "__main__":
    sys.exit(main())
