"""Between datasets and torch: either as the other, and samplers for its ``DataLoader``."""
