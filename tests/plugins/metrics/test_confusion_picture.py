from __future__ import annotations

import numpy as np
import pytest
import torch

from leaven_plugins.metrics.confusion_matrix.metric import ConfusionMatrix
from leaven_plugins.metrics.confusion_matrix.picture import confusion_picture


def grounds(picture, classes):
    """The colour of each cell, taken beside its number: cells are the squares between lines of one grey."""
    lines = (picture == 225).all(2)
    rows, columns = (np.flatnonzero(counts > 0.7 * counts.max()) for counts in (lines.sum(1), lines.sum(0)))
    assert (len(rows), len(columns)) == (classes, classes)
    return picture[np.ix_(rows + 2, columns + 2)].astype(int)


@pytest.mark.parametrize("classes", [2, 3, 10, 40])
def test_the_ground_shows_the_share_of_the_row(classes):
    matrix = np.full((classes, classes), 1) + 30 * np.eye(classes, dtype=int)
    matrix[0, 1], matrix[1, 0] = 20, 0
    picture = confusion_picture(matrix, [f"class {number}" for number in range(classes)])
    assert picture.dtype == np.uint8
    cells = grounds(picture, classes)
    red, blue = cells[..., 0] - cells[..., 2], cells[..., 2] - cells[..., 0]
    assert (blue.diagonal() > 60).all()
    assert red[0, 1] > 40
    assert (cells[1, 0] == 255).all()
    if classes > 2:
        assert 0 < red[2, 0] < red[0, 1]


def test_a_row_of_nothing_is_white():
    assert (grounds(confusion_picture(np.zeros((3, 3), int), ["a", "b", "c"]), 3) == 255).all()


def test_large_counts_and_any_names_fit():
    matrix = np.array([[10**14, 123_456], [9_999, 0]])
    picture = confusion_picture(matrix, ["Ähre", "x" * 500])
    assert max(picture.shape) < 600
    assert (grounds(picture, 2)[0, 0] < 200).any()


def test_the_metric_draws_what_it_has_counted():
    metric = ConfusionMatrix(3)
    metric.update({"output": torch.eye(3)[[0, 1, 1]], "label": torch.tensor([0, 1, 2])})
    assert (metric.picture() == confusion_picture(metric.matrix.numpy(), ["0", "1", "2"])).all()
