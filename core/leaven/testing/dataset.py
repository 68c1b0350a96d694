"""DatasetContract: what a loader relies on in a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from leaven.errors import DatasetError
from leaven.protocols import Dataset
from leaven.registry.recipes import recipe_of
from leaven.registry.registry import Registry
from leaven.stream import wire
from leaven.testing import tools
from leaven.testing.component import ComponentContract


class DatasetContract(ComponentContract):
    """The contract of datasets that write what they read, and take its ``path``.

    Attributes:
        samples: what is written. ``None`` for a dataset that does not write: it is read as it is.
    """

    samples: ClassVar[Sequence[Mapping[str, Any]] | None] = tools.samples(5)

    @pytest.fixture
    def arguments(self, registry: Registry, tmp_path: Path) -> Mapping[str, Any]:
        """The parameters, with the path of what was written."""
        if self.samples is None:
            return self.params
        target = registry.find(self.spec).load()
        path = tmp_path / f"written{next(iter(target.suffixes), '')}"
        assert target.write(path, iter(self.samples)) == len(self.samples)
        return {"path": str(path), **self.params}

    @pytest.fixture
    def dataset(self, component: Dataset) -> Any:
        """A dataset, closed at the end."""
        yield component
        component.close()

    def test_it_has_what_a_dataset_has(self, dataset: Any) -> None:
        """Length, samples, keys."""
        assert isinstance(dataset, Dataset)

    def test_what_was_written_is_read(self, dataset: Dataset) -> None:
        """All of it, in order."""
        if self.samples is not None:
            assert len(dataset) == len(self.samples)
            for position, sample in enumerate(self.samples):
                read = _content(dataset, position)
                assert wire.pack_sample({key: read[key] for key in sample}) == wire.pack_sample(sample)

    def test_samples_are_packed_or_mappings(self, dataset: Dataset) -> None:
        """Each can be read, again and again, in any order."""
        positions = range(min(len(dataset), 10))
        forth = [_packed(dataset, position) for position in positions]
        back = [_packed(dataset, position) for position in reversed(positions)]
        assert forth == back[::-1]

    def test_keys_are_unique(self, dataset: Dataset) -> None:
        """Each sample has a name of its own, and the sample's is the same."""
        keys = [dataset.key(position) for position in range(len(dataset))]
        assert all(isinstance(key, str) for key in keys)
        assert len(set(keys)) == len(keys)
        assert keys[0] == _content(dataset, 0).get("key", keys[0])

    def test_positions_end(self, dataset: Dataset) -> None:
        """There is nothing before the first sample, nor after the last."""
        for position in (len(dataset), len(dataset) + 10, -len(dataset) - 1):
            for read in (dataset.sample, dataset.key):
                with pytest.raises((IndexError, DatasetError)):
                    read(position)

    def test_it_opens_again(self, dataset: Dataset) -> None:
        """To close it gives back files; the next access opens them; to close it twice is no error."""
        first = _packed(dataset, 0)
        dataset.close()
        dataset.close()
        assert _packed(dataset, 0) == first

    def test_it_opens_late(self, component: Dataset) -> None:
        """A recipe of it can be built, and closed, without a single access."""
        again = recipe_of(component).build()
        again.close()
        assert len(again) == len(component)
        again.close()
        component.close()

    def test_what_is_missing_is_an_error(
        self, registry: Registry, arguments: Mapping[str, Any], tmp_path: Path
    ) -> None:
        """The error names the path."""
        if "path" in arguments:
            missing = str(tmp_path / "missing" / Path(arguments["path"]).name)
            with pytest.raises(DatasetError, match="missing"):
                len(registry.create(self.spec, **{**arguments, "path": missing}))


def _content(dataset: Dataset, position: int) -> dict[str, Any]:
    sample = dataset.sample(position)
    return dict(sample if isinstance(sample, Mapping) else wire.unpack_sample(sample))


def _packed(dataset: Dataset, position: int) -> bytes:
    """Return a sample as a message: samples that hold arrays cannot be compared."""
    return wire.pack_sample(_content(dataset, position))
