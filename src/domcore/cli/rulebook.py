"""The rule packs of a project, looked at without a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from attrs import evolve

from domcore.app import Domcore
from domcore.cli.output import times
from domcore.config import store_file
from domcore.errors import DomcoreError, NotFound
from domcore.loading.shape import suggestion
from domcore.model import FactSpec
from domcore.packs import PackInfo, audiences
from domcore.programs import Programs
from domcore.rule_remarks import known_by, look_up
from domcore.rules.case_reading import load_cases
from domcore.rules.cases import run_cases
from domcore.rules.compiler import Active, facts_set_by
from domcore.rules.loader import load_pack
from domcore.rules.pack import Activation, Pack
from domcore.rules.program import Program, compile_program
from domcore.rules.remarks import ODD, WRONG, Known, Remark, activation_remarks, remarks_on
from domcore.seeing.attributes import unread
from domcore.settings import Settings
from domcore.sourcing.casework import case_planner

UNREADABLE: Final = "cannot be read"


class Checked(NamedTuple):
    """What was done with one pack, or with all that are active `together`, and what is wrong."""

    name: str
    done: str
    failures: tuple[str, ...]
    together: bool = False
    remarks: tuple[Remark, ...] = ()

    @property
    def bad(self) -> bool:
        """Whether it cannot be used, or cannot do what it says."""
        return bool(self.failures) or any(each.level == WRONG for each in self.remarks)


Found = Iterator[Checked]


@contextmanager
def open_rulebook(settings: Settings) -> Iterator[Rulebook]:
    """The packs that `settings` lead to, with the facts and engines of the plugins."""
    with Domcore(evolve(settings, store="memory:")) as dom, ExitStack() as opened:
        stored = _project(settings)
        yield Rulebook(dom, None if stored is None else opened.enter_context(stored))


def _project(settings: Settings) -> Domcore | None:
    """The project as it is, with nodes and SKUs, where its store is there and can be opened."""
    file = store_file(settings.store)
    if file is None or not file.exists():
        return None
    try:
        return Domcore(settings, load_plugins=False)
    except DomcoreError:
        return None


class Rulebook:
    """Lists, checks and tests packs."""

    def __init__(self, dom: Domcore, stored: Domcore | None = None) -> None:
        """Args: stored: the project with its network and catalog, where they can be looked at."""
        self._stored = stored
        self._dom = dom
        self._settings = dom.settings
        self._programs = Programs(dom, dom.store, dom.plugins, dom.settings)

    def packs(self, names: Sequence[str] = ()) -> list[PackInfo]:
        """All packs, or those named by name or by folder.

        Raises:
            NotFound: a name is neither.
        """
        if not names:
            return self._programs.packs()
        return [info for name in names for info in self._named(name)]

    def _named(self, name: str) -> list[PackInfo]:
        known = self._programs.packs()
        found = [info for info in known if info.name == name]
        if not found and Path(name).exists():
            try:
                pack = load_pack(name)
            except DomcoreError as error:
                return [PackInfo(Path(name).name, name, error=str(error))]
            return [PackInfo(pack.name, name, pack)]
        if not found:
            hint = suggestion(name, {info.name for info in known})
            raise NotFound(f"there is no pack {name!r}, nor a folder of that name{hint}")
        return found

    def check(self, names: Sequence[str]) -> Found:
        """Compile each pack by itself; without names, also all that is active, together. What is
        odd is told once."""
        told: set[Remark] = set()
        for info in self.packs(names):
            done = times(len(info.pack.rules), "rule") if info.pack else UNREADABLE
            remarks: list[Remark] = []
            failures = _attempt(partial(self._compile_alone, remarks), info)[1]
            if not (names or info.active):
                # What nobody here uses need not fit what is here.
                remarks = [each for each in remarks if each.level == WRONG]
            told.update(remarks)
            yield Checked(info.name, done, failures, remarks=tuple(remarks))
        if names or not self._settings.activate:
            return
        activations = self._programs.activations()
        found = activation_remarks(activations, self._settings.owners.keys(), self._known())
        done = times(len(activations), "activation")
        yield Checked("[[activate]]", done, (), together=True, remarks=tuple(found))
        for owner, channel in audiences(self._settings):
            place = f"active for {owner}, {channel or 'any channel'}"
            remarks = []
            failures = self._active(owner, channel, remarks)
            new = tuple(each for each in remarks if each not in told)
            told.update(new)
            yield Checked(place, "together", failures, together=True, remarks=new)

    def test(self, names: Sequence[str]) -> Found:
        """Run the cases of each pack."""
        for info in self.packs(names):
            number, failures = _attempt(self._run_cases, info)
            done = times(number, "case") if number else "no cases" if info.pack else UNREADABLE
            yield Checked(info.name, done, failures)

    def _run_cases(self, pack: Pack, path: Path) -> tuple[int, tuple[str, ...]]:
        engine, facts = self._programs.engine, self._programs.facts
        elsewhere = self._set_elsewhere(pack)
        folder = path if path.is_dir() else path.parent
        cases = load_cases(folder, pack, facts, elsewhere)
        others = self._spoken_of(pack)
        plan = case_planner(pack, engine=engine, facts=facts, others=others, elsewhere=elsewhere)
        failures = run_cases(
            pack, cases, engine=engine, facts=facts, plan=plan, others=others, elsewhere=elsewhere
        )
        return len(cases), failures

    def _compile_alone(
        self, remarks: list[Remark], pack: Pack, _path: Path
    ) -> tuple[int, tuple[str, ...]]:
        active = [*self._spoken_of(pack), (pack, Activation(pack.name))]
        found: list[Remark] = []
        failures = self._compile(active, pack.currency, self._set_elsewhere(pack), found)
        own = f"{pack.name}/"
        remarks += [each for each in found if each.rule.startswith(own)]
        return 1, failures

    def _set_elsewhere(self, pack: Pack) -> dict[str, FactSpec]:
        """The facts that the other packs there are set."""
        return facts_set_by(
            [
                (info.pack, Activation(info.pack.name))
                for info in self._programs.packs()
                if info.pack and info.name != pack.name
            ]
        )

    def _spoken_of(self, pack: Pack) -> list[Active]:
        """The packs that this one overrides or disables rules of, one layer below it."""
        addresses = [*(rule.overrides for rule in pack.rules), *pack.disables]
        names = {address.partition("/")[0] for address in addresses if address}
        return [
            (info.pack, Activation(info.pack.name, layer="core"))
            for info in self._programs.packs()
            if info.pack and info.name in names - {pack.name}
        ]

    def _known(self, programs: Sequence[Program] = ()) -> Known:
        """What rules may name: by the settings, and by the project's store where there is one."""
        never_set = self._programs.all_packs.never_set()
        if self._stored is None:
            return known_by(self._settings, never_set=never_set)
        skus = look_up(self._stored.store, self._settings.owners, programs)
        return known_by(self._settings, self._stored.network(), skus, never_set)

    def _active(self, owner: str, channel: str, remarks: list[Remark]) -> tuple[str, ...]:
        try:
            active = self._programs.active_packs(owner, channel)
            currency = self._settings.owners.get(owner, "")
            set_by_rules = self._programs.set_by_rules()
            return self._compile(active, currency, set_by_rules, remarks, in_force=True)
        except DomcoreError as error:
            return (str(error),)

    def _compile(
        self,
        active: Sequence[Active],
        currency: str,
        elsewhere: Mapping[str, FactSpec],
        remarks: list[Remark],
        *,
        in_force: bool = False,
    ) -> tuple[str, ...]:
        programs = self._programs
        program = compile_program(
            active,
            engine=programs.engine,
            facts=programs.facts,
            currency=currency,
            elsewhere=elsewhere,
        )
        remarks += remarks_on(program, self._known([program]), self._dom.now())
        if in_force and self._stored is not None:
            told = unread(self._stored.store, self._stored.network(), [program])
            remarks += [Remark(ODD, "", message) for message in told]
        program.close()
        return ()


def _attempt(
    do: Callable[[Pack, Path], tuple[int, tuple[str, ...]]], info: PackInfo
) -> tuple[int, tuple[str, ...]]:
    """How much `do` did, and what it finds wrong with a pack, a refusal included."""
    if info.pack is None:
        return 0, (info.error,)
    try:
        return do(info.pack, Path(info.path))
    except DomcoreError as error:
        return 0, (str(error),)
