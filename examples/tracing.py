"""A network that learns to follow a line in noisy pictures, step by step, from where it came itself.

python examples/tracing.py
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import nn

from leaven_plugins.losses.mse import MSE
from leaven_plugins.trainers.tracing import TracingTrainer

PATCH, STEP, WIDTH, HEIGHT = 13, 3, 150, 48


class Line:
    """A wavy line from left to right, of which the network sees a patch around its place.

    Its output is by how many pixels the line is above or below at the next step to the right.
    """

    def __init__(self, seed, noise=0.25, tolerance=3.0):
        random = np.random.default_rng(seed)
        x = np.arange(WIDTH)
        waves = [np.sin(2 * np.pi * (x / length + random.random())) for length in random.uniform(30, 90, 2)]
        self.heights = HEIGHT / 2 + random.uniform(4, 8) * waves[0] + random.uniform(2, 4) * waves[1]
        distances = np.arange(HEIGHT)[:, None] - self.heights
        self.picture = (np.exp(-(distances**2) / 2) + random.normal(0, noise, distances.shape)).astype(np.float32)
        self.tolerance = tolerance
        self.x, self.y = PATCH // 2, float(self.heights[PATCH // 2])

    def start(self):
        """Return the patch around the place, and where it goes on."""
        patch = cv2.getRectSubPix(self.picture, (PATCH, PATCH), (self.x, self.y))
        return {"image": patch[None], "target": np.float32([self.heights[self.x + STEP] - self.y])}

    def is_on_track(self, output):
        """Return whether the step leads to within a few pixels of the line."""
        return abs(self.y + float(output) - self.heights[self.x + STEP]) <= self.tolerance

    def follow(self, output):
        """Make the step; at the right border there is nothing left."""
        self.x, self.y = self.x + STEP, self.y + float(output)
        return self.start() if self.x + STEP < WIDTH - PATCH // 2 else None

    def state_dict(self):
        """Return where it is."""
        return {"x": self.x, "y": self.y}

    def load_state_dict(self, state):
        """Go there."""
        self.x, self.y = state["x"], state["y"]


class Lines:
    """So many lines, the same in each epoch."""

    def __init__(self, count, seed=0):
        self.count, self.seed = count, seed

    def __iter__(self):
        for number in range(self.count):
            yield Line((self.seed, number))


class Follower(nn.Module):
    """Looks at a patch, and says where the line goes on."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(PATCH**2, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, sample):
        """Return the sample with the step as its output."""
        return {**sample, "output": self.layers(sample["image"])}


def main() -> None:
    """Train, and print how far other lines are followed."""
    torch.manual_seed(0)
    torch.set_num_threads(1)  # the network is so small that threads would wait for each other
    network = Follower()
    optimizer = torch.optim.Adam(network.parameters(), 0.002)
    trainer = TracingTrainer(network, optimizer, MSE(target_key="target"), train_iter=Lines(64), batch_size=16)
    others = Lines(16, seed=1)
    print(f"before: lines are followed for {trainer.trace(others)['length']:.1f} steps")
    for record in trainer.train(5)["records"]:
        print("epoch {epoch}: {length:5.1f} steps, {lost:4.0%} lost, loss {loss:.3f}".format(**record))
    print(f"after: other lines are followed for {trainer.trace(others)['length']:.1f} steps")


if __name__ == "__main__":
    main()
