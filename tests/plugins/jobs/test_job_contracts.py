from __future__ import annotations

from leaven.protocols import Job
from leaven.testing.component import ComponentContract


class JobContract(ComponentContract):
    """What holds for the jobs of this package."""

    def test_it_has_what_a_job_has(self, component):
        assert isinstance(component, Job)

    def test_blocks_can_be_done_twice(self, component, tmp_path):
        done = [component.run(component.blocks - 1, tmp_path) for _ in range(2)]
        assert done[0] == done[1]


class TestPack(JobContract):
    spec = "job:pack"
    params = {"dataset": "digits", "resize": 6, "encode": "jpeg"}


class TestStatistics(JobContract):
    spec = "job:statistics"
    params = {"dataset": "digits"}
