"""MetricContract: what a trainer relies on in a metric."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pytest

from leaven.protocols import Metric
from leaven.registry.registry import Registry
from leaven.stream import wire
from leaven.testing.component import ComponentContract


class MetricContract(ComponentContract):
    """The contract of metrics.

    Attributes:
        batches: sample dicts that it takes, of different sizes; two or more.
        tolerance: relative, by which sums in another order may differ.
        has_values: ``False`` for a metric that measures nothing.
    """

    batches: ClassVar[Sequence[Mapping[str, Any]]]
    tolerance: ClassVar[float] = 1e-6
    has_values: ClassVar[bool] = True

    @pytest.fixture
    def metric(self, component: Metric) -> Metric:
        """A new metric."""
        return component

    @pytest.fixture
    def others(self, registry: Registry, arguments: Mapping[str, Any]) -> list[Metric]:
        """More new metrics like it."""
        return [registry.create(self.spec, **arguments) for _ in range(3)]

    def test_it_has_what_a_metric_has(self, metric: Any) -> None:
        """It takes in, computes, forgets, merges."""
        assert isinstance(metric, Metric)

    def test_values_are_numbers(self, metric: Metric) -> None:
        """Each value has a name, and is a float of Python, even before anything was seen."""
        assert _are_floats(metric.compute())
        values = _seen(metric, self.batches).compute()
        assert bool(values) == self.has_values
        assert _are_floats(values)

    def test_parts_merge_to_the_whole(self, metric: Metric, others: Sequence[Metric]) -> None:
        """Metrics of parts, merged, say what one says that has seen everything; the merged one is as it was."""
        whole, (first, rest, empty) = metric, others
        _seen(whole, self.batches)
        _seen(first, self.batches[:1])
        _seen(rest, self.batches[1:])
        before = rest.compute()
        first.merge(rest)
        first.merge(empty)
        assert first.compute() == self._about(whole.compute())
        assert rest.compute() == _exactly(before)

    def test_the_order_does_not_matter(self, metric: Metric) -> None:
        """Batches may come in any order."""
        forth = _seen(metric, self.batches).compute()
        metric.reset()
        back = _seen(metric, self.batches[::-1]).compute()
        assert back == self._about(forth)

    def test_reset_forgets(self, metric: Metric) -> None:
        """After it the metric is as a new one."""
        first = _seen(metric, self.batches[:1]).compute()
        _seen(metric, self.batches[1:])
        metric.reset()
        assert _seen(metric, self.batches[:1]).compute() == _exactly(first)

    def test_to_compute_changes_nothing(self, metric: Metric) -> None:
        """It may be asked in between."""
        _seen(metric, self.batches[:1]).compute()
        asked = _seen(metric, self.batches[1:]).compute()
        metric.reset()
        assert asked == _exactly(_seen(metric, self.batches).compute())

    def test_batches_are_not_touched(self, metric: Metric) -> None:
        """Others measure the same sample dict."""
        for batch in self.batches:
            handed = dict(batch)
            before = copy.deepcopy(handed)
            metric.update(handed)
            assert list(handed) == list(before)
            for key, value in before.items():
                same = handed[key] == value
                assert bool(same.all() if hasattr(same, "all") else same), key

    def test_it_goes_on_from_its_state(self, metric: Any, others: Sequence[Any]) -> None:
        """The state crosses to another process; what goes on from it says what one says that has seen everything."""
        _needs_state(metric)
        whole, (twin, early, empty) = metric, others
        state = _crossed(_seen(early, self.batches[:1]).state_dict())
        twin.load_state_dict(state)
        assert twin.compute() == self._about(early.compute())
        assert _seen(twin, self.batches[1:]).compute() == self._about(_seen(whole, self.batches).compute())
        early.load_state_dict(state)  # what has gone on from it before has not changed it
        assert early.compute() == self._about(_seen(empty, self.batches[:1]).compute())

    def test_a_state_may_be_of_nothing(self, metric: Any, others: Sequence[Any]) -> None:
        """One that has seen nothing has a state as well; it takes the place of all that was seen."""
        _needs_state(metric)
        nothing, (busy, *_) = _crossed(metric.state_dict()), others
        _seen(busy, self.batches).load_state_dict(nothing)
        assert busy.compute() == _exactly(metric.compute())

    def _about(self, values: Mapping[str, float]) -> Any:
        return pytest.approx(values, rel=self.tolerance, nan_ok=True)


def _seen(metric: Any, batches: Sequence[Mapping[str, Any]]) -> Any:
    for batch in batches:
        metric.update(dict(batch))
    return metric


def _needs_state(metric: Any) -> None:
    if not hasattr(metric, "state_dict"):
        pytest.skip("it has no state_dict: it is for one process, and begins again after a snapshot")


def _are_floats(values: Mapping[str, Any]) -> bool:
    return all(type(key) is str and type(value) is float for key, value in values.items())


def _exactly(values: Mapping[str, float]) -> Any:
    return pytest.approx(values, rel=0, abs=0, nan_ok=True)


def _crossed(value: Any) -> Any:
    """Return a state as it arrives in another process: plain data, and tensors of the CPU as arrays."""
    if isinstance(value, Mapping):
        return {wire.unpack(wire.pack(key)): _crossed(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_crossed(part) for part in value]
    if hasattr(value, "new_tensor"):
        return value.new_tensor(wire.unpack(wire.pack(value.numpy())))
    return wire.unpack(wire.pack(value))
