from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven_plugins.jobs.cutting import Cut


@given(total=st.integers(0, 200), size=st.integers(1, 60), shards=st.integers(1, 9))
def test_blocks_are_all_samples_once_in_order_and_within_their_shards(total, size, shards):
    cut = Cut(total, size, shards)
    blocks = [list(cut.rows(block)) for block in range(cut.blocks)]
    assert sum(blocks, []) == list(range(total))
    assert all(1 <= len(block) <= size for block in blocks)
    parts = np.array_split(np.arange(total), shards)
    for shard, part in enumerate(parts):
        assert list(cut.rows_of(shard)) == part.tolist()
        assert sum((blocks[block] for block in cut.blocks_of(shard)), []) == part.tolist()
    with pytest.raises(IndexError):
        cut.rows(cut.blocks)
