"""RNGs: what draws the augmentation parameters of one sample."""
