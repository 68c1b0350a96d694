"""LossContract: what a trainer relies on in a loss."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from leaven.protocols import Loss
from leaven.testing.component import ComponentContract


class LossContract(ComponentContract):
    """The contract of losses of torch's tensors.

    Attributes:
        sample: a sample dict that it takes, with two rows or more, on the CPU, the output in float32. All values are
            tensors, and belong to rows.
        output_key: key of the output that it is differentiated by.
        mean_of_rows: whether the loss of a batch is the mean of those of its rows.
        step: length of the step against the gradient that makes it smaller.
    """

    sample: ClassVar[Mapping[str, Any]]
    output_key: ClassVar[str] = "output"
    mean_of_rows: ClassVar[bool] = True
    step: ClassVar[float] = 1e-2

    @pytest.fixture
    def loss(self, component: Loss) -> Loss:
        """A new loss."""
        return component

    def test_it_is_a_scalar(self, loss: Loss) -> None:
        """One finite number, in float32."""
        value = loss(dict(self.sample))
        assert tuple(value.shape) == ()
        assert math.isfinite(value)
        assert value.dtype == self.sample[self.output_key].dtype

    def test_it_becomes_smaller_downhill(self, loss: Loss) -> None:
        """It has a gradient by the output, and a small step against it makes the loss smaller."""
        output = self.sample[self.output_key].detach().clone().requires_grad_()
        before = loss({**self.sample, self.output_key: output})
        before.backward()
        slope = float(output.grad.norm())
        assert 0 < slope < math.inf
        after = loss({**self.sample, self.output_key: output.detach() - self.step * output.grad / slope})
        assert float(after) < float(before.detach())

    def test_it_repeats_itself(self, loss: Loss) -> None:
        """Earlier batches play no part, nor do later ones change what was returned."""
        first = loss(dict(self.sample))
        loss({**self.sample, self.output_key: self.sample[self.output_key].flip(0)})
        assert float(loss(dict(self.sample))) == float(first)

    def test_samples_are_not_touched(self, loss: Loss) -> None:
        """Metrics and hooks see the same sample dict."""
        handed = copy.deepcopy(dict(self.sample))
        loss(handed)
        assert list(handed) == list(self.sample)
        for key, value in self.sample.items():
            assert bool((handed[key] == value).all()), key

    def test_one_row_is_no_trouble(self, loss: Loss) -> None:
        """The last batch of an epoch may have a single row."""
        value = loss(self._rows(slice(0, 1)))
        assert tuple(value.shape) == ()
        assert math.isfinite(value)

    def test_the_order_of_rows_does_not_matter(self, loss: Loss) -> None:
        """Rows may come in any order."""
        turned = {key: value.flip(0) for key, value in self.sample.items()}
        assert float(loss(turned)) == pytest.approx(float(loss(dict(self.sample))), rel=1e-5)

    def test_mini_batches_make_up_a_batch(self, loss: Loss) -> None:
        """The mean of the rows' losses is the batch's: a trainer that cuts batches up relies on that."""
        if self.mean_of_rows:
            count = len(self.sample[self.output_key])
            each = [float(loss(self._rows(slice(row, row + 1)))) for row in range(count)]
            assert sum(each) / count == pytest.approx(float(loss(dict(self.sample))), rel=1e-5)

    def test_half_precision_is_no_trouble(self, loss: Loss) -> None:
        """Outputs in float16 have about the same loss."""
        halved = loss({**self.sample, self.output_key: self.sample[self.output_key].half()})
        assert float(halved) == pytest.approx(float(loss(dict(self.sample))), rel=1e-2, abs=1e-3)

    def test_nothing_waits_for_a_device(self, loss: Loss) -> None:
        """On torch's device ``meta``, whose tensors have no values, every look at one is an error."""
        far = {key: value.to("meta") for key, value in self.sample.items()}
        assert tuple(loss(far).shape) == ()

    def _rows(self, rows: slice) -> dict[str, Any]:
        return {key: value[rows] for key, value in self.sample.items()}
