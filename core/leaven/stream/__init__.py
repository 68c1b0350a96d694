"""From a dataset to batches: order, randomness, buffers, messages, processes, delivery, loader."""
