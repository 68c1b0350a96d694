"""ModelContract: what a trainer relies on in a model."""

from __future__ import annotations

import copy
import io
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pytest

from leaven.registry.registry import Registry
from leaven.testing.component import ComponentContract

_ROWS = 4


class ModelContract(ComponentContract):
    """The contract of models that are modules of torch, and take images.

    Attributes:
        image_shape: of one image that it takes, ``(channels, height, width)``.
        output_shape: of what it makes of one image.
        input_key: key of the images.
        output_key: key of its output.
        tolerance: by which outputs may differ that are computed in another order.
    """

    image_shape: ClassVar[tuple[int, ...]] = (3, 32, 32)
    output_shape: ClassVar[tuple[int, ...]]
    input_key: ClassVar[str] = "image"
    output_key: ClassVar[str] = "output"
    tolerance: ClassVar[float] = 1e-4

    @pytest.fixture
    def torch(self) -> Any:
        """The package; tests are skipped where it is not installed."""
        return pytest.importorskip("torch")

    @pytest.fixture
    def model(self, torch: Any, component: Any) -> Any:
        """A new model, as training has it."""
        return component

    @pytest.fixture
    def sample(self, torch: Any) -> dict[str, Any]:
        """A batch of images of 8 bits, and a list."""
        pixels = np.random.default_rng(0).integers(0, 256, (_ROWS, *self.image_shape), dtype=np.uint8)
        return {self.input_key: torch.from_numpy(pixels), "key": [f"s{row}" for row in range(_ROWS)]}

    def test_it_adds_its_output(self, torch: Any, model: Any, sample: dict[str, Any]) -> None:
        """Finite floats, one row for each image; all that came in is there still."""
        given = copy.deepcopy(sample)
        made = model(sample)
        assert tuple(made[self.output_key].shape) == (_ROWS, *self.output_shape)
        assert made[self.output_key].dtype == torch.float32
        assert bool(made[self.output_key].isfinite().all())
        for seen in (sample, made):
            assert seen["key"] == given["key"]
            assert torch.equal(seen[self.input_key], given[self.input_key])
        assert self.output_key not in sample

    def test_images_have_unit_range(self, torch: Any, model: Any, sample: dict[str, Any]) -> None:
        """Images of 8 and 16 bits, and floats from 0 to 1, are the same to it."""
        output = self._evaluated(torch, model, sample)
        image = sample[self.input_key]
        for same in (image.float() / 255, (image.int() * 257).to(torch.uint16)):
            again = self._evaluated(torch, model, {**sample, self.input_key: same})
            torch.testing.assert_close(again, output, rtol=self.tolerance, atol=self.tolerance)

    def test_rows_are_evaluated_one_by_one(self, torch: Any, model: Any, sample: dict[str, Any]) -> None:
        """What is made of an image does not depend on the others of its batch, nor on earlier ones, nor on chance."""
        outputs = self._evaluated(torch, model, sample)
        for row in range(_ROWS):
            alone = self._evaluated(torch, model, {self.input_key: sample[self.input_key][row : row + 1]})
            torch.testing.assert_close(alone[0], outputs[row], rtol=self.tolerance, atol=self.tolerance)

    def test_to_evaluate_changes_nothing(self, torch: Any, model: Any, sample: dict[str, Any]) -> None:
        """Statistics are those of training; chance is not used."""
        before, chance = copy.deepcopy(model.state_dict()), torch.get_rng_state()
        self._evaluated(torch, model, sample)
        assert torch.equal(torch.get_rng_state(), chance)
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())

    def test_each_weight_has_a_gradient(self, model: Any, sample: dict[str, Any]) -> None:
        """Weights that play no part make training by several processes fail."""
        (model(sample)[self.output_key] ** 2).mean().backward()
        wanted = {name: weights.grad for name, weights in model.named_parameters() if weights.requires_grad}
        assert [name for name, gradient in wanted.items() if gradient is None] == []
        assert all(bool(gradient.isfinite().all()) for gradient in wanted.values())

    def test_its_state_makes_another_one_the_same(
        self, torch: Any, model: Any, sample: dict[str, Any], registry: Registry, arguments: Mapping[str, Any]
    ) -> None:
        """All that was learned is in the state dict: tensors only, that a file holds without pickled objects."""
        model(sample)
        file = io.BytesIO()
        torch.save(model.state_dict(), file)
        file.seek(0)
        other = registry.create(self.spec, **arguments)
        other.load_state_dict(torch.load(file, weights_only=True))
        assert torch.equal(self._evaluated(torch, other, sample), self._evaluated(torch, model, sample))

    def test_a_copy_is_on_its_own(self, torch: Any, model: Any, sample: dict[str, Any]) -> None:
        """Averages of weights are kept in a copy."""
        output = self._evaluated(torch, model, sample)
        other = copy.deepcopy(model)
        with torch.no_grad():
            for weights in model.parameters():
                weights.zero_()
        assert torch.equal(self._evaluated(torch, other, sample), output)

    def test_half_precision_is_no_trouble(self, torch: Any, model: Any, sample: dict[str, Any]) -> None:
        """Neither that of autocast, nor a model whose weights are bfloat16."""
        output = self._evaluated(torch, model, sample)
        with torch.autocast("cpu", torch.bfloat16):
            mixed = self._evaluated(torch, model, sample)
        halved = self._evaluated(torch, model.to(torch.bfloat16), sample)
        for rough in (mixed, halved):
            torch.testing.assert_close(rough.float(), output, rtol=0.1, atol=0.1 * float(output.abs().max()))

    def test_nothing_waits_for_a_device(self, model: Any, sample: dict[str, Any]) -> None:
        """On torch's device ``meta``, whose tensors have no values, every look at one is an error."""
        made = model.to("meta")({**sample, self.input_key: sample[self.input_key].to("meta")})
        assert tuple(made[self.output_key].shape) == (_ROWS, *self.output_shape)

    def _evaluated(self, torch: Any, model: Any, sample: Mapping[str, Any]) -> Any:
        model.eval()
        with torch.no_grad():
            return model(dict(sample))[self.output_key]
