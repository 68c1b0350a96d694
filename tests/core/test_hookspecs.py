"""Hooks are documents: each has a complete example, and the examples work."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap

import pluggy
import pytest

from leaven import Component, hookimpl, hookspecs
from leaven.kinds import KINDS


def examples(doc):
    """The indented blocks after ``::``, as code."""
    blocks = re.findall(r"::\n\n((?:    .*\n|\n)+)", inspect.cleandoc(doc) + "\n")
    return "\n\n".join(textwrap.dedent(block) for block in blocks)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_example_declares_a_component(kind):
    tree = ast.parse(examples(getattr(hookspecs, kind.hook).__doc__))
    (hook,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == kind.hook)
    names = {"Component": Component, "hookimpl": hookimpl}
    exec(compile(ast.Module([hook], []), kind.hook, "exec"), names)
    (component,) = names[kind.hook]()
    assert isinstance(component, Component)
    assert component.summary

    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(type("Door", (), {kind.hook: staticmethod(names[kind.hook])})())
    manager.check_pending()
    assert len(getattr(manager.hook, kind.hook).get_hookimpls()) == 1


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.name != "transport"], ids=lambda k: k.name)
def test_example_shows_what_it_declares(kind):
    """The class or function of the declared target is in the example, with the methods of the protocol."""
    from leaven import protocols

    tree = ast.parse(examples(getattr(hookspecs, kind.hook).__doc__))
    target = re.search(r'Component\("[\w.]+", "[\w.]+:(\w+)"', ast.unparse(tree).replace("'", '"'))
    defined = {node.name: node for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    assert target[1] in defined
    if kind.name in ("command", "worker", "model"):  # made with click, from a base of ours, from torch's module
        return
    wanted = {name for name, value in vars(getattr(protocols, kind.protocol)).items() if inspect.isfunction(value)}
    methods = {node.name for node in defined[target[1]].body if isinstance(node, ast.FunctionDef)}
    assert {name for name in wanted if not name.startswith("_") or name in ("__call__", "__len__")} <= methods


def test_hooks_take_no_arguments():
    for kind in KINDS.values():
        assert not inspect.signature(getattr(hookspecs, kind.hook)).parameters


def test_the_head_shows_an_entry_point():
    assert "[project.entry-points.leaven]" in hookspecs.__doc__
