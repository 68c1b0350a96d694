"""Golden cases of policies, schedules, optimizers and averages: key -> function(args, root), see golden_torch.py."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch

from leaven_plugins.optimizers.averaging import WeightAverage
from leaven_plugins.optimizers.lamb.optimizer import Lamb
from leaven_plugins.optimizers.lion.optimizer import Lion
from leaven_plugins.policies.cosine.policy import Cosine
from leaven_plugins.policies.exp.policy import Exp
from leaven_plugins.policies.noop.policy import Noop
from leaven_plugins.policies.poly_decay.policy import PolyDecay
from leaven_plugins.policies.ramp.policy import Ramp
from leaven_plugins.policies.schedule import parse
from leaven_plugins.policies.sigmoid.policy import Sigmoid
from leaven_plugins.policies.step.policy import Step
from leaven_plugins.policies.warmup.policy import Warmup
from leaven_plugins.policies.wave.policy import Wave

_MODES = {"dec": "mult", "lindec": "lin", "updates": "set"}


def _values(policy: Any, args: dict[str, Any]) -> list[list[float]]:
    length = args.get("num_epochs", 1)
    return [[policy.value(base, epoch, length) for base in args["base_lrs"]] for epoch in args["epochs"]]


def _sigmoid(args: dict[str, Any], root: Path) -> Any:
    return _values(Sigmoid(q=args["q"]), args)


def _ramp(args: dict[str, Any], root: Path) -> Any:
    return _values(Ramp(ramp_epochs=args["ramp_epochs"]), args)


def _schedule(args: dict[str, Any], root: Path) -> Any:
    """Which steps the original looks at is its own business: what counts is the value at each of them."""
    word = next(name for name in _MODES if name in args)
    policy = parse({word: args[word]})
    last, visited = args["iterations"], _visited(word, args)
    changes: list[list[Any]] = []
    for step, following in zip(visited, [*visited[1:], None], strict=True):
        if step <= last:
            after = following if following is not None else -1
            changes.append([step, policy.value(args["initial"], step, last), after])
    return {
        "changes": changes,
        "final": policy.value(args["initial"], last, last),
        "mode_after": _MODES[word],
        "next_update_after": changes[-1][2],
    }


def _visited(word: str, args: dict[str, Any]) -> list[int]:
    thousands = list(range(1000, args["iterations"] + 1001, 1000))
    if word == "updates":
        steps = [step for step, _ in args["updates"]]
        return steps if steps[0] <= 1000 else [1000, *steps]
    end = args["lindec"][0] if word == "lindec" else None
    return thousands if end is None else [*(step for step in thousands if step < end), end]


def _rates(args: dict[str, Any], root: Path) -> Any:
    """With a warm-up the original takes its first step, of rate 0, twice."""
    name, numbers, warm = re.fullmatch(r"(\w+)(?:\(([^)]*)\))?(?:\+warm(\d+))?", args["schedule"]).groups()
    steps, rise = args["steps"], int(warm or 0)
    policy = _decay(name, [float(number) for number in (numbers or "").split(",") if number], steps - rise)
    if rise:
        policy = Warmup(policy, epochs=rise, shifted=True, unit="step")
    return [policy.value(args["base_lr"], max(step - bool(rise), 0), steps) for step in range(steps)]


def _decay(name: str, numbers: list[float], steps: int) -> Any:
    match name, numbers:
        case "StepLR", (period, factor):
            return Step(factor=factor, every=period, unit="step")
        case "CosLR", (period,):
            return Cosine(min_share=0.001, cycles=steps / period, restart=False)
        case "PolyLR", (cutoff, power):
            return PolyDecay(cutoff=cutoff, power=power, unit="step")
        case "ExpLR", (period, factor):
            return Exp(factor=factor, every=period, unit="step")
        case "WavyLR", (period, dampen):  # half a wave is a whole number of steps there
            return Wave(period=2 * (period // 2), dampen=dampen, unit="step")
    return Noop()


def _optimizer(args: dict[str, Any], root: Path) -> Any:
    """Lion has two betas of which the second ends in 99, LAMB in 999."""
    factory = Lion if args["betas"][1] == 0.99 else Lamb
    weight = torch.nn.Parameter(torch.tensor(args["p0"]))
    optimizer = factory(lr=args["lr"], betas=args["betas"], weight_decay=args["weight_decay"])([weight])
    seen = []
    for step in range(5):
        weight.grad = torch.tensor([0.1 * (step + 1), -0.2, 0.3 * (-1) ** step])
        optimizer.step()
        seen.append(weight.detach().clone().numpy())
    return seen


def _ema(args: dict[str, Any], root: Path) -> Any:
    module = torch.nn.ParameterList([torch.tensor(args["w0"])])
    average = WeightAverage(module, decay=lambda count: min(0.9, (1 + count) / (10 + count)))
    shadow = []
    for _ in range(4):
        with torch.no_grad():
            module[0].add_(1)
        average.update()
        shadow.append(average.module[0].clone().numpy())
    with average.applied():
        on = module[0].detach().clone().numpy()
    return {"shadow": shadow, "after_on": on, "after_off": module[0].detach().numpy()}


ADAPTERS = {
    "crumpets:sigmoid": _sigmoid,
    "crumpets:ramp": _ramp,
    "elektronn2:schedule": _schedule,
    "nebulae:lr": _rates,
    "nebulae:optim": _optimizer,
    "nebulae:EMA": _ema,
}

FAULTS = {
    "elektronn2:schedule/lindec2500": "E023: a length that is no multiple of 1000 never reached 0",
    "nebulae:lr/ExpLR": "N089: the base rate was squared",
    "nebulae:lr/PolyLR": "N089: the base rate was squared",
}
