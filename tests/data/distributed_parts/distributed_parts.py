"""What several processes do in tests. Each function returns what rank 0 has seen, as plain data."""

from __future__ import annotations

import copy
import os
import signal
import sys
import time
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn

from leaven.errors import LeavenError
from leaven_plugins.distributed import init, reduce, sync
from leaven_plugins.distributed.metrics import merged
from leaven_plugins.distributed.uneven import together
from leaven_plugins.distributed.world import current, joined
from leaven_plugins.distributed.wrapping import full_state, load_full_state, wrapped


class Totals:
    """A metric: sum and number of the values, and their largest."""

    def __init__(self):
        self.reset()

    def update(self, sample):
        self.total = self.total + sample["value"].sum()
        self.names.append(sample["name"])
        self.count += len(sample["value"])

    def reset(self):
        self.total, self.count, self.names = torch.zeros((), dtype=torch.float64), 0, []

    def compute(self):
        return {"mean": float(self.total) / self.count, "count": self.count}

    def merge(self, other):
        self.total, self.count = self.total + other.total, self.count + other.count
        self.names += other.names

    def state_dict(self):
        return {"total": self.total, "count": self.count, "names": list(self.names)}

    def load_state_dict(self, state):
        self.total, self.count, self.names = state["total"], state["count"], state["names"]


class Sized(list):
    """Data that know how many iterations an epoch has."""

    @property
    def epoch_iterations(self):
        return len(self)


class DictNet(nn.Module):
    """A network from sample dict to sample dict, with batch normalisation."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU()), nn.Linear(6, 3))

    def forward(self, sample):
        return {**sample, "output": self.layers(sample["image"])}


def message(function, *arguments):
    try:
        function(*arguments)
    except LeavenError as error:
        return f"{type(error).__name__}: {error}"
    return ""


def everything():
    """Everything that works in one group, so that processes are started once; one entry for each part."""
    with joined(timeout=60) as world:
        found = {
            "who": world.gather([world.rank, world.local_rank, os.getpid(), os.environ["OMP_NUM_THREADS"]]),
            "world": [world.size, world.backend, world.device_type, current() == world],
            **talk(world),
            "metrics": world.gather(metrics(world)),
            "together": world.gather(passes(world)),
            "scripts": world.gather(scripts(world)),
            "ddp": together_trained(world),
            "sync_batchnorm": message(lambda: wrapped(DictNet(), world, sync_batchnorm=True)),
            "frozen": type(wrapped(DictNet().requires_grad_(False), world)).__name__,
        }
    return {**found, "left": dist.is_initialized(), "outside": message(current().gather, 1)}


def talk(world):
    rank = world.rank
    tensors = {"a": torch.full((2, 3), 1.0 + rank), "b": [torch.tensor([True, rank == 0]), 3, rank / 2]}
    if rank:
        tensors = dict(reversed(tensors.items()))
    half = torch.tensor([40000.0 + rank], dtype=torch.float16)
    plain = {"rank": rank, "half": torch.full((2,), rank, dtype=torch.bfloat16), "text": "x" * 3000 * rank, "no": None}
    gathered = world.gather(plain)
    return {
        "gather": [
            [each["rank"], str(each["half"].dtype), each["half"].tolist(), len(each["text"])] for each in gathered
        ],
        "empty": world.gather([]),
        "broadcast": world.gather(world.broadcast({"from": rank, "zero": torch.tensor(rank)}, source=1)["from"]),
        "sum": plain_of(world.sum(tensors)),
        "mean": plain_of(world.mean(tensors)),
        "half_mean": plain_of(world.mean(half)),
        "any": [world.any(rank == 1), world.any(False)],
        "equal": [world.all_equal({"a": [1]}), world.all_equal(rank)],
        "mismatch": message(world.sum, torch.zeros(2 + rank)),
        "source": message(world.broadcast, 1, 2),
        "unpackable": message(world.gather, {"a": object}),
        "after": world.sum(1),
    }


def plain_of(values):
    if isinstance(values, dict):
        return {key: plain_of(part) for key, part in values.items()}
    if isinstance(values, list):
        return [plain_of(part) for part in values]
    return [str(values.dtype), values.tolist()] if isinstance(values, torch.Tensor) else values


def metrics(world):
    one, many = Totals(), [Totals(), [Totals()]]
    for number in range(world.rank + 1):
        for metric in (one, many[0], many[1][0]):
            metric.update({"value": torch.arange(3.0) + number, "name": f"{world.rank}.{number}"})
    all_of_one, all_of_many = merged(one, world), merged(many, world)
    return [
        all_of_one.compute(),
        all_of_one.names,
        one.compute(),
        all_of_many[0].compute(),
        all_of_many[1][0].compute(),
        message(merged, [one, object()], world),
    ]


def passes(world):
    messages = []
    any_of = type(world).any
    type(world).any = lambda self, flag: messages.append(flag) or any_of(self, flag)
    try:
        uneven = list(together(range(10 * world.rank, 10 * world.rank + 1 + 2 * world.rank), world))
        nothing = list(together([] if world.rank else [1, 2], world))
        wrong = list(together(Sized(range(2 + world.rank)), world))
        asked = len(messages)
        even = list(together(Sized(range(3)), world))
    finally:
        type(world).any = any_of
    return [uneven, nothing, wrong, even, asked, len(messages) - asked]


def scripts(world):
    init()
    models, share = sync([nn.Linear(2, 2), nn.Linear(2, 1)], range(5))
    _, loader = sync({}, Sized(range(4)))
    reduced = reduce([torch.tensor([1.0 + world.rank])]), reduce((torch.tensor([1.0 + world.rank]), 2), aggregate=True)
    return [
        [type(model).__name__ for model in models],
        list(share),
        list(share),
        list(loader),
        plain_of(list(reduced[0])),
        plain_of(list(reduced[1])),
        message(sync, 3, []),
    ]


def rows(rank):
    generator = torch.Generator().manual_seed(rank)
    return torch.randn(5, 4, generator=generator), torch.randint(3, (5,), generator=generator)


def network():
    torch.manual_seed(0)
    net = DictNet()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.eval()  # so that one process with all rows does the same
            module.train = lambda mode=True: None
    return net


class Descent:
    """Plain gradient descent: the first optimizer of torch takes 1.4 s to import what it needs."""

    def __init__(self, model):
        self.parameters = list(model.parameters())

    def zero_grad(self):
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self):
        for parameter in self.parameters:
            parameter -= 0.1 * parameter.grad


def steps(model, optimizer, batches, count=3):
    for _ in range(count):
        optimizer.zero_grad()
        losses = [
            nn.functional.cross_entropy(model({"image": image, "key": ["a"]})["output"], label)
            for image, label in batches
        ]
        (sum(losses) / len(losses)).backward()
        optimizer.step()


def together_trained(world):
    model = wrapped(network(), world)
    steps(model, Descent(model), [rows(world.rank)])
    return [type(model).__name__, *world.gather([value.tolist() for value in model.module.state_dict().values()])]


def modes():
    """The slow part: states of networks in both modes."""
    with joined(timeout=60) as world:
        return {mode: world.gather(train(world, mode)) for mode in ("ddp", "fsdp")}


def train(world, mode):
    """Train, save, go on; load what was saved into another network, go on with that."""
    net = network()
    model = wrapped(net, world, mode=mode)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for group in optimizer.param_groups:
        group["initial_lr"] = 0.01
    steps(model, optimizer, [rows(world.rank)])
    saved = copy.deepcopy(full_state(model, optimizer))
    steps(model, optimizer, [rows(world.rank)])
    ended = full_state(model)

    torch.manual_seed(7)
    other = network() if mode == "ddp" else wrapped(network(), world, mode="ddp")
    again = wrapped(other, world) if mode == "ddp" else other  # what was saved sharded goes on in another mode
    its_optimizer = torch.optim.AdamW(again.parameters(), lr=0.5)
    load_full_state(saved, again, its_optimizer, world)
    steps(again, its_optimizer, [rows(world.rank)])
    return {
        "type": type(model).__name__,
        "ended": {name: value.tolist() for name, value in ended["model"].items()},
        "again": {name: value.tolist() for name, value in full_state(again)["model"].items()},
        "groups": [sorted(saved["optimizer"]["param_groups"][0])] if saved["optimizer"] else [],
        "rates": [[group["lr"], group.get("initial_lr")] for group in its_optimizer.param_groups],
    }


# ---- failures


def fail(kind, path):
    """Let rank 1 come to an end in a step, in one way or the other, while rank 0 waits for its gradients."""
    with joined(timeout=60) as world:
        model = wrapped(nn.Linear(4, 3), world)
        for step in range(1000):
            if world.rank == 1 and step == 3:
                Path(path).write_text(str(time.time()))
                end(kind)
            model(torch.ones(2, 4)).sum().backward()
    return "done"


def end(kind):
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "raise":
        raise ValueError("rank one is broken")
    sys.exit(5)


def alone_or_not(value):
    with joined() as world:
        return [world.size, world.sum(value)]
