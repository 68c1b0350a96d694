from __future__ import annotations

from leaven_plugins.distributed.metrics import merged
from leaven_plugins.distributed.world import World


def test_all_ranks_get_what_all_have_seen(two):
    # rank 0 has seen 0 1 2; rank 1 0 1 2 and 1 2 3
    for rank, (total, names, own, *nested, refused) in enumerate(two["metrics"]):
        assert total == {"mean": 12 / 9, "count": 9}
        assert names == ["0.0", "1.0", "1.1"]
        assert own == {"mean": (1.0, 1.5)[rank], "count": (3, 6)[rank]}, "the metric itself stays as it is"
        assert nested == [total, total]
        assert refused.startswith("ParameterError: a object cannot be put together from several processes")


def test_alone_a_metric_needs_no_state():
    metric = object()
    assert merged(metric, World()) is metric
