"""Declarations are checked when they are made."""

from __future__ import annotations

import pytest

from leaven import Component
from leaven.errors import DeclarationError


@pytest.mark.parametrize("name", ["rain", "rain_2", "weather.rain", "a.b.c"])
def test_good_names(name):
    assert Component(name, "acme:Rain").name == name


@pytest.mark.parametrize("name", ["", "Rain", "2rain", "_rain", "rain-drops", "rain.", ".rain", "a..b", "räin", 3])
def test_bad_names(name):
    with pytest.raises(DeclarationError, match="use lower-case letters, digits and _"):
        Component(name, "acme:Rain")


@pytest.mark.parametrize("target", ["acme", "acme:", ":Rain", "acme Rain", "acme:Rain()", "acme/x:Rain", ""])
def test_bad_import_strings(target):
    with pytest.raises(DeclarationError, match=r"is not of the form 'package.module:Name'"):
        Component("rain", target)


def test_target_may_be_an_object_that_can_be_called():
    assert Component("rain", dict).target is dict
    with pytest.raises(DeclarationError, match=r"neither an import string nor callable"):
        Component("rain", 3)


def test_what_is_optional():
    component = Component("rain", "acme.rooms:Weather.Rain")
    assert (component.summary, component.replaces, component.extra) == ("", None, None)


def test_what_it_prefers_stands_in_the_place_of_a_target():
    assert Component("auto", prefers=("fast", "plain")).target is None
    with pytest.raises(DeclarationError, match="either a target or others"):
        Component("auto", dict, prefers=("plain",))


@pytest.mark.parametrize("prefers", ["plain", ("Plain",), (3,), ["plain"]])
def test_what_is_preferred_has_to_be_names(prefers):
    with pytest.raises(DeclarationError, match="is not a tuple of names"):
        Component("auto", prefers=prefers)
