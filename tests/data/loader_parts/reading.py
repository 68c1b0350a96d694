"""What the loader's tests read out of batches."""

from __future__ import annotations


def values(samples):
    return [int(value) for sample in samples for value in sample["value"][:, 0]]


def epoch(loader):
    return [values(mini_batches) for _, mini_batches in loader]


def content(iteration, sample):
    """Everything in a batch that must not depend on how it was made."""
    return iteration, sample["value"].tolist(), sample["noise"].tolist(), sample["key"]


def stream(loader, epochs=2):
    with loader:
        return [
            content(iteration, sample)
            for _ in range(epochs)
            for iteration, mini_batches in loader
            for sample in mini_batches
        ]
