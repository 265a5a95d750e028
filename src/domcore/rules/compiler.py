"""From packs and their activations to checked rules: types, parameters, verbs and layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from attrs import frozen

from domcore.model.facts import FactSpec
from domcore.model.money import MICROS, micros
from domcore.rules.checker import Constant, Environment, check
from domcore.rules.consequence import ARGUMENTS, PARAMETER, compiled, is_parameter
from domcore.rules.expression import Refusal, place_in, read
from domcore.rules.layers import CompiledRule, check_addresses, reads_money, window
from domcore.rules.loader import parameter_value
from domcore.rules.pack import PARAMETER_TYPES, Activation, Pack, PackFact, Rule
from domcore.rules.problems import Problems, suggestion
from domcore.rules.scopes import reads_line
from domcore.rules.tree import Condition, entities, leaves

Active = tuple[Pack, Activation]

OF_THE_ORDER: Final = ("split", "hold", "set")
"""Verbs that speak of the order, never of a node."""

PER_PARCEL: Final = ("parcel", "km")
_NOTHING: Final[Mapping[str, FactSpec]] = MappingProxyType({})


@frozen(slots=True)
class Checked:
    """All rules of all packs, checked together."""

    packs: tuple[Active, ...]
    rules: tuple[CompiledRule, ...]
    specs: Mapping[str, FactSpec]
    packed: Mapping[str, PackFact]
    derived: Mapping[str, FactSpec]
    elsewhere: Mapping[str, FactSpec]


def facts_set_by(packs: Sequence[Active]) -> dict[str, FactSpec]:
    """The facts that rules of these packs set, whatever else is wrong with them."""
    unheard = {source: Problems("") for source in range(len(packs))}
    parameters = [_parameters(pack, act, unheard[n]) for n, (pack, act) in enumerate(packs)]
    return _derived_facts(packs, parameters, {}, unheard)


def check_packs(
    packs: Sequence[Active],
    facts: Mapping[str, FactSpec],
    currency: str = "",
    elsewhere: Mapping[str, FactSpec] = _NOTHING,
) -> Checked:
    """Check packs against the facts there are and against each other.

    Args:
        elsewhere: facts that packs set which are not among these: they are known, and missing.

    Raises:
        ConfigurationError: naming every problem of the first pack that has one.
    """
    ordered = tuple(sorted(packs, key=lambda entry: (entry[1].rank, entry[0].name)))
    problems = {
        source: Problems(pack.source or f"pack {pack.name}")
        for source, (pack, _) in enumerate(ordered)
    }
    for source, (pack, activation) in enumerate(ordered):
        _check_activation(pack, activation, problems[source])
    packed, packed_specs = _packed_facts(ordered, facts, problems)
    parameters = [_parameters(pack, act, problems[n]) for n, (pack, act) in enumerate(ordered)]
    taken = {**facts, **packed_specs}
    derived = _derived_facts(ordered, parameters, taken, problems)
    check_addresses(ordered, problems)
    missing = {
        name: spec for name, spec in elsewhere.items() if name not in taken and name not in derived
    }
    specs = {**taken, **missing, **derived}
    rules: list[CompiledRule] = []
    for source, (pack, activation) in enumerate(ordered):
        lists = {each.name: each for each in pack.lists}
        environment = Environment(specs, parameters[source], pack.timezone, lists)
        checker = _RuleChecker(pack, activation, source, environment, currency, problems[source])
        for rule in pack.rules:
            if problems[source].many:
                break
            found = checker.rule(rule, len(rules))
            if found is not None:
                rules.append(found)
        problems[source].raise_if_any()
    read = {fact.name for rule in rules for leaf in leaves(rule.condition) for fact in leaf.facts}
    missing = {name: spec for name, spec in missing.items() if name in read}
    return Checked(ordered, tuple(rules), specs, packed, derived, missing)


def _check_activation(pack: Pack, activation: Activation, problems: Problems) -> None:
    if activation.pack != pack.name:
        problems.add(f"the activation is for {activation.pack!r}", "name")
    if activation.version and activation.version != pack.version:
        problems.add(
            f"version {activation.version!r} is activated, this is {pack.version!r}", "version"
        )
    known = {parameter.name for parameter in pack.parameters}
    for name in activation.parameters:
        if name not in known:
            problems.add(f"no such parameter{suggestion(name, known)}", f"parameter {name}")


def _parameters(pack: Pack, activation: Activation, problems: Problems) -> dict[str, Constant]:
    found = {}
    for parameter in pack.parameters:
        value: Any = activation.parameters.get(parameter.name, parameter.default)
        try:
            value = parameter_value(parameter.type, value)
        except ValueError as error:
            problems.add(str(error), f"parameter {parameter.name}")
            value = parameter.default
        if parameter.type in ("decimal", "money"):
            value = micros(value)
        found[parameter.name] = Constant(parameter.type, value, named=True)
    return found


def _packed_facts(
    packs: Sequence[Active], facts: Mapping[str, FactSpec], problems: Mapping[int, Problems]
) -> tuple[dict[str, PackFact], dict[str, FactSpec]]:
    packed: dict[str, PackFact] = {}
    specs: dict[str, FactSpec] = {}
    for source, (pack, _) in enumerate(packs):
        for fact in pack.facts:
            place = f"fact {fact.name}"
            if fact.name in facts:
                problems[source].add("is built in already", place)
            known = packed.setdefault(fact.name, fact)
            if (known.type, known.attribute) != (fact.type, fact.attribute):
                problems[source].add("another pack declares it differently", place)
            entity = fact.name.partition(".")[0]
            specs[fact.name] = FactSpec(fact.name, entity, fact.type, fact.unit, True, fact.summary)
    return packed, specs


def _derived_facts(
    packs: Sequence[Active],
    parameters: Sequence[Mapping[str, Constant]],
    taken: Mapping[str, FactSpec],
    problems: Mapping[int, Problems],
) -> dict[str, FactSpec]:
    derived: dict[str, FactSpec] = {}
    for source, (pack, _) in enumerate(packs):
        for rule in pack.rules:
            if rule.verb != "set":
                continue
            for name, value in rule.arguments:
                place = f"rule {rule.id}, set {name}"
                if name in taken:
                    problems[source].add("is a fact that is given, rules cannot set it", place)
                    continue
                kind = _kind_of(value, parameters[source])
                spec = FactSpec(name, name.partition(".")[0], kind, "", True, "Set by rules")
                if derived.setdefault(name, spec) != spec:
                    message = f"is {derived[name].type} elsewhere and {kind} here"
                    problems[source].add(message, place)
    return derived


def _kind_of(value: Any, parameters: Mapping[str, Constant]) -> str:
    if is_parameter(value) and value.removeprefix(PARAMETER) in parameters:
        return parameters[value.removeprefix(PARAMETER)].kind
    kinds = {bool: "bool", int: "int", tuple: "texts"}
    return kinds.get(type(value), "text")


class _RuleChecker:
    """Checks the rules of one activated pack."""

    def __init__(
        self,
        pack: Pack,
        activation: Activation,
        source: int,
        environment: Environment,
        currency: str,
        problems: Problems,
    ) -> None:
        self.pack = pack
        self.activation = activation
        self.source = source
        self.environment = environment
        self.currency = currency
        self.problems = problems

    def rule(self, rule: Rule, number: int) -> CompiledRule | None:
        """The compiled rule, or None when it is switched off or wrong."""
        try:
            condition = check(read(rule.when), self.environment)
        except Refusal as refusal:
            column = rule.column(refusal.column)
            self.problem(rule, place_in(rule.written or rule.when, column), refusal.message)
            return None
        try:
            arguments = self.arguments(rule)
            self.check_scope(rule, condition, arguments)
            self.check_money(rule, condition)
        except ValueError as error:
            self.problem(rule, "then", str(error))
            return None
        if not rule.enabled:
            return None
        return CompiledRule(
            number=number,
            address=f"{self.pack.name}/{rule.id}",
            version=self.pack.version,
            rule=rule,
            source=self.source,
            rank=(self.activation.rank, rule.priority),
            condition=condition,
            arguments=arguments,
            window=window(rule, self.pack.timezone),
        )

    def problem(self, rule: Rule, place: str, message: str) -> None:
        self.problems.add(message, f"rule {rule.id}, {place}")

    def arguments(self, rule: Rule) -> dict[str, Any]:
        if rule.verb == "set":
            return {name: self.set_value(value) for name, value in rule.arguments}
        filled = {}
        for key, value in rule.arguments:
            types = ARGUMENTS[rule.verb][key].types
            filled[key] = self.parameter(value, types) if is_parameter(value) else value
        return compiled(rule.verb, filled)

    def parameter(self, value: str, types: tuple[str, ...] = PARAMETER_TYPES) -> Any:
        """A parameter's value in the form the consequence would be written in."""
        name = value.removeprefix(PARAMETER)
        known = self.environment.parameters
        if name not in known:
            raise ValueError(f"no parameter {name!r}{suggestion(name, known)}")
        constant = known[name]
        if constant.kind not in types:
            raise ValueError(f"{value} is {constant.kind}; {' or '.join(types)} is needed here")
        if constant.kind in ("money", "decimal"):
            sign = "-" if constant.value < 0 else ""
            whole, rest = divmod(abs(constant.value), MICROS)
            return f"{sign}{whole}.{rest:06d}"
        return constant.value

    def set_value(self, value: Any) -> Any:
        if not is_parameter(value):
            return value
        self.parameter(value)
        return self.environment.parameters[value.removeprefix(PARAMETER)].value

    def check_scope(self, rule: Rule, condition: Condition, arguments: Mapping[str, Any]) -> None:
        of_nodes = entities(condition) & {"node", "candidate"}
        verb = rule.verb
        if verb in OF_THE_ORDER and of_nodes:
            raise ValueError(
                f"{verb} speaks of the order; its condition cannot read {min(of_nodes)} facts"
            )
        if verb == "require" and not of_nodes:
            raise ValueError("require keeps the nodes its condition is true of; it reads none")
        if verb == "cost" and arguments["per"] in PER_PARCEL and reads_line(condition):
            raise ValueError(
                f"a parcel may hold several lines: a cost per {arguments['per']} cannot depend on"
                " one; charge it per line, or ask any(... for line in lines)"
            )
        if verb == "set" and "line" in entities(condition):
            orders = [name for name in arguments if name.startswith("order.")]
            if orders:
                raise ValueError(
                    f"{orders[0]} belongs to the order, the condition to one line;"
                    " ask any(... for line in lines)"
                )
        if self.activation.layer == "partner" and verb in OF_THE_ORDER:
            raise ValueError(f"a partner speaks of its own nodes only; {verb} speaks of the order")

    def check_money(self, rule: Rule, condition: Condition) -> None:
        if rule.verb != "cost" and not reads_money(condition):
            return
        if not self.pack.currency:
            raise ValueError('a pack that speaks of money says in which: currency = "USD"')
        if rule.verb == "cost" and self.currency and self.currency != self.pack.currency:
            raise ValueError(
                f"costs are reckoned in {self.currency}, this pack speaks {self.pack.currency}"
            )
