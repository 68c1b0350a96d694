"""A dataset with labels and weights, for tests of samplers in a loader."""

from __future__ import annotations

import numpy as np
from loader_parts import Numbers


class LabeledNumbers(Numbers):
    """Sample ``i`` has label ``i % 4 - 1`` with ``unlabeled``, else ``i % 3``, and weight ``i``."""

    def __init__(self, size: int = 10, unlabeled: bool = False):
        super().__init__(size)
        self.unlabeled = unlabeled

    def getall_label(self):
        numbers = np.arange(self.size)
        return numbers % 4 - 1 if self.unlabeled else numbers % 3

    def getall_weight(self):
        return np.arange(1, self.size + 1)
