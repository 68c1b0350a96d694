"""The contract of augmenters fails for one that breaks it, in the check that is about it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from leaven.errors import ParameterError
from leaven.testing import AugmenterContract


class Suite(AugmenterContract):
    spec = "augmenter:invert"
    values = ({"invert": 255}, {"invert": 15}, {"invert": 3})


class Invert:
    """Turns the bits of images, for those rows that were left to it."""

    ops = ("invert",)

    def __call__(self, sample):
        images, drawn = sample["image"], sample["augmentation"]
        if images.ndim != 4 or len(drawn) != len(images):
            raise ParameterError("not a batch")
        return {**sample, "image": images ^ np.array([self.bits(row) for row in drawn], np.uint8).reshape(-1, 1, 1, 1)}

    def bits(self, row):
        left = (row or {}).get("gpu_augmentation", ())
        if left is True:
            return row["invert"]
        if set(left) - {"invert"}:
            raise ParameterError("no such op")
        return row["invert"] if left else 0


class Nameless(Invert):
    ops = ()


class Idle(Invert):
    def bits(self, row):
        return super().bits(row) * (row is None or row["invert"] != 3)


class Losing(Invert):
    def __call__(self, sample):
        return {"image": super().__call__(sample)["image"], "augmentation": sample["augmentation"]}


class InPlace(Invert):
    def __call__(self, sample):
        changed = super().__call__(sample)
        sample["image"][...] = changed["image"]
        return changed


class Noting(Invert):
    def __call__(self, sample):
        changed = super().__call__(sample)
        for row in sample["augmentation"]:
            row["done"] = True
        return changed


class Counting(Invert):
    calls = 0

    def __call__(self, sample):
        self.calls += 1
        changed = super().__call__(sample)
        return {**changed, "image": changed["image"] ^ np.uint8(64 * (self.calls % 2))}


class Mixing(Invert):
    def __call__(self, sample):
        changed = super().__call__(sample)
        return {**changed, "image": changed["image"] ^ np.uint8(len(changed["image"]) * 32)}


class Eager(Invert):
    def bits(self, row):
        return super().bits(row) or 1


class NeedsRows(Invert):
    def __call__(self, sample):
        assert len(sample["image"])
        return super().__call__(sample)


class Trusting(Invert):
    def bits(self, row):
        return 0 if row is None else row["invert"]


FAULTS = [
    (Nameless, "it_names_ops_of_workers"),
    (Idle, "each_row_is_changed"),
    (Losing, "each_row_is_changed"),
    (InPlace, "the_sample_is_not_touched"),
    (Noting, "the_sample_is_not_touched"),
    (Counting, "it_repeats_itself"),
    (Mixing, "a_row_does_not_depend_on_the_others"),
    (Eager, "what_is_not_left_to_it_is_not_done"),
    (NeedsRows, "no_rows_are_no_trouble"),
    (Trusting, "bad_batches_are_refused"),
]


class Registry:
    """Knows one augmenter and one op."""

    def __init__(self, kind):
        self.kind = kind

    def create(self, spec, **parameters):
        return self.kind()

    def find(self, spec):
        assert spec == "op:invert"
        return SimpleNamespace(load=lambda: SimpleNamespace(name="invert"))


def verify(check, kind):
    suite, registry = Suite(), Registry(kind)
    sample = Suite.sample.__wrapped__(suite, lambda array: array)
    test = getattr(suite, f"test_{check}")
    if check == "it_names_ops_of_workers":
        test(kind(), registry)
    elif check == "it_repeats_itself":
        test(registry, {}, sample)
    else:
        test(kind(), sample)


@pytest.mark.parametrize(("kind", "check"), FAULTS)
def test_a_fault_is_found(kind, check):
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        verify(check, kind)


@pytest.mark.parametrize("check", sorted({check for _, check in FAULTS}))
def test_a_good_one_passes(check):
    verify(check, Invert)


def test_each_check_has_a_fault_that_it_finds():
    own = {name.removeprefix("test_") for name in vars(AugmenterContract) if name.startswith("test_")}
    assert own == {check for _, check in FAULTS}
