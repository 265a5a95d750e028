"""durable_rules as an engine, by the part of its C module that ordinary data cannot break.

What makes it safe:

* The module ``durable_rules_engine`` is called directly, seven functions of it. There is no
  Host, no DSL, no thread, no timer, no callback.
* It is given numbers between -1 and a few thousand, under names of ours, always all of them
  (`codes`). Its traps with text, large numbers, null and missing properties are out of reach.
* A ruleset holds at most `SHARD` conditions, each an "all" of comparisons with constants. No
  joins, no arithmetic, no comparison between properties.
* A batch is never empty, and always starts an action (`_END`), without which deleting the
  session would free an unset pointer. One session lives at a time, and only within a call.
* Should a call fail all the same, the matcher says so once in the log and goes on with the
  python engine, which gives the same answers.
"""

from __future__ import annotations

import importlib
import logging
import os
import re
import sys
import weakref
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol, cast

from domcore.errors import ConfigurationError
from domcore.rules.engines.branches import MAX_COLUMNS, Branch, multiply_out
from domcore.rules.engines.codes import Coder, Key, column_texts
from domcore.rules.engines.protocol import FieldType, FlatFact, Test
from domcore.rules.engines.python import PythonEngine, PythonMatcher
from domcore.rules.engines.terms import normal_forms

logger = logging.getLogger(__name__)

SHARD: Final = 60
"""Conditions per ruleset. The engine gives up when 64 hold of one fact at once."""

BATCH: Final = 128
"""Facts per session: each takes about 10 KiB in it."""

REMEMBER: Final = 4_096
"""Facts whose masks a matcher remembers, at most."""

_REMEMBERED_NUMBERS: Final = 200_000
"""Numbers in all remembered keys, at most: about 1.6 MB a matcher."""

_RECIPE: Final = (
    "install it with CPPFLAGS=-DPyEval_CallObject=PyObject_CallObject "
    "pip install --no-binary :all: durable_rules==2.0.28"
)

_END: Final = '{"id":"z","z":1}'
_END_RULE: Final = '"z":{"all":[{"m":{"z":1}}]}'
_ID: Final = re.compile(r'"id":"(\d+)"')


class EngineModule(Protocol):
    """The part of ``durable_rules_engine`` that is used."""

    def create_ruleset(self, name: str, rules: str, /) -> int:
        """A handle."""
        ...

    def delete_ruleset(self, handle: int, /) -> None:
        """Free it, but not its sessions."""
        ...

    def assert_facts(self, handle: int, facts: str, /) -> tuple[int, int]:
        """``(result code, session)``; opens the session."""
        ...

    def start_action_for_state(self, handle: int, session: int, /) -> tuple[str, str] | None:
        """``(session state, matches)`` of the first rule that matched, as JSON."""
        ...

    def complete_and_start_action(self, handle: int, session: int, /) -> str | None:
        """The matches of the next rule."""
        ...

    def abandon_action(self, handle: int, session: int, /) -> None:
        """Give up the action that was started."""
        ...

    def delete_state(self, handle: int, sid: str | None, /) -> None:
        """Free the session."""
        ...


def load_module() -> EngineModule:
    """The C module; imported once by Python, however often this is called.

    From CPython 3.13 on a function is missing that only its callback setters call. They are
    never called here, so the module is usable when its symbols are bound on first use.

    Raises:
        ImportError: it is not installed, or cannot be loaded.
    """
    try:
        module = importlib.import_module("durable_rules_engine")
    except ModuleNotFoundError:
        raise
    except ImportError:
        if not hasattr(sys, "setdlopenflags"):
            raise
        flags = sys.getdlopenflags()
        sys.setdlopenflags(os.RTLD_LAZY)
        try:
            module = importlib.import_module("durable_rules_engine")
        finally:
            sys.setdlopenflags(flags)
    return cast(EngineModule, module)


def available() -> tuple[bool, str]:
    """Whether the engine can be used here; if not, why, and what to do about it."""
    try:
        load_module()
    except ImportError as error:
        return False, f"durable_rules cannot be imported ({error}); {_RECIPE}"
    return True, ""


class DurableEngine:
    """Compiles tests to rulesets of durable_rules.

    Args:
        module: stands in for ``durable_rules_engine``; imported at the first `compile` if None.
        remember: how many facts' masks a matcher remembers; 0 asks the C module every time.
    """

    name = "durable"

    def __init__(self, module: EngineModule | None = None, *, remember: int = REMEMBER) -> None:
        self._module = module
        self._remember = remember

    def compile(self, tests: Sequence[Test], fields: Mapping[str, FieldType]) -> DurableMatcher:
        """Check, multiply out and compile.

        Raises:
            ConfigurationError: a test does not fit `fields`, is too deep, too long or has too
                many alternatives; or durable_rules is not available.
        """
        if self._module is None:
            try:
                self._module = load_module()
            except ImportError as error:
                raise ConfigurationError(
                    f"the rule engine 'durable' is not available: {error}; {_RECIPE}, "
                    "or choose the engine 'python'"
                ) from error
        return DurableMatcher(self._module, tests, fields, remember=self._remember)


class DurableMatcher:
    """Compiled tests: rulesets in the C module, and a memory of masks by key.

    `retired` turns true when the C module has failed: from then on the python engine answers.
    """

    def __init__(
        self,
        module: EngineModule,
        tests: Sequence[Test],
        fields: Mapping[str, FieldType],
        *,
        remember: int,
    ) -> None:
        forms = normal_forms(tests, fields)
        self._coder = Coder(forms)
        self._flips = 0
        wanted: dict[Branch, int] = {}
        for index, form in enumerate(forms):
            out = multiply_out(form, self._coder, f"test {index}")
            self._flips |= out.flipped << index
            for branch in out.branches:
                wanted[branch] = wanted.get(branch, 0) | 1 << index
        self._tests, self._fields = tuple(tests), dict(fields)
        self._twin: PythonMatcher | None = None
        self.retired = False
        self._closed = False
        self._memory: OrderedDict[Key, int] = OrderedDict()
        self._room = min(remember, _REMEMBERED_NUMBERS // (len(self._coder.tops) + 1))
        self._shards: list[_Shard] = []
        self._release = weakref.finalize(self, _release, module, self._shards)
        # Python's own exit must not call into a module that may be gone already.
        self._release.atexit = False
        try:
            for conditions in _shards(wanted):
                self._shards.append(_Shard(module, conditions, self._coder))
        except Exception as error:
            self.close()
            raise ConfigurationError(f"durable_rules refused the rules: {error}") from error

    def match(self, facts: Sequence[FlatFact]) -> list[int]:
        """For each fact a bit mask: bit ``i`` is set when test ``i`` is true of it.

        Raises:
            ValueError: the matcher is closed.
        """
        if self._closed:
            raise ValueError("match on a closed matcher")
        memory = self._memory
        keys = [self._key(fact) for fact in facts]
        unknown = {key: None for key in keys if key is not None and key not in memory}
        solved = self._solve(list(unknown)) if unknown else {}
        masks = []
        for key, fact in zip(keys, facts, strict=True):
            if key in solved:
                masks.append(solved[key])
            elif key is not None and key in memory:
                memory.move_to_end(key)
                masks.append(memory[key])
            else:
                masks.append(self._by_twin(fact))
        if self._room:
            memory.update(solved)
            while len(memory) > self._room:
                memory.popitem(last=False)
        return masks

    def close(self) -> None:
        """Delete the rulesets. Calling it twice is harmless."""
        self._closed = True
        self._memory.clear()
        self._release()

    def _key(self, fact: FlatFact) -> Key | None:
        try:
            return self._coder.key(fact)
        except TypeError:
            # A value of the wrong type: whatever Python makes of it is the answer.
            return None

    def _solve(self, keys: list[Key]) -> dict[Key, int]:
        """The masks of the keys; empty once the C module has failed."""
        if self.retired:
            return {}
        solved: dict[Key, int] = {}
        try:
            for start in range(0, len(keys), BATCH):
                batch = keys[start : start + BATCH]
                masks = [0] * len(batch)
                for shard in self._shards:
                    shard.run(batch, masks)
                solved.update(zip(batch, (mask ^ self._flips for mask in masks), strict=True))
        except Exception as error:
            self.retired = True
            logger.warning(
                "durable_rules failed (%s: %s); this pack goes on with the python engine",
                type(error).__name__,
                error,
                extra={"event": "engine.retired"},
            )
            return {}
        return solved

    def _by_twin(self, fact: FlatFact) -> int:
        if self._twin is None:
            self._twin = PythonEngine().compile(self._tests, self._fields)
        return self._twin.match((fact,))[0]


class _Shard:
    """One ruleset, and how to write the facts it reads."""

    def __init__(
        self, module: EngineModule, conditions: Sequence[tuple[Branch, int]], coder: Coder
    ) -> None:
        columns: dict[tuple[int, bool], str] = {}
        rules = []
        self.masks = [mask for _, mask in conditions]
        for number, (branch, _) in enumerate(conditions):
            atoms = []
            # Sorted: conditions that begin alike share nodes, and text does not depend on hashes.
            for source, down, op, bound in sorted(branch):
                name = columns.setdefault((source, down), f"f{len(columns)}")
                atoms.append(f'{{"${op}":{{"{name}":{bound}}}}}')
            rules.append(
                f'"{number}":{{"all":[{{"m":{{"$and":[{",".join(atoms)}]}}}}],"cap":{BATCH}}}'
            )
        self.columns = [
            (source, column_texts(name, coder.tops[source], down))
            for (source, down), name in columns.items()
        ]
        self.module = module
        self.idle = True
        self.handle = module.create_ruleset("domcore", "{" + ",".join([*rules, _END_RULE]) + "}")

    def run(self, keys: Sequence[Key], masks: list[int]) -> None:
        """Add to ``masks[i]`` the tests that some condition of this shard makes true of key i.

        Raises:
            RuntimeError: an earlier run was interrupted where its session cannot be deleted.
            Exception: the C module failed.
        """
        if not self.idle:
            raise RuntimeError("an interrupted session is still open")
        rows = []
        for number, key in enumerate(keys):
            properties = "".join([texts[key[source]] for source, texts in self.columns])
            rows.append(f'{{"id":"{number}"{properties}}}')
        rows.append(_END)
        for text in self._matches("[" + ",".join(rows) + "]"):
            name = text[2 : text.index('"', 2)]
            if name != "z":
                tests = self.masks[int(name)]
                for number in _ID.findall(text):
                    masks[int(number)] |= tests

    def _matches(self, facts: str) -> list[str]:
        """Open a session, collect the matches rule by rule, delete the session."""
        module, handle = self.module, self.handle
        # Until it is deleted the session is in the way of the next: set back only at the end.
        self.idle = False
        _, session = module.assert_facts(handle, facts)
        started = module.start_action_for_state(handle, session)
        if started is None:
            raise RuntimeError("no action started")
        texts = []
        text: str | None = started[1]
        try:
            while text is not None:
                texts.append(text)
                # Each condition is delivered once, with all its facts, and `_END_RULE` once.
                if len(texts) > len(self.masks) + 1:
                    raise RuntimeError("more actions than conditions")
                text = module.complete_and_start_action(handle, session)
        finally:
            if text is not None:
                module.abandon_action(handle, session)
            module.delete_state(handle, None)
            self.idle = True
        return texts


def _shards(wanted: Mapping[Branch, int]) -> Iterator[list[tuple[Branch, int]]]:
    """Runs of conditions within the engine's limits on rules and properties."""
    shard: list[tuple[Branch, int]] = []
    columns: set[tuple[int, bool]] = set()
    for branch, mask in wanted.items():
        needed = {(atom.source, atom.down) for atom in branch}
        if shard and (len(shard) == SHARD or len(columns | needed) > MAX_COLUMNS):
            yield shard
            shard, columns = [], set()
        shard.append((branch, mask))
        columns |= needed
    if shard:
        yield shard


def _release(module: EngineModule, shards: list[_Shard]) -> None:
    """Delete the rulesets. Takes the list, not the matcher, which must be free to die."""
    while shards:
        module.delete_ruleset(shards.pop().handle)
