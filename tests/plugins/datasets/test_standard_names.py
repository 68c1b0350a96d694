"""The standard sets by their names: what is declared of them, and what they say where nothing is there."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

import leaven
from leaven.errors import DatasetError
from leaven.protocols import Dataset
from leaven.registry.recipes import recipe_of

NAMES = ["mnist", "fashion_mnist", "svhn", "cifar10", "cifar100", "stl10", "usps"]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LEAVEN_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_a_set_is_opened_by_its_name_and_says_how_to_get_it(name, tmp_path):
    dataset = leaven.open(name)
    assert isinstance(dataset, Dataset)
    with pytest.raises(DatasetError, match=rf"^{name}: not in {tmp_path}/data/{name}: .*leaven data get {name}, or"):
        len(dataset)
    assert type(recipe_of(dataset).build()) is type(dataset)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_each_file_has_addresses_and_a_digest(name):
    dataset = leaven.create("dataset:svhn", extra=True) if name == "svhn" else leaven.create(f"dataset:{name}")
    sources = [source for store in dataset.stores() for source in store.declaration.sources]
    assert len(sources) == {"mnist": 4, "fashion_mnist": 4, "svhn": 3}.get(name, 1)
    for source in sources:
        assert len(source.sha256) == 64
        schemes = [urlsplit(url).scheme for url in source.urls]
        assert schemes == sorted(schemes, reverse=True)  # https first
        assert all(url.endswith(f"/{source.filename}") for url in source.urls)


def test_parameters_have_names():
    assert leaven.open("cifar100", n_val=5000).n_val == 5000
    assert leaven.open("stl10('unlabelled')").split == "unlabelled"
    assert leaven.open("svhn(extra=True)").extra
    assert leaven.open("usps").n_val == 729
