from __future__ import annotations

from leaven_plugins.distributed.uneven import together
from leaven_plugins.distributed.world import World


def test_ranks_that_have_run_out_get_none(two):
    (first, second) = two["together"]
    assert (first[0], second[0]) == ([0, None, None], [10, 11, 12])
    assert (first[1], second[1]) == ([1, 2], [None, None])
    assert (first[2], second[2]) == ([0, 1, None], [0, 1, 2]), "epoch_iterations differ"


def test_ranks_with_equally_many_do_not_talk_about_it(two):
    for _, _, _, even, before, meanwhile in two["together"]:
        assert even == [0, 1, 2]
        assert (before, meanwhile) == (4 + 3 + 4, 0)


def test_alone_it_is_the_data():
    assert list(together(iter("abc"), World())) == ["a", "b", "c"]
