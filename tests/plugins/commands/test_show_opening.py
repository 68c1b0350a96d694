from __future__ import annotations

import numpy as np
import pytest

from leaven.errors import DatasetError, ParameterError
from leaven.registry.registry import Registry
from leaven.testing.tools import picture, png
from leaven_plugins.commands.show.opening import names_in, opened, worker_for
from leaven_plugins.datasets.msgpack import MsgpackDataset
from leaven_plugins.decoders.opencv import OpenCVDecoder

IMAGE = png(picture(30, 40))
GREY = png(picture(300, 40, 1))


@pytest.fixture(scope="module")
def registry():
    return Registry(builtin_only=True)


@pytest.mark.parametrize(
    ("sample", "use", "shape", "target"),
    [
        ({"image": IMAGE}, "image", [3, 40, 40], None),
        ({"image": GREY}, "image", [1, 224, 224], None),
        ({"image": b"none"}, "image", [3, 224, 224], None),
        ({}, "image", [3, 224, 224], None),
        ({"image": IMAGE, "label": 3}, "classification", [3, 40, 40], None),
        ({"image": IMAGE, "label": 3, "experiments": []}, "saliency", [3, 40, 40], ([40, 40], "float32")),
        ({"image": IMAGE, "label_image": b""}, "segmentation", [3, 40, 40], ([40, 40], "uint8")),
        ({"image": IMAGE, "target_image": b"", "experiments": []}, "segmentation", [3, 40, 40], ([40, 40], "uint8")),
        ({"image": [IMAGE] * 3}, "sequence", [3, 3, 40, 40], None),
        ({"image": [IMAGE] * 30, "label": 1}, "sequence", [8, 3, 40, 40], None),
    ],
)
def test_which_worker_shows_a_sample(sample, use, shape, target):
    table = worker_for(sample, OpenCVDecoder(), None)
    assert table["use"] == use
    assert table["image"]["shape"] == shape
    found = table.get("target_image")
    assert target == (found and (found["shape"], found["dtype"]))


def test_the_size_can_be_chosen():
    table = worker_for({"image": IMAGE, "label_image": b""}, OpenCVDecoder(), (20, 24))
    assert table["image"]["shape"] == [3, 20, 24]
    assert table["target_image"]["shape"] == [20, 24]


def test_a_dataset_is_shown_as_it_is(registry, tmp_path):
    image = picture(30, 40)
    samples = [{"key": f"s{i}", "image": png(image), "label": i} for i in range(3)]
    MsgpackDataset.write(tmp_path / "some.msgpack", samples)
    found = opened(str(tmp_path / "some.msgpack"), registry)
    assert found.name == "some.msgpack"
    assert not found.configured
    assert found.experiment.seed == 0
    with found.experiment.train_loader(feed="numpy") as loader:
        ((_, (batch,)),) = loader
    assert batch["label"].ravel().tolist() == [0, 1, 2]
    np.testing.assert_array_equal(batch["image"][0].transpose(1, 2, 0)[5:35], image)  # all of it, nothing cut off
    assert (batch["image"][0][:, :5] == 255).all()


def test_a_relative_path_starts_at_the_working_folder(registry, tmp_path, monkeypatch):
    MsgpackDataset.write(tmp_path / "some.msgpack", [{"key": "a", "image": IMAGE}])
    monkeypatch.chdir(tmp_path)
    found = opened("some.msgpack", registry, ["seed=5", "worker.image_rng=mixture"])
    assert found.experiment.seed == 5
    assert len(found.experiment.config.build("data.train")) == 1
    assert type(found.experiment.config.build("worker").arguments["image_rng"]).__name__ == "MixtureRNG"


def test_components_can_be_shown(registry):
    found = [opened("dataset:digits", registry), opened("shapes", registry, size=(50, 60))]
    shapes = [each.experiment.config.build("worker").buffers["image"].shape for each in found]
    assert shapes == [(1, 8, 8), (3, 50, 60)]


def test_configurations_have_their_own_size(registry, tmp_path):
    with pytest.raises(ParameterError, match=r"a\.toml says how large images are; .*--set worker.image.shape"):
        opened(str(tmp_path / "a.toml"), registry, size=(3, 4))


def test_nothing_to_show(registry, tmp_path):
    with pytest.raises(DatasetError, match="no such file"):
        opened(str(tmp_path / "a.msgpack"), registry)
    MsgpackDataset.write(tmp_path / "empty.msgpack", [])
    with pytest.raises(ParameterError, match="the dataset is empty"):
        opened(str(tmp_path / "empty.msgpack"), registry)


@pytest.mark.parametrize("order", ["shuffle = true", 'sampler = "shuffle"', 'sampler = { use = "blocks", size = 2 }'])
def test_names_follow_the_order_of_the_loader(registry, tmp_path, order):
    (tmp_path / "c.toml").write_text(
        f'[data.train]\nuse = "shapes"\nlength = 9\n[loader]\nbatch_size = 4\nnworkers = 0\n{order}\n'
        '[worker]\nuse = "classification"\nimage = { shape = [3, 8, 8], dtype = "uint8" }\n'
    )
    experiment = opened(str(tmp_path / "c.toml"), registry).experiment
    names = names_in(experiment, 12)
    assert len(names.keys) == 12
    assert sorted(names.keys[:9]) == [f"shapes-{i:08d}" for i in range(9)]
    assert names.keys[:9] != sorted(names.keys[:9])
    assert len(names.classes) == 3
    dataset = experiment.config.build("data.train")
    with experiment.train_loader(feed="numpy") as loader:
        labels = [label for _, (batch,) in loader for label in batch["label"].ravel().tolist()]
    assert labels == [dataset.sample(int(key[-8:]))["label"] for key in names.keys[:9]]
