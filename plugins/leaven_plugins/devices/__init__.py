"""Devices: where tensors are, and what GPUs there are."""
