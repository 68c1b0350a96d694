"""Call strings in the place of names, and views over datasets in tables."""

from __future__ import annotations

import pytest

import leaven
from leaven import Registry
from leaven.errors import LookupFailed, ParameterError
from leaven.protocols import Dataset
from leaven.registry.opening import locate, open_dataset
from leaven.registry.recipes import recipe_of


class Numbers:
    def __init__(self, count: int = 5):
        self.count = count

    def __len__(self):
        return self.count

    def sample(self, index):
        return {"key": str(index), "value": index}

    def key(self, index):
        return str(index)

    def close(self):
        pass


class First:
    def __init__(self, dataset: Dataset, count: int):
        self.dataset = dataset
        self.count = count

    def __len__(self):
        return min(self.count, len(self.dataset))


class Odd(First):
    def __init__(self, dataset: Dataset):
        super().__init__(dataset, 3)


@pytest.fixture
def registry(tmp_path):
    (tmp_path / "acme_views.py").write_text(
        "from leaven import Component, hookimpl\n"
        "@hookimpl\n"
        "def leaven_datasets():\n"
        f"    yield Component('numbers', '{__name__}:Numbers')\n"
        f"    yield Component('first', '{__name__}:First')\n"
        f"    yield Component('odd', '{__name__}:Odd')\n"
    )
    return Registry(plugins=[str(tmp_path / "acme_views.py")], builtin_only=True)


def test_a_call_is_taken_where_a_name_is(registry):
    made = registry.create("first(2)", kind="dataset", dataset="numbers(9)")
    assert (made.count, made.dataset.count) == (2, 9)
    made = registry.create({"use": "first(count=2)", "dataset": {"use": "numbers", "count": 4}}, kind="dataset")
    assert (made.count, made.dataset.count) == (2, 4)
    assert registry.create("numbers(7)", kind="dataset", count=8).count == 8


def test_views_wrap_from_the_inside(registry):
    table = {"use": "numbers", "count": 9, "views": ["first(4)", {"use": "first", "count": 2}, "odd"]}
    made = registry.create(table, kind="dataset")
    assert isinstance(made, Odd)
    assert (made.dataset.count, made.dataset.dataset.count, made.dataset.dataset.dataset.count) == (2, 4, 9)
    assert len(made) == 2


def test_views_are_in_the_recipe(registry):
    made = registry.create({"use": "numbers", "count": 9, "views": ["first(4)"]}, kind="dataset")
    again = recipe_of(made).build()
    assert (again.count, again.dataset.count) == (4, 9)


def test_datasets_are_opened_with_views(registry):
    made = open_dataset("dataset:numbers(9)", registry, views=["first(4)"])
    assert (made.count, made.dataset.count) == (4, 9)
    made = open_dataset("{ use = 'numbers', count = 6, views = ['first(3)'] }", registry, views="odd")
    assert (type(made), made.dataset.count, made.dataset.dataset.count) == (Odd, 3, 6)
    assert locate("numbers(6)", registry).params == {"count": 6}


@pytest.mark.parametrize(
    ("table", "error", "text"),
    [
        ({"use": "numbers", "views": ["frist(2)"]}, LookupFailed, "frist"),
        ({"use": "numbers", "views": ["first(2, 3)"]}, ParameterError, "2 values"),
        ({"use": "numbers", "views": ["first"]}, ParameterError, "needs the parameter 'count'"),
        ({"use": "numbers", "views": 5}, ParameterError, "expected a list"),
        ({"use": "numbers(", "views": []}, ParameterError, "not of the form"),
    ],
)
def test_what_is_wrong_with_views_is_told(registry, table, error, text):
    with pytest.raises(error, match=text):
        registry.create(table, kind="dataset")


def test_a_text_that_is_no_table_of_a_dataset_is_refused(registry):
    for text in ("{ use = 5 }", "{ path = 'x' }", "{ use = "):
        with pytest.raises(ParameterError, match="not a table of a dataset"):
            open_dataset(text, registry)


def test_open_is_leavens():
    assert leaven.open is open_dataset
    assert "open" not in leaven.__all__
