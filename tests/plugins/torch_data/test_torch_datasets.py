from __future__ import annotations

import pickle

import pytest

torch = pytest.importorskip("torch")
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

from leaven import create  # noqa: E402
from leaven.data.adapters import Items  # noqa: E402
from leaven.data.getters import getitem, labels  # noqa: E402
from leaven.data.mode import ModeView  # noqa: E402
from leaven.errors import ParameterError  # noqa: E402
from leaven_plugins.torch_data.datasets import IterableStyle, MapStyle, from_torch, to_torch  # noqa: E402
from leaven_plugins.torch_data.parameters import Compose, Drawn  # noqa: E402


def numbers(count):
    return Items([(n, n % 3) for n in range(count)])


def test_torch_s_dataset_is_one_of_ours():
    inner = TensorDataset(torch.arange(6).reshape(3, 2), torch.tensor([2, 0, 1]))
    dataset = from_torch(inner)
    assert labels(dataset).tolist() == [2, 0, 1]
    assert dataset.sample(1)["image"].tolist() == [2, 3]
    shuffled = create("dataset:sort_by_class", dataset=dataset)
    assert [getitem(shuffled, "y", n) for n in range(3)] == [0, 1, 2]


@pytest.mark.parametrize("workers", [0, 2])
def test_torch_s_loader_takes_a_mode(workers):
    dataset = to_torch(create("dataset:digits", split="val", val=20), "index label")
    assert isinstance(dataset, ModeView)
    batches = list(DataLoader(dataset, 8, num_workers=workers))
    assert [len(index) for index, _ in batches] == [8, 8, 4]
    assert torch.cat([index for index, _ in batches]).tolist() == list(range(20))
    assert torch.cat([label for _, label in batches]).tolist() == labels(dataset.dataset).tolist()


def test_whole_samples_with_transforms_of_fields():
    def rng(sample):
        return {"angle": sample["label"], "mask_angle": -1}

    def turned(value, angle=0, other=5):
        return value, angle, other

    dataset = to_torch(numbers(3), transforms={"image": turned, "mask": turned}, rng=rng)
    assert isinstance(dataset, MapStyle)
    assert len(dataset) == 3
    assert dataset[2] == {
        "key": "2",
        "image": (2, 2, 5),
        "label": 2,
        "__params__": {"angle": 2, "mask_angle": -1},
    }
    assert to_torch(numbers(3))[1] == {"key": "1", "image": 1, "label": 1}
    with pytest.raises(IndexError):
        dataset[3]
    with pytest.raises(ParameterError, match="mode or transforms: one of them"):
        to_torch(numbers(3), "x", {"image": turned})


def test_parameters_go_to_the_arguments_of_their_names():
    def scaled(value, factor):
        return value * factor

    def moved(value, *, by=1, factor=0):
        return value + by

    both = Compose(scaled, Drawn(moved, "mask_"))
    assert both(2, {"factor": 3, "by": 10}) == 16
    assert both(2, {"factor": 3, "by": 10, "mask_by": 20}) == 26
    assert Compose(scaled, moved, prefix="a_")(2, {"a_factor": 4}) == 9
    assert Drawn(abs)(-2, {"x": 1}) == 2
    with pytest.raises(ParameterError, match="5 is no function of a value"):
        Compose(5)


def read(count, world_size, workers, epoch, rank):
    stream = IterableStyle(numbers(count), rank=rank, world_size=world_size)
    stream.set_epoch(epoch)
    return [int(sample["image"]) for sample in DataLoader(stream, None, num_workers=workers)]


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_ranks_share_out_the_dataset_and_rotate(epoch):
    parts = [read(11, 3, 0, epoch, rank) for rank in range(3)]
    assert sorted(n for part in parts for n in part) == list(range(11))
    assert all(part == list(range(part[0], part[-1] + 1)) for part in parts)
    assert parts[0][0] == (0, 3, 7)[epoch]


def test_workers_share_out_the_part_of_their_rank():
    assert sorted(read(12, 2, 2, 0, 1)) == [6, 7, 8, 9, 10, 11]
    assert sorted(read(12, 2, 2, 1, 1)) == [0, 1, 2, 3, 4, 5]


def test_parts_that_make_different_numbers_of_batches_are_refused():
    stream = IterableStyle(numbers(9), batch_size=2, world_size=2)
    with pytest.raises(ParameterError, match="9 samples in 2 parts: 4 samples make 2 batches of 2, but 5 make 3"):
        next(iter(stream))
    assert len(list(IterableStyle(numbers(9), batch_size=3, world_size=2))) == 4
    with pytest.raises(ParameterError, match="no rank 2 of 2"):
        IterableStyle(numbers(9), rank=2, world_size=2)


def test_they_travel_to_other_processes():
    dataset = create("dataset:percent", dataset="digits", stop=10)
    len(dataset)
    for made in (MapStyle(dataset), IterableStyle(dataset), to_torch(dataset, "label")):
        assert isinstance(pickle.loads(pickle.dumps(made)), type(made))
