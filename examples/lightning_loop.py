"""Lightning's trainer around leaven's loader, which is an iterable like any other.

    pip install lightning
    python examples/lightning_loop.py

The samples come on the CPU, and Lightning moves them. Under several processes each loader takes its rank and the
world's size from the environment, so Lightning has to put no sampler of its own in (``use_distributed_sampler``).
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn, optim

from leaven import TurboDataLoader

WORKER = {"use": "classification", "image": ((1, 8, 8), "uint8")}


class Pairs:
    """A loader's batches as pairs of images (float32, 0 to 1) and labels."""

    def __init__(self, loader: TurboDataLoader) -> None:
        self.loader = loader

    def __len__(self) -> int:
        return len(self.loader) * self.loader.num_mini_batches

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for _, mini_batches in self.loader:
            for sample in mini_batches:
                yield sample["image"] / 255, sample["label"][:, 0]


def main() -> None:
    """Train on the digits, and print how many others are recognised."""
    if find_spec("lightning") is None:
        print("this example needs Lightning: pip install lightning")
        return
    import lightning

    class Digits(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
            self.hits, self.rows = 0, 0

        def training_step(self, batch: Any, _: int) -> Tensor:
            image, label = batch
            return nn.functional.cross_entropy(self.net(image), label)

        def validation_step(self, batch: Any, _: int) -> None:
            image, label = batch
            self.hits += int((self.net(image).argmax(1) == label).sum())
            self.rows += len(label)

        def configure_optimizers(self) -> optim.Optimizer:
            return optim.AdamW(self.parameters(), 0.005)

    lightning.seed_everything(0)
    torch.set_num_threads(1)  # the network is so small that threads would wait for each other
    digits = Digits()
    trainer = lightning.Trainer(
        max_epochs=5,
        accelerator="auto",
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    val = {"use": "dataset:digits", "split": "val"}
    with (
        TurboDataLoader("dataset:digits", 64, WORKER, nworkers=2, feed="torch", shuffle=True) as training,
        TurboDataLoader(val, 100, WORKER, nworkers=0, feed="torch") as validation,
    ):
        trainer.fit(digits, Pairs(training))
        trainer.validate(digits, Pairs(validation), verbose=False)
    print(f"accuracy {digits.hits / digits.rows:.3f}")


if __name__ == "__main__":
    main()
