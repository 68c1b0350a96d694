"""Views in a loader: its workers make them anew, each for itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import leaven
from leaven.data.getters import content, labels
from leaven.data.mode import ModeView
from leaven.stream.loader import TurboDataLoader
from leaven_plugins.datasets.msgpack.dataset import MsgpackDataset

WORKER = {"use": "classification", "image": ((1, 12, 12), "uint8")}


@pytest.fixture
def path(tmp_path):
    digits = leaven.open("digits")
    target = tmp_path / "digits.msgpack"
    MsgpackDataset.write(target, (digits.sample(n) for n in range(60)))
    return target


def loaded(dataset, **options):
    with TurboDataLoader(dataset, 10, WORKER, shuffle=False, **options) as loader:
        return [int(label) for _, (sample,) in loader for label in np.asarray(sample["label"]).ravel()]


def test_workers_of_their_own_open_a_file_with_views(path):
    views = ["percent(0, 50)", "classes(drop=[3])", {"use": "shuffle", "seed": 5}, "random_superclasses(2)"]
    dataset = leaven.open(path, views=[*views, {"use": "repeat", "times": 2}])
    expected = labels(dataset).tolist()
    assert len(expected) == 2 * sum(label != 3 for label in labels(leaven.open(path)).tolist()[:30])
    found = loaded(dataset, nworkers=2, transport="zeromq")
    assert found[: len(expected)] == expected


def test_files_in_a_row(path, tmp_path):
    other = tmp_path / "more.msgpack"
    MsgpackDataset.write(other, (leaven.open("digits").sample(n) for n in range(60, 90)))
    dataset = leaven.open([path, other], views="percent(50, 100)")
    assert len(dataset) == 45
    assert loaded(dataset, nworkers=0)[:45] == labels(dataset).tolist()
    assert dataset.key(0) == "digit-0045"
    assert leaven.open(str(tmp_path / "*.msgpack")).key(0) == "digit-0000"
    dataset.close()


def test_a_mode_is_a_dataset_of_some_parts(path):
    view = ModeView(leaven.open(path, views=["percent(0, 20)"]), "image label")
    assert view.sample(0).keys() == {"key", "image", "label"}
    assert loaded(view, nworkers=0)[:12] == labels(view.dataset).tolist()
    view.close()


def test_threads_read_from_views_at_once(path):
    with ThreadPoolExecutor(8) as pool:
        for _ in range(10):
            dataset = leaven.open([path, path], views=["percent(10, 90)", "shuffle()", "oversample()"])
            count = len(leaven.open([path, path], views=["percent(10, 90)", "shuffle()", "oversample()"]))
            found = list(
                pool.map(lambda n, dataset=dataset: (dataset.key(n), content(dataset, n)["label"]), range(count))
            )
            assert len({key for key, _ in found}) == count
            assert [label for _, label in found] == labels(dataset).tolist()
            dataset.close()


def test_deep_stacks_of_views_in_workers_of_their_own(path):
    """Everything that a view may keep, over and under others, is made anew from plain parameters."""
    halves = [{"use": "msgpack", "path": str(path), "views": [f"percent({n}, {n + 50})"]} for n in (0, 50)]
    both = {"use": "concat", "datasets": halves, "balanced": True}
    mixed = {"use": "choice", "datasets": [both, {"use": "few_shot", "dataset": halves[0], "shots": 2}], "block": 4}
    views = [
        "swap_labels(0.5, seed=1)",
        {"use": "map", "function": ["operator:neg", "operator:neg"], "field": "label"},
        "classes(1, 2, 3, 5, 8, relabel=True)",
        "shuffle_within_classes(seed=2)",
        "oversample()",
        "class_groups(2, shuffle=True)",
        "repeat(min_size=90)",
    ]
    dataset = leaven.open(mixed, views=views)
    expected = [content(dataset, n)["label"] for n in range(len(dataset))]
    assert labels(dataset).tolist() == expected
    assert len({dataset.key(n) for n in range(len(dataset))}) == len(dataset) >= 90
    assert loaded(dataset, nworkers=2, transport="zeromq")[: len(expected)] == expected
    dataset.close()
