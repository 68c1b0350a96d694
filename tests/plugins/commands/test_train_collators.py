from __future__ import annotations

from pathlib import Path

import numpy as np

from leaven import Registry
from leaven.cli.main import run
from leaven_plugins.commands.train.experiment import Experiment

DIGITS = Path(__file__).resolve().parents[3] / "examples" / "digits.toml"
MIXUP = 'loader.collators=[{use="mixup", classes=10, alpha=1}, "padding"]'


NEGATIVE = """
from leaven import Component, hookimpl

@hookimpl
def leaven_collators():
    yield Component("negative", Negative, "inverts")

class Negative:
    def collate(self, batch, random):
        batch["image"][:] = 255 - batch["image"]
        return batch
"""


def experiment(*overrides):
    return Experiment(DIGITS, Registry(), ["loader.nworkers=0", *overrides], training=False)


def first(loader):
    with loader:
        _, (sample,) = next(iter(loader))
        return sample


def test_without_collators_there_is_nothing_more():
    assert set(first(experiment().val_loader(feed="numpy"))) == {"image", "label", "augmentation"}


def test_in_validation_collators_leave_nothing_to_chance():
    mixed = first(experiment(MIXUP).train_loader(feed="numpy"))
    assert {record["lambda"] for record in mixed["mixup"]} != {1.0}
    still = first(experiment(MIXUP).val_loader(feed="numpy"))
    assert {record["lambda"] for record in still["mixup"]} == {1.0}
    np.testing.assert_array_equal(still["target"], np.eye(10)[still["label"][:, 0]])


def test_collators_that_draw_nothing_stay_in_validation(tmp_path):
    plugin = tmp_path / "negative.py"
    plugin.write_text(NEGATIVE)
    given = [f'leaven.plugins=["{plugin}"]', 'loader.collators="negative"']
    plain, negative = (first(experiment(*overrides).val_loader(feed="numpy")) for overrides in ((), given))
    np.testing.assert_array_equal(negative["image"], 255 - plain["image"])


def test_a_worker_can_be_named_by_preset():
    plain = experiment('worker={preset="classification", image={shape=[1, 8, 8], dtype="uint8"}, image_rng="imagenet"}')
    sample = first(plain.val_loader(feed="numpy"))
    assert sample["image"].shape == (32, 1, 8, 8)
    assert sample["augmentation"][0] == {"gpu_augmentation": False}


def test_mixed_samples_train(tmp_path, capsys):
    options = ["--set", "train.epochs=2", "--set", "loader.transport=inline", "--set", "train.threads=1"]
    mixing = ["--set", MIXUP, "--set", "loss.target_key=target"]
    assert run(["train", str(DIGITS), "--out", str(tmp_path / "run"), *options, *mixing, "--json"]) == 0
    losses = capsys.readouterr().out.strip().splitlines()[-1]
    assert '"accuracy": 0.' in losses
