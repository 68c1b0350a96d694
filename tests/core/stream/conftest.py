from __future__ import annotations

import pytest

import leaven
from leaven import TurboDataLoader


@pytest.fixture
def parts():
    import loader_parts

    return loader_parts


@pytest.fixture
def make(parts):
    """Make a loader over Numbers with Echo workers."""

    def make(size=10, batch_size=4, nworkers=0, worker=None, dataset=None, **options):
        if dataset is None:
            dataset = leaven.create(parts.Numbers, size=size)
        return TurboDataLoader(dataset, batch_size, worker or parts.Echo(), nworkers, **options)

    return make
