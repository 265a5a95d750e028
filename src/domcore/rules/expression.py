"""Reading a condition: Python's syntax, a small closed part of it, never executed.

`read` parses text with `ast` and accepts it node by node. What is not named here does not exist:
no calls but the listed ones, no attribute but a fact's name, no lambda, no walrus, no f-string,
no subscript, no arithmetic. What comes back is still untyped; `checker` gives it types.
"""

from __future__ import annotations

import ast
import warnings
from typing import Final

from attrs import frozen

from domcore.rules.problems import shown, suggestion

LONGEST: Final = 4_000
"""Characters in one condition."""

DEEPEST: Final = 24
"""Levels of nesting in one condition."""

MOST_LEAVES: Final = 500
MOST_IN_LIST: Final = 1_000

QUANTIFIERS: Final = ("any", "all", "none")
OPEN_LINES: Final = "open_lines"
LOOPS: Final = ("lines", OPEN_LINES)
"""What a loop goes over: all lines of the order, or those that are still open."""

AFFIXES: Final = ("startswith", "endswith")
ELAPSED: Final = (
    "minutes_since",
    "hours_since",
    "days_since",
    "minutes_until",
    "hours_until",
    "days_until",
)
FUNCTIONS: Final = (*QUANTIFIERS, *ELAPSED)

_COMPARISONS: Final = (
    ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot,
)  # fmt: skip


class Refusal(ValueError):  # noqa: N818 - an outcome, turned into a ConfigurationError by callers
    """A condition cannot be used: why, and the column (from 1) where that shows."""

    def __init__(self, message: str, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.column = column


@frozen(slots=True)
class Expression:
    """A condition whose syntax is accepted: its text on one line and its syntax tree."""

    text: str
    root: ast.expr
    lead: int = 0
    """Blanks before it in the text it was read from."""

    def column(self, node: ast.AST) -> int:
        """The column of a node in the text it was read from, in characters from 1."""
        return self.lead + _column(self.text, getattr(node, "col_offset", 0))

    def source(self, node: ast.expr) -> str:
        """The text of a node as the author wrote it."""
        end = node.end_col_offset
        return self.text.encode()[node.col_offset : end].decode(errors="replace")


def read(text: str) -> Expression:
    """Read one condition.

    Raises:
        Refusal: it is not in the language, too long or too deep.
    """
    line, lead = _one_line(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            root = ast.parse(line, mode="eval").body
    except SyntaxError as error:
        # An offset is in characters; without one the text ended too early.
        raise Refusal(
            f"not a condition: {error.msg}", lead + (error.offset or len(line) + 1)
        ) from None
    except (ValueError, RecursionError, MemoryError, Warning) as error:
        deep = isinstance(error, RecursionError | MemoryError)
        why = "nested too deeply" if deep else "unreadable"
        raise Refusal(f"not a condition: {why}") from None
    expression = Expression(line, root, lead)
    _Acceptor(expression).condition(root, 0)
    return expression


def place_in(written: str, column: int) -> str:
    """Where a column of a condition is, in the lines in which its author wrote it."""
    before = written[: column - 1]
    line = before.count("\n") + 1
    if "\n" not in written.rstrip():
        return f"column {column}"
    return f"column {len(before) - (before.rfind(chr(10)) + 1) + 1} of line {line}"


def _one_line(text: str) -> tuple[str, int]:
    """The condition on one line, and how many blanks stood before it."""
    if len(text) > LONGEST:
        raise Refusal(f"a condition has at most {LONGEST:,} characters, this one has {len(text):,}")
    for mark, name in (("\\", "backslash"), ("\0", "null character"), ("\f", "form feed")):
        if mark in text:
            raise Refusal(f"a condition has no {name}", text.index(mark) + 1)
    if "\n" in text and "#" in text:
        raise Refusal("a condition over several lines has no '#'", text.index("#") + 1)
    for space in "\r\n\t":
        text = text.replace(space, " ")
    if not text.strip():
        raise Refusal("the condition is empty; write True for a rule that always speaks")
    return text.strip(), len(text) - len(text.lstrip())


def _column(line: str, offset: int) -> int:
    return len(line.encode("utf-8", "replace")[: max(offset, 0)].decode(errors="ignore")) + 1


class _Acceptor:
    """Walks a syntax tree and refuses what is not in the language."""

    def __init__(self, expression: Expression) -> None:
        self.expression = expression
        self.leaves = 0

    def refuse(self, node: ast.AST, message: str) -> Refusal:
        return Refusal(message, self.expression.column(node))

    def condition(self, node: ast.expr, depth: int) -> None:
        """Accept a node where something true or false is expected."""
        if depth > DEEPEST:
            raise self.refuse(node, f"nested more than {DEEPEST} levels deep")
        if isinstance(node, ast.BoolOp):
            for value in node.values:
                self.condition(value, depth + 1)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            self.condition(node.operand, depth + 1)
        elif isinstance(node, ast.Call) and _called(node) in QUANTIFIERS:
            self.quantifier(node, depth)
        else:
            self.leaf(node)

    def leaf(self, node: ast.expr) -> None:
        self.leaves += 1
        if self.leaves > MOST_LEAVES:
            raise self.refuse(node, f"more than {MOST_LEAVES} comparisons in one condition")
        if isinstance(node, ast.Compare):
            for operator in node.ops:
                if not isinstance(operator, _COMPARISONS):
                    raise self.refuse(node, "unknown comparison")
            for operand in (node.left, *node.comparators):
                self.operand(operand)
        elif isinstance(node, ast.Call):
            self.call(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
            return
        elif isinstance(node, ast.Attribute | ast.Name):
            self.name(node)
        else:
            raise self.refuse(node, f"{_kind(node)} is not a condition")

    def operand(self, node: ast.expr) -> None:
        """Accept a node where a value is expected."""
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            if len(node.elts) > MOST_IN_LIST:
                most = f"more than {MOST_IN_LIST:,} values in a list"
                raise self.refuse(node, f"{most}; more go into a file (see [lists])")
            for element in node.elts:
                self.constant(element)
        elif isinstance(node, ast.Attribute | ast.Name):
            self.name(node)
        elif isinstance(node, ast.Call):
            self.call(node)
        else:
            self.constant(node)

    def constant(self, node: ast.expr) -> None:
        inner = node
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner = node.operand
            if not (isinstance(inner, ast.Constant) and type(inner.value) in (int, float)):
                raise self.refuse(node, "a minus sign stands before a number only")
        if isinstance(inner, ast.Name):
            quoted = shown(inner.id)
            raise self.refuse(node, f"a value is needed here; text is written in quotes: {quoted}")
        if not isinstance(inner, ast.Constant):
            raise self.refuse(node, f"{_kind(node)} is not allowed here")
        if not (inner.value is None or type(inner.value) in (bool, int, float, str)):
            raise self.refuse(node, f"{shown(inner.value)} is not a value rules know")
        if getattr(inner, "kind", None):
            raise self.refuse(node, "text is written without a prefix")

    def name(self, node: ast.expr) -> None:
        """Accept a dotted name of at most four plain parts."""
        inner, parts = node, 1
        while isinstance(inner, ast.Attribute):
            if inner.attr.startswith("_"):
                raise self.refuse(node, f"{shown(inner.attr)} is not the name of a fact")
            inner, parts = inner.value, parts + 1
        if not isinstance(inner, ast.Name):
            raise self.refuse(node, f"{_kind(inner)} has no facts")
        if parts > 4:
            raise self.refuse(node, "a fact's name has at most four parts")

    def call(self, node: ast.Call) -> None:
        """Accept ``fact.startswith(...)`` and the elapsed-time functions."""
        called = _called(node)
        if called in QUANTIFIERS:
            raise self.refuse(node, f"{called}(...) is a condition, not a value")
        if node.keywords or len(node.args) != 1:
            raise self.refuse(node, "a function in a condition takes exactly one value")
        if isinstance(node.func, ast.Attribute) and called in AFFIXES:
            self.name(node.func.value)
            self.operand(node.args[0])
        elif isinstance(node.func, ast.Name) and called in ELAPSED:
            self.name(node.args[0])
        else:
            hint = suggestion(called, (*FUNCTIONS, *AFFIXES))
            raise self.refuse(node, f"no function {shown(called)} in conditions{hint}")

    def quantifier(self, node: ast.Call, depth: int) -> None:
        """Accept ``any(condition for line in lines)``, or over ``open_lines``."""
        called = _called(node)
        form = f"{called}(... for line in lines)"
        if len(node.args) != 1 or node.keywords or not isinstance(node.args[0], ast.GeneratorExp):
            raise self.refuse(node, f"write {form}")
        generator = node.args[0]
        clause = generator.generators[0]
        if (
            len(generator.generators) != 1
            or clause.is_async
            or getattr(clause.target, "id", "") != "line"
            or getattr(clause.iter, "id", "") not in LOOPS
        ):
            raise self.refuse(node, f"write {form}")
        for part in (generator.elt, *clause.ifs):
            self.condition(part, depth + 1)


def _called(node: ast.Call) -> str:
    function = node.func
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else _kind(function)


def _kind(node: ast.AST) -> str:
    """What a syntax node is, in words an author knows."""
    words = {
        "BinOp": "arithmetic",
        "Lambda": "a lambda",
        "NamedExpr": "an assignment",
        "JoinedStr": "an f-string",
        "Subscript": "an index in brackets",
        "IfExp": "an if-else",
        "Constant": "a plain value",
        "Call": "a call",
        "Dict": "a table",
        "GeneratorExp": "a loop",
        "ListComp": "a loop",
        "List": "a list",
        "Attribute": "another fact",
        "Tuple": "a list",
    }
    return words.get(type(node).__name__, type(node).__name__)
