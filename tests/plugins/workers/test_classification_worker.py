from __future__ import annotations

import numpy as np
import pytest

from leaven import create
from leaven.errors import ParameterError, SampleError
from leaven.testing.tools import picture, png, run_worker, samples
from leaven_plugins.decoders.opencv import OpenCVDecoder
from leaven_plugins.workers.classification import ClassificationWorker

ROW = ((3, 8, 8), "uint8")
IMAGE = png(picture(8, 8))


def labels_of(*labels, **parameters):
    worker = ClassificationWorker(ROW, ops=(), decoder=OpenCVDecoder(), **parameters)
    return run_worker(worker, [{"image": IMAGE, "label": label} for label in labels])["label"]


def test_labels_and_images_come_together():
    worker = create("worker:classification", image=((3, 24, 32), "uint8"))
    batch = run_worker(worker, samples(3))
    assert batch["label"].tolist() == [[0], [1], [2]]
    assert batch["label"].dtype == np.int64
    for position in range(3):
        np.testing.assert_array_equal(batch["image"][position].transpose(1, 2, 0), picture(seed=position))


@pytest.mark.parametrize(
    ("spec", "label", "expected"),
    [
        (((1,), "int64"), 7, [7]),
        (((), "uint8"), 255, 255),
        (((3,), "int32"), 4, [4, 4, 4]),
        (((3,), "float32"), [0, 0.5, 1], [0, 0.5, 1]),
        (((2, 2), "uint8"), [[1], [2]], [[1, 1], [2, 2]]),
        (((1,), "int64"), np.uint8(9), [9]),
        (((1,), "int64"), np.array([3], "float32"), [3]),
        (((1,), "bool"), True, [True]),
        (((1,), "int64"), -1, [-1]),
    ],
)
def test_labels_are_broadcast(spec, label, expected):
    assert labels_of(label, label=spec)[0].tolist() == expected


@pytest.mark.parametrize(
    ("spec", "label", "text"),
    [
        (((1,), "uint8"), 256, "label 256 does not fit the buffer's dtype uint8"),
        (((1,), "uint8"), -1, "label -1 does not fit"),
        (((1,), "int64"), 2.5, r"label 2\.5 does not fit the buffer's dtype int64"),
        (((1,), "int64"), float("nan"), "label nan does not fit"),
        (((1,), "int64"), float("inf"), "label inf does not fit"),
        (((1,), "int64"), 2**63, "label 9223372036854775808 does not fit"),
        (((1,), "int64"), 2**70, "no number, or one that is too large"),
        (((1,), "int64"), "cat", "label 'cat' of type str is no number"),
        (((1,), "int64"), None, "label 'None' of type NoneType is no number"),
        (((2,), "int64"), [[1], [2, 3]], "type list is no number"),
        (((1,), "int64"), [1, 2, 3], r"label of shape \(3,\) does not fit rows of shape \(1,\)"),
        (((3,), "int64"), [], r"label of shape \(0,\) does not fit"),
    ],
)
def test_labels_that_do_not_fit(spec, label, text):
    with pytest.raises(SampleError, match=text) as caught:
        labels_of(1, label, label=spec)
    assert (caught.value.stage, caught.value.index) == ("label", 1)


@pytest.mark.parametrize("label", [10, -1, [3, 10]])
def test_labels_that_are_no_classes(label):
    spec = ((np.size(label),), "int64")
    with pytest.raises(SampleError, match="is out of range: there are 10 classes, 0 to 9") as caught:
        labels_of(label, label=spec, classes=10)
    assert caught.value.stage == "label"
    assert labels_of(0, 9, classes=10).tolist() == [[0], [9]]


def test_a_missing_label_is_named():
    worker = ClassificationWorker(ROW, ops=(), decoder=OpenCVDecoder())
    with pytest.raises(SampleError, match=r"sample 0 \(k\): label failed: no key 'label', did you mean 'labels'"):
        run_worker(worker, [{"key": "k", "image": IMAGE, "labels": 3}])


def test_parameters_are_checked():
    with pytest.raises(ParameterError, match="classes is 0"):
        ClassificationWorker(ROW, ops=(), decoder=OpenCVDecoder(), classes=0)
    with pytest.raises(ParameterError, match="buffer 'label'"):
        ClassificationWorker(ROW, label=5, ops=(), decoder=OpenCVDecoder())


def test_parameters_of_images_are_passed_on():
    worker = ClassificationWorker(
        ROW,
        image_params={"hmirror": True},
        image_rng=create("rng:none"),
        ops=(),
        decoder=OpenCVDecoder(),
        source="photo",
        gpu_augmentation=True,
        exact=False,
    )
    batch = run_worker(worker, [{"photo": IMAGE, "label": 1}])
    np.testing.assert_array_equal(batch["image"][0].transpose(1, 2, 0), picture(8, 8)[:, ::-1])
    assert batch["augmentation"] == [{"gpu_augmentation": True, "cell": [0, 0], "hmirror": True}]
    assert set(worker.arguments) == {
        *("image", "image_params", "image_rng", "ops", "decoder", "source", "gpu_augmentation", "exact")
    }
