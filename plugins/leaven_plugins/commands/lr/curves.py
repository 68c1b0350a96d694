"""Curves: from what was named on the command line to a policy's values over a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

from leaven.errors import ConfigError, ParameterError
from leaven.protocols import Policy
from leaven.registry.overrides import apply_override, parse_override
from leaven.registry.parameters import parameters_of
from leaven.registry.planning import naming_key
from leaven.registry.registry import Registry
from leaven.registry.toml import value_of
from leaven_plugins.commands.train.experiment import Experiment

_EPOCHS = 100
_STEPS = 100
_MOST = 2000  # points of a curve


class Wanted(NamedTuple):
    """What was asked for on the command line; ``None`` where it was not."""

    epochs: int | None = None
    steps_per_epoch: int | None = None
    base: float | None = None


class Run(NamedTuple):
    """A policy, and the run that it is looked at in; ``val_policy`` sets, after each epoch, what it starts from."""

    name: str
    policy: Policy
    epochs: int
    steps_per_epoch: int
    base: float
    val_policy: Policy | None = None

    def value(self, step: int) -> float:
        """Return the value after ``step`` steps."""
        base, validated = self.base, step - step % self.steps_per_epoch
        if self.val_policy is not None and validated:
            base = self._asked(self.val_policy, base, validated)
        return self._asked(self.policy, base, step)

    def _asked(self, policy: Policy, base: float, step: int) -> float:
        if getattr(policy, "unit", "epoch") == "step":
            return float(policy.value(base, step, self.epochs * self.steps_per_epoch))
        return float(policy.value(base, step / self.steps_per_epoch, self.epochs))


class Curve(NamedTuple):
    """A policy's values; ``points`` are pairs of the number of epochs done, a fraction, and the value."""

    name: str
    remark: str
    unit: str
    base: float
    epochs: int
    steps_per_epoch: int
    points: list[tuple[float, float]]

    def to_plain(self) -> dict[str, Any]:
        """Return everything but the remark, as plain data."""
        return {key: value for key, value in self._asdict().items() if key != "remark"}


def opened(source: str, registry: Registry, overrides: Iterable[str], wanted: Wanted) -> Run:
    """Return the policy that is meant, and its run.

    Args:
        source: a TOML file, the name of a policy, or a policy's table as TOML.
        registry: where components are looked up.
        overrides: values that win, as ``"power=2"`` or, for a file, ``"policy.power=2"``.
        wanted: what wins over the file's values.

    Raises:
        ConfigError: all that is wrong in the file, or that it has no policy.
        LookupFailed: no such policy.
        ParameterError: it does not take these parameters, or the value to start from is not finite.
    """
    if wanted.base is not None and not isfinite(wanted.base):
        raise ParameterError(f"--base {wanted.base}: must be finite")
    if source.lower().endswith(".toml"):
        return _of_file(source, registry, overrides, wanted)
    table = _table_of(source)
    for override in overrides:
        apply_override(table, parse_override(override))
    policy = registry.create(table, kind="policy")
    base = 1.0 if wanted.base is None else wanted.base
    return Run(_name_of(table), policy, wanted.epochs or _EPOCHS, wanted.steps_per_epoch or _STEPS, base)


def curve_of(run: Run) -> Curve:
    """Return the values of a run's policy, at no more than 2000 steps, the first and the last one among them."""
    steps = run.epochs * run.steps_per_epoch
    parts = min(steps, _MOST - 1)
    places = [steps * part // parts for part in range(parts + 1)]
    points = [(step / run.steps_per_epoch, run.value(step)) for step in places]
    remark = f"{run.epochs} epochs of {run.steps_per_epoch} steps, from {run.base:g}"
    if any(_measures(policy) for policy in (run.policy, run.val_policy)):
        remark += ", as if nothing was measured"
    unit = getattr(run.policy, "unit", "epoch")
    return Curve(run.name, remark, unit, run.base, run.epochs, run.steps_per_epoch, points)


def _of_file(source: str, registry: Registry, overrides: Iterable[str], wanted: Wanted) -> Run:
    experiment = Experiment(Path(source), registry, overrides, training=False)
    plain = experiment.config.plain
    tables = [plain.get(name) for name in ("policy", "val_policy")]
    if not any(tables):
        raise ConfigError("there is no table [policy]: rates stay as they are", source)
    create = experiment.config.registry.create
    policy, val_policy = (create(table or "noop", kind="policy") for table in tables)
    epochs = wanted.epochs or int(plain["train"]["epochs"])
    steps = wanted.steps_per_epoch or _steps_of(experiment)
    base = _rate_of(experiment) if wanted.base is None else wanted.base
    return Run(experiment.name, policy, epochs, steps, base, val_policy)


def _measures(policy: Any) -> bool:
    """Return whether a policy, or one within it, depends on what is measured."""
    return bool(hasattr(policy, "state_dict") and policy.state_dict())


def _table_of(source: str) -> dict[str, Any]:
    if not source.lstrip().startswith("{"):
        return {"use": source}
    table = value_of(source)
    if not isinstance(table, Mapping) or not isinstance(table.get(naming_key(table)), str):
        raise ParameterError(f"{source}: expected a table in TOML with a name, as in {{use='wave', period=10}}")
    return dict(table)


def _name_of(table: Mapping[str, Any]) -> str:
    """Return the policy's name and its plain parameters."""
    named = naming_key(table)
    plain = [f"{key}={value}" for key, value in table.items() if key != named and isinstance(value, (int, float, str))]
    return " ".join([str(table[named]).removeprefix("policy:"), *plain])


def _steps_of(experiment: Experiment) -> int:
    with experiment.train_loader(nworkers=0) as loader:
        try:
            return len(loader)
        except TypeError as error:
            raise ParameterError(f"{experiment.name}: {error}; give the length: --steps-per-epoch 1000") from error


def _rate_of(experiment: Experiment) -> float:
    """Return what the configuration, or the optimizer itself, has for ``lr``."""
    table = experiment.config.plain["optimizer"]
    table = {"use": table} if isinstance(table, str) else table
    if "lr" in table:
        return float(table["lr"])
    offer = experiment.config.registry.find(table[naming_key(table)], kind="optimizer")
    parameter = parameters_of(offer.load()).get("lr")
    if parameter is None or parameter.required:
        raise ParameterError(f"{offer.spec} has no lr by default; give the value to start from: --base 0.1")
    return float(parameter.default)
