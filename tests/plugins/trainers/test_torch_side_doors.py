from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from leaven import create
from leaven.registry.parameters import parameters_of
from leaven.registry.recipes import Recipe, recipe_of

ROOT = Path(__file__).parents[3]

DOORS = {
    "feeds.numpy": ("leaven_feeds", "NumpyFeed"),
    "feeds.torch": ("leaven_feeds", "TorchFeed"),
    "models.tiny_cnn": ("leaven_models", "TinyCNN"),
    "models.tiny_mlp": ("leaven_models", "TinyMLP"),
    "losses.cross_entropy": ("leaven_losses", "CrossEntropy"),
    "losses.nll": ("leaven_losses", "NLL"),
    "metrics.accuracy": ("leaven_metrics", "Accuracy"),
    "metrics.average": ("leaven_metrics", "Average"),
    "optimizers.adamw": ("leaven_optimizers", "AdamW"),
    "optimizers.sgd": ("leaven_optimizers", "SGD"),
    "policies.poly": ("leaven_policies", "Poly"),
    "policies.noop": ("leaven_policies", "Noop"),
    "loggers.jsonl": ("leaven_loggers", "JSONLogger"),
    "loggers.silent": ("leaven_loggers", "SilentLogger"),
    "trainers.standard": ("leaven_trainers", "Trainer"),
}
WITHOUT_TORCH = ("feeds.numpy", "policies.", "loggers.")
COMMANDS = {"train": "train", "demo": "demo", "show": "show"}


@pytest.mark.parametrize("door", DOORS)
def test_a_door_declares_and_re_exports_its_class(door):
    hook, name = DOORS[door]
    module = import_module(f"leaven_plugins.{door}")
    (component,) = getattr(module, hook)()
    room, _, target = component.target.partition(":")
    cls = getattr(import_module(room), target)
    assert getattr(module, name) is cls
    assert component.name == door.partition(".")[2]
    assert parameters_of(cls) is not None
    assert component.extra == (None if door.startswith(WITHOUT_TORCH) else "leaven[torch]")
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        module.Nothing


@pytest.mark.parametrize(
    ("spec", "params"),
    [
        ("feed:torch", {"device": "cpu"}),
        ("model:tiny_cnn", {"classes": 3}),
        ("model:tiny_mlp", {"features": 4, "classes": 3}),
        ("loss:cross_entropy", {"weight": [1, 2]}),
        ("loss:nll", {}),
        ("metric:accuracy", {"top_k": [1, 5]}),
        ("metric:average", {}),
        ("optimizer:adamw", {"betas": [0.8, 0.9]}),
        ("optimizer:sgd", {"lr": 1}),
        ("policy:poly", {"power": 1}),
        ("policy:noop", {}),
        ("logger:jsonl", {"path": "log.jsonl"}),
        ("logger:silent", {}),
    ],
)
def test_a_component_is_made_by_its_name_and_again_from_its_recipe(spec, params):
    made = create(spec, **params)
    again = Recipe.from_plain(recipe_of(made).to_plain()).build()
    assert type(again) is type(made)


def test_doors_cost_nothing():
    doors = [f"leaven_plugins.{door}" for door in DOORS] + [f"leaven_plugins.commands.{name}" for name in COMMANDS]
    costly = "[m for m in ('torch', 'numpy', 'cv2', 'zmq', 'rich') if m in sys.modules]"
    code = f"import sys, {', '.join(doors)}; print({costly})"
    paths = {"PYTHONPATH": f"{ROOT / 'core'}:{ROOT / 'plugins'}"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=paths, capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_declared_and_there(name):
    import click

    module = import_module(f"leaven_plugins.commands.{name}")
    (component,) = module.leaven_commands()
    room, _, target = component.target.partition(":")
    assert isinstance(getattr(import_module(room), target), click.Command)
    assert component.name == name
