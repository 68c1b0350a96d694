"""The public names of leaven."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

import leaven


def test_every_public_name_is_there():
    for name in leaven.__all__:
        assert getattr(leaven, name) is not None, name
    assert set(leaven.__all__) <= set(dir(leaven))


def test_names_are_the_objects_of_their_modules():
    from leaven import errors, hookspecs
    from leaven.registry.components import Component
    from leaven.stream.worker import BufferWorker

    assert leaven.Component is Component
    assert leaven.hookimpl is hookspecs.hookimpl
    assert leaven.BufferWorker is BufferWorker
    assert leaven.ConfigError is errors.ConfigError


def test_all_errors_are_public():
    from leaven import errors

    classes = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert classes - {"Iterable", "Mapping", "Sequence"} <= set(leaven.__all__)


def test_unknown_name():
    with pytest.raises(AttributeError, match="module 'leaven' has no attribute 'Wroker'"):
        leaven.Wroker
    with pytest.raises(ImportError, match="cannot import name 'Wroker'"):
        exec("from leaven import Wroker")


def test_type_checkers_see_the_same_names_in_the_same_modules():
    tree = ast.parse(Path(leaven.__file__).read_text())
    (checking,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {}
    for node in checking.body:
        if isinstance(node, ast.ImportFrom):
            seen |= {alias.name: node.module for alias in node.names if not alias.asname}
        elif isinstance(node, ast.AnnAssign):
            seen[node.target.id] = "leaven"
    assert sorted(seen) == sorted(leaven.__all__)
    for name, module in seen.items():
        assert getattr(importlib.import_module(module), name) is getattr(leaven, name), name


def test_version_is_a_string():
    assert leaven.__version__[0].isdigit()
