"""The same images through every pair of formats: written, read, written in the other one, and read again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import pytest

from leaven.data.getters import content, labels
from leaven.registry.opening import find_writer, open_dataset
from leaven.registry.registry import default_registry
from leaven.testing.tools import picture

SUFFIXES = {
    "msgpack": ".msgpack",
    "folder": "",
    "zip": ".zip",
    "tar": ".tar",
    "csv": ".csv",
    "hdf5": ".hdf5",
    "npz": ".npz",
    "parquet": ".parquet",
}
BY_CLASS = ("folder", "zip")
"""Formats whose order is that of the classes and names, and whose keys are paths."""

PARENTS = ["", "", "photos/", "ü/日本 /", "a.b/"]
CLASSES = [0, 3, 7, 3, 12]


@cache
def images(count: int) -> list[Mapping[str, Any]]:
    """Return samples: files of JPEG and PNG, grey and in colours, of classes with gaps, with keys of many kinds."""
    made = []
    for n in range(count):
        pixels = picture(8 + n % 3, 9, channels=1 if n % 4 == 3 else 3, seed=n)
        file = cv2.imencode((".png", ".jpg")[n % 2], pixels)[1].tobytes()
        made.append({"key": f"{PARENTS[n % 5]}Straße {n}", "image": file, "label": CLASSES[n % 5]})
    return made


def written(path: Path, samples: Any, kind: str) -> Path:
    assert find_writer(path, kind, default_registry()).write(path, samples) == len(list(samples))
    return path


def read(path: Path) -> Iterator[dict[str, Any]]:
    with closing(open_dataset(path)) as dataset:
        assert labels(dataset).tolist() == [content(dataset, n)["label"] for n in range(len(dataset))]
        for n in range(len(dataset)):
            sample = content(dataset, n)
            assert sample["key"] == dataset.key(n)
            yield sample


def pairs(samples: Any) -> list[tuple[int, bytes]]:
    return [(sample["label"], sample["image"]) for sample in samples]


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """The samples of each format, as they are read, once for all pairs."""
    folder = tmp_path_factory.mktemp("sources")
    return cache(lambda kind, count: list(read(written(folder / f"{count}{SUFFIXES[kind]}", images(count), kind))))


def check(source: list[dict[str, Any]], kind: str, folder: Path, count: int) -> None:
    found = list(read(written(folder / f"copy{SUFFIXES[kind]}", source, kind)))
    assert sorted(pairs(found)) == sorted(pairs(images(count)))
    if kind not in BY_CLASS:
        assert pairs(found) == pairs(source)
        assert [sample["key"] for sample in found] == [sample["key"] for sample in source]


@pytest.mark.parametrize("target", SUFFIXES)
@pytest.mark.parametrize("source", SUFFIXES)
def test_images_and_labels_stay_what_they_are(sources, tmp_path, source, target):
    samples = sources(source, 40)
    assert sorted(pairs(samples)) == sorted(pairs(images(40)))
    check(samples, target, tmp_path, 40)


@pytest.mark.slow
@pytest.mark.parametrize("target", SUFFIXES)
@pytest.mark.parametrize("source", SUFFIXES)
def test_so_do_more_of_them(sources, tmp_path, source, target):
    check(sources(source, 200), target, tmp_path, 200)


@pytest.mark.parametrize("kind", BY_CLASS)
def test_a_copy_of_a_copy_has_the_same_names(sources, tmp_path, kind):
    first = sources(kind, 40)
    again = list(read(written(tmp_path / f"copy{SUFFIXES[kind]}", first, kind)))
    for name in ("key", "label", "_label"):
        assert [sample[name] for sample in again] == [sample[name] for sample in first]
