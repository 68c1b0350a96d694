from __future__ import annotations

import math
import runpy
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
import torch
from single_thread import one_thread  # noqa: F401
from trainer_parts import same

from leaven import create
from leaven.errors import LeavenError, ParameterError
from leaven_plugins.hooks.history.hook import History
from leaven_plugins.losses.mse.loss import MSE
from leaven_plugins.metrics.average.metric import Average
from leaven_plugins.snapshots.files import load_snapshot
from leaven_plugins.trainers.feedback import Feedback
from leaven_plugins.trainers.tracing.example import Example
from leaven_plugins.trainers.tracing.following import Ended
from leaven_plugins.trainers.tracing.lengths import TraceLengths
from leaven_plugins.trainers.tracing.trainer import TracingTrainer

LINES = runpy.run_path(str(Path(__file__).parents[3] / "examples" / "tracing.py"))
Lines, Follower = LINES["Lines"], LINES["Follower"]


class Steps:
    """An example of so many steps, of which one may lose the track; its samples say which it is, and the step."""

    def __init__(self, number, length, lost_at=None):
        self.number, self.length, self.lost_at, self.step, self.told = number, length, lost_at, 0, []

    def start(self):
        image = np.array([self.number, self.step], np.float32)
        return {"image": image, "target": 0.0, "name": f"{self.number}.{self.step}"}

    def is_on_track(self, output):
        self.told.append(output)
        return self.step != self.lost_at

    def follow(self, output):
        self.step += 1
        return self.start() if self.step < self.length else None


class Resumable(Steps):
    def state_dict(self):
        return {"step": self.step}

    def load_state_dict(self, state):
        self.step = state["step"]


class Watching(torch.nn.Module):
    """Writes down which rows it sees."""

    def __init__(self):
        super().__init__()
        self.seen = []
        self.layer = torch.nn.Linear(2, 1)

    def forward(self, sample):
        self.seen.append(" ".join(sample["name"]))
        return {**sample, "output": self.layer(sample["image"])}


def a_trainer(train_iter, network=None, rate=0.01, **options):
    network = network or Watching()
    optimizer = torch.optim.SGD(network.parameters(), lr=rate)
    chosen = {"batch_size": 2, "metric": Average(), **options}
    return TracingTrainer(network, optimizer, MSE(target_key="target"), train_iter=train_iter, **chosen)


def seen_in(examples, epochs=1, **options):
    network = Watching()
    state = a_trainer(examples, network, rate=0, **options).train(epochs)
    return network.seen, state["train_metric_values"][-1]


# ---- what it is for


def test_a_network_learns_to_keep_on_the_line():
    torch.manual_seed(0)
    network = Follower()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.002)
    one = TracingTrainer(
        network, optimizer, MSE(target_key="target"), train_iter=Lines(32), val_iter=Lines(8, seed=2), batch_size=8
    )
    before = one.trace(Lines(8, seed=2))
    state = one.train(3)
    values = state["val_metric_values"]
    assert before["length"] < 10
    assert state["train_metric_values"][0]["length"] < state["train_metric_values"][2]["length"]
    assert values[2]["length"] > 30
    assert values[2]["lost"] < before["lost"]
    assert one.trace(Lines(8, seed=2)) == values[2]  # which leaves no trace either
    assert one.trace(Lines(8, seed=2)) == values[2]


def test_an_epoch_is_the_bare_loop():
    """Each example is followed by itself, and the steps are those of a loop of one's own."""
    torch.manual_seed(0)
    network, bare = Follower(), Follower()
    bare.load_state_dict(network.state_dict())
    a_trainer(Lines(3), network, batch_size=1).train(1)
    optimizer = torch.optim.SGD(bare.parameters(), lr=0.01)
    for line in Lines(3):
        sample = line.start()
        while sample is not None:
            output = bare({"image": torch.as_tensor(sample["image"])[None]})["output"]
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(output, torch.as_tensor(sample["target"])[None]).backward()
            optimizer.step()
            sample = line.follow(output.detach()[0]) if line.is_on_track(output.detach()[0]) else None
    same(network.state_dict(), bare.state_dict())


# ---- which samples come


def test_each_row_goes_on_with_its_own_example_until_its_end():
    seen, values = seen_in([Steps(0, 3), Steps(1, 1), Steps(2, 4)])
    assert seen == ["0.0 1.0", "0.1 2.0", "0.2 2.1", "2.2", "2.3"]
    assert (values["length"], values["lost"]) == (pytest.approx(8 / 3), 0)


def test_an_example_is_left_where_it_is_lost():
    seen, values = seen_in([Steps(0, 5, lost_at=1), Steps(1, 2), Steps(2, 1), Steps(3, 1, lost_at=0)])
    assert seen == ["0.0 1.0", "0.1 1.1", "2.0 3.0"]
    assert (values["length"], values["lost"]) == (6 / 4, 2 / 4)


def test_without_sequences_each_example_gives_one_sample():
    seen, values = seen_in([Steps(0, 3), Steps(1, 3), Steps(2, 3, lost_at=0)], sequence_training=False)
    assert seen == ["0.0 1.0", "2.0"]
    assert (values["length"], values["lost"]) == (1, pytest.approx(1 / 3))


def test_no_example_is_followed_for_ever():
    seen, values = seen_in([Steps(0, 1000), Steps(1, 2)], max_length=4)
    assert seen == ["0.0 1.0", "0.1 1.1", "0.2", "0.3"]
    assert (values["length"], values["lost"]) == (3, 0)


def test_limited_epochs_go_on_where_the_one_before_has_ended():
    class Fresh:
        def __iter__(self):
            return iter([Steps(0, 3), Steps(1, 2)])

    network = Watching()
    one = a_trainer(Fresh(), network, limit_train=2)
    assert len(one.state["train_iter"]) == 2
    state = one.train(3)
    assert network.seen == ["0.0 1.0", "0.1 1.1", "0.2", "0.0 1.0", "0.1 1.1", "0.2"]
    assert (state["iteration"], state["step"]) == (6, 6)
    first, second, third = state["train_metric_values"]
    assert (first["length"], second["length"], third["length"]) == (2, 3, 2.5)
    assert math.isnan(a_trainer([Steps(0, 9)], limit_train=2).train(1)["train_metric_values"][0]["length"])


def test_an_example_is_told_its_row_of_the_output():
    examples = [Steps(0, 2), Steps(1, 2)]
    network = Watching()
    network.forward = lambda sample: {
        **sample,
        "output": sample["image"].to(torch.bfloat16) * network.layer.weight[0, 0],
    }
    one = a_trainer(examples, network, rate=0, metric=())
    one.state["loss"] = lambda sample: sample["output"].float().mean()
    one.train(1)
    factor = network.layer.weight[0, 0].detach()
    for example in examples:
        assert [told.dtype for told in example.told] == [torch.float32] * 2
        expected = [(torch.tensor([example.number, step]).bfloat16() * factor).float() for step in range(2)]
        assert all(map(torch.equal, example.told, expected))


@pytest.mark.parametrize("options", [{"accumulate": 2}, {"precision": "bf16"}, {"hooks": [History(2, 3)]}])
def test_whatever_the_standard_trainer_does_goes_on_with_traces(options):
    def examples():
        return [Steps(0, 3), Steps(1, 1), Steps(2, 4)]

    seen, values = seen_in(examples(), val_iter=examples(), **options)
    assert [names for names in dict.fromkeys(seen) if "2.3" in names] == ["2.3"]
    assert values["length"] == pytest.approx(8 / 3)


# ---- going on


class Dropout(Follower):
    def forward(self, sample):
        hidden = torch.nn.functional.dropout(sample["image"], 0.3, self.training)
        return super().forward({**sample, "image": hidden})


def a_long_run(tmp_path, name, **options):
    torch.manual_seed(3)
    chosen = {"train_iter": Lines(7), "batch_size": 3, "max_length": 9, **options}
    return a_trainer(network=Dropout(), outdir=tmp_path / name, val_iter=Lines(2, seed=5), **chosen)


@pytest.mark.parametrize("options", [{}, {"limit_train": 8, "accumulate": 2}, {"limit_train": 11, "batch_size": 9}])
def test_a_run_goes_on_amid_its_traces(tmp_path, options):
    whole = a_long_run(tmp_path, "whole", snapshot_steps=1 if "batch_size" in options else 3, **options)
    expected = whole.train(2)
    within = sorted(path for path in (tmp_path / "whole" / "snapshots").iterdir() if "step" in path.name)
    assert len(within) >= 2
    for number, path in enumerate(within):
        again = a_long_run(tmp_path, f"again{number}", **options)
        torch.manual_seed(99)
        assert not again.restore(load_snapshot(path)).ignored
        state = again.train(2, start_epoch=again.state["epoch"])
        same(state["network"].state_dict(), expected["network"].state_dict())
        assert state["train_metric_values"][-1] == expected["train_metric_values"][-1]
        assert state["step"] == expected["step"]


def test_a_run_that_was_stopped_goes_on_in_the_same_trainer(tmp_path):
    expected = a_long_run(tmp_path, "whole").train(1)
    one = a_long_run(tmp_path, "one")
    one.add_hook("train_step", lambda state, samples: one.stop("asked") if state["step"] == 5 else None)
    assert one.train(1)["step"] == 5
    state = one.train(1)
    same(state["network"].state_dict(), expected["network"].state_dict())


def test_data_with_a_state_is_drawn_again_from_it(tmp_path):
    class Passes:
        """Yields other lines in each pass."""

        number = 0

        def __iter__(self):
            self.number += 1
            return iter(Lines(4, seed=self.number))

        def state_dict(self):
            return {"number": self.number}

        def load_state_dict(self, state):
            self.number = state["number"]

    expected = a_long_run(tmp_path, "whole", train_iter=Passes(), snapshot_steps=9).train(2)
    amid = sorted((tmp_path / "whole" / "snapshots").glob("epoch_0002_step*"))[0]
    for path in (amid, amid.with_name("epoch_0001")):
        again = a_long_run(tmp_path, path.name, train_iter=Passes())
        assert not again.restore(load_snapshot(path)).ignored
        same(again.train(2, start_epoch=1)["network"].state_dict(), expected["network"].state_dict())
    stateless = a_long_run(tmp_path, "stateless").restore(load_snapshot(path))
    assert "this data takes none" in stateless.ignored["data"]


@pytest.mark.parametrize(
    ("examples", "kind", "reason"),
    [
        (3, Steps, "examples without state_dict"),
        (1, Resumable, "the data has 1 items, and the snapshot is from after 2"),
    ],
)
def test_what_cannot_be_gone_on_with_begins_anew(tmp_path, examples, kind, reason):
    one = a_trainer([kind(n, 4) for n in range(3)], outdir=tmp_path, snapshot_steps=2)
    one.train(1)
    network = Watching()
    again = a_trainer([kind(n, 4) for n in range(examples)], network)
    found = again.restore(load_snapshot(tmp_path / "snapshots" / "epoch_0001_step_00000002"))
    assert reason in found.ignored["data"]
    again.train(1)
    assert network.seen[0].startswith("0.0")


# ---- errors


class Giving(Steps):
    """An example that gives what it is told to."""

    def __init__(self, sample):
        super().__init__(0, 1)
        self.sample = sample

    def start(self):
        return self.sample


@pytest.mark.parametrize(
    ("examples", "text"),
    [
        ([{"image": np.zeros(2)}], "data must yield examples, with start.*not dict"),
        ([], "no data"),
        ([Giving(None)], "an example's sample must be a dict, not of type NoneType"),
        ([Giving({"image": 1}), Giving({"image": 1, "label": 2})], "different keys: image; and image, label"),
        (
            [Giving({"image": np.ones(2)}), Giving({"image": np.ones(3)})],
            r"'image' of different shapes: \(2,\), \(3,\)",
        ),
    ],
)
def test_what_is_no_example_is_an_error(examples, text):
    with pytest.raises(LeavenError, match=text):
        a_trainer(examples).train(1)


def test_an_output_of_other_rows_is_an_error():
    one = a_trainer([Steps(0, 2), Steps(1, 2)], metric=())
    one.state["network"].forward = lambda sample: {"output": torch.ones(3, 1), "target": torch.ones(3)}
    with pytest.raises(LeavenError, match="2 examples got an output of 3 rows"):
        one.train(1)


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"max_length": -1}])
def test_numbers_out_of_range_are_refused(options):
    with pytest.raises(ParameterError, match=next(iter(options))):
        a_trainer([], **options)


def test_it_is_made_by_its_name_with_the_options_of_the_standard_trainer():
    network = Watching()
    made = create(
        {
            "use": "trainer:tracing",
            "clip_norm": 1.0,
            "hooks": ["history"],
            "loss": {"use": "mse", "target_key": "target"},
        },
        network=network,
        optimizer=torch.optim.SGD(network.parameters(), lr=0.1),
        train_iter=[Steps(0, 2)],
    )
    assert made.train(1)["step"] == 2
    with pytest.raises(ParameterError, match="clip_nrm"):
        create({"use": "trainer:tracing", "clip_nrm": 1.0}, network=network, optimizer=None, loss="mse")
    assert isinstance(Steps(0, 1), Example)


def test_counts_of_several_processes_are_put_together():
    feedback = Feedback()
    whole, parts = TraceLengths(feedback), [TraceLengths(feedback) for _ in range(3)]
    told = [[Ended(3, True)], [Ended(5, False), Ended(1, False)], []]
    for part, ended in zip(parts, told, strict=True):
        for metric in (part, whole):
            feedback.expect(lambda output, ended=ended: ended)
            metric.update({})
            metric.update({})  # nobody waits any more
    first = TraceLengths(feedback)
    first.load_state_dict(parts[0].state_dict())
    for other in parts[1:]:
        first.merge(other)
    assert first.compute() == whole.compute() == {"length": 3, "lost": pytest.approx(1 / 3)}


# ---- a batch as files


def test_a_batch_is_written_as_arrays_and_pictures(tmp_path):
    image = torch.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5).to(torch.float32)
    image[1] = math.nan
    sample = {"image": image, "target": np.arange(2), "half": torch.ones(2, dtype=torch.bfloat16), "name": ["a", "b"]}
    files = TracingTrainer.save_batch(tmp_path / "batch", sample)
    assert [file.suffix for file in files if file.suffix != ".h5"] == [".npz", ".png", ".png"]
    with np.load(tmp_path / "batch.npz") as found:
        assert set(found) == {"image", "target", "half"}
        np.testing.assert_array_equal(found["image"], image)
    first, second = (cv2.imread(str(tmp_path / f"batch_{row}.png"), cv2.IMREAD_COLOR_RGB) for row in range(2))
    expected = (image[0].numpy().transpose(1, 2, 0) / 59 * 255).round()
    np.testing.assert_array_equal(first, expected)
    assert not second.any()


def test_a_volume_is_shown_by_its_middle_slice(tmp_path):
    volume = np.zeros((1, 2, 5, 6, 7), np.uint8)
    volume[0, 0, 2, 1, 3] = 9
    TracingTrainer.save_batch(tmp_path / "batch", {"raw": volume}, input_key="raw")
    found = cv2.imread(str(tmp_path / "batch_0.png"), cv2.IMREAD_UNCHANGED)
    assert (found.shape, found[1, 3], found.sum()) == ((6, 7), 255, 255)


def test_with_h5py_there_is_such_a_file_too(tmp_path, monkeypatch):
    written = {}

    class File:
        def __init__(self, path, mode):
            written["file"] = (Path(path).name, mode)

        def __enter__(self):
            return self

        def __exit__(self, *exc):
            written["closed"] = True

        def create_dataset(self, name, data, compression):
            written[name] = data

    module = ModuleType("h5py")
    module.__spec__ = ModuleSpec("h5py", None)
    module.File = File
    monkeypatch.setitem(sys.modules, "h5py", module)
    image = np.ones((1, 1, 2, 2))
    files = TracingTrainer.save_batch(tmp_path / "batch", {"image": image})
    assert [file.name for file in files] == ["batch.npz", "batch.h5", "batch_0.png"]
    assert written == {"file": ("batch.h5", "w"), "image": image, "closed": True}


def test_a_batch_without_images_is_not_written(tmp_path):
    with pytest.raises(LeavenError, match=r"as 'image'; there are: label \(2,\)"):
        TracingTrainer.save_batch(tmp_path / "batch", {"label": np.arange(2)})
    assert list(tmp_path.iterdir()) == []
