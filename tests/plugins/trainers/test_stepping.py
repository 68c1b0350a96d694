from __future__ import annotations

import math
import weakref
from pathlib import Path

import pytest
import torch
from trainer_parts import Dropping, batch, same, trainer

from leaven.errors import LeavenError, ParameterError
from leaven_plugins.policies.cosine.policy import Cosine
from leaven_plugins.policies.poly.policy import Poly
from leaven_plugins.policies.schedules.policy import Updates


class Plain(torch.nn.Module):
    """Without statistics or chance, so that sums can be compared."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(5, 3)
        with torch.no_grad():
            self.layer.weight.copy_(torch.linspace(-1, 1, 15).reshape(3, 5))
            self.layer.bias.zero_()

    def forward(self, sample):
        return {**sample, "output": self.layer(sample["image"])}


def run(data, epochs=1, rate=0.1, **options):
    network = Plain()
    optimizer = torch.optim.SGD(network.parameters(), lr=rate, momentum=0.9)
    one = trainer(data, network, optimizer, **options)
    return one.train(epochs), network


def cat(*samples):
    return {key: torch.cat([sample[key] for sample in samples]) for key in samples[0]}


# ---- accumulation


@pytest.mark.parametrize("sizes", [(4, 4, 4, 4), (4, 4, 4, 2), (3, 5, 1), (4,), (4, 4, 4)])
def test_accumulated_steps_are_those_of_large_batches(sizes):
    data = [batch(number, rows) for number, rows in enumerate(sizes)]
    pairs = [cat(*data[start : start + 2]) for start in range(0, len(data), 2)]
    state, network = run(data, epochs=2, accumulate=2)
    expected, large = run(pairs, epochs=2)
    torch.testing.assert_close(network.state_dict(), large.state_dict(), rtol=1e-5, atol=1e-6)
    assert (state["step"], state["iteration"]) == (2 * len(pairs), 2 * len(data))
    assert state["train_metric_values"][1] == pytest.approx(expected["train_metric_values"][1], rel=1e-5)


def test_rates_end_with_the_last_step_of_so_many():
    data, rates = [batch(number) for number in range(5)], []
    network = Plain()
    optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
    one = trainer(data, network, optimizer, accumulate=2, max_steps=5, train_policy=Poly(power=1.0))
    one.add_hook("train_step", lambda state, samples: rates.append(optimizer.param_groups[0]["lr"]))
    one.train(9)
    assert rates == pytest.approx([1 - done / 9 for done in (2, 4, 5, 7, 9)])


def test_the_last_step_of_an_epoch_may_be_the_last_of_the_run(tmp_path):
    data = [batch(number) for number in range(3)]
    state, _ = run(data, epochs=4, accumulate=2, max_steps=2, outdir=tmp_path, snapshot_interval=9)
    assert (state["step"], state["stopped"], Path(state["snapshot"]).name) == (2, "max_steps", "epoch_0001")


def test_what_a_broken_step_has_left_is_forgotten():
    data = [batch(number) for number in range(3)]
    network, other = Plain(), Plain()
    one = trainer(data, network, torch.optim.SGD(network.parameters(), lr=0.1), accumulate=2)
    calls = []

    def once(state, **more):
        calls.append(state["iteration"])
        if len(calls) == 1:
            raise KeyboardInterrupt

    one.add_hook("train_backward", once)
    with pytest.raises(KeyboardInterrupt):
        one.train(1)
    one.train(1)
    trainer(data, other, torch.optim.SGD(other.parameters(), lr=0.1), accumulate=2).train(1)
    same(network.state_dict(), other.state_dict())


def test_a_run_that_begins_later_counts_the_steps_before():
    data, seen = [batch(number) for number in range(5)], []
    network = Plain()
    one = trainer(data, network, torch.optim.SGD(network.parameters(), lr=0.1), accumulate=2)
    one.add_hook("train_step", lambda state, samples: seen.append((state["iteration"], state["step"], len(samples))))
    one.train(3, start_epoch=2)
    assert seen == [(12, 7, 2), (14, 8, 2), (15, 9, 1)]


def test_no_batch_is_held_while_the_next_one_is_made():
    alive, made = [], []

    class Data:
        def __iter__(self):
            for number in range(5):
                alive.append(sum(one() is not None for one in made))
                sample = batch(number)
                made.append(weakref.ref(sample["image"]))
                yield sample
                del sample

    network = Plain()
    one = trainer(Data(), network, torch.optim.SGD(network.parameters(), lr=0.1), accumulate=3)
    one.train(1)
    trainer([batch(0)], Plain(), val_iter=Data()).validate_epoch(1)
    assert alive == [0] * 10


def test_a_policy_goes_by_the_iterations_and_one_of_steps_by_the_steps():
    data, seen = [batch(number) for number in range(4)], []

    class Steps:
        unit = "step"

        def value(self, base, step, num_steps):
            seen.append((step, num_steps))
            return base

    run(data, epochs=2, accumulate=2, train_policy=Steps())
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4)]
    seen.clear()
    run(data, epochs=2, train_policy=Steps(), max_steps=5)
    assert seen == [(step, 5) for step in range(5)]


def test_schedules_set_any_value():
    seen = []
    data = [batch(number) for number in range(3)]
    network = Plain()
    optimizer = torch.optim.SGD(network.parameters(), lr=1.0, momentum=0.8)
    one = trainer(data, network, optimizer, schedules={"momentum": Cosine(), "lr": Updates([[2, 0.5], [4, 0.25]])})
    one.add_hook(
        "train_step", lambda state, samples: seen.append([optimizer.param_groups[0][k] for k in ("lr", "momentum")])
    )
    one.train(2)
    assert [rate for rate, _ in seen] == [1, 1, 0.5, 0.5, 0.25, 0.25]
    assert [momentum for _, momentum in seen] == pytest.approx(
        [0.4 * (1 + math.cos(math.pi * done / 6)) for done in range(1, 7)]
    )
    with pytest.raises(ParameterError, match="momentun"):
        trainer(data, Plain(), optimizer, schedules={"momentun": Cosine()})


# ---- gradients


def test_gradients_are_clipped():
    data, norms = [batch(number) for number in range(3)], []

    class Watched(torch.optim.SGD):
        def step(self, *arguments):
            gradients = [p.grad for group in self.param_groups for p in group["params"]]
            norms.append(float(torch.nn.utils.get_total_norm(gradients)))
            assert max(float(g.abs().max()) for g in gradients) <= 0.02
            return super().step(*arguments)

    network = Plain()
    trainer(data, network, Watched(network.parameters(), lr=0.1), clip_norm=0.05, clip_value=0.02).train(1)
    assert all(norm <= 0.05 + 1e-6 for norm in norms)
    assert max(norms) > 0.04


# ---- what is not finite


def bad(number):
    sample = batch(number)
    sample["image"][1, 2] = math.nan
    return sample


def test_a_step_that_is_not_finite_is_skipped_and_counted():
    good = [batch(number) for number in range(3)]
    state, network = run([good[0], bad(9), good[1], good[2]], nonfinite="skip")
    expected, other = run(good)
    same(network.state_dict(), other.state_dict())
    assert (state["skipped"], state["records"][0]["skipped"], state["step"]) == (1, 1, 3)
    assert state["train_metric_values"][0]["loss"] == expected["train_metric_values"][0]["loss"]


def test_a_gradient_that_is_not_finite_counts_as_well():
    class Root(Plain):
        def forward(self, sample):
            return {**sample, "output": self.layer(sample["image"]) + (sample["image"].sum() * self.layer.bias).sqrt()}

    network = Root()
    one = trainer([batch(0)], network, torch.optim.SGD(network.parameters(), lr=0.1), nonfinite="skip")
    before = {key: value.clone() for key, value in network.state_dict().items()}
    assert one.train(1)["skipped"] == 1  # the derivative of a root at 0 is infinite
    same(network.state_dict(), before)


def test_after_many_in_a_row_the_run_ends():
    with pytest.raises(LeavenError, match="21 times in a row"):
        run([bad(number) for number in range(30)], nonfinite="skip")


def test_a_rollback_goes_back_to_the_snapshot_and_on_with_the_data(tmp_path):
    good = [batch(number) for number in range(4)]
    state, network = run([good[0], good[1], bad(9), good[2]], nonfinite="rollback", outdir=tmp_path, snapshot_steps=1)
    _, other = run([good[0], good[1], good[2]])
    same(network.state_dict(), other.state_dict())
    assert state["skipped"] == 1
    with pytest.raises(LeavenError, match="needs a snapshot to go back to"):
        run([bad(0)], nonfinite="rollback")


def scaled(factor, **options):
    network = Plain()
    one = trainer(
        [batch(number) for number in range(4)], network, torch.optim.SGD(network.parameters(), lr=0.1), **options
    )
    one._precision._scaler = torch.amp.GradScaler("cpu", init_scale=factor)
    return one


def test_an_overflow_of_the_scale_is_no_reason_to_go_back():
    one = scaled(2.0**20, precision="fp16", nonfinite="rollback")
    state = one.train(3)  # without a snapshot to go back to
    assert 0 < state["skipped"] < 12
    assert state["step"] == 12 - state["skipped"]


def test_rates_do_not_go_back(tmp_path):
    class Half:
        def value(self, base, epoch, num_epochs):
            return base * 0.5**epoch

    data = [*(batch(number) for number in range(3)), bad(9)]
    network, rates = Plain(), []
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    options = {"val_iter": data[:1], "val_policy": Half(), "snapshot_interval": 9}
    one = trainer(data, network, optimizer, nonfinite="rollback", outdir=tmp_path, **options)
    one.add_hook("train_step", lambda state, samples: one.snapshot() if state["step"] == 1 else None)
    one.add_hook("train_begin", lambda state: rates.append(optimizer.param_groups[0]["lr"]))
    one.add_hook("train_end", lambda state: rates.append(optimizer.param_groups[0]["lr"]))
    one.train(3)
    assert rates == pytest.approx([0.1, 0.1, 0.05, 0.05, 0.025, 0.025])


def test_a_prompt_needs_a_terminal():
    with pytest.raises(LeavenError, match="needs a terminal"):
        run([bad(0)], nonfinite="shell")


def test_values_out_of_range():
    for options, text in [
        ({"nonfinite": "skipp"}, "did you mean 'skip'"),
        ({"precision": "fp32"}, "no precision 'fp32'"),
        ({"accumulate": 0}, "accumulate=0"),
        ({"max_steps": -1}, "max_steps=-1"),
        ({"limit_train": 1.5}, "has to be whole"),
        ({"limit_train": 0}, "limit 0"),
        ({"keep_last": 0}, "keep_last=0"),
        ({"monitor_mode": "up"}, "monitor_mode='up'"),
        ({"parallel": "dp"}, "parallel='dp'"),
        ({"average": {"kind": "emma"}}, "kind='emma'"),
    ]:
        with pytest.raises(ParameterError, match=text):
            run([batch(0)], **options)


# ---- precision, limits, averages


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_mixed_precision_trains_almost_the_same(precision):
    data = [batch(number) for number in range(4)]
    _, network = run(data, epochs=3, rate=0.02, precision=precision)
    _, other = run(data, epochs=3, rate=0.02)
    torch.testing.assert_close(network.state_dict(), other.state_dict(), rtol=0.05, atol=0.02)
    assert not torch.equal(network.layer.weight, other.layer.weight)
    assert network.layer.weight.dtype == torch.float32


@pytest.mark.parametrize(("limit", "iterations"), [(2, 2), (0.5, 3), (0.01, 1), (99, 5)])
def test_epochs_can_be_limited(limit, iterations):
    data = [batch(number) for number in range(5)]
    state, network = run(data, epochs=2, limit_train=limit, limit_val=limit, val_iter=data)
    _, other = run(data[:iterations], epochs=2)
    same(network.state_dict(), other.state_dict())
    assert [record["samples"] for record in state["records"]] == [4 * iterations] * 4


def test_a_loader_is_limited_by_its_own_means():
    from leaven import TurboDataLoader, create

    worker = create("worker:classification", image={"shape": [1, 8, 8], "dtype": "uint8"}, classes=10)
    seen = []

    class Flat(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(64, 10)

        def forward(self, sample):
            seen.append(sample["label"][:, 0].tolist())
            return {**sample, "output": self.layer(sample["image"].float().flatten(1))}

    with TurboDataLoader("dataset:digits", 8, worker, 0, feed="torch", shuffle=True) as loader:
        trainer(loader, Flat(), limit_train=3).train(2)
        assert len(loader) == 3
    with TurboDataLoader("dataset:digits", 8, worker, 0, feed="torch", shuffle=True) as whole:
        expected = [sample["label"][:, 0].tolist() for _, (sample,) in whole]
    assert seen == expected[:6]  # the second epoch goes on where the first one ended


def test_validation_is_of_the_averaged_weights():
    data = [batch(number) for number in range(4)]
    network, outputs = Plain(), []
    one = trainer(
        data, network, torch.optim.SGD(network.parameters(), lr=1.0), val_iter=data[:1], average={"decay": 0.5}
    )
    one.add_hook("val_forward", lambda state, output, **more: outputs.append(output["output"].clone()))
    mean = [p.clone() for p in network.parameters()]

    def follow(state, samples):
        for kept, parameter in zip(mean, network.parameters(), strict=True):
            kept.mul_(0.5).add_(parameter.detach() * 0.5)

    one.add_hook("train_step", follow)
    one.train(1)
    torch.testing.assert_close(outputs[0], data[0]["image"] @ mean[0].T + mean[1])
    assert not torch.allclose(network.layer.weight, mean[0])  # training goes on with its own


def test_seconds_end_a_run():
    ticks = iter(range(1000))
    data = [batch(number) for number in range(5)]
    state, _ = run(data, epochs=50, max_seconds=30, clock=lambda: float(next(ticks)))
    assert state["stopped"] == "max_seconds"
    assert 1 <= state["iteration"] < 15


def test_hooks_of_the_run_are_called_at_its_ends():
    calls = []
    one = trainer([batch(0)])
    for event in ("run_begin", "run_end"):
        one.add_hook(event, lambda state, event=event: calls.append(event))
    one.add_hook("train_begin", lambda state: calls.append("epoch"))
    one.train(2)
    assert calls == ["run_begin", "epoch", "epoch", "run_end"]
    one.add_hook("train_end", lambda state: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        one.train(1)
    assert calls[-1] == "run_end"


def test_a_test_leaves_no_trace():
    data = [batch(number) for number in range(3)]
    plain, tested = trainer(data), trainer(data)
    values = []
    tested.add_hook("train_step", lambda state, samples: values.append(tested.test(data)))
    torch.manual_seed(0)
    plain.train(2)
    torch.manual_seed(0)
    tested.train(2)
    same(plain.state["network"].state_dict(), tested.state["network"].state_dict())
    assert plain.state["train_metric_values"] == tested.state["train_metric_values"]
    assert set(values[0]) == {"accuracy", "loss"}


def test_a_test_leaves_each_module_in_its_mode():
    network = Dropping().train()
    network.norm.eval()
    trainer([batch(0)], network).test([batch(0)])
    assert [module.training for module in (network, network.norm, network.drop)] == [True, False, True]
