from __future__ import annotations

import along
import numpy as np
import pytest
import torch
from single_thread import one_thread  # noqa: F401
from torch.nn import functional
from trainer_parts import same

from leaven import TurboDataLoader, create
from leaven.errors import LeavenError, ParameterError
from leaven_plugins.collators.padding.collator import Padding
from leaven_plugins.distributed.launch import launch
from leaven_plugins.hooks.history.hook import History
from leaven_plugins.losses.cross_entropy.loss import CrossEntropy
from leaven_plugins.losses.mse.loss import MSE
from leaven_plugins.metrics.accuracy.metric import Accuracy
from leaven_plugins.metrics.average.metric import Average
from leaven_plugins.snapshots.files import load_snapshot
from leaven_plugins.trainers.recurrent.tracking import TrackingError
from leaven_plugins.trainers.recurrent.trainer import RecurrentTrainer
from leaven_plugins.trainers.recurrent.unrolled import Unrolled


class Cell(torch.nn.Module):
    """One step: a gated unit, and a layer that reads its state."""

    def __init__(self, inputs=2, outputs=1, hidden=6, rate=0.0, forgetful=False):
        super().__init__()
        self.cell, self.read = torch.nn.GRUCell(inputs, hidden), torch.nn.Linear(hidden, outputs)
        self.drop, self.forgetful = torch.nn.Dropout(rate), forgetful

    def forward(self, sample):
        state = self.cell(sample["image"], None if self.forgetful else sample["state"])
        return {**sample, "output": self.read(self.drop(state)), "state": state}


class Counter(torch.nn.Module):
    """Adds up its input in its state, a pair of which one half has another shape, and gives the sum out."""

    def __init__(self):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(()))
        self.seen = []

    def forward(self, sample):
        self.seen.append(sample)
        image = sample["image"]
        state = sample["state"]
        before = torch.zeros(len(image), 1) if state is None else state["sum"][0]
        sums = before + image.cumsum(1)
        after = {"sum": (sums[:, -1:],), "wide": sums[:, -1, None, None].expand(-1, 2, 3)}
        return {**sample, "output": (sums * self.factor)[..., None], "state": after}


def a_network(seed=0, **options):
    torch.manual_seed(seed)
    return Unrolled(Cell(**options))


def sequences(seed, rows=3, steps=7):
    random = np.random.default_rng(seed)
    image = torch.tensor(random.normal(size=(rows, steps, 2)), dtype=torch.float32)
    return {"image": image, "target": image.sum(2, keepdim=True).cumsum(1)}


def a_trainer(train_iter, network=None, rate=0.1, **options):
    network = a_network() if network is None else network
    optimizer = torch.optim.SGD(network.parameters(), lr=rate, momentum=0.9)
    chosen = {"loss": MSE(target_key="target"), **options}
    return RecurrentTrainer(network, optimizer, train_iter=train_iter, **chosen)


def counted(data, **options):
    """The outputs of a network that counts, chunk by chunk, and the trainer's state."""
    network, outputs = Counter(), []
    one = a_trainer(data, network, rate=0, loss=lambda sample: sample["output"].mean(), **options)
    one.add_hook("train_step", lambda state, samples: outputs.append(samples[0]["output"][..., 0].tolist()))
    return outputs, one.train(1), network


# ---- what it computes


@pytest.mark.parametrize("bptt", [0, 7, 3, 1])
def test_an_epoch_is_the_bare_loop_bit_for_bit(bptt):
    data, network, bare = [sequences(1), sequences(2)], a_network(), a_network()
    state = a_trainer(data, network, bptt=bptt).train(1)
    optimizer = torch.optim.SGD(bare.parameters(), lr=0.1, momentum=0.9)
    chunk, steps, total = bptt or 7, 0, 0.0
    for sample in data:
        hidden = None
        for start in range(0, 7, chunk):
            image, target = (sample[key][:, start : start + chunk] for key in ("image", "target"))
            outputs = []
            for step in range(image.shape[1]):
                made = bare.network({"image": image[:, step], "state": hidden})
                hidden = made["state"]
                outputs.append(made["output"])
            loss = functional.mse_loss(torch.stack(outputs, 1).reshape(-1, 1), target.reshape(-1, 1))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            hidden = hidden.detach()
            steps, total = steps + 1, total + loss.item() * image.shape[1]
    same(network.state_dict(), bare.state_dict())
    assert state["step"] == steps
    assert state["train_metric_values"][0]["loss"] == pytest.approx(total / 14, rel=1e-6)
    assert state["records"][0]["samples"] == 2 * 3 * 7


class Recall:
    """The class is shown in the first step; then comes noise, and only the last step counts."""

    def __init__(self, seed, batches, steps=8):
        self.seed, self.batches, self.steps = seed, batches, steps

    def __iter__(self):
        random = np.random.default_rng(self.seed)
        for _ in range(self.batches):
            label = random.integers(0, 2, 32)
            image = random.normal(0, 0.5, (32, self.steps, 2)).astype(np.float32)
            image[:, 0, 1], image[:, 1:, 1] = 2 * label - 1, 0
            mask = np.zeros((32, self.steps), bool)
            mask[:, -1] = True
            yield {"image": image, "label": np.repeat(label[:, None], self.steps, 1), "image_mask": mask}


@pytest.mark.parametrize(
    ("options", "least", "most"),
    [({}, 0.95, 1), ({"forgetful": True}, 0.3, 0.7)],
    ids=["with memory", "without"],
)
def test_what_was_shown_long_ago_is_recalled(options, least, most):
    network = a_network(outputs=2, hidden=8, **options)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    one = RecurrentTrainer(
        network, optimizer, CrossEntropy(), Accuracy(), train_iter=Recall(0, 60), val_iter=Recall(1, 8)
    )
    assert least <= one.train(1)["val_metric_values"][0]["accuracy"] <= most


# ---- the state


def test_the_state_is_carried_along_a_sequence_and_not_into_the_next():
    ones = torch.ones(2, 5)
    outputs, state, network = counted([{"image": ones}, {"image": 10 * ones}], bptt=2)
    assert outputs == [[[1, 2]] * 2, [[3, 4]] * 2, [[5]] * 2, [[10, 20]] * 2, [[30, 40]] * 2, [[50]] * 2]
    assert [sample["state"] is None for sample in network.seen] == [True, False, False] * 2
    carried = network.seen[1]["state"]["wide"]
    assert (carried.shape, carried.requires_grad) == ((2, 2, 3), False)
    assert state["iteration"] == 6


@pytest.mark.parametrize("form", [np.asarray, torch.tensor])
def test_flags_say_which_rows_begin_anew(form):
    ones = np.ones((2, 2), np.float32)
    flags = [[True, True], [False, True], [False, False], [True, False]]
    data = [{"image": ones, "reset": form(reset)} for reset in flags]
    outputs, _, network = counted(data)
    assert outputs == [[[1, 2], [1, 2]], [[3, 4], [1, 2]], [[5, 6], [3, 4]], [[1, 2], [5, 6]]]
    assert not any("reset" in sample for sample in network.seen)


def test_each_mini_batch_of_an_iteration_has_states_of_its_own():
    def item(first, second, reset):
        flags = {"reset": np.full((2, 1), reset)}
        return [{"image": torch.full((2, 1), value), **flags} for value in (first, second)]

    outputs, _, _ = counted([item(1.0, 10.0, True), (1, item(1.0, 10.0, False))])
    assert [chunk[0] for chunk in outputs] == [[1], [10], [2], [20]]


def test_steps_that_do_not_count_still_change_the_state():
    mask = torch.tensor([[False, False, True, True, False, False], [False, False, False, True, False, False]])
    outputs, state, network = counted([{"image": torch.ones(2, 6), "image_mask": mask}], bptt=2, metric=Average())
    assert outputs == [[[3, 4]] * 2]
    assert len(network.seen) == 3
    values = state["train_metric_values"][0]
    assert (values["loss"], values["average_metric"]) == pytest.approx([(3 + 4 + 4) / 3] * 2)


# ---- lengths


def ragged(seed=0):
    random = np.random.default_rng(seed)
    images = [random.normal(size=(length, 2)).astype(np.float32) for length in (4, 7, 2)]
    return {"image": images, "target": [image.sum(1, keepdims=True) for image in images], "name": ["a", "b", "c"]}


@pytest.mark.parametrize("form", ["lists", "collated", "valid"])
def test_padding_counts_for_nothing(form):
    sample, network = ragged(), a_network()
    if form == "collated":
        sample = Padding(value=99).collate(sample, np.random.default_rng(0))
    if form == "valid":
        nobody = {"image": np.zeros((0, 2), np.float32), "target": np.zeros((0, 1), np.float32), "name": None}
        sample = {key: [*values, nobody[key]] for key, values in sample.items()}
        sample["valid"] = np.array([True, True, True, False])
    found = a_trainer([sample], network, rate=0, bptt=3, metric=Average()).train(1)["train_metric_values"][0]
    errors, outputs = [], []
    for image, target in zip(ragged()["image"], ragged()["target"], strict=True):
        output = network({"image": torch.tensor(image)[None]})["output"][0].detach()
        outputs += output[:, 0].tolist()
        errors += ((output - torch.tensor(target)) ** 2)[:, 0].tolist()
    assert found["loss"] == pytest.approx(np.mean(errors), rel=1e-5)
    assert found["average_metric"] == pytest.approx(np.mean(outputs), rel=1e-5)


def test_sequences_are_cut_off_at_the_longest_length():
    outputs, _, _ = counted([{"image": torch.ones(1, 9)}], bptt=2, max_length=5)
    assert outputs == [[[1, 2]], [[3, 4]], [[5]]]


def test_the_error_is_tracked_along_the_sequence():
    data, network = [ragged(0), ragged(1)], a_network()
    one = a_trainer(data, network, rate=0, bptt=3, max_length=5, tracking_key="target")
    values = one.train(1)["train_metric_values"][0]
    errors = [[] for _ in range(5)]
    for sample in data:
        for image, target in zip(sample["image"], sample["target"], strict=True):
            output = network({"image": torch.tensor(image)[None]})["output"][0].detach().numpy()
            for step, difference in enumerate(np.abs(output - target)[:5]):
                errors[step].append(difference[0])
    assert {key for key in values if key.startswith("error")} == {f"error_{step}" for step in range(1, 6)}
    for step in range(5):
        assert values[f"error_{step + 1}"] == pytest.approx(np.mean(errors[step]), rel=1e-5)


def test_tracking_errors_of_several_processes_are_put_together():
    def sample(seed, start, steps):
        random = torch.Generator().manual_seed(seed)
        pair = {key: torch.randn(2, steps, 3, generator=random) for key in ("image", "output", "target")}
        rows = torch.arange(2 * steps)
        return {**pair, "step_places": torch.stack([rows, start + rows % steps], 1)}

    def tracked(*samples):
        metric = TrackingError("image", "output", "target")
        for one in samples:
            metric.update(one)
        return metric

    batches = [sample(0, 0, 2), sample(1, 2, 3), sample(2, 0, 4)]
    first, empty = tracked(), tracked()
    first.load_state_dict(tracked(batches[0]).state_dict())
    first.merge(empty)
    empty.merge(tracked(*batches[1:]))
    first.merge(empty)
    assert first.compute() == pytest.approx(tracked(*batches).compute(), rel=1e-12)
    distance = (batches[2]["output"] - batches[2]["target"]).double().norm(dim=2).mean(0)
    assert list(tracked(batches[2]).compute().values()) == pytest.approx(distance.tolist(), rel=1e-6)
    first.reset()
    assert first.compute() == {}


# ---- validation, tests, hooks


def test_validation_and_tests_carry_the_state_too():
    data = [sequences(1), ragged(3)]
    one = a_trainer(data, bptt=3, val_iter=data, metric=Average(), tracking_key="target", val_metric=Average("output"))
    values = one.train(1)["val_metric_values"][0]
    assert one.test(data) == values
    whole = a_trainer(data, one.state["network"], metric=Average(), tracking_key="target")
    assert whole.test(data) == pytest.approx(values, rel=1e-5)


def test_history_tests_chunks_from_the_state_that_they_began_with():
    history = History(history_freq=1, monitor_batch_size=5)
    data = [{**sequences(number), "reset": np.array([number == 0, True, False])} for number in range(2)]
    expected = a_trainer(data, bptt=3).train(1)
    state = a_trainer(data, rate=0, bptt=3, hooks=[history], val_iter=data).train(1)
    assert [row["loss_gain"] for row in history.rows] == [0] * 6
    found = a_trainer(data, bptt=3, hooks=[History(1, 5)], val_iter=data).train(1)
    same(found["network"].state_dict(), expected["network"].state_dict())
    assert state["step"] == 6


# ---- going on


def a_long_run(tmp_path, name, data, **options):
    network = a_network(rate=0.3)
    torch.manual_seed(4)
    return a_trainer(data, network, outdir=tmp_path / name, bptt=2, val_iter=data, metric=Average(), **options)


@pytest.mark.parametrize("options", [{}, {"limit_train": 5}, {"tracking_key": "target", "accumulate": 2}])
def test_a_run_goes_on_amid_a_sequence(tmp_path, options):
    data = [sequences(1), [sequences(2), {**sequences(3, steps=3), "reset": torch.tensor([True, False, True])}]]
    whole = a_long_run(tmp_path, "whole", data, snapshot_steps=1, **options)
    expected = whole.train(2)
    within = sorted(path for path in (tmp_path / "whole" / "snapshots").iterdir() if "step" in path.name)
    assert len(within) >= 6
    for number, path in enumerate(within[::3]):
        again = a_long_run(tmp_path, f"again{number}", data, **options)
        torch.manual_seed(99)
        assert not again.restore(load_snapshot(path)).ignored
        state = again.train(2, start_epoch=again.state["epoch"])
        same(state["network"].state_dict(), expected["network"].state_dict())
        assert state["train_metric_values"][-1] == expected["train_metric_values"][-1]
        assert state["step"] == expected["step"]


def as_sequences(sample):
    return {
        "image": torch.as_tensor(sample["image"])[:, 0] / 255,
        "label": torch.as_tensor(sample["label"]).expand(-1, 8),
    }


def test_a_run_over_loaders_goes_on_amid_an_epoch_and_after_one(tmp_path):
    worker = {"use": "classification", "image": ((1, 8, 8), "uint8")}
    given = {"nworkers": 0, "feed": "numpy", "transform": as_sequences, "shuffle": True, "seed": 1, "length": 200}

    def run(name, snapshot=None):
        network = a_network(inputs=8, outputs=10)
        optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
        options = {"outdir": tmp_path / name, "snapshot_steps": 3, "keep_last": None, "bptt": 4}
        with TurboDataLoader("dataset:digits", 50, worker, **given) as train:
            with TurboDataLoader("dataset:digits", 50, worker, **given) as val:
                one = RecurrentTrainer(network, optimizer, CrossEntropy(), train_iter=train, val_iter=val, **options)
                if snapshot is not None:
                    assert not one.restore(load_snapshot(snapshot)).ignored
                return one.train(2, start_epoch=one.state["epoch"])

    expected = run("whole")
    for name in ("epoch_0001_step_00000003", "epoch_0001", "epoch_0002_step_00000015"):
        state = run(f"from {name}", tmp_path / "whole" / "snapshots" / name)
        same(state["network"].state_dict(), expected["network"].state_dict())
        assert state["val_metric_values"][-1] == expected["val_metric_values"][-1]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["recurrent", "tracing"])
def test_each_process_goes_on_with_what_it_had(tmp_path, kind):
    found = launch(along.gone_on_with, 2, kind, str(tmp_path))
    assert len(found) == 4
    assert all(weights == found["whole"] for weights in found.values())


# ---- errors


@pytest.mark.parametrize(
    ("sample", "text"),
    [
        ({"imag": torch.ones(2, 3)}, "no sequences 'image'; the sample has: imag"),
        ({"image": torch.ones(2)}, r"'image' is no batch of sequences \(rows, steps, ...\): of shape \(2,\)"),
        ({"image": ["a", "b"]}, "'image' is no batch of sequences.*: a list"),
        ({"image": torch.ones(2, 0)}, r"of shape \(2, 0\)"),
        (
            {"image": ragged()["image"], "target": ragged()["target"][::-1]},
            r"'target' has sequences of \[2, 7, 4\] steps",
        ),
        (
            {"image": torch.ones(2, 3), "image_mask": torch.ones(2, 3)},
            r"'image_mask': expected bools of shape \(2, 3\)",
        ),
        ({"image": torch.ones(2, 3), "image_mask": np.ones((2, 4), bool)}, r"'image_mask'.* not bool of \(2, 4\)"),
        ({"image": torch.ones(2, 3), "reset": [True]}, "'reset': expected a bool for each of 2 rows"),
        (
            {"image": torch.ones(2, 3), "reset": torch.ones(2)},
            "'reset': expected a bool for each of 2 rows, not torch.fl",
        ),
    ],
)
def test_what_is_no_sequence_is_an_error(sample, text):
    with pytest.raises(LeavenError, match=text):
        counted([sample])


def test_a_state_does_not_go_on_in_other_rows():
    data = [{"image": torch.ones(rows, 2), "reset": np.zeros(rows, bool)} for rows in (2, 3)]
    with pytest.raises(LeavenError, match=r"a recurrent state of shape \(2, 1\) cannot go on in 3 rows"):
        counted(data)


@pytest.mark.parametrize(
    ("output", "text"),
    [({"output": 1}, "gave back no state as 'state'; its output has: "), ({"state": ["a"]}, "and has a str in it")],
)
def test_a_state_that_is_none_is_an_error(output, text):
    network = a_network()
    made = network.forward

    def forward(sample):
        found = {**made(sample), **output}
        return {key: value for key, value in found.items() if "state" in output or key != "state"}

    network.forward = forward
    with pytest.raises(LeavenError, match=text):
        a_trainer([sequences(0)], network, loss=lambda sample: network.network.read.weight.sum()).train(1)


def test_tracking_needs_a_target_of_the_outputs_shape():
    with pytest.raises(LeavenError, match=r"'output' and 'image' have different shapes: \(3, 7, 1\) and \(3, 7, 2\)"):
        a_trainer([sequences(0)], tracking_key="image").train(1)


def test_numbers_out_of_range_are_refused():
    with pytest.raises(ParameterError, match="bptt=-1"):
        a_trainer([], bptt=-1)


def test_it_is_made_by_its_name_with_the_options_of_the_standard_trainer():
    network = a_network()
    made = create(
        {"use": "trainer:recurrent", "bptt": 3, "clip_norm": 1.0, "loss": {"use": "mse", "target_key": "target"}},
        network=network,
        optimizer=torch.optim.SGD(network.parameters(), lr=0.1),
        train_iter=[sequences(0)],
    )
    assert made.train(1)["step"] == 3
