"""What would never run, or could never answer, is refused when a plugin is registered."""

from __future__ import annotations

import functools

import pytest

from domcore import ConfigurationError, hookimpl
from domcore.model import Directive, Hold
from domcore.plugins import Plugins
from domcore.testing.builder import World

NOWHERE = Directive("x/nowhere", "exclude", nodes=("NYC",))


def shop() -> World:
    return World().node("NYC", at=(40.71, -74.0)).item("MUG").stock("MUG", NYC=5)


def refused(**members) -> str:
    """Why a plugin with these members is not taken."""
    with pytest.raises(ConfigurationError) as caught:
        Plugins().register(type("Acme", (), members)(), "acme")
    return str(caught.value)


def outcome_with(plugin: object) -> str:
    """What becomes of an order that the plugin judges."""
    world = shop()
    with world.open(plugins={"acme": plugin}) as dom:
        dom.capture(world.order("1", MUG=1))
        report = dom.route()
        return next(name for name in ("routed", "short", "held") if getattr(report, name))


def wrapper(self, event, dom):
    return (yield)


def old_wrapper(self, event, dom):
    yield


async def awaited(self, order):
    return []


async def awaited_generator(self, order):
    yield []


def by_position(self, order, /):
    return []


def everything(self, *args):
    return []


def by_any_name(self, **more):
    return []


def misspelt(self, order, contex=None):
    return []


def without_self(order):
    return []


def without_anything():
    return []


def lazily(self, event):
    yield event


@functools.wraps(misspelt)
def hidden(self, *args):
    return []


@pytest.mark.parametrize(
    ("hook", "member", "said"),
    [
        ("handle_event", hookimpl(wrapper=True)(wrapper), "hook 'handle_event' is a wrapper"),
        ("handle_event", hookimpl(hookwrapper=True)(old_wrapper), "is a wrapper"),
        ("judge", hookimpl(awaited), "hook 'judge' is async: .*'def'"),
        ("judge", hookimpl(awaited_generator), "hook 'judge' is async"),
        ("judge", hookimpl(by_position), "'order' by position only"),
        ("judge", hookimpl(everything), r"takes '\*args': name the arguments .*order, candidates"),
        ("judge", hookimpl(by_any_name), r"takes '\*\*more'"),
        ("judge", hookimpl(misspelt), "takes 'contex', which is no argument of this hook"),
        ("judge", hookimpl(without_self), "is a method without self"),
        ("judge", hookimpl(without_anything), "is a method without self"),
        ("handle_event", hookimpl(lazily), "has a 'yield', so a call would not run it"),
        ("make_plan", hookimpl(lambda self, order: (yield)), "has a 'yield'"),
        ("judge", hookimpl(functools.partial(awaited)), "is a partial; write a 'def' around it"),
        ("judge", property(hookimpl(misspelt)), "is a property|TypeError"),
        ("judge", lambda self, order: [], "'judge' is not marked with @hookimpl"),
        ("other", hookimpl(lambda self: []), "unknown hook 'other'"),
    ],
)
def test_what_can_never_serve_is_refused_by_name_and_with_the_reason(hook, member, said):
    with pytest.raises(ConfigurationError, match=said):
        Plugins().register(type("Acme", (), {hook: member})(), "acme")


def test_a_plugin_without_any_hook_is_refused():
    assert "it has no hook: mark its functions or methods with @hookimpl" in refused()


def test_what_only_has_the_name_of_a_hook_is_left_alone():
    class Acme:
        prepare = True

        def improve(self, text):
            return text.strip()

        def make_plan(self, how_many_pages):
            return how_many_pages

        @hookimpl
        def judge(self):
            return [NOWHERE]

    assert outcome_with(Acme()) == "short"


def test_a_refused_plugin_leaves_nothing_behind():
    class Half:
        @hookimpl
        def judge(self):
            return [NOWHERE]

        @hookimpl
        async def review_plan(self, plan):
            return []

    plugins = Plugins()
    with pytest.raises(ConfigurationError, match="review_plan"):
        plugins.register(Half(), "half")
    assert plugins.implementations("judge") == ()
    assert "async" in plugins.status()[0].error


def with_default(order=None, candidates=()):
    return [NOWHERE] if order is not None and candidates else []


def by_keyword(*, order, context):
    return [NOWHERE] if order is not None and context is not None else []


def with_its_own_default(order, _known=frozenset({"1"})):
    return [NOWHERE] if order.external_id in _known else []


@functools.wraps(with_default)
def wrapped(*args, **more):
    return with_default(*args, **more)


@pytest.mark.parametrize("judge", [with_default, by_keyword, with_its_own_default, wrapped])
def test_an_implementation_gets_every_argument_that_it_names(judge):
    assert outcome_with(type("Acme", (), {"judge": staticmethod(hookimpl(judge))})()) == "short"


def test_static_and_class_methods_lambdas_and_generators_serve():
    class Static:
        @staticmethod
        @hookimpl
        def judge(order):
            return [NOWHERE]

    class OfTheClass:
        @classmethod
        @hookimpl
        def judge(cls, order):
            yield NOWHERE

    class Short:
        judge = hookimpl(lambda self, order: [NOWHERE])

    for plugin in (Static(), OfTheClass(), Short(), Short):
        assert outcome_with(plugin) == "short"


def test_a_class_that_cannot_be_made_is_refused():
    class Picky:
        def __init__(self, rules):
            self.rules = rules

        @hookimpl
        def judge(self):
            return []

    with pytest.raises(ConfigurationError, match="plugin picky: TypeError"):
        Plugins().register(Picky, "picky")


def test_an_answer_that_would_have_to_be_awaited_holds_the_order_and_says_why():
    class Indirect:
        @hookimpl
        def review_plan(self, plan):
            return self._asked(plan)

        async def _asked(self, plan):
            return [Hold("acme/never", "never")]

    world = shop()
    with world.open(plugins={"acme": Indirect()}) as dom:
        dom.capture(world.order("1", MUG=1))
        dom.route()
        (held,) = dom.exceptions(["held"])
        assert "nobody awaits" in held.reason
