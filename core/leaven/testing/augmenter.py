"""AugmenterContract: what a training loop relies on in an augmenter."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from leaven.errors import LeavenError
from leaven.protocols import Augmenter
from leaven.registry.registry import Registry
from leaven.testing.component import ComponentContract


class AugmenterContract(ComponentContract):
    """The contract of augmenters whose images numpy can read.

    Attributes:
        values: what two or more rows of a batch are to go through: dicts as in ``sample["augmentation"]``, without
            ``gpu_augmentation`` and ``cell``. Each changes an image.
        shape: of one image.
        dtype: of images.
    """

    values: ClassVar[Sequence[Mapping[str, Any]]]
    shape: ClassVar[tuple[int, int, int]] = (3, 12, 16)
    dtype: ClassVar[str] = "uint8"

    @pytest.fixture
    def augmenter(self, component: Augmenter) -> Augmenter:
        """A new augmenter."""
        return component

    @pytest.fixture
    def handed(self) -> Callable[[Any], Any]:
        """What turns an array into images as the augmenter takes them; override it."""
        return lambda array: array

    @pytest.fixture
    def sample(self, handed: Callable[[Any], Any]) -> dict[str, Any]:
        """A batch."""
        count = len(self.values)
        pixels = np.random.default_rng(3).integers(0, 256, (count, *self.shape)).astype(self.dtype)
        drawn = [{"gpu_augmentation": True, "cell": [2, row], **self.values[row]} for row in range(count)]
        return {"image": handed(pixels), "label": np.arange(count)[:, None], "augmentation": drawn}

    def test_it_names_ops_of_workers(self, augmenter: Any, registry: Registry) -> None:
        """What it does has the names that workers know it by."""
        assert isinstance(augmenter, Augmenter)
        assert augmenter.ops
        for name in augmenter.ops:
            assert registry.find(f"op:{name}").load().name == name

    def test_each_row_is_changed(self, augmenter: Augmenter, sample: dict[str, Any]) -> None:
        """Images keep their shape; other keys pass as they are."""
        changed = augmenter(dict(sample))
        assert list(changed) == list(sample)
        assert changed["label"] is sample["label"]
        before, after = np.asarray(sample["image"]), np.asarray(changed["image"])
        assert after.shape == before.shape
        assert all((one != other).any() for one, other in zip(before, after, strict=True))

    def test_the_sample_is_not_touched(self, augmenter: Augmenter, sample: dict[str, Any]) -> None:
        """Others may hold the same dict, and the same memory."""
        handed, pixels = dict(sample), np.asarray(sample["image"]).copy()
        drawn = copy.deepcopy(sample["augmentation"])
        augmenter(handed)
        assert all(handed[key] is value for key, value in sample.items())
        np.testing.assert_array_equal(np.asarray(sample["image"]), pixels)
        assert sample["augmentation"] == drawn

    def test_it_repeats_itself(self, registry: Registry, arguments: Mapping[str, Any], sample: dict[str, Any]) -> None:
        """Of the same sample in the same epoch another one makes the same, and so does this one later."""
        one, other = (registry.create(self.spec, **arguments) for _ in range(2))
        first = np.asarray(one(dict(sample))["image"]).copy()
        np.testing.assert_array_equal(np.asarray(other(dict(sample))["image"]), first)
        np.testing.assert_array_equal(np.asarray(one(dict(sample))["image"]), first)

    def test_a_row_does_not_depend_on_the_others(self, augmenter: Augmenter, sample: dict[str, Any]) -> None:
        """It becomes the same alone as in a batch."""
        together = np.asarray(augmenter(dict(sample))["image"]).copy()
        for row in range(len(self.values)):
            part = {key: value[row : row + 1] for key, value in sample.items()}
            np.testing.assert_array_equal(np.asarray(augmenter(part)["image"])[0], together[row])

    def test_what_is_not_left_to_it_is_not_done(self, augmenter: Augmenter, sample: dict[str, Any]) -> None:
        """Rows of which nothing was left out, and those that hold no sample, stay exactly as they are."""
        first, *others = sample["augmentation"]
        drawn = [None, *({**row, "gpu_augmentation": []} for row in others)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            for told in (drawn, [first, *drawn[1:]]):
                after = np.asarray(augmenter({**sample, "augmentation": told})["image"])
                np.testing.assert_array_equal(after[1:], np.asarray(sample["image"])[1:])
        assert (after[0] != np.asarray(sample["image"])[0]).any()

    def test_no_rows_are_no_trouble(self, augmenter: Augmenter, sample: dict[str, Any]) -> None:
        """A batch may be empty."""
        none = {key: value[:0] for key, value in sample.items()}
        assert np.asarray(augmenter(none)["image"]).shape == (0, *self.shape)

    def test_bad_batches_are_refused(self, augmenter: Augmenter, sample: dict[str, Any]) -> None:
        """Images of another number of axes, values of other rows, an op that it does not know."""
        drawn = sample["augmentation"]
        stranger = [{**drawn[0], "gpu_augmentation": ["no_such_op"]}, *drawn[1:]]
        for wrong in ({"image": sample["image"][0]}, {"augmentation": drawn[:-1]}, {"augmentation": stranger}):
            with pytest.raises(LeavenError):
                augmenter({**sample, **wrong})
