"""MetricContract: what a trainer relies on in a metric."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pytest

from leaven.protocols import Metric
from leaven.registry.registry import Registry
from leaven.testing.component import ComponentContract


class MetricContract(ComponentContract):
    """The contract of metrics.

    Attributes:
        batches: sample dicts that it takes, of different sizes; two or more.
        tolerance: relative, by which sums in another order may differ.
    """

    batches: ClassVar[Sequence[Mapping[str, Any]]]
    tolerance: ClassVar[float] = 1e-6

    @pytest.fixture
    def metric(self, component: Metric) -> Metric:
        """A new metric."""
        return component

    def test_it_has_what_a_metric_has(self, metric: Any) -> None:
        """It takes in, computes, forgets, merges."""
        assert isinstance(metric, Metric)

    def test_values_are_numbers(self, metric: Metric) -> None:
        """Each value has a name, and is a float of Python."""
        values = _seen(metric, self.batches).compute()
        assert values
        assert all(type(key) is str and type(value) is float for key, value in values.items())

    def test_parts_merge_to_the_whole(self, registry: Registry, arguments: Mapping[str, Any]) -> None:
        """Metrics of parts, merged, say what one says that has seen everything; the merged one is as it was."""
        whole, first, rest, empty = (registry.create(self.spec, **arguments) for _ in range(4))
        _seen(whole, self.batches)
        _seen(first, self.batches[:1])
        _seen(rest, self.batches[1:])
        before = rest.compute()
        first.merge(rest)
        first.merge(empty)
        assert first.compute() == pytest.approx(whole.compute(), rel=self.tolerance)
        assert rest.compute() == before

    def test_the_order_does_not_matter(self, metric: Metric) -> None:
        """Batches may come in any order."""
        forth = _seen(metric, self.batches).compute()
        metric.reset()
        back = _seen(metric, self.batches[::-1]).compute()
        assert back == pytest.approx(forth, rel=self.tolerance)

    def test_reset_forgets(self, metric: Metric) -> None:
        """After it the metric is as a new one."""
        first = _seen(metric, self.batches[:1]).compute()
        _seen(metric, self.batches[1:])
        metric.reset()
        assert _seen(metric, self.batches[:1]).compute() == first

    def test_to_compute_changes_nothing(self, metric: Metric) -> None:
        """It may be asked in between."""
        _seen(metric, self.batches[:1]).compute()
        asked = _seen(metric, self.batches[1:]).compute()
        metric.reset()
        assert asked == _seen(metric, self.batches).compute()

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


def _seen(metric: Metric, batches: Sequence[Mapping[str, Any]]) -> Metric:
    for batch in batches:
        metric.update(dict(batch))
    return metric
