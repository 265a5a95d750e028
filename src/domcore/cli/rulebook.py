"""The rule packs of a project, looked at without a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from attrs import evolve

from domcore.app import Domcore
from domcore.cli.output import times
from domcore.errors import DomcoreError, NotFound
from domcore.loading.shape import suggestion
from domcore.model import FactSpec
from domcore.packs import PackInfo
from domcore.programs import Programs
from domcore.rules.case_reading import load_cases
from domcore.rules.cases import run_cases
from domcore.rules.compiler import Active, facts_set_by
from domcore.rules.loader import load_pack
from domcore.rules.pack import Activation, Pack
from domcore.rules.program import compile_program
from domcore.settings import Settings
from domcore.sourcing.casework import case_planner

UNREADABLE: Final = "cannot be read"


class Checked(NamedTuple):
    """What was done with one pack, or with all that are active `together`, and what is wrong."""

    name: str
    done: str
    failures: tuple[str, ...]
    together: bool = False


Found = Iterator[Checked]


@contextmanager
def open_rulebook(settings: Settings) -> Iterator[Rulebook]:
    """The packs that `settings` lead to, with the facts and engines of the plugins."""
    with Domcore(evolve(settings, store="memory:")) as dom:
        yield Rulebook(dom)


class Rulebook:
    """Lists, checks and tests packs."""

    def __init__(self, dom: Domcore) -> None:
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
        """Compile each pack by itself; without names, also all that is active, together."""
        for info in self.packs(names):
            done = times(len(info.pack.rules), "rule") if info.pack else UNREADABLE
            yield Checked(info.name, done, _attempt(self._compile_alone, info)[1])
        if not names and self._settings.activate:
            for owner, channel in self._audiences():
                place = f"active for {owner}, {channel or 'any channel'}"
                yield Checked(place, "together", self._active(owner, channel), together=True)

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

    def _compile_alone(self, pack: Pack, _path: Path) -> tuple[int, tuple[str, ...]]:
        active = [*self._spoken_of(pack), (pack, Activation(pack.name))]
        return 1, self._compile(active, pack.currency, self._set_elsewhere(pack))

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

    def _audiences(self) -> list[tuple[str, str]]:
        channels = [(each.owner, each.name) for each in self._settings.channels]
        return channels or [(owner, "") for owner in self._settings.owners]

    def _active(self, owner: str, channel: str) -> tuple[str, ...]:
        try:
            active = self._programs.active_packs(owner, channel)
            currency = self._settings.owners.get(owner, "")
            return self._compile(active, currency, self._programs.set_by_rules())
        except DomcoreError as error:
            return (str(error),)

    def _compile(
        self, active: Sequence[Active], currency: str, elsewhere: Mapping[str, FactSpec]
    ) -> tuple[str, ...]:
        programs = self._programs
        compile_program(
            active,
            engine=programs.engine,
            facts=programs.facts,
            currency=currency,
            elsewhere=elsewhere,
        ).close()
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
