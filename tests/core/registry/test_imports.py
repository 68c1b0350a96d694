"""Names such as package.module:name, and what they lead to."""

from __future__ import annotations

import operator

import pytest

from leaven.errors import ParameterError
from leaven.registry.imports import import_named


def test_a_name_leads_to_what_it_names():
    assert import_named("operator:neg", "map") is operator.neg
    assert import_named("json:JSONDecoder.decode", "map").__name__ == "decode"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("operator", "map: 'operator': expected a name such as 'package.module:name'"),
        (":neg", "map: ':neg': expected a name such as"),
        ("operator:", "map: 'operator:': expected a name such as"),
        ("operator:nge", "map: 'operator:nge' cannot be imported: operator has no 'nge', did you mean 'ne'?"),
        ("no_such_module:f", "cannot be imported: No module named 'no_such_module'"),
        (".json:loads", "map: '.json:loads' cannot be imported"),
    ],
)
def test_a_name_that_leads_nowhere_is_told_with_who_asked(name, text):
    with pytest.raises(ParameterError) as caught:
        import_named(name, "map")
    assert text in str(caught.value)
