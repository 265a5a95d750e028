"""HiGHS on one order at true weight tariffs: what an exact solver finds in so many CPU seconds.

The model has what the planner's `Problem` has: parcels with weight steps, rates by the gram above
the last one and a minimum charge, several parcels a node where they can pay, a line's units at a
node in one of them. HiGHS' units are rounded and priced again in integers, because its own figure
is a float.
"""

from __future__ import annotations

from time import process_time
from typing import Any

from attrs import Factory, define

from domcore.sourcing.planner import Problem, Tariff
from domcore.sourcing.planner.instance import compile_instance

MOST_PARCELS = 3


@define
class Model:
    """A MILP while it is written down: columns with cost, bound and kind, rows of terms."""

    cost: list[float] = Factory(list)
    upper: list[float] = Factory(list)
    whole: list[bool] = Factory(list)
    rows: list[tuple[float, list[tuple[int, float]], float]] = Factory(list)

    def column(self, cost: float, upper: float, whole: bool = True) -> int:
        """One more variable, at least 0."""
        self.cost.append(cost)
        self.upper.append(upper)
        self.whole.append(whole)
        return len(self.cost) - 1


def parcels_worth(tariff: Tariff | None, parcel: int, grams: int) -> int:
    """How many parcels a load may want: one, unless two can cost less than one."""
    if tariff is None:
        return 1
    limits = [limit for limit, _ in tariff.steps if limit < grams]

    def new(load: int) -> int:
        return parcel + tariff.price(load)

    starts = [1, *limits]
    for one in starts:
        ends = [grams, *starts, *(limit + 1 for limit in limits)]
        for other in {*starts, *(end - one for end in ends)}:
            if 0 < other <= grams - one and new(one) + new(other) < new(one + other):
                return MOST_PARCELS
    return 1


class Yardstick:
    """HiGHS with a limit of CPU seconds for each order."""

    def __init__(self, seconds: float) -> None:
        import highspy  # a benchmark dependency only
        import numpy as np

        self._highspy, self._numpy = highspy, np
        self._seconds = seconds

    def best(self, problem: Problem) -> tuple[int, float, float]:
        """Micros of the best plan found (-1: none), of HiGHS' lower bound, and CPU seconds."""
        model, units = _model(problem)
        started = process_time()
        values, bound = self._run(model)
        spent = process_time() - started
        if not values:
            return -1, bound, spent
        take = []
        for (node, line), columns in units.items():
            count = sum(round(values[column]) for column in columns)
            if count:
                take.append((node, line, count))
        return _priced(problem, take), bound, spent

    def _run(self, model: Model) -> tuple[list[float], float]:
        highspy, numpy = self._highspy, self._numpy
        solver = highspy.Highs()
        for option, value in (
            ("output_flag", False), ("mip_rel_gap", 0.0), ("mip_abs_gap", 1.0),
            ("threads", 1), ("parallel", "off"), ("time_limit", self._seconds * 20),
        ):  # fmt: skip
            solver.setOptionValue(option, value)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(model.cost), len(model.rows)
        lp.col_cost_ = numpy.array(model.cost, dtype=numpy.double)
        lp.col_lower_ = numpy.zeros(len(model.cost))
        lp.col_upper_ = numpy.array(model.upper, dtype=numpy.double)
        lp.row_lower_ = numpy.array([row[0] for row in model.rows], dtype=numpy.double)
        lp.row_upper_ = numpy.array([row[2] for row in model.rows], dtype=numpy.double)
        starts, index, value = [0], [], []
        for _, terms, _ in model.rows:
            index += [at for at, _ in terms]
            value += [factor for _, factor in terms]
            starts.append(len(index))
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = numpy.array(starts, dtype=numpy.int32)
        lp.a_matrix_.index_ = numpy.array(index, dtype=numpy.int32)
        lp.a_matrix_.value_ = numpy.array(value, dtype=numpy.double)
        kinds = highspy.HighsVarType
        lp.integrality_ = [kinds.kInteger if whole else kinds.kContinuous for whole in model.whole]
        solver.passModel(lp)
        started = process_time()

        def late(event: Any) -> None:
            if process_time() - started > self._seconds:
                event.interrupt()

        solver.cbMipInterrupt.subscribe(late)
        solver.run()
        info = solver.getInfo()
        found = info.primal_solution_status == 2
        return (list(solver.getSolution().col_value) if found else []), info.mip_dual_bound


def _model(problem: Problem) -> tuple[Model, dict[tuple[int, int], list[int]]]:
    """The order as a MILP, and the columns of units by node and line."""
    infinity = float("inf")
    model = Model()
    need = [
        min(quantity, sum(offer[1] for offer in row))
        for quantity, row in zip(problem.quantities, problem.offers, strict=True)
    ]
    held: dict[int, list[tuple[int, int, int, int]]] = {}
    for line, row in enumerate(problem.offers):
        for node, available, touch, each in row:
            if available > 0:
                held.setdefault(node, []).append((line, min(available, need[line]), touch, each))
    units: dict[tuple[int, int], list[int]] = {}
    for node, rows in held.items():
        tariff = problem.tariffs.get(node)
        grams = sum(problem.weights[line] * most for line, most, _, _ in rows)
        before = -1
        touches: dict[int, list[int]] = {}
        for _ in range(parcels_worth(tariff, problem.parcel[node], grams)):
            used = model.column(problem.parcel[node], 1)
            if before >= 0:
                model.rows.append((-infinity, [(used, 1.0), (before, -1.0)], 0))
            before = used
            load: list[tuple[int, float]] = []
            for line, most, touch, each in rows:
                column = model.column(each, most)
                touched = model.column(touch, 1)
                model.rows.append((-infinity, [(column, 1.0), (touched, -float(most))], 0))
                model.rows.append((-infinity, [(touched, 1.0), (used, -1.0)], 0))
                units.setdefault((node, line), []).append(column)
                touches.setdefault(line, []).append(touched)
                load.append((column, float(problem.weights[line])))
            if tariff is not None:
                _price(model, tariff, used, load, grams)
        for columns in touches.values():
            if len(columns) > 1:
                model.rows.append((-infinity, [(column, 1.0) for column in columns], 1))
    for line, wanted in enumerate(need):
        columns = [at for (_, other), own in units.items() if other == line for at in own]
        if columns:
            model.rows.append((wanted, [(column, 1.0) for column in columns], wanted))
    return model, units


def _price(
    model: Model, tariff: Tariff, used: int, load: list[tuple[int, float]], grams: int
) -> None:
    """One parcel's tariff: the step that holds it, what is above the last, the minimum."""
    infinity = float("inf")
    terms: list[tuple[int, float]] = [(used, float(tariff.base))]
    terms += [(column, factor * tariff.per_gram) for column, factor in load]
    if tariff.steps:
        chosen = []
        room: list[tuple[int, float]] = list(load)
        for limit, price in tariff.steps:
            step = model.column(0, 1)
            chosen.append((step, 1.0))
            room.append((step, -float(min(limit, grams))))
            terms.append((step, float(price)))
        last, price = tariff.steps[-1]
        if grams > last:
            step = model.column(0, 1)
            over = model.column(0, grams - last, whole=False)
            chosen.append((step, 1.0))
            room += [(step, -float(last)), (over, -1.0)]
            model.rows.append((-infinity, [(over, 1.0), (step, -float(grams - last))], 0))
            terms += [(step, float(price)), (over, float(tariff.over_per_gram))]
        model.rows.append((0, [*chosen, (used, -1.0)], 0))
        model.rows.append((-infinity, room, 0))
    if not tariff.minimum or tariff.minimum <= tariff.base:
        for column, price in terms:
            model.cost[column] += price
        return
    paid = model.column(1, infinity, whole=False)
    model.rows.append((0, [(paid, 1.0), *((column, -price) for column, price in terms)], infinity))
    model.rows.append((0, [(paid, 1.0), (used, -float(tariff.minimum))], infinity))


def _priced(problem: Problem, take: list[tuple[int, int, int]]) -> int:
    """Micros of a plan, from its units; it must place all that can be placed."""
    instance = compile_instance(problem)
    node = {number: at for at, number in enumerate(instance.nodes)}
    line = {number: at for at, number in enumerate(instance.lines)}
    local = sorted((node[number], line[at], units) for number, at, units in take)
    assert sum(units for _, _, units in local) == sum(instance.need)
    return instance.cost(local)
